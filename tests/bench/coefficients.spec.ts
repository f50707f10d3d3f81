import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import * as fc from "fast-check";
import {
  counts,
  errors,
  fitted,
  judged,
  judges,
  type Measured,
  overridesOf,
  POINTS,
  type Result,
  selected,
  tables,
} from "../../bench/coefficientsFit";
import { predictedOf } from "../../bench/coefficientsModel";
import { run } from "../harness";

describe("bench:coefficients: points", () => {
  it("are each size with each factor and size of labels, and churn, lateness and queries, all under names of their own", () => {
    const names = POINTS.map(({ name }) => name);
    assert.equal(new Set(names).size, 18);
    assert.ok(names.includes("50k-rf1-l100") && names.includes("200k-rf3-l400") && names.includes("100k-rf3-l100-churn"));
  });

  it("are selected by all of the words, and an unknown one is refused with what there is", () => {
    assert.deepEqual(
      selected("50k-rf3").map(({ name }) => name),
      ["50k-rf3-l100", "50k-rf3-l400"],
    );
    assert.deepEqual(
      selected("100k-rf3-l100-steady,queries").map(({ name }) => name),
      ["100k-rf3-l100", "100k-rf1-l100-queries", "100k-rf3-l100-queries"],
    );
    assert.equal(selected(undefined).length, POINTS.length);
    assert.throws(() => selected("5k"), /--only 5k: no point has all of these words; points: 50k-rf1-l100, /);
  });

  it("a third judges, with both factors, every size and both labels on each side", () => {
    const [judging, learned] = [POINTS.filter((point) => judges(point)), POINTS.filter((point) => !judges(point))];
    assert.equal(judging.length, POINTS.length / 3);
    for (const side of [judging, learned]) {
      assert.deepEqual([...new Set(side.map(({ replicationFactor }) => replicationFactor))].sort(), [1, 3]);
      assert.deepEqual([...new Set(side.map(({ labelBytes }) => labelBytes))].sort(), [100, 400]);
      assert.equal(new Set(side.map(({ series }) => series)).size, 3);
    }
  });

  for (const replicationFactor of [1, 3] as const) {
    it(`are stack files that the program takes, with replication factor ${replicationFactor}`, async () => {
      assert.equal((await run("prod", overridesOf({ replicationFactor }))).outputs.availability !== undefined, true);
    });
  }
});

describe("bench:coefficients: program", () => {
  it("begins without mocha, as every benchmark does, and prints its tables", async () => {
    const { stdout } = await execa("node", ["-r", "ts-node/register/transpile-only", "bench/coefficients.ts", "--table"]);
    assert.match(stdout, /\| component \| resource \| points that judge \|/);
  });
});

describe("bench:coefficients: fit", () => {
  const coefficient = fc.double({ min: 1, max: 1e4, noNaN: true });

  it("finds the coefficients of what they make", () => {
    fc.assert(
      fc.property(coefficient, coefficient, coefficient, (base, series, labels) => {
        const rows = POINTS.map((point) => [1e4, point.series, point.series * point.labelBytes]);
        const values = rows.map(([one = 0, two = 0, three = 0]) => base * one + series * two + labels * three);
        const found = fitted(rows, values);
        [base, series, labels].forEach((each, index) => {
          assert.ok(Math.abs((found[index] ?? 0) / each - 1) < 1e-3, `${index}: ${found[index]} for ${each}`);
        });
      }),
    );
  });

  it("is nowhere below 0: what would be is left out", () => {
    const found = fitted(
      [
        [1, 1],
        [1, 2],
        [1, 3],
      ],
      [9, 6, 3],
    );
    assert.equal(found[1], 0);
    assert.ok((found[0] ?? 0) > 0);
  });

  it("is none of fewer measurements than coefficients, nor of columns that say the same", () => {
    assert.throws(() => fitted([[1, 2]], [1]), /1 measurements are too few for 2/);
    const same = [1, 2, 3].map((each) => [each, 2 * each]);
    assert.throws(() => fitted(same, [1, 2, 3]), /two columns say the same/);
  });
});

describe("bench:coefficients: judgement", () => {
  const amountOf = (point: Pick<Result["point"], "series" | "labelBytes">) => 90e6 + point.series * (2_000 + 3 * point.labelBytes);
  const memory = (amount: number): Measured => ({ component: "receivers", resource: "memory", amount });
  const saying = (said: number) => (result: Result) => [memory(said * amountOf(result.point))];
  const results = (): Result[] =>
    POINTS.map((point) => ({
      point,
      at: "2026-11-27T12:00:00Z",
      headSeries: point.series,
      labelBytes: point.labelBytes,
      samplesPerSecond: point.series / point.intervalSeconds,
      measured: [memory(amountOf(point))],
      age: 120,
      heaviest: 1,
    }));

  it("is of the points that nothing was fitted to, and says how far the model is off", () => {
    const { rows, fits } = judged(results(), saying(1.1));
    assert.equal(rows.length, POINTS.length);
    assert.deepEqual(
      fits.map(({ component, resource }) => `${component} ${resource}`),
      ["receivers memory"],
    );
    assert.ok(Math.abs((fits[0]?.coefficients["each byte of labels"] ?? 0) - 3) < 1e-6);
    const [own] = errors(rows);
    assert.equal(own?.points, 6);
    assert.ok(Math.abs((own.model ?? 0) - 0.1) < 1e-9);
    assert.ok((own.fit ?? 1) < 1e-9);
  });

  it("does not see what was fitted to points that judge", () => {
    const spoilt = results().map((result) =>
      judges(result.point) ? { ...result, measured: [memory(9 * amountOf(result.point))] } : result,
    );
    const { rows } = judged(spoilt, saying(1));
    assert.ok((errors(rows)[0]?.fit ?? 0) > 0.8);
  });

  it("is a table in which more than 15 % is no", () => {
    const verdict = (said: number) => tables(judged(results(), saying(said)))[1]?.rows[0]?.at(-1);
    assert.equal(verdict(1.14), "yes");
    assert.equal(verdict(0.84), "no");
    const [all] = tables(judged(results(), saying(0.9)));
    assert.deepEqual(all?.rows[0]?.slice(0, 6), ["50k-rf1-l100", "receivers", "memory", "205 MB", "185 MB", "-10 %"]);
  });

  it("leaves the fit out where too little has been measured", () => {
    const { rows, fits } = judged(results().slice(0, 3), saying(1));
    assert.equal(fits.length, 0);
    assert.ok(rows.length === 3 && rows.every(({ fit }) => fit === undefined));
  });
});

/** Largest error of the model. */
const MOST = 0.15;

describe("bench:coefficients: what was measured", () => {
  const measured = JSON.parse(readFileSync(join(__dirname, "..", "..", "bench", "coefficients.json"), "utf8")) as Result[];

  it("is every load", () => {
    assert.deepEqual(measured.map(({ point }) => point.name).sort(), POINTS.map(({ name }) => name).sort());
  });

  for (const result of measured)
    it(`is what the model says: ${result.point.name}`, () => {
      const rows = judged([result], predictedOf).rows.filter(counts);
      assert.ok(rows.length >= 5);
      for (const { component, resource, measured: amount, predicted } of rows) {
        assert.ok(Math.abs(predicted / amount - 1) <= MOST, `${component} ${resource}: ${amount} measured, ${predicted} predicted`);
      }
    });
});
