const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;

const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotateLeft = (value: bigint, bits: bigint): bigint => unsigned(value << bits) | (value >> (64n - bits));
const round = (lane: bigint, input: bigint): bigint => unsigned(rotateLeft(unsigned(lane + unsigned(input * PRIME_2)), 31n) * PRIME_1);
const mergeLane = (hash: bigint, lane: bigint): bigint => unsigned((hash ^ round(0n, lane)) * PRIME_1 + PRIME_4);

/** Bytes that the hash takes at once. */
const BLOCK = 32;

/** State of the hash after whole blocks: a, b, c and d of the specification. */
type Lanes = readonly [bigint, bigint, bigint, bigint];

const START: Lanes = [unsigned(PRIME_1 + PRIME_2), PRIME_2, 0n, unsigned(-PRIME_1)];

/** The lanes after all whole blocks of some bytes. */
function afterBlocks(lanes: Lanes, bytes: Uint8Array): Lanes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [a, b, c, d] = lanes;
  for (let at = 0; at + BLOCK <= bytes.byteLength; at += BLOCK) {
    a = round(a, view.getBigUint64(at, true));
    b = round(b, view.getBigUint64(at + 8, true));
    c = round(c, view.getBigUint64(at + 16, true));
    d = round(d, view.getBigUint64(at + 24, true));
  }
  return [a, b, c, d];
}

/** The lanes as one number. */
function merged(lanes: Lanes): bigint {
  const [a, b, c, d] = lanes;
  const hash = unsigned(rotateLeft(a, 1n) + rotateLeft(b, 7n) + rotateLeft(c, 12n) + rotateLeft(d, 18n));
  return lanes.reduce(mergeLane, hash);
}

/** The hash of `length` bytes, of which less than a block is left. */
function finished(blocks: bigint, bytes: Uint8Array, length: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hash = unsigned(blocks + BigInt(length));
  let at = 0;
  for (; at + 8 <= bytes.byteLength; at += 8) {
    hash = unsigned(rotateLeft(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4);
  }
  if (at + 4 <= bytes.byteLength) {
    hash = unsigned(rotateLeft(hash ^ unsigned(BigInt(view.getUint32(at, true)) * PRIME_1), 23n) * PRIME_2 + PRIME_3);
    at += 4;
  }
  for (; at < bytes.byteLength; at++) {
    hash = unsigned(rotateLeft(hash ^ unsigned(BigInt(view.getUint8(at)) * PRIME_5), 11n) * PRIME_1);
  }
  hash = unsigned((hash ^ (hash >> 33n)) * PRIME_2);
  hash = unsigned((hash ^ (hash >> 29n)) * PRIME_3);
  return hash ^ (hash >> 32n);
}

/**
 * The 64-bit xxHash (XXH64, seed 0) of some bytes, as an unsigned number.
 *
 * It is written here because the npm packages either load WebAssembly asynchronously, which a synchronous model can't wait for, or
 * take seconds for a ring of thirty members. Source: the XXH64 section of the xxHash specification, and `cespare/xxhash`, which
 * Thanos uses.
 */
export function xxhash64(bytes: Uint8Array): bigint {
  return xxhash64After(new Uint8Array())(bytes);
}

/**
 * {@link xxhash64} of everything that begins with the same bytes, whose blocks are hashed once.
 *
 * @returns the hash of these bytes and those that follow
 */
export function xxhash64After(start: Uint8Array): (rest: Uint8Array) => bigint {
  const common = start.byteLength - (start.byteLength % BLOCK);
  const lanes = afterBlocks(START, start);
  const begun = start.subarray(common);
  const blocks = common === 0 ? PRIME_5 : merged(lanes);
  return (rest) => {
    const bytes = new Uint8Array(begun.byteLength + rest.byteLength);
    bytes.set(begun);
    bytes.set(rest, begun.byteLength);
    const length = common + bytes.byteLength;
    if (bytes.byteLength < BLOCK) return finished(blocks, bytes, length);
    return finished(merged(afterBlocks(lanes, bytes)), bytes.subarray(bytes.byteLength - (bytes.byteLength % BLOCK)), length);
  };
}
