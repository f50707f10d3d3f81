/** Where a person on this machine can open what the stack serves. */
import { connect } from "node:net";
import type { ClusterAddress } from "../../clients/apiServer";
import { parseServiceUrl } from "../../clients/services";

/** Something to open in a browser, or the command that makes it so. */
export interface Address {
  name: string;
  /** A URL that this machine reached, or else a command to run first. */
  open: string;
}

const CONNECT_TIMEOUT_MS = 500;

/**
 * How to open a Service from here: by its address in the cluster where this machine can connect to it, else through `kubectl port-forward`.
 *
 * @param url the Service's in-cluster URL
 * @param clusterIp the Service's address; undefined where it has none
 */
export async function addressOf(name: string, url: string, clusterIp: string | undefined, cluster: ClusterAddress): Promise<Address> {
  const { scheme, port } = parseServiceUrl(url);
  if (clusterIp !== undefined && (await connects(clusterIp, port))) {
    const host = clusterIp.includes(":") ? `[${clusterIp}]` : clusterIp;
    return { name, open: `${scheme}://${host}:${port}` };
  }
  return { name, open: portForward(url, cluster) };
}

/** The command that brings a Service to this machine's loopback, under its own port. */
export function portForward(url: string, cluster: ClusterAddress): string {
  const { name, namespace, port } = parseServiceUrl(url);
  const isPath = cluster.kubeconfig !== undefined && !/[\n{]/.test(cluster.kubeconfig);
  const kubeconfig = isPath ? ["--kubeconfig", quoted(cluster.kubeconfig ?? "")] : [];
  return [
    "kubectl",
    ...kubeconfig,
    "--context",
    quoted(cluster.context),
    "--namespace",
    namespace,
    "port-forward",
    `service/${name}`,
    `${port}:${port}`,
  ].join(" ");
}

function quoted(text: string): string {
  return /^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const end = (reached: boolean): void => {
      socket.destroy();
      resolve(reached);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}
