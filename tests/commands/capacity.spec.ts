import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { type MatrixElement, PrometheusError, type Sample } from "../../clients/prometheus";
import { deployedCapacity, main } from "../../commands/capacity";
import { type CapacityReadings, judgeCapacity } from "../../commands/capacity/judgement";
import { fullSince, headQueries, oldestQuery, queryOf, readCapacity } from "../../commands/capacity/readings";
import { capacityLines } from "../../commands/capacity/report";
import { capacity } from "../../model/capacity/proof";
import type { Capacity } from "../../model/capacity/types";
import type { StackOutputs } from "../../outputs";
import { readOutputs } from "../../outputs";
import { planUnder } from "../model/capacity/plans";
import { OUTPUTS, startFakeCluster } from "./fakeCluster";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = Date.UTC(2026, 10, 27, 12);
const PLAN: Capacity = capacity(planUnder("prod", { series: 10_000, interval: "15s", queries: { perSecond: 0.1 } }));
const STACK: StackOutputs = readOutputs({ ...OUTPUTS, capacity: PLAN });

/** A sample an hour of the last so many days. */
const hoursOf = (days: number, value: (daysAgo: number) => number): Sample[] =>
  Array.from({ length: days * 24 + 1 }, (_, index) => {
    const daysAgo = days - index / 24;
    return { timestampMs: NOW_MS - daysAgo * DAY_MS, value: value(daysAgo) };
  });

const ofReceivers = PLAN.components.find(({ component, resource }) => component === "receivers" && resource === "memory");
assert.ok(ofReceivers !== undefined);
const LIMIT = (ofReceivers.available * ofReceivers.used) / ofReceivers.worst;

const memoryOf = (hours: Sample[]): CapacityReadings => ({ needs: [{ component: "receivers", resource: "memory", hours }] });
const judged = (readings: CapacityReadings) => judgeCapacity(PLAN, readings, NOW_MS);

describe("capacity: judgement", () => {
  it("puts the most of the last day beside what was predicted, and leaves out what nothing measures", () => {
    const { needs } = judged(memoryOf(hoursOf(3, (daysAgo) => (daysAgo > 1 ? 9e9 : ofReceivers.used * (daysAgo === 0.5 ? 1.2 : 1)))));
    const memory = needs.find(({ component, resource }) => component === "receivers" && resource === "memory");
    assert.equal(memory?.measured, ofReceivers.used * 1.2);
    assert.ok(Math.abs((memory.difference ?? 0) - 0.2) < 1e-9);
    const others = needs.filter((each) => each !== memory);
    assert.equal(others.length, PLAN.components.length - 1);
    assert.ok(
      others.every(({ measured, difference, metAtMs }) => measured === undefined && difference === undefined && metAtMs === undefined),
    );
  });

  it("counts each series and sample once", () => {
    const { replicas, series, samplesPerSecond } = PLAN.heads;
    const { headSeries, headSamplesPerSecond } = judged({
      headSeries: replicas * series,
      headSamplesPerSecond: 2 * replicas * samplesPerSecond,
      needs: [],
    });
    assert.equal(headSeries.difference, 0);
    assert.equal(headSamplesPerSecond.difference, 1);
  });

  it("names the day on which a need that grows meets its usual limit, at the growth of the last days", () => {
    const perDay = LIMIT / 100;
    const { first } = judged(memoryOf(hoursOf(7, (daysAgo) => LIMIT - perDay * (10 + daysAgo))));
    assert.equal(first?.component, "receivers");
    assert.ok(Math.abs((first.growthPerDay ?? 0) / perDay - 1) < 1e-6);
    assert.ok(Math.abs((first.metAtMs ?? 0) - NOW_MS - 10 * DAY_MS) < 1_000);
  });

  it("chooses the need that meets its limit first", () => {
    const growing = (component: string, resource: "memory" | "cpu", limit: number, days: number) => ({
      component,
      resource,
      hours: hoursOf(7, (daysAgo) => limit * (1 - (days + daysAgo) / 1_000)),
    });
    const limitOf = (component: string, resource: string) =>
      judged({ needs: [] }).needs.find((each) => each.component === component && each.resource === resource)?.limit ?? 0;
    const { first } = judged({
      needs: [
        growing("receivers", "memory", limitOf("receivers", "memory"), 30),
        growing("queriers", "cpu", limitOf("queriers", "cpu"), 5),
      ],
    });
    assert.equal(`${first?.component} ${first?.resource}`, "queriers cpu");
  });

  it("foresees nothing of a need that falls, of one that is level, and of less than two days", () => {
    for (const hours of [hoursOf(7, (daysAgo) => daysAgo * 1e6), hoursOf(7, () => 1e6), hoursOf(1, (daysAgo) => 1e9 - daysAgo * 1e8), []])
      assert.equal(judged(memoryOf(hours)).first, undefined);
  });

  it("is met now where the limit is passed already", () => {
    assert.equal(judged(memoryOf(hoursOf(7, (daysAgo) => 2 * LIMIT - daysAgo))).first?.metAtMs, NOW_MS);
  });

  it("takes no filling of a volume for growth, until its oldest samples are as old as they get", () => {
    const volume = PLAN.components.find(({ component, resource }) => component === "receivers" && resource === "disk");
    assert.equal(volume?.retentionSeconds, 36 * 3_600);
    const hours = hoursOf(7, (daysAgo) => volume.available * 0.9 - daysAgo * 1e8);
    const of = (fullAtMs?: number) =>
      judged({ needs: [{ component: "receivers", resource: "disk", hours, ...(fullAtMs === undefined ? {} : { fullAtMs }) }] }).first;
    assert.equal(of(NOW_MS + DAY_MS), undefined);
    assert.equal(of(NOW_MS - DAY_MS), undefined);
    assert.equal(of(Number.POSITIVE_INFINITY), undefined);
    assert.equal(of(NOW_MS - 3 * DAY_MS)?.component, "receivers");
    assert.equal(of(Number.NEGATIVE_INFINITY)?.component, "receivers");
    assert.equal(of()?.component, "receivers");
  });

  it("takes no head that fills for growth, and no hours that nobody read for days", () => {
    const begun = hoursOf(2.5, (daysAgo) => (daysAgo > 2.4 ? 1e8 : 1e9));
    assert.equal(judged(memoryOf(begun)).first, undefined);
    const [first, ...others] = hoursOf(7, (daysAgo) => 1e9 - daysAgo * 1e7);
    assert.ok(first !== undefined);
    const away = judged(memoryOf([first, ...others.slice(-40)]));
    assert.equal(away.first, undefined);
    assert.equal(away.needs.find(({ window }) => window !== undefined)?.window?.readings, 40);
  });

  it("takes no day's ups and downs for growth, nor the hour of a restart, at whatever hour it is asked", () => {
    const daily = (hour: number) => (daysAgo: number) => LIMIT * (0.5 + 0.3 * Math.sin(2 * Math.PI * (hour / 24 - daysAgo)));
    for (const days of [2.25, 3.25, 7])
      for (let hour = 0; hour < 24; hour++) {
        const { needs, first } = judged(memoryOf(hoursOf(days, daily(hour))));
        // Of numbers that are not exact some growth is left, of none.
        assert.ok((first?.metAtMs ?? Number.POSITIVE_INFINITY) > NOW_MS + 1_000 * 365 * DAY_MS, `${days} days, ${hour}`);
        assert.ok(
          Math.abs(needs.find(({ window }) => window !== undefined)?.growthPerDay ?? LIMIT) < 1e-6 * LIMIT,
          `${days} days, ${hour}`,
        );
      }
    const restarted = hoursOf(3, (daysAgo) => (daysAgo === 0 ? 2 : 0.5) * LIMIT);
    assert.equal(judged(memoryOf(restarted)).first, undefined);
    const grows = (daysAgo: number) => daily(7)(daysAgo) - (daysAgo * LIMIT) / 100;
    const met = judged(memoryOf(hoursOf(7, grows))).first?.metAtMs ?? 0;
    // The day's peak is 0.8 of the limit, of which an hour in twenty does not count, and grows by a hundredth of the limit.
    assert.ok(Math.abs((met - NOW_MS) / DAY_MS - 20) < 1.5, `${(met - NOW_MS) / DAY_MS}`);
  });

  it("takes no week's ups and downs for growth where two weeks are known in part, and sees what grows beside them", () => {
    const weekly = (start: number) => (daysAgo: number) => LIMIT * (0.5 + 0.2 * Math.sin((2 * Math.PI * (start - daysAgo)) / 7));
    for (const days of [9.25, 12, 15])
      for (let start = 0; start < 7; start++) {
        const { needs, first } = judged(memoryOf(hoursOf(days, weekly(start))));
        assert.ok((first?.metAtMs ?? Number.POSITIVE_INFINITY) > NOW_MS + 1_000 * 365 * DAY_MS, `${days} days, ${start}`);
        assert.ok(Math.abs(needs.find(({ window }) => window !== undefined)?.growthPerDay ?? LIMIT) < 1e-6 * LIMIT);
        const grows = (daysAgo: number) => weekly(start)(daysAgo) - (daysAgo * LIMIT) / 100;
        const { growthPerDay = 0 } = judged(memoryOf(hoursOf(days, grows))).needs.find(({ window }) => window !== undefined) ?? {};
        assert.ok(Math.abs(growthPerDay / (LIMIT / 100) - 1) < 1e-6, `${growthPerDay}`);
      }
    // Of readings with a gap of nine days too few have another one a week or two before.
    const apart = hoursOf(15, (daysAgo) => LIMIT / 2 - (daysAgo * LIMIT) / 1_000).filter(
      ({ timestampMs }) => Math.abs(NOW_MS - timestampMs - 8 * DAY_MS) > 4.5 * DAY_MS,
    );
    assert.ok((judged(memoryOf(apart)).needs.find(({ window }) => window !== undefined)?.growthPerDay ?? 0) > 0);
  });

  it("takes a replay for no course of anything", () => {
    const { needs } = judged({ needs: [{ component: "receivers", resource: "replay", hours: hoursOf(7, (daysAgo) => 100 - daysAgo) }] });
    const replay = needs.find(({ component, resource }) => component === "receivers" && resource === "replay");
    assert.equal(replay?.measured, 100);
    assert.equal(replay.metAtMs, undefined);
  });
});

describe("capacity: report", () => {
  const lines = (readings: CapacityReadings) => capacityLines(judged(readings), NOW_MS).join("\n");

  it("has a row for each need, with predicted, measured, difference and limit", () => {
    const text = lines(memoryOf(hoursOf(7, (daysAgo) => ofReceivers.used * 1.1 - daysAgo)));
    for (const { component } of PLAN.components) assert.ok(text.includes(`\n${component}: `), component);
    assert.match(text, /\nreceivers: memory +\d+ MiB +\d+ MiB +\+10 % +[\d.]+ GiB\n/);
    assert.match(text, /\nqueriers: CPU +[\d.]+ cores +not measured +[\d.]+ cores\n/);
    assert.match(text, /\na difference is the model's error only as far as the first two rows agree\n/);
    assert.match(text, /\npredicted cores are those of a machine of two processors/);
  });

  it("says on which day the first limit is met, or why it does not say", () => {
    const growing = (days: number) => memoryOf(hoursOf(7, (daysAgo) => LIMIT * (1 - (days + daysAgo) / 10_000)));
    const window = "166 hourly readings from 2026-11-20 15:00 to 2026-11-27 12:00 UTC";
    assert.ok(lines(growing(10)).endsWith(`\nfirst limit: memory of the receivers on 2026-12-07, at its growth in ${window}`));
    assert.ok(lines(growing(5_000)).endsWith(`\nfirst limit: none within 10 years, at the growth in ${window}`));
    assert.ok(lines(memoryOf(hoursOf(7, () => LIMIT / 2))).endsWith(`\nfirst limit: none, since nothing grows in ${window}`));
    assert.ok(
      lines(memoryOf(hoursOf(7, () => 2 * LIMIT))).endsWith(`\nfirst limit: memory of the receivers is at its usual limit, by ${window}`),
    );
    assert.match(lines({ needs: [], isPartial: true }), /\nmeasured is incomplete: a store did not answer/);
    assert.doesNotMatch(lines({ needs: [] }), /incomplete/);
    assert.match(
      lines({ needs: [] }),
      /\nfirst limit: not known yet: there are 0 hourly readings, and 49 are the least for a date, which are two days;/,
    );
  });
});

describe("capacity: a stack that has not run for long", () => {
  /** A querier that knows this stack's memory, which grows by a twentieth of its limit a day, for as long as it has run. */
  const lastLine = async (ranHours: number): Promise<string> => {
    const answers = {
      instant: async () => ({ vector: [], warnings: [], partial: false }),
      range: async (query: string, { startMs, endMs, stepMs }: { startMs: number; endMs: number; stepMs: number }) => {
        const samples: Sample[] = [];
        for (let timestampMs = startMs; timestampMs <= endMs; timestampMs += stepMs)
          if (/resident_memory.*thanos-receive"/.test(query) && timestampMs > NOW_MS - ranHours * HOUR_MS)
            samples.push({ timestampMs, value: LIMIT * (0.5 + (timestampMs - NOW_MS) / (20 * DAY_MS)) });
        return { matrix: samples.length === 0 ? [] : [{ labels: {}, samples }], warnings: [], partial: false };
      },
    };
    return capacityLines(judged(await readCapacity(answers, PLAN, STACK, NOW_MS)), NOW_MS).at(-1) ?? "";
  };

  it("gets no date of a few hours, however fast they grow, and hears how many there are to be", async () => {
    assert.equal(
      await lastLine(2),
      "first limit: not known yet: there are 0 hourly readings, and 49 are the least for a date, which are two days; those of the first 3 hours don't count, in which heads fill",
    );
    assert.match(await lastLine(5), /: there are 2 hourly readings from 2026-11-27 11:00 to 2026-11-27 12:00 UTC, and 49 are the least/);
  });

  it("gets one as soon as there are two days of readings after the first three hours, with the time that these are of", async () => {
    assert.match(await lastLine(48), /: there are 45 hourly readings from 2026-11-25 16:00 to 2026-11-27 12:00 UTC, and 49 are the least/);
    assert.match(await lastLine(51), /: there are 48 hourly readings /);
    assert.match(
      await lastLine(52),
      /^first limit: memory of the receivers on 2026-12-07, at its growth in 49 hourly readings from 2026-11-25 12:00 to 2026-11-27 12:00 UTC$/,
    );
  });

  it("names what is measured and has too few readings beside what has enough", () => {
    const hours = hoursOf(7, () => 1);
    const memory = { component: "receivers", resource: "memory", hours } as const;
    const text = (fullAtMs: number) =>
      capacityLines(judged({ needs: [memory, { component: "receivers", resource: "disk", hours, fullAtMs }] }), NOW_MS).at(-1);
    assert.equal(text(NOW_MS - 11 * HOUR_MS), "too few readings for a date, less than 49: volume of the receivers (12)");
    assert.match(text(NOW_MS - 5 * DAY_MS) ?? "", /^first limit: none, since nothing grows in 166 hourly readings/);
  });
});

describe("capacity: readings", () => {
  const own = 'cluster="dev",namespace="monitoring",job="thanos-receive"';

  it("asks for the stack's own targets only, and for nothing that is not measured", () => {
    const asked = (component: string, resource: "memory" | "cpu" | "disk" | "replay") => queryOf({ component, resource }, STACK);
    assert.equal(asked("receivers", "memory"), `max(max_over_time(process_resident_memory_bytes{${own}}[1h]))`);
    assert.equal(asked("receivers", "cpu"), `max(max_over_time(rate(process_cpu_seconds_total{${own}}[5m])[1h:5m]))`);
    assert.match(asked("receivers", "disk") ?? "", /^max\(sum by \(pod\) \(\{__name__=~"prometheus_tsdb_\(storage_blocks\|/);
    assert.match(asked("Prometheus", "replay") ?? "", /^max\(prometheus_tsdb_data_replay_duration_seconds\{.*job="prometheus"\}\)$/);
    assert.equal(
      asked("compactor", "disk"),
      'max(kubelet_volume_stats_used_bytes{cluster="dev",namespace="monitoring",persistentvolumeclaim=~".+-thanos-compactor(-[0-9]+)+"})',
    );
    assert.equal(asked("receivers of ring bulk", "memory"), undefined);
  });

  it("asks for the receivers of each of several rings by the names of their pods", () => {
    const member = (pod: string, hashring: string) => ({
      address: `${pod}.thanos-receive-peers.monitoring.svc.cluster.local:10901`,
      hashring,
    });
    const members = [
      ...["a", "b"].flatMap((zone) => [0, 10].map((ordinal) => member(`thanos-receive-bulk-1${zone}-${ordinal}`, "bulk"))),
      member("thanos-receive-0", "default"),
    ];
    const stack = readOutputs({ ...OUTPUTS, ring: { ...OUTPUTS.ring, members } });
    const bulk = `${own},pod=~"(?:thanos-receive-bulk-1a|thanos-receive-bulk-1b)-[0-9]+"`;
    assert.equal(
      queryOf({ component: "receivers of ring bulk", resource: "memory" }, stack),
      `max(max_over_time(process_resident_memory_bytes{${bulk}}[1h]))`,
    );
    assert.match(
      queryOf({ component: "receivers of ring default", resource: "disk" }, stack) ?? "",
      /^max\(sum by \(pod\) \(\{__name__=~.*,pod=~"\(\?:thanos-receive\)-\[0-9\]\+"\}\)\)$/,
    );
    assert.equal(oldestQuery("receivers of ring bulk", stack), `max(min by (pod) (prometheus_tsdb_lowest_timestamp{${bulk}}))`);
    assert.equal(queryOf({ component: "receivers of ring none", resource: "cpu" }, stack), undefined);
  });

  it("reads every ring of a plan, and each of its own", async () => {
    const load = { series: 10_000, interval: "15s", hashrings: { bulk: { series: 4_000 } } };
    const receive = { hashrings: [{ name: "bulk", tenants: ["bulk"], replicas: 3 }] };
    const plan = planUnder("prod", load, { receive });
    const settings = capacity(plan);
    const members = (plan.receivers?.rings ?? []).flatMap(({ name, sets }) =>
      sets.map((set) => ({ address: `${set}-0.thanos-receive-peers.monitoring.svc.cluster.local:10901`, hashring: name })),
    );
    const asked: string[] = [];
    const answers = {
      instant: async () => ({ vector: [], warnings: [], partial: false }),
      range: async (query: string) => {
        asked.push(query);
        const value = /receive-bulk/.test(query) ? 2 : 1;
        return { matrix: [{ labels: {}, samples: [{ timestampMs: NOW_MS, value }] }], warnings: [], partial: false };
      },
    };
    const stack = readOutputs({ ...OUTPUTS, ring: { ...OUTPUTS.ring, members } });
    const { needs } = await readCapacity(answers, settings, stack, NOW_MS);
    const of = (component: string) => needs.filter((each) => each.component === component).map(({ hours }) => hours.at(-1)?.value);
    assert.deepEqual(of("receivers of ring bulk"), [2, 2, 2, 2]);
    assert.deepEqual(of("receivers of ring default"), [1, 1, 1, 1]);
    assert.equal(new Set(asked).size, asked.length);
  });

  it("has every component of a plan in a job", () => {
    for (const { component, resource } of PLAN.components.filter((each) => each.resource !== "disk"))
      assert.ok(queryOf({ component, resource }, STACK) !== undefined, component);
  });

  it("knows since when a volume's oldest samples are as old as they get", () => {
    const ages = (...hours: number[]) => hours.map((age, index) => ({ timestampMs: index * HOUR_MS, value: (index - age) * HOUR_MS }));
    assert.equal(fullSince([], 3_600), undefined);
    assert.equal(fullSince(ages(36, 37, 36, 38), 36 * 3_600), Number.NEGATIVE_INFINITY);
    assert.equal(fullSince(ages(34, 35, 36, 37), 36 * 3_600), HOUR_MS + 1);
    assert.equal(fullSince(ages(1, 2, 3), 36 * 3_600), Number.POSITIVE_INFINITY);
    // An empty TSDB has the largest number for a time.
    assert.equal(fullSince([{ timestampMs: NOW_MS, value: 2 ** 63 }], 36 * 3_600), Number.POSITIVE_INFINITY);
  });

  it("reads the last fifteen days by the hour, leaves out what is no number, and passes on what fails", async () => {
    const { series } = headQueries(PLAN, STACK);
    const young = NOW_MS - 36 * HOUR_MS + 1;
    const answers = {
      instant: async (query: string) => ({
        vector: query === series ? [{ labels: {}, sample: { timestampMs: NOW_MS, value: 7 } }] : [],
        warnings: [],
        partial: false,
      }),
      range: async (query: string, options: { startMs: number; endMs: number; stepMs: number }) => {
        assert.deepEqual(options, { startMs: NOW_MS - 15 * DAY_MS, endMs: NOW_MS, stepMs: HOUR_MS, maxSourceResolution: "0s" });
        const samples = (/lowest_timestamp/.test(query) ? [young, young] : [Number.NaN, 2]).map((value, index) => ({
          timestampMs: NOW_MS + index,
          value,
        }));
        return { matrix: [{ labels: {}, samples }] satisfies MatrixElement[], warnings: [], partial: false };
      },
    };
    const readings = await readCapacity(answers, PLAN, STACK, NOW_MS);
    assert.equal(readings.headSeries, 7);
    assert.equal(readings.headSamplesPerSecond, undefined);
    const memory = readings.needs.find(({ component, resource }) => component === "receivers" && resource === "memory");
    const volume = readings.needs.find(({ component, resource }) => component === "receivers" && resource === "disk");
    // Young at the first of two hours, and not at the second.
    assert.equal(volume?.fullAtMs, NOW_MS + 1);
    assert.equal(readings.isPartial, false);
    assert.deepEqual(memory?.hours, [{ timestampMs: NOW_MS + 1, value: 2 }]);
    const incomplete = { ...answers, instant: async () => ({ vector: [], warnings: ["store away"], partial: true }) };
    assert.equal((await readCapacity(incomplete, PLAN, STACK, NOW_MS)).isPartial, true);
    const failing = { ...answers, range: () => Promise.reject(new PrometheusError("query: no answer", "query")) };
    await assert.rejects(readCapacity(failing, PLAN, STACK, NOW_MS), /no answer/);
  });
});

describe("capacity: command", () => {
  let directory: string;
  before(async () => {
    directory = await fs.mkdtemp(path.join(tmpdir(), "capacity-"));
  });
  after(() => fs.rm(directory, { recursive: true }));

  async function run(outputs: object, args: string[] = []): Promise<{ status: number; printed: string }> {
    const matrix = (value: string) => ({ resultType: "matrix", result: [{ metric: {}, values: [[NOW_MS / 1_000, value]] }] });
    const vector = (value: string) => ({ resultType: "vector", result: [{ metric: {}, value: [NOW_MS / 1_000, value] }] });
    const cluster = await startFakeCluster({
      answer: ({ path: asked }, pod) => {
        if (pod !== "thanos-querier-0") return undefined;
        const data = asked === "/api/v1/query_range" ? matrix("1000000") : asked === "/api/v1/query" ? vector("30000") : undefined;
        return data === undefined ? undefined : { body: JSON.stringify({ status: "success", data }) };
      },
    });
    const [kubeconfig, file] = ["kubeconfig", "outputs.json"].map((name) => path.join(directory, name)) as [string, string];
    await fs.writeFile(kubeconfig, cluster.kubeconfig);
    await fs.writeFile(file, JSON.stringify(outputs));
    const printed: string[] = [];
    const status = await main(["--stack", "dev", "--context", "dev", "--kubeconfig", kubeconfig, "--outputs", file, ...args], {
      nowMs: NOW_MS,
      print: (line) => printed.push(line),
    }).finally(() => cluster.close());
    return { status, printed: printed.join("\n") };
  }

  it("reads a stack through its querier, and prints rows or one document", async () => {
    const { status, printed } = await run({ ...OUTPUTS, capacity: PLAN });
    assert.equal(status, 0);
    assert.match(printed, /\nseries in heads, each once +[\d.]+ k +10 k +-\d+ %\n/);
    assert.match(printed, /\nreceivers: memory +\d+ MiB +977 KiB +-100 %/);
    const json = JSON.parse((await run({ ...OUTPUTS, capacity: PLAN }, ["--json"])).printed) as { headSeries: { measured: number } };
    assert.equal(json.headSeries.measured, 10_000);
  });

  it("could not begin without a load, and says what is to be done", async () => {
    assert.equal((await run(OUTPUTS)).status, 2);
    assert.throws(
      () => deployedCapacity(readOutputs(OUTPUTS), "dev"),
      /stack dev: the output capacity is not there.*stack file with `load`/,
    );
    const older = readOutputs({ ...OUTPUTS, capacity: { carries: {} } });
    assert.throws(() => deployedCapacity(older, "dev"), /is of another version of this program/);
    assert.equal(await main(["--help"]), 0);
    assert.equal(await main(["--stack"]), 2);
  });
});
