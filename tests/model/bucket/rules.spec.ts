import assert from "node:assert/strict";
import fc from "fast-check";
import { bucketProblems } from "../../../model/bucket/rules";
import { handoverSeconds, leastHandoverSeconds } from "../../../model/retention/handover";
import type { SettingsInput } from "../../../model/settings/schema";
import { durationSeconds, durationText } from "../../../model/values/quantity";
import { BUCKET, bucketAt, type ObjectStorageInput, objectStorageOf, settingsWith } from "./historySettings";

const storage = { pvc: { size: "10Gi" } };
const on = (...nodes: string[]) => ({ hostPath: { path: "/data", nodes } });

const gateway = (change: object): Partial<SettingsInput> => ({ objectStorage: { ...BUCKET, storeGateway: { storage, ...change } } });
const compactor = (change: object): Partial<SettingsInput> => ({ objectStorage: { ...BUCKET, compactor: { storage, ...change } } });
const retention = (change: object, more: object = {}) => compactor({ retention: change, ...more });
const sidecar = (changes: Partial<SettingsInput> = {}): Partial<SettingsInput> => ({ ingestion: "sidecar", ...changes });
const handover = (age: string): ObjectStorageInput => ({ ...BUCKET, handover: age });
const LONG: Partial<SettingsInput> = { receive: { storage, retention: { time: "15d" } } };
const notDownsampled = (age: string): ObjectStorageInput => ({ ...handover(age), compactor: { storage, downsampling: false } });

/** A one-node environment with a directory for a bucket. */
const directory = (changes: Partial<SettingsInput> = {}, history: Partial<ObjectStorageInput> = {}): Partial<SettingsInput> => ({
  receive: { storage: on("n1"), antiAffinity: "soft" },
  prometheus: { storage: on("n1"), antiAffinity: "soft" },
  objectStorage: {
    ...bucketAt({ filesystem: { path: "/data/bucket", node: "n1" } }),
    storeGateway: { storage: on("n1"), antiAffinity: "soft" },
    compactor: { storage: on("n1") },
    ...history,
  },
  ...changes,
});

const problemsOf = (changes: Partial<SettingsInput>) => bucketProblems(settingsWith(changes));

describe("history rules: what is accepted", () => {
  const good: [string, Partial<SettingsInput>][] = [
    ["every default, behind a ring", {}],
    ["every default, with sidecars", sidecar()],
    ["no bucket", { objectStorage: undefined }],
    ["the shortest retention that feeds every resolution", sidecar(retention({ raw: "40h", fiveMinutes: "10d", oneHour: "10d" }))],
    ["no retention at all", retention({ raw: "forever", fiveMinutes: "forever", oneHour: "forever" })],
    [
      "short retention of one resolution only",
      sidecar(retention({ raw: "1d", fiveMinutes: "1d", oneHour: "1d" }, { downsampling: false })),
    ],
    ["pairs that are not merged", sidecar(compactor({ verticalCompaction: false }))],
    ["a handover at its bounds", { objectStorage: handover("4h9m") }],
    ["a handover at its other bound", { ...LONG, objectStorage: handover("357h55m") }],
    ["receivers that keep samples until they are downsampled, and no longer", { receive: { storage, retention: { time: "40h" } } }],
    ["receivers that keep samples for long, without coarser ones beside them", { ...LONG, objectStorage: notDownsampled("20h") }],
    ["receivers that keep samples for long, and a bucket that waits as long", { ...LONG, objectStorage: handover("357h") }],
    ["parts by time", gateway({ partition: { time: ["4w", "26w"] } })],
    ["the shortest delay", sidecar(compactor({ deleteDelay: "18m" }))],
    [
      "caches of half the memory",
      gateway({ indexCache: { inMemory: { size: "512Mi" } }, chunkCache: { inMemory: { size: "512Mi" } }, resources: { memory: "2Gi" } }),
    ],
    ["large caches in memcached", gateway({ indexCache: { memcached: { memory: "8Gi" } }, chunkCache: { memcached: { memory: "8Gi" } } })],
    ["a directory of the one node", directory()],
    ["a directory of the one node, with sidecars", directory(sidecar())],
    ["a directory beside volumes of the cluster", directory({ receive: { storage, antiAffinity: "soft" } })],
  ];
  for (const [title, changes] of good) it(title, () => assert.deepEqual(problemsOf(changes), []));
});

describe("history rules: what is refused", () => {
  const bad: { title: string; changes: Partial<SettingsInput>; key: string; rule: RegExp; remedy: RegExp }[] = [
    {
      title: "raw samples that go before they are downsampled",
      changes: sidecar(retention({ raw: "39h59m" })),
      key: "objectStorage.compactor.retention.raw",
      rule: /5-minute resolution at the age of 1d16h/,
      remedy: /1d16h or more/,
    },
    {
      title: "a 5-minute resolution that goes before it is downsampled",
      changes: sidecar(retention({ raw: "2d", fiveMinutes: "9d" })),
      key: "objectStorage.compactor.retention.fiveMinutes",
      rule: /1-hour resolution at the age of 10d/,
      remedy: /10d or more/,
    },
    {
      title: "a 5-minute resolution that goes before raw samples",
      changes: retention({ raw: "90d", fiveMinutes: "30d" }),
      key: "objectStorage.compactor.retention.fiveMinutes",
      rule: /ends before a finer one \(objectStorage.compactor.retention.raw 90d\)/,
      remedy: /^90d or more/,
    },
    {
      title: "a 1-hour resolution that goes before an eternal one",
      changes: retention({ fiveMinutes: "forever", oneHour: "1y" }),
      key: "objectStorage.compactor.retention.oneHour",
      rule: /finer one/,
      remedy: /^"forever"$/,
    },
    {
      title: "a retention of zero",
      changes: retention({ oneHour: "0s" }),
      key: "objectStorage.compactor.retention.oneHour",
      rule: /0 for forever/,
      remedy: /"forever"/,
    },
    {
      title: "samples out of order that nothing merges",
      changes: compactor({ verticalCompaction: false }),
      key: "objectStorage.compactor.verticalCompaction",
      rule: /receive.outOfOrderWindow 2h.*halts the compactor/,
      remedy: /^true/,
    },
    {
      title: "a handover before blocks are uploaded",
      changes: { objectStorage: handover("4h") },
      key: "objectStorage.handover",
      rule: /may not be in the bucket yet/,
      remedy: /from 4h9m to 1d9h55m/,
    },
    {
      title: "a handover after receivers may have dropped them",
      changes: { ...LONG, objectStorage: handover("358h") },
      key: "objectStorage.handover",
      rule: /receive.retention.time 15d/,
      remedy: /to 14d21h55m, or a longer receive.retention.time/,
    },
    {
      title: "a handover after Prometheus may have dropped them",
      changes: sidecar({ objectStorage: notDownsampled("47h") }),
      key: "objectStorage.handover",
      rule: /prometheus.retention.time 2d/,
      remedy: /from 4h9m to 1d22h/,
    },
    {
      title: "receivers that drop samples before they are uploaded",
      changes: { receive: { storage, retention: { time: "6h" } } },
      key: "receive.retention.time",
      rule: /4h9m after it was taken/,
      remedy: /^6h14m or more$/,
    },
    {
      title: "Prometheus that drops samples before they are uploaded",
      changes: sidecar({ prometheus: { storage, retention: { time: "6h" } } }),
      key: "prometheus.retention.time",
      rule: /4h9m after it was taken/,
      remedy: /^6h9m or more$/,
    },
    {
      title: "a bucket that forgets before it answers",
      changes: retention({ raw: "1d", fiveMinutes: "1y" }, { downsampling: false }),
      key: "objectStorage.compactor.retention.raw",
      rule: /answers from the age of 1d9h/,
      remedy: /more than 1d9h/,
    },
    {
      title: "a part that begins before the handover",
      changes: { objectStorage: { ...handover("26h"), storeGateway: { storage, partition: { time: ["1d"] } } } },
      key: "objectStorage.storeGateway.partition.time[0]",
      rule: /begins at the age of 1d2h/,
      remedy: /more than 1d2h/,
    },
    {
      title: "receivers that serve what is downsampled in the bucket",
      changes: LONG,
      key: "receive.retention.time",
      rule: /may show resets that never were/,
      remedy: /^at most 1d16h, or objectStorage.handover 14d21h, or .*downsampling false$/,
    },
    {
      title: "sidecars that serve what is downsampled in the bucket",
      changes: sidecar({ objectStorage: handover("41h") }),
      key: "objectStorage.handover",
      rule: /may show resets that never were/,
      remedy: /^at most 1d16h/,
    },
    {
      title: "rulers that serve what is downsampled in the bucket",
      changes: { ruler: { mode: "stateful", storage, retention: "41h" } },
      key: "ruler.retention",
      rule: /may show resets that never were/,
      remedy: /^at most 1d16h/,
    },
    {
      title: "parts out of order",
      changes: gateway({ partition: { time: ["8w", "8w"] } }),
      key: "objectStorage.storeGateway.partition.time[1]",
      rule: /ages ascend/,
      remedy: /more than 56d/,
    },
    {
      title: "store gateways that only look",
      changes: gateway({ syncInterval: "0s" }),
      key: "objectStorage.storeGateway.syncInterval",
      rule: /listing/,
      remedy: /10s or more/,
    },
    {
      title: "replaced blocks that go before their replacement is known",
      changes: compactor({ deleteDelay: "17m" }),
      key: "objectStorage.compactor.deleteDelay",
      rule: /syncInterval \(3m\)/,
      remedy: /18m or more/,
    },
    {
      title: "caches that leave no memory",
      changes: gateway({ indexCache: { inMemory: { size: "257Mi" } } }),
      key: "objectStorage.storeGateway.resources.memory",
      rule: /half of it/,
      remedy: /1026Mi or more/,
    },
    {
      title: "a folder that looks like a block",
      changes: { objectStorage: { ...BUCKET, prefix: "stacks/01ARZ3NDEKTSV4RRFFQ69G5FAV" } },
      key: "objectStorage.prefix",
      rule: /looks like a block/,
      remedy: /26 characters/,
    },
    {
      title: "store gateways without nodes",
      changes: gateway({ storage: on("n1") }),
      key: "objectStorage.storeGateway.storage.hostPath.nodes",
      rule: /2 pods are pinned/,
      remedy: /at least 2 nodes/,
    },
    {
      title: "a compactor on two nodes",
      changes: compactor({ storage: on("n1", "n2") }),
      key: "objectStorage.compactor.storage.hostPath.nodes",
      rule: /one compactor/,
      remedy: /one node/,
    },
    {
      title: "several compactors in directories of a node",
      changes: compactor({ storage: on("n1"), shards: 2 }),
      key: "objectStorage.compactor.shards",
      rule: /a claim goes with its pod/,
      remedy: /1, or .*storage\.pvc/,
    },
    {
      title: "a directory that receivers on other nodes don't see",
      changes: directory({ receive: { storage: on("n1", "n2", "n3"), antiAffinity: "soft" } }),
      key: "receive.storage.hostPath.nodes",
      rule: /directory of node n1/,
      remedy: /\[n1\]/,
    },
    {
      title: "a directory that Prometheus elsewhere does not see",
      changes: directory(sidecar({ prometheus: { storage: on("n2"), antiAffinity: "soft" } })),
      key: "prometheus.storage.hostPath.nodes",
      rule: /directory of node n1/,
      remedy: /\[n1\]/,
    },
    {
      title: "a directory that the compactor elsewhere does not see",
      changes: directory({}, { compactor: { storage: on("n2") } }),
      key: "objectStorage.compactor.storage.hostPath.nodes",
      rule: /directory of node n1/,
      remedy: /\[n1\]/,
    },
    {
      title: "a directory for pods that never share a node",
      changes: directory({ receive: { storage, antiAffinity: "hard" } }),
      key: "receive.antiAffinity",
      rule: /3 pods share it/,
      remedy: /"soft"/,
    },
    {
      title: "a directory in one of three zones",
      changes: directory({ cluster: { name: "test", context: "test", zones: ["z1", "z2", "z3"] } }),
      key: "objectStorage.filesystem",
      rule: /one of the zones/,
      remedy: /another kind/,
    },
    {
      title: "a directory of Prometheus' user, beside a ruler that is another one",
      changes: directory(sidecar({ ruler: { mode: "stateful", storage: on("n1"), antiAffinity: "soft" } })),
      key: "ruler.mode",
      rule: /Prometheus' user/,
      remedy: /no ruler/,
    },
  ];
  for (const { title, changes, key, rule, remedy } of bad) {
    it(title, () => {
      const [problem, ...more] = problemsOf(changes);
      assert.deepEqual(more, []);
      assert.equal(problem?.key, key);
      assert.match(problem?.rule ?? "", rule);
      assert.match(problem?.remedy ?? "", remedy);
    });
  }
});

describe("history rules: bounds", () => {
  it("every handover between the bounds is accepted, and no other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 * 24 * 60 }), fc.boolean(), (minutes, sidecars) => {
        const time = "20d";
        const settings = settingsWith({
          ingestion: sidecars ? "sidecar" : "receive",
          receive: { storage, retention: { time } },
          prometheus: { storage, retention: { time } },
          objectStorage: notDownsampled(`${minutes}m`),
        });
        const most = durationSeconds(time) - 2 * 3_600 - (sidecars ? 0 : 300);
        const fits = minutes * 60 >= leastHandoverSeconds(objectStorageOf(BUCKET)) && minutes * 60 <= most;
        assert.equal(bucketProblems(settings).length === 0, fits);
      }),
    );
  });

  it("the remedy for a short retention is accepted, and its default handover with it", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2 * 60, max: 20 * 60 }),
        fc.integer({ min: 10, max: 3_600 }),
        fc.boolean(),
        (minutes, interval, sidecars) => {
          const changes = (time: string): Partial<SettingsInput> => ({
            ingestion: sidecars ? "sidecar" : "receive",
            receive: { storage, retention: { time } },
            prometheus: { storage, retention: { time } },
            ...gateway({ syncInterval: `${interval}s` }),
          });
          const [problem] = problemsOf(changes(`${minutes}m`));
          if (problem === undefined) return;
          const remedy = /^(\S+) or more$/.exec(problem.remedy)?.[1];
          assert.ok(remedy !== undefined, problem.remedy);
          assert.deepEqual(problemsOf(changes(remedy)), []);
          const least = settingsWith(changes(remedy));
          assert.equal(
            durationText(handoverSeconds(least) ?? 0),
            durationText(leastHandoverSeconds(least.objectStorage ?? objectStorageOf(BUCKET))),
          );
          assert.equal(problemsOf(changes(durationText(durationSeconds(remedy) - 1))).length, 1);
        },
      ),
    );
  });
});
