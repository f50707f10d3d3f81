import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { run, tryRun } from "./command";
import type { Paths } from "./paths";
import { BRIDGE, HOST_ADDRESS, LINK_PREFIX, NAME, NODE_NETWORK, NODES, type NodePlan, POD_NETWORK, SERVICE_NETWORK } from "./topology";

/** Kernel settings of the root namespace that the cluster needs, or that its kubelets set. Those a kernel doesn't have are left out. */
const SYSCTLS: Readonly<Record<string, { readonly value: string; readonly atLeast?: boolean }>> = {
  // Each containerd, kubelet and Prometheus takes a handful.
  "fs/inotify/max_user_instances": { value: "1024", atLeast: true },
  "net/ipv4/ip_forward": { value: "1" },
  // Thanos and Prometheus map blocks larger than memory.
  "vm/overcommit_memory": { value: "1" },
  // Frames between two nodes are the bridge's, not the host firewall's.
  "net/bridge/bridge-nf-call-iptables": { value: "0" },
  // Values that every kubelet sets by itself (pkg/kubelet/cm `setupKernelTunables`), set here so that what was before is on record.
  // With `panic_on_oops` a fault of the kernel restarts the machine, which is a node's business and not that of somebody's
  // computer: it comes back with `make down`.
  "vm/panic_on_oom": { value: "0" },
  "kernel/panic": { value: "10" },
  "kernel/panic_on_oops": { value: "1" },
  "kernel/keys/root_maxkeys": { value: "1000000" },
  "kernel/keys/root_maxbytes": { value: "25000000" },
};

const ANSWERS = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"];
const NO_ANSWERS = ["-m", "conntrack", "!", "--ctstate", "RELATED,ESTABLISHED"];

/** The comment on each of the sandbox's firewall rules. */
const COMMENT = ["-m", "comment", "--comment", NAME];

/**
 * The sandbox's firewall rules: what pods and nodes send is forwarded whatever the host's policy, and
 * hidden behind the host's address outside.
 */
export const FIREWALL: readonly { readonly table: string; readonly chain: string; readonly rule: readonly string[] }[] = [
  { table: "filter", chain: "FORWARD", rule: ["-i", BRIDGE, ...COMMENT, "-j", "ACCEPT"] },
  // A host that closes its own ports (ufw, firewalld) opens them to the nodes: the API server and the S3 server listen on the bridge.
  { table: "filter", chain: "INPUT", rule: ["-i", BRIDGE, ...COMMENT, "-j", "ACCEPT"] },
  // Answers to what went out. Who begins from outside reaches neither pods nor nodes, and of this machine not what listens for them,
  // whatever the machine forwards and accepts otherwise. Each rule is for packets of its own, so that their order does not matter.
  { table: "filter", chain: "FORWARD", rule: ["!", "-i", BRIDGE, "-o", BRIDGE, ...ANSWERS, ...COMMENT, "-j", "ACCEPT"] },
  { table: "filter", chain: "FORWARD", rule: ["!", "-i", BRIDGE, "-o", BRIDGE, ...NO_ANSWERS, ...COMMENT, "-j", "DROP"] },
  {
    table: "filter",
    chain: "INPUT",
    rule: ["!", "-i", BRIDGE, "-d", HOST_ADDRESS, "-m", "addrtype", "!", "--src-type", "LOCAL", ...COMMENT, "-j", "DROP"],
  },
  ...[POD_NETWORK, NODE_NETWORK].map((network) => ({
    table: "nat",
    chain: "POSTROUTING",
    rule: ["-s", network, "!", "-o", BRIDGE, ...COMMENT, "-j", "MASQUERADE"],
  })),
];

const iptables = (table: string, ...args: string[]) => run("iptables", ["-w", "10", "-t", table, ...args]);

/** Makes the bridge, the kernel settings and the firewall rules of the root namespace; what is there stays. */
export async function ensureHostNetwork(where: Paths): Promise<void> {
  setSysctls(where);
  if ((await tryRun("ip", ["link", "show", BRIDGE])) === undefined) await run("ip", ["link", "add", BRIDGE, "type", "bridge"]);
  await run("ip", ["address", "replace", `${HOST_ADDRESS}/24`, "dev", BRIDGE]);
  await run("ip", ["link", "set", BRIDGE, "up"]);
  for (const { table, chain, rule } of FIREWALL) {
    if ((await tryRun("iptables", ["-w", "10", "-t", table, "-C", chain, ...rule])) === undefined)
      await iptables(table, "-I", chain, ...rule);
  }
}

function setSysctls(where: Paths): void {
  const before: Record<string, string> = existsSync(where.sysctlRecord) ? JSON.parse(readFileSync(where.sysctlRecord, "utf8")) : {};
  const changes: [string, string][] = [];
  for (const [name, { value, atLeast }] of Object.entries(SYSCTLS)) {
    const file = `/proc/sys/${name}`;
    if (!existsSync(file)) continue;
    const current = readFileSync(file, "utf8").trim();
    if (current === value || (atLeast === true && Number(current) >= Number(value))) continue;
    before[name] ??= current;
    changes.push([file, value]);
  }
  // Written first: a crash in between leaves values that were never changed in it, and nothing changed that isn't.
  if (changes.length > 0) writeFileSync(where.sysctlRecord, `${JSON.stringify(before)}\n`);
  for (const [file, value] of changes) writeFileSync(file, value);
}

/** Makes a node's network namespace, its link to the bridge and its routes; what is there stays. */
export async function ensureNodeNetwork(node: NodePlan): Promise<void> {
  const inside = (...args: string[]) => run("ip", ["-n", node.netns, ...args]);
  if (!existsSync(`/run/netns/${node.netns}`)) await run("ip", ["netns", "add", node.netns]);
  await inside("link", "set", "lo", "up");
  if ((await tryRun("ip", ["link", "show", node.link])) === undefined) {
    await run("ip", ["link", "add", node.link, "type", "veth", "peer", "name", "eth0", "netns", node.netns]);
  }
  await run("ip", ["link", "set", node.link, "master", BRIDGE, "up"]);
  await inside("address", "replace", `${node.address}/24`, "dev", "eth0");
  await inside("link", "set", "eth0", "up");
  await inside("route", "replace", "default", "via", HOST_ADDRESS);
  for (const other of NODES) {
    if (other.number !== node.number) await inside("route", "replace", other.podNetwork, "via", other.address);
  }
  await run("ip", ["route", "replace", node.podNetwork, "via", node.address]);
  for (const file of ["net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"]) {
    // Network settings are a namespace's own; `nsenter --net` shows that namespace's under /proc/sys/net.
    const value = SYSCTLS[file]?.value ?? "0";
    await tryRun("nsenter", [
      `--net=/run/netns/${node.netns}`,
      "sh",
      "-c",
      `test ! -e /proc/sys/${file} || echo ${value} > /proc/sys/${file}`,
    ]);
  }
}

/** Leads the services' addresses from this host through one node, whose kube-proxy knows them. */
export async function routeServicesThrough(node: NodePlan): Promise<void> {
  await run("ip", ["route", "replace", SERVICE_NETWORK, "via", node.address]);
}

/** The number of the node that {@link routeServicesThrough} chose last, or nothing. */
export async function serviceRoute(): Promise<number | undefined> {
  const route = (await tryRun("ip", ["-4", "route", "show", SERVICE_NETWORK])) ?? "";
  return NODES.find((node) => route.includes(`via ${node.address} `))?.number;
}

/** Cuts a node off from everything, or connects it again. */
export async function setNodeLink(node: NodePlan, state: "up" | "down"): Promise<void> {
  await run("ip", ["link", "set", node.link, state]);
}

/** Removes everything of the above that is there, by name, and puts the kernel's settings back. */
export async function removeNetwork(where: Paths): Promise<void> {
  for (const line of ((await tryRun("ip", ["netns", "list"])) ?? "").split("\n")) {
    const name = line.split(" ")[0] ?? "";
    if (name.startsWith(`${NAME}-`)) await run("ip", ["netns", "delete", name]);
  }
  for (const line of ((await tryRun("ip", ["-o", "link", "show"])) ?? "").split("\n")) {
    const name = /^\d+: ([^:@]+)/.exec(line)?.[1] ?? "";
    // Its routes go with it; a pair's other end may have gone with its namespace.
    if (name.startsWith(LINK_PREFIX)) await tryRun("ip", ["link", "delete", name]);
  }
  for (const table of ["filter", "nat"]) {
    for (const line of ((await tryRun("iptables", ["-w", "10", "-t", table, "-S"])) ?? "").split("\n")) {
      const words = line.split(" ");
      if (words[0] === "-A" && (words.includes(NAME) || words.includes(`"${NAME}"`))) {
        await iptables(table, "-D", ...words.slice(1).map((word) => word.replace(/^"|"$/g, "")));
      }
    }
  }
  if (existsSync(where.sysctlRecord)) {
    const before: Record<string, string> = JSON.parse(readFileSync(where.sysctlRecord, "utf8"));
    for (const [name, value] of Object.entries(before)) writeFileSync(`/proc/sys/${name}`, value);
    rmSync(where.sysctlRecord);
  }
}
