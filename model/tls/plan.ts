import {
  type ComponentName,
  GATEWAY_IDENTITY,
  type Identity,
  PROMETHEUS_IDENTITY,
  QUERIER_GRPC_SERVICE,
  QUERIER_IDENTITY,
  RECEIVE_IDENTITY,
  RECEIVE_SERVICE,
  ROUTER_IDENTITY,
  RULER_IDENTITY,
  STORE_GATEWAY_IDENTITY,
} from "../kubernetes/identities";
import { gatewayEndpoints, gatewayTenants } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { CertifiedKey, ClientUse, TlsSettings } from "../settings/tls";

/** Who has which certificate, by the names that are dialled and by what it is used for. */

/** Components that have a certificate. */
export type CertifiedComponent = Extract<
  ComponentName,
  "receive" | "receive-router" | "querier" | "store-gateway" | "ruler" | "prometheus" | "gateway"
>;

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
  component: CertifiedComponent;
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
function leavesOf(settings: Settings): (ComponentLeaf & { writes: boolean })[] {
  const receive = receiveOf(settings);
  const split = receive?.mode === "split";
  const names = (service: string) => {
    const inNamespace = `${service}.${settings.namespace}`;
    return [service, inNamespace, `${inNamespace}.svc`, `${inNamespace}.svc.${settings.cluster.domain}`];
  };
  const leaf = (
    component: CertifiedComponent,
    key: CertifiedKey,
    identity: Identity,
    use: { server: boolean; client: boolean; writes?: boolean; service?: string },
  ) => ({
    component,
    key,
    identity,
    name: identity.app,
    dnsNames: use.server ? [tlsServerName(settings), ...(use.service === undefined ? [] : names(use.service))] : [],
    server: use.server,
    client: use.client,
    writes: use.writes ?? false,
  });
  const stateless = settings.ruler?.mode === "stateless";
  return [
    ...(receive === undefined
      ? []
      : [leaf("receive", "receive", RECEIVE_IDENTITY, { server: true, client: !split, ...(split ? {} : { service: RECEIVE_SERVICE }) })]),
    ...(split ? [leaf("receive-router", "routers", ROUTER_IDENTITY, { server: true, client: true, service: RECEIVE_SERVICE })] : []),
    leaf("querier", "querier", QUERIER_IDENTITY, { server: true, client: true, service: QUERIER_GRPC_SERVICE }),
    ...(settings.objectStorage === undefined
      ? []
      : [leaf("store-gateway", "storeGateway", STORE_GATEWAY_IDENTITY, { server: true, client: false })]),
    ...(settings.ruler === undefined
      ? []
      : [leaf("ruler", "ruler", RULER_IDENTITY, { server: true, client: stateless, writes: stateless })]),
    // In the ring scheme Prometheus writes; in the other one the sidecar in its pod serves.
    leaf("prometheus", "prometheus", PROMETHEUS_IDENTITY, {
      server: receive === undefined,
      client: receive !== undefined,
      writes: receive !== undefined,
    }),
    ...(gatewayTenants(settings).length === 0
      ? []
      : [leaf("gateway", "gateway", GATEWAY_IDENTITY, { server: false, client: true, writes: true })]),
  ];
}
