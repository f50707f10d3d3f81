import { GRPC_PORT, HTTP_PORT, MEMCACHED_PORT, PROMETHEUS_PORT, QUERY_HTTP_PORT, REMOTE_WRITE_PORT } from "../kubernetes/ports";
import type { ContainerExtra, Extra, ExtraContainer } from "../settings/extra";
import type { Settings } from "../settings/schema";
import type { Problem } from "../values/problem";
import { imageVersion } from "../values/versions";
import { flagOf, mistakes } from "./flags";
import { OWN_FLAGS, type Program } from "./ownFlags";

/** What components are given that the program knows nothing of, against what the program itself sets. */

/** A container of the stack that may be given something. */
interface Part {
  /** Its key with a dot behind it. */
  key: string;
  program: Program;
  image: string;
  /** Ports on which it listens. */
  ports: readonly number[];
  extra: ContainerExtra & Partial<Extra>;
}

const STORE_API = [GRPC_PORT, HTTP_PORT];

/** Every container of the settings that may be given something. */
export function extraParts(settings: Settings): Part[] {
  const { receive, querier, queryFrontend, prometheus, ruler, objectStorage, images } = settings;
  const { storeGateway, compactor } = objectStorage ?? {};
  const part = (key: string, program: Program, ports: readonly number[], own: { extra: Part["extra"] } | undefined): Part[] => {
    const image = program === "memcached" || program === "prometheus" ? images[program] : images.thanos;
    return own === undefined ? [] : [{ key: `${key}.`, program, image, ports, extra: own.extra }];
  };
  const receiverPorts = [...STORE_API, REMOTE_WRITE_PORT];
  return [
    ...part("receive", "thanos receive", receiverPorts, receive),
    ...part("receive.routers", "thanos receive", receiverPorts, receive?.routers),
    ...part("querier", "thanos query", [GRPC_PORT, QUERY_HTTP_PORT], querier),
    ...part("queryFrontend", "thanos query-frontend", [QUERY_HTTP_PORT], queryFrontend),
    ...part("queryFrontend.cache", "memcached", [MEMCACHED_PORT], queryFrontend?.cache),
    ...part("prometheus", "prometheus", [PROMETHEUS_PORT, ...STORE_API], prometheus),
    ...part("prometheus.sidecar", "thanos sidecar", [], prometheus.sidecar),
    ...part("ruler", "thanos rule", STORE_API, ruler),
    ...part("objectStorage.storeGateway", "thanos store", STORE_API, storeGateway),
    ...part("objectStorage.storeGateway.indexCache.memcached", "memcached", [MEMCACHED_PORT], storeGateway?.indexCache.memcached),
    ...part("objectStorage.storeGateway.chunkCache.memcached", "memcached", [MEMCACHED_PORT], storeGateway?.chunkCache.memcached),
    ...part("objectStorage.compactor", "thanos compact", [HTTP_PORT], compactor),
  ];
}

/** Variables that the stack sets in its containers. */
export const OWN_VARIABLES = ["POD_NAME"];
/** Volumes of the stack's pods. */
export const OWN_VOLUMES = [
  ...["api-token", "bucket", "config", "data", "endpoints", "hashrings", "limits"],
  ...["objectstore", "relabel", "remote-write", "response-cache", "rules", "tmp"],
];
/** Containers of the stack's pods. */
export const OWN_CONTAINERS = [
  ...["memcached", "prometheus", "thanos-compactor", "thanos-querier", "thanos-query-frontend", "thanos-receive"],
  ...["thanos-receive-router", "thanos-ruler", "thanos-sidecar", "thanos-store-gateway"],
];
/** Names of the ports of the stack's pods, to which Services lead. */
export const OWN_PORT_NAMES = ["grpc", "http", "memcached", "remote-write", "sidecar-http"];
/** Directories of the stack's containers: its volumes, and what an image's programs are made of. */
export const OWN_DIRECTORIES = [
  "/var/thanos",
  ...["config", "rules"].map((name) => `/etc/prometheus/${name}`),
  ...["endpoints", "hashrings", "history", "limits", "objectstore", "relabel", "remote-write", "response-cache", "rules"].map(
    (name) => `/etc/thanos/${name}`,
  ),
  ...["/prometheus", "/tmp", "/var/run/secrets/kubernetes.io/serviceaccount"],
  ...["/bin", "/dev", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr"],
];

/** Every problem; empty where there is none. */
export function extraProblems(settings: Settings): Problem[] {
  return extraParts(settings).flatMap((part) => [
    ...argumentProblems(part),
    ...variableProblems(part),
    ...volumeProblems(part),
    ...containerProblems(part),
  ]);
}

function argumentProblems({ key, program, image, extra: { args = [] } }: Part): Problem[] {
  const at = (index: number) => ({ key: `${key}extra.args[${index}]`, value: args[index] });
  const owned = args.flatMap((argument, index): Problem[] => {
    const name = program === "memcached" ? memcachedFlag(argument) : flagOf(argument)?.name;
    const owners = OWN_FLAGS[program];
    const owner = name === undefined ? undefined : (owners[name] ?? owners[name.replace(/^no-/, "")]);
    if (owner === undefined) return [];
    const rule = "why" in owner ? `the program sets this flag: ${owner.why}` : "the program sets this flag";
    const decides = "key" in owner ? (program === "memcached" ? `${key}${owner.key}` : owner.key) : undefined;
    return [{ ...at(index), rule, remedy: decides === undefined ? "the flag left out" : `the key ${decides} instead` }];
  });
  if (program === "memcached") return owned;
  const taken = new Set(owned.map((problem) => problem.key));
  const stopped = mistakes(program, args, imageVersion(image)).map(({ index, rule, remedy }) => ({ ...at(index), rule, remedy }));
  return [...owned, ...stopped.filter((problem) => !taken.has(problem.key))];
}

/** Name of memcached's flag, which may be one letter with its value behind it. */
const memcachedFlag = (argument: string): string | undefined => flagOf(argument)?.name ?? /^-([A-Za-z])/.exec(argument)?.[1];

/** Values that occur a second time. */
const again = <Value>(values: readonly Value[]): Value[] => values.filter((value, index) => values.indexOf(value) !== index);

/** Names of which each may be there once, and that the stack has already. */
function names(key: string, given: readonly string[], own: readonly string[], what: string): Problem[] {
  return [
    ...again(given).map((value) => ({ key, value, rule: `${what} has a name of its own`, remedy: "each name once" })),
    ...given
      .filter((value) => own.includes(value))
      .map((value) => ({
        key,
        value,
        rule: `the stack has ${what} of this name itself`,
        remedy: `a name that is none of ${own.join(", ")}`,
      })),
  ];
}

const variableProblems = ({ key, extra: { env = [] } }: Part): Problem[] =>
  names(
    `${key}extra.env`,
    env.map(({ name }) => name),
    OWN_VARIABLES,
    "a variable",
  );

const isBelow = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`);

function volumeProblems({ key, extra: { volumes = [], volumeMounts = [] } }: Part): Problem[] {
  const given = volumes.map(({ name }) => name);
  // A sidecar's volumes are its pod's.
  const known = key === "prometheus.sidecar." ? undefined : given;
  const at = `${key}extra.volumeMounts`;
  const paths = volumeMounts.map(({ mountPath }) => mountPath.replace(/\/+$/, ""));
  return [
    ...names(`${key}extra.volumes`, given, OWN_VOLUMES, "a volume"),
    ...volumeMounts
      .filter(({ name }) => (known === undefined ? OWN_VOLUMES.includes(name) : !known.includes(name)))
      .map(({ name }) => ({
        key: at,
        value: name,
        rule: "the component's own container has the stack's volumes already, and others must be among its volumes",
        remedy:
          known === undefined
            ? "a volume of prometheus.extra.volumes"
            : `a name of ${key}extra.volumes${known.length === 0 ? ", which is empty" : `: ${known.join(", ")}`}`,
      })),
    ...again(paths).map((value) => ({ key: at, value, rule: "one volume is mounted in one place", remedy: "each mountPath once" })),
    ...paths.flatMap((value) => {
      const hidden = OWN_DIRECTORIES.find((directory) => isBelow(value, directory) || isBelow(directory, value));
      return hidden === undefined
        ? []
        : [
            {
              key: at,
              value,
              rule: `the stack's own ${hidden} is there, and would be hidden or changed`,
              remedy: "another directory, such as /etc/extra",
            },
          ];
    }),
  ];
}

function containerProblems({ key, ports, extra }: Part): Problem[] {
  const lists: [string, readonly ExtraContainer[]][] = [
    ["containers", extra.containers ?? []],
    ["initContainers", extra.initContainers ?? []],
  ];
  const all = lists.flatMap(([, containers]) => containers);
  const volumes = [...OWN_VOLUMES, ...(extra.volumes ?? []).map(({ name }) => name)];
  const listening = all.flatMap((container) => container.ports ?? []);
  return [
    ...names(
      `${key}extra.containers`,
      all.map(({ name }) => name),
      OWN_CONTAINERS,
      "a container",
    ),
    ...names(
      `${key}extra.containers`,
      listening.flatMap(({ name }) => (name === undefined ? [] : [name])),
      OWN_PORT_NAMES,
      "a port",
    ),
    ...listening
      .filter(({ containerPort, protocol = "TCP" }) => protocol === "TCP" && ports.includes(containerPort))
      .map(({ containerPort }) => ({
        key: `${key}extra.containers`,
        value: containerPort,
        rule: "the containers of a pod share its ports, and the component itself listens on this one",
        remedy: `a port that is none of ${ports.join(", ")}`,
      })),
    ...lists.flatMap(([list, containers]) =>
      containers.flatMap(({ name, volumeMounts = [], env = [] }) => [
        ...again(env.map((variable) => variable.name)).map((value) => ({
          key: `${key}extra.${list}`,
          value,
          rule: `container ${name} has this variable twice`,
          remedy: "each name once",
        })),
        ...volumeMounts
          .filter((mount) => !volumes.includes(mount.name))
          .map((mount) => ({
            key: `${key}extra.${list}`,
            value: mount.name,
            rule: `container ${name} mounts a volume that the pod does not have`,
            remedy: `one of ${key}extra.volumes, or of the stack's own`,
          })),
      ]),
    ),
  ];
}

/** Every use, in words: what nobody but the policies has judged. Empty where nothing is used. */
export function uncheckedUses(settings: Settings): string[] {
  return extraParts(settings).flatMap(({ key, extra }) => {
    const used = (name: keyof Extra, values: readonly string[] | undefined) =>
      values === undefined || values.length === 0 ? [] : [`${key}extra.${name}: ${values.join(", ")}`];
    const containers = (list: readonly ExtraContainer[] | undefined) => list?.map(({ name, image }) => `${name} (${image})`);
    return [
      ...used(
        "args",
        extra.args?.map((argument) => argument.replace(/=.*/s, "")),
      ),
      ...used(
        "env",
        extra.env?.map(({ name }) => name),
      ),
      ...used(
        "volumes",
        extra.volumes?.map((volume) => `${volume.name} (${sourceOf(volume)})`),
      ),
      ...used(
        "volumeMounts",
        extra.volumeMounts?.map(({ mountPath }) => mountPath),
      ),
      ...used("containers", containers(extra.containers)),
      ...used("initContainers", containers(extra.initContainers)),
    ];
  });
}

function sourceOf({ name: _, ...source }: NonNullable<Extra["volumes"]>[number]): string {
  const { secret, configMap, persistentVolumeClaim: claim } = source;
  const object = secret?.secretName ?? configMap?.name ?? claim?.claimName;
  const [kind = ""] = Object.entries(source).flatMap(([each, value]) => (value === undefined ? [] : [each]));
  return object === undefined ? kind : `${kind} ${object}`;
}
