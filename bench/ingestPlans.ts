import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CONFIG_NAMESPACE } from "../config/namespace";
import { PROMETHEUS_APP } from "../model/kubernetes/identities";
import { QUERY_HTTP_PORT, REMOTE_WRITE_PORT } from "../model/kubernetes/ports";
import { applyManifests } from "../sandbox/cluster";
import { type ConfigOverlay, type ConfigValue, mergeConfig } from "../sandbox/overlay";
import { SANDBOX_STACK_IMAGES } from "../sandbox/stackImages";
import { NODE_NETWORK, NODES, POD_NETWORK } from "../sandbox/topology";
import type { Cluster } from "../tests/e2e/stack";
import { eventually } from "../tests/e2e/stack";
import { gatewayCertificates } from "../tests/gatewayCertificates";
import { kubectl } from "./leftovers";
import { ARTICLE, chart, type Peer, peerManifests } from "./peers";
import type { Endpoint } from "./queryWorker";
import { type BenchStack, isReady, withStack } from "./stack";

/** Plans that `bench/ingest.ts` deploys beside each other, and how each is written to and asked. */

/** A plan that is deployed. */
export interface Deployed {
  name: string;
  namespace: string;
  /** The whole URL of remote write. */
  write: Endpoint;
  query: Endpoint;
  /** Samples in a request of its senders. */
  samplesPerRequest: number;
}

/** A plan that is asked for. `told`: its senders are told the size of requests, as this project tells them. */
export type Wanted = { name: string } & (
  | { kind: "ours"; replicationFactor: 1 | 3; overlay: ConfigOverlay; gateway?: true }
  | { kind: "peer"; peer: Peer; told?: true }
);

/** Most samples in one request of Prometheus: by its own default, and as this project sets it (`maxSamplesPerSend`). */
const REQUEST = { untold: 2_000, told: 5_000 } as const;

/** Keys of the program, as a stack file names them. */
const named = (keys: Readonly<Record<string, ConfigValue>>): ConfigOverlay =>
  Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${CONFIG_NAMESPACE}:${key}`, value]));

/** Routers that send to receivers without snappy. */
const UNCOMPRESSED = named({ receive: { routers: { extra: { args: ["--receive.grpc-compression=none"] } } } });

/** Ours, behind the gateway too, and what people have instead. */
const COMPARED: readonly Wanted[] = [
  { name: "ours-rf3", kind: "ours", replicationFactor: 3, overlay: {} },
  { name: "chart-rf3", kind: "peer", peer: chart(3) },
  { name: "ours-rf1", kind: "ours", replicationFactor: 1, overlay: {} },
  { name: "chart-rf1", kind: "peer", peer: chart(1) },
  { name: "article-rf2", kind: "peer", peer: ARTICLE },
  { name: "gateway-rf3", kind: "ours", replicationFactor: 3, overlay: {}, gateway: true },
];

/** Plans that show the cost of each default by itself: of the flags that the chart leaves out, and of one that ours leave as it is. */
const DEFAULTS: readonly Wanted[] = [
  { name: "requests-rf3", kind: "peer", peer: chart(3), told: true },
  { name: "late-rf3", kind: "peer", peer: chart(3, "--tsdb.out-of-order.time-window=2h") },
  { name: "exemplars-rf3", kind: "peer", peer: chart(3, "--tsdb.max-exemplars=100000") },
  { name: "uncompressed-rf3", kind: "ours", replicationFactor: 3, overlay: UNCOMPRESSED },
];

const KNOWN = [...COMPARED, ...DEFAULTS];

/**
 * The plans to deploy.
 *
 * @param names whole names, or what they begin with; those that are compared where none is given
 * @param variants `name=JSON` each: this project's, at replication factor 3, with these keys
 * @throws {Error} for a name that no plan has
 */
export function wanted(names: readonly string[], variants: readonly string[]): Wanted[] {
  const matches = (name: string) => (each: string) => name === each || name.startsWith(`${each}-`);
  for (const each of names)
    if (!KNOWN.some(({ name }) => matches(name)(each)))
      throw new Error(`--plans ${each}: there are ${KNOWN.map(({ name }) => name).join(", ")}`);
  const more = variants.map((text): Wanted => {
    const at = text.indexOf("=");
    return { name: text.slice(0, at), kind: "ours", replicationFactor: 3, overlay: named(JSON.parse(text.slice(at + 1))) };
  });
  if (names.length === 0 && variants.length === 0) return [...COMPARED];
  return [...KNOWN.filter(({ name }) => names.some(matches(name))), ...more];
}

/**
 * Dev with prod's ring: routers, three receivers and two queriers, without a bucket, as the peers are. Requests are small, so that several
 * fit the cluster; and a head of the benchmark takes half of them.
 */
const ours = (replicationFactor: 1 | 3, more: ConfigOverlay): ConfigOverlay =>
  mergeConfig(
    named({
      survives: { nodes: 0 },
      accepts: ["replicas-on-one-node", ...(replicationFactor === 1 ? ["data-loss"] : [])],
      receive: {
        mode: "split",
        replicas: 3,
        replicationFactor,
        resources: { cpu: "50m", memory: "640Mi" },
        routers: { replicas: 2, antiAffinity: "soft", resources: { cpu: "50m", memory: "512Mi" } },
      },
      querier: { replicas: 2, antiAffinity: "soft", resources: { cpu: "50m", memory: "512Mi" } },
    }),
    more,
  );

const NODE = NODES[0]?.address ?? "";
const GATEWAY_PORTS = { write: 30_453, query: 30_454 } as const;
const GATEWAY_SECRET = "gateway-tls";
const NETWORKS = [NODE_NETWORK, POD_NETWORK];

/** The gateway in front of a plan, at a port of every node. */
const behindGateway = (authority: string): ConfigOverlay =>
  named({
    access: { senders: NETWORKS, readers: NETWORKS },
    tenancy: { tenants: ["bench"] },
    gateway: {
      replicas: 2,
      certificate: { secret: GATEWAY_SECRET, authority },
      tenants: { bench: {} },
      readers: { all: { tenants: "all" } },
    },
    expose: {
      write: { url: `https://${NODE}:${GATEWAY_PORTS.write}`, nodePort: { port: GATEWAY_PORTS.write } },
      query: { url: `https://${NODE}:${GATEWAY_PORTS.query}`, nodePort: { port: GATEWAY_PORTS.query } },
    },
  });

/** A plan that stands, with its ends. */
const standing = (plan: Wanted, namespace: string, ends: Pick<Deployed, "write" | "query">): Deployed => ({
  name: plan.name,
  namespace,
  ...ends,
  samplesPerRequest: plan.kind === "ours" || plan.told ? REQUEST.told : REQUEST.untold,
});

async function withGateway(
  plan: Wanted & { kind: "ours" },
  namespace: string,
  cluster: Cluster,
  use: (of: Deployed) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "bench-gateway-"));
  try {
    await gatewayCertificates(directory, `IP:${NODE}`);
    const file = (name: string) => readFileSync(join(directory, name), "utf8");
    const ca = file("gateway.pem");
    const given = async () => {
      await eventually("the stack makes its namespace", () => cluster.get(`/api/v1/namespaces/${namespace}`));
      await cluster.create(`/api/v1/namespaces/${namespace}/secrets`, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: GATEWAY_SECRET },
        type: "kubernetes.io/tls",
        stringData: { "tls.crt": ca, "tls.key": file("gateway.pem.key") },
      });
    };
    const stack = withStack("dev", namespace, ours(plan.replicationFactor, mergeConfig(plan.overlay, behindGateway(ca))), async (own) => {
      const { credentials } = await own.outputs();
      const { tenants, readers } = (credentials?.value ?? {}) as Record<"tenants" | "readers", Record<string, string> | undefined>;
      const at = (port: number, path: string, token = ""): Endpoint => ({ url: `https://${NODE}:${port}${path}`, ca, token });
      const write = at(GATEWAY_PORTS.write, "/api/v1/receive", tenants?.bench);
      await use(standing(plan, namespace, { write, query: at(GATEWAY_PORTS.query, "", readers?.all) }));
    });
    await Promise.all([stack, given()]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function withOurs(
  plan: Wanted & { kind: "ours" },
  namespace: string,
  cluster: Cluster,
  use: (of: Deployed) => Promise<void>,
): Promise<void> {
  if (plan.gateway) return withGateway(plan, namespace, cluster, use);
  return withStack("dev", namespace, ours(plan.replicationFactor, plan.overlay), async ({ deployed }: BenchStack) =>
    use(
      standing(plan, namespace, {
        write: { url: deployed.writeUrl },
        query: { url: await cluster.serviceAddress(deployed.outputs.queryUrl) },
      }),
    ),
  );
}

async function withPeer(
  plan: Wanted & { kind: "peer" },
  namespace: string,
  cluster: Cluster,
  use: (of: Deployed) => Promise<void>,
): Promise<void> {
  try {
    await applyManifests(peerManifests(plan.peer, namespace, SANDBOX_STACK_IMAGES.thanos));
    await eventually(`pods of ${namespace} are Ready`, async () => {
      const pods = await cluster.pods(namespace);
      return pods.length === plan.peer.receivers + plan.peer.routers + plan.peer.queriers && pods.every(isReady);
    });
    const address = (service: string, port: number) => cluster.serviceAddress(`http://${service}.${namespace}.svc:${port}`);
    const write = { url: `${await address("write", REMOTE_WRITE_PORT)}/api/v1/receive` };
    await use(standing(plan, namespace, { write, query: { url: await address("query", QUERY_HTTP_PORT) } }));
  } finally {
    await kubectl(["delete", "namespace", namespace, "--wait=false"]);
    await kubectl(["--namespace", namespace, "delete", "pods", "--all", "--force", "--grace-period=0"]);
  }
}

/**
 * Deploys every plan, each within the one before, and measures when all stand. Of this project's the own Prometheus is ended then, after
 * `alone` had its look at what the stack costs without any sender.
 */
export async function withPlans(
  cluster: Cluster,
  plans: readonly Wanted[],
  alone: (of: Deployed) => Promise<void>,
  measure: (all: readonly Deployed[]) => Promise<void>,
  before: readonly Deployed[] = [],
): Promise<void> {
  const [next, ...rest] = plans;
  if (next === undefined) return measure(before);
  const namespace = `bench-${next.name}`;
  const further = async (own: Deployed): Promise<void> => {
    if (next.kind === "ours") {
      if (COMPARED.includes(next) && !next.gateway) await alone(own);
      await kubectl([
        "--namespace",
        namespace,
        "scale",
        "statefulset",
        `--selector=app.kubernetes.io/name=${PROMETHEUS_APP}`,
        "--replicas=0",
      ]);
    }
    await withPlans(cluster, rest, alone, measure, [...before, own]);
  };
  return next.kind === "ours" ? withOurs(next, namespace, cluster, further) : withPeer(next, namespace, cluster, further);
}
