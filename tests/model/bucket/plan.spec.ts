import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { compactFlags, compactorFiles, hashSelector, SHARD_FLAG, storeFlags, storeGatewayFiles } from "../../../model/bucket/flags";
import { type BucketPlan, blockMerging, blockSelections, planBucket } from "../../../model/bucket/plan";
import { idleCompactors, shardOf } from "../../../model/bucket/shards";
import { planStack } from "../../../model/plan";
import { handoverDuration, handoverSeconds, leastHandoverSeconds } from "../../../model/retention/handover";
import { prometheusRetentionTime } from "../../../model/retention/prometheus";
import type { Settings, SettingsInput } from "../../../model/settings/schema";
import { durationSeconds, durationText } from "../../../model/values/quantity";
import { type RelabelConfig, relabelled } from "../../components/relabel";
import { BUCKET, bucketAt, type ObjectStorageInput, objectStorageOf, settingsWith } from "./historySettings";

const storage = { pvc: { size: "10Gi" } };
const HOUR = 3_600;
const HOST_PATH = { hostPath: { path: "/data/history", nodes: ["n1"] } };

const withGateway = (change: object): ObjectStorageInput => ({ ...BUCKET, storeGateway: { storage, ...change } });
const withCompactor = (change: object): ObjectStorageInput => ({ ...BUCKET, compactor: { storage, ...change } });
const historyOf = (settings: Settings) => planBucket(settings, handoverDuration(settings));
function plan(changes: Partial<SettingsInput> = {}) {
  const made = historyOf(settingsWith(changes));
  assert.ok(made !== undefined);
  return made;
}

describe("durations as Thanos' flags have them", () => {
  it("are read back as the same number of seconds", () => {
    fc.assert(fc.property(fc.nat(10 ** 9), (seconds) => assert.equal(durationSeconds(durationText(seconds)), seconds)));
    assert.equal(durationText(14 * 86_400 + 21 * HOUR), "14d21h");
    assert.equal(durationText(0), "0s");
  });
});

describe("history: what local storage holds by default", () => {
  const cases: [string, Partial<SettingsInput>, string][] = [
    ["behind a ring", {}, "6h"],
    ["beside a bucket", { ingestion: "sidecar" }, "2d"],
    ["where nothing else does", { ingestion: "sidecar", objectStorage: undefined }, "15d"],
    ["what is said", { ingestion: "sidecar", prometheus: { storage, retention: { time: "3d" } } }, "3d"],
  ];
  for (const [title, changes, time] of cases) it(title, () => assert.equal(prometheusRetentionTime(settingsWith(changes)), time));
});

describe("history: from which age on the bucket answers", () => {
  const cases: [string, Partial<SettingsInput>, string | undefined][] = [
    ["no bucket", { objectStorage: undefined }, undefined],
    ["a ring: as late as its receivers surely hold", {}, "1d9h"],
    ["a ring of a long retention", { receive: { storage, retention: { time: "15d" } } }, "14d21h"],
    [
      "a ring that takes samples of a day ahead",
      { receive: { storage, retention: { time: "15d" }, tooFarInFutureWindow: "1d" } },
      "13d22h",
    ],
    ["a ring bounded in bytes: as early as can be", { receive: { storage, retention: { size: "40Gi" } } }, "4h9m"],
    ["sidecars: a quarter of what Prometheus holds", { ingestion: "sidecar", prometheus: { storage, retention: { time: "1d" } } }, "6h"],
    ["sidecars by default", { ingestion: "sidecar" }, "12h"],
    ["sidecars of a long retention", { ingestion: "sidecar", prometheus: { storage, retention: { time: "30d" } } }, "12h"],
    ["sidecars of a short retention", { ingestion: "sidecar", prometheus: { storage, retention: { time: "8h" } } }, "4h9m"],
    ["sidecars bounded in bytes", { ingestion: "sidecar", prometheus: { storage, retention: { size: "40Gi" } } }, "4h9m"],
    [
      "store gateways that look seldom",
      { objectStorage: withGateway({ syncInterval: "1h" }), ingestion: "sidecar", prometheus: { storage, retention: { time: "8h" } } },
      "7h",
    ],
    ["a ruler that holds less", { ruler: { mode: "stateful", storage, retention: "1d" } }, "22h"],
    ["a ruler that holds nothing", { ruler: { mode: "stateless", storage } }, "1d9h"],
    ["what is said", { objectStorage: { ...BUCKET, handover: "26h" } }, "1d2h"],
  ];
  for (const [title, changes, handover] of cases) it(title, () => assert.equal(handoverDuration(settingsWith(changes)), handover));

  it("is never younger than what is surely uploaded, and by default never older than what is surely held", () => {
    const hours = fc.integer({ min: 9, max: 24 * 60 });
    fc.assert(
      fc.property(hours, fc.boolean(), fc.integer({ min: 10, max: 1_200 }), (kept, sidecar, interval) => {
        const time = `${kept}h`;
        const settings = settingsWith({
          ingestion: sidecar ? "sidecar" : "receive",
          receive: { storage, retention: { time } },
          prometheus: { storage, retention: { time } },
          objectStorage: withGateway({ syncInterval: `${interval}s` }),
        });
        const handover = handoverSeconds(settings) ?? 0;
        assert.ok(handover >= leastHandoverSeconds(settings.objectStorage ?? objectStorageOf(BUCKET)));
        assert.ok(
          handover <= kept * HOUR - 2 * HOUR ||
            handover === leastHandoverSeconds(objectStorageOf(withGateway({ syncInterval: `${interval}s` }))),
        );
      }),
    );
  });
});

describe("history: the parts of the bucket", () => {
  const handover = "12h";

  it("begin with what was uploaded last, so that nothing waits for an age to be answered", () => {
    for (const partition of [{}, { hash: 3 }, { time: ["7d"] }]) {
      for (const ingestion of ["receive", "sidecar"] as const) {
        const made = historyOf(settingsWith({ ingestion, objectStorage: withGateway({ partition }) }));
        assert.equal(made?.storeGatewaySets[0]?.blocks.youngest, undefined);
      }
    }
  });

  it("begin at the handover behind a ring whose environment names one", () => {
    const named = { objectStorage: { ...BUCKET, handover: "26h" } };
    assert.equal(historyOf(settingsWith(named))?.storeGatewaySets[0]?.blocks.youngest, "26h");
    assert.equal(historyOf(settingsWith({ ...named, ingestion: "sidecar" }))?.storeGatewaySets[0]?.blocks.youngest, undefined);
  });

  it("by time meet each other, begin at the handover and have no end", () => {
    const ages = fc
      .uniqueArray(fc.integer({ min: 13, max: 10_000 }), { minLength: 1, maxLength: 6 })
      .map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(ages, fc.integer({ min: 12 * HOUR, max: 12_000 * HOUR }), (boundaries, age) => {
        const parts = blockSelections({ time: boundaries.map((hours) => `${hours}h`) }, handover);
        assert.equal(parts.length, boundaries.length + 1);
        const answering = parts.filter(
          ({ youngest, oldest }) => age >= durationSeconds(youngest ?? "0s") && (oldest === undefined || age < durationSeconds(oldest)),
        );
        assert.equal(answering.length, 1);
      }),
    );
  });

  it("by hash hold every block once", () => {
    const ulid = fc.stringMatching(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    fc.assert(
      fc.property(ulid, fc.integer({ min: 2, max: 64 }), (block, hash) => {
        const parts = blockSelections({ hash }, handover);
        assert.equal(parts.length, hash);
        const holding = parts.filter((part) => {
          assert.ok(part.hash !== undefined);
          return relabelled({ __block_id: block, tenant_id: "t" }, hashSelector(part.hash) as RelabelConfig[]) !== undefined;
        });
        assert.equal(holding.length, 1);
      }),
    );
  });

  it("are one where nothing is said", () => assert.deepEqual(blockSelections({}, handover), [{ youngest: handover }]));

  it("are StatefulSets of their own, with directories of their own, and the bucket's own beside them", () => {
    const changes: Partial<SettingsInput> = {
      objectStorage: {
        filesystem: { path: "/data/bucket", node: "n1" },
        storeGateway: { storage: HOST_PATH, partition: { hash: 2 }, replicas: 2, antiAffinity: "soft" },
        compactor: { storage: HOST_PATH },
      },
    };
    const { storeGatewaySets, hostPathVolumes } = plan(changes);
    assert.deepEqual(
      storeGatewaySets.map(({ name, identity }) => [name, identity.instance]),
      [
        ["thanos-store-gateway", "thanos-store-gateway"],
        ["thanos-store-gateway-1", "thanos-store-gateway-1"],
      ],
    );
    assert.deepEqual(
      hostPathVolumes.map(({ directory }) => directory),
      [
        "/data/history/metrics/thanos-store-gateway-0",
        "/data/history/metrics/thanos-store-gateway-1",
        "/data/history/metrics/thanos-store-gateway-1-0",
        "/data/history/metrics/thanos-store-gateway-1-1",
        "/data/history/metrics/thanos-compactor-0",
        "/data/bucket/metrics/bucket",
      ],
    );
    assert.equal(new Set(hostPathVolumes.map(({ name }) => name)).size, hostPathVolumes.length);
    const [, storeDiscovery] = planStack(settingsWith(changes)).addresses.stores;
    assert.equal(storeDiscovery, "dnssrv+_grpc._tcp.thanos-store-gateway.metrics.svc.cluster.local");
  });
});

describe("history: what is merged", () => {
  const cases: { title: string; changes: Partial<SettingsInput>; merging: ReturnType<typeof blockMerging> }[] = [
    {
      title: "copies of receivers sample by sample",
      changes: {},
      merging: { replicaLabels: ["receive_replica", "rule_replica"], function: "one-to-one", leaves: [] },
    },
    {
      title: "the same where pairs write into the ring: never one of a pair at a time",
      changes: { receive: { storage, otherSenders: "pairs" }, prometheus: { storage, replicas: 2 } },
      merging: { replicaLabels: ["receive_replica", "rule_replica"], function: "one-to-one", leaves: [] },
    },
    {
      title: "pairs with sidecars one at a time, and nothing that a ring left",
      changes: { ingestion: "sidecar", prometheus: { storage, replicas: 2 } },
      merging: { replicaLabels: ["prometheus_replica", "rule_replica"], function: "penalty", leaves: ["receive_replica"] },
    },
    {
      title: "what a ring left beside single sidecars",
      changes: { ingestion: "sidecar", prometheus: { storage, replicas: 1 } },
      merging: { replicaLabels: ["receive_replica", "rule_replica"], function: "one-to-one", leaves: [] },
    },
    {
      title: "what another installation's receivers left, where that is written",
      changes: { querier: { replicaLabels: ["replica", "receive"] }, objectStorage: withCompactor({ replicaLabels: ["replica"] }) },
      merging: { replicaLabels: ["receive_replica", "rule_replica", "replica"], function: "one-to-one", leaves: [] },
    },
    {
      title: "another installation's pairs like the stack's own",
      changes: {
        ingestion: "sidecar",
        prometheus: { storage, replicas: 2 },
        querier: { replicaLabels: ["pair"] },
        objectStorage: withCompactor({ replicaLabels: ["pair"] }),
      },
      merging: { replicaLabels: ["prometheus_replica", "rule_replica", "pair"], function: "penalty", leaves: ["receive_replica"] },
    },
    {
      title: "nothing of another installation that only the querier knows",
      changes: { querier: { replicaLabels: ["replica"] } },
      merging: { replicaLabels: ["receive_replica", "rule_replica"], function: "one-to-one", leaves: [] },
    },
    {
      title: "nothing where that is chosen",
      changes: { ingestion: "sidecar", objectStorage: withCompactor({ verticalCompaction: false }) },
      merging: { replicaLabels: [], function: "one-to-one", leaves: ["receive_replica"] },
    },
  ];
  for (const { title, changes, merging } of cases) it(title, () => assert.deepEqual(blockMerging(settingsWith(changes)), merging));

  it("reaches the compactor's command line", () => {
    const flags = (changes: Partial<SettingsInput>) =>
      compactFlags(settingsWith(changes), plan(changes)).filter((flag) => /deduplication|vertical|selector/.test(flag));
    assert.deepEqual(flags({}), ["--deduplication.replica-label=receive_replica", "--deduplication.replica-label=rule_replica"]);
    assert.deepEqual(flags({ ingestion: "sidecar" }), [
      "--deduplication.replica-label=prometheus_replica",
      "--deduplication.replica-label=rule_replica",
      "--deduplication.func=penalty",
      "--selector.relabel-config-file=/etc/thanos/history/selector.yaml",
    ]);
    assert.deepEqual(flags({ ingestion: "sidecar", objectStorage: withCompactor({ verticalCompaction: false }) }), [
      "--selector.relabel-config-file=/etc/thanos/history/selector.yaml",
    ]);
  });

  it("leaves a ring's blocks alone and no other", () => {
    const steps = parse(compactorFiles(plan({ ingestion: "sidecar" }).merging, 1)["selector.yaml"] ?? "") as RelabelConfig[];
    assert.equal(relabelled({ __block_id: "b", receive_replica: "r", tenant_id: "t" }, steps), undefined);
    assert.ok(relabelled({ __block_id: "b", tenant_id: "t" }, steps) !== undefined);
    assert.ok(relabelled({ __block_id: "b", prometheus_replica: "p", cluster: "c" }, steps) !== undefined);
    assert.deepEqual(compactorFiles(plan().merging, 1), {});
  });
});

describe("history: several compactors", () => {
  const divided = (shards: number, changes: Partial<SettingsInput> = {}) => plan({ objectStorage: withCompactor({ shards }), ...changes });
  /** The selector of one of them, as Kubernetes expands it. */
  const selectorOf = (history: BucketPlan, pod: number): RelabelConfig[] => {
    const [flag = "", ...others] = compactFlags(settingsWith(), history).filter((arg) => arg.startsWith("--selector"));
    assert.deepEqual(others, []);
    assert.ok(flag.startsWith(SHARD_FLAG), flag);
    return JSON.parse(flag.slice(SHARD_FLAG.length).replaceAll("$(POD_INDEX)", String(pod))) as RelabelConfig[];
  };
  const ownersOf = (history: BucketPlan, labels: Record<string, string>): number[] =>
    Array.from({ length: history.compactor.replicas }, (_, pod) => pod).filter(
      (pod) => relabelled({ __block_id: "b", ...labels }, selectorOf(history, pod)) !== undefined,
    );

  it("have every block once, and all that is merged with each other in one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 32 }), fc.string(), fc.constantFrom("a", "b"), (shards, tenant, replica) => {
        const history = divided(shards);
        const owners = ownersOf(history, { tenant_id: tenant });
        assert.equal(owners.length, 1);
        assert.deepEqual(owners, [shardOf([tenant, ""], shards)]);
        for (const label of history.merging.replicaLabels) {
          assert.deepEqual(ownersOf(history, { tenant_id: tenant, [label]: replica }), owners);
        }
      }),
      { numRuns: 50 },
    );
    assert.equal(ownersOf(divided(3), { cluster: "x", prometheus_replica: "p" }).length, 1);
    assert.equal(ownersOf(divided(3), {}).length, 1, "blocks that nobody has labelled");
  });

  it("divide by no label that is taken off before blocks are merged", () => {
    const history = divided(3, {
      tenancy: { label: "owner" },
      querier: { replicaLabels: ["replica"] },
      objectStorage: withCompactor({ shards: 3, replicaLabels: ["replica"] }),
    });
    assert.deepEqual(history.compactor.dividedBy, ["owner", "cluster"]);
    assert.ok(!history.compactor.dividedBy.some((label) => history.merging.replicaLabels.includes(label)));
  });

  it("leave alone what one would leave alone, each", () => {
    const history = divided(3, { ingestion: "sidecar", prometheus: { storage, replicas: 2 } });
    assert.deepEqual(ownersOf(history, { receive_replica: "r", tenant_id: "t" }), []);
    assert.equal(ownersOf(history, { cluster: "test", prometheus_replica: "p" }).length, 1);
    assert.deepEqual(compactorFiles(history.merging, 3), {}, "no file, which would be the same in all pods");
  });

  it("are told so by nothing where there is one", () => {
    const flags = compactFlags(settingsWith(), divided(1));
    assert.ok(!flags.some((arg) => arg.includes("selector")));
    assert.deepEqual(flags, compactFlags(settingsWith(), plan()));
  });

  // Shards by model/relabel of Prometheus v0.314, through its own `relabel.Process`.
  for (const [tenant, ...shards] of [
    ["default-tenant", 1, 0, 2],
    ["greeter", 0, 2, 1],
    ["cards", 0, 0, 4],
    ["tenant-ä", 1, 1, 3],
    ["", 1, 0, 3],
  ] as const) {
    it(`have the tenants that Prometheus' hash gives them: ${tenant}`, () =>
      assert.deepEqual(
        [2, 3, 5].map((count) => shardOf([tenant, ""], count)),
        shards,
      ));
  }

  it("are idle, and said to be, where no tenant falls to them", () => {
    const idle = (changes: Partial<SettingsInput>) => idleCompactors(settingsWith(changes));
    const shards = (count: number) => ({ objectStorage: withCompactor({ shards: count }) });
    assert.deepEqual(idle(shards(1)), []);
    assert.deepEqual(idle({ ...shards(3), tenancy: { tenants: ["greeter", "shop"] } }), []);
    assert.match(idle({ ...shards(3), tenancy: { tenants: ["cards"] } }).join(), /shards is 3: no tenant .* falls to shard 1, 2, whose/);
    assert.deepEqual(idle({ ...shards(3), accepts: ["any-tenant"] }), [], "nobody knows");
    assert.match(idle({ ...shards(2), ingestion: "sidecar" }).join(), /one compactor has all/);
  });
});

describe("history: command lines and files", () => {
  const flagsOf = (objectStorage: ObjectStorageInput, part = 0): string[] => {
    const made = plan({ objectStorage });
    const set = made.storeGatewaySets[part];
    assert.ok(set !== undefined);
    return storeFlags(settingsWith({ objectStorage }), made.objectStorage, set.blocks);
  };
  const filesOf = (change: object) => {
    const made = plan({ objectStorage: withGateway(change) });
    const [set] = made.storeGatewaySets;
    assert.ok(set !== undefined);
    const files = storeGatewayFiles(made.objectStorage, set.blocks, { indexCache: "dnssrv+index", chunkCache: "dnssrv+chunk" });
    return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, parse(text)]));
  };

  it("a store gateway answers its ages, and drops replaced blocks after half of what the compactor leaves them", () => {
    const flags = flagsOf(
      { ...withCompactor({ deleteDelay: "7h" }), handover: "1d", storeGateway: { storage, partition: { time: ["4w", "1y"] } } },
      1,
    );
    assert.ok(flags.includes("--max-time=-4w") && flags.includes("--min-time=-1y"), flags.join(" "));
    assert.ok(flags.includes("--ignore-deletion-marks-delay=3h30m"));
    const oldest = flagsOf({ ...BUCKET, storeGateway: { storage, partition: { time: ["4w", "1y"] } } }, 2);
    assert.ok(oldest.includes("--max-time=-1y") && !oldest.some((flag) => flag.startsWith("--min-time")));
  });

  it("a store gateway's pool of chunks is a part of its memory, and its intervals are Go's", () => {
    const flags = flagsOf(withGateway({ resources: { memory: "8Gi" }, syncInterval: "1d" }));
    assert.ok(flags.includes("--chunk-pool-size=2048MB") && flags.includes("--sync-block-duration=86400s"), flags.join(" "));
  });

  it("caches in memory keep items that they can hold, memcached is found by name, and no look at the bucket has the listing of the look before", () => {
    const own = filesOf({ indexCache: { inMemory: { size: "16Mi" } }, chunkCache: { memcached: {} }, syncInterval: "1m" });
    assert.deepEqual(own["index-cache.yaml"], { type: "IN-MEMORY", config: { max_size: "16MiB", max_item_size: "8MiB" } });
    assert.equal(own["chunk-cache.yaml"].type, "MEMCACHED");
    assert.deepEqual(own["chunk-cache.yaml"].config.addresses, ["dnssrv+chunk"]);
    // Cached for as long as the interval, it would still be there at the next look, which comes a moment too early.
    assert.equal(own["chunk-cache.yaml"].blocks_iter_ttl, "30s");
    assert.equal(own["chunk-cache.yaml"].metafile_doesnt_exist_ttl, "30s");
    const seldom = filesOf({ syncInterval: "2h" })["chunk-cache.yaml"];
    assert.deepEqual([seldom.blocks_iter_ttl, seldom.metafile_doesnt_exist_ttl], ["300s", "900s"]);
  });

  it("memcached is deployed for the caches that want it", () => {
    const wanted = (change: object) =>
      plan({ objectStorage: withGateway(change) }).caches.map(({ identity, servers }) => [identity.app, servers.replicas]);
    assert.deepEqual(wanted({}), []);
    assert.deepEqual(wanted({ indexCache: { memcached: { replicas: 3 } } }), [["thanos-index-cache", 3]]);
    assert.deepEqual(wanted({ indexCache: { memcached: {} }, chunkCache: { memcached: {} } }), [
      ["thanos-index-cache", 2],
      ["thanos-chunk-cache", 2],
    ]);
  });

  it("retention: forever is Thanos' zero", () => {
    const changes = {
      objectStorage: withCompactor({ retention: { raw: "30d", fiveMinutes: "forever" }, downsampling: false, consistencyDelay: "0s" }),
    };
    const flags = compactFlags(settingsWith(changes), plan(changes));
    assert.deepEqual(
      flags.filter((flag) => /retention|downsampl|consistency/.test(flag)),
      [
        "--retention.resolution-raw=30d",
        "--retention.resolution-5m=0d",
        "--retention.resolution-1h=0d",
        "--downsampling.disable",
        "--consistency-delay=0s",
      ],
    );
  });

  it("there is no plan without a bucket", () => assert.equal(historyOf(settingsWith({ objectStorage: undefined })), undefined));

  it("store gateways and compactor run as who uploads where the bucket is a directory", () => {
    const user = (ingestion: Settings["ingestion"], input: ObjectStorageInput) => plan({ ingestion, objectStorage: input }).user;
    const directory = bucketAt({ filesystem: { path: "/data/bucket", node: "n1" } });
    assert.deepEqual([user("receive", directory), user("sidecar", directory), user("sidecar", BUCKET)], [1001, 65534, 1001]);
  });
});
