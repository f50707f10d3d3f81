import { z } from "zod";

/**
 * Hosts as a resolver takes them: an address in its usual form, or a name of DNS. What only looks like an address is
 * another one to every program that reads it.
 */

/** A part of a DNS name; Kubernetes' own names have no other. */
const PART = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
/** A part of a name that SRV records have, such as `_grpc`. */
const SERVICE_PART = /^_?[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const LONGEST_NAME = 253;

function isNameOf(text: string, part: RegExp): boolean {
  const parts = text.replace(/\.$/, "").split(".");
  return text.length <= LONGEST_NAME && parts.every((each) => part.test(each)) && !/^\d+$/.test(parts.at(-1) ?? "");
}

/** Whether a text is a name of DNS, which may end with a dot. */
export const isName = (text: string): boolean => isNameOf(text, PART);

/** Whether a text is a host: an IPv4 address, an IPv6 address in brackets, or a DNS name, which may end with a dot. */
export function isHost(text: string): boolean {
  const inBrackets = /^\[([0-9A-Fa-f:.]+)\]$/.exec(text)?.[1];
  return inBrackets === undefined ? z.ipv4().safeParse(text).success || isName(text) : z.ipv6().safeParse(inBrackets).success;
}

/** Whether a host is an IP address and no name. */
export const isAddress = (host: string): boolean => host.startsWith("[") || z.ipv4().safeParse(host).success;

/** Whether a text is a name that SRV records may have. */
export const isServiceName = (text: string): boolean => isNameOf(text, SERVICE_PART);

/** Whether a text is a port that something can listen on. */
export const isPort = (text: string): boolean => /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;

/** Host and port of a text such as `host:port`; the port is undefined where there is no colon behind the host. */
export function splitHost(text: string): { host: string; port: string | undefined } {
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text) ?? [];
  return { host, port };
}

/**
 * How a name leads to servers: `dns` by addresses, `dnssrv` by SRV records and the addresses of what they name, `dnssrvnoa` by these names.
 */
export type Lookup = "dns" | "dnssrv" | "dnssrvnoa";

/** An address of Alertmanagers: that of a server ({@link serverOf}), and how it is looked up, undefined where it is one server's. */
export function alertmanagerAt(address: string): { lookup: Lookup | undefined } & ReturnType<typeof serverOf> {
  const [, lookup, url = ""] = /^(?:(dns|dnssrv|dnssrvnoa)\+)?(.*)$/s.exec(address) ?? [];
  return { lookup: lookup as Lookup | undefined, ...serverOf(url) };
}

/** Scheme, host, port and path of a server's URL, as they are written; the path is empty where there is none. */
export function serverOf(url: string): { scheme: string; server: string; port: string | undefined; path: string } {
  const [, scheme = "", server = "", path = ""] = /^([a-z]+):\/\/([^/]*)(.*)$/s.exec(url) ?? [];
  return { scheme, server, port: splitHost(server).port, path };
}

/** TCP port of a server's URL. */
export function portOfUrl(url: string): number {
  const { scheme, port } = serverOf(url);
  return port === undefined ? (scheme === "https" ? 443 : 80) : Number(port);
}
