import assert from "node:assert/strict";
import type { Capacity } from "../../model/capacity/types";
import { type Overrides, rejectionByProgram, run } from "../harness";

const LOAD = { series: 10_000, interval: "15s", queries: { perSecond: 0.1 } };

describe("a load", () => {
  it("that is carried is said in the preview, and is an output", async () => {
    const { messages, outputs } = await run("prod", { load: LOAD });
    const { summary, carries } = outputs.capacity as Capacity;
    assert.ok(carries.series > 10_000);
    for (const line of summary) assert.ok(messages.includes(line), line);
    assert.match(summary[0] ?? "", /^carries .* series, the load is 10 k; /);
  });

  it("that is not carried is refused before the first resource, with key, value and what would carry it", async () => {
    const { problems, registered } = await rejectionByProgram("prod", { load: { ...LOAD, series: 400_000 } });
    assert.deepEqual(registered, []);
    const line = problems.find((each) => each.includes("receive.resources.memory"));
    assert.match(
      line ?? "",
      /receive\.resources\.memory = "2Gi": under the load \(load\.series, 400 k\) one of the receivers needs [\d.]+ GiB of its memory (?:while [a-z- ]+ )?\(.*\), and it may use 1\.8 GiB, which is 90 % \(GOMEMLIMIT\)\. Accepted: \d+[MG]i or more, more replicas, or less in load\.series\./,
    );
    const accepted = /Accepted: (\d+[MG]i)/.exec(line ?? "")?.[1];
    const { problems: left } = await rejectionByProgram("prod", {
      load: { ...LOAD, series: 400_000 },
      receive: { resources: { memory: accepted } },
    });
    assert.ok(left.length > 0 && !left.some((each) => each.includes("receive.resources.memory")));
  });

  it("that is not carried is refused beside what is wrong for other reasons, and once only", async () => {
    const keysOf = async (overrides: Overrides) =>
      (await rejectionByProgram("prod", { load: { ...LOAD, series: 400_000 }, ...overrides })).problems.map(
        (line) => /^ {2}- (\S+) = /.exec(line)?.[1],
      );
    const ofLoad = await keysOf({});
    assert.ok(ofLoad.includes("receive.resources.memory"));
    assert.deepEqual(await keysOf({ images: { thanos: "quay.io/thanos/thanos:v0.30.0" } }), ["images.thanos", ...ofLoad]);
    assert.deepEqual(await keysOf({ querier: { colour: "red" } }), ["querier.colour", ...ofLoad]);
    assert.deepEqual(await keysOf({ prometheus: { externalLabels: { cluster: "x" } } }), ["prometheus.externalLabels.cluster", ...ofLoad]);
    // Shortfalls that are there without any loss.
    const ofSurvival = await keysOf({ survives: { nodes: 2, zones: 1 } });
    assert.ok(ofSurvival.includes("survives.nodes") && ofSurvival.includes("receive.resources.memory"), ofSurvival.join());
  });

  it("is not judged by a value that is refused itself, and may be carried with another one", async () => {
    const texts = async (overrides: Overrides) =>
      (await rejectionByProgram("prod", { load: { ...LOAD, series: 400_000 }, ...overrides })).problems.join("\n");
    for (const overrides of [
      { receive: { replicas: 2 } },
      { receive: { resources: { memory: "two" } } },
      { receive: { retension: { time: "1d" } } },
      { prometheus: { replicas: 0 } },
      { load: { ...LOAD, series: 400_000, hashrings: { bulk: { series: 5 } } } },
    ])
      assert.doesNotMatch(await texts(overrides), /under the load/, JSON.stringify(overrides));
  });

  it("is refused after the loss that is demanded, where it is carried without one", async () => {
    const busy = { ...LOAD, queries: { perSecond: 9 } };
    const { problems } = await rejectionByProgram("prod", { load: busy });
    assert.match(
      problems.join("\n"),
      /querier\.resources\.cpu = "250m": under the load \(load\.queries, 9 a second, each of 1 k series over 60m\) .* after the loss that survives demands.*or less in load\.queries\./,
    );
    const nothing = {
      load: busy,
      survives: undefined,
      querier: { replicas: 4 },
      objectStorage: { storeGateway: { replicas: 4, resources: { cpu: "1" } } },
    };
    assert.ok((await run("prod", nothing)).outputs.capacity !== undefined);
  });

  it("of rings that are not there, of too few series, or twice told, is refused by its form or its rule", async () => {
    const refused = async (load: object) => (await rejectionByProgram("prod", { load: { ...LOAD, ...load } })).problems.join("\n");
    assert.match(await refused({ hashrings: { bulk: { series: 5 } } }), /load\.hashrings\.bulk = 5: no ring of receive\.hashrings/);
    assert.match(await refused({ hashrings: { bulk: { series: 20_000 } } }), /load\.series = 10000: .*20000 or more/);
    assert.match(await refused({ scraped: 20_000 }), /load\.scraped = 20000: .*at most 10000/);
    assert.match(await refused({ queries: { series: 10_501 } }), /load\.queries\.series = 10501: .*at most 10500/);
    assert.match(
      await refused({ newSeriesPerHour: 0, queries: { series: 10_001, range: "1d" } }),
      /load\.queries\.series = 10001: .*at most 10000/,
    );
    assert.match(await refused({ samplesPerSecond: 5 }), /exactly one of interval and samplesPerSecond/);
  });

  it("of several tenants is refused where nobody but the stack's own Prometheus writes, which is one of them", async () => {
    const refused = async (more: object, load: object = {}) => {
      const { problems } = await rejectionByProgram("prod", { load: { ...LOAD, series: 1e10, tenants: 2, ...load }, ...more });
      return problems.join("\n");
    };
    assert.match(
      await refused({}),
      /load\.tenants = 2: all that .* is one tenant's \(tenancy\.defaultTenant, "[\w-]+"\), and nobody else writes .*Accepted: 1, single or pairs in receive\.otherSenders/,
    );
    for (const more of [{ receive: { otherSenders: "single" }, querier: { deduplication: "chain" } }, { tenancy: { splitLabel: "team" } }])
      assert.doesNotMatch(await refused(more), /load\.tenants = 2/);
    assert.doesNotMatch(await refused({}, { tenants: 1 }), /load\.tenants = /);
    const sidecars = { ingestion: "sidecar", prometheus: { storage: { pvc: { size: "100Gi" } } } };
    assert.match(await refused(sidecars), /load\.tenants = 2: blocks of sidecars have no tenants\. Accepted: 1, or the key left out/);
  });

  it("is named by the key that a need follows from most", async () => {
    const refused = async (load: object, more: object = {}) =>
      (await rejectionByProgram("prod", { load: { ...LOAD, ...load }, ...more })).problems.join("\n");
    assert.match(
      await refused({ tenants: 300 }, { receive: { otherSenders: "single" }, querier: { deduplication: "chain" } }),
      /receive\.resources\.memory = "2Gi": under the load \(load\.tenants, 300\) .*or less in load\.tenants\./,
    );
    assert.match(
      await refused({ newSeriesPerHour: 1_000_000 }),
      /receive\.resources\.memory = "2Gi": under the load \(load\.newSeriesPerHour, 1 M\) .*or less in load\.newSeriesPerHour\./,
    );
    assert.match(await refused({ labelBytes: 60_000 }), /receive\.resources\.memory = "2Gi": under the load \(load\.labelBytes, 60 k\) /);
    const busy = await refused({ series: 400_000, queries: { perSecond: 50 } });
    assert.match(busy, /receive\.resources\.memory = "2Gi": under the load \(load\.series, /);
    assert.match(busy, /querier\.resources\.cpu = "250m": under the load \(load\.queries, /);
  });

  it("of fewer series than a query reads by default has queries that read all of them", async () => {
    const { problems } = await rejectionByProgram("dev", { load: { series: 500, interval: "15s", queries: { perSecond: 4 } } });
    assert.match(
      problems.join("\n"),
      /querier\.resources\.cpu = "50m": under the load \(load\.queries, 4 a second, each of 500 series over 60m\)/,
    );
  });

  it("is prod's own, which its amounts carry with a reserve", async () => {
    const { outputs } = await run("prod");
    const { carries, load } = outputs.capacity as Capacity;
    assert.equal(load.series, 100_000);
    assert.ok(carries.times > 1.1, JSON.stringify(carries));
  });

  it("that is not there changes nothing", async () => {
    const { outputs, messages } = await run("prod", { load: undefined });
    assert.equal(outputs.capacity, undefined);
    assert.ok(!messages.some((each) => each.startsWith("carries ")));
  });
});
