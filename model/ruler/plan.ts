import { stringify } from "yaml";
import { OBJECT_STORE_FLAG } from "../bucket/flags";
import { handoverSeconds } from "../bucket/plan";
import type { Addresses } from "../kubernetes/addresses";
import type { Identity } from "../kubernetes/labels";
import { THANOS_USER } from "../kubernetes/pod";
import { directoriesOf, type HostPathVolume } from "../kubernetes/storage";
import { hostPathProblems } from "../kubernetes/storageRules";
import { queueConfig, RULE_FILES } from "../prometheus/config";
import { QUERY_HTTP_PORT } from "../ring/flags";
import { GRPC_PORT, HTTP_PORT } from "../ring/hashring";
import { clusterLabels, RULE_REPLICA_LABEL } from "../settings/replicaLabels";
import type { RulerSettings, Settings, StorageSettings } from "../settings/schema";
import { inArgument } from "../values/literal";
import type { Problem } from "../values/problem";
import { durationSeconds, durationText, goDuration } from "../values/quantity";

/**
 * The ruler evaluates the rules over everything that the querier answers. Stateless, it remote-writes what comes of them into the ring, up to 15 seconds later (its log tells nobody of
 * what was written, so prometheus tsdb/wlog `Watcher` looks for itself); stateful, it keeps, answers for and uploads it.
 * Source: thanos v0.42.4 cmd/thanos/rule.go, docs/components/rule.md.
 */

/** Name of the ruler's StatefulSet, and the scrape job's. */
export const RULER_APP = "thanos-ruler";
/** Headless Service that names the rulers; a stateful one is found by its SRV record. */
export const RULER_SERVICE = RULER_APP;
/** Where a ruler keeps its samples, or the log of those that it has yet to send. */
export const RULER_DATA = "/var/thanos/rule";
/** Where the rule files are mounted. */
export const RULER_RULES_FOLDER = "/etc/thanos/rules";
/** Where a stateless ruler's remote-write configuration is mounted. */
export const RULER_REMOTE_WRITE_FOLDER = "/etc/thanos/remote-write";
/** Name of a stateless ruler's remote-write configuration. */
export const RULER_REMOTE_WRITE_FILE = "remote-write.yaml";

/** Which part of the stack the rulers are. */
export const RULER_IDENTITY: Identity = { app: RULER_APP, component: "ruler" };

/** The rulers of an environment. */
export interface RulerPlan {
  settings: RulerSettings;
  /** Name of the StatefulSet. */
  name: string;
  replicas: number;
  identity: Identity;
  /** Whether the rulers keep samples, so that the querier must ask them. A stateless one has the Rules API only (rule.go `tsdbDB != nil`). */
  stores: boolean;
  /** Storage of a ruler that keeps samples; a stateless one has nothing to keep. */
  storage?: StorageSettings;
  hostPathVolumes: HostPathVolume[];
}

/** The rulers; undefined where each Prometheus evaluates the rules itself. */
export function planRuler(settings: Settings): RulerPlan | undefined {
  const { ruler, namespace } = settings;
  if (ruler === undefined) return undefined;
  const storage = ruler.mode === "stateful" ? ruler.storage : undefined;
  return {
    settings: ruler,
    name: RULER_APP,
    replicas: ruler.replicas,
    identity: RULER_IDENTITY,
    stores: ruler.mode === "stateful",
    ...(storage === undefined ? {} : { storage }),
    hostPathVolumes: directoriesOf(
      { name: RULER_APP, replicas: ruler.replicas, identity: RULER_IDENTITY },
      storage,
      namespace,
      THANOS_USER,
    ),
  };
}

/**
 * Arguments of the ruler. A group's strategy for partial answers stays Thanos' default, abort: over half of the series an alert would be silent or wrong, and the next evaluation comes soon.
 *
 * No label is ignored when a stateless ruler takes up pending alerts again (`--restore-ignored-label`): an alert about a target has the external labels itself, and is found by all of its
 * labels (prometheus rules/group.go `RestoreForState`). One that aggregates them away waits for its `for` anew.
 *
 * @param addresses The queriers' and people's addresses.
 */
export function rulerFlags(
  settings: Settings,
  ruler: RulerSettings,
  addresses: Pick<Addresses, "queryGrpcAddress" | "queryUrl">,
): string[] {
  const { prometheus, alerting, querier } = settings;
  // The pods behind the queriers' headless Service, one by one: where one does not answer, the same evaluation asks another (rule.go `queryFuncCreator`).
  const queriers = `dns+${addresses.queryGrpcAddress.replace(/:\d+$/, "")}:${QUERY_HTTP_PORT}`;
  // As Prometheus would have labelled the same results.
  const labels = { ...prometheus.externalLabels, ...clusterLabels(settings) };
  return [
    "rule",
    `--grpc-address=:${GRPC_PORT}`,
    `--http-address=:${HTTP_PORT}`,
    "--enable-auto-gomemlimit",
    `--data-dir=${RULER_DATA}`,
    ...RULE_FILES.map((pattern) => `--rule-file=${RULER_RULES_FOLDER}/${pattern}`),
    `--eval-interval=${goDuration(ruler.evaluationInterval)}`,
    `--rule-query-offset=${goDuration(ruler.queryOffset)}`,
    `--query=${queriers}`,
    `--query.sd-dns-interval=${goDuration(querier.discoveryInterval)}`,
    ...Object.entries(labels).map(([label, value]) => `--label=${label}=${inArgument(JSON.stringify(value))}`),
    `--label=${RULE_REPLICA_LABEL}="$(POD_NAME)"`,
    `--alert.query-url=${addresses.queryUrl}`,
    // Alertmanager knows an alert by its labels.
    `--alert.label-drop=${RULE_REPLICA_LABEL}`,
    ...alerting.alertmanagers.map((address) => `--alertmanagers.url=${address}`),
    ...(ruler.mode === "stateless"
      ? [`--remote-write.config-file=${RULER_REMOTE_WRITE_FOLDER}/${RULER_REMOTE_WRITE_FILE}`]
      : [
          `--tsdb.retention=${ruler.retention}`,
          "--tsdb.block-duration=2h",
          ...(settings.objectStorage === undefined ? [] : [OBJECT_STORE_FLAG]),
        ]),
  ];
}

/** What a stateless ruler's remote-write file says. Without a tenant's header the ring takes it for the default tenant, as it takes Prometheus. */
export function rulerRemoteWriteConfig(settings: Settings, url: string): string {
  return stringify(
    {
      remote_write: [
        {
          url,
          name: "receive",
          // Receivers of 0.42 store no metadata (thanos handler.go).
          metadata_config: { send: false },
          send_native_histograms: true,
          queue_config: queueConfig(settings.prometheus.remoteWrite),
        },
      ],
    },
    { lineWidth: 0 },
  );
}

/** A block, which is dropped whole, its newest sample that much before its retention ends; a retention of zero would keep everything (tsdb `BeyondTimeRetention`). */
const BLOCK_SECONDS = 2 * 3_600;
/** Shortest interval between evaluations. Zero stops the process (prometheus rules `EvalTimestamp` divides by it). */
const LEAST_INTERVAL = "1s";

/**
 * What the rules miss without a ruler, a line each; empty where there is one or nothing is missed. Not a problem: rules about one target at a time are right in every shard, and only
 * those who wrote them know whether others are.
 *
 * @param rules How many rules the rule files hold.
 */
export function ruleWarnings({ ruler, prometheus }: Settings, rules: number): string[] {
  if (ruler === undefined && prometheus.mode === "agent") return ['prometheus.mode is "agent" and there is no ruler: no rule is evaluated'];
  if (rules === 0) return [`there is no rule in ${prometheus.ruleFolder} (prometheus.ruleFolder), so no alert is ever sent`];
  if (ruler !== undefined || prometheus.shards === 1) return [];
  return [
    `each of the ${prometheus.shards} shards (prometheus.shards) evaluates the rules over its own targets: one that counts or compares targets, such as ReceiversDisagreeAboutTheRing, ` +
      "can miss what is there; the key ruler evaluates them over everything",
  ];
}

/** Every problem of the ruler's settings; empty where they can be deployed. */
export function rulerProblems(settings: Settings): Problem[] {
  const { ruler } = settings;
  if (ruler === undefined) return [];
  const interval =
    durationSeconds(ruler.evaluationInterval) >= durationSeconds(LEAST_INTERVAL)
      ? []
      : [
          {
            key: "ruler.evaluationInterval",
            value: ruler.evaluationInterval,
            rule: "rules are evaluated at multiples of this, so it can't be none",
            remedy: `${LEAST_INTERVAL} or more`,
          },
        ];
  return [...interval, ...(ruler.mode === "stateless" ? statelessProblems(settings) : statefulProblems(ruler, settings))];
}

function statelessProblems({ ingestion }: Settings): Problem[] {
  if (ingestion === "receive") return [];
  return [
    {
      key: "ruler.mode",
      value: "stateless",
      rule: `a stateless ruler remote-writes into a ring, and ingestion is "${ingestion}"`,
      remedy: '"stateful" with ruler.storage, or ingestion "receive"',
    },
  ];
}

function statefulProblems(ruler: RulerSettings, settings: Settings): Problem[] {
  const { storage, antiAffinity, replicas, retention } = ruler;
  const handover = handoverSeconds(settings);
  const least = (handover ?? 0) + BLOCK_SECONDS;
  return [
    ...(storage === undefined
      ? [
          {
            key: "ruler.storage",
            value: undefined,
            rule: "a stateful ruler keeps what comes of the rules, and its blocks until they are uploaded",
            remedy: 'a map of keys with hostPath or pvc, or ruler.mode "stateless"',
          },
        ]
      : hostPathProblems({ key: "ruler", storage, antiAffinity, pods: replicas })),
    ...(durationSeconds(retention) >= least
      ? []
      : [
          {
            key: "ruler.retention",
            value: retention,
            rule:
              handover === undefined
                ? "samples are kept in blocks of 2h, and no retention would mean for ever"
                : `the bucket answers for what is older than ${durationText(handover)}, and a block of 2h may be dropped that much before its retention ends`,
            remedy: `${durationText(least)} or more`,
          },
        ]),
  ];
}
