import assert from "node:assert/strict";
import { parse } from "yaml";
import { runProgram } from "../../commands/program";
import { stackFileText } from "../../commands/sizeFile";
import { sizeRequest } from "../../commands/sizeOptions";
import { cutOff, sendersFor } from "../../model/capacity/prometheus";
import type { Capacity } from "../../model/capacity/types";
import { capacityPlan } from "../../model/capacityPlan";
import { planStack } from "../../model/plan";
import { type SettingsInput, settingsSchema } from "../../model/settings/schema";
import { carriesItsLoad, type SizeRequest, sizedStack } from "../../model/sizing";
import { cpuCores, quantityBytes } from "../../model/values/quantity";

const REQUEST: SizeRequest = {
  name: "sized",
  load: { series: 1_000_000, interval: "15s" },
  retention: "30d",
  survives: { nodes: 0, zones: 1 },
  otherSenders: "none",
  largest: { memory: "32Gi", cpu: "16", volume: "16Ti" },
};

/** {@link REQUEST} with so much memory of one pod, and no other bound that matters. */
const withMemory = (memory: string): Pick<SizeRequest, "largest"> => ({ largest: { memory, cpu: "500", volume: "64Ti" } });

const CASES: Record<string, Partial<SizeRequest>> = {
  "1,000,000 series, 30 days, a zone": {},
  "2,000 series and nothing to survive": { load: { series: 2_000, interval: "60s" }, survives: { nodes: 0, zones: 0 }, retention: "2d" },
  "two nodes or a zone, for which five replicas want five zones": {
    load: { series: 50_000, interval: "30s" },
    survives: { nodes: 2, zones: 1 },
  },
  "two nodes": { load: { series: 100_000, interval: "30s" }, survives: { nodes: 2, zones: 0 } },
  "more than the largest pod holds": { load: { series: 5_000_000, interval: "15s", queries: { perSecond: 20 } }, ...withMemory("16Gi") },
  "an amount of CPU that is exactly what is needed": {
    load: { series: 1_000_000, interval: "30s", queries: { perSecond: 10, range: "6h" } },
    survives: { nodes: 1, zones: 0 },
  },
  "single senders beside a pair": { load: { series: 50_000, interval: "30s" }, otherSenders: "single" },
  "pairs beside a single Prometheus": {
    load: { series: 50_000, interval: "30s" },
    survives: { nodes: 0, zones: 0 },
    otherSenders: "pairs",
  },
  "pods of less than a step, and of amounts between the steps": {
    load: { series: 1_000, interval: "30s" },
    survives: { nodes: 0, zones: 0 },
    largest: { memory: "200Mi", cpu: "49m", volume: "1Gi" },
  },
  "40 tenants of pairs, and queries over a day": {
    load: { series: 200_000, interval: "30s", tenants: 40, queries: { perSecond: 2, range: "1d", series: 5_000 } },
    otherSenders: "pairs",
    largest: { memory: "8Gi", cpu: "2", volume: "100Gi" },
  },
};

const MI = 2 ** 20;

/** The next smaller amount in the steps in which amounts are chosen; undefined for the least. */
function lower(key: string, amount: string): string | undefined {
  if (key.endsWith(".cpu")) {
    const milli = Math.round(cpuCores(amount) * 1_000);
    return milli <= 50 ? undefined : `${milli - (milli > 1_000 ? 250 : 50)}m`;
  }
  const mebi = quantityBytes(amount) / MI;
  if (key.endsWith(".size")) return mebi <= 1_024 ? undefined : `${mebi - 1_024}Mi`;
  const step = mebi > 8_192 ? 1_024 : mebi > 2_048 ? 256 : 64;
  return mebi <= 64 ? undefined : `${mebi - step}Mi`;
}

/** A copy of the keys with another value at a path. */
function withValue(config: SettingsInput, path: string, value: string): SettingsInput {
  const copy = structuredClone(config) as unknown as Record<string, unknown>;
  const names = path.split(".");
  const last = names.pop() ?? "";
  const holder = names.reduce((inner, name) => inner[name] as Record<string, unknown>, copy);
  holder[last] = value;
  return copy as unknown as SettingsInput;
}

describe("size", () => {
  for (const [title, change] of Object.entries(CASES)) {
    const request = { ...REQUEST, ...change };
    const sized = sizedStack(request);

    it(`${title}: the preview takes it, and it carries the load`, async () => {
      const { config } = parse(stackFileText(sized)) as { config: Record<string, unknown> };
      const { outputs } = await runProgram({ config, stack: "sized", preview: true });
      const { carries, load } = outputs.capacity as Capacity;
      assert.equal(load.series, request.load.series);
      assert.ok(carries.series >= request.load.series);
      const { survives } = outputs.availability as { survives: { nodes: number; zones: number } };
      assert.ok(survives.nodes >= request.survives.nodes && survives.zones >= request.survives.zones);
    });

    it(`${title}: no amount of it is larger than the model asks for`, () => {
      const amounts = sized.reasons.filter(({ key }) => /\.(?:cpu|memory|size)$/.test(key));
      assert.equal(amounts.length, 8);
      assert.ok(carriesItsLoad(sized.config));
      for (const { key, value } of amounts) {
        const less = lower(key, value);
        if (less !== undefined) assert.ok(!carriesItsLoad(withValue(sized.config, key, less)), `${key} ${value}, and ${less} would do`);
      }
    });

    it(`${title}: says why each figure is what it is`, () => {
      const text = stackFileText(sized);
      for (const { key, value, why } of sized.reasons) assert.ok(text.includes(`# ${key} ${value}: ${why}`), key);
    });
  }

  it("has more pods where one would be too large, and refuses what no number of them carries", () => {
    const { config } = sizedStack({ ...REQUEST, ...CASES["more than the largest pod holds"] });
    assert.ok((config.receive?.replicas ?? 0) > 3);
    assert.ok((config.prometheus?.shards ?? 0) > 1);
    assert.throws(
      () => sizedStack({ ...REQUEST, load: { series: 1e9, interval: "15s" }, ...withMemory("1Gi") }),
      /load\.series = 1000000000: 300 receivers in a ring.* do not carry it.*several environments/,
    );
  });

  it("has no more of many pods than fit, although the amounts that are tried are an eighth apart", () => {
    const { config } = sizedStack({
      ...REQUEST,
      load: { series: 6_000_000, interval: "60s", labelBytes: 5_000 },
      retention: "1d",
      survives: { nodes: 0, zones: 0 },
      ...withMemory("8Gi"),
    });
    const fewer = (key: "receive" | "prometheus", counts: object): SettingsInput =>
      ({
        ...config,
        [key]: { ...config[key], ...counts, resources: { cpu: "64", memory: "8Gi" }, storage: { pvc: { size: "1Ti" } } },
      }) as SettingsInput;
    assert.ok(!carriesItsLoad(fewer("receive", { replicas: (config.receive?.replicas ?? 0) - 1 })));
    assert.ok(!carriesItsLoad(fewer("prometheus", { shards: (config.prometheus?.shards ?? 0) - 1 })));
    assert.ok(carriesItsLoad(config));
  });

  it("has more pods where one would need more CPU, or a larger volume, than one may have, and no more of them than that", () => {
    for (const [largest, part, key] of [
      [{ memory: "512Gi", cpu: "2", volume: "64Ti" }, "receive", "resources.cpu"],
      [{ memory: "512Gi", cpu: "2", volume: "64Ti" }, "prometheus", "resources.cpu"],
      [{ memory: "512Gi", cpu: "500", volume: "500Gi" }, "receive", "storage.pvc.size"],
    ] as const) {
      const sized = sizedStack({ ...REQUEST, survives: { nodes: 0, zones: 0 }, load: { series: 4_000_000, interval: "5s" }, largest });
      const { config } = sized;
      const most = key === "resources.cpu" ? cpuCores(largest.cpu) : quantityBytes(largest.volume);
      const amounts = sized.reasons.filter((each) => each.key.endsWith(`.${key}`)).map(({ value }) => value);
      for (const amount of amounts) assert.ok((key === "resources.cpu" ? cpuCores(amount) : quantityBytes(amount)) <= most, amount);
      assert.ok(carriesItsLoad(config));
      const count = part === "receive" ? "replicas" : "shards";
      const fewer = { ...config, [part]: { ...config[part], [count]: Number((config[part] as Record<string, unknown>)[count]) - 1 } };
      const roomy = withValue(fewer as SettingsInput, `${part}.resources.memory`, "512Gi");
      assert.ok(
        !carriesItsLoad(withValue(roomy, `${part}.${key}`, key === "resources.cpu" ? largest.cpu : largest.volume)),
        `${part}.${key}`,
      );
    }
    assert.throws(
      () =>
        sizedStack({
          ...REQUEST,
          load: { series: 1e9, interval: "5s" },
          retention: "365d",
          largest: { ...REQUEST.largest, volume: "2Gi" },
        }),
      /and a volume of 2Gi, are the most .*\. Accepted: less of it, or a larger volume of one pod, or less retention, or several environments\.$/,
    );
  });

  it("has no more pods than carry it, whatever is lost, and of whatever size between the steps", () => {
    for (const [change, part, count] of [
      [
        {
          load: { series: 100_000, interval: "15s", queries: { perSecond: 50, series: 5_000 } },
          survives: { nodes: 2, zones: 0 },
          largest: { ...REQUEST.largest, cpu: "1" },
        },
        "querier",
        "replicas",
      ],
      [
        {
          load: { series: 2_000_000, interval: "15s" },
          survives: { nodes: 0, zones: 0 },
          largest: { ...REQUEST.largest, memory: "3000Mi" },
        },
        "receive",
        "replicas",
      ],
      [
        { load: { series: 3_000_000, interval: "10s" }, survives: { nodes: 0, zones: 0 }, largest: { ...REQUEST.largest, cpu: "1.9" } },
        "receive",
        "replicas",
      ],
    ] as const) {
      const { config } = sizedStack({ ...REQUEST, ...change });
      assert.ok(carriesItsLoad(config));
      const own = config[part] as Record<string, unknown>;
      const { memory, cpu, volume } = change.largest;
      const largest = { resources: { memory, cpu }, ...(part === "receive" ? { storage: { pvc: { size: volume } } } : {}) };
      const fewer = { ...config, [part]: { ...own, ...largest, [count]: Number(own[count]) - 1 } } as SettingsInput;
      assert.ok(!carriesItsLoad(fewer), `${part} ${own[count]}`);
    }
  });

  it("says that several environments carry it only where half of the load in one is carried", () => {
    const sized = (load: object) => () => sizedStack({ ...REQUEST, load: { series: 1_000, interval: "15s", ...load } });
    assert.throws(
      sized({ queries: { range: "100y", series: 1_000, perSecond: 1 } }),
      (error: Error) => !/environments$/.test(error.message),
    );
    assert.doesNotThrow(sized({ labelBytes: 65_536 }));
  });

  it("names the key of the load that no numbers of pods carry, and less of it only where that helps", () => {
    const load = { series: 1_000, interval: "15s" };
    for (const [change, said] of [
      [
        { load: { ...load, newSeriesPerHour: 1e10 } },
        /^Error: load\.newSeriesPerHour = 10000000000: .* Accepted: less of it, or a larger memory/,
      ],
      [
        { load: { ...load, queries: { perSecond: 1e9 } } },
        /^Error: load\.queries = \{"perSecond":1000000000\}: .* Accepted: less of it, or /,
      ],
      [{ load, ...withMemory("64Mi") }, /^Error: load\.\S+ = .*\. Accepted: a larger memory of one pod\.$/],
    ] as const)
      assert.throws(() => sizedStack({ ...REQUEST, ...change }), said);
  });

  it("has more receivers where no CPU ends the replay of one tenant's log in time", () => {
    const { config } = sizedStack({ ...REQUEST, load: { series: 10_000_000, interval: "1s" }, ...withMemory("512Gi") });
    const replicas = config.receive?.replicas ?? 0;
    assert.ok(replicas > 3);
    assert.ok(carriesItsLoad(config));
    assert.ok(
      !carriesItsLoad({
        ...config,
        receive: { ...config.receive, replicas: 3, resources: { cpu: "500", memory: "512Gi" } },
      } as SettingsInput),
    );
  });

  it("gives a queue the senders with which it catches up in no longer than it was cut off, and its memory", () => {
    const few = sizedStack({ ...REQUEST, load: { series: 1_000, interval: "30s" } });
    assert.equal(few.config.prometheus?.remoteWrite?.maxShards, 4);
    for (const [series, interval] of [
      [1_000_000, "5s"],
      [31_000_000, "15s"],
    ] as const) {
      const { config } = sizedStack({ ...REQUEST, load: { series, interval } });
      const settings = settingsSchema.parse(config);
      const plan = capacityPlan(settings, planStack(settings));
      assert.ok(plan !== undefined);
      const cut = cutOff(plan);
      assert.ok(
        cut?.catchUpSeconds !== null && (cut?.catchUpSeconds ?? Number.NaN) <= (cut?.seconds ?? 0),
        JSON.stringify({ series, cut }),
      );
      const senders = config.prometheus?.remoteWrite?.maxShards ?? 0;
      assert.equal(senders, sendersFor(plan.prometheus));
      assert.ok(senders > 20);
    }
  });

  it("scrapes as often as the load has samples, so that the preview warns of none that are not counted", async () => {
    for (const [interval, scrapeTimeout] of [
      ["1s", "1s"],
      ["15s", undefined],
      ["2m", undefined],
    ] as const) {
      const sized = sizedStack({ ...REQUEST, load: { series: 10_000, interval } });
      assert.equal(sized.config.prometheus?.scrapeInterval, interval);
      assert.equal(sized.config.prometheus?.scrapeTimeout, scrapeTimeout);
      const { config } = parse(stackFileText(sized)) as { config: Record<string, unknown> };
      const { warnings } = await runProgram({ config, stack: "sized", preview: true });
      assert.deepEqual(warnings, []);
    }
  });

  it("names the option, its value, the rule and what is accepted where the stack file would not take it", () => {
    const options = {
      series: "1000",
      interval: "15s",
      retention: "30d",
      survivesNodes: "0",
      survivesZones: "1",
      otherSenders: "none",
      largestMemory: "32Gi",
      largestCpu: "16",
      largestVolume: "16Ti",
      name: "sized",
    };
    assert.deepEqual(sizeRequest(options), { ...REQUEST, load: { series: 1_000, interval: "15s" } });
    assert.deepEqual(sizeRequest({ ...options, labelBytes: "500", newSeries: "10", queries: "2" }).load, {
      series: 1_000,
      interval: "15s",
      labelBytes: 500,
      newSeriesPerHour: 10,
      queries: { perSecond: 2 },
    });
    assert.deepEqual(sizeRequest({ ...options, queryRange: "1d", querySeries: "500", tenants: "3", otherSenders: "pairs" }), {
      ...REQUEST,
      load: { series: 1_000, interval: "15s", tenants: 3, queries: { range: "1d", series: 500 } },
      otherSenders: "pairs",
    });
    for (const [wrong, said] of [
      [{ series: "abc" }, /^--series = "abc": this key holds a whole number\. Accepted: a whole number from 1 to/],
      [{ survivesZones: "3" }, /^--survives-zones = 3: .*\. Accepted: /],
      [{ survivesNodes: "3" }, /^--survives-nodes = 3: a ring stores at most 5 replicas .*\. Accepted: at most 2\.$/],
      [{ series: "" }, /^--series = "": .*\. Accepted: a whole number/],
      [{ queries: " " }, /^--queries = " ": .*\. Accepted: /],
      [{ series: "1e400" }, /^--series = "1e400": .*\. Accepted: a whole number/],
      [{ name: "Foo_Bar" }, /^--name = "Foo_Bar": .*\. Accepted: at most 56 lower-case letters, digits and -, the last one no -\.$/],
      [{ name: "a".repeat(57) }, /^--name = "a+": .*\. Accepted: at most 56 /],
      [{ name: "" }, /^--name = "": .*\. Accepted: at most 56 /],
      [{ largestMemory: "x" }, /^--largest-memory = "x": .*\. Accepted: /],
      [{ largestCpu: "x" }, /^--largest-cpu = "x": .*\. Accepted: /],
      [{ largestVolume: "x" }, /^--largest-volume = "x": .*\. Accepted: /],
      [{ otherSenders: "some" }, /^--other-senders = "some": .*\. Accepted: /],
      [{ tenants: "0" }, /^--tenants = 0: .*\. Accepted: /],
      [{ tenants: "2" }, /^--tenants = 2: all that .* is one tenant's .*\. Accepted: 1, or --other-senders single or pairs\.$/],
      [
        { querySeries: "2000" },
        /^--query-series = 2000: no query reads more series .* \(--query-range\)\. Accepted: at most 1050, or a larger --series\.$/,
      ],
      [{ queryRange: "long" }, /^--query-range = "long": .*\. Accepted: /],
      [{ retention: "soon" }, /^--retention = "soon": .*\. Accepted: /],
      [{ queries: "many" }, /^--queries = "many": .*\. Accepted: /],
    ] as const) {
      assert.throws(
        () => sizeRequest({ ...options, ...wrong }),
        ({ message }: Error) => said.test(message) && !message.includes("\n"),
      );
    }
  });
});
