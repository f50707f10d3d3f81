import { CLAIMS, type Overrides, type Stack, together } from "../harness";

/** Plans that together take every branch of the program. What must hold for every environment is checked over all of them. */
export interface Plan {
  title: string;
  stack: Stack;
  overrides: Overrides;
}

const TENANT_RINGS = [
  { name: "payments", tenants: ["cards", "ledger"], replicas: 6 },
  { name: "bulk", tenants: ["logs"], replicas: 3 },
];

export const DEV: Plan = { title: "dev", stack: "dev", overrides: {} };
export const PROD: Plan = { title: "prod", stack: "prod", overrides: {} };

/** Receivers that route and store, over zones, with rings for tenants, and every option set. */
export const EVERYTHING: Plan = {
  title: "every option, zones",
  stack: "prod",
  overrides: {
    protect: false,
    receive: {
      mode: "router-ingester",
      replicas: 6,
      hashrings: TENANT_RINGS,
      relabel: [{ action: "labeldrop", regex: "pod_uid" }],
      retention: { time: "7d", size: "40Gi" },
      limits: {
        maxConcurrency: 64,
        default: { headSeries: 1_000_000 },
        tenants: { cards: { request: { series: 5_000, samples: 50_000 } } },
      },
      publishNotReadyPeers: false,
      resources: { cpu: "1", cpuLimit: "2", memory: "4Gi" },
    },
    querier: { engine: "thanos", endpoints: ["dns+thanos-querier-grpc.other.svc.cluster.local:10901"] },
    prometheus: {
      shards: 3,
      retention: { time: "1d", size: "10Gi" },
      namespaces: ["shop", "default"],
      kubeletCertificates: "skip",
      scrapeConfigs: [{ job_name: "own", static_configs: [{ targets: ["exporter:9100"] }] }],
      externalLabels: { region: "eu" },
      remoteWrite: { relabel: [{ source_labels: ["__name__"], regex: "go_.*", action: "drop" }] },
    },
  },
};

/** Routers apart, without zones, agents instead of servers. */
export const SPLIT_AGENTS: Plan = {
  title: "split, agents, no zones",
  stack: "dev",
  overrides: together(CLAIMS, {
    receive: { mode: "split", replicas: 5, hashrings: [{ name: "payments", tenants: ["cards"], replicas: 3 }] },
    queryFrontend: {},
    prometheus: { mode: "agent", replicas: 2 },
  }),
};

/** Data on the disks of three nodes, never two copies on one. */
export const HOST_PATH: Plan = {
  title: "hostPath on three nodes",
  stack: "dev",
  overrides: {
    accepts: [],
    protect: true,
    receive: {
      antiAffinity: "hard",
      storage: { hostPath: { nodes: ["n1", "n2", "n3"] } },
      hashrings: [{ name: "payments", tenants: ["cards"], replicas: 3 }],
    },
    prometheus: { replicas: 2, shards: 2, antiAffinity: "hard", storage: { hostPath: { nodes: ["n2", "n3"] } } },
  },
};

/** One copy, one of everything: what a test cluster may take. */
export const SMALLEST: Plan = {
  title: "one of everything",
  stack: "dev",
  overrides: {
    accepts: ["data-loss"],
    receive: { replicas: 1, replicationFactor: 1, rollout: { preStopSeconds: 0 } },
  },
};

export const PLANS: readonly Plan[] = [DEV, PROD, EVERYTHING, SPLIT_AGENTS, HOST_PATH, SMALLEST];
