import STATE from "./goRandomTable.json";

/**
 * The numbers of Go's `rand.New(rand.NewSource(seed))`, by which Thanos draws a tenant's shard. Go promises the same numbers for a seed in
 * every release of Go 1. Source: Go 1.26 src/math/rand/rng.go (BSD licence); goRandomTable.json is its table `rngCooked`, each number in 16
 * hexadecimal digits, since JSON's own numbers are doubles.
 */

const LENGTH = 607;
const TAP = 273;
const MODULUS = 2_147_483_647;
const MULTIPLIER = 48_271;

const DIGITS = 16;
const TABLE = STATE.join("");
const COOKED = BigUint64Array.from({ length: LENGTH }, (_, index) => BigInt(`0x${TABLE.slice(index * DIGITS, (index + 1) * DIGITS)}`));

/**
 * Go's `Uint64` for a seed: each call gives the next number, 0 to 2^64 - 1.
 *
 * @param seed As Go's int64.
 */
export function goRandom(seed: bigint): () => bigint {
  const rest = Number(((seed % BigInt(MODULUS)) + BigInt(MODULUS)) % BigInt(MODULUS));
  let x = rest === 0 ? 89_482_311 : rest;
  const next = (): bigint => {
    // Below 2^53: exact.
    x = (x * MULTIPLIER) % MODULUS;
    return BigInt(x);
  };
  for (let warmUp = 0; warmUp < 20; warmUp++) next();
  const state = COOKED.map((cooked) => BigInt.asUintN(64, (next() << 40n) ^ (next() << 20n) ^ next() ^ cooked));
  let tap = 0;
  let feed = LENGTH - TAP;
  return () => {
    tap = (tap + LENGTH - 1) % LENGTH;
    feed = (feed + LENGTH - 1) % LENGTH;
    const sum = BigInt.asUintN(64, (state[feed] ?? 0n) + (state[tap] ?? 0n));
    state[feed] = sum;
    return sum;
  };
}
