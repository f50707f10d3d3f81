import { THANOS_USER } from "../kubernetes/pod";
import { hostPathProblems } from "../kubernetes/storageRules";
import { handoverSeconds, heldBack, leastHandoverSeconds, localRetention, localRetentions, wholeHours } from "../retention/handover";
import { type RingSettings, ringsOf } from "../settings/rings";
import type { ObjectStorageSettings, ReceiveSettings, Settings, StorageSettings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import { JUDGE_ALL, type Problem } from "../values/problem";
import { durationSeconds, durationText, quantityBytes } from "../values/quantity";
import { bucketUser } from "./directory";

/** The rules of a bucket and of what serves and compacts it. Each names the key to change, why, and what would be accepted. */

type BucketRule = (objectStorage: ObjectStorageSettings, settings: Settings) => Problem[];

const none: Problem[] = [];
const HOUR = 3_600;
const DAY = 24 * HOUR;
/**
 * Least raw retention with downsampling: blocks get their 5-minute resolution at this age
 * (pkg/compact/downsample `ResLevel1DownsampleRange`).
 */
const FIVE_MINUTES_RANGE = 40 * HOUR;
/** Least retention of the 5-minute resolution: blocks get their 1-hour one at this age (`ResLevel2DownsampleRange`). */
const ONE_HOUR_RANGE = 10 * DAY;

const keptSeconds = (keptFor: string): number => (keptFor === "forever" ? Number.POSITIVE_INFINITY : durationSeconds(keptFor));

/** Retention that cmd/thanos/compact.go refuses at its start, or that would throw samples away unseen. */
const retentionFeedsDownsampling: BucketRule = ({ compactor: { retention, downsampling } }) => {
  const key = (resolution: keyof typeof retention) => `objectStorage.compactor.retention.${resolution}`;
  const zero = (["raw", "fiveMinutes", "oneHour"] as const)
    .filter((resolution) => keptSeconds(retention[resolution]) === 0)
    .map((resolution) => ({
      key: key(resolution),
      value: retention[resolution],
      rule: "Thanos takes 0 for forever",
      remedy: '"forever", or a duration',
    }));
  if (zero.length > 0 || !downsampling) return zero;
  const least = (resolution: "raw" | "fiveMinutes", seconds: number, next: string): Problem[] =>
    keptSeconds(retention[resolution]) >= seconds
      ? none
      : [
          {
            key: key(resolution),
            value: retention[resolution],
            rule: `blocks get their ${next} resolution at the age of ${durationText(seconds)}, and the compactor does not start with less`,
            remedy: `${durationText(seconds)} or more, "forever", or objectStorage.compactor.downsampling false`,
          },
        ];
  const notBefore = (finer: "raw" | "fiveMinutes", coarser: "fiveMinutes" | "oneHour"): Problem[] =>
    keptSeconds(retention[coarser]) >= keptSeconds(retention[finer])
      ? none
      : [
          {
            key: key(coarser),
            value: retention[coarser],
            rule: `a coarser resolution that ends before a finer one (${key(finer)} ${retention[finer]}) leaves the long ranges, for which it is made, to the finer one`,
            remedy: retention[finer] === "forever" ? '"forever"' : `${retention[finer]} or more, or "forever"`,
          },
        ];
  return [
    ...least("raw", FIVE_MINUTES_RANGE, "5-minute"),
    ...least("fiveMinutes", ONE_HOUR_RANGE, "1-hour"),
    ...notBefore("raw", "fiveMinutes"),
    ...notBefore("fiveMinutes", "oneHour"),
  ];
};

const overlapsAreMerged: BucketRule = ({ compactor }, settings) =>
  compactor.verticalCompaction || settings.ingestion === "sidecar"
    ? none
    : [
        {
          key: "objectStorage.compactor.verticalCompaction",
          value: false,
          rule: `receivers take samples out of order (receive.outOfOrderWindow ${receiveOf(settings)?.outOfOrderWindow}) and upload them in blocks that overlap, which halts the compactor`,
          remedy: 'true, or ingestion "sidecar"',
        },
      ];

const handoverMeetsLocalStorage: BucketRule = (objectStorage, settings) => {
  const handover = handoverSeconds(settings) ?? 0;
  const least = leastHandoverSeconds(objectStorage);
  const local = localRetention(settings);
  if (local.surely < least) {
    const wanted = durationText(durationSeconds(local.value) + least - local.surely);
    return [
      {
        key: local.key,
        value: local.value,
        rule: `a sample is in the bucket, and known to every store gateway, ${durationText(least)} after it was taken, and a block of 2h may be dropped that much before its retention ends`,
        remedy: `${wanted} or more`,
      },
    ];
  }
  const problem = { key: "objectStorage.handover", value: objectStorage.handover };
  const between = `from ${durationText(least)} to ${durationText(local.surely)}`;
  if (handover < least) {
    return [
      {
        ...problem,
        rule: "younger samples may not be in the bucket yet: heads hold 3h, upload may take 1h, and store gateways sync every objectStorage.storeGateway.syncInterval",
        remedy: between,
      },
    ];
  }
  return handover <= local.surely
    ? none
    : [
        {
          ...problem,
          rule: `older samples may be dropped from local storage (${local.key} ${local.value}), so nobody would serve them`,
          remedy: `${between}, or a longer ${local.key}`,
        },
      ];
};

const bucketOutlivesTheHandover: BucketRule = ({ compactor }, settings) => {
  const handover = handoverSeconds(settings) ?? 0;
  return keptSeconds(compactor.retention.raw) > handover || keptSeconds(compactor.retention.raw) === 0
    ? none
    : [
        {
          key: "objectStorage.compactor.retention.raw",
          value: compactor.retention.raw,
          rule: `the bucket answers from the age of ${durationText(handover)} on (objectStorage.handover), and would have dropped the samples by then`,
          remedy: `more than ${durationText(handover)}, or "forever"`,
        },
      ];
};

/** Whoever answers beside the bucket for what is downsampled there already, and up to which age. */
const rawMeetsNoDownsampled: BucketRule = (objectStorage, settings) => {
  if (!objectStorage.compactor.downsampling) return none;
  const receive = receiveOf(settings);
  const rule =
    "the querier counts resets of a counter apart for raw and for downsampled samples (thanos pkg/query/iter.go), so where both serve one time it may show resets that never were; " +
    `blocks are downsampled at the age of ${durationText(FIVE_MINUTES_RANGE)}`;
  const kept = (key: string, value: string, otherwise = "") =>
    durationSeconds(value) <= FIVE_MINUTES_RANGE
      ? none
      : [
          {
            key,
            value,
            rule,
            remedy: `at most ${durationText(FIVE_MINUTES_RANGE)}${otherwise}, or objectStorage.compactor.downsampling false`,
          },
        ];
  const { ruler } = settings;
  const rulers = ruler?.mode === "stateful" ? kept("ruler.retention", ruler.retention) : none;
  if (receive === undefined) {
    return [...rulers, ...(objectStorage.handover === undefined ? none : kept("objectStorage.handover", objectStorage.handover))];
  }
  // Receivers hold what is downsampled by then, unless store gateways hold back until nobody else has it; that can't be later than where
  // the first ring ends.
  const [shortest, ...longer] = localRetentions(settings);
  const latest = wholeHours(shortest.surely);
  const heldBackUntil = objectStorage.handover === undefined ? 0 : durationSeconds(objectStorage.handover);
  return [
    ...rulers,
    ...(heldBackUntil >= latest ? none : kept(shortest.key, shortest.value, `, or objectStorage.handover ${durationText(latest)}`)),
    ...longer
      .filter(({ surely }) => heldBackUntil < wholeHours(surely))
      .flatMap(({ key, value }) => kept(key, value, `, or ${shortest.value} as ${shortest.key}`)),
  ];
};

const partsFollowEachOther: BucketRule = ({ storeGateway }, settings) => {
  const boundaries = storeGateway.partition.time ?? [];
  const begins = durationSeconds(heldBack(settings) ?? "0s");
  return boundaries.flatMap((boundary, index) => {
    const previous = index === 0 ? begins : durationSeconds(boundaries[index - 1] ?? "0s");
    if (durationSeconds(boundary) > previous) return [];
    return [
      {
        key: `objectStorage.storeGateway.partition.time[${index}]`,
        value: boundary,
        rule:
          index === 0
            ? `the youngest shard begins at the age of ${durationText(begins)} and would be empty`
            : `ages ascend, and the shard from ${boundaries[index - 1]} on would be empty`,
        remedy: `more than ${durationText(previous)}`,
      },
    ];
  });
};

/** Least time of store gateways between two syncs: each is a listing of the bucket. */
const LEAST_SYNC = 10;

const replacedBlocksStayAnswered: BucketRule = ({ storeGateway, compactor }) => {
  const interval = durationSeconds(storeGateway.syncInterval);
  if (interval < LEAST_SYNC) {
    return [
      {
        key: "objectStorage.storeGateway.syncInterval",
        value: storeGateway.syncInterval,
        rule: "every sync is a listing of the whole bucket",
        remedy: `${LEAST_SYNC}s or more`,
      },
    ];
  }
  // A replacement is known after three intervals at most (the listing and an absence may be cached for one each), and what it
  // replaces is dropped after half of the delay.
  const least = 6 * interval;
  return durationSeconds(compactor.deleteDelay) >= least
    ? none
    : [
        {
          key: "objectStorage.compactor.deleteDelay",
          value: compactor.deleteDelay,
          rule: `store gateways drop a replaced block after half of this, and need three times objectStorage.storeGateway.syncInterval (${storeGateway.syncInterval}) to know its replacement`,
          remedy: `${durationText(least)} or more`,
        },
      ];
};

const cachesFitIntoMemory: BucketRule = ({ storeGateway: { indexCache, chunkCache, resources } }) => {
  const held = [indexCache, chunkCache].reduce((sum, cache) => sum + quantityBytes(cache.inMemory?.size ?? "0"), 0);
  return held * 2 <= quantityBytes(resources.memory)
    ? none
    : [
        {
          key: "objectStorage.storeGateway.resources.memory",
          value: resources.memory,
          rule: "the caches in memory are half of it at most: a quarter is for chunks of queries in flight, the rest for headers and answers",
          remedy: `${Math.ceil((held * 2) / 2 ** 20)}Mi or more, smaller caches, or memcached`,
        },
      ];
};

/** A directory of this length looks like a block to Thanos (pkg/block/block.go `IsBlockDir`, ulid `Parse`). */
const BLOCK_NAME_LENGTH = 26;

const prefixIsNoBlock: BucketRule = ({ prefix }) =>
  (prefix ?? "").split("/").every((directory) => directory.length !== BLOCK_NAME_LENGTH)
    ? none
    : [
        {
          key: "objectStorage.prefix",
          value: prefix,
          rule: `a directory of ${BLOCK_NAME_LENGTH} characters looks like a block whose upload was broken off, which a compactor above it would remove`,
          remedy: `directories of more or fewer than ${BLOCK_NAME_LENGTH} characters`,
        },
      ];

const bucketComponentsHaveNodes: BucketRule = ({ storeGateway, compactor }) => {
  const hostPath = compactor.storage.hostPath;
  return [
    ...hostPathProblems({
      key: "objectStorage.storeGateway",
      storage: storeGateway.storage,
      antiAffinity: storeGateway.antiAffinity,
      pods: storeGateway.replicas,
    }),
    ...(hostPath === undefined || compactor.shards === 1
      ? none
      : [
          {
            key: "objectStorage.compactor.shards",
            value: compactor.shards,
            rule:
              "with objectStorage.compactor.storage.hostPath a claim goes with its pod, and its volume waits for somebody to free it: all pods go before the " +
              "number changes",
            remedy: "1, or objectStorage.compactor.storage.pvc",
          },
        ]),
    ...(hostPath === undefined || hostPath.nodes.length === 1
      ? none
      : [
          {
            key: "objectStorage.compactor.storage.hostPath.nodes",
            value: hostPath.nodes,
            rule: "there is one compactor, and it works on one node",
            remedy: "one node",
          },
        ]),
  ];
};

/** Whoever reads or writes the bucket, and how many of it there are in one set. */
interface BucketUser {
  key: string;
  storage: StorageSettings | undefined;
  antiAffinity?: "hard" | "soft";
  pods: number;
}

/** Everything that reads or writes the bucket. */
function bucketUsers({ storeGateway, compactor }: ObjectStorageSettings, settings: Settings): BucketUser[] {
  const receive = receiveOf(settings);
  const { ruler, prometheus } = settings;
  return [
    ...(receive === undefined
      ? [{ key: "prometheus", storage: prometheus.storage, antiAffinity: prometheus.antiAffinity, pods: prometheus.replicas }]
      : receiversByKeys(receive, settings)),
    {
      key: "objectStorage.storeGateway",
      storage: storeGateway.storage,
      antiAffinity: storeGateway.antiAffinity,
      pods: storeGateway.replicas,
    },
    { key: "objectStorage.compactor", storage: compactor.storage, pods: compactor.shards },
    ...(ruler?.mode === "stateful"
      ? [{ key: "ruler", storage: ruler.storage, antiAffinity: ruler.antiAffinity, pods: ruler.replicas }]
      : []),
  ];
}

/** The rings' receivers: what each key says of storage and of anti-affinity, once. */
function receiversByKeys(receive: ReceiveSettings, settings: Settings): BucketUser[] {
  const rings = ringsOf(receive, settings);
  const users = (part: "storage" | "antiAffinity", of: (ring: RingSettings) => Omit<BucketUser, "key" | "pods">): BucketUser[] => {
    const keys = rings.map((ring) => ring.keyOf(part));
    return rings.flatMap((ring, index) => {
      const same = rings.filter((_, other) => keys[other] === keys[index]);
      const key = ring.keyOf(part).slice(0, -`.${part}`.length);
      return same[0] === ring ? [{ key, pods: Math.max(...same.map(({ replicas }) => replicas)), ...of(ring) }] : [];
    });
  };
  return [
    ...users("storage", ({ storage }) => ({ storage })),
    ...users("antiAffinity", ({ antiAffinity }) => ({ storage: undefined, antiAffinity })),
  ];
}

const directoryIsOnOneNode: BucketRule = (objectStorage, settings) => {
  const { filesystem } = objectStorage;
  if (filesystem === undefined) return none;
  const here = `the bucket is a directory of node ${filesystem.node} (objectStorage.filesystem.node), so all that use it are there`;
  const users = bucketUsers(objectStorage, settings).flatMap(({ key, storage, antiAffinity, pods }) => [
    ...(storage?.hostPath === undefined || storage.hostPath.nodes.every((node) => node === filesystem.node)
      ? none
      : [
          {
            key: `${key}.storage.hostPath.nodes`,
            value: storage.hostPath.nodes,
            rule: here,
            remedy: `[${filesystem.node}], or a bucket of another kind`,
          },
        ]),
    ...(antiAffinity === "hard" && pods > 1
      ? [{ key: `${key}.antiAffinity`, value: antiAffinity, rule: `${here}, and ${pods} pods share it`, remedy: '"soft", or one replica' }]
      : none),
  ]);
  const zones: Problem[] =
    settings.cluster.zones.length > 1
      ? [
          {
            key: "objectStorage.filesystem",
            value: filesystem,
            rule: `${here}, which is in one of the zones of cluster.zones only`,
            remedy: "a bucket of another kind, or no cluster.zones",
          },
        ]
      : none;
  const ruler: Problem[] =
    settings.ruler?.mode === "stateful" && bucketUser(settings) !== THANOS_USER
      ? [
          {
            key: "ruler.mode",
            value: "stateful",
            rule: "beside sidecars a directory belongs to Prometheus' user, and a ruler that is another one can't upload there",
            remedy: "no ruler, or a bucket of another kind",
          },
        ]
      : none;
  return [...users, ...zones, ...ruler];
};

const RULES: readonly BucketRule[] = [
  retentionFeedsDownsampling,
  overlapsAreMerged,
  handoverMeetsLocalStorage,
  rawMeetsNoDownsampled,
  bucketOutlivesTheHandover,
  partsFollowEachOther,
  replacedBlocksStayAnswered,
  cachesFitIntoMemory,
  prefixIsNoBlock,
  bucketComponentsHaveNodes,
  directoryIsOnOneNode,
];

/** Every problem of the bucket's settings; empty where they can be deployed, and without a bucket. */
export function bucketProblems(settings: Settings, judge = JUDGE_ALL): Problem[] {
  const { objectStorage } = settings;
  // Without a ring's settings nothing can be said of its retention; that is a problem of its own.
  if (objectStorage === undefined || (settings.ingestion === "receive" && settings.receive === undefined)) return [];
  return RULES.flatMap((rule) => judge(() => rule(objectStorage, settings)));
}
