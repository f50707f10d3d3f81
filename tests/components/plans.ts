import { AUTHORITIES, CERTIFICATE, CLAIMS, type Overrides, type Stack, together } from "../harness";

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
      storeLimits: { series: 40_000, samples: 5_000_000 },
      publishNotReadyPeers: false,
      resources: { cpu: "1", cpuLimit: "2", memory: "4Gi" },
    },
    credentialsFrom: { "exporter-password": { secret: "exporter-login", key: "password" } },
    // Where receivers hold more than what is downsampled, the bucket begins where they end.
    objectStorage: {
      handover: "6d21h",
      storeGateway: { storeLimits: { series: 50_000 }, downloadedBytes: "2Gi", maxConcurrent: 10, logging: { format: "logfmt" } },
      compactor: { logging: { level: "error" } },
    },
    logging: { level: "warn", format: "json", requests: "failed" },
    tracing: {
      endpoint: "collector.observability.svc:4317",
      headers: { Authorization: { secret: "collector", key: "token" } },
      samplingFraction: 0.1,
    },
    queryFrontend: {
      maxRange: "90d",
      maxParallelism: 8,
      maxTries: 1,
      verticalShards: 4,
      slowQueries: { longerThan: "5s", userHeader: "X-Forwarded-User" },
      logging: { level: "debug", requests: "all" },
    },
    querier: { engine: "thanos", maxConcurrentSelect: 2, endpoints: ["dns+thanos-querier-grpc.other.svc.cluster.local:10901"] },
    prometheus: {
      shards: 3,
      retention: { time: "1d", size: "10Gi" },
      namespaces: ["shop", "default"],
      kubeletCertificates: "skip",
      queries: { maxSamples: 10_000_000, maxConcurrent: 10, timeout: "1m" },
      logging: { level: "info" },
      scrapeConfigs: [
        {
          job_name: "own",
          basic_auth: { username: "stack", password_file: "/etc/credentials/exporter-password" },
          static_configs: [{ targets: ["exporter:9100"] }],
        },
      ],
      externalLabels: { region: "eu" },
      remoteWrite: { relabel: [{ source_labels: ["__name__"], regex: "go_.*", action: "drop" }] },
    },
  },
};

/** A proxy outside, connections of one's own, external addresses, Services of both families. */
export const NETWORKS: Plan = {
  title: "a proxy, further edges, external URLs, both families of addresses",
  stack: "prod",
  overrides: {
    network: {
      proxy: { url: "http://[fd00:9::7]:3128", noProxy: [".corp.example", "10.0.0.0/8", "fd00:8::/64"], to: ["egress", "fd00:9::7/128"] },
      edges: [
        { component: "prometheus", from: ["ingress"], ports: [9090] },
        { component: "receive", to: ["fd00:7::/64", "10.7.0.0/16"], ports: [4317, 4318] },
        { component: "store-gateway", from: ["fd00:6::/64"], ports: [10901] },
      ],
    },
    services: { ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv6", "IPv4"] },
    querier: { externalUrl: "https://query.example/thanos", services: { ipFamilyPolicy: "RequireDualStack" } },
    queryFrontend: { externalUrl: "https://example.com/thanos" },
    prometheus: {
      externalUrl: "https://example.com/prometheus",
      remoteWrite: { otherTargets: [{ url: "https://[2001:db8::9]/api/v1/write" }] },
    },
    ruler: { mode: "stateful", externalUrl: "https://example.com/rules", storage: { pvc: { size: "20Gi" } } },
    alerting: { alertmanagers: ["https://alerts.example/am", "http://[fd00:8::5]:9093", "http://alertmanager.monitoring.svc:9093"] },
  },
};

/** A mark of its own for every component. */
const owner = (name: string) => ({ pods: { labels: { owner: name } }, services: { labels: { owner: name } } });

/** Pods, Services and namespaces as somebody else's cluster wants them, each component's in its own way. */
export const CHOSEN: Plan = {
  title: "pods and Services with choices of their own",
  stack: "prod",
  overrides: {
    pods: {
      tolerations: [{ key: "dedicated", operator: "Exists" }],
      nodeSelector: { pool: "monitoring" },
      imagePullSecrets: ["mirror"],
      priorityClass: "monitoring",
      topologySpread: [{ topologyKey: "example.com/rack", whenUnsatisfiable: "DoNotSchedule" }],
      user: "cluster",
    },
    namespaceMetadata: { labels: { team: "platform" } },
    receive: { ...owner("receive"), routers: { pods: { labels: { owner: "routers" } } } },
    querier: owner("querier"),
    queryFrontend: { ...owner("queryFrontend"), cache: owner("queryCache") },
    prometheus: owner("prometheus"),
    ruler: owner("ruler"),
    objectStorage: {
      storeGateway: {
        ...owner("storeGateway"),
        indexCache: { memcached: owner("indexCache") },
        chunkCache: { memcached: owner("chunkCache") },
      },
      compactor: owner("compactor"),
    },
  },
};

const LIMITED = { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "32Mi" } };

/** Everything that the program knows nothing of, given to every component. */
const given = (args: readonly string[]) => ({
  extra: {
    args,
    env: [
      { name: "GOGC", value: "75" },
      { name: "REGION", valueFrom: { configMapKeyRef: { name: "site", key: "region" } } },
    ],
    volumes: [
      { name: "client-tls", secret: { secretName: "client-tls" } },
      { name: "scratch", emptyDir: { sizeLimit: "16Mi" } },
    ],
    volumeMounts: [{ name: "client-tls", mountPath: "/etc/extra/tls", readOnly: true }],
    initContainers: [{ name: "first", image: "quay.io/own/first:1.0.0", resources: LIMITED }],
    containers: [
      {
        name: "beside",
        image: "quay.io/own/beside:1.0.0",
        resources: LIMITED,
        volumeMounts: [{ name: "scratch", mountPath: "/scratch" }],
      },
    ],
  },
});

/** Flags, files and containers that the program knows nothing of, in both schemes. */
export const EXTRA: Plan = {
  title: "extra flags, variables, volumes and containers",
  stack: "prod",
  overrides: {
    receive: {
      ...given(["--tsdb.wal-compression", "--enable-feature=metric-names-filter"]),
      routers: given(["--receive.grpc-compression=none"]),
    },
    querier: given(["--query.lookback-delta=10m"]),
    queryFrontend: { ...given(["--query-frontend.force-query-stats"]), cache: given(["--threads=2"]) },
    prometheus: given(["--enable-feature=promql-experimental-functions"]),
    ruler: given(["--resend-delay=2m"]),
    objectStorage: {
      storeGateway: {
        ...given(["--store.posting-group-max-key-series-ratio=50"]),
        indexCache: { memcached: given(["--threads=2"]) },
        chunkCache: { memcached: given(["--threads=2"]) },
      },
      compactor: given(["--no-compact.skip-block-with-out-of-order-chunks"]),
    },
  },
};

/** Rings that differ from the default one in everything that a ring may have of its own. */
export const OWN_SHAPES: Plan = {
  title: "rings of their own shape",
  stack: "prod",
  overrides: {
    accepts: ["replicas-on-one-node"],
    // A ring of tests may be anywhere, and the plan survives what it survives.
    survives: { nodes: 0, zones: 0 },
    tenancy: { tenants: ["apps-*"], splitLabel: "team" },
    receive: {
      mode: "router-ingester",
      replicas: 6,
      shuffleSharding: { shardSize: 3 },
      limits: { tenants: { "team-a": { headSeries: 100_000 }, "apps-1": { headSeries: 50_000 } } },
      pods: { labels: { owner: "receive" }, nodeSelector: { pool: "monitoring" } },
      hashrings: [
        {
          name: "big",
          tenants: ["big", "team-*"],
          replicas: 9,
          storage: { pvc: { size: "200Gi", storageClass: "fast" } },
          retention: { time: "40h", size: "150Gi" },
          resources: { cpu: "2", cpuLimit: "4", memory: "8Gi" },
          shuffleSharding: { shardSize: 3, overrides: [{ tenants: ["big"], shardSize: 6 }] },
          pods: { labels: { ring: "big" }, tolerations: [{ key: "dedicated", value: "big", effect: "NoSchedule" }] },
        },
        {
          name: "tests",
          tenants: ["test-[0-9]*"],
          replicas: 3,
          zones: [],
          antiAffinity: "soft",
          storage: { pvc: { size: "10Gi" } },
          resources: { memory: "1Gi" },
        },
      ],
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

const follows = (min: number, max: number) => ({ replicas: undefined, autoscaling: { min, max, cpu: 80 } });

/** Routers, queriers and query frontends whose number follows their load. */
export const AUTOSCALED: Plan = {
  title: "numbers of pods that follow the load",
  stack: "prod",
  overrides: {
    receive: { mode: "split", routers: follows(2, 8) },
    querier: {
      replicas: undefined,
      autoscaling: {
        min: 3,
        max: 12,
        cpu: 70,
        memory: 85,
        behavior: { scaleDown: { stabilizationWindowSeconds: 900, policies: [{ type: "Pods", value: 1, periodSeconds: 300 }] } },
      },
    },
    queryFrontend: follows(2, 4),
  },
};

/** Several compactors, each with tenants of its own, in both schemes. */
export const DIVIDED: Plan = {
  title: "several compactors",
  stack: "prod",
  overrides: { objectStorage: { compactor: { shards: 3 } } },
};
export const DIVIDED_SIDECAR: Plan = {
  title: "several compactors that leave a ring's blocks alone",
  stack: "prod",
  overrides: { ingestion: "sidecar", objectStorage: { compactor: { shards: 2 } } },
};

/** Data on the disks of three nodes, never two replicas on one. */
export const HOST_PATH: Plan = {
  title: "hostPath on three nodes",
  stack: "dev",
  overrides: {
    accepts: [],
    protect: true,
    receive: {
      antiAffinity: "hard",
      storage: { hostPath: { nodes: ["n1", "n2", "n3"] } },
      hashrings: [
        { name: "payments", tenants: ["cards"], replicas: 3, storage: { hostPath: { path: "/ssd/thanos", nodes: ["n1", "n2", "n3"] } } },
      ],
    },
    prometheus: { replicas: 2, shards: 2, antiAffinity: "hard", storage: { hostPath: { nodes: ["n2", "n3"] } } },
  },
};

/** One replica, one of everything: what a test cluster may take. */
export const SMALLEST: Plan = {
  title: "one of everything",
  stack: "dev",
  overrides: {
    accepts: ["data-loss"],
    receive: { replicas: 1, replicationFactor: 1, rollout: { preStopSeconds: 0 } },
  },
};

const STORED = { storage: { pvc: { size: "20Gi" } } };

/** Receivers that upload, store gateways that share their blocks by hash and their caches, rules evaluated over everything. */
export const HISTORY: Plan = {
  title: "receivers with a bucket, hash parts, a stateless ruler",
  stack: "prod",
  overrides: {
    objectStorage: {
      prefix: "metrics/prod",
      serviceAccountAnnotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/thanos" },
      storeGateway: {
        ...STORED,
        partition: { hash: 2 },
        indexCache: { inMemory: undefined, memcached: {} },
        chunkCache: { inMemory: undefined, memcached: { replicas: 3, memory: "512Mi" } },
      },
      compactor: { ...STORED, retention: { raw: "30d" }, concurrency: 2, replicaLabels: ["replica"] },
    },
    querier: { replicaLabels: ["replica", "receive"] },
    ruler: { replicas: 2, ...STORED },
    alerting: {
      alertmanagers: ["http://alertmanager.monitoring.svc:9093/alerts", "dns+http://alertmanager-operated.monitoring.svc:9093"],
      client: { basic_auth: { username: "stack", password_file: "/etc/credentials/alertmanager-password" } },
    },
    credentialsFrom: { "alertmanager-password": { secret: "alertmanager-login", key: "password" } },
  },
};

/** Sidecars of pairs and shards over zones, with a bucket divided by age and rulers that upload what they evaluate. */
export const SIDECAR: Plan = {
  title: "sidecars with a bucket, time parts, stateful rulers",
  stack: "prod",
  overrides: {
    ingestion: "sidecar",
    prometheus: { shards: 2, sidecar: { logging: { level: "debug" } } },
    tracing: { endpoint: "[fd00::7]:4318", protocol: "http", ca: CERTIFICATE },
    objectStorage: { storeGateway: { ...STORED, partition: { time: ["7d", "60d"] } }, compactor: STORED },
    ruler: { mode: "stateful", ...STORED },
    alerting: { alertmanagers: ["http://alertmanager.monitoring.svc:9093"] },
  },
};

/** The smallest sidecar scheme: one Prometheus, its sidecar and a querier, and nothing of the ring but its settings. */
export const SIDECAR_DEV: Plan = { title: "one sidecar, no bucket", stack: "dev", overrides: { ingestion: "sidecar" } };

/** Flags, variables and mounts that the program knows nothing of, of Prometheus and its sidecar. */
export const EXTRA_SIDECAR: Plan = {
  title: "extra flags and mounts of a sidecar",
  stack: "dev",
  overrides: {
    ingestion: "sidecar",
    prometheus: {
      ...given(["--query.lookback-delta=10m"]),
      sidecar: {
        extra: {
          args: ["--shipper.upload-concurrency=2"],
          env: [{ name: "LANG", value: "C" }],
          volumeMounts: [{ name: "client-tls", mountPath: "/etc/extra/tls" }],
        },
      },
    },
  },
};

/** A bucket in a directory of the one node. */
export const FILESYSTEM: Plan = {
  title: "a bucket in a directory",
  stack: "dev",
  overrides: {
    objectStorage: {
      filesystem: { path: "/data/bucket", node: "dev-1" },
      storeGateway: { replicas: 1, antiAffinity: "soft", storage: { hostPath: { path: "/data/store", nodes: ["dev-1"] } } },
      compactor: { storage: { hostPath: { path: "/data/compactor", nodes: ["dev-1"] } } },
    },
  },
};

/** The receivers with a bucket, beside pods of others. */
export const EXISTING_NAMESPACE: Plan = {
  title: "a namespace that exists",
  stack: "prod",
  overrides: { ...HISTORY.overrides, existingNamespace: true },
};

/** Encrypted inside, by the program's own certificates: routers apart, rulers that write, and a querier of another stack. */
export const TLS: Plan = {
  title: "TLS by the program, split, stateless ruler",
  stack: "prod",
  overrides: together(HISTORY.overrides, {
    accepts: ["plain-caches"],
    tls: { certificates: "program", generation: 2, clients: { write: ["shop"], query: ["above"] } },
    receive: { mode: "split" },
    querier: {
      endpoints: [
        "other.example:10901",
        {
          address: "dns+thanos-querier-grpc.other.svc.cluster.local:10901",
          tls: { secret: "other-stack", serverName: "thanos-stack.other.svc.cluster.local" },
        },
      ],
    },
  }),
};

/** Sidecars and rulers that serve, by certificates of cert-manager. */
export const TLS_SIDECAR: Plan = {
  title: "TLS by cert-manager, sidecars, stateful rulers",
  stack: "prod",
  overrides: together(SIDECAR.overrides, {
    accepts: ["plain-caches"],
    tls: {
      certificates: {
        certManager: {
          issuer: { name: "inside", kind: "ClusterIssuer" },
          authority: CERTIFICATE,
          clients: { query: { issuer: { name: "queriers" }, authority: AUTHORITIES.queriers } },
        },
      },
      clients: { query: ["above"] },
    },
  }),
};

/** Receivers that route and store, by Secrets of somebody else. */
export const TLS_SECRETS: Plan = {
  title: "TLS by existing Secrets, receivers that route",
  stack: "dev",
  overrides: {
    tls: { certificates: { secrets: { all: "inside", receive: "inside-receive", clients: { write: "senders", query: "queriers" } } } },
  },
};

/** Others come in through the gateway alone, by tokens and certificates. */
export const GATEWAY: Plan = {
  title: "a gateway for senders and readers",
  stack: "prod",
  overrides: {
    access: { senders: ["10.20.0.0/16", "203.0.113.0/24"], readers: undefined },
    tenancy: { header: "X-Scope-OrgID", tenants: ["payments", "edge"] },
    gateway: {
      replicas: 3,
      certificate: { secret: "gateway-tls", authority: CERTIFICATE },
      senderAuthority: { secret: "senders-ca" },
      tenants: {
        payments: { requestsPerSecond: 50, maxBody: "1Mi", maxDecoded: "8Mi" },
        edge: { token: false, certificates: ["edge-eu-1", "edge-us-1"] },
      },
      readers: { "grafana-payments": { tenants: ["payments", "edge"], generation: 3 }, sre: { tenants: "all" } },
    },
    expose: {
      write: {
        url: "https://metrics.example",
        loadBalancer: {
          class: "example.com/nlb",
          annotations: { "example.com/scheme": "internet-facing" },
          sourceRanges: ["203.0.113.0/24"],
        },
      },
      query: { url: "https://queries.example:30443", nodePort: { port: 30443 } },
    },
  },
};

/** The same behind somebody else's Gateway and ingress controller. */
export const GATEWAY_ROUTED: Plan = {
  title: "a gateway behind a Gateway and an Ingress",
  stack: "prod",
  overrides: {
    // No client certificate comes through.
    ...together(GATEWAY.overrides, { access: { senders: ["gateways"] }, gateway: { tenants: { edge: { token: true } } } }),
    expose: {
      write: {
        url: "https://metrics.example",
        gatewayApi: { gateway: "public", namespace: "gateways", listener: "https", annotations: { "example.com/team": "metrics" } },
      },
      query: {
        url: "https://queries.example:8443",
        ingress: {
          class: "nginx",
          annotations: { "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS" },
          certificate: { secret: "queries-tls" },
        },
      },
    },
  },
};

/** Others by the gateway, which shows routers a certificate of the stack. */
export const GATEWAY_TLS: Plan = {
  title: "a gateway, and TLS behind it",
  stack: "prod",
  overrides: together(GATEWAY.overrides, { accepts: ["plain-caches"], tls: { certificates: "program" } }),
};

/** Senders by certificates of the program's, of a CA that the gateway alone trusts. */
export const GATEWAY_SENDERS: Plan = {
  title: "a gateway that trusts the program's CA of senders",
  stack: "prod",
  overrides: {
    ...GATEWAY_TLS.overrides,
    tls: { certificates: "program", clients: { write: ["shop"] } },
    gateway: {
      ...(GATEWAY.overrides.gateway as object),
      senderAuthority: "tls",
      tenants: { payments: {}, edge: { token: false, certificates: ["thanos-client-shop"] } },
    },
  },
};

/** Readers of everything, over sidecars: nobody writes. */
export const GATEWAY_SIDECAR: Plan = {
  title: "a gateway for readers of sidecars",
  stack: "dev",
  overrides: {
    ingestion: "sidecar",
    access: { readers: undefined },
    gateway: { replicas: 1, certificate: { secret: "gateway-tls" }, readers: { sre: { tenants: "all" } } },
  },
};

/** Plans with a ring of receivers. */
export const RING_PLANS: readonly Plan[] = [
  DEV,
  PROD,
  EVERYTHING,
  OWN_SHAPES,
  SPLIT_AGENTS,
  HOST_PATH,
  SMALLEST,
  HISTORY,
  EXISTING_NAMESPACE,
  FILESYSTEM,
  CHOSEN,
  EXTRA,
  NETWORKS,
  AUTOSCALED,
  DIVIDED,
  TLS,
  TLS_SECRETS,
  GATEWAY,
  GATEWAY_TLS,
  GATEWAY_SENDERS,
  GATEWAY_ROUTED,
];
/** Plans whose samples stay with their Prometheus. */
export const SIDECAR_PLANS: readonly Plan[] = [SIDECAR, SIDECAR_DEV, EXTRA_SIDECAR, DIVIDED_SIDECAR, TLS_SIDECAR, GATEWAY_SIDECAR];
export const PLANS: readonly Plan[] = [...RING_PLANS, ...SIDECAR_PLANS];
