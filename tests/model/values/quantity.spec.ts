import assert from "node:assert/strict";
import fc from "fast-check";
import {
  cpuCores,
  durationSeconds,
  isByteQuantity,
  isCpuQuantity,
  isDuration,
  prometheusSize,
  quantityBytes,
} from "../../../model/values/quantity";

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
    ["1Pi", 2 ** 50],
    ["2P", 2e15],
    ["1Ei", 2 ** 60],
    ["3E", 3e18],
    ["5e10", 5e10],
    ["5E3", 5_000],
    ["1.5e3", 1_500],
    ["25e-1", 3],
    ["1500m", 2],
    ["1000000u", 1],
    ["1n", 1],
    [".5Gi", 2 ** 29],
    ["1.Gi", 2 ** 30],
    ["+1Gi", 2 ** 30],
    ["1209462790553600m", 1_209_462_790_554],
    ["1.1Ti", 1_209_462_790_554],
    ["22E", 22e18],
  ];
  for (const [text, bytes] of cases) it(`${text} is ${bytes}`, () => assert.equal(quantityBytes(text), bytes));

  for (const text of ["", ".", "Gi", "1 Gi", "1gi", "1KI", "1Mii", "1GB", "-1Gi", "1e", "1e3Ki", "1e999", "1.2.3", "1Gi\n", "0x10"]) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.equal(isByteQuantity(text), false);
      assert.throws(() => quantityBytes(text), /not a quantity of bytes/);
    });
  }

  for (const text of ["1.1Ti", "1m", "1209462790553600m", "0.1", "1e-1", "22E", "8Ei"]) {
    it(`${text} is none that a size may have: parts of a byte, or more than Kubernetes holds`, () =>
      assert.equal(isByteQuantity(text), false));
  }
  for (const text of ["1.5Gi", "1.5Ti", "1000m", "5e10", "7Ei", "1Pi", "9223372036854775807"]) {
    it(`${text} is one that a size may have`, () => assert.ok(isByteQuantity(text)));
  }

  it("grow with the number and with the unit", () => {
    const units = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 0, max: 4 }), (amount, unit) => {
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
    [".5", 0.5],
    ["1k", 1_000],
    ["1e-1", 0.1],
  ] as const) {
    it(`${text} is ${cores}`, () => {
      assert.ok(isCpuQuantity(text));
      assert.equal(cpuCores(text), cores);
    });
  }
  for (const [text, cores] of [
    ["0.5m", 0.001],
    ["1.0005", 1.001],
    ["5n", 0.001],
  ] as const) {
    it(`${text} is ${cores} to Kubernetes, and none that a workload may ask for`, () => {
      assert.equal(isCpuQuantity(text), false);
      assert.equal(cpuCores(text), cores);
    });
  }
  for (const text of ["", "m", "-1", "1 ", "50%", "1 m"]) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.equal(isCpuQuantity(text), false);
      assert.throws(() => cpuCores(text), /not a quantity of CPU/);
    });
  }

  it("thousandths and cores say the same", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 64 }), (cores) => assert.equal(cpuCores(`${cores * 1_000}m`), cpuCores(`${cores}`))));
  });
});
