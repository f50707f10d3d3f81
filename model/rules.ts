import { survivalProblems } from "./availability/rules";
import { identityLabelProblems } from "./bucket/identityRules";
import { bucketProblems } from "./bucket/rules";
import { loadProblems } from "./capacity/rules";
import { extraProblems } from "./commandLine/extraRules";
import { gatewayProblems } from "./gateway/rules";
import { annotationProblems } from "./kubernetes/annotationRules";
import { choiceProblems } from "./kubernetes/choiceRules";
import { scalingProblems } from "./kubernetes/scalingRules";
import { hostPathProblems, retentionFitsVolume } from "./kubernetes/storageRules";
import { nameProblems } from "./nameRules";
import { furtherEdgeProblems } from "./network/further";
import { accessProblems } from "./network/rules";
import { podVolumes } from "./podVolumes";
import { freeFormProblems } from "./prometheus/freeForm/problems";
import { deduplicationFunction } from "./query/deduplication";
import { prometheusRetentionTime } from "./retention/prometheus";
import { ringProblemsOf } from "./ring/rules";
import { rulerProblems } from "./ruler/rules";
import { reservedLabels } from "./settings/externalLabels";
import { replicaLabelProblems } from "./settings/replicaLabelRules";
import { REPLICA_LABELS } from "./settings/replicaLabels";
import type { Settings } from "./settings/schema";
import { receiveOf } from "./settings/scheme";
import { tenancyProblems } from "./settings/tenancyRules";
import { unlimitedProblems } from "./settings/unlimited";
import { telemetryProblems } from "./telemetry/rules";
import { tlsProblems } from "./tls/rules";
import { serverOf } from "./values/hosts";
import { JUDGE_ALL, type Problem } from "./values/problem";
import { durationSeconds } from "./values/quantity";
import { imageVersion, SUPPORTED_PROMETHEUS, SUPPORTED_THANOS } from "./values/versions";

/**
 * The rules of the domain that join several keys and hold in every scheme. Each names the key to change, why, and what would be accepted.
 */

type Rule = (settings: Settings) => Problem[];

const none: Problem[] = [];

const ringIsChosen: Rule = (settings) =>
  settings.ingestion === "receive" && settings.receive === undefined
    ? [
        {
          key: "receive",
          value: undefined,
          rule: 'this key is required where ingestion is "receive"',
          remedy: 'a map of keys with storage at least, or ingestion "sidecar"',
        },
      ]
    : none;

const sidecarHasServers: Rule = (settings) =>
  settings.ingestion === "sidecar" && settings.prometheus.mode === "agent"
    ? [
        {
          key: "prometheus.mode",
          value: "agent",
          rule: "an agent keeps no samples that a sidecar could serve",
          remedy: '"server", or ingestion "receive"',
        },
      ]
    : none;

const podsKeepWhatOnlyTheyHave: Rule = ({ ingestion, prometheus: { storage } }) =>
  ingestion === "receive" || storage.emptyDir === undefined
    ? none
    : [
        {
          key: "prometheus.storage.emptyDir",
          value: storage.emptyDir,
          rule: "in the sidecar scheme Prometheus itself keeps the samples, and a pod that moves would leave them behind",
          remedy: 'prometheus.storage.pvc or hostPath, or ingestion "receive"',
        },
      ];

const prometheusHasNodes: Rule = ({ prometheus }) =>
  hostPathProblems({ key: "prometheus", storage: prometheus.storage, antiAffinity: prometheus.antiAffinity, pods: prometheus.replicas });

const prometheusKeepsLessThanItsVolume: Rule = ({ prometheus }) => retentionFitsVolume("prometheus", prometheus);

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
  durationSeconds(prometheusRetentionTime(settings)) >= 2 * 3_600
    ? none
    : [
        {
          key: "prometheus.retention.time",
          value: prometheusRetentionTime(settings),
          rule: "the write-ahead log holds two hours for a ring that is away; a shorter retention cuts below it",
          remedy: "2h or more",
        },
      ];

const externalLabelsAreOurs: Rule = (settings) => {
  const taken = [...reservedLabels(settings), settings.tenancy.label];
  return Object.entries(settings.prometheus.externalLabels)
    .filter(([label]) => taken.includes(label))
    .map(([label, value]) => ({
      key: `prometheus.externalLabels.${label}`,
      value,
      rule: `${taken.join(", ")} are set by this stack, or removed by its querier`,
      remedy: "another label name",
    }));
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

const pagesHaveOnePath: Rule = ({ querier, queryFrontend }) => {
  const [own, frontends] = [querier.externalUrl, queryFrontend?.externalUrl];
  return own === undefined || frontends === undefined || serverOf(own).path === serverOf(frontends).path
    ? none
    : [
        {
          key: "querier.externalUrl",
          value: own,
          rule: `the query frontend shows the queriers' pages, whose links have one path (queryFrontend.externalUrl ${frontends})`,
          remedy: "the same path, or one of the two keys left out",
        },
      ];
};

const namespaceFits: Rule = ({ namespace, existingNamespace }) => {
  const problem = (rule: string, remedy: string): Problem[] => [{ key: "namespace", value: namespace, rule, remedy }];
  if (namespace.endsWith("-volumes")) {
    return problem(
      "a namespace that ends in -volumes may be another stack's, which makes its hostPath directories there",
      "a name that does not end in -volumes",
    );
  }
  if (namespace.startsWith("kube-"))
    return problem("namespaces that begin with kube- are Kubernetes' own", "a name that does not begin with kube-");
  if (namespace !== "default" || existingNamespace) return none;
  return problem("the namespace is made and removed with the stack", "another name, or existingNamespace true");
};

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

const tenantLabelIsFree: Rule = ({ cluster, tenancy }) => {
  const taken = [cluster.label, ...REPLICA_LABELS];
  return taken.includes(tenancy.label)
    ? [
        {
          key: "tenancy.label",
          value: tenancy.label,
          rule: "this label means something else in this stack, and a receiver's label overwrites a sample's on read",
          remedy: `a label that is none of ${taken.join(", ")}`,
        },
      ]
    : none;
};

const thanosIsSupported: Rule = (settings) =>
  SUPPORTED_THANOS.test(imageVersion(settings.images.thanos))
    ? none
    : [
        {
          key: "images.thanos",
          value: settings.images.thanos,
          rule: "flags come and go between releases of Thanos, and an unknown one stops every pod; this release spells those that 0.42 and 0.41 know",
          remedy: "a tag that names 0.42.x, or 0.41.x where an upgrade begins",
        },
      ];

const prometheusIsSupported: Rule = (settings) =>
  SUPPORTED_PROMETHEUS.test(imageVersion(settings.images.prometheus))
    ? none
    : [
        {
          key: "images.prometheus",
          value: settings.images.prometheus,
          rule: "Prometheus ends at its start where it does not know a field of its configuration, and scrape_native_histograms came with 3.8",
          remedy: "a tag that names 3.8.0 or a later release of 3",
        },
      ];

const RULES: readonly Rule[] = [
  namespaceFits,
  ringIsChosen,
  sidecarHasServers,
  podsKeepWhatOnlyTheyHave,
  prometheusHasNodes,
  prometheusKeepsLessThanItsVolume,
  deduplicationFitsSenders,
  scrapeFitsItsInterval,
  prometheusKeepsItsLog,
  externalLabelsAreOurs,
  thanosIsSupported,
  prometheusIsSupported,
  tenantLabelIsFree,
  replicaLabelProblems,
  tooFewNodesForZones,
  pagesHaveOnePath,
];

/**
 * Every problem of the settings; empty where they can be deployed.
 *
 * @param judge Asks each rule. Default: all are asked.
 */
export function problemsOf(settings: Settings, judge = JUDGE_ALL): Problem[] {
  const receive = receiveOf(settings);
  return [
    ...RULES.flatMap((rule) => judge(() => rule(settings))),
    ...judge(() => accessProblems(settings)),
    ...judge(() => furtherEdgeProblems(settings)),
    ...freeFormProblems(settings, judge),
    ...judge(() => tenancyProblems(settings)),
    ...(receive === undefined ? [] : ringProblemsOf(receive, settings, judge)),
    ...bucketProblems(settings, judge),
    ...judge(() => rulerProblems(settings)),
    ...judge(() => tlsProblems(settings)),
    ...judge(() => gatewayProblems(settings)),
    ...judge(() => survivalProblems(settings)),
    ...judge(() => loadProblems(settings)),
    ...judge(() => choiceProblems(settings)),
    ...judge(() => scalingProblems(settings)),
    ...judge(() => identityLabelProblems(settings)),
    ...judge(() => annotationProblems(settings)),
    ...judge(() => extraProblems(settings, podVolumes(settings))),
    ...judge(() => nameProblems(settings)),
    ...judge(() => unlimitedProblems(settings)),
    ...judge(() => telemetryProblems(settings)),
  ];
}
