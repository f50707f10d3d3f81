import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { run, tryRun } from "./command";
import type { Paths } from "./paths";
import { API_PORT, CLUSTER_DOMAIN, CONTEXT, HOST_ADDRESS, KUBERNETES_SERVICE, NODES } from "./topology";

/** A certificate of the cluster. */
export interface CertificatePlan {
  /** The files' name: NAME.crt, NAME.key. */
  readonly name: string;
  /** The user (as Kubernetes sees it) or the server. */
  readonly commonName: string;
  /** The user's group. */
  readonly organization?: string;
  /** Names and addresses of a server: `DNS:…`, `IP:…`. Without any, the certificate is a client's only. */
  readonly servers?: readonly string[];
}

/** Ten years: the sandbox renews nothing. */
const DAYS = "3650";

/** All certificates of the cluster. */
export const CERTIFICATES: readonly CertificatePlan[] = [
  {
    name: "kube-apiserver",
    commonName: "kube-apiserver",
    servers: [
      `IP:${HOST_ADDRESS}`,
      "IP:127.0.0.1",
      `IP:${KUBERNETES_SERVICE}`,
      "DNS:localhost",
      ...["", ".default", ".default.svc", `.default.svc.${CLUSTER_DOMAIN}`].map((suffix) => `DNS:kubernetes${suffix}`),
    ],
  },
  // The object storage is TLS, by an authority of its own, as in a company's data centre.
  { name: "versitygw", commonName: "versitygw", servers: [`IP:${HOST_ADDRESS}`] },
  { name: "etcd", commonName: "etcd", servers: ["IP:127.0.0.1", "DNS:localhost"] },
  { name: "apiserver-etcd-client", commonName: "kube-apiserver-etcd-client" },
  { name: "apiserver-kubelet-client", commonName: "kube-apiserver-kubelet-client" },
  { name: "admin", commonName: "sandbox-admin", organization: "system:masters" },
  { name: "kube-controller-manager", commonName: "system:kube-controller-manager" },
  { name: "kube-scheduler", commonName: "system:kube-scheduler" },
  { name: "kube-proxy", commonName: "system:kube-proxy" },
  { name: "kube-router", commonName: "system:kube-router" },
  ...NODES.flatMap((node) => [
    { name: `kubelet-${node.name}`, commonName: `system:node:${node.name}`, organization: "system:nodes" },
    { name: `kubelet-${node.name}-server`, commonName: node.name, servers: [`DNS:${node.name}`, `IP:${node.address}`] },
  ]),
];

async function signed(where: Paths, plan: CertificatePlan): Promise<void> {
  const file = (suffix: string): string => join(where.pki, `${plan.name}.${suffix}`);
  const ca = join(where.pki, "ca");
  const fits =
    existsSync(file("crt")) &&
    existsSync(file("key")) &&
    (await tryRun("openssl", ["verify", "-CAfile", `${ca}.crt`, file("crt")])) !== undefined &&
    (await tryRun("openssl", ["x509", "-in", file("crt"), "-noout", "-checkend", "2592000"])) !== undefined;
  if (fits) return;
  const subject = `${plan.organization === undefined ? "" : `/O=${plan.organization}`}/CN=${plan.commonName}`;
  const extensions = [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature,keyEncipherment",
    `extendedKeyUsage=clientAuth${plan.servers === undefined ? "" : ",serverAuth"}`,
    ...(plan.servers === undefined ? [] : [`subjectAltName=${plan.servers.join(",")}`]),
  ].join("\n");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file("key")];
  await run("openssl", ["req", "-new", ...key, "-subj", subject, "-out", file("csr")]);
  writeFileSync(file("ext"), extensions);
  const authority = ["-CA", `${ca}.crt`, "-CAkey", `${ca}.key`, "-set_serial", `0x${serial()}`];
  await run("openssl", ["x509", "-req", "-in", file("csr"), ...authority, "-days", DAYS, "-extfile", file("ext"), "-out", file("tmp")]);
  rmSync(file("ext"));
  rmSync(file("csr"));
  renameSync(file("tmp"), file("crt"));
}

function serial(): string {
  // The first digit keeps the number positive and its length the same.
  return `1${randomBytes(15).toString("hex")}`;
}

/** Makes the cluster's certificate authority, keys, certificates and kubeconfigs; what is there and valid stays. */
export async function ensurePki(where: Paths): Promise<void> {
  mkdirSync(where.pki, { recursive: true, mode: 0o700 });
  const ca = join(where.pki, "ca");
  if (!existsSync(`${ca}.crt`)) {
    await run("openssl", [
      ...["req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-days", DAYS, "-subj", "/CN=thanos-stack-sandbox", "-addext", "basicConstraints=critical,CA:TRUE"],
      ...["-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"],
      ...["-keyout", `${ca}.key`, "-out", `${ca}.tmp`],
    ]);
    renameSync(`${ca}.tmp`, `${ca}.crt`);
  }
  const accounts = join(where.pki, "service-accounts");
  if (!existsSync(`${accounts}.pub`)) {
    await run("openssl", ["genrsa", "-out", `${accounts}.key`, "2048"]);
    await run("openssl", ["rsa", "-in", `${accounts}.key`, "-pubout", "-out", `${accounts}.tmp`]);
    renameSync(`${accounts}.tmp`, `${accounts}.pub`);
  }
  for (const plan of CERTIFICATES) await signed(where, plan);

  writeKubeconfig(where, where.kubeconfig, "admin");
  for (const name of [
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kube-router",
    ...NODES.map((node) => `kubelet-${node.name}`),
  ]) {
    writeKubeconfig(where, kubeconfigOf(where, name), name);
  }
}

/** The path of the kubeconfig of one of the cluster's programs. */
export function kubeconfigOf(where: Paths, name: string): string {
  return join(where.pki, `${name}.kubeconfig`);
}

/** Keys are in the file itself, so that it can be copied. */
function writeKubeconfig(where: Paths, path: string, certificate: string): void {
  const encoded = (file: string): string => readFileSync(join(where.pki, file)).toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: CONTEXT, cluster: { server: `https://${HOST_ADDRESS}:${API_PORT}`, "certificate-authority-data": encoded("ca.crt") } },
    ],
    users: [
      {
        name: certificate,
        user: { "client-certificate-data": encoded(`${certificate}.crt`), "client-key-data": encoded(`${certificate}.key`) },
      },
    ],
    contexts: [{ name: CONTEXT, context: { cluster: CONTEXT, user: certificate } }],
    "current-context": CONTEXT,
  };
  writeFileSync(path, stringify(config, { lineWidth: 0 }), { mode: 0o600 });
}
