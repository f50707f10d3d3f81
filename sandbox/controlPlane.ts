import { mkdirSync, readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { tail, until } from "./command";
import type { Paths } from "./paths";
import { kubeconfigOf } from "./pki";
import { type Daemon, isRunning, runningDaemon, startDaemon } from "./processes";
import { API_PORT, HOST_ADDRESS, POD_NETWORK, SERVICE_NETWORK } from "./topology";

/** The control group of the control plane. */
export const CONTROL_PLANE = "control-plane";
const ETCD = "https://127.0.0.1:2379";

/** The programs of the control plane, in the order of their start. */
export function controlPlane(where: Paths): Record<"etcd" | "apiserver" | "controllerManager" | "scheduler", Daemon> {
  const pki = (file: string): string => join(where.pki, file);
  const daemon = (name: string, args: readonly string[]): Daemon => ({
    name,
    command: [join(where.bin, name), ...args],
    log: join(where.logs, `${name}.log`),
    cgroup: `${CONTROL_PLANE}/${name}`,
  });
  return {
    etcd: daemon("etcd", [
      `--data-dir=${join(where.home, "etcd")}`,
      // A sandbox may lose its last second when the machine does; without this, every write waits for the disk.
      "--unsafe-no-fsync",
      `--listen-client-urls=${ETCD}`,
      `--advertise-client-urls=${ETCD}`,
      "--listen-peer-urls=http://127.0.0.1:2380",
      `--cert-file=${pki("etcd.crt")}`,
      `--key-file=${pki("etcd.key")}`,
      `--trusted-ca-file=${pki("ca.crt")}`,
      "--client-cert-auth",
      "--auto-compaction-retention=1h",
      "--log-level=warn",
    ]),
    apiserver: daemon("kube-apiserver", [
      `--etcd-servers=${ETCD}`,
      `--etcd-cafile=${pki("ca.crt")}`,
      `--etcd-certfile=${pki("apiserver-etcd-client.crt")}`,
      `--etcd-keyfile=${pki("apiserver-etcd-client.key")}`,
      `--bind-address=${HOST_ADDRESS}`,
      `--advertise-address=${HOST_ADDRESS}`,
      `--secure-port=${API_PORT}`,
      `--service-cluster-ip-range=${SERVICE_NETWORK}`,
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      "--allow-privileged=true",
      "--enable-aggregator-routing=true",
      // A pod leaves a lost node after 10 s instead of five minutes.
      "--default-not-ready-toleration-seconds=10",
      "--default-unreachable-toleration-seconds=10",
      `--client-ca-file=${pki("ca.crt")}`,
      `--tls-cert-file=${pki("kube-apiserver.crt")}`,
      `--tls-private-key-file=${pki("kube-apiserver.key")}`,
      `--kubelet-certificate-authority=${pki("ca.crt")}`,
      `--kubelet-client-certificate=${pki("apiserver-kubelet-client.crt")}`,
      `--kubelet-client-key=${pki("apiserver-kubelet-client.key")}`,
      "--kubelet-preferred-address-types=InternalIP",
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-account-key-file=${pki("service-accounts.pub")}`,
      `--service-account-signing-key-file=${pki("service-accounts.key")}`,
      `--requestheader-client-ca-file=${pki("ca.crt")}`,
      "--requestheader-allowed-names=front-proxy-client",
      "--requestheader-extra-headers-prefix=X-Remote-Extra-",
      "--requestheader-group-headers=X-Remote-Group",
      "--requestheader-username-headers=X-Remote-User",
      "--profiling=false",
    ]),
    controllerManager: daemon("kube-controller-manager", [
      `--kubeconfig=${kubeconfigOf(where, "kube-controller-manager")}`,
      `--authentication-kubeconfig=${kubeconfigOf(where, "kube-controller-manager")}`,
      `--authorization-kubeconfig=${kubeconfigOf(where, "kube-controller-manager")}`,
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
      "--allocate-node-cidrs=false",
      `--cluster-cidr=${POD_NETWORK}`,
      `--service-cluster-ip-range=${SERVICE_NETWORK}`,
      "--use-service-account-credentials",
      `--root-ca-file=${pki("ca.crt")}`,
      `--service-account-private-key-file=${pki("service-accounts.key")}`,
      `--cluster-signing-cert-file=${pki("ca.crt")}`,
      `--cluster-signing-key-file=${pki("ca.key")}`,
      "--node-monitor-grace-period=20s",
      "--node-monitor-period=2s",
      "--profiling=false",
    ]),
    scheduler: daemon("kube-scheduler", [
      `--kubeconfig=${kubeconfigOf(where, "kube-scheduler")}`,
      `--authentication-kubeconfig=${kubeconfigOf(where, "kube-scheduler")}`,
      `--authorization-kubeconfig=${kubeconfigOf(where, "kube-scheduler")}`,
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
      "--profiling=false",
    ]),
  };
}

/** Whether a control plane's HTTPS endpoint answers 200. Certificates of the cluster's own authority, or self-signed on loopback. */
function healthy(url: string, where: Paths, client?: string): Promise<boolean> {
  const pki = (file: string): Buffer => readFileSync(join(where.pki, file));
  const own = new URL(url).hostname === "127.0.0.1" && client === undefined;
  return new Promise((resolve) => {
    const asked = request(
      url,
      {
        timeout: 2_000,
        ...(own ? { rejectUnauthorized: false } : { ca: pki("ca.crt") }),
        ...(client === undefined ? {} : { cert: pki(`${client}.crt`), key: pki(`${client}.key`) }),
      },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve(false));
    asked.end();
  });
}

/**
 * Starts what of the control plane doesn't run, and waits until all of it is healthy.
 *
 * @throws {StepFailed} with the log of the program that didn't come up
 */
export async function ensureControlPlane(where: Paths, report: (text: string) => void): Promise<void> {
  mkdirSync(join(where.home, "etcd"), { recursive: true, mode: 0o700 });
  const plan = controlPlane(where);
  const up = async (daemon: Daemon, url: string, client?: string): Promise<void> => {
    report(daemon.name);
    const record = await startDaemon(where.run, daemon);
    await until(`${daemon.name} did not become healthy`, () => healthy(url, where, client), {
      // Emulated or busy machines are slow; a program that ended is noticed at once.
      timeout: 300_000,
      interval: 100,
      log: daemon.log,
      hopeless: () => (isRunning(record) ? undefined : `it ended${tail(daemon.log, 1) === "" ? "" : "; its log says why"}`),
    });
  };
  await up(plan.etcd, `${ETCD}/health`, "apiserver-etcd-client");
  await up(plan.apiserver, `https://${HOST_ADDRESS}:${API_PORT}/readyz`, "admin");
  await Promise.all([up(plan.controllerManager, "https://127.0.0.1:10257/healthz"), up(plan.scheduler, "https://127.0.0.1:10259/healthz")]);
}

/** Why nothing that the control plane does can be waited for: a program of it that has ended. Undefined while all of them run. */
export function controlPlaneEnded(where: Paths): string | undefined {
  const ended = Object.values(controlPlane(where)).find(({ name }) => runningDaemon(where.run, name) === undefined);
  return ended === undefined ? undefined : `${ended.name} has ended (${ended.log} says why), and \`make up\` starts it again`;
}

/** Whether the API server answers. */
export async function apiIsReady(where: Paths): Promise<boolean> {
  try {
    return await healthy(`https://${HOST_ADDRESS}:${API_PORT}/readyz`, where, "admin");
  } catch {
    return false;
  }
}
