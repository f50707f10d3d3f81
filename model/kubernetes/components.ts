import type { Autoscaling } from "../settings/autoscaling";
import type { PodComponent } from "../settings/components";
import type { ContainerExtra, Extra } from "../settings/extra";
import { gatewayEndpoints, gatewayTenants, holdsReaders } from "../settings/gatewayEndpoints";
import type { PodSettings, ServiceSettings } from "../settings/pods";
import type { Settings, StorageSettings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { CertifiedKey } from "../settings/tls";
import {
  CHUNK_CACHE_APP,
  COMPACTOR_APP,
  GATEWAY_APP,
  INDEX_CACHE_APP,
  LABEL_PROXY_CONTAINER,
  PROMETHEUS_APP,
  QUERIER_APP,
  QUERIER_GRPC_SERVICE,
  QUERY_CACHE_APP,
  QUERY_FRONTEND_APP,
  RECEIVE_APP,
  RECEIVE_SERVICE,
  ROUTER_APP,
  RULER_APP,
  SIDECAR_CONTAINER,
  STORE_GATEWAY_APP,
} from "./identities";
import {
  GATEWAY_QUERY_PORT,
  GATEWAY_WRITE_PORT,
  GRPC_PORT,
  HTTP_PORT,
  LABEL_PROXY_HTTP_PORT,
  MEMCACHED_PORT,
  PROMETHEUS_PORT,
  QUERY_HTTP_PORT,
  REMOTE_WRITE_PORT,
} from "./ports";

/** The components of a stack: what the rules, the edges of the network and the proofs of other rooms know about each is here, once. */

/** Settings of a component, as far as several components have them. */
export interface ComponentSettings {
  pods: PodSettings;
  services?: ServiceSettings;
  extra?: ContainerExtra & Partial<Extra>;
  storage?: StorageSettings | Settings["prometheus"]["storage"];
  /** Default: 1. */
  replicas?: number;
  /** Default: soft. */
  antiAffinity?: "hard" | "soft";
  autoscaling?: Autoscaling | undefined;
}

/** Use of a component's certificate, where components are encrypted. */
export interface CertificateUse {
  /** Whether its holder takes connections. */
  server: boolean;
  /** Whether its holder opens connections. */
  client: boolean;
  /** Whether its holder remote-writes: those begin to encrypt one step before the others. Default: no. */
  writes?: boolean;
  /** The Service under whose names it is dialled; absent where its peers find it otherwise. */
  service?: string;
}

/** A component, as far as it is known without any plan. */
export interface Component {
  /** Key of its settings, such as `receive.routers`. */
  key: string;
  /** Its settings; undefined where the environment has none. They may be there without effect, see {@link runs}. */
  of: (settings: Settings) => ComponentSettings | undefined;
  /** Whether it runs, where it has settings. Default: it does. */
  runs?: (settings: Settings) => boolean;
  /** Its pods, as the middle of a sentence. */
  who: string;
  /** Value of `app.kubernetes.io/name`. */
  app: string;
  /** The command of its container, if `extra` may give flags to it. */
  program?:
    | "thanos receive"
    | "thanos query"
    | "thanos query-frontend"
    | "prometheus"
    | "thanos rule"
    | "thanos store"
    | "thanos compact"
    | "memcached";
  /** Key of its image in `images`. */
  image: keyof Settings["images"];
  /** Ports on which its pods may listen beyond themselves. */
  ports: readonly number[];
  /** Those of {@link ports} at which nobody answers, or only its own peers. Default: none. */
  closedPorts?: (settings: Settings) => readonly number[];
  /** Port under which it tells its metrics; absent for those that tell none. */
  metricsPort?: number;
  /** Containers in its pods that tell metrics of their own, under their names. */
  scrapedBeside?: readonly { container: string; runs: (settings: Settings) => boolean }[];
  /** Its certificate, where components are encrypted: its key in `tls.certificates.secrets`, and its use, undefined where there is none. */
  certificate?: { key: CertifiedKey; use: (settings: Settings) => CertificateUse | undefined };
  /** Whether its pods may have directories of nodes. */
  mayHaveDirectories?: true;
  /** Whether its pods read or write the bucket, where there is one. Default: no. */
  usesBucket?: (settings: Settings) => boolean;
}

const STORE_API = [GRPC_PORT, HTTP_PORT];
const always = () => true;
const isSplit = (settings: Settings): boolean => receiveOf(settings)?.mode === "split";
const hasSidecars = ({ ingestion }: Settings): boolean => ingestion === "sidecar";

/** Of the caches: servers of memcached. */
const CACHE = { who: "servers of that cache", program: "memcached", image: "memcached", ports: [MEMCACHED_PORT] } as const;

/** The components, in the order of their problems, and of their edges in a policy. */
const TABLE: Readonly<Record<PodComponent, Component>> = {
  receive: {
    key: "receive",
    of: ({ receive }) => receive,
    runs: (settings) => receiveOf(settings) !== undefined,
    who: "receivers",
    app: RECEIVE_APP,
    program: "thanos receive",
    image: "thanos",
    ports: [...STORE_API, REMOTE_WRITE_PORT],
    // Behind routers it takes nothing from senders.
    closedPorts: (settings) => (isSplit(settings) ? [REMOTE_WRITE_PORT] : []),
    metricsPort: HTTP_PORT,
    certificate: {
      key: "receive",
      use: (settings) => ({ server: true, ...(isSplit(settings) ? { client: false } : { client: true, service: RECEIVE_SERVICE }) }),
    },
    mayHaveDirectories: true,
    usesBucket: (settings) => receiveOf(settings) !== undefined,
  },
  "receive-router": {
    key: "receive.routers",
    of: ({ receive }) => receive?.routers,
    runs: isSplit,
    who: "routers",
    app: ROUTER_APP,
    program: "thanos receive",
    image: "thanos",
    ports: [...STORE_API, REMOTE_WRITE_PORT],
    metricsPort: HTTP_PORT,
    certificate: { key: "routers", use: () => ({ server: true, client: true, service: RECEIVE_SERVICE }) },
  },
  querier: {
    key: "querier",
    of: ({ querier }) => querier,
    who: "queriers",
    app: QUERIER_APP,
    program: "thanos query",
    image: "thanos",
    ports: [GRPC_PORT, QUERY_HTTP_PORT],
    metricsPort: QUERY_HTTP_PORT,
    certificate: { key: "querier", use: () => ({ server: true, client: true, service: QUERIER_GRPC_SERVICE }) },
  },
  "query-frontend": {
    key: "queryFrontend",
    of: ({ queryFrontend }) => queryFrontend,
    who: "query frontends",
    app: QUERY_FRONTEND_APP,
    program: "thanos query-frontend",
    image: "thanos",
    ports: [QUERY_HTTP_PORT],
    metricsPort: QUERY_HTTP_PORT,
  },
  "query-cache": {
    ...CACHE,
    key: "queryFrontend.cache",
    of: ({ queryFrontend }) => queryFrontend?.cache,
    app: QUERY_CACHE_APP,
  },
  "store-gateway": {
    key: "objectStorage.storeGateway",
    of: ({ objectStorage }) => objectStorage?.storeGateway,
    who: "store gateways",
    app: STORE_GATEWAY_APP,
    program: "thanos store",
    image: "thanos",
    ports: STORE_API,
    metricsPort: HTTP_PORT,
    certificate: { key: "storeGateway", use: () => ({ server: true, client: false }) },
    mayHaveDirectories: true,
    usesBucket: always,
  },
  "index-cache": {
    ...CACHE,
    key: "objectStorage.storeGateway.indexCache.memcached",
    of: ({ objectStorage }) => objectStorage?.storeGateway.indexCache.memcached,
    app: INDEX_CACHE_APP,
  },
  "chunk-cache": {
    ...CACHE,
    key: "objectStorage.storeGateway.chunkCache.memcached",
    of: ({ objectStorage }) => objectStorage?.storeGateway.chunkCache.memcached,
    app: CHUNK_CACHE_APP,
  },
  compactor: {
    key: "objectStorage.compactor",
    of: ({ objectStorage }) => objectStorage?.compactor,
    who: "the compactor",
    app: COMPACTOR_APP,
    program: "thanos compact",
    image: "thanos",
    ports: [HTTP_PORT],
    metricsPort: HTTP_PORT,
    mayHaveDirectories: true,
    usesBucket: always,
  },
  ruler: {
    key: "ruler",
    of: ({ ruler }) => ruler,
    who: "rulers",
    app: RULER_APP,
    program: "thanos rule",
    image: "thanos",
    ports: STORE_API,
    metricsPort: HTTP_PORT,
    certificate: {
      key: "ruler",
      use: ({ ruler }) => ({ server: true, client: ruler?.mode === "stateless", writes: ruler?.mode === "stateless" }),
    },
    mayHaveDirectories: true,
    usesBucket: ({ ruler }) => ruler?.mode === "stateful",
  },
  prometheus: {
    key: "prometheus",
    of: ({ prometheus }) => prometheus,
    who: "Prometheus",
    app: PROMETHEUS_APP,
    program: "prometheus",
    image: "prometheus",
    ports: [PROMETHEUS_PORT, ...STORE_API],
    // The sidecar's.
    closedPorts: (settings) => (hasSidecars(settings) ? [] : STORE_API),
    metricsPort: PROMETHEUS_PORT,
    scrapedBeside: [{ container: SIDECAR_CONTAINER, runs: hasSidecars }],
    // In the ring scheme Prometheus writes; in the other one the sidecar in its pod serves.
    certificate: {
      key: "prometheus",
      use: (settings) => (hasSidecars(settings) ? { server: true, client: false } : { server: false, client: true, writes: true }),
    },
    mayHaveDirectories: true,
    usesBucket: hasSidecars,
  },
  gateway: {
    key: "gateway",
    of: ({ gateway }) => gateway,
    who: "gateways",
    app: GATEWAY_APP,
    image: "haproxy",
    ports: [HTTP_PORT, GATEWAY_WRITE_PORT, GATEWAY_QUERY_PORT, LABEL_PROXY_HTTP_PORT],
    closedPorts: (settings) => {
      const endpoints = gatewayEndpoints(settings);
      return [
        ...(endpoints.includes("write") ? [] : [GATEWAY_WRITE_PORT]),
        ...(endpoints.includes("query") ? [] : [GATEWAY_QUERY_PORT]),
        ...(holdsReaders(settings) ? [] : [LABEL_PROXY_HTTP_PORT]),
      ];
    },
    metricsPort: HTTP_PORT,
    scrapedBeside: [{ container: LABEL_PROXY_CONTAINER, runs: holdsReaders }],
    certificate: {
      key: "gateway",
      use: (settings) => (gatewayTenants(settings).length === 0 ? undefined : { server: false, client: true, writes: true }),
    },
  },
};

/** The component of this name. */
export const component = (name: PodComponent): Component => TABLE[name];

/** A component with its name. */
export type NamedComponent = Component & { name: PodComponent };

/** All components, whether or not an environment has them. */
export const ALL_COMPONENTS: readonly NamedComponent[] = (Object.keys(TABLE) as PodComponent[]).map((name) => ({ name, ...TABLE[name] }));

/** A component with its settings. */
export type SetComponent = NamedComponent & { own: ComponentSettings };

/** The components for which an environment has settings, in effect or not. */
export const setComponents = (settings: Settings): SetComponent[] =>
  ALL_COMPONENTS.flatMap((each) => {
    const own = each.of(settings);
    return own === undefined ? [] : [{ ...each, own }];
  });

/** Whether a component for which there are settings runs. */
export const runs = ({ runs: does = always }: Component, settings: Settings): boolean => does(settings);

/** The components that run in an environment. */
export const runningComponents = (settings: Settings): SetComponent[] => setComponents(settings).filter((each) => runs(each, settings));

/** Ports of a component to which somebody can connect. */
export function openPorts({ ports, closedPorts }: Component, settings: Settings): number[] {
  const closed = closedPorts?.(settings) ?? [];
  return ports.filter((port) => !closed.includes(port));
}

/** Values that the label `job` of a component's metrics may have, and each whether it has it; none where it tells no metrics. */
const jobsOf = ({ app, metricsPort, scrapedBeside = [] }: Component): { job: string; runs: (settings: Settings) => boolean }[] => [
  ...(metricsPort === undefined ? [] : [{ job: app, runs: always }]),
  ...scrapedBeside.map(({ container, runs: does }) => ({ job: container, runs: does })),
];

/** Every value that the label `job` of the stack's own targets may have. */
export const SCRAPED_APPS: readonly string[] = ALL_COMPONENTS.flatMap(jobsOf).map(({ job }) => job);

/** The values that it has in an environment. */
export const scrapedApps = (settings: Settings): string[] =>
  runningComponents(settings)
    .flatMap(jobsOf)
    .flatMap(({ job, runs: does }) => (does(settings) ? [job] : []));
