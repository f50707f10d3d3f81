const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;

const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotateLeft = (value: bigint, bits: bigint): bigint => unsigned(value << bits) | (value >> (64n - bits));
const round = (lane: bigint, input: bigint): bigint => unsigned(rotateLeft(unsigned(lane + unsigned(input * PRIME_2)), 31n) * PRIME_1);
const mergeLane = (hash: bigint, lane: bigint): bigint => unsigned((hash ^ round(0n, lane)) * PRIME_1 + PRIME_4);

/**
 * The 64-bit xxHash (XXH64, seed 0) of some bytes, as an unsigned number.
 *
 * It is written here because the npm packages either load WebAssembly asynchronously, which a synchronous model can't wait for, or
 * take seconds for a ring of thirty members. Source: the XXH64 section of the xxHash specification, and `cespare/xxhash`, which
 * Thanos uses.
 */
export function xxhash64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.byteLength;
  let at = 0;
  let hash = PRIME_5;
  if (length >= 32) {
    let a = unsigned(PRIME_1 + PRIME_2);
    let b = PRIME_2;
    let c = 0n;
    let d = unsigned(-PRIME_1);
    for (; at + 32 <= length; at += 32) {
      a = round(a, view.getBigUint64(at, true));
      b = round(b, view.getBigUint64(at + 8, true));
      c = round(c, view.getBigUint64(at + 16, true));
      d = round(d, view.getBigUint64(at + 24, true));
    }
    hash = unsigned(rotateLeft(a, 1n) + rotateLeft(b, 7n) + rotateLeft(c, 12n) + rotateLeft(d, 18n));
    hash = mergeLane(mergeLane(mergeLane(mergeLane(hash, a), b), c), d);
  }
  hash = unsigned(hash + BigInt(length));
  for (; at + 8 <= length; at += 8) {
    hash = unsigned(rotateLeft(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4);
  }
  if (at + 4 <= length) {
    hash = unsigned(rotateLeft(hash ^ unsigned(BigInt(view.getUint32(at, true)) * PRIME_1), 23n) * PRIME_2 + PRIME_3);
    at += 4;
  }
  for (; at < length; at++) {
    hash = unsigned(rotateLeft(hash ^ unsigned(BigInt(view.getUint8(at)) * PRIME_5), 11n) * PRIME_1);
  }
  hash = unsigned((hash ^ (hash >> 33n)) * PRIME_2);
  hash = unsigned((hash ^ (hash >> 29n)) * PRIME_3);
  return hash ^ (hash >> 32n);
}
