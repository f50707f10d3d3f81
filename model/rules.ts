import { deduplicationFunction } from "./deduplication";
import { DEFAULT_RING, statefulSetName } from "./hashring";
import type { Problem } from "./problem";
import { JOBS } from "./prometheusConfig";
import { durationSeconds } from "./quantity";
import { CLUSTER_LABEL, REPLICA_LABELS } from "./replicaLabels";
import { ACCEPTABLE_RISKS, type AcceptableRisk, type Settings } from "./settings";
import { imageVersion, SUPPORTED_THANOS } from "./versions";

/** The rules of the domain that join several keys. Each names the key to change, why, and what would be accepted. */

type Rule = (settings: Settings) => Problem[];

const none: Problem[] = [];

/** A rule that holds unless the environment accepts the risk by name. */
function unlessAccepted(
  settings: Settings,
  risk: AcceptableRisk,
  problem: Omit<Problem, "rule" | "remedy"> & { remedy: string },
): Problem[] {
  if (settings.accepts.includes(risk)) return none;
  return [{ ...problem, rule: ACCEPTABLE_RISKS[risk], remedy: `${problem.remedy}, or "${risk}" in accepts` }];
}

const rings = (settings: Settings) => [
  { key: "receive.replicas", name: DEFAULT_RING, tenants: [] as string[], replicas: settings.receive.replicas },
  ...settings.receive.hashrings.map((ring, index) => ({ key: `receive.hashrings[${index}].replicas`, ...ring })),
];

const ringHoldsEveryCopy: Rule = (settings) =>
  rings(settings)
    .filter((ring) => ring.replicas < settings.receive.replicationFactor)
    .map((ring) => ({
      key: ring.key,
      value: ring.replicas,
      rule: `a ring needs as many receivers as copies (replication factor ${settings.receive.replicationFactor}), or every receiver exits`,
      remedy: `at least ${settings.receive.replicationFactor}, or a smaller receive.replicationFactor`,
    }));

const replicationFactorIsSafe: Rule = (settings) => {
  const { replicationFactor } = settings.receive;
  const problem = { key: "receive.replicationFactor", value: replicationFactor, remedy: "3" };
  if (replicationFactor === 1) return unlessAccepted(settings, "data-loss", problem);
  if (replicationFactor === 2) return unlessAccepted(settings, "one-copy-acknowledgement", problem);
  if (replicationFactor === 4)
    return [{ ...problem, rule: "4 copies survive no more lost receivers than 3 (quorum 3 of 4)", remedy: "3 or 5" }];
  return none;
};

const zonesDivideReplicas: Rule = (settings) => {
  const { zones } = settings.cluster;
  if (zones.length === 0) return none;
  const uneven = rings(settings)
    .filter((ring) => ring.replicas % zones.length !== 0)
    .map((ring) => ({
      key: ring.key,
      value: ring.replicas,
      rule: `receivers divide evenly over the ${zones.length} zones of cluster.zones: at 2/2/1 the lone one holds 1.67 times the mean`,
      remedy: `a multiple of ${zones.length}`,
    }));
  const tooFew: Problem[] =
    zones.length > 1 && zones.length < settings.receive.replicationFactor
      ? [
          {
            key: "cluster.zones",
            value: zones,
            rule: `with fewer zones than copies (${settings.receive.replicationFactor}) a lost zone takes several copies of a series`,
            remedy: `${settings.receive.replicationFactor} zones, or none`,
          },
        ]
      : none;
  return [...uneven, ...tooFew];
};

const tenantsHaveOneRing: Rule = (settings) => {
  const names = rings(settings).map((ring) => ring.name);
  const tenants = settings.receive.hashrings.flatMap((ring) => ring.tenants);
  return settings.receive.hashrings.flatMap((ring, index) => [
    ...(names.filter((name) => name === ring.name).length > 1
      ? [
          {
            key: `receive.hashrings[${index}].name`,
            value: ring.name,
            rule: "every ring has a name of its own",
            remedy: "a name that no other ring has",
          },
        ]
      : none),
    ...ring.tenants
      .filter((tenant) => tenants.filter((other) => other === tenant).length > 1)
      .map((tenant) => ({
        key: `receive.hashrings[${index}].tenants`,
        value: tenant,
        rule: "a tenant belongs to one ring: the first would get all of it",
        remedy: "each tenant once",
      })),
  ]);
};

const copiesAreOnDifferentNodes: Rule = (settings) => {
  const { receive } = settings;
  if (receive.replicationFactor > 1 && receive.antiAffinity === "soft") {
    return unlessAccepted(settings, "replicas-on-one-node", {
      key: "receive.antiAffinity",
      value: "soft",
      remedy: '"hard"',
    });
  }
  return none;
};

const hostPathHasNodes: Rule = (settings) => {
  const stays = (key: string, storage: Settings["receive"]["storage"], pods: number): Problem[] =>
    storage.hostPath !== undefined && storage.hostPath.nodes.length > 1 && storage.hostPath.nodes.length < pods
      ? [
          {
            key: `${key}.storage.hostPath.nodes`,
            value: storage.hostPath.nodes,
            rule: `${pods} pods in turn over fewer nodes: another node in the list would move pods away from their data`,
            remedy: `one node, or at least ${pods}`,
          },
        ]
      : none;
  const check = (key: string, storage: Settings["receive"]["storage"], antiAffinity: "hard" | "soft", pods: number): Problem[] =>
    storage.hostPath !== undefined && antiAffinity === "hard" && storage.hostPath.nodes.length < pods
      ? [
          {
            key: `${key}.storage.hostPath.nodes`,
            value: storage.hostPath.nodes,
            rule: `${pods} pods are pinned to their data and never share a node (${key}.antiAffinity is "hard")`,
            remedy: `at least ${pods} nodes, or antiAffinity "soft"`,
          },
        ]
      : none;
  const { receive, prometheus } = settings;
  const zoned: Problem[] =
    receive.storage.hostPath !== undefined && settings.cluster.zones.length > 0
      ? [
          {
            key: "receive.storage.hostPath",
            value: receive.storage.hostPath,
            rule: "hostPath pins receivers to named nodes, which says nothing of zones",
            remedy: "receive.storage.pvc, or no cluster.zones",
          },
        ]
      : none;
  return [
    ...check("receive", receive.storage, receive.antiAffinity, Math.max(...rings(settings).map((ring) => ring.replicas))),
    ...check("prometheus", prometheus.storage, prometheus.antiAffinity, prometheus.replicas),
    ...(receive.antiAffinity === "soft"
      ? stays("receive", receive.storage, Math.max(...rings(settings).map((ring) => ring.replicas)))
      : none),
    ...(prometheus.antiAffinity === "soft" ? stays("prometheus", prometheus.storage, prometheus.replicas) : none),
    ...zoned,
  ];
};

const outOfOrderWindowCoversAnOutage: Rule = (settings) =>
  durationSeconds(settings.receive.outOfOrderWindow) >= 2 * 3_600
    ? none
    : [
        {
          key: "receive.outOfOrderWindow",
          value: settings.receive.outOfOrderWindow,
          rule: "a sender that was cut off for an hour is answered 409 and drops what its log still holds (up to 2h)",
          remedy: "2h or more",
        },
      ];

const scrapeFitsItsInterval: Rule = (settings) => {
  const { scrapeInterval, scrapeTimeout } = settings.prometheus;
  return durationSeconds(scrapeTimeout) <= durationSeconds(scrapeInterval)
    ? none
    : [
        {
          key: "prometheus.scrapeTimeout",
          value: scrapeTimeout,
          rule: `a scrape ends before the next begins (prometheus.scrapeInterval ${scrapeInterval})`,
          remedy: `at most ${scrapeInterval}`,
        },
      ];
};

const prometheusKeepsItsLog: Rule = (settings) =>
  durationSeconds(settings.prometheus.retention.time) >= 2 * 3_600
    ? none
    : [
        {
          key: "prometheus.retention.time",
          value: settings.prometheus.retention.time,
          rule: "the write-ahead log holds two hours for a ring that is away; a shorter retention cuts below it",
          remedy: "2h or more",
        },
      ];

const externalLabelsAreOurs: Rule = (settings) => {
  const taken = [CLUSTER_LABEL, ...REPLICA_LABELS, settings.tenancy.label];
  return Object.entries(settings.prometheus.externalLabels)
    .filter(([label]) => taken.includes(label))
    .map(([label, value]) => ({
      key: `prometheus.externalLabels.${label}`,
      value,
      rule: `${taken.join(", ")} are set by this stack`,
      remedy: "another label name",
    }));
};

const scrapeConfigsHaveNames: Rule = (settings) => {
  const own: string[] = Object.values(JOBS);
  const names = settings.prometheus.scrapeConfigs.map((job) => job.job_name);
  return names.flatMap((name, index) => {
    const key = `prometheus.scrapeConfigs[${index}].job_name`;
    if (typeof name !== "string" || name === "") return [{ key, value: name, rule: "every scrape config has a name", remedy: "a text" }];
    const relabel = settings.prometheus.scrapeConfigs[index]?.relabel_configs ?? [];
    if (!Array.isArray(relabel)) {
      return [
        { key: key.replace("job_name", "relabel_configs"), value: relabel, rule: "relabelling is a list of rules", remedy: "a list" },
      ];
    }
    if (own.includes(name) || names.indexOf(name) !== index) {
      return [{ key, value: name, rule: "every job has a name of its own", remedy: `a name that is none of ${own.join(", ")}` }];
    }
    return [];
  });
};

const deduplicationFitsSenders: Rule = (settings) =>
  deduplicationFunction(settings) !== undefined
    ? none
    : [
        {
          key: "querier.deduplication",
          value: undefined,
          rule:
            "pairs and single senders write into one ring, and no function fits both: chain answers with both samples of a pair, penalty hides 4-5 % of a " +
            "single sender's samples around each restart of a receiver",
          remedy: '"chain" or "penalty", whichever harm is the smaller here',
        },
      ];

const namespaceIsOwn: Rule = (settings) =>
  settings.namespace === "default" || settings.namespace.startsWith("kube-") || settings.namespace.endsWith("-volumes")
    ? [
        {
          key: "namespace",
          value: settings.namespace,
          rule: "the namespace is made and removed with the stack, and one that ends in -volumes may be another stack's",
          remedy: "a name of its own that does not end in -volumes",
        },
      ]
    : none;

const tooFewNodesForZones: Rule = (settings) =>
  settings.survives.zones > 0 && settings.cluster.zones.length === 0
    ? [
        {
          key: "survives.zones",
          value: settings.survives.zones,
          rule: "without cluster.zones nothing is known of zones, so nothing is promised of them",
          remedy: "0, or the cluster's zones in cluster.zones",
        },
      ]
    : none;

/** Kubernetes puts a StatefulSet's name and an eleven character revision into a label of its pods, which holds 63. */
const LONGEST_STATEFUL_SET_NAME = 52;

const receiverSetsHaveNames: Rule = (settings) => {
  const zones = settings.cluster.zones.length === 0 ? [undefined] : settings.cluster.zones;
  const names = rings(settings).flatMap((ring, index) =>
    zones.map((zone) => ({
      key: index === 0 ? "cluster.zones" : `receive.hashrings[${index - 1}].name`,
      ring: ring.name,
      name: statefulSetName(ring.name, zone),
    })),
  );
  return names.flatMap(({ key, ring, name }) => {
    if (name.length > LONGEST_STATEFUL_SET_NAME) {
      return [
        {
          key,
          value: name,
          rule: `the name of a StatefulSet has at most ${LONGEST_STATEFUL_SET_NAME} characters, or none of its pods starts`,
          remedy: `a name that is ${name.length - LONGEST_STATEFUL_SET_NAME} characters shorter`,
        },
      ];
    }
    const first = names.find((other) => other.name === name);
    return first?.ring === ring
      ? none
      : [
          {
            key,
            value: name,
            rule: "ring and zone make the name of a StatefulSet, and another one has this name",
            remedy: "another name of the ring",
          },
        ];
  });
};

/** The least that is left for the flush of an almost empty head. */
const LEAST_FLUSH_SECONDS = 20;

const terminationFits: Rule = ({ receive: { rollout } }) =>
  rollout.gracePeriodSeconds >= rollout.preStopSeconds + LEAST_FLUSH_SECONDS
    ? none
    : [
        {
          key: "receive.rollout.gracePeriodSeconds",
          value: rollout.gracePeriodSeconds,
          rule: `the pause before the end (receive.rollout.preStopSeconds ${rollout.preStopSeconds}) and the flush of every head happen within it`,
          remedy: `${rollout.preStopSeconds + LEAST_FLUSH_SECONDS} or more`,
        },
      ];

const tenantLabelIsFree: Rule = (settings) =>
  [CLUSTER_LABEL, ...REPLICA_LABELS].includes(settings.tenancy.label)
    ? [
        {
          key: "tenancy.label",
          value: settings.tenancy.label,
          rule: "this label means something else in this stack, and a receiver's label overwrites a sample's on read",
          remedy: `a label that is none of ${[CLUSTER_LABEL, ...REPLICA_LABELS].join(", ")}`,
        },
      ]
    : none;

const thanosIsSupported: Rule = (settings) =>
  SUPPORTED_THANOS.test(imageVersion(settings.images.thanos))
    ? none
    : [
        {
          key: "images.thanos",
          value: settings.images.thanos,
          rule: "flags come and go between releases of Thanos, and an unknown one stops every pod; this release spells those of 0.42",
          remedy: "a tag that names 0.42.x",
        },
      ];

const RULES: readonly Rule[] = [
  namespaceIsOwn,
  ringHoldsEveryCopy,
  replicationFactorIsSafe,
  zonesDivideReplicas,
  tenantsHaveOneRing,
  copiesAreOnDifferentNodes,
  hostPathHasNodes,
  outOfOrderWindowCoversAnOutage,
  deduplicationFitsSenders,
  scrapeFitsItsInterval,
  prometheusKeepsItsLog,
  externalLabelsAreOurs,
  scrapeConfigsHaveNames,
  thanosIsSupported,
  receiverSetsHaveNames,
  terminationFits,
  tenantLabelIsFree,
  tooFewNodesForZones,
];

/** Every problem of the settings; empty where they can be deployed. */
export function problemsOf(settings: Settings): Problem[] {
  return RULES.flatMap((rule) => rule(settings));
}
