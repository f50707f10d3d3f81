import { existsSync } from "node:fs";
import { CoreV1Api, type V1Pod } from "@kubernetes/client-node";
import { bucketRuns, bucketServer, buckets } from "./bucket";
import { isReady, kubeConfig } from "./cluster";
import { apiIsReady } from "./controlPlane";
import { deployedEnvironments, stackOutputs } from "./engine";
import type { Paths } from "./paths";
import { recordedDaemons, runningDaemon } from "./processes";

/** Rows under headings, in columns as wide as their widest cell. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A text that fits into a line; whole ones are for `pulumi stack output`. */
function short(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 119)}…`;
}

/** A pod's row: where it is, how many of its containers are ready, what it is doing. */
export function podRow(pod: V1Pod): string[] {
  const containers = pod.status?.containerStatuses ?? [];
  const waiting = containers.find((container) => container.state?.waiting?.reason !== undefined)?.state?.waiting?.reason;
  return [
    pod.metadata?.namespace ?? "",
    pod.metadata?.name ?? "",
    `${containers.filter((container) => container.ready).length}/${pod.spec?.containers.length ?? 0}`,
    pod.metadata?.deletionTimestamp ? "Terminating" : (waiting ?? pod.status?.phase ?? ""),
    String(containers.reduce((sum, container) => sum + container.restartCount, 0)),
    pod.spec?.nodeName ?? "",
    pod.status?.podIP ?? "",
  ];
}

/** State of the sandbox, as text; and whether the cluster runs. */
export async function status(where: Paths): Promise<{ text: string; running: boolean }> {
  const names = recordedDaemons(where.run);
  if (names.length === 0) return { text: "The sandbox isn't running; `make up` starts it.", running: false };
  const processes = names.map((name) => {
    const record = runningDaemon(where.run, name);
    return [name, record === undefined ? "stopped" : "running", record === undefined ? "" : String(record.pid)];
  });
  const parts = [table(["PROCESS", "STATE", "PID"], processes)];
  const state = bucketRuns(where) ? "running" : "stopped";
  const rows = buckets(where).map((bucket) => [bucket, state, bucketServer().endpoint]);
  if (rows.length > 0) parts.push(table(["BUCKET", "SERVER", "ENDPOINT"], rows));
  if (!existsSync(where.kubeconfig) || !(await apiIsReady(where))) {
    return { text: [...parts, "The API server doesn't answer; `make up` starts what is missing."].join("\n\n"), running: false };
  }
  const core = kubeConfig(where).makeApiClient(CoreV1Api);
  const nodes = (await core.listNode()).items;
  parts.push(
    table(
      ["NODE", "STATE", "ZONE", "ADDRESS"],
      nodes.map((node) => [
        node.metadata?.name ?? "",
        isReady(node) ? "Ready" : "NotReady",
        node.metadata?.labels?.["topology.kubernetes.io/zone"] ?? "",
        node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "",
      ]),
    ),
  );
  parts.push(
    table(["NAMESPACE", "POD", "READY", "STATE", "RESTARTS", "NODE", "ADDRESS"], (await core.listPodForAllNamespaces()).items.map(podRow)),
  );
  for (const env of deployedEnvironments(where)) {
    const outputs = Object.entries((await stackOutputs(env, where)) ?? {});
    if (outputs.length === 0) continue;
    const shown = outputs.map(([name, { value, secret }]) => [
      name,
      secret ? "[secret]" : short(typeof value === "string" ? value : JSON.stringify(value)),
    ]);
    parts.push(table([`OUTPUT (${env})`, "VALUE"], shown));
  }
  return { text: parts.join("\n\n"), running: nodes.every(isReady) };
}
