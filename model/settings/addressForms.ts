import type { z } from "zod";
import { goUrlTrouble } from "../values/goUrl";
import { alertmanagerAt, isAddress, isHost, isPort, isServiceName, serverOf, splitHost } from "../values/hosts";
import { hasDots, matching, ruled } from "./forms";

/** Forms of addresses: hosts, ports, URLs, and names that are looked up. */

const HOST = "(?:\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9.-]+)";
const HOST_RULE =
  "a host is an IPv4 address of four numbers from 0 to 255, an IPv6 address in brackets, or a DNS name whose last part is not of digits alone";
const HOST_ACCEPTED = "a host such as minio.storage.svc, 10.0.0.7 or [fd00::7]";
const PORT_ACCEPTED = "a port from 1 to 65535";

/** Prefix of a name that is looked up by its SRV records. */
const SERVICE_LOOKUP = /^dnssrv(?:noa)?\+/;
/** Prefix of a name that is looked up by its addresses. */
const ADDRESS_LOOKUP = /^dns\+/;

/** A text with a server in it: its host is one, and its port, which may be left out. */
const withServer = (
  schema: z.ZodString,
  server: (text: string) => string,
  named: (host: string, text: string) => boolean = isHost,
): z.ZodString =>
  ruled(schema, (text) => named(splitHost(server(text)).host, text), HOST_RULE, HOST_ACCEPTED).refine((text) => {
    const { port } = splitHost(server(text));
    return port === undefined || isPort(port);
  }, PORT_ACCEPTED);

/** A server by host, or by host and port. */
export const hostAndPort = withServer(
  matching(new RegExp(`^${HOST}(:\\d{1,5})?$`), "a host, or host:port, without a scheme; an IPv6 address in brackets"),
  (text) => text,
);

/**
 * The address of Alertmanagers by scheme, host and port, with what their paths begin with, or by a name that is looked up, as Thanos writes
 * it (pkg/alert/config.go `BuildAlertmanagerConfig`).
 */
export const alertmanagerUrl = ruled(
  withServer(
    matching(
      new RegExp(`^(?:(?:dns\\+)?https?://${HOST}(?::\\d{1,5})?|dnssrv(?:noa)?\\+https?://[\\w.-]+)(?:/[\\w.~-]+)*$`),
      "a URL of scheme, host and port, with or without a path, without / at its end; an IPv6 address in brackets; a name is looked up with dns+ before the URL, or with " +
        "dnssrv+ where its records say the port",
    ),
    (text) => alertmanagerAt(text).server,
    (host, text) => (SERVICE_LOOKUP.test(text) ? isServiceName(host) : isHost(host)),
  ),
  (text) => !(ADDRESS_LOOKUP.test(text) && isAddress(splitHost(alertmanagerAt(text).server).host)),
  "an address is not looked up",
  "the URL without dns+",
);

/** Where people open something, as whoever publishes it has it. */
export const externalUrl = withServer(
  matching(
    new RegExp(`^https?://${HOST}(:\\d{1,5})?(?:/[\\w.~-]+)*$`),
    "a URL of scheme, host and port, with or without a path, without / at its end; an IPv6 address in brackets",
  ),
  (text) => serverOf(text).server,
).refine((url) => !hasDots(url), "a path without '.' and '..'");

/** The URL of a proxy. */
export const proxyUrl = withServer(
  ruled(
    matching(/^https?:\/\/[^\s/?#]+$/, "a URL of scheme, host and port, without a path or / at its end; an IPv6 address in brackets"),
    (url) => !url.includes("@"),
    "it stands in the specs of pods and in messages as it is, and this one has a login in it",
    "a URL without a login. For a proxy that asks for one: this key left out, and in extra.env of whatever uses it HTTPS_PROXY from a Secret " +
      "(valueFrom.secretKeyRef) and NO_PROXY",
  ),
  (url) => serverOf(url).server,
);

/** Whether Thanos can ask at an address: whatever is no name of SRV records, which hold the port, has one of its own. */
function isEndpoint(text: string): boolean {
  const { host, port } = splitHost(text.replace(SERVICE_LOOKUP, "").replace(ADDRESS_LOOKUP, ""));
  return SERVICE_LOOKUP.test(text)
    ? isServiceName(host) && (port === undefined || isPort(port))
    : isHost(host) && port !== undefined && isPort(port);
}

/** A gRPC address as Thanos looks it up. */
export const grpcEndpoint = ruled(
  matching(/^(?:dns\+|dnssrv\+|dnssrvnoa\+)?[^\s/+]+$/, "an address: host:port, dns+host:port or dnssrv+_port._tcp.host"),
  isEndpoint,
  `only a name behind dnssrv+ needs no port, from 1 to 65535; ${HOST_RULE}`,
  "host:port, dns+host:port or dnssrv+_port._tcp.host",
);

/** Host and port of a URL with a path, whatever user is before them. */
const serverIn = (url: string): string => (/^https?:\/\/([^\s/?#]*)/.exec(url)?.[1] ?? "").replace(/^.*@/, "");

/** Where samples are sent: a URL with a path, as Go parses it. */
export const remoteWriteUrl = withServer(
  ruled(
    matching(/^https?:\/\/[^\s/]+\/\S*$/, "a URL with a path, such as http://host:19291/api/v1/receive"),
    (url) => goUrlTrouble(url) === undefined,
    "Go, in which Prometheus is written, does not parse this as a URL: an escape is % and two hexadecimal digits, a port is a number, brackets are closed",
    "a URL with a path, such as http://host:19291/api/v1/receive",
  ),
  serverIn,
);
