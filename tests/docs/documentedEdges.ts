import assert from "node:assert/strict";
import { BlockList, isIP, isIPv6 } from "node:net";
import { bucketKind, bucketPort } from "../../model/bucket/config";
import type { Settings } from "../../model/settings/schema";
import { readDocument, section, tableRows } from "./documents";

/**
 * The network of a stack as docs/operations.md describes it: read from the document's own words, so that whatever makes the policies is no
 * witness of itself. A word that this reader does not know fails it.
 */

/** Facts of an environment that decide which rows of the document apply. */
export interface EdgeFacts {
  namespace: string;
  /** The components that run. */
  parts: readonly string[];
  /** Whether active series of tenants are limited. */
  limited: boolean;
  /** Whether `querier.endpoints` has some. */
  endpoints: boolean;
  /** Requests that the gateway takes: remote write, queries, and queries of readers that have tenants. */
  gateway: { writes: boolean; reads: boolean; held: boolean };
  /** Mode of the rulers, where there are some. */
  ruler?: "stateless" | "stateful";
  /** The bucket: its kind, its server's port, and whether it has credentials. */
  bucket?: { kind: "s3" | "gcs" | "azure" | "secret"; port: number; credentials: boolean };
  /** Ports of Alertmanagers that rulers reach themselves; undefined where records of DNS say them. */
  alertmanagers: readonly number[] | undefined;
  /** The proxy: its port, where it is, and what goes by it. */
  proxy?: { port: number; to: readonly string[] | undefined; bucket: "only" | "may" | "not"; alertmanagers: boolean };
  /** The key `network.edges`. */
  further: Settings["network"]["edges"];
  /** Port of the collector of traces, where there is one. */
  collector?: number;
  /** The key `access`: a list that is left out is everybody. */
  access: Pick<Settings["access"], "senders" | "readers" | "federation">;
  /** The key `network.dns`. */
  dns: Settings["network"]["dns"];
}

/** An address without its brackets. */
const bare = (host: string): string => host.replace(/^\[|\]$/g, "");

/** The facts of an environment, from its settings. */
export function factsOf(settings: Settings, parts: readonly string[], credentials: boolean): EdgeFacts {
  const { namespace, access, alerting, objectStorage, network, querier, receive, ruler, ingestion, tracing, gateway } = settings;
  const kind = objectStorage === undefined ? undefined : bucketKind(objectStorage);
  const port = objectStorage === undefined ? undefined : bucketPort(objectStorage);
  const port80 = ({ port: given, protocol }: URL): number => Number(given || (protocol === "https:" ? 443 : 80));
  const spared = ({ hostname }: URL): boolean =>
    [".svc", `.${settings.cluster.domain}`, ...(network.proxy?.noProxy ?? [])].some((entry) =>
      entry.includes("/") ? isIP(bare(hostname)) > 0 && inNetwork(entry, bare(hostname)) : `.${hostname}`.endsWith(entry),
    );
  const { proxy } = network;
  const lookedUp = alerting.alertmanagers.filter((url) => url.startsWith("dns"));
  const urls = alerting.alertmanagers.filter((url) => !lookedUp.includes(url)).map((url) => new URL(url));
  const bySelf = urls.filter((url) => proxy === undefined || spared(url));
  const server = new URL(`http://${objectStorage?.s3?.endpoint ?? objectStorage?.azure?.endpoint ?? "outside.example"}`);
  const limits = ingestion === "receive" ? [receive?.limits.default, ...Object.values(receive?.limits.tenants ?? {})] : [];
  return {
    namespace,
    parts,
    limited: limits.some((each) => (each?.headSeries ?? 0) > 0),
    endpoints: querier.endpoints.length > 0,
    gateway: {
      writes: Object.keys(gateway?.tenants ?? {}).length > 0,
      reads: Object.keys(gateway?.readers ?? {}).length > 0,
      held: Object.values(gateway?.readers ?? {}).some(({ tenants }) => tenants !== "all"),
    },
    ...(ruler === undefined ? {} : { ruler: ruler.mode }),
    ...(kind === undefined || kind === "filesystem" || port === undefined
      ? {}
      : { bucket: { kind, port, credentials: credentials || objectStorage?.secret?.podIdentity === false } }),
    alertmanagers: lookedUp.some((url) => url.startsWith("dnssrv"))
      ? undefined
      : [...bySelf.map(port80), ...lookedUp.map((url) => Number(new URL(url.replace("dns+", "")).port))],
    ...(proxy === undefined
      ? {}
      : {
          proxy: {
            port: port80(new URL(proxy.url)),
            to: proxy.to,
            bucket: kind === "secret" || spared(server) ? ("may" as const) : kind === undefined || kind === "filesystem" ? "not" : "only",
            alertmanagers: bySelf.length < urls.length,
          },
        }),
    further: network.edges,
    ...(tracing === undefined ? {} : { collector: Number(/\d+$/.exec(tracing.endpoint)?.[0]) }),
    access,
    dns: network.dns,
  };
}

/** One end of a connection. */
export interface End {
  /** Its namespace; none for what is no pod. */
  namespace?: string;
  /** The component that it is, if its namespace is the stack's. */
  part?: string;
  address?: string;
}

/**
 * Connections that a row allows: its components to begin them, and its components to be reached by them. Either
 * alone does not make a connection pass.
 */
interface Row {
  /** Who begins; where that is no component of the stack, the row lets nobody out. */
  from: (end: End) => boolean;
  letsOut: boolean;
  /** Who is reached; where that is a place and no component of the stack, the row lets nobody in. */
  to: (end: End) => boolean;
  letsIn: boolean;
  port: (port: number) => boolean;
}

/** The port under which a component tells its metrics. */
const METRICS: Readonly<Record<string, number>> = { prometheus: 9090, querier: 9090, "query-frontend": 9090 };
const CACHES = ["query-cache", "index-cache", "chunk-cache"];

/** Whether an address is in a network. */
export function inNetwork(cidr: string, address: string): boolean {
  const [network = "", length = ""] = cidr.split("/");
  const family = (text: string) => (isIPv6(text) ? "ipv6" : "ipv4");
  const list = new BlockList();
  list.addSubnet(network, Number(length), family(network));
  return list.check(address, family(address));
}

/** The rows that apply. */
function rowsOf(facts: EdgeFacts, page: string): Row[] {
  const has = (part: string): boolean => facts.parts.includes(part);
  const own = (parts: readonly string[]) => (end: End) =>
    end.namespace === facts.namespace && end.part !== undefined && parts.includes(end.part);
  const admitted = (list: readonly string[] | undefined) => (end: End) =>
    list === undefined ||
    list.some((entry) =>
      entry.includes("/")
        ? end.address !== undefined && inNetwork(entry, end.address)
        : end.namespace === entry && end.namespace !== undefined,
    );
  const parts = (words: string, what: string): string[] => {
    const named: Record<string, string[]> = {
      Prometheus: ["prometheus"],
      receivers: ["receive"],
      "receivers, or routers in `split` mode": [has("receive-router") ? "receive-router" : "receive"],
      queriers: ["querier"],
      "queriers, or the query frontend where there is one": [has("query-frontend") ? "query-frontend" : "querier"],
      "query frontend": ["query-frontend"],
      "store gateways": ["store-gateway"],
      compactor: ["compactor"],
      gateways: ["gateway"],
      rulers: ["ruler"],
      "stateless rulers": facts.ruler === "stateless" ? ["ruler"] : [],
      "stateful rulers": facts.ruler === "stateful" ? ["ruler"] : [],
      "every component but memcached": facts.parts.filter((part) => !CACHES.includes(part)),
      memcached: what === "cached answers" ? ["query-cache"] : ["index-cache", "chunk-cache"],
    };
    const found =
      named[words] ??
      (words.includes(", ") ? words.split(", ").flatMap((word) => named[word] ?? assert.fail(`who is "${word}"?`)) : undefined);
    return found ?? assert.fail(`who is "${words}"?`);
  };
  const endpoints: Record<string, readonly string[] | undefined> = {
    "`access.senders`": facts.access.senders,
    "`access.readers`": facts.access.readers,
    "`access.federation`": facts.access.federation,
  };
  const applies: Record<string, boolean> = {
    "where a gateway takes it": facts.gateway.writes,
    "where no gateway takes it": !facts.gateway.writes,
    "where a gateway takes them": facts.gateway.reads,
    "where no gateway takes them": !facts.gateway.reads,
    "where readers have tenants": facts.gateway.held,
    "where they are limited": facts.limited,
    "where there are some": !has("receive"),
    "where `querier.endpoints` has some": facts.endpoints,
    "where no proxy is on the way": true,
    "where `network.proxy` is on the way": facts.proxy !== undefined,
    "where `tracing` names one": facts.collector !== undefined,
    "where the bucket has no credentials": facts.bucket !== undefined && !facts.bucket.credentials,
  };
  const table = tableRows(page).filter((cells) => cells.length === 4);
  assert.ok(table.length > 15, `${table.length} edges`);
  return table.flatMap(([from = "", to = "", ports = "", purpose = ""]): Row[] => {
    const [what = "", condition] = purpose.split(/, (?=where )/);
    if (what.startsWith("further connections")) return furtherRows(facts, what.endsWith("inwards"), admitted, own);
    if (facts.proxy?.bucket === "only" && what === "the bucket") return [];
    if (facts.proxy?.bucket === "not" && what === "the bucket by a proxy") return [];
    if (facts.proxy?.alertmanagers === false && what === "Alertmanagers by a proxy") return [];
    if (condition !== undefined && !(applies[condition] ?? assert.fail(`when is "${condition}"?`))) return [];
    const begins =
      from in endpoints ? { from: admitted(endpoints[from]), letsOut: false } : { from: own(parts(from, what)), letsOut: true };
    if (to === "the cloud's identity service (below)")
      return identityServices(facts, page).map((service) => ({ ...begins, ...service, letsIn: false }));
    if (to === "the proxy") {
      assert.equal(ports, "the proxy's");
      return [{ ...begins, to: admitted(facts.proxy?.to), letsIn: false, port: (port) => port === facts.proxy?.port }];
    }
    if (to === "every component but memcached") {
      assert.equal(ports, "its metrics port");
      return facts.parts
        .filter((part) => !CACHES.includes(part))
        .map((part) => ({ ...begins, to: own([part]), letsIn: true, port: (port) => port === (METRICS[part] ?? 10902) }));
    }
    const listed: Record<string, readonly number[] | undefined> = {
      any: undefined,
      "the bucket's": facts.bucket === undefined ? [] : [facts.bucket.port],
      "the URLs'": facts.alertmanagers,
      "the collector's": facts.collector === undefined ? [] : [facts.collector],
    };
    const accepted = ports in listed ? listed[ports] : [Number(ports)];
    assert.ok(accepted === undefined || accepted.every(Number.isInteger), `which port is "${ports}"?`);
    const ends = to === "everywhere" ? { to: () => true, letsIn: false } : { to: own(parts(to, what)), letsIn: true };
    return [{ ...begins, ...ends, port: (port) => accepted === undefined || accepted.includes(port) }];
  });
}

/** Rows of `network.edges`, of which each entry is one. */
function furtherRows(
  { further }: EdgeFacts,
  inwards: boolean,
  admitted: (list: readonly string[]) => (end: End) => boolean,
  own: (parts: readonly string[]) => (end: End) => boolean,
): Row[] {
  return further.flatMap(({ component, from, to, ports }): Row[] => {
    const port = (tried: number): boolean => ports.includes(tried);
    const it = own([component]);
    if (inwards) return from === undefined ? [] : [{ from: admitted(from), letsOut: false, to: it, letsIn: true, port }];
    return to === undefined ? [] : [{ from: it, letsOut: true, to: admitted(to), letsIn: false, port }];
  });
}

/** The document's second table: `port 80 of 192.0.2.1 (what for), of 192.0.2.2 (what for); port 443 everywhere (what for)`. */
function identityServices({ bucket, proxy }: EdgeFacts, page: string): Pick<Row, "to" | "port">[] {
  const cell = tableRows(page).find(([kind]) => kind === `\`${bucket?.kind}\``)?.[1] ?? assert.fail(`no row for ${bucket?.kind}`);
  const services = [...cell.matchAll(/ports? (\d+(?: and \d+)?) ((?:everywhere|of ).*?)(?=[;,] ports? \d|$)/g)];
  assert.ok(services.length >= 2, cell);
  const inside = services.filter(([, , places = ""]) => proxy === undefined || !places.startsWith("everywhere"));
  return inside.flatMap(([, ports = "", places = ""]) => {
    const addresses = places
      .replace(/\([^)]*\)/g, "")
      .split(/[\s,]+/)
      .filter((word) => /^[\da-f]+[.:]/.test(word));
    assert.ok(places.startsWith("everywhere") || addresses.length > 0, places);
    return ports.split(" and ").map((port) => ({
      to: ({ address }: End) => addresses.length === 0 || (address !== undefined && addresses.includes(address)),
      port: (tried: number) => tried === Number(port),
    }));
  });
}

/**
 * Whether a connection passes, by the document: whoever is of the stack begins and is reached along its edges only, everybody else is
 * as free as the other end lets them be.
 *
 * @param facts what runs
 */
export function documentedNetwork(facts: EdgeFacts): (from: End, to: End, port: number) => boolean {
  const page = section(readDocument("docs/operations.md").text, "Network policies");
  const rows = rowsOf(facts, page);
  const closed = ({ namespace }: End): boolean => namespace === facts.namespace || namespace === `${facts.namespace}-volumes`;
  const answersNames = (end: End, port: number): boolean =>
    facts.dns.some(
      (server) =>
        server.port === port &&
        (server.namespace === undefined
          ? end.address !== undefined && inNetwork(server.network ?? "", end.address)
          : server.namespace === end.namespace),
    );
  return (from, to, port) => {
    const along = (side: "letsOut" | "letsIn"): boolean => rows.some((row) => row[side] && row.from(from) && row.to(to) && row.port(port));
    const out = !closed(from) || along("letsOut") || (from.namespace === facts.namespace && answersNames(to, port));
    return out && (!closed(to) || along("letsIn"));
  };
}
