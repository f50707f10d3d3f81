import { choicesFor } from "../kubernetes/choices";
import {
  CERTIFICATE_PATH,
  GATEWAY_QUERY_PORT,
  GATEWAY_WRITE_PORT,
  HTTP_PORT,
  LABEL_PROXY_PORT,
  QUERY_HTTP_PORT,
  REMOTE_WRITE_PORT,
} from "../kubernetes/ports";
import type { GatewaySettings } from "../settings/gateway";
import { gatewayEndpoints, gatewayReaders, gatewayTenants } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { CA_FILE, CERTIFICATE_FILE } from "../tls/flags";
import { quantityBytes } from "../values/quantity";
import { tenantLimits } from "./limits";
import { HANDOVER_SOCKET } from "./reloader";
import { certificateBackend, certificateRule, certificateRules } from "./shownCertificate";

/**
 * HAProxy's configuration: nothing in it came after HAProxy 2.6, which Debian 12 has. Source: HAProxy 2.6 doc/configuration.txt.
 *
 * What is refused goes to a backend of its own, so that HAProxy's exporter counts it by reason and tenant; whatever falls through is
 * refused.
 */

/** Where HAProxy has its configuration. */
export const GATEWAY_CONFIG_DIRECTORY = "/etc/haproxy/gateway";
export const GATEWAY_CONFIG_FILE = "haproxy.cfg";
/** Where it has the maps of who is who. */
export const GATEWAY_MAPS_DIRECTORY = "/etc/haproxy/maps";
/** Where it has the certificate that it shows, and the name of its file: the key is in the file of that name with `.key` behind it. */
export const GATEWAY_CERTIFICATE_DIRECTORY = "/etc/haproxy/certificate";
export const GATEWAY_CERTIFICATE_FILE = "gateway.pem";
/** Where it has the senders' authority. */
export const SENDER_AUTHORITY_DIRECTORY = "/etc/haproxy/senders";
/** Name of the volume in pods. */
export const SENDERS_VOLUME = "senders";
export const SENDER_AUTHORITY_FILE = "ca.crt";
/** Where it has the stack's certificate, by which it is known behind it; the key is beside it, as above. */
export const GATEWAY_CLIENT_DIRECTORY = "/etc/haproxy/client";
export const GATEWAY_CLIENT_KEY_FILE = `${CERTIFICATE_FILE}.key`;

/** Maps of who is who, by the names of their files. */
export const MAPS = {
  /** Hash of a token → tenant. */
  writers: "writers.map",
  /** Common name → tenant. */
  names: "names.map",
  /** Hash of a token → reader. */
  readers: "readers.map",
  /** Reader → its tenants, or {@link ALL_TENANTS}. */
  tenants: "tenants.map",
  /** Tenant → requests in a second, where it is not what most have. */
  rates: "rates.map",
  /** Tenant → largest request as it is sent, likewise. */
  bodies: "bodies.map",
  /** Tenant → largest request as it is unpacked, likewise. */
  decoded: "decoded.map",
} as const;

/** Of a reader that sees every tenant. No tenant is called that. */
export const ALL_TENANTS = "*";

/** The header by which prom-label-proxy is told a reader's tenants. */
export const READER_TENANTS_HEADER = "X-Gateway-Tenants";

/** Headers by which Thanos takes a tenant or a replica, whatever another header is configured (pkg/receive/handler.go `getTenant`). */
const OF_THANOS = ["THANOS-TENANT", "THANOS-REPLICA"];

/** Memory of HAProxy beside its connections: itself, its threads, certificates. */
const HAPROXY_BYTES = 64 * 2 ** 20;
/**
 * Requests that a connection of HTTP/2 has at a time. Each has buffers of its own, who has shown no token too, until its answer is read: by
 * HAProxy's default of 100, as many connections take 340 MiB. Clients open another connection for more.
 */
const STREAMS = 4;
/**
 * Memory of one connection: two buffers of {@link BUFFER_BYTES}, and TLS; or {@link STREAMS} that wait, which were measured to take less.
 */
const CONNECTION_BYTES = 160 * 2 ** 10;
/** Longest line and headers of a request: a query of many names in its address. */
const BUFFER_BYTES = 32_768;
/** Seconds that requests have to end after the pod is told to. */
export const GATEWAY_DRAIN_SECONDS = 30;

/** Addresses and names behind the gateway. */
export interface Upstream {
  /** Host whose addresses are whatever takes remote write, and how many there are at most. */
  write: { host: string; pods: number } | undefined;
  /** Host and port of whatever answers queries. */
  query: string;
  /** Name in the certificates of whatever takes remote write; undefined where it is not encrypted. */
  serverName?: string | undefined;
}

const map = (file: string): string => `${GATEWAY_MAPS_DIRECTORY}/${file}`;

/**
 * Most connections of a process: each has two sockets, and containers may open 524,288 files where systemd's default is theirs (systemd
 * `DefaultLimitNOFILE`, containerd 2). HAProxy ends at its start where it may not open as many as it would need.
 */
const MOST_CONNECTIONS = 250_000;

/** Connections that a gateway holds at a time, by its memory. */
export const connectionsOf = ({ resources }: Pick<GatewaySettings, "resources">): number =>
  Math.min(MOST_CONNECTIONS, Math.max(100, Math.floor((quantityBytes(resources.memory) - HAPROXY_BYTES) / CONNECTION_BYTES)));

/** Tenants up to which refusals are counted by tenant: of each of them HAProxy's exporter writes 8 KiB. Above, its log names the tenant. */
export const COUNTED_TENANTS = 100;

/** Name of the backend that refuses a tenant's requests with a status. */
const refusal = (status: number, tenant?: string): string => `refused:${status}${tenant === undefined ? "" : `:${tenant}`}`;

const global = (gateway: GatewaySettings): string[] => [
  "global",
  `  maxconn ${connectionsOf(gateway)}`,
  // A gateway takes a fifth of a second of CPU for a million samples; by default each CPU of the node would be a thread with memory of its
  // own.
  "  nbthread 2",
  `  hard-stop-after ${GATEWAY_DRAIN_SECONDS}s`,
  "  log stdout format raw local0 notice",
  `  stats socket ${HANDOVER_SOCKET} mode 600 level user expose-fd listeners`,
  `  tune.bufsize ${BUFFER_BYTES}`,
  `  tune.h2.max-concurrent-streams ${STREAMS}`,
  "  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",
  "",
  "defaults",
  "  mode http",
  "  log global",
  "  timeout http-request 10s",
  "  timeout http-keep-alive 1m",
  "  timeout connect 5s",
  "  timeout queue 10s",
  "  retries 3",
  "  option redispatch",
  // A request that no server has seen is sent again, and no other.
  "  retry-on conn-failure",
  "",
  "resolvers cluster",
  "  parse-resolv-conf",
  "  accepted_payload_size 8192",
  "  hold valid 5s",
  "  hold obsolete 10s",
];

/**
 * Both families by one socket, as Go's servers listen. A kernel without IPv6 has no such socket, and HAProxy would end: it listens on IPv4
 * alone where Services are of that family.
 */
export function listeningAt(settings: Settings, gateway: GatewaySettings, port: number): string {
  const { services } = choicesFor(settings, gateway);
  return services.ipFamilies?.join() === "IPv4" ? `:${port}` : `:::${port} v4v6`;
}

const bind = (address: string, more = ""): string =>
  `  bind ${address} ssl crt ${GATEWAY_CERTIFICATE_DIRECTORY}/${GATEWAY_CERTIFICATE_FILE} alpn h2,http/1.1${more}`;

const deleted = (headers: readonly string[]): string[] => headers.map((header) => `  http-request del-header ${header}`);

/** @param shown Port of an endpoint, which shows the certificate. */
const status = (address: string, shown: number): string[] => [
  "frontend status",
  `  bind ${address}`,
  "  timeout client 1m",
  "  http-request use-service prometheus-exporter if { path /metrics }",
  '  http-request return status 200 content-type text/plain string "ok\\n" if { path /-/ready /-/healthy }',
  `  http-request return status 404 if !{ path ${CERTIFICATE_PATH} }`,
  certificateRule(),
  "",
  ...certificateBackend(shown),
];

/** A backend that has no servers and returns one answer. */
const answers = (name: string, code: number, text: string, header = "", more: readonly string[] = []): string[] => [
  `backend ${name}`,
  ...more,
  `  http-request return status ${code}${header === "" ? "" : ` hdr ${header}`} content-type text/plain string "${text}\\n"`,
];

/** Bytes of a body's decoded length: snappy begins with it, 7 bits a byte, the lowest first (google/snappy format_description.txt). */
const LENGTH_BYTES = 5;

/** The decoded length of a body in `txn.length`, and the condition that it goes on behind the fifth byte, as no length below 4 GiB does. */
function decodedLength(): { rules: string[]; endless: string } {
  const positions = Array.from({ length: LENGTH_BYTES }, (_, index) => index);
  const continued = (count: number) => positions.slice(0, count).map((index) => `more${index}`);
  return {
    rules: [
      ...positions.map((index) => `  acl more${index} req.body,bytes(${index},1),hex -m reg ^[89A-F]`),
      "  http-request set-var(txn.length) req.body,bytes(0,1),hex,hex2i,and(127)",
      ...positions
        .slice(1)
        .map(
          (index) =>
            `  http-request set-var(txn.length) req.body,bytes(${index},1),hex,hex2i,and(127),mul(${128 ** index}),add(txn.length) if ${continued(index).join(" ")}`,
        ),
    ],
    endless: continued(LENGTH_BYTES).join(" "),
  };
}

/** Options of a server that takes nobody without a certificate of the stack, for requests and for checks. */
const upstreamTls = (serverName: string): string =>
  [
    `ssl crt ${GATEWAY_CLIENT_DIRECTORY}/${CERTIFICATE_FILE}`,
    `ca-file ${GATEWAY_CLIENT_DIRECTORY}/${CA_FILE} verify required verifyhost ${serverName}`,
    `sni str(${serverName}) check-sni ${serverName}`,
  ].join(" ");

/** Remote write: who it is, what may pass, and as which tenant it goes on. */
function writeEndpoint(settings: Settings, gateway: GatewaySettings, upstream: Upstream): string[] {
  const tenants = gatewayTenants(settings);
  if (tenants.length === 0 || upstream.write === undefined) return [];
  const { header } = settings.tenancy;
  const { rules, endless } = decodedLength();
  const withCertificates = gateway.senderAuthority !== undefined;
  const verify = withCertificates ? ` verify optional ca-file ${SENDER_AUTHORITY_DIRECTORY}/${SENDER_AUTHORITY_FILE}` : "";
  const names = [...new Set([...OF_THANOS, header])];
  const { host, pods } = upstream.write;
  const tls = upstream.serverName === undefined ? "" : ` ${upstreamTls(upstream.serverName)}`;
  const limits = tenantLimits(settings);
  const counted = tenants.length <= COUNTED_TENANTS;
  const refusedAs = (status: number) => refusal(status, counted ? "%[var(txn.tenant)]" : undefined);
  const refusing = (status: number, text: string, header?: string) =>
    counted
      ? tenants.flatMap(([tenant]) => answers(refusal(status, tenant), status, text, header))
      : answers(refusal(status), status, text, header, ["  http-request set-log-level notice"]);
  return [
    "frontend write",
    bind(listeningAt(settings, gateway, GATEWAY_WRITE_PORT), verify),
    "  timeout client 1m",
    ...(counted ? [] : ['  log-format "%b tenant=%[var(txn.tenant)] from=%ci"']),
    ...certificateRules(),
    "  acl here path /api/v1/receive",
    "  acl known var(txn.tenant) -m found",
    "  acl sized req.hdr(content-length) -m found",
    ...(withCertificates
      ? [`  http-request set-var(txn.tenant) ssl_c_s_dn(CN),map_str(${map(MAPS.names)}) if { ssl_c_used } { ssl_c_verify 0 }`]
      : []),
    `  http-request set-var(txn.tenant) http_auth_bearer,sha2(256),hex,map_str(${map(MAPS.writers)}) if !known`,
    ...deleted([...names, "Authorization"]),
    `  http-request set-header ${header} %[var(txn.tenant)] if known`,
    ...(["rates", "bodies", "decoded"] as const).map(
      (each) => `  http-request set-var(txn.${each}) var(txn.tenant),map_str_int(${map(MAPS[each])},${limits[each].common}) if known`,
    ),
    // Refused requests are not counted: a tenant that sends more than its rate, and goes on, would otherwise be refused everything.
    "  http-request set-var(txn.spent) var(txn.tenant),table_http_req_rate(rates),sub(txn.rates) if here METH_POST known",
    "  http-request track-sc0 var(txn.tenant) table rates if { var(txn.spent) -m int lt 0 }",
    `  http-request wait-for-body time 10s at-least ${LENGTH_BYTES} if here METH_POST known sized`,
    ...rules,
    `  use_backend ${refusal(404)} if !here`,
    `  use_backend ${refusal(405)} if !METH_POST`,
    `  use_backend ${refusal(401)} if !known`,
    `  use_backend ${refusal(411)} if !sized`,
    `  use_backend ${refusedAs(429)} if { var(txn.spent) -m int ge 0 }`,
    // `req.body_size` is what has come so far where the request is HTTP/2.
    // And `req.hdr_val` is 32 bits of a number (`strl2ic`): 2^32 + 41 would be 41.
    `  use_backend ${refusedAs(413)} if { req.hdr(content-length),sub(txn.bodies) gt 0 }`,
    `  use_backend ${refusedAs(413)} if ${endless}`,
    `  use_backend ${refusedAs(413)} if { var(txn.length),sub(txn.decoded) gt 0 }`,
    "  use_backend write if known",
    `  default_backend ${refusal(401)}`,
    "",
    "backend rates",
    `  stick-table type string len 256 size ${Math.max(100, 2 * tenants.length)} expire 1m store http_req_rate(1s)`,
    "",
    "backend write",
    // Thanos gives a forwarded write 5 s and more; senders of Prometheus wait for 30 s.
    "  timeout server 1m",
    "  balance leastconn",
    // Addresses are those of pods that are Ready; a check finds one whose node is gone before its Service does.
    "  default-server check inter 2s fall 2 rise 1 pool-purge-delay 10s",
    `  server-template pod 1-${pods} ${host}:${REMOTE_WRITE_PORT}${tls} resolvers cluster init-addr none`,
    "",
    ...answers(refusal(404), 404, "no such path"),
    ...answers(refusal(405), 405, "remote write is POST", "Allow POST"),
    ...answers(refusal(401), 401, "neither a token nor a certificate that is known here", "WWW-Authenticate Bearer"),
    ...answers(refusal(411), 411, "a request says how long it is"),
    ...refusing(413, "larger than this tenant may send"),
    ...refusing(429, "more requests than this tenant may send", "Retry-After 1"),
    "",
  ];
}

/** Paths of profiles, which no reader has: they tell what everybody asks. */
const PROFILES = "/debug/";

/** Queries: who it is, and whether it goes through prom-label-proxy, or past it. */
function queryEndpoint(settings: Settings, gateway: GatewaySettings, upstream: Upstream): string[] {
  if (gatewayReaders(settings).length === 0) return [];
  const headers = [...new Set([...OF_THANOS, settings.tenancy.header, READER_TENANTS_HEADER])];
  return [
    "frontend query",
    bind(listeningAt(settings, gateway, GATEWAY_QUERY_PORT)),
    "  timeout client 5m",
    ...certificateRules(),
    "  acl known var(txn.tenants) -m found",
    `  acl all var(txn.tenants) -m str ${ALL_TENANTS}`,
    `  http-request set-var(txn.tenants) http_auth_bearer,sha2(256),hex,map_str(${map(MAPS.readers)}),map_str(${map(MAPS.tenants)})`,
    ...deleted([...headers, "Authorization"]),
    `  http-request set-header ${READER_TENANTS_HEADER} %[var(txn.tenants)] if known !all`,
    "  use_backend unread:401 if !known",
    "  use_backend unread:405 if !METH_GET !METH_POST !METH_OPTIONS",
    `  use_backend unread:404 if { path,url_dec -m sub ${PROFILES} }`,
    "  use_backend all if all",
    "  use_backend held if known",
    "  default_backend unread:401",
    "",
    "backend held",
    "  timeout server 5m",
    `  server label-proxy 127.0.0.1:${LABEL_PROXY_PORT}`,
    "",
    "backend all",
    "  timeout server 5m",
    // The Service's address, which stays.
    `  server query ${upstream.query} init-addr libc,none resolvers cluster`,
    "",
    ...answers("unread:401", 401, "no token that is known here", "WWW-Authenticate Bearer"),
    ...answers("unread:404", 404, "no such path"),
    ...answers("unread:405", 405, "queries are GET or POST", 'Allow "GET, POST, OPTIONS"'),
    "",
  ];
}

/** haproxy.cfg. */
export function haproxyConfig(settings: Settings, gateway: GatewaySettings, upstream: Upstream): string {
  return [
    ...global(gateway),
    "",
    ...status(
      listeningAt(settings, gateway, HTTP_PORT),
      gatewayEndpoints(settings).includes("write") ? GATEWAY_WRITE_PORT : GATEWAY_QUERY_PORT,
    ),
    "",
    ...writeEndpoint(settings, gateway, upstream),
    ...queryEndpoint(settings, gateway, upstream),
  ]
    .join("\n")
    .replace(/\n+$/, "\n");
}

/** Host and port of a URL of this stack. */
export const hostOf = (url: string): string => {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port === "" ? QUERY_HTTP_PORT : port}`;
};
