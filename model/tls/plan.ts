import { runningComponents } from "../kubernetes/components";
import type { Identity } from "../kubernetes/identities";
import type { PodComponent } from "../settings/components";
import { gatewayEndpoints } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { CertifiedKey, ClientUse, TlsSettings } from "../settings/tls";

/** Who has which certificate, by the names that are dialled and by what it is used for. */

/** A certificate, as whoever makes it must know it. */
export interface Leaf {
  /** Its subject, and the stem of its Secret's name, such as `thanos-receive`. */
  name: string;
  /** Names for which it is valid; none where nobody dials its holder. */
  dnsNames: string[];
  /** Whether its holder takes connections. */
  server: boolean;
  /** Whether its holder opens connections: what of the stack's CA may write for any tenant and read everything. */
  client: boolean;
}

/** Certificate of a component. */
export interface ComponentLeaf extends Leaf {
  component: PodComponent;
  identity: Identity;
  /** Its key in `tls.certificates.secrets`. */
  key: CertifiedKey;
}

/** Certificate for somebody who is none of the stack's components. */
export interface ClientLeaf extends Leaf {
  /** Its name in a list of `tls.clients`. */
  holder: string;
  /** The list, whose CA signs it. */
  use: ClientUse;
}

/** The lists of `tls.clients`. */
export const CLIENT_USES = ["write", "query"] as const satisfies readonly ClientUse[];

/** Encryption between the components of an environment. */
export interface TlsPlan {
  settings: TlsSettings;
  /** Name for which every server's certificate is valid: Thanos knows one for all of its peers. */
  serverName: string;
  leaves: ComponentLeaf[];
  /** Certificates for others. */
  clients: ClientLeaf[];
  /** Lists of `tls.clients` whose CA the stack's servers trust beside its own: those of receivers and routers, and those of queriers. */
  accepted: ClientUse[];
  /** Whether the gateway trusts the senders' CA. */
  gatewayTrustsSenders: boolean;
}

/** Whether servers take TLS, and their clients speak it; false where nothing is encrypted, or in the step before. */
export const servesTls = ({ tls }: Pick<Settings, "tls">): boolean => tls?.stage === "everywhere";

/**
 * Name for which every server's certificate is valid. It is never looked up: Thanos dials addresses of SRV records and
 * asks for this name (`--remote-write.client-server-name`, `server_name`).
 */
export const tlsServerName = ({ namespace, cluster }: Pick<Settings, "namespace" | "cluster">): string =>
  `thanos-stack.${namespace}.svc.${cluster.domain}`;

/** Name of the Certificate and the Secret of a leaf, where cert-manager makes them. */
export const leafSecretName = (leaf: Pick<Leaf, "name">): string => `${leaf.name}-tls`;

/** Subject of a certificate for others, and the stem of its Secret's name. */
export const clientName = (holder: string): string => `thanos-client-${holder}`;

/** Whether the gateway trusts the senders' CA of `tls`, and not one of somebody else's. */
export const gatewayTrustsSenders = ({ tls, gateway }: Pick<Settings, "tls" | "gateway">): boolean =>
  tls !== undefined && gateway?.senderAuthority?.tls !== undefined;

/** Whether there is a CA for others of a list. */
export function hasClientCa({ certificates, clients }: TlsSettings, use: ClientUse): boolean {
  const { program, certManager, secrets } = certificates;
  if (program !== undefined) return clients[use].length > 0;
  return (certManager?.clients[use] ?? secrets?.clients[use]) !== undefined;
}

/**
 * Whether the CA of a list of `tls.clients` is trusted where these connect. Behind a gateway that takes writes no sender connects to
 * receivers and routers, which would take any tenant from him.
 */
export const acceptsClients = (settings: Settings, use: ClientUse): boolean =>
  settings.tls !== undefined &&
  servesTls(settings) &&
  hasClientCa(settings.tls, use) &&
  (use === "query" || (receiveOf(settings) !== undefined && !gatewayEndpoints(settings).includes("write")));

/** The certificates; undefined where nothing is encrypted. */
export function planTls(settings: Settings): TlsPlan | undefined {
  const { tls } = settings;
  if (tls === undefined) return undefined;
  const all = leavesOf(settings);
  return {
    settings: tls,
    serverName: tlsServerName(settings),
    // Until servers take TLS only those who write have a use for a certificate.
    leaves: servesTls(settings) ? all : all.filter(({ writes }) => writes),
    clients: CLIENT_USES.flatMap((use) =>
      tls.clients[use].map((holder) => ({ holder, use, name: clientName(holder), dnsNames: [], server: false, client: true })),
    ),
    accepted: CLIENT_USES.filter((use) => acceptsClients(settings, use)),
    gatewayTrustsSenders: gatewayTrustsSenders(settings),
  };
}

/** The certificates of all components that run. */
const leavesOf = (settings: Settings): (ComponentLeaf & { writes: boolean })[] =>
  runningComponents(settings).flatMap(({ name, app, certificate }) => {
    const use = certificate?.use(settings);
    if (certificate === undefined || use === undefined) return [];
    const { server, client, writes = false, service } = use;
    return [
      {
        component: name,
        key: certificate.key,
        identity: { app, component: name },
        name: app,
        dnsNames: server ? [tlsServerName(settings), ...(service === undefined ? [] : serviceNames(service, settings))] : [],
        server,
        client,
        writes,
      },
    ];
  });

/** Names by which a Service is dialled, from within its namespace and from elsewhere. */
function serviceNames(service: string, { namespace, cluster }: Settings): string[] {
  const inNamespace = `${service}.${namespace}`;
  return [service, inNamespace, `${inNamespace}.svc`, `${inNamespace}.svc.${cluster.domain}`];
}
