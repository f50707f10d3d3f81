import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { manifestsOf } from "../../commands/manifests";
import { SECRET_KEYS } from "../../config/secretKeys";
import { prometheusRetentionTime } from "../../model/retention/prometheus";
import { receiveRetentionTime } from "../../model/retention/receivers";
import { ACCEPTABLE_RISKS, settingsSchema } from "../../model/settings/schema";
import {
  CLAIMS,
  configOf,
  load,
  loadRaw,
  type Overrides,
  objects,
  prometheusSets,
  rejection,
  rejectionByProgram,
  rejectionRaw,
  resource,
  ringSettings,
  run,
  STACKS,
  type Stack,
  together,
  workloads,
} from "../harness";

/** A refused configuration: changes to a stack file, and what the refusal says about them. */
interface Refusal {
  title: string;
  stack?: Stack;
  overrides: Overrides;
  /** Key of the problem, and its value as it is shown. */
  key: string;
  value: string;
  rule: RegExp;
  remedy: RegExp;
  /** Lines that it takes: a thing that is wrong in two places is named in both. Default: 1. */
  lines?: number;
  /** Overrides that make the same thing pass. */
  accepted?: Overrides;
}

const ring = (name: string, tenants: string[], replicas = 3) => ({ name, tenants, replicas });
const risks = (...accepts: string[]): Overrides => ({ accepts: ["replicas-on-one-node", ...accepts] });

const BROKEN_RULES: Refusal[] = [
  {
    title: "a grace period that the pause before it fills",
    overrides: { receive: { rollout: { gracePeriodSeconds: 60, preStopSeconds: 60 } } },
    key: "receive.rollout.gracePeriodSeconds",
    value: "60",
    rule: /flush of every head/,
    remedy: /80 or more/,
    accepted: { receive: { rollout: { gracePeriodSeconds: 80, preStopSeconds: 60 } } },
  },
  {
    title: "a ring whose StatefulSet's name is too long",
    overrides: { receive: { hashrings: [{ name: "r".repeat(40), tenants: ["a"], replicas: 3 }] } },
    key: "receive.hashrings[0].name",
    value: `"thanos-receive-${"r".repeat(40)}"`,
    rule: /at most 52 characters/,
    remedy: /3 characters shorter/,
    accepted: { receive: { hashrings: [{ name: "r".repeat(37), tenants: ["a"], replicas: 3 }] } },
  },
  {
    title: "a tenant label that means something else",
    overrides: { tenancy: { label: "cluster" } },
    key: "tenancy.label",
    value: '"cluster"',
    rule: /overwrites a sample's/,
    remedy: /none of cluster/,
    accepted: { tenancy: { label: "team" } },
  },
  {
    title: "pods in turn over a list of nodes that may grow",
    overrides: { receive: { storage: { hostPath: { path: "/data/thanos", nodes: ["a", "b"] } } } },
    key: "receive.storage.hostPath.nodes",
    value: '["a","b"]',
    rule: /away from their data/,
    remedy: /one node, or at least 3/,
    accepted: { receive: { storage: { hostPath: { path: "/data/thanos", nodes: ["a", "b", "c"] } } } },
  },
  {
    title: "relabelling that is no list",
    overrides: { prometheus: { scrapeConfigs: [{ job_name: "x", relabel_configs: "abc" }] } },
    key: "prometheus.scrapeConfigs[0].relabel_configs",
    value: '"abc"',
    rule: /Prometheus has a list here/,
    remedy: /a list/,
  },
  {
    title: "the default namespace",
    overrides: { namespace: "default" },
    key: "namespace",
    value: '"default"',
    rule: /^the namespace is made and removed with the stack$/,
    remedy: /^another name, or existingNamespace true$/,
    accepted: { existingNamespace: true },
  },
  ...[false, true].flatMap((existingNamespace) => [
    {
      title: `a namespace of Kubernetes, existing ${existingNamespace}`,
      overrides: { namespace: "kube-system", existingNamespace },
      key: "namespace",
      value: '"kube-system"',
      rule: /^namespaces that begin with kube- are Kubernetes' own$/,
      remedy: /^a name that does not begin with kube-$/,
      accepted: { namespace: "monitoring" },
    },
    {
      title: `a namespace with another one's directories, existing ${existingNamespace}`,
      overrides: { namespace: "thanos-volumes", existingNamespace },
      key: "namespace",
      value: '"thanos-volumes"',
      rule: /^a namespace that ends in -volumes may be another stack's, which makes its hostPath directories there$/,
      remedy: /^a name that does not end in -volumes$/,
      accepted: { namespace: "thanos" },
    },
  ]),
  {
    title: "fewer receivers than replicas",
    overrides: { receive: { replicas: 2 } },
    key: "receive.replicas",
    value: "2",
    rule: /replication factor 3.*every receiver exits/,
    remedy: /at least 3, or a smaller receive\.replicationFactor/,
  },
  {
    title: "fewer receivers than replicas in a ring of its own",
    overrides: { receive: { hashrings: [ring("a", ["t1"]), ring("b", ["t2"], 1)] } },
    key: "receive.hashrings[1].replicas",
    value: "1",
    rule: /replication factor 3/,
    remedy: /at least 3/,
  },
  {
    title: "one copy",
    overrides: { receive: { replicationFactor: 1 } },
    key: "receive.replicationFactor",
    value: "1",
    rule: /losing one receiver's disk loses its samples/,
    remedy: /3, or "data-loss" in accepts/,
    accepted: risks("data-loss"),
  },
  {
    title: "two copies",
    overrides: { receive: { replicationFactor: 2 } },
    key: "receive.replicationFactor",
    value: "2",
    rule: /acknowledges with one replica/,
    remedy: /3, or "one-copy-acknowledgement" in accepts/,
    accepted: risks("one-copy-acknowledgement"),
  },
  {
    title: "four copies, which survive no more than three",
    overrides: { receive: { replicationFactor: 4, replicas: 4 } },
    key: "receive.replicationFactor",
    value: "4",
    rule: /survive no more lost receivers than 3/,
    remedy: /3 or 5/,
    accepted: { receive: { replicationFactor: 5, replicas: 5 } },
  },
  {
    title: "receivers that zones can't share evenly",
    stack: "prod",
    overrides: { receive: { replicas: 5 } },
    key: "receive.replicas",
    value: "5",
    rule: /evenly over the 3 zones/,
    remedy: /a multiple of 3/,
    accepted: { receive: { replicas: 6 } },
  },
  {
    title: "a ring of its own that zones can't share evenly",
    stack: "prod",
    overrides: { receive: { hashrings: [ring("a", ["t1"], 4)] } },
    key: "receive.hashrings[0].replicas",
    value: "4",
    rule: /evenly over the 3 zones/,
    remedy: /a multiple of 3/,
    accepted: { receive: { hashrings: [ring("a", ["t1"], 9)] } },
  },
  {
    title: "fewer zones than replicas",
    stack: "prod",
    overrides: { cluster: { zones: ["z1", "z2"] }, receive: { replicas: 4 } },
    key: "cluster.zones",
    value: '["z1","z2"]',
    rule: /fewer zones than replicas \(3\)/,
    remedy: /3 zones, or none/,
  },
  {
    title: "two rings of one name",
    overrides: { receive: { hashrings: [ring("a", ["t1"]), ring("a", ["t2"])] } },
    lines: 2,
    key: "receive.hashrings[1].name",
    value: '"a"',
    rule: /a name of its own/,
    remedy: /no other ring has/,
  },
  {
    title: "a ring that takes the default ring's name",
    overrides: { receive: { hashrings: [ring("default", ["t1"])] } },
    key: "receive.hashrings[0].name",
    value: '"default"',
    rule: /a name of its own/,
    remedy: /no other ring has/,
  },
  {
    title: "a tenant of two rings",
    overrides: { receive: { hashrings: [ring("a", ["t1", "t2"]), ring("b", ["t2"])] } },
    lines: 2,
    key: "receive.hashrings[1].tenants",
    value: '"t2"',
    rule: /belongs to one ring/,
    remedy: /each tenant once/,
    accepted: { receive: { hashrings: [ring("a", ["t1", "t2"]), ring("b", ["t3"])] } },
  },
  {
    title: "a tenant twice in one ring",
    overrides: { receive: { hashrings: [ring("a", ["t1", "t1"])] } },
    lines: 2,
    key: "receive.hashrings[0].tenants",
    value: '"t1"',
    rule: /belongs to one ring/,
    remedy: /each tenant once/,
  },
  {
    title: "copies that may share a node",
    overrides: { accepts: [] },
    key: "receive.antiAffinity",
    value: '"soft"',
    rule: /several replicas of a series may be on one node/,
    remedy: /"hard", or "replicas-on-one-node" in accepts/,
    accepted: { accepts: ["replicas-on-one-node"] },
  },
  {
    title: "receivers pinned to fewer nodes than they need",
    overrides: { receive: { antiAffinity: "hard" } },
    key: "receive.storage.hostPath.nodes",
    value: '["dev-1"]',
    rule: /3 pods are pinned to their data and never share a node/,
    remedy: /at least 3 nodes, or antiAffinity "soft"/,
    accepted: { receive: { storage: { hostPath: { nodes: ["n1", "n2", "n3"] } } } },
  },
  {
    title: "Prometheus servers pinned to fewer nodes than they need",
    overrides: { prometheus: { replicas: 2, antiAffinity: "hard" } },
    key: "prometheus.storage.hostPath.nodes",
    value: '["dev-1"]',
    rule: /2 pods are pinned .*prometheus\.antiAffinity/,
    remedy: /at least 2 nodes/,
    accepted: { prometheus: { storage: { hostPath: { nodes: ["n1", "n2"] } } } },
  },
  {
    title: "hostPath receivers in zones",
    overrides: { cluster: { zones: ["z1", "z2", "z3"] } },
    key: "receive.storage.hostPath",
    value: '{"path":"/data/thanos","nodes":["dev-1"]}',
    rule: /says nothing of zones/,
    remedy: /receive\.storage\.pvc, or no cluster\.zones/,
    accepted: CLAIMS,
  },
  {
    title: "an out-of-order window shorter than an outage",
    overrides: { receive: { outOfOrderWindow: "1h59m" } },
    key: "receive.outOfOrderWindow",
    value: '"1h59m"',
    rule: /cut off for an hour is answered 409/,
    remedy: /2h or more/,
    accepted: { receive: { outOfOrderWindow: "120m" } },
  },
  {
    title: "a single Prometheus beside pairs, undecided",
    overrides: { receive: { otherSenders: "pairs" } },
    key: "querier.deduplication",
    value: "(not set)",
    rule: /no function fits both/,
    remedy: /"chain" or "penalty"/,
    accepted: { querier: { deduplication: "chain" } },
  },
  {
    title: "a pair of Prometheus beside single senders, undecided",
    stack: "prod",
    overrides: { receive: { otherSenders: "single" } },
    key: "querier.deduplication",
    value: "(not set)",
    rule: /no function fits both/,
    remedy: /"chain" or "penalty"/,
    accepted: { querier: { deduplication: "penalty" } },
  },
  {
    title: "a scrape that outlasts its interval",
    overrides: { prometheus: { scrapeInterval: "15s", scrapeTimeout: "16s" } },
    key: "prometheus.scrapeTimeout",
    value: '"16s"',
    rule: /ends before the next begins \(prometheus\.scrapeInterval 15s\)/,
    remedy: /at most 15s/,
    accepted: { prometheus: { scrapeTimeout: "15s" } },
  },
  {
    title: "a retention below the write-ahead log",
    overrides: { prometheus: { retention: { time: "119m" } } },
    key: "prometheus.retention.time",
    value: '"119m"',
    rule: /write-ahead log holds two hours/,
    remedy: /2h or more/,
    accepted: { prometheus: { retention: { time: "2h" } } },
  },
  ...(
    [
      ["cluster", /two clusters' series become one/],
      ["tenant_id", /two tenants' series become one/],
      ["receive_replica", /are removed without being named/],
      ["prometheus_replica", /are removed without being named/],
      ["job", /series have this label of their own/],
    ] as const
  ).map(([label, rule]) => ({
    title: `the further replica label ${label}`,
    overrides: { querier: { replicaLabels: ["replica", label] } },
    key: "querier.replicaLabels[1]",
    value: JSON.stringify(label),
    rule,
    remedy: /./,
    accepted: { querier: { replicaLabels: ["replica", "receive"] } },
  })),
  ...(
    [
      ["querier", {}],
      ["queryFrontend", {}],
      ["receive.routers", { receive: { mode: "split" } }],
    ] as const
  ).map(([key, rest]) => {
    const at = (chosen: object): Overrides =>
      key.split(".").reduceRight<Overrides>((inner, name) => ({ [name]: inner }), { replicas: undefined, ...chosen } as Overrides);
    const autoscaling = { min: 1, max: 3, cpu: 80 };
    return {
      title: `hard anti-affinity of ${key} whose number may fall to one`,
      overrides: together(rest as Overrides, at({ autoscaling, antiAffinity: "hard" })),
      key: `${key}.autoscaling.min`,
      value: "1",
      rule: /a Deployment does the one or the other/,
      remedy: /2 or more, or .*antiAffinity "soft"/,
      accepted: together(rest as Overrides, at({ autoscaling: { ...autoscaling, min: 2 }, antiAffinity: "hard" })),
    };
  }),
  {
    title: "a number of pods and its bounds",
    overrides: { querier: { replicas: 2, autoscaling: { min: 2, max: 3, cpu: 80 } } },
    key: "querier.autoscaling",
    value: '{"min":2,"max":3,"cpu":80}',
    rule: /./,
    remedy: /at most one of replicas and autoscaling/,
  },
  {
    title: "bounds the wrong way round",
    overrides: { queryFrontend: { autoscaling: { min: 4, max: 3, cpu: 80 } } },
    key: "queryFrontend.autoscaling",
    value: '{"min":4,"max":3,"cpu":80}',
    rule: /./,
    remedy: /max no smaller than min/,
  },
  {
    title: "a replica label twice",
    overrides: { querier: { replicaLabels: ["replica", "replica"] } },
    key: "querier.replicaLabels",
    value: '["replica","replica"]',
    rule: /./,
    remedy: /every label once/,
  },
  {
    title: "an external label that the querier removes",
    overrides: { querier: { replicaLabels: ["replica"] }, prometheus: { externalLabels: { replica: "x" } } },
    key: "prometheus.externalLabels.replica",
    value: '"x"',
    rule: /replica, tenant_id are set by this stack, or removed by its querier/,
    remedy: /another label name/,
  },
  {
    title: "a label that the compactor takes off and the querier leaves on",
    stack: "prod",
    overrides: { querier: { replicaLabels: ["replica"] }, objectStorage: { compactor: { replicaLabels: ["replica", "receive"] } } },
    key: "objectStorage.compactor.replicaLabels[1]",
    value: '"receive"',
    rule: /served with it and without it/,
    remedy: /querier\.replicaLabels/,
    accepted: {
      querier: { replicaLabels: ["replica", "receive"] },
      objectStorage: { compactor: { replicaLabels: ["replica", "receive"] } },
    },
  },
  {
    title: "replicas of others to be merged where nothing is",
    stack: "prod",
    overrides: {
      ingestion: "sidecar",
      querier: { replicaLabels: ["replica"] },
      objectStorage: { compactor: { replicaLabels: ["replica"], verticalCompaction: false } },
    },
    key: "objectStorage.compactor.replicaLabels",
    value: '["replica"]',
    rule: /verticalCompaction is false/,
    remedy: /or no labels/,
    accepted: { objectStorage: { compactor: { verticalCompaction: true } } },
  },
  ...["cluster", "receive_replica", "prometheus_replica", "tenant_id"].map((label) => ({
    title: `the external label ${label}, which is ours`,
    overrides: { prometheus: { externalLabels: { [label]: "x" } } },
    key: `prometheus.externalLabels.${label}`,
    value: '"x"',
    rule: /are set by this stack/,
    remedy: /another label name/,
  })),
  ...["namespace", "job", "pod", "zone", "service", "le", "alertname", "__name__", "__tmp"].flatMap((label) => {
    const refused = { rule: /series have this label of their own/, remedy: /none of __name__, job, .*begin with __/ };
    return [
      {
        ...refused,
        title: `the external label ${label}, which series have of their own`,
        overrides: { prometheus: { externalLabels: { [label]: "x" } } },
        key: `prometheus.externalLabels.${label}`,
        value: '"x"',
      },
      {
        ...refused,
        title: `the tenant label ${label}, which series have of their own`,
        overrides: { tenancy: { label } },
        key: "tenancy.label",
        value: JSON.stringify(label),
        accepted: { tenancy: { label: "team" } },
      },
      {
        ...refused,
        title: `the cluster label ${label}, which series have of their own`,
        overrides: { cluster: { label } },
        key: "cluster.label",
        value: JSON.stringify(label),
        accepted: { cluster: { label: "datacenter" } },
      },
    ];
  }),
  {
    title: "an external label that is this environment's tenant label",
    overrides: { tenancy: { label: "team" }, prometheus: { externalLabels: { team: "x" } } },
    key: "prometheus.externalLabels.team",
    value: '"x"',
    rule: /are set by this stack/,
    remedy: /another label name/,
    accepted: { tenancy: { label: "tenant" } },
  },
  {
    title: "a scrape config without a name",
    overrides: { prometheus: { scrapeConfigs: [{ static_configs: [] }] } },
    key: "prometheus.scrapeConfigs[0].job_name",
    value: "(not set)",
    rule: /this field is required/,
    remedy: /a value/,
  },
  {
    title: "a scrape config that takes a name of ours",
    overrides: { prometheus: { scrapeConfigs: [{ job_name: "kubelet" }] } },
    key: "prometheus.scrapeConfigs[0].job_name",
    value: '"kubelet"',
    rule: /a name of its own/,
    remedy: /none of .*kubelet/,
  },
  {
    title: "two scrape configs of one name",
    overrides: { prometheus: { scrapeConfigs: [{ job_name: "a" }, { job_name: "a" }] } },
    key: "prometheus.scrapeConfigs[1].job_name",
    value: '"a"',
    rule: /a name of its own/,
    remedy: /^a name other than that of scrapeConfigs\[0\]$/,
    accepted: { prometheus: { scrapeConfigs: [{ job_name: "a" }, { job_name: "b" }] } },
  },
  {
    title: "a Thanos whose flags this release does not spell",
    overrides: { images: { thanos: "registry.example:5000/thanos:v0.40.1" } },
    key: "images.thanos",
    value: '"registry.example:5000/thanos:v0.40.1"',
    rule: /an unknown one stops every pod/,
    remedy: /a tag that names 0\.42\.x, or 0\.41\.x/,
    accepted: { images: { thanos: "registry.example:5000/thanos:v0.42.9" } },
  },
  {
    title: "a Prometheus that does not know a field of its configuration",
    overrides: { images: { prometheus: "registry.example:5000/prometheus:v3.7.3" } },
    key: "images.prometheus",
    value: '"registry.example:5000/prometheus:v3.7.3"',
    rule: /scrape_native_histograms came with 3\.8/,
    remedy: /a tag that names 3\.8\.0 or a later release of 3/,
    accepted: { images: { prometheus: "registry.example:5000/prometheus:v3.10.0-distroless" } },
  },
  {
    title: "a text that is empty where it names something",
    overrides: { cluster: { context: "" } },
    key: "cluster.context",
    value: '""',
    rule: /this key is not empty/,
    remedy: /1 character/,
  },
  {
    title: "a promise about zones that the configuration does not name",
    overrides: { survives: { zones: 1 } },
    key: "survives.zones",
    value: "1",
    rule: /without cluster\.zones nothing is known of zones/,
    remedy: /0, or the cluster's zones/,
    accepted: { survives: { zones: 0 } },
  },
];

/** Keys that the schema knows, as the refusal lists them. */
const keysOf = (schema: { shape: Record<string, unknown> }, others: readonly string[] = []) =>
  new RegExp(`^one of ${[...Object.keys(schema.shape), ...others].sort().join(", ")}$`);

const BROKEN_SHAPES: Refusal[] = [
  {
    title: "an unknown key at the top",
    overrides: { recieve: { replicas: 3 } },
    key: "recieve",
    value: '{"replicas":3}',
    rule: /there is no such key/,
    remedy: keysOf(settingsSchema, SECRET_KEYS),
  },
  {
    title: "an unknown key inside",
    overrides: { receive: { replica: 3 } },
    key: "receive.replica",
    value: "3",
    rule: /there is no such key/,
    remedy: keysOf(settingsSchema.shape.receive.unwrap()),
  },
  {
    title: "an unknown key inside an object with defaults",
    overrides: { receive: { rollout: { grace: 3 } } },
    key: "receive.rollout.grace",
    value: "3",
    rule: /there is no such key/,
    remedy: /^one of gracePeriodSeconds, minReadySeconds, preStopSeconds, restartedAt$/,
  },
  {
    title: "an unknown key inside an object that may be left out",
    overrides: { queryFrontend: { replica: 3 } },
    key: "queryFrontend.replica",
    value: "3",
    rule: /there is no such key/,
    remedy:
      /^one of antiAffinity, autoscaling, cache, externalUrl, extra, logging, maxFreshness, maxParallelism, maxRange, .*, splitInterval, verticalShards$/,
  },
  {
    title: "an unknown key inside a list",
    overrides: { receive: { hashrings: [{ ...ring("a", ["t"]), zone: "z1" }] } },
    key: "receive.hashrings[0].zone",
    value: '"z1"',
    rule: /there is no such key/,
    remedy: /^one of antiAffinity, name, pods, replicas, resources, retention, shuffleSharding, storage, tenants, zones$/,
  },
  {
    title: "an unknown key inside a named entry",
    overrides: { receive: { limits: { tenants: { "default-tenant": { headSerie: 1 } } } } },
    key: "receive.limits.tenants.default-tenant.headSerie",
    value: "1",
    rule: /there is no such key/,
    remedy: /^one of headSeries, request$/,
  },
  {
    title: "an unknown key inside storage",
    overrides: { receive: { storage: { hostPath: { node: "a" } } } },
    key: "receive.storage.hostPath.node",
    value: '"a"',
    rule: /there is no such key/,
    remedy: /^one of nodes, path$/,
  },
  {
    title: "a missing object",
    overrides: { cluster: undefined },
    key: "cluster",
    value: "(not set)",
    rule: /this key is required/,
    remedy: /^a map of keys: context, domain, kubeconfig, label, name, zones$/,
  },
  {
    title: "a missing text",
    overrides: { cluster: { context: undefined } },
    key: "cluster.context",
    value: "(not set)",
    rule: /this key is required/,
    remedy: /^text$/,
  },
  {
    title: "a missing namespace",
    overrides: { namespace: undefined },
    key: "namespace",
    value: "(not set)",
    rule: /this key is required/,
    remedy: /^a /,
  },
  {
    title: "a text for a number",
    overrides: { receive: { replicas: "3" } },
    key: "receive.replicas",
    value: '"3"',
    rule: /^this key holds a whole number$/,
    remedy: /^a whole number from 1 to 300$/,
  },
  {
    title: "a fraction for a count",
    overrides: { receive: { replicas: 3.5 } },
    key: "receive.replicas",
    value: "3.5",
    rule: /this key holds/,
    remedy: /^a whole number from 1 to 300$/,
  },
  {
    title: "a text for a switch",
    overrides: { receive: { publishNotReadyPeers: "no" } },
    key: "receive.publishNotReadyPeers",
    value: '"no"',
    rule: /^this key holds true or false$/,
    remedy: /^true or false$/,
  },
  {
    title: "an object for a list",
    overrides: { accepts: { risk: "data-loss" } },
    key: "accepts",
    value: '{"risk":"data-loss"}',
    rule: /^this key holds a list$/,
    remedy: /^a list, each entry one of "data-loss", /,
  },
  {
    title: "nothing where an object belongs",
    overrides: { survives: null },
    key: "survives",
    value: "null",
    rule: /^nothing is behind this key, which holds a map of keys$/,
    remedy: /^a map of keys: nodes, zones; \{\} for all defaults; or the key left out$/,
    accepted: { survives: {} },
  },
  {
    title: "a value that is none of those allowed",
    overrides: { receive: { mode: "router" } },
    key: "receive.mode",
    value: '"router"',
    rule: /not a value of this key/,
    remedy: /"router-ingester", "split"/,
  },
  {
    title: "a risk that does not exist",
    overrides: { accepts: ["replicas-on-one-node", "data-los"] },
    key: "accepts[1]",
    value: '"data-los"',
    rule: /not a value of this key/,
    remedy: new RegExp(
      Object.keys(ACCEPTABLE_RISKS)
        .map((risk) => `"${risk}"`)
        .join(", "),
    ),
  },
  {
    title: "less than the least",
    overrides: { receive: { rollout: { gracePeriodSeconds: 29 } } },
    key: "receive.rollout.gracePeriodSeconds",
    value: "29",
    rule: /too small/,
    remedy: /at least 30/,
    accepted: { receive: { rollout: { gracePeriodSeconds: 30 } } },
  },
  {
    title: "more than the most",
    overrides: { prometheus: { replicas: 6 } },
    key: "prometheus.replicas",
    value: "6",
    rule: /too large/,
    remedy: /at most 5/,
    accepted: { prometheus: { replicas: 5 } },
  },
  {
    title: "more than any whole number",
    overrides: { prometheus: { replicas: 1e17 } },
    key: "prometheus.replicas",
    value: "100000000000000000",
    rule: /too large/,
    remedy: /at most 5/,
    accepted: { prometheus: { replicas: 5 } },
  },
  {
    title: "a header with a credential for the name of who asks",
    overrides: { queryFrontend: { slowQueries: { userHeader: "Authorization" } } },
    key: "queryFrontend.slowQueries.userHeader",
    value: '"Authorization"',
    rule: /would stand in the log/,
    remedy: /X-Forwarded-User/,
    accepted: { queryFrontend: { slowQueries: { userHeader: "X-Forwarded-User" } } },
  },
  {
    title: "an address of people with / at its end",
    overrides: { querier: { externalUrl: "https://example.com/thanos/" } },
    key: "querier.externalUrl",
    value: '"https://example.com/thanos/"',
    rule: /not of the form/,
    remedy: /without \/ at its end/,
    accepted: { querier: { externalUrl: "https://example.com/thanos" } },
  },
  {
    title: "a network of IPv6 that is spelt otherwise",
    overrides: { access: { readers: ["FD00:0::/8"] } },
    key: "access.readers[0]",
    value: '"FD00:0::/8"',
    rule: /not of the form/,
    remedy: /the same as Kubernetes writes it: fd00::\/8/,
    accepted: { access: { readers: ["fd00::/8"] } },
  },
  {
    title: "the address of a name server without a prefix",
    overrides: { network: { dns: [{ network: "fd00::10" }] } },
    key: "network.dns[0].network",
    value: '"fd00::10"',
    rule: /not of the form/,
    remedy: /the address as a network: fd00::10\/128/,
    accepted: { network: { dns: [{ network: "fd00::10/128" }] } },
  },
  {
    title: "an empty list where one entry is needed",
    overrides: { receive: { storage: { hostPath: { nodes: [] } } } },
    key: "receive.storage.hostPath.nodes",
    value: "[]",
    rule: /not empty/,
    remedy: /at least 1 entry/,
  },
  {
    title: "both kinds of storage",
    overrides: { receive: { storage: { pvc: { size: "1Gi" } } } },
    key: "receive.storage",
    value: '{"hostPath":{"path":"/data/thanos","nodes":["dev-1"]},"pvc":{"size":"1Gi"}}',
    rule: /not of the form/,
    remedy: /exactly one of hostPath and pvc/,
  },
  {
    title: "no storage",
    overrides: { prometheus: { storage: { hostPath: undefined } } },
    key: "prometheus.storage",
    value: "{}",
    rule: /not of the form/,
    remedy: /exactly one of hostPath, pvc and emptyDir/,
  },
  {
    title: "a node named twice",
    overrides: { receive: { storage: { hostPath: { nodes: ["n1", "n1"] } } } },
    key: "receive.storage.hostPath.nodes",
    value: '["n1","n1"]',
    rule: /not of the form/,
    remedy: /every node once/,
  },
  {
    title: "a zone named twice",
    stack: "prod",
    overrides: { cluster: { zones: ["z1", "z1", "z2"] } },
    key: "cluster.zones",
    value: '["z1","z1","z2"]',
    rule: /not of the form/,
    remedy: /every zone once/,
  },
  ...["2 hours", "2h ", "1m2h", "1.5h", "h", "", "-1h", "2H"].map((value) => ({
    title: `the duration ${JSON.stringify(value)}`,
    overrides: { receive: { outOfOrderWindow: value } },
    key: "receive.outOfOrderWindow",
    value: JSON.stringify(value),
    rule: /not of the form/,
    remedy: /a duration such as 30s, 2h or 15d/,
  })),
  ...["512MB", "1 Gi", "lots", "", "-1Gi", "1e3Ki", "1gi"].map((value) => ({
    title: `the size ${JSON.stringify(value)}`,
    overrides: { receive: { resources: { memory: value } } },
    key: "receive.resources.memory",
    value: JSON.stringify(value),
    rule: /not of the form/,
    remedy: /a quantity of bytes such as 512Mi/,
  })),
  ...["50%", "0.5m", "m", "-1", ""].map((value) => ({
    title: `the CPU ${JSON.stringify(value)}`,
    overrides: { querier: { resources: { cpu: value } } },
    key: "querier.resources.cpu",
    value: JSON.stringify(value),
    rule: /not of the form/,
    remedy: /a quantity of CPU such as 250m/,
  })),
  ...["../../etc", "a/b", "", ".hidden", "a b"].map((value) => ({
    title: `the tenant ${JSON.stringify(value)}`,
    overrides: { receive: { hashrings: [ring("a", [value])] } },
    key: "receive.hashrings[0].tenants[0]",
    value: JSON.stringify(value),
    rule: /not of the form/,
    remedy: /it names a directory/,
  })),
  {
    title: "a default tenant that is no directory name",
    overrides: { tenancy: { defaultTenant: ".." } },
    key: "tenancy.defaultTenant",
    value: '".."',
    rule: /not of the form/,
    remedy: /it names a directory/,
  },
  {
    title: "limits of a tenant that is no directory name",
    overrides: { receive: { limits: { tenants: { "a/b": {} } } } },
    key: "receive.limits.tenants.a/b",
    value: "{}",
    rule: /the name of an entry is not allowed/,
    remedy: /it names a directory/,
  },
  {
    title: "an external label that Prometheus does not know as one",
    overrides: { prometheus: { externalLabels: { "my-label": "x" } } },
    key: "prometheus.externalLabels.my-label",
    value: '"x"',
    rule: /the name of an entry is not allowed/,
    remedy: /a Prometheus label name/,
  },
  ...["Thanos", "thanos_dev", "a.b", "-a", "a-", "a".repeat(64)].map((value) => ({
    title: `the namespace ${JSON.stringify(value)}`,
    overrides: { namespace: value },
    key: "namespace",
    value: JSON.stringify(value),
    rule: /not of the form/,
    remedy: /at most 63 lower-case letters/,
  })),
  {
    title: "a relative path",
    overrides: { receive: { storage: { hostPath: { path: "data/thanos" } } } },
    key: "receive.storage.hostPath.path",
    value: '"data/thanos"',
    rule: /not of the form/,
    remedy: /an absolute path/,
  },
  ...["thanos", "thanos:latest", "registry.example:5000/thanos", "quay.io/thanos/thanos@sha256:00", "a b:v1", ""].map((value) => ({
    title: `the image ${JSON.stringify(value)}`,
    overrides: { images: { prometheus: value } },
    key: "images.prometheus",
    value: JSON.stringify(value),
    rule: /not of the form/,
    remedy: /an image with a tag that is not latest/,
  })),
  {
    title: "an endpoint with a scheme",
    overrides: { querier: { endpoints: ["http://querier:10901"] } },
    key: "querier.endpoints[0]",
    value: '"http://querier:10901"',
    rule: /not of the form/,
    remedy: /an address: host:port, dns\+host:port or dnssrv\+/,
  },
];

/** The line of a problem, apart: `  - key = value: rule. Accepted: remedy.` */
function parts(line: string): { key: string; value: string; rule: string; remedy: string } {
  const match = /^ {2}- (.+?) = (.*?): (.*)\. Accepted: (.*)\.$/s.exec(line);
  assert.ok(match !== null, `not the form of a problem: ${line}`);
  const [, key = "", value = "", rule = "", remedy = ""] = match;
  return { key, value, rule, remedy };
}

async function assertRefused({ stack = "dev", overrides, key, value, rule, remedy, lines = 1 }: Refusal): Promise<void> {
  const { problems, registered, message } = await rejection(stack, overrides);
  const line = problems.find((problem) => problem.startsWith(`  - ${key} = `));
  assert.ok(line !== undefined, `no problem at ${key}:\n${message}`);
  // A value may hold what separates the parts, so it is cut off by its known text.
  assert.ok(line.startsWith(`  - ${key} = ${value}: `), `shown value: ${line}`);
  const said = parts(`  - ${key} = v: ${line.slice(`  - ${key} = ${value}: `.length)}`);
  assert.match(said.rule, rule);
  assert.match(said.remedy, remedy);
  assert.equal(problems.length, lines, `more than was broken:\n${message}`);
  assert.deepEqual(registered, []);
}

describe("config: rules of the domain", () => {
  for (const refusal of BROKEN_RULES) {
    it(`refuses ${refusal.title}`, () => assertRefused(refusal));
    const { accepted, overrides, stack = "dev", title } = refusal;
    if (accepted !== undefined) {
      it(`accepts what the remedy for ${title} says`, async () => {
        await load(stack, together(overrides, accepted));
      });
    }
  }

  it("accepts every risk only by its own name", async () => {
    const one = { receive: { replicationFactor: 1 }, accepts: ["replicas-on-one-node", "one-copy-acknowledgement"] };
    assert.match((await rejection("dev", one)).message, /"data-loss" in accepts/);
    const two = { receive: { replicationFactor: 2 }, accepts: ["replicas-on-one-node", "data-loss"] };
    assert.match((await rejection("dev", two)).message, /"one-copy-acknowledgement" in accepts/);
  });
});

describe("config: schema", () => {
  for (const refusal of BROKEN_SHAPES) {
    it(`refuses ${refusal.title}`, () => assertRefused(refusal));
    const { accepted, overrides, stack = "dev", title } = refusal;
    if (accepted !== undefined) {
      it(`accepts what the remedy for ${title} says`, async () => {
        await load(stack, together(overrides, accepted));
      });
    }
  }

  it("refuses text that is not YAML of the kind that the key holds, whatever it is", async () => {
    const { problems, registered } = await rejectionRaw("dev", { ...configOf("dev"), "thanos-stack:survives": "everything" });
    assert.deepEqual(problems, ['  - survives = "everything": this key holds a map of keys. Accepted: a map of keys: nodes, zones.']);
    assert.deepEqual(registered, []);
  });
});

describe("config: all problems at once", () => {
  it("names the file, counts, and has a line for each", async () => {
    const { message, problems } = await rejection("dev", {
      namespace: "Dev",
      recieve: {},
      receive: { replicas: 0, mode: "both", rollout: { preStopSeconds: 121 } },
      querier: { timeout: "soon" },
      prometheus: { storage: { hostPath: undefined } },
    });
    assert.match(message, /^Pulumi\.dev\.yaml: 7 problems, nothing was changed:\n/);
    const keys = problems.map((line) => parts(line).key).sort();
    assert.deepEqual(keys, [
      "namespace",
      "prometheus.storage",
      "querier.timeout",
      "receive.mode",
      "receive.replicas",
      "receive.rollout.preStopSeconds",
      "recieve",
    ]);
  });

  it("reports every broken rule of a configuration whose form is right", async () => {
    const { message, problems } = await rejection("dev", {
      namespace: "default",
      accepts: [],
      receive: { replicas: 2, outOfOrderWindow: "1h", otherSenders: "pairs", antiAffinity: "soft" },
      prometheus: { scrapeTimeout: "31s", retention: { time: "1h" }, externalLabels: { cluster: "x" }, scrapeConfigs: [{}] },
      survives: { zones: 1 },
    });
    assert.match(message, /: 10 problems, /);
    assert.equal(problems.length, 10);
    assert.equal(new Set(problems.map((line) => parts(line).key)).size, 10);
  });

  it("says one problem in the singular", async () => {
    assert.match((await rejection("prod", { namespace: "default" })).message, /^Pulumi\.prod\.yaml: 1 problem, nothing was changed:\n/);
  });
});

describe("config: the program refuses before it registers anything", () => {
  const refused: { title: string; stack: Stack; overrides: Overrides; message: RegExp }[] = [
    { title: "a wrong form", stack: "prod", overrides: { receive: { replicas: "3" } }, message: /receive\.replicas = "3"/ },
    { title: "a broken rule", stack: "prod", overrides: { receive: { replicas: 2 } }, message: /receive\.replicas = 2/ },
    {
      title: "less availability than is declared",
      stack: "prod",
      overrides: { survives: { nodes: 2 } },
      message: /survives\.nodes = 2: the plan survives the loss of 1 node, since .*Accepted: receive\.replicationFactor 5/s,
    },
    {
      title: "one querier where a lost node is to be survived",
      stack: "prod",
      overrides: { querier: { replicas: 1 } },
      message: /survives\.nodes = 1: .*querier/s,
    },
    {
      title: "missing rules",
      stack: "dev",
      overrides: { prometheus: { ruleFolder: "no-such-directory" } },
      message: /the directory can't be read/,
    },
  ];
  for (const { title, stack, overrides, message } of refused) {
    it(title, async () => {
      const found = await rejectionByProgram(stack, overrides);
      assert.match(found.message, message);
      assert.deepEqual(found.registered, []);
    });
  }

  it("and the count of registered resources would show one", async () => {
    const { resources } = await run("dev");
    assert.ok(resources.length > 10);
  });
});

describe("config: what is accepted", () => {
  for (const stack of STACKS) {
    it(`Pulumi.${stack}.yaml`, async () => {
      const { settings } = await load(stack);
      assert.equal(settings.cluster.name, stack);
      assert.equal(settings.namespace, `thanos-${stack}`);
    });
  }

  it("the smallest configuration, with the defaults of a production ring", async () => {
    const storage = { pvc: { size: "10Gi" } };
    const { settings } = await loadRaw("new", {
      "thanos-stack:cluster": { name: "new", context: "new" },
      "thanos-stack:namespace": "thanos",
      "thanos-stack:access": { senders: [], readers: [] },
      "thanos-stack:receive": { storage },
      "thanos-stack:prometheus": { storage },
    });
    assert.equal(settings.protect, true);
    assert.deepEqual(settings.accepts, []);
    assert.equal(settings.cluster.domain, "cluster.local");
    assert.deepEqual(settings.cluster.zones, []);
    assert.deepEqual(settings.survives, { nodes: 0, zones: 0 });
    assert.deepEqual(settings.tenancy, { header: "THANOS-TENANT", defaultTenant: "default-tenant", label: "tenant_id" });
    const { querier, prometheus } = settings;
    const receive = ringSettings(settings);
    assert.equal(receive.mode, "router-ingester");
    assert.equal(receive.replicas, 3);
    assert.equal(receive.replicationFactor, 3);
    assert.equal(receive.antiAffinity, "hard");
    assert.equal(receive.outOfOrderWindow, "2h");
    assert.deepEqual(receive.retention, {});
    assert.equal(receiveRetentionTime(receive, settings), "15d");
    assert.equal(settings.ingestion, "receive");
    assert.equal(settings.objectStorage, undefined);
    assert.equal(settings.ruler, undefined);
    assert.deepEqual(settings.alerting, { alertmanagers: [], client: {} });
    assert.equal(prometheusRetentionTime(settings), "6h");
    assert.deepEqual(receive.rollout, { preStopSeconds: 5, minReadySeconds: 25, gracePeriodSeconds: 900 });
    assert.deepEqual(receive.limits, { maxConcurrency: 0, default: {}, tenants: {} });
    assert.equal(querier.replicas, 2);
    assert.equal(querier.deduplication, undefined);
    assert.equal(settings.queryFrontend, undefined);
    assert.equal(prometheus.replicas, 2);
    assert.equal(prometheus.shards, 1);
    assert.equal(prometheus.mode, "server");
    assert.equal(prometheus.kubeletCertificates, "verify");
    assert.equal(prometheus.ruleFolder, "rules");
  });

  it("the smallest configuration of the sidecar scheme: no ring is named", async () => {
    const { settings, bucketCredentials, credentials } = await loadRaw("new", {
      "thanos-stack:cluster": { name: "new", context: "new" },
      "thanos-stack:namespace": "thanos",
      "thanos-stack:access": { readers: [] },
      "thanos-stack:ingestion": "sidecar",
      "thanos-stack:prometheus": { storage: { pvc: { size: "10Gi" } } },
    });
    assert.equal(settings.ingestion, "sidecar");
    assert.equal(settings.receive, undefined);
    assert.deepEqual([bucketCredentials, credentials], [undefined, {}]);
    assert.deepEqual(settings.prometheus.sidecar, {
      resources: { cpu: "50m", memory: "256Mi" },
      storeLimits: {},
      logging: {},
      extra: {},
    });
    assert.deepEqual(settings.prometheus.remoteWrite.otherTargets, []);
    assert.equal(prometheusRetentionTime(settings), "15d", "nobody else keeps samples");
  });

  it("a key that is a word, and no other word", async () => {
    for (const word of ["sidecar", "receive"]) {
      const { settings } = await loadRaw("dev", { ...configOf("dev"), "thanos-stack:ingestion": word });
      assert.equal(settings.ingestion, word);
    }
    const { problems } = await rejectionRaw("dev", { ...configOf("dev"), "thanos-stack:ingestion": "side car" });
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", /^ {2}- ingestion = "side car": not a value of this key\. Accepted: "receive", "sidecar"\.$/);
  });

  it("a query frontend with nothing but its name", async () => {
    const { settings } = await load("dev", { queryFrontend: {} });
    assert.equal(settings.queryFrontend?.replicas, 2);
    assert.equal(settings.queryFrontend?.cache.memory, "256Mi");
  });

  it("a namespace of digits only is text and no number", async () => {
    const { settings } = await loadRaw("dev", { ...configOf("dev"), "thanos-stack:namespace": "5" });
    assert.equal(settings.namespace, "5");
  });
});

describe("config: kubeconfig", () => {
  const kept = process.env.KUBECONFIG;
  afterEach(() => {
    if (kept === undefined) delete process.env.KUBECONFIG;
    else process.env.KUBECONFIG = kept;
  });

  const cases = [
    { title: "the configured path", configured: "/etc/kube", environment: "/from/environment", expected: "/etc/kube" },
    { title: "the configured path in the home directory", configured: "~/kube", environment: undefined, expected: join(homedir(), "kube") },
    { title: "KUBECONFIG", configured: undefined, environment: "/from/environment", expected: "/from/environment" },
    { title: "the first path of KUBECONFIG", configured: undefined, environment: ":/first:/second", expected: "/first" },
    {
      title: "the home directory's, without KUBECONFIG",
      configured: undefined,
      environment: undefined,
      expected: join(homedir(), ".kube/config"),
    },
    {
      title: "the home directory's, with an empty KUBECONFIG",
      configured: undefined,
      environment: "",
      expected: join(homedir(), ".kube/config"),
    },
  ];
  for (const { title, configured, environment, expected } of cases) {
    it(title, async () => {
      if (environment === undefined) delete process.env.KUBECONFIG;
      else process.env.KUBECONFIG = environment;
      const { kubeconfig } = await load("dev", { cluster: { kubeconfig: configured } });
      assert.equal(kubeconfig, expected);
    });
  }
});

describe("config: the bucket's credentials", () => {
  const CREDENTIALS = { accessKey: "AKIAQWERTYUIOPASDFGH", secretKey: "n0body+may/see-this" };
  const secrets = { objectStorageCredentials: CREDENTIALS };
  const hidden = (text: string, what: string) => {
    for (const value of Object.values(CREDENTIALS)) assert.ok(!text.includes(value), `${what} shows a credential`);
  };

  it("come to one Secret, which every pod of the bucket mounts, and to nothing else that anybody reads", async () => {
    const made = await run("prod", {}, { secrets });
    const all = manifestsOf(made.resources);
    const withData = all.filter((manifest) => manifest.kind === "Secret");
    assert.deepEqual(
      withData.map(({ stringData, data }) => [stringData, data]),
      [[{ "objstore.yaml": "(secret)" }, undefined]],
    );
    hidden(JSON.stringify(all), "a manifest");
    hidden(JSON.stringify(made.outputs), "an output");
    hidden(made.messages.join("\n"), "a message");
    const name = withData[0]?.metadata.name;
    const mounting = workloads(made).filter((each) =>
      (each.spec.template.spec.volumes ?? []).some((volume) => volume.secret?.secretName === name),
    );
    assert.deepEqual([...new Set(mounting.map((each) => each.metadata.labels["app.kubernetes.io/component"]))].sort(), [
      "compactor",
      "receive",
      "store-gateway",
    ]);
  });

  it("are in what the engine keeps as a secret", async () => {
    const made = await run("prod", {}, { secrets });
    const secret = resource(made, "kubernetes:core/v1:Secret", "object-storage");
    // Signature of a secret in the engine's protocol.
    const content = secret.inputs.stringData as Record<string, unknown>;
    assert.equal(content["4dabf18193072939515e22adb298388d"], "1b47061264138c4ac30d75fd1eb44270");
    const { "objstore.yaml": text } = content.value as Record<string, string>;
    const { config } = parse(text ?? "") as { config: Record<string, unknown> };
    assert.deepEqual([config.access_key, config.secret_key], Object.values(CREDENTIALS));
    const others = made.resources.filter((each) => each !== secret);
    hidden(JSON.stringify(others), "another resource");
  });

  it("make another Secret when they change, so that pods take them up; the pods' own identity needs none of them", async () => {
    const nameOf = async (keys?: object) => {
      const made = await run("prod", {}, keys === undefined ? {} : { secrets: { objectStorageCredentials: keys } });
      return objects(made, "Secret").map((each) => each.metadata.name);
    };
    const [first] = await nameOf(CREDENTIALS);
    const [changed] = await nameOf({ ...CREDENTIALS, secretKey: "another" });
    const [none] = await nameOf();
    assert.equal(new Set([first, changed, none]).size, 3);
  });

  it("are refused in plain text, without being shown", async () => {
    const refused = await rejectionByProgram("prod", secrets);
    assert.deepEqual(refused.registered, []);
    assert.equal(refused.problems.length, 1);
    assert.match(
      refused.message,
      /objectStorageCredentials = "\(secret\)": credentials are encrypted in the stack file\. Accepted: pulumi config set --secret thanos-stack:objectStorageCredentials /,
    );
    hidden(refused.message, "the refusal");
  });

  const wrong: { title: string; overrides: Overrides; keys: unknown; rule: RegExp }[] = [
    {
      title: "for a bucket of another kind",
      overrides: { objectStorage: { s3: undefined, gcs: { bucket: "blocks" } } },
      keys: CREDENTIALS,
      rule: /not the credentials of a bucket of kind gcs/,
    },
    {
      title: "that are incomplete",
      overrides: {},
      keys: { accessKey: CREDENTIALS.accessKey },
      rule: /not the credentials of a bucket of kind s3/,
    },
    {
      title: "with more than belongs to them",
      overrides: {},
      keys: { ...CREDENTIALS, region: CREDENTIALS.secretKey },
      rule: /not the credentials/,
    },
    { title: "without a bucket", overrides: { objectStorage: undefined }, keys: CREDENTIALS, rule: /credentials without a bucket/ },
    { title: "that are no map of keys", overrides: {}, keys: `${CREDENTIALS.secretKey}{`, rule: /this key holds a map of keys/ },
    {
      title: "that Thanos would expand",
      overrides: {},
      keys: { ...CREDENTIALS, secretKey: `$(HOME)${CREDENTIALS.secretKey}` },
      rule: /replaces \$\(NAME\)/,
    },
  ];
  for (const { title, overrides, keys, rule } of wrong) {
    it(`are refused ${title}, without being shown`, async () => {
      const refused = await rejectionByProgram("prod", overrides, { objectStorageCredentials: keys });
      assert.deepEqual(refused.registered, []);
      assert.match(refused.message, rule);
      for (const line of refused.problems) assert.match(line, /^ {2}- objectStorageCredentials = "\(secret\)": /);
      hidden(refused.message, "the refusal");
    });
  }

  it("are refused with every other problem at once, and no message shows them", async () => {
    const refused = await rejectionByProgram(
      "prod",
      { receive: { replicas: 1 } },
      { objectStorageCredentials: { accessKey: CREDENTIALS.accessKey } },
    );
    assert.ok(refused.problems.some((line) => line.includes("receive.replicas")));
    assert.ok(refused.problems.some((line) => line.includes("objectStorageCredentials")));
    hidden(refused.message, "the refusal");
  });

  it("reach sidecars, in a Secret alone there too", async () => {
    const made = await run("prod", { ingestion: "sidecar" }, { secrets });
    const [set] = prometheusSets(made);
    assert.ok(set?.spec.template.spec.volumes?.some((volume) => volume.secret !== undefined));
    hidden(JSON.stringify(manifestsOf(made.resources)), "a manifest");
    hidden(JSON.stringify(made.outputs), "an output");
  });
});

describe("config: one bucket for each stack", () => {
  const PROD = { s3: { bucket: "thanos-prod", endpoint: "s3.eu-central-1.amazonaws.com", region: "eu-central-1" } };
  const PARTS = {
    storeGateway: { storage: { pvc: { size: "10Gi" } } },
    compactor: { storage: { pvc: { size: "10Gi" } } },
  };
  const clash =
    /objectStorage\.prefix = .*: stack prod keeps its blocks in the same directory of the same bucket .* two compactors would delete each other's/;

  it("the bucket of another stack file is refused, by whatever name its server has", async () => {
    for (const endpoint of [PROD.s3.endpoint, "s3.amazonaws.com", "s3.dualstack.eu-central-1.amazonaws.com:443"]) {
      const { problems } = await rejection("dev", { objectStorage: { ...PARTS, s3: { ...PROD.s3, endpoint } } });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", clash);
    }
  });

  it("another directory or another bucket is accepted, and a stack's own file is no other stack", async () => {
    await load("dev", { objectStorage: { ...PARTS, ...PROD, prefix: "dev" } });
    await load("dev", { objectStorage: { ...PARTS, s3: { ...PROD.s3, bucket: "thanos-dev" } } });
    await load("prod");
  });

  it("a stack without a file of its own is compared with all that there are", async () => {
    const config = Object.fromEntries(Object.entries(configOf("prod")));
    const { problems } = await rejectionRaw("staging", config);
    assert.match(problems.join("\n"), clash);
  });
});
