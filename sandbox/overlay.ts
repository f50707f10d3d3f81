import { credentialNamesIn, credentialStandIns } from "../model/credentials/uses";
import { formatProblem } from "../model/values/problem";
import { SANDBOX_STACK_IMAGES } from "./stackImages";

/** Stack configuration as YAML holds it: by full key, such as `thanos-stack:cluster`. */
export type ConfigOverlay = { readonly [key: string]: ConfigValue };
/** Any value of YAML. */
export type ConfigValue = string | number | boolean | null | readonly ConfigValue[] | { readonly [key: string]: ConfigValue };

/** The configuration namespace of the program. */
export const CONFIG_NAMESPACE = "thanos-stack";
/** The secret with which pods reach the bucket, which the sandbox replaces with its own. */
export const BUCKET_CREDENTIALS_KEY = `${CONFIG_NAMESPACE}:objectStorageCredentials`;
/** Credentials that are files, in place of which the sandbox has texts that open nothing. */
export const CREDENTIALS_KEY = `${CONFIG_NAMESPACE}:credentials`;
/** Credentials of Secrets that exist, of which the sandbox has none. */
const CREDENTIALS_FROM_KEY = `${CONFIG_NAMESPACE}:credentialsFrom`;

const TENANCY_KEY = `${CONFIG_NAMESPACE}:tenancy`;
const ACCESS_KEY = `${CONFIG_NAMESPACE}:access`;
const IMAGES_KEY = `${CONFIG_NAMESPACE}:images`;
const OBJECT_STORAGE_KEY = `${CONFIG_NAMESPACE}:objectStorage`;
const LOAD_KEY = `${CONFIG_NAMESPACE}:load`;

type ConfigObject = { readonly [key: string]: ConfigValue };

function isObject(value: ConfigValue | undefined): value is ConfigObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One value over another: objects key by key, everything else (lists too) as a whole. */
export function merge(base: ConfigValue | undefined, over: ConfigValue): ConfigValue {
  if (!isObject(base) || !isObject(over)) return over;
  const result: Record<string, ConfigValue> = { ...base };
  for (const [key, value] of Object.entries(over)) result[key] = merge(base[key], value);
  return result;
}

/** Configurations one over the other, the last one on top. */
export function mergeConfig(...layers: readonly ConfigOverlay[]): ConfigOverlay {
  return layers.reduce<ConfigOverlay>((base, over) => merge(base, over) as ConfigOverlay, {});
}

/** Names of the sandbox's cluster, and of its S3 server. */
export interface ClusterNames {
  readonly kubeconfig: string;
  readonly context: string;
  /** The nodes' names. */
  readonly nodes: readonly string[];
  /** The network in which the cluster's pods see this machine: tests write and read from here, and people open what `make up` prints. */
  readonly machine: string;
  readonly objectStorage: {
    /** Host and port, TLS. */
    readonly endpoint: string;
    readonly region: string;
    /** Certificate of the authority by which the server is known, as PEM. */
    readonly ca: string;
    readonly credentials: { readonly accessKey: string; readonly secretKey: string };
  };
}

/** A stack's configuration, apart by how its file may hold it. */
export interface StackConfiguration {
  readonly config: ConfigOverlay;
  /** Values that the file holds encrypted only, by full key. */
  readonly secrets: ConfigOverlay;
}

/**
 * The configuration with which an environment is deployed to the sandbox: its own, the sandbox's overlay for it, the overrides on top. What
 * the overrides add (a bucket, data on nodes) gets its part of the overlay too.
 *
 * @param environment the environment's own configuration
 * @throws what {@link clusterOverlay} throws
 */
export function sandboxConfig(environment: ConfigOverlay, overrides: ConfigOverlay, cluster: ClusterNames): StackConfiguration {
  const own = withoutLoad(environment);
  const wanted = mergeConfig(own, overrides);
  refuseOtherBuckets(own[OBJECT_STORAGE_KEY], ["secret"]);
  const merged = mergeConfig(
    withoutCredentials(own),
    clusterOverlay(wanted, cluster),
    imagesOverlay(wanted),
    bucketOf(wanted) === undefined ? {} : { [BUCKET_CREDENTIALS_KEY]: cluster.objectStorage.credentials },
    credentialFiles(wanted, overrides),
    overrides,
  );
  const isSecret = (key: string) => key === BUCKET_CREDENTIALS_KEY || key === CREDENTIALS_KEY;
  const part = (secret: boolean) => Object.fromEntries(Object.entries(merged).filter(([key]) => isSecret(key) === secret));
  return { config: part(false), secrets: part(true) };
}

/**
 * A configuration without its load: with less CPU than it asks for, and on this machine, it need not carry it. Overrides may name another.
 */
export function withoutLoad(config: ConfigOverlay): ConfigOverlay {
  const { [LOAD_KEY]: _load, ...others } = config;
  return others;
}

/** Text in place of every credential that is a file. */
const OPENS_NOTHING = "sandbox";

/** Sentences that say which credentials of an environment are others in the sandbox, for whoever deploys it. */
export function replacedCredentials(config: ConfigOverlay): string[] {
  const names = credentialNamesIn(config);
  return [
    ...(names.length === 0
      ? []
      : [
          `Credentials that are files (${names.join(", ")}; keys credentials and credentialsFrom) are the text "${OPENS_NOTHING}" here, which opens nothing: ` +
            "whoever asks for them refuses it.",
        ]),
    ...(bucketOf(config) === undefined
      ? []
      : ["The bucket's credentials (objectStorageCredentials) are those of the sandbox's own S3 server."]),
  ];
}

/** Texts in place of the files that are named, but for those that the overrides have from Secrets. */
function credentialFiles(wanted: ConfigOverlay, overrides: ConfigOverlay): ConfigOverlay {
  const files = credentialStandIns(wanted, Object(overrides[CREDENTIALS_FROM_KEY]), OPENS_NOTHING);
  return Object.keys(files).length === 0 ? {} : { [CREDENTIALS_KEY]: files };
}

/** The sandbox's own images for those of the program; what an environment names itself stays. */
function imagesOverlay(config: ConfigOverlay): ConfigOverlay {
  const named = config[IMAGES_KEY];
  return { [IMAGES_KEY]: merge(SANDBOX_STACK_IMAGES, isObject(named) ? named : {}) };
}

/** A configuration without credentials, its bucket's and those that are files: the sandbox has its own. */
export function withoutCredentials(config: ConfigOverlay): ConfigOverlay {
  const { [BUCKET_CREDENTIALS_KEY]: _bucket, [CREDENTIALS_KEY]: _files, [CREDENTIALS_FROM_KEY]: _existing, ...others } = config;
  return others;
}

/** The S3 bucket that a configuration names, and the prefix in it; nothing if its bucket is of another kind or it has none. */
export function bucketOf(config: ConfigOverlay): { bucket: string; prefix?: string } | undefined {
  const storage = config[OBJECT_STORAGE_KEY];
  if (!isObject(storage) || !isObject(storage.s3) || typeof storage.s3.bucket !== "string") return undefined;
  return { bucket: storage.s3.bucket, ...(typeof storage.prefix === "string" ? { prefix: storage.prefix } : {}) };
}

/**
 * Changes of an environment's configuration with which it is deployed to the sandbox: the cluster's address, the names of nodes where it
 * puts data on nodes by name, the server of its bucket, which keeps its name, this machine among those who may write and read, and the CPU
 * that its store gateways and compactor ask for. Nothing that decides what is deployed.
 *
 * @param config the environment's own configuration
 * @throws if it names more nodes than there are, or a bucket that no S3 server can hold
 */
export function clusterOverlay(config: ConfigOverlay, cluster: ClusterNames): ConfigOverlay {
  const overlay: Record<string, ConfigValue> = {
    [`${CONFIG_NAMESPACE}:cluster`]: { kubeconfig: cluster.kubeconfig, context: cluster.context },
  };
  for (const [key, value] of Object.entries(config)) {
    const renamed = renameNodes(value, cluster.nodes, key);
    if (renamed !== undefined) overlay[key] = merge(overlay[key], renamed);
  }
  const access = accessOverlay(config[ACCESS_KEY], cluster);
  if (access !== undefined) overlay[ACCESS_KEY] = access;
  const tenancy = tenancyOverlay(config);
  if (access?.senders !== undefined && tenancy !== undefined) overlay[TENANCY_KEY] = tenancy;
  const storage = objectStorageOverlay(config[OBJECT_STORAGE_KEY], cluster);
  if (storage !== undefined) overlay[OBJECT_STORAGE_KEY] = merge(overlay[OBJECT_STORAGE_KEY], storage);
  return overlay;
}

/** The lists of those who may write and read, with this machine; an endpoint without a list is open already, or refused. */
function accessOverlay(access: ConfigValue | undefined, { machine }: ClusterNames): ConfigObject | undefined {
  if (!isObject(access)) return undefined;
  const lists = ["senders", "readers"].flatMap((endpoint) => {
    const entries = access[endpoint];
    return Array.isArray(entries) ? [[endpoint, [...new Set([...entries, machine])]] as const] : [];
  });
  return lists.length === 0 ? undefined : Object.fromEntries(lists);
}

/**
 * No tenant beside the default one, where an environment that nobody else wrote to names none: this machine may write now,
 * and others must be named or accepted.
 */
function tenancyOverlay(config: ConfigOverlay): ConfigObject | undefined {
  const [tenancy, accepts] = [config[TENANCY_KEY], config[`${CONFIG_NAMESPACE}:accepts`]];
  if (Array.isArray(accepts) && accepts.includes("any-tenant")) return undefined;
  return isObject(tenancy) && tenancy.tenants !== undefined ? undefined : { tenants: [] };
}

/**
 * CPU that store gateways and compactor ask for: the two cores of a small machine are those of each of its nodes, and a receiver that
 * restarts must find room on the one that has its volume, whichever pods have come there meanwhile.
 */
const SMALL_REQUEST: ConfigObject = { resources: { cpu: "50m" } };

/** The part of `objectStorage` that says where the bucket is, and how little of a node its components ask for. */
function objectStorageOverlay(storage: ConfigValue | undefined, { nodes, objectStorage }: ClusterNames): ConfigObject | undefined {
  if (!isObject(storage)) return undefined;
  refuseOtherBuckets(storage, ["gcs", "azure"]);
  const node = nodes[0];
  return {
    ...(storage.s3 === undefined
      ? {}
      : { s3: { endpoint: objectStorage.endpoint, region: objectStorage.region, ca: objectStorage.ca, bucketLookup: "path" } }),
    ...(storage.filesystem === undefined || node === undefined ? {} : { filesystem: { node } }),
    storeGateway: SMALL_REQUEST,
    compactor: SMALL_REQUEST,
  };
}

/**
 * Refuses kinds of buckets that the sandbox does not have. A Secret that somebody else makes is only there where whoever names it makes it.
 */
function refuseOtherBuckets(storage: ConfigValue | undefined, kinds: readonly string[]): void {
  if (!isObject(storage)) return;
  for (const kind of kinds) {
    if (storage[kind] === undefined) continue;
    throw new Error(
      formatProblem({
        key: `${OBJECT_STORAGE_KEY}.${kind}`,
        value: storage[kind],
        rule: "the sandbox's object storage speaks S3 and nothing else, and nobody makes a Secret of one's own there",
        remedy: "an environment with objectStorage.s3 or objectStorage.filesystem",
      }),
    );
  }
}

/** The part of a value that lists nodes (`hostPath.nodes`, at any depth), with the cluster's names instead; nothing if no part does. */
function renameNodes(value: ConfigValue, nodes: readonly string[], key: string): ConfigValue | undefined {
  if (!isObject(value)) return undefined;
  const result: Record<string, ConfigValue> = {};
  for (const [name, inner] of Object.entries(value)) {
    const listed = name === "hostPath" && isObject(inner) ? inner.nodes : undefined;
    if (Array.isArray(listed)) {
      if (listed.length > nodes.length) throw new Error(`${key} puts data on ${listed.length} nodes; the sandbox has ${nodes.length}`);
      result[name] = { nodes: nodes.slice(0, listed.length) };
      continue;
    }
    const renamed = renameNodes(inner, nodes, key);
    if (renamed !== undefined) result[name] = renamed;
  }
  return Object.keys(result).length > 0 ? result : undefined;
}

/**
 * Refuses what the sandbox can't read: secrets are encrypted for the environment's own secrets provider.
 *
 * @throws naming every key that holds one
 */
export function refuseSecrets(config: ConfigOverlay, file: string): void {
  const found: string[] = [];
  const visit = (value: ConfigValue, path: string): void => {
    if (Array.isArray(value)) for (const [index, inner] of value.entries()) visit(inner, `${path}[${index}]`);
    if (!isObject(value)) return;
    const keys = Object.keys(value);
    if (keys.length === 1 && keys[0] === "secure") found.push(path);
    for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
  };
  for (const [key, value] of Object.entries(config)) visit(value, key);
  if (found.length > 0) {
    throw new Error(
      `${file} holds secrets that only its own secrets provider can decrypt: ${found.join(", ")}. The sandbox replaces only objectStorageCredentials, credentials and credentialsFrom: deploy a copy of the file without the others, or with values of the sandbox's own`,
    );
  }
}
