import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { killCgroup, removeCgroup } from "./cgroups";
import { readIfThere, run, StepFailed, until } from "./command";
import { type ImageArchive, PAUSE_IMAGE } from "./images";
import { ensureNodeNetwork, routeServicesThrough, serviceRoute, setNodeLink } from "./network";
import { FORGET_POLICIES, POLICIES_IN_PLACE, POLICY_AGENT, policyAgentCommand } from "./networkPolicies";
import { CNI_DIRECTORIES } from "./packages";
import { type Paths, paths } from "./paths";
import { kubeconfigOf } from "./pki";
import { usableMemory } from "./probes";
import { killDaemon, type ProcessRecord, runningDaemon, startDaemon } from "./processes";
import { CLUSTER_DOMAIN, DNS_SERVICE, NAME, NODE_PRIVATE_DIRECTORIES, NODES, type NodePlan, POD_NETWORK } from "./topology";

/**
 * How often the nodes promise the same memory: each sees the whole machine, and pods use far less than they request.
 */
const MEMORY_OVERCOMMIT = 1.5;
/** Memory that is left to the control plane, the engine and everything else on the machine. */
const HOST_MEMORY = 3 * 2 ** 30;

/** The directory of everything that is one node's own. */
export function nodeDirectory(where: Paths, node: NodePlan): string {
  return join(where.nodes, node.name);
}

function file(where: Paths, node: NodePlan, name: string): string {
  return join(where.config, node.name, name);
}

/**
 * Where a running node's containerd looks for the configuration of the pods' network: without it the node is not Ready, and no pod starts.
 */
const CNI_CONFIGURATION = "/run/cni";

/** containerd's configuration on a node. */
export function containerdConfig(where: Paths, node: NodePlan, cniDirectory: string): string {
  const directory = nodeDirectory(where, node);
  return `version = 2
root = "${directory}/containerd"
state = "/run/containerd"
oom_score = 0

[grpc]
  address = "/run/containerd/containerd.sock"

[plugins."io.containerd.internal.v1.opt"]
  path = "${directory}/containerd-opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE no process can lower its score below its parent's.
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniDirectory}"
    conf_dir = "${CNI_CONFIGURATION}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}

/** The pods' network on a node: a link each to the node's namespace, which routes. */
export function cniConfig(node: NodePlan): object {
  return {
    cniVersion: "0.4.0",
    name: NAME,
    plugins: [
      {
        type: "ptp",
        ipMasq: false,
        mtu: 1500,
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: node.podNetwork }]],
          routes: [{ dst: "0.0.0.0/0" }],
          dataDir: "/var/lib/cni/networks",
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

/**
 * The kubelet's configuration on a node.
 *
 * @param memory the machine's memory in bytes: every node sees all of it, and gets a fair share of what the host leaves
 * @param usable how much of it the sandbox may use, where a container's limit is less
 */
export function kubeletConfig(where: Paths, node: NodePlan, memory: number, usable = memory): object {
  const share = Math.floor((Math.max(usable - HOST_MEMORY, usable / 2) * MEMORY_OVERCOMMIT) / NODES.length);
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: join(where.pki, "ca.crt") } },
    authorization: { mode: "Webhook" },
    tlsCertFile: join(where.pki, `kubelet-${node.name}-server.crt`),
    tlsPrivateKeyFile: join(where.pki, `kubelet-${node.name}-server.key`),
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    volumePluginDir: "/var/lib/kubelet/volume-plugins",
    clusterDNS: [DNS_SERVICE],
    clusterDomain: CLUSTER_DOMAIN,
    resolvConf: "",
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${NAME}/${node.name}`,
    enforceNodeAllocatable: ["pods"],
    systemReserved: { memory: `${Math.floor((memory - share) / 2 ** 20)}Mi` },
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%", "imagefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
    oomScoreAdj: 0,
    maxOpenFiles: 20_000,
    failSwapOn: false,
    serializeImagePulls: false,
    // A changed ConfigMap reaches its pods within seconds.
    configMapAndSecretChangeDetectionStrategy: "Watch",
    syncFrequency: "10s",
    nodeStatusUpdateFrequency: "4s",
    nodeLeaseDurationSeconds: 20,
    registerWithTaints: [],
  };
}

/** kube-proxy's configuration on a node: what comes from outside the pods' network is answered through the node that it came to. */
export function kubeProxyConfig(where: Paths, node: NodePlan): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: kubeconfigOf(where, "kube-proxy") },
    clusterCIDR: POD_NETWORK,
    hostnameOverride: node.name,
    mode: "iptables",
    iptables: { minSyncPeriod: "0s" },
    oomScoreAdj: 0,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
}

/**
 * The script that is a node's init: it makes the mounts that are only the node's, and keeps the node's programs running. The pods' network
 * comes last, when the policies are enforced, so that no pod is ever without them.
 */
export function initScript(where: Paths, node: NodePlan): string {
  const directory = nodeDirectory(where, node);
  const log = (name: string): string => `${where.logs}/${node.name}-${name}.log`;
  const binds = NODE_PRIVATE_DIRECTORIES.map((path) => `bind ${directory}/private${path} ${path}`);
  return `#!/bin/sh
set -eu
bind() { mkdir -p "$1"; mount --bind "$1" "$2"; }
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock
${FORGET_POLICIES}
${binds.join("\n")}
mount --make-rshared /
hostname ${node.name}
keep() { log=$1; shift; while :; do "$@" >>"$log" 2>&1 || true; sleep 1; done; }
keep ${log("containerd")} containerd --config ${file(where, node, "containerd.toml")} &
until test -e /run/images-are-here; do sleep 0.1; done
keep ${log("kubelet")} ${where.bin}/kubelet --config=${file(where, node, "kubelet.json")} --kubeconfig=${kubeconfigOf(where, `kubelet-${node.name}`)} \\
  --hostname-override=${node.name} --node-ip=${node.address} --node-labels=topology.kubernetes.io/zone=${node.zone},topology.kubernetes.io/region=sandbox &
keep ${log("kube-proxy")} ${where.bin}/kube-proxy --config=${file(where, node, "kube-proxy.json")} &
keep ${log(POLICY_AGENT)} ${policyAgentCommand(where, node)} &
until ${POLICIES_IN_PLACE}; do sleep 0.1; done
# Written and not moved there: containerd looks at what is written only.
mkdir -p ${CNI_CONFIGURATION}
cp ${file(where, node, "cni")}/10-sandbox.conflist ${CNI_CONFIGURATION}/
wait
`;
}

function writeConfiguration(where: Paths, node: NodePlan): void {
  const cni = CNI_DIRECTORIES.find((directory) => existsSync(join(directory, "ptp")));
  if (cni === undefined) throw new StepFailed(`the network plugin ptp is in none of ${CNI_DIRECTORIES.join(", ")}`);
  mkdirSync(file(where, node, "cni"), { recursive: true });
  mkdirSync(where.logs, { recursive: true });
  const kubelet = kubeletConfig(where, node, totalmem(), usableMemory());
  writeFileSync(file(where, node, "containerd.toml"), containerdConfig(where, node, cni));
  writeFileSync(file(where, node, "cni/10-sandbox.conflist"), JSON.stringify(cniConfig(node), null, 2));
  writeFileSync(file(where, node, "kubelet.json"), JSON.stringify(kubelet, null, 2));
  writeFileSync(file(where, node, "kube-proxy.json"), JSON.stringify(kubeProxyConfig(where, node), null, 2));
  writeFileSync(file(where, node, "init"), initScript(where, node), { mode: 0o755 });
}

/** The record of directories of the host that exist only as the nodes' mount points. */
function directoriesRecord(where: Paths): string {
  return join(where.home, "made-directories");
}

function ensureMountPoints(where: Paths): void {
  for (const path of NODE_PRIVATE_DIRECTORIES) {
    if (existsSync(path)) continue;
    writeFileSync(directoriesRecord(where), `${path}\n`, { flag: "a" });
    mkdirSync(path, { recursive: true });
  }
}

/** The directories that {@link ensureMountPoints} made. */
export function madeDirectories(where: Paths): string[] {
  return (readIfThere(directoriesRecord(where)) ?? "").split("\n").filter((path) => NODE_PRIVATE_DIRECTORIES.includes(path));
}

/** The id of a node's init as the host sees it: the only child of the recorded `unshare`. */
function initOf(record: ProcessRecord): number | undefined {
  const child = Number((readIfThere(`/proc/${record.pid}/task/${record.pid}/children`) ?? "").trim().split(" ")[0]);
  return Number.isInteger(child) && child > 1 ? child : undefined;
}

/** Runs a program in a running node's mount and network namespaces. */
export async function inNode(node: NodePlan, command: readonly string[], where: Paths = paths()): Promise<string> {
  const record = runningDaemon(where.run, node.name);
  const init = record === undefined ? undefined : initOf(record);
  if (init === undefined) throw new StepFailed(`${node.name} isn't running`);
  return run("nsenter", ["-t", String(init), "-m", "-n", "--", ...command], { timeout: 300_000 });
}

const ctr = (node: NodePlan, where: Paths, ...args: string[]) =>
  inNode(node, ["ctr", "-a", "/run/containerd/containerd.sock", "-n", "k8s.io", ...args], where);

/** Brings the images that a running node doesn't have; those it has under the same key are left. */
export async function importImages(node: NodePlan, archives: readonly ImageArchive[], where: Paths): Promise<void> {
  const marks = join(nodeDirectory(where, node), "imported-images");
  mkdirSync(marks, { recursive: true });
  const present = new Set((await ctr(node, where, "images", "list", "-q")).split("\n"));
  for (const archive of archives) {
    const mark = join(marks, archive.name.replace(/[/:]/g, "_"));
    if (present.has(archive.name) && readIfThere(mark) === archive.key) continue;
    await ctr(node, where, "images", "import", archive.path);
    writeFileSync(mark, archive.key);
  }
}

/**
 * Starts a node unless it runs, brings its images, and lets its kubelet start. Its being Ready is for the caller to await.
 *
 * @param archives without them, the node starts with the images it has
 * @returns whether it had to be started
 * @throws {StepFailed} with containerd's log if that doesn't come up
 */
export async function ensureNode(node: NodePlan, archives: readonly ImageArchive[] | undefined, where: Paths): Promise<boolean> {
  await ensureNodeNetwork(node);
  const log = join(where.logs, `${node.name}.log`);
  const missing = runningDaemon(where.run, node.name) === undefined;
  if (missing) {
    ensureMountPoints(where);
    writeConfiguration(where, node);
    // Leftovers of a killed node in its control groups: its kubelet would spend three seconds on each of its containers' groups.
    await killCgroup(node.name);
    await removeCgroup(node.name);
    await startDaemon(where.run, {
      name: node.name,
      command: [
        ...(["nsenter", `--net=/run/netns/${node.netns}`] as [string, string]),
        ...["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"],
        ...["/usr/bin/tini-static", "-s", "--", file(where, node, "init")],
      ],
      log,
      cgroup: `${node.name}/system`,
      env: { PATH: `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`, KUBECONFIG: "" },
    });
  }
  await until(`containerd of ${node.name} did not come up`, async () => (await ctr(node, where, "version")) !== "", {
    timeout: 60_000,
    log: join(where.logs, `${node.name}-containerd.log`),
    hopeless: () => (runningDaemon(where.run, node.name) === undefined ? "the node ended" : undefined),
  });
  if (archives !== undefined) await importImages(node, archives, where);
  await inNode(node, ["touch", "/run/images-are-here"], where);
  return missing;
}

/** A number of {@link NODES}, or a {@link RangeError}. */
export function nodePlanByNumber(number: number): NodePlan {
  const node = NODES.find((candidate) => candidate.number === number);
  if (node === undefined) throw new RangeError(`node ${number}: the nodes are ${NODES.map((each) => each.number).join(", ")}`);
  return node;
}

/** Leads the services' addresses through a node that is there, if they led through `lost`. */
async function avoid(lost: NodePlan, where: Paths): Promise<void> {
  if ((await serviceRoute()) !== lost.number) return;
  const other = NODES.find((node) => node.number !== lost.number && runningDaemon(where.run, node.name) !== undefined);
  if (other !== undefined) await routeServicesThrough(other);
}

/** A node's crash: kill -9 of its init, and with it of all that runs in it. Its disks stay. Does nothing if it doesn't run. */
export async function killNode(number: number, where: Paths = paths()): Promise<void> {
  const node = nodePlanByNumber(number);
  await killDaemon(where.run, node.name);
  await killCgroup(node.name);
  await avoid(node, where);
}

/** Starts a node that was killed, with the disks and images that it had. */
export async function startNode(number: number, where: Paths = paths()): Promise<void> {
  await ensureNode(nodePlanByNumber(number), undefined, where);
}

/** Cuts a node off: nothing reaches it, and it reaches nothing; what runs on it goes on running. */
export async function partitionNode(number: number, where: Paths = paths()): Promise<void> {
  await setNodeLink(nodePlanByNumber(number), "down");
  await avoid(nodePlanByNumber(number), where);
}

/** Ends what {@link partitionNode} began. */
export async function healNode(number: number): Promise<void> {
  const node = nodePlanByNumber(number);
  await setNodeLink(node, "up");
  await ensureNodeNetwork(node);
}
