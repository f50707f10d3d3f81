/**
 * The typed reader of a thanos-stack stack's outputs: for app teams that reach the stack through a `pulumi.StackReference`, and for
 * `npm run verify`. Nothing is imported at run time, so the file can be copied or vendored by itself.
 *
 * Outputs are an API: names and fields are only ever added, and outputs unknown to this reader are ignored.
 */
import type * as pulumi from "@pulumi/pulumi";

/** One receiver of the hashring. */
export interface RingMember {
  /** `host:port` of the receiver's gRPC, byte for byte as the ring file has it (it is the string that is hashed). */
  address: string;
  /** The availability zone the ring counts the member in; absent where the ring has no zones. */
  zone?: string;
  /** Name of the hashring that it is a member of: `default`, or an entry of `receive.hashrings`. Absent in stacks that don't say. */
  hashring?: string;
}

/** The hashring every write is distributed by. */
export interface Ring {
  /** The receivers that store samples, in the order of the ring file. */
  members: RingMember[];
  /** Replicas of each series. */
  replicationFactor: number;
  /** The hashing algorithm; other ones move nearly every series when the ring changes. */
  algorithm: "ketama";
  /** Changes exactly when the ring file changes. */
  hash: string;
  /**
   * Names of the hashrings in receivers' metrics (`thanos_receive_hashring_nodes`), in which rings that are gone stay until a restart.
   * Absent in stacks that don't say.
   */
  loadedAs?: string[];
}

/** The stack's own Prometheus. */
export interface PrometheusOutputs {
  /** In-cluster URL of the Service over all Prometheus pods. */
  service: string;
  /** The `job` label of every scrape job. */
  jobs: string[];
  /** Prometheus pods that scrape the same targets (2 is a high-availability pair). */
  replicas: number;
  /** Shards the targets are divided into; the number of Prometheus pods is `replicas * shards`. */
  shards: number;
}

/** Object storage. Where the bucket is, and its credentials, are nobody's business but the stack's. */
export interface ObjectStorageOutputs {
  /** Store gateways that serve the bucket. */
  storeGateways: number;
  /** Compactors, each for its share of the tenants; absent for stacks from before it was told, which have one. */
  compactors?: number;
  /** Age at which answers come from the bucket, as a Prometheus duration such as `46h`. */
  handover: string;
}

/** Mutual TLS between the stack's components, and to them: remote write and gRPC. */
export interface TlsOutputs {
  /** Name in the certificate of every server, whatever address leads to it. */
  serverName: string;
  /** `senders` while the stack is on its way to TLS: writers are to use it already, and nobody serves it yet. */
  stage: "senders" | "everywhere";
  /** Certificates of the CAs to trust, as PEM; absent where somebody else than the stack signs. */
  ca?: string;
}

/** A certificate with its key, as PEM. */
export interface TlsClient {
  certificate: string;
  key: string;
}

interface CommonOutputs {
  /** The Kubernetes namespace of everything in the stack. */
  namespace: string;
  /** In-cluster base URL for people and dashboards (Prometheus HTTP API); the query frontend where the stack has one. */
  queryUrl: string;
  /**
   * In-cluster URL of the gateway for remote write, with a token or a certificate: with it nobody else reaches
   * {@link ReceiveOutputs.remoteWriteUrl}. Absent where it has none. Tokens are in the secret output `credentials`, which
   * {@link gatewayToken} reads.
   */
  gatewayRemoteWriteUrl?: string;
  /** In-cluster base URL of the gateway for queries, with a token. Absent where it has none. */
  gatewayQueryUrl?: string;
  /** URL of the gateway for remote write from outside the cluster; absent where the stack says none. */
  publicRemoteWriteUrl?: string;
  /** Base URL of the gateway for queries from outside the cluster; absent where the stack says none. */
  publicQueryUrl?: string;
  /** Certificates of who signed the gateway's, as PEM; absent where everybody trusts them. */
  gatewayCa?: string;
  /** In-cluster base URL of the queriers themselves, past any cache. */
  querierUrl: string;
  /** `host:port` of the queriers' gRPC, for a querier above this one. */
  queryGrpcAddress: string;
  /** The HTTP header that names a sender's tenant. */
  tenantHeader: string;
  /** The tenant of senders that send no {@link tenantHeader}. */
  defaultTenant: string;
  /** The labels the querier removes when it deduplicates; a sender may use them only to tell its own replicas apart. */
  replicaLabels: string[];
  /**
   * The name of the label among {@link externalLabels} that tells the stack's cluster from others:
   * `cluster`, unless the stack chose another.
   */
  clusterLabel: string;
  /** The labels this stack's Prometheus puts on every sample, without replica labels. */
  externalLabels: Record<string, string>;
  /** The stack's own Prometheus. */
  prometheus: PrometheusOutputs;
  /** The stack's object storage; absent where answers end with local retention. */
  objectStorage?: ObjectStorageOutputs;
  /** Who connects to the stack needs a certificate; absent where nothing is encrypted. */
  tls?: TlsOutputs;
  /** Survival of the plan, as computed at preview; its form belongs to the program and is opaque here. */
  availability: Record<string, unknown>;
  /** Capacity of the plan; its form is opaque here as well. Absent where the environment names no load, and in stacks that don't say. */
  capacity?: Record<string, unknown>;
}

/** Outputs of a stack whose senders write into a ring of receivers. */
export interface ReceiveOutputs extends CommonOutputs {
  scheme: "receive";
  /** In-cluster URL for remote write 1.0. */
  remoteWriteUrl: string;
  /**
   * The tenants that are taken, by name or by pattern ({@link takesTenant}); writes of another are answered 500 and retried for ever.
   * Absent where any tenant is taken, and in stacks that don't say.
   */
  tenants?: string[];
  ring: Ring;
}

/** Outputs of a stack whose Prometheus pods carry a Thanos sidecar; there is nothing to write to. */
export interface SidecarOutputs extends CommonOutputs {
  scheme: "sidecar";
}

/** All outputs of a stack; `scheme` tells the two apart. */
export type StackOutputs = ReceiveOutputs | SidecarOutputs;

/** Outputs that are missing or have another type than this reader expects. */
export class StackOutputsError extends Error {
  /**
   * @param problems one sentence for each output, each beginning with its path
   */
  constructor(readonly problems: readonly string[]) {
    super(`the stack's outputs cannot be used:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.name = "StackOutputsError";
  }
}

const SCHEMES = ["receive", "sidecar"] as const;

/**
 * Reads the outputs of a deployed stack, as `pulumi stack output --json` or a StackReference give them.
 *
 * @param raw output values by name
 * @throws {StackOutputsError} one error that names every missing or ill-typed output and what was found in its place
 */
export function readOutputs(raw: Record<string, unknown>): StackOutputs {
  const problems: string[] = [];
  const outputs = new Reader(raw, "", problems);
  const scheme = outputs.oneOf("scheme", SCHEMES);
  const prometheus = outputs.object("prometheus");
  const common: CommonOutputs = {
    namespace: outputs.string("namespace"),
    queryUrl: outputs.url("queryUrl"),
    ...(raw.gatewayRemoteWriteUrl === undefined ? {} : { gatewayRemoteWriteUrl: outputs.url("gatewayRemoteWriteUrl") }),
    ...(raw.gatewayQueryUrl === undefined ? {} : { gatewayQueryUrl: outputs.url("gatewayQueryUrl") }),
    ...(raw.publicRemoteWriteUrl === undefined ? {} : { publicRemoteWriteUrl: outputs.url("publicRemoteWriteUrl") }),
    ...(raw.publicQueryUrl === undefined ? {} : { publicQueryUrl: outputs.url("publicQueryUrl") }),
    ...(raw.gatewayCa === undefined ? {} : { gatewayCa: outputs.string("gatewayCa") }),
    querierUrl: outputs.url("querierUrl"),
    queryGrpcAddress: outputs.hostAndPort("queryGrpcAddress"),
    tenantHeader: outputs.string("tenantHeader"),
    defaultTenant: outputs.string("defaultTenant"),
    replicaLabels: outputs.strings("replicaLabels"),
    // Stacks from before it was told have this one.
    clusterLabel: raw.clusterLabel === undefined ? "cluster" : outputs.string("clusterLabel"),
    externalLabels: outputs.labels("externalLabels"),
    prometheus: {
      service: prometheus.url("service"),
      jobs: prometheus.strings("jobs"),
      replicas: prometheus.count("replicas"),
      shards: prometheus.count("shards"),
    },
    ...(raw.objectStorage === undefined ? {} : { objectStorage: readObjectStorage(outputs.object("objectStorage")) }),
    ...(raw.tls === undefined ? {} : { tls: readTls(outputs.object("tls")) }),
    availability: outputs.object("availability").fields,
    ...(raw.capacity === undefined ? {} : { capacity: outputs.object("capacity").fields }),
  };
  if (scheme === "sidecar") {
    failIfAny(problems);
    return { scheme, ...common };
  }
  const remoteWriteUrl = outputs.url("remoteWriteUrl");
  const ring = outputs.object("ring");
  const members = ring.objects("members").map((member): RingMember => {
    const zone = member.fields.zone === undefined ? undefined : member.string("zone");
    const hashring = member.fields.hashring === undefined ? undefined : member.string("hashring");
    return {
      address: member.hostAndPort("address"),
      ...(zone === undefined ? {} : { zone }),
      ...(hashring === undefined ? {} : { hashring }),
    };
  });
  const tenants = raw.tenants === undefined ? undefined : outputs.strings("tenants");
  const algorithm = ring.oneOf("algorithm", ["ketama"] as const);
  const loadedAs = ring.fields.loadedAs === undefined ? undefined : ring.strings("loadedAs");
  const receive: ReceiveOutputs = {
    scheme: "receive",
    ...common,
    remoteWriteUrl,
    ...(tenants === undefined ? {} : { tenants }),
    ring: {
      members,
      replicationFactor: ring.count("replicationFactor"),
      algorithm,
      hash: ring.string("hash"),
      ...(loadedAs === undefined ? {} : { loadedAs }),
    },
  };
  failIfAny(problems);
  return receive;
}

/**
 * The outputs of a referenced stack, checked.
 *
 * Each output is fetched by name, so one that is secret does not turn the whole result into a secret.
 *
 * @param ref a reference to a thanos-stack stack
 * @returns an output that fails with {@link StackOutputsError} where the stack's outputs cannot be used
 */
export function requireStackOutputs(ref: pulumi.StackReference): pulumi.Output<StackOutputs> {
  const [first, ...others] = OUTPUT_NAMES;
  const start = ref.getOutput(first).apply((value): Record<string, unknown> => ({ [first]: value }));
  return others
    .reduce((collected, name) => collected.apply((values) => ref.getOutput(name).apply((value) => ({ ...values, [name]: value }))), start)
    .apply((values) => readOutputs(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))));
}

/**
 * The outputs of a referenced stack, checked and as plain values: for programs that decide by them what they register, and that refuse a
 * stack they can't use before they register anything. Wants a program whose entry point is asynchronous.
 *
 * @param ref a reference to a thanos-stack stack
 * @throws {StackOutputsError} where the stack's outputs cannot be used
 * @throws {Error} naming the outputs that are secret: as plain values they would no longer be
 */
export async function awaitStackOutputs(ref: pulumi.StackReference): Promise<StackOutputs> {
  const details = await Promise.all(OUTPUT_NAMES.map(async (name) => [name, await ref.getOutputDetails(name)] as const));
  const secret = details.filter(([, detail]) => detail.secretValue !== undefined).map(([name]) => name);
  if (secret.length > 0) {
    throw new Error(`the stack's outputs ${secret.join(", ")} are secret; read them with requireStackOutputs, which keeps them so`);
  }
  return readOutputs(Object.fromEntries(details.flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value]]))));
}

/**
 * The certificate that a stack made for others under a name of its `tls.clients`, kept secret.
 *
 * @param ref a reference to a thanos-stack stack
 * @param name the name
 * @returns an output that fails where the stack has made none of this name
 */
export function tlsClient(ref: pulumi.StackReference, name: string): pulumi.Output<TlsClient> {
  return ref.getOutput("tlsClients").apply((clients: unknown) => clientIn(clients, name));
}

/**
 * The same for programs that refuse a stack before they register anything. Wants a program whose entry point is asynchronous.
 *
 * @throws {Error} where the stack has made none of this name
 */
export async function awaitTlsClient(ref: pulumi.StackReference, name: string): Promise<pulumi.Output<TlsClient>> {
  const { value, secretValue } = await ref.getOutputDetails("tlsClients");
  clientIn(secretValue ?? value, name);
  return tlsClient(ref, name);
}

function clientIn(clients: unknown, name: string): TlsClient {
  const client = isObject(clients) && Object.hasOwn(clients, name) ? clients[name] : undefined;
  if (isObject(client) && typeof client.certificate === "string" && typeof client.key === "string") {
    return { certificate: client.certificate, key: client.key };
  }
  const names = isObject(clients) ? Object.keys(clients).join(", ") : "";
  throw new Error(
    `the stack has made no certificate for ${name}${names === "" ? "" : `, only for ${names}`}: name it in its tls.clients.write or tls.clients.query`,
  );
}

/**
 * The outputs of a stack that can be written to.
 *
 * @throws {Error} for a stack of the sidecar scheme, which takes no remote write
 */
export function receiveOutputs(outputs: StackOutputs): ReceiveOutputs {
  if (outputs.scheme === "receive") {
    return outputs;
  }
  throw new Error(
    `the stack in namespace ${outputs.namespace} uses scheme "${outputs.scheme}", which takes no remote write: ` +
      `its samples come from the sidecars of its own Prometheus; only a stack of scheme "receive" has a remoteWriteUrl`,
  );
}

/**
 * The in-cluster URL to send remote write to.
 *
 * @throws {Error} for a stack of the sidecar scheme, which has no such URL
 */
export function remoteWriteUrl(outputs: StackOutputs): string {
  return receiveOutputs(outputs).remoteWriteUrl;
}

/**
 * The current token of a tenant that writes, or of a reader, for the gateway; secret.
 *
 * @param ref a reference to a thanos-stack stack
 * @param kind whose it is
 * @param name the tenant's or the reader's name in the stack file
 * @returns an output that fails where the stack has no token of that name
 */
export function gatewayToken(ref: pulumi.StackReference, kind: "tenants" | "readers", name: string): pulumi.Output<string> {
  return ref.getOutput("credentials").apply((credentials: unknown) => tokenIn(credentials, kind, name));
}

/**
 * The same for programs that refuse a stack before they register anything. Wants a program whose entry point is asynchronous.
 *
 * @throws {Error} where the stack has no token of that name
 */
export async function awaitGatewayToken(
  ref: pulumi.StackReference,
  kind: "tenants" | "readers",
  name: string,
): Promise<pulumi.Output<string>> {
  const { value, secretValue } = await ref.getOutputDetails("credentials");
  tokenIn(secretValue ?? value, kind, name);
  return gatewayToken(ref, kind, name);
}

function tokenIn(credentials: unknown, kind: "tenants" | "readers", name: string): string {
  const holders = isObject(credentials) ? credentials[kind] : undefined;
  const token = isObject(holders) && Object.hasOwn(holders, name) ? holders[name] : undefined;
  if (typeof token === "string" && token !== "") return token;
  throw new Error(`the stack has no token in credentials.${kind}.${name}: name it in its gateway.${kind}`);
}

const OUTPUT_NAMES = [
  "namespace",
  "scheme",
  "remoteWriteUrl",
  "queryUrl",
  "gatewayRemoteWriteUrl",
  "gatewayQueryUrl",
  "publicRemoteWriteUrl",
  "publicQueryUrl",
  "gatewayCa",
  "querierUrl",
  "queryGrpcAddress",
  "tenantHeader",
  "defaultTenant",
  "tenants",
  "replicaLabels",
  "clusterLabel",
  "externalLabels",
  "ring",
  "prometheus",
  "objectStorage",
  "tls",
  "availability",
  "capacity",
] as const;

function readTls(tls: Reader): TlsOutputs {
  const ca = tls.fields.ca === undefined ? undefined : tls.string("ca");
  return {
    serverName: tls.string("serverName"),
    stage: tls.oneOf("stage", ["senders", "everywhere"] as const),
    ...(ca === undefined ? {} : { ca }),
  };
}

function readObjectStorage(bucket: Reader): ObjectStorageOutputs {
  return {
    storeGateways: bucket.count("storeGateways"),
    ...(bucket.fields.compactors === undefined ? {} : { compactors: bucket.count("compactors") }),
    handover: bucket.string("handover"),
  };
}

function failIfAny(problems: readonly string[]): void {
  if (problems.length > 0) {
    throw new StackOutputsError(problems);
  }
}

/** Reads fields of one object and collects problems instead of throwing, so that one error can name them all. */
class Reader {
  constructor(
    readonly fields: Record<string, unknown>,
    private readonly prefix: string,
    private readonly problems: string[],
  ) {}

  string(name: string): string {
    return this.check(name, "a non-empty string", (value): value is string => typeof value === "string" && value !== "") ?? "";
  }

  url(name: string): string {
    return this.check(name, "an http:// or https:// URL", (value): value is string => isHttpUrl(value)) ?? "";
  }

  hostAndPort(name: string): string {
    const isHostAndPort = (value: unknown): value is string => typeof value === "string" && /^[^\s/]+:\d{1,5}$/.test(value);
    return this.check(name, "host:port", isHostAndPort) ?? "";
  }

  count(name: string): number {
    const isCount = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value > 0;
    return this.check(name, "a positive integer", isCount) ?? 0;
  }

  oneOf<const T extends string>(name: string, allowed: readonly [T, ...T[]]): T {
    const isAllowed = (value: unknown): value is T => allowed.some((each) => each === value);
    return this.check(name, allowed.map((each) => JSON.stringify(each)).join(" or "), isAllowed) ?? allowed[0];
  }

  strings(name: string): string[] {
    const isStrings = (value: unknown): value is string[] =>
      Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "");
    return this.check(name, "a list of non-empty strings", isStrings) ?? [];
  }

  labels(name: string): Record<string, string> {
    const isLabels = (value: unknown): value is Record<string, string> =>
      isObject(value) && Object.values(value).every((each) => typeof each === "string");
    return this.check(name, "an object of strings", isLabels) ?? {};
  }

  object(name: string): Reader {
    const path = this.path(name);
    const fields = this.check(name, "an object", isObject);
    // Without the object itself, complaints about each of its fields would only repeat that it is not there.
    return fields === undefined ? new Reader({}, path, []) : new Reader(fields, path, this.problems);
  }

  objects(name: string): Reader[] {
    const isObjects = (value: unknown): value is Record<string, unknown>[] =>
      Array.isArray(value) && value.length > 0 && value.every(isObject);
    const list = this.check(name, "a non-empty list of objects", isObjects) ?? [];
    return list.map((fields, index) => new Reader(fields, `${this.path(name)}[${index}]`, this.problems));
  }

  private check<T>(name: string, expected: string, matches: (value: unknown) => value is T): T | undefined {
    const value = this.fields[name];
    if (matches(value)) {
      return value;
    }
    this.problems.push(
      value === undefined
        ? `${this.path(name)}: missing, expected ${expected}`
        : `${this.path(name)}: expected ${expected}, found ${describe(value)}`,
    );
    return undefined;
  }

  private path(name: string): string {
    return this.prefix === "" ? name : `${this.prefix}.${name}`;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isHttpUrl(value: unknown): value is string {
  return typeof value === "string" && /^https?:\/\/[^\s/]+/.test(value);
}

const DESCRIPTION_LIMIT = 80;

function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  const shortened = text.length > DESCRIPTION_LIMIT ? `${text.slice(0, DESCRIPTION_LIMIT)}…` : text;
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return type === "null" ? shortened : `${shortened} (${type})`;
}

/**
 * Whether a tenant is among those that are taken, of which an entry may be a pattern: `*` is any text, `?` any character, `[a-z]` one of
 * some.
 *
 * @param tenants `tenants` of the outputs. Undefined: any is taken.
 */
export function takesTenant(tenants: readonly string[] | undefined, tenant: string): boolean {
  const expression = (pattern: string) =>
    pattern.replace(/\[[^\]]*\]|[^\w-]/g, (text) =>
      text === "*" ? "[^/]*" : text === "?" ? "[^/]" : text.startsWith("[") ? text : `\\${text}`,
    );
  return tenants?.some((pattern) => new RegExp(`^${expression(pattern)}$`).test(tenant)) ?? true;
}
