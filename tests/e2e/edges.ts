import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { execa } from "execa";
import { settingsSchema } from "../../model/settings/schema";
import { bucketServer } from "../../sandbox/bucket";
import { readIfThere } from "../../sandbox/command";
import { environment } from "../../sandbox/engine";
import { PAUSE_IMAGE } from "../../sandbox/images";
import { API_PORT, DNS_SERVICE, HOST_ADDRESS, KUBERNETES_SERVICE, LINK_PREFIX, NAME, NODES } from "../../sandbox/topology";
import { documentedNetwork, type EdgeFacts, type End, factsOf } from "../docs/documentedEdges";
import { type Cluster, eventually, type KubernetesObject, type Pod } from "./stack";

/**
 * The network of a deployed stack as it is: connections from inside the network namespaces of its pods, of pods that are none of its own,
 * of this machine, and of a neighbour of this machine, each compared with what docs/operations.md says of it.
 */

/** Ports that a component of any stack opens; each that the document leads somebody to must be open there. */
const PART_PORTS = [9090, 10901, 10902, 11211, 19291];
/** Addresses that nodes have of their own: where clouds tell pods who they are, and where NodeLocal DNSCache answers. */
const NODE_ADDRESSES = ["169.254.169.254", "169.254.169.252", "169.254.170.2", "169.254.170.23", "169.254.20.10"];
/** Those at which names are answered, NodeLocal DNSCache's and Cloud DNS for GKE's, and one at which none are. */
const NAME_SERVERS = ["169.254.20.10", "169.254.169.254", "169.254.169.252"];
const NODE_PORTS = [53, 80, 443, 988];
/** Ports on which pods that are none of the stack's own listen here, and this machine. */
const OTHER_PORTS = [443, 9090, 9999, 10901, 19291];
const MACHINE_PORTS = [443, 9999];

/** A place from which connections begin. */
interface Source {
  name: string;
  /** File of its network namespace. */
  network: string;
  /** Absent: nothing of the cluster may be reached from there. */
  end?: End;
}

/** Somewhere that answers. */
interface Target {
  name: string;
  end: End;
  /** The port at which it answers: policies are about that, also where it is reached by a Service's. */
  port: number;
  protocol: "tcp" | "udp";
  reached: { address: string; port: number };
}

interface Connection {
  source: Source;
  target: Target;
}

const CONNECTIONS = join(__dirname, "connections.cjs");
const HANDSHAKE = join(__dirname, "handshake.cjs");
/** Longest waits in milliseconds for one connection: what is closed is refused at once, or silently where the kernel limits refusals. */
const LONGEST_TIMEOUT = 3_000;
const TIMEOUTS = [1_000, 1_000, 2_000];
/** How long policies may take to be what was last made of them, with pods that have just come. */
const SETTLED_MS = 30_000;

const inNetwork = (network: string, mode: string, ...more: string[]): [string, string[]] =>
  network === ""
    ? [process.execPath, [CONNECTIONS, mode, ...more]]
    : ["nsenter", [`--net=${network}`, process.execPath, CONNECTIONS, mode, ...more]];

/** A deployed network, for as long as {@link withNetwork} keeps its visitors there. */
export class DeployedNetwork {
  constructor(
    private readonly facts: EdgeFacts,
    private readonly sources: readonly Source[],
    private readonly targets: readonly Target[],
    private readonly silent: readonly string[],
  ) {}

  /**
   * Every connection that passes though the document has no edge for it, or does not although it has one;
   * what is so for {@link SETTLED_MS} only.
   *
   * @param bucket what is otherwise than in the stack's own settings
   */
  async differences(bucket: Partial<EdgeFacts["bucket"]> = {}): Promise<string[]> {
    const end = Date.now() + SETTLED_MS;
    const expected = this.expectation(bucket);
    let suspects = this.connections();
    for (let round = 0; ; round++) {
      suspects = await otherwise(suspects, expected, TIMEOUTS[round] ?? LONGEST_TIMEOUT);
      if (suspects.length === 0 || Date.now() > end) return [...suspects.map((each) => difference(each, !expected(each))), ...this.silent];
    }
  }

  /**
   * Waits until one connection is otherwise than the document says, and no other is but those that are expected to be: while an agent puts
   * policies in place, a connection of any pod may pass for a moment.
   */
  async until(awaited: string, expected: RegExp): Promise<void> {
    const documented = this.expectation();
    const all = this.connections();
    await eventually(
      `${awaited}, and no other than ${expected}`,
      async () => {
        const found = (await otherwise(all, documented, LONGEST_TIMEOUT)).map((each) => difference(each, !documented(each)));
        assert.ok(found.includes(awaited), `is not so: ${awaited}`);
        assert.deepEqual(
          found.filter((each) => !expected.test(each)),
          [],
        );
        return true;
      },
      SETTLED_MS / 1_000,
    );
  }

  private connections(): Connection[] {
    return this.sources.flatMap((source) =>
      this.targets.filter((target) => isElsewhere(source, target)).map((target) => ({ source, target })),
    );
  }

  private expectation(bucket: Partial<EdgeFacts["bucket"]> = {}): (connection: Connection) => boolean {
    const passes = documentedNetwork(
      this.facts.bucket === undefined ? this.facts : { ...this.facts, bucket: { ...this.facts.bucket, ...bucket } },
    );
    return ({ source, target }) => source.end !== undefined && passes(source.end, target.end, target.port);
  }
}

/** Whether there is a way for a connection to take: none to oneself, and to addresses that each node has of its own from pods only. */
const isElsewhere = ({ end }: Source, target: Target): boolean =>
  end === undefined
    ? !NODE_ADDRESSES.includes(target.reached.address)
    : end.address !== target.end.address && (end.namespace !== undefined || !NODE_ADDRESSES.includes(target.reached.address));

const difference = ({ source, target }: Connection, open: boolean): string =>
  `${source.name} → ${target.name} is ${open ? "open" : "closed"}`;

/** Those of the connections that pass although they should not, or don't although they should. */
async function otherwise(
  connections: readonly Connection[],
  expected: (connection: Connection) => boolean,
  timeout: number,
): Promise<Connection[]> {
  const passed = await probe(connections, timeout);
  return connections.filter((each, index) => passed[index] !== expected(each));
}

/** Whether each connection is answered. */
async function probe(connections: readonly Connection[], timeout: number): Promise<boolean[]> {
  const sources = [...new Set(connections.map(({ source }) => source))];
  const answers = new Map<Connection, boolean>();
  await Promise.all(
    sources.map(async (source) => {
      const own = connections.filter((each) => each.source === source);
      const list = own.map(({ target: { protocol, reached } }) => [protocol, reached.address, reached.port]);
      const [program, args] = inNetwork(source.network, "connect", String(timeout));
      const { stdout } = await execa(program, args, { input: `${JSON.stringify(list)}\n` });
      for (const [index, answered] of (JSON.parse(stdout) as boolean[]).entries()) {
        const connection = own[index];
        if (connection !== undefined) answers.set(connection, answered);
      }
    }),
  );
  return connections.map((each) => answers.get(each) ?? false);
}

/** Ports on which something in a process' network namespace listens for others. */
function listeningPorts(pid: number): number[] {
  const lines = ["tcp", "tcp6"].flatMap((file) => (readIfThere(`/proc/${pid}/net/${file}`) ?? "").split("\n").slice(1));
  const found = lines.flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const [address = "", port = ""] = local.split(":");
    const loopback = address.length === 8 ? address.endsWith("7F") : address === "00000000000000000000000001000000";
    return state === "0A" && !loopback ? [Number.parseInt(port, 16)] : [];
  });
  return [...new Set(found)].sort((a, b) => a - b);
}

/** A process of each pod that runs on this machine, by the pod's uid. */
function processesOfPods(): Map<string, number> {
  const found = new Map<string, number>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const [, uid] = /\/pod([\da-f-]{36})\//.exec(readIfThere(`/proc/${pid}/cgroup`) ?? "") ?? [];
    if (uid !== undefined && !found.has(uid)) found.set(uid, Number(pid));
  }
  return found;
}

/** Whether a pod's TCP connection to an address is answered. */
export async function podReaches({ metadata }: Pod, address: string, port: number): Promise<boolean> {
  const pid = processesOfPods().get(metadata.uid) ?? assert.fail(`no process of ${metadata.name} is found`);
  const [program, args] = inNetwork(`/proc/${pid}/ns/net`, "connect", String(LONGEST_TIMEOUT));
  const { stdout } = await execa(program, args, { input: `${JSON.stringify([["tcp", address, port]])}\n` });
  return JSON.parse(stdout)[0] === true;
}

/** The answer of a server to a pod that shows it a certificate, or none; begins with whether it answered. */
export async function handshakeFrom(
  { metadata }: Pod,
  options: { host: string; port: number; servername: string; ca: string; cert?: string; key?: string },
): Promise<string> {
  const pid = processesOfPods().get(metadata.uid) ?? assert.fail(`no process of ${metadata.name} is found`);
  const args = [`--net=/proc/${pid}/ns/net`, process.execPath, HANDSHAKE];
  return (await execa("nsenter", args, { input: JSON.stringify(options) })).stdout;
}

const partOf = (pod: Pod): string | undefined => pod.metadata.labels?.["app.kubernetes.io/component"];
const isReady = (pod: Pod): boolean => pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/** A pod that waits, as `restricted` wants it. */
function visitor(namespace: string, name: string, labels: Record<string, string>) {
  const container = {
    name: "pause",
    image: PAUSE_IMAGE,
    imagePullPolicy: "Never",
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: "RuntimeDefault" } },
      containers: [container],
    },
  };
}

/** kubectl on the sandbox. */
export const kubectl = (args: string[], input?: string) =>
  execa("kubectl", args, { env: environment(), ...(input === undefined ? {} : { input }) });

/** The facts of a deployed stack, from its configuration and from what runs. */
async function deployedFacts(stack: Stack, pods: readonly Pod[]): Promise<EdgeFacts> {
  const raw: Record<string, unknown> = {};
  let credentials = false;
  for (const [key, { value }] of Object.entries(await stack.getAllConfig())) {
    const [, name = ""] = /^thanos-stack:(.+)$/.exec(key) ?? [];
    if (name === "objectStorageCredentials") credentials = true;
    else if (name !== "") raw[name] = /^[[{]|^(true|false|\d+)$/.test(value) ? JSON.parse(value) : value;
  }
  const parts = [...new Set(pods.flatMap((pod) => partOf(pod) ?? []))].sort();
  return factsOf(settingsSchema.parse(raw), parts, credentials);
}

/**
 * Lets something happen while visitors are there: pods that are none of the stack's own, cloud services on
 * the nodes, a neighbour of this machine.
 */
export async function withNetwork(cluster: Cluster, stack: Stack, act: (network: DeployedNetwork) => Promise<void>): Promise<void> {
  const namespace = String((await stack.outputs()).namespace?.value);
  const strangers = `strangers-of-${namespace}`;
  const exempt = `${namespace}-volumes`;
  const undo: (() => Promise<unknown>)[] = [];
  const ip = (...args: string[]) => execa("ip", args);
  const listen = async (network: string, list: readonly [string, string, number][]): Promise<void> => {
    const [program, args] = inNetwork(network, "listen");
    const child = execa(program, args, { stdin: "pipe" });
    child.catch(() => undefined);
    undo.push(async () => child.kill("SIGKILL"));
    child.stdin.write(`${JSON.stringify(list)}\n`);
    await new Promise<void>((resolve, reject) => {
      child.stdout.once("data", () => resolve());
      child.once("exit", () => reject(new Error(`nothing listens at ${JSON.stringify(list)}`)));
    });
  };
  try {
    // Who pretends to be a component of the stack is a stranger all the same.
    undo.push(() => kubectl(["delete", "namespace", strangers, "--wait=false", "--ignore-not-found"]));
    for (const [where, name] of [
      [namespace, "unlabelled"],
      [exempt, "among-volumes"],
    ] as const) {
      undo.push(() => kubectl(["-n", where, "delete", "pod", name, "--wait=false", "--ignore-not-found"]));
    }
    await kubectl(["create", "namespace", strangers]);
    const hasExempt = (await cluster.get(`/api/v1/namespaces/${exempt}`)) !== undefined;
    const made = [
      visitor(namespace, "unlabelled", {}),
      ...(hasExempt ? [visitor(exempt, "among-volumes", {})] : []),
      visitor(strangers, "stranger", { "app.kubernetes.io/component": "prometheus", "app.kubernetes.io/name": "prometheus" }),
    ];
    await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: made }));
    const visitors = await Promise.all(
      made.map(({ metadata: { namespace: where, name } }) =>
        eventually(`pod ${name} runs`, async () => {
          const pod = (await cluster.pods(where)).find(({ metadata }) => metadata.name === name);
          return pod !== undefined && isReady(pod) && pod;
        }),
      ),
    );

    const processes = processesOfPods();
    const pidOf = ({ metadata }: KubernetesObject) => processes.get(metadata.uid) ?? assert.fail(`no process of ${metadata.name} is found`);
    const networkOf = (pod: KubernetesObject) => `/proc/${pidOf(pod)}/ns/net`;
    const endOf = (pod: Pod): End => {
      const part = pod.metadata.namespace === namespace ? partOf(pod) : undefined;
      return { namespace: pod.metadata.namespace ?? "", address: pod.status.podIP ?? "", ...(part === undefined ? {} : { part }) };
    };
    const pods = (await cluster.pods(namespace)).filter((pod) => partOf(pod) !== undefined && isReady(pod));
    const names = (await cluster.list<Pod>("/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns")).filter(isReady);
    const facts = await deployedFacts(stack, pods);

    // The neighbour has this machine as its way to everywhere.
    const [neighbour, link] = [`${NAME}-neighbour`, `${LINK_PREFIX}-nbr`];
    undo.push(() => ip("netns", "delete", neighbour));
    if (existsSync(`/run/netns/${neighbour}`)) await ip("netns", "delete", neighbour);
    await ip("netns", "add", neighbour);
    await ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", neighbour);
    await ip("address", "add", "198.51.100.1/30", "dev", link);
    await ip("link", "set", link, "up");
    await ip("-n", neighbour, "address", "add", "198.51.100.2/30", "dev", "eth0");
    await ip("-n", neighbour, "link", "set", "eth0", "up");
    await ip("-n", neighbour, "route", "add", "default", "via", "198.51.100.1");
    await Promise.all([
      ...NODES.map(async ({ netns }) => {
        for (const address of NODE_ADDRESSES) {
          undo.push(() => ip("-n", netns, "address", "delete", `${address}/32`, "dev", "lo"));
          await ip("-n", netns, "address", "replace", `${address}/32`, "dev", "lo");
        }
        const tcp = NODE_ADDRESSES.flatMap((address) => NODE_PORTS.map((port): [string, string, number] => ["tcp", address, port]));
        await listen(`/run/netns/${netns}`, [...tcp, ...NAME_SERVERS.map((address): [string, string, number] => ["udp", address, 53])]);
      }),
      ...visitors.map((pod) =>
        listen(
          networkOf(pod),
          OTHER_PORTS.map((port): [string, string, number] => ["tcp", pod.status.podIP ?? "", port]),
        ),
      ),
      listen(
        "",
        MACHINE_PORTS.map((port): [string, string, number] => ["tcp", HOST_ADDRESS, port]),
      ),
    ]);

    const first = facts.parts.map((part) => pods.find((pod) => partOf(pod) === part) ?? assert.fail(part));
    const machine: End = { address: HOST_ADDRESS };
    const sources: Source[] = [
      ...first.map((pod) => ({ name: partOf(pod) ?? "", network: networkOf(pod), end: endOf(pod) })),
      ...visitors.map((pod) => ({ name: pod.metadata.name, network: networkOf(pod), end: endOf(pod) })),
      { name: "this machine", network: "", end: machine },
      { name: "a neighbour", network: `/run/netns/${neighbour}` },
    ];
    const direct = (name: string, end: End, port: number, protocol: Target["protocol"] = "tcp"): Target => ({
      name: `${name}:${port}${protocol === "udp" ? "/udp" : ""}`,
      end,
      port,
      protocol,
      reached: { address: end.address ?? "", port },
    });
    const podTargets = [...pods, ...names, ...visitors].flatMap((pod) => {
      const end = endOf(pod);
      return listeningPorts(pidOf(pod)).map((port) => direct(end.part ?? pod.metadata.name, end, port));
    });
    const nameServer = endOf(names[0] ?? assert.fail("no name server"));
    const targets: Target[] = [
      ...podTargets,
      ...names.map((pod) => direct(pod.metadata.name, endOf(pod), 53, "udp")),
      { name: "the name servers' Service", end: nameServer, port: 53, protocol: "udp", reached: { address: DNS_SERVICE, port: 53 } },
      {
        name: "the API server's Service",
        end: machine,
        port: API_PORT,
        protocol: "tcp",
        reached: { address: KUBERNETES_SERVICE, port: 443 },
      },
      ...[...MACHINE_PORTS, API_PORT, ...(facts.bucket === undefined ? [] : [Number(bucketServer().endpoint.split(":")[1])])].map((port) =>
        direct("this machine", machine, port),
      ),
      ...NODES.map(({ name, address }) => direct(name, { address }, 10_250)),
      ...NODE_ADDRESSES.flatMap((address) => NODE_PORTS.map((port) => direct(address, { address }, port))),
      ...NAME_SERVERS.map((address) => direct(address, { address }, 53, "udp")),
    ];
    await act(new DeployedNetwork(facts, sources, targets, silentEdges(facts, podTargets)));
  } finally {
    for (const step of undo.reverse()) await step().catch(() => undefined);
  }
}

/** Edges of the document between components at whose end nothing listens. */
function silentEdges(facts: EdgeFacts, targets: readonly Target[]): string[] {
  const passes = documentedNetwork(facts);
  const end = (part: string): End => ({ namespace: facts.namespace, part });
  return facts.parts.flatMap((to) =>
    PART_PORTS.filter((port) => facts.parts.some((from) => passes(end(from), end(to), port)))
      .filter((port) => !targets.some((target) => target.end.part === to && target.port === port))
      .map((port) => `nothing listens at ${to}:${port}`),
  );
}
