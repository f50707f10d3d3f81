import { GRPC_PORT, HTTP_PORT, QUERY_HTTP_PORT, REMOTE_WRITE_PORT } from "../model/kubernetes/ports";
import type { Manifest } from "../sandbox/addons";

/**
 * Rings that people have instead, as plain objects for `bench/ingest.ts`: the same programs, with the flags that others give them. Probes,
 * budgets and spreading are left out: they cost a sample nothing. Apps and ports are this project's, so that one reading finds all.
 */

/** A ring with its querier, as somebody else deploys it. */
export interface Peer {
  name: string;
  /** Receivers that store. */
  receivers: number;
  /** Routers in front of the receivers; 0 where every receiver routes. */
  routers: number;
  replicationFactor: number;
  algorithm: "ketama" | "hashmod";
  /** Further flags of those that store. */
  flags: readonly string[];
  /** Labels that the querier removes to find the copies of a series. */
  replicaLabel: string;
  queriers: number;
}

/**
 * thanos-community's chart 0.38.0, `receive.mode: split`: no limit of memory, requests or exemplars (its values.yaml).
 *
 * @param more further flags of its receivers
 */
export const chart = (replicationFactor: number, ...more: string[]): Peer => ({
  name: "chart",
  receivers: 3,
  routers: 2,
  replicationFactor,
  algorithm: "ketama",
  flags: ["--tsdb.retention=24h", "--tsdb.wal-compression", ...more],
  replicaLabel: "receive_replica",
  queriers: 2,
});

/** The article's: every receiver routes, replication factor 2, fifteen days; with the flags of today's Thanos. */
export const ARTICLE: Peer = {
  name: "article",
  receivers: 3,
  routers: 0,
  replicationFactor: 2,
  algorithm: "hashmod",
  flags: ["--tsdb.retention=15d"],
  replicaLabel: "replica",
  queriers: 2,
};

const RECEIVER = "thanos-receive";
const ROUTER = "thanos-receive-router";
const QUERIER = "thanos-querier";
const FILES = "/etc/thanos";

const selector = (app: string) => ({ "app.kubernetes.io/name": app });
const fromField = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });

interface Process {
  args: readonly string[];
  image: string;
  ports: readonly number[];
  volumes: readonly ({ name: string } & Record<string, unknown>)[];
  mounts: Readonly<Record<string, string>>;
}

const podOf = (app: string, { args, image, ports, volumes, mounts }: Process) => ({
  metadata: { labels: selector(app) },
  spec: {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1001, fsGroup: 1001 },
    containers: [
      {
        name: app,
        image,
        args,
        env: [fromField("POD_NAME", "metadata.name")],
        ports: ports.map((containerPort) => ({ containerPort })),
        readinessProbe: { httpGet: { path: "/-/ready", port: app === QUERIER ? QUERY_HTTP_PORT : HTTP_PORT }, periodSeconds: 2 },
        volumeMounts: Object.entries(mounts).map(([name, mountPath]) => ({ name, mountPath })),
      },
    ],
    volumes,
  },
});

const service = (namespace: string, name: string, app: string, ports: Readonly<Record<string, number>>, headless = false): Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: {
    selector: selector(app),
    ...(headless ? { clusterIP: "None" } : {}),
    ports: Object.entries(ports).map(([portName, port]) => ({ name: portName, port })),
  },
});

/**
 * Every object of a peer, its namespace first.
 *
 * @param image Thanos, the same one as of what it is compared with.
 */
export function peerManifests(peer: Peer, namespace: string, image: string): Manifest[] {
  const member = (index: number | string): string =>
    `${typeof index === "number" ? `${RECEIVER}-${index}` : index}.${RECEIVER}-headless.${namespace}.svc`;
  const endpoints = Array.from({ length: peer.receivers }, (_, index) => ({ address: `${member(index)}:${GRPC_PORT}` }));
  const files = { name: "files", configMap: { name: "files" } };
  const routing = [
    `--receive.hashrings-file=${FILES}/hashrings.json`,
    `--receive.hashrings-algorithm=${peer.algorithm}`,
    `--receive.replication-factor=${peer.replicationFactor}`,
  ];
  const addresses = [`--http-address=:${HTTP_PORT}`, `--grpc-address=:${GRPC_PORT}`, `--remote-write.address=:${REMOTE_WRITE_PORT}`];
  const splits = peer.routers > 0;
  const deployment = (app: string, replicas: number, process: Process): Manifest => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: app, namespace },
    spec: { replicas, selector: { matchLabels: selector(app) }, template: podOf(app, process) },
  });
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "files", namespace },
      data: {
        "hashrings.json": JSON.stringify([{ hashring: "default", endpoints }]),
        "endpoints.yaml": `endpoints:\n- address: dnssrv+_grpc._tcp.${RECEIVER}-headless.${namespace}.svc\n`,
      },
    },
    service(namespace, `${RECEIVER}-headless`, RECEIVER, { grpc: GRPC_PORT }, true),
    service(namespace, "write", splits ? ROUTER : RECEIVER, { "remote-write": REMOTE_WRITE_PORT }),
    service(namespace, "query", QUERIER, { http: QUERY_HTTP_PORT }),
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: RECEIVER, namespace },
      spec: {
        serviceName: `${RECEIVER}-headless`,
        replicas: peer.receivers,
        podManagementPolicy: "Parallel",
        selector: { matchLabels: selector(RECEIVER) },
        template: podOf(RECEIVER, {
          image,
          args: [
            "receive",
            ...addresses,
            "--tsdb.path=/var/thanos/receive",
            `--label=${peer.replicaLabel}="$(POD_NAME)"`,
            `--receive.local-endpoint=${member("$(POD_NAME)")}:${GRPC_PORT}`,
            ...peer.flags,
            ...(splits ? [] : routing),
          ],
          ports: [GRPC_PORT, HTTP_PORT, REMOTE_WRITE_PORT],
          volumes: [files, { name: "data", emptyDir: {} }],
          mounts: { files: FILES, data: "/var/thanos/receive" },
        }),
      },
    },
    ...(splits
      ? [
          deployment(ROUTER, peer.routers, {
            image,
            args: ["receive", ...addresses, '--label=receive_router_replica="$(POD_NAME)"', "--tsdb.path=/tmp/thanos", ...routing],
            ports: [GRPC_PORT, HTTP_PORT, REMOTE_WRITE_PORT],
            volumes: [files],
            mounts: { files: FILES },
          }),
        ]
      : []),
    deployment(QUERIER, peer.queriers, {
      image,
      args: [
        "query",
        `--http-address=:${QUERY_HTTP_PORT}`,
        `--grpc-address=:${GRPC_PORT}`,
        `--endpoint.sd-config-file=${FILES}/endpoints.yaml`,
        `--query.replica-label=${peer.replicaLabel}`,
      ],
      ports: [GRPC_PORT, QUERY_HTTP_PORT],
      volumes: [files],
      mounts: { files: FILES },
    }),
  ];
}
