import assert from "node:assert/strict";
import fc from "fast-check";
import { cpuCores, durationSeconds, isByteQuantity, isCpuQuantity, isDuration, prometheusSize, quantityBytes } from "../../model/quantity";

describe("quantity: durations", () => {
  const cases: [string, number][] = [
    ["0s", 0],
    ["500ms", 0.5],
    ["30s", 30],
    ["2m", 120],
    ["1h30m", 5_400],
    ["15d", 1_296_000],
    ["1w", 604_800],
    ["1y", 31_536_000],
    ["1y2w3d4h5m6s7ms", 31_536_000 + 2 * 604_800 + 3 * 86_400 + 4 * 3_600 + 5 * 60 + 6.007],
  ];
  for (const [text, seconds] of cases) it(`${text} is ${seconds} s`, () => assert.ok(Math.abs(durationSeconds(text) - seconds) < 1e-6));

  for (const text of ["", "1", "h", "1.5h", "1m2h", "1h 30m", " 1h", "1h\n", "-1h", "+1h", "1H", "1µs", "1us", "∞"]) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.equal(isDuration(text), false);
      assert.throws(() => durationSeconds(text), /not a duration/);
    });
  }

  it("are the sum of their parts, in whatever parts they are written", () => {
    const amount = fc.nat(999);
    fc.assert(
      fc.property(amount, amount, amount, amount, (days, hours, minutes, seconds) => {
        const text = `${days}d${hours}h${minutes}m${seconds}s`;
        assert.ok(isDuration(text));
        assert.equal(durationSeconds(text), days * 86_400 + hours * 3_600 + minutes * 60 + seconds);
        assert.equal(durationSeconds(text), durationSeconds(`${durationSeconds(text)}s`));
      }),
    );
  });

  it("a text is one exactly where its seconds can be told", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("1", "0", "s", "m", "h", "d", "w", "y", " ", "."), maxLength: 8 }), (text) => {
        if (isDuration(text)) assert.ok(durationSeconds(text) >= 0);
        else assert.throws(() => durationSeconds(text));
      }),
    );
  });
});

describe("quantity: bytes", () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["1024", 1_024],
    ["1k", 1_000],
    ["1Ki", 1_024],
    ["512Mi", 536_870_912],
    ["1.5Gi", 1_610_612_736],
    ["2G", 2e9],
    ["1Ti", 2 ** 40],
    ["1T", 1e12],
  ];
  for (const [text, bytes] of cases) it(`${text} is ${bytes}`, () => assert.equal(quantityBytes(text), bytes));

  for (const text of ["", "Gi", "1 Gi", "1gi", "1KI", "1GB", "-1Gi", "1e3", "1.Gi", ".5Gi", "1Gi\n", "0x10"]) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.equal(isByteQuantity(text), false);
      assert.throws(() => quantityBytes(text), /not a quantity of bytes/);
    });
  }

  it("grow with the number and with the unit", () => {
    const units = ["", "Ki", "Mi", "Gi", "Ti"];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9_999 }), fc.integer({ min: 0, max: 3 }), (amount, unit) => {
        const [small, large] = [`${amount}${units[unit]}`, `${amount}${units[unit + 1]}`];
        assert.equal(quantityBytes(large), quantityBytes(small) * 1_024);
        assert.ok(quantityBytes(`${amount + 1}${units[unit]}`) > quantityBytes(small));
      }),
    );
  });
});

describe("quantity: bytes as Prometheus and Thanos write them, by powers of 1024", () => {
  for (const [text, expected] of [
    ["8Gi", "8192MB"],
    ["512Mi", "512MB"],
    ["1Ti", "1048576MB"],
    ["1G", "953MB"],
  ] as const) {
    it(`${text} is ${expected}`, () => assert.equal(prometheusSize(text), expected));
  }

  it("never more than what was asked for, and less by under a mebibyte", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2 ** 20, max: 2 ** 45 }), (bytes) => {
        const written = Number(/^(\d+)MB$/.exec(prometheusSize(String(bytes)))?.[1]) * 2 ** 20;
        assert.ok(written <= bytes && bytes - written < 2 ** 20);
      }),
    );
  });
});

describe("quantity: CPU", () => {
  for (const [text, cores] of [
    ["250m", 0.25],
    ["1", 1],
    ["0.5", 0.5],
    ["1500m", 1.5],
    ["0", 0],
  ] as const) {
    it(`${text} is ${cores}`, () => {
      assert.ok(isCpuQuantity(text));
      assert.equal(cpuCores(text), cores);
    });
  }
  for (const text of ["", "m", "0.5m", "-1", "1 ", "50%", "1k", "1.", ".5"]) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.equal(isCpuQuantity(text), false);
      assert.throws(() => cpuCores(text), /not a quantity of CPU/);
    });
  }

  it("thousandths and cores say the same", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 64 }), (cores) => assert.equal(cpuCores(`${cores * 1_000}m`), cpuCores(`${cores}`))));
  });
});
