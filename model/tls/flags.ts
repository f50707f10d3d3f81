import type { Settings } from "../settings/schema";
import { acceptsClients, servesTls, tlsServerName } from "./plan";

/**
 * Flags and fields by which Thanos and Prometheus encrypt. Source: thanos v0.42.4 cmd/thanos/{config,receive,endpointset}.go, pkg/tls,
 * prometheus docs/configuration `tls_config`. Certificates and keys are read again at a handshake when their files have changed; Thanos
 * reads CA files at its start (queriers: at each poll, for connections that they open then), Prometheus at each request.
 */

/** Where a Thanos container has its certificate. */
export const TLS_DIRECTORY = "/etc/thanos/tls";
/** Where Prometheus has it. */
export const PROMETHEUS_TLS_DIRECTORY = "/etc/prometheus/tls";
/** Name of the volume in pods. */
export const TLS_VOLUME = "tls";
/** Keys of a Secret, and names of its files: those of `kubernetes.io/tls`, with cert-manager's for the CA. */
export const CERTIFICATE_FILE = "tls.crt";
export const KEY_FILE = "tls.key";
export const CA_FILE = "ca.crt";

/** Where a server that others connect to has the CAs that it trusts: the stack's, and theirs. */
export const CLIENT_CA_DIRECTORY = "/etc/thanos/client-ca";
/** Name of that volume in pods. */
export const CLIENT_CA_VOLUME = "client-ca";

const own = `${TLS_DIRECTORY}/${CERTIFICATE_FILE}`;
const key = `${TLS_DIRECTORY}/${KEY_FILE}`;
const ca = `${TLS_DIRECTORY}/${CA_FILE}`;
const clientCa = `${CLIENT_CA_DIRECTORY}/${CA_FILE}`;

const grpcFlags = (trusted: string): string[] => [
  `--grpc-server-tls-cert=${own}`,
  `--grpc-server-tls-key=${key}`,
  `--grpc-server-tls-client-ca=${trusted}`,
];

/**
 * Flags of whatever serves gRPC to the stack's own components; none where nothing is encrypted.
 *
 * @param serves Whether it takes TLS. Default: as every server does.
 */
export const grpcServerFlags = (settings: Pick<Settings, "tls">, serves = servesTls(settings)): string[] => (serves ? grpcFlags(ca) : []);

/** Flags of queriers, which queriers of other stacks ask too. */
export const querierServerFlags = (settings: Settings): string[] =>
  servesTls(settings) ? grpcFlags(acceptsClients(settings, "query") ? clientCa : ca) : [];

/**
 * Flags of whatever takes remote write.
 *
 * @param sendersConnect Whether senders connect to it, and not routers alone.
 */
export function remoteWriteServerFlags(settings: Settings, sendersConnect: boolean): string[] {
  if (!servesTls(settings)) return [];
  const trusted = sendersConnect && acceptsClients(settings, "write") ? clientCa : ca;
  return [
    `--remote-write.server-tls-cert=${own}`,
    `--remote-write.server-tls-key=${key}`,
    `--remote-write.server-tls-client-ca=${trusted}`,
  ];
}

/** Flags of whatever passes writes on to receivers. */
export const forwardingFlags = (settings: Settings): string[] =>
  servesTls(settings)
    ? [
        "--remote-write.client-tls-secure",
        `--remote-write.client-tls-cert=${own}`,
        `--remote-write.client-tls-key=${key}`,
        `--remote-write.client-tls-ca=${ca}`,
        `--remote-write.client-server-name=${tlsServerName(settings)}`,
      ]
    : [];

/**
 * Flags of a querier that knows no client configuration in its file of endpoints (Thanos 0.41). 0.42 calls them deprecated, for one that is
 * in the file.
 */
export const queryingFlags = (settings: Settings): string[] => [
  "--grpc-client-tls-secure",
  `--grpc-client-tls-cert=${own}`,
  `--grpc-client-tls-key=${key}`,
  `--grpc-client-tls-ca=${ca}`,
  `--grpc-client-server-name=${tlsServerName(settings)}`,
];

/** Client configuration in a querier's file of endpoints, with the files of a directory. */
export const grpcClientConfig = (serverName: string, directory = TLS_DIRECTORY) => ({
  tls_config: {
    enabled: true,
    cert_file: `${directory}/${CERTIFICATE_FILE}`,
    key_file: `${directory}/${KEY_FILE}`,
    ca_file: `${directory}/${CA_FILE}`,
  },
  server_name: serverName,
});

/** Client configuration of remote write into the ring; empty where nothing is encrypted. */
export function remoteWriteClient(settings: Settings, directory: string) {
  if (settings.tls === undefined) return {};
  return {
    tls_config: {
      ca_file: `${directory}/${CA_FILE}`,
      cert_file: `${directory}/${CERTIFICATE_FILE}`,
      key_file: `${directory}/${KEY_FILE}`,
      server_name: tlsServerName(settings),
    },
  };
}
