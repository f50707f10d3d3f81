import { isProxyVariable } from "../kubernetes/proxy";
import type { PodComponent } from "../settings/components";
import { CREDENTIALS_DIRECTORY } from "../settings/credentials";
import type { Extra, ExtraContainer } from "../settings/extra";
import type { Settings } from "../settings/schema";
import type { Problem } from "../values/problem";
import { imageVersion } from "../values/versions";
import { type ExtensibleContainer, extensibleContainers, SIDECAR } from "./extensibleContainers";
import { type Flag, flagOf, hasFlag, type Mistake, mistakes, withoutNo, wrongMode } from "./flags";
import { OWN_FLAGS, type Program } from "./ownFlags";

/** Rules of `extra`: an environment's own flags, variables, volumes and containers, against those of the program. */

/** Variables that the stack sets in its containers. */
export const OWN_VARIABLES = ["POD_INDEX", "POD_NAME", "TRACING_HEADER_0"];
/** The variables with headers of traces, of which there are as many as headers. */
const HEADER_VARIABLE = /^TRACING_HEADER_\d+$/;
/** Volumes of the stack's pods. */
export const OWN_VOLUMES = [
  ...[
    "alertmanagers",
    "api-token",
    "bucket",
    "client-ca",
    "config",
    "credentials",
    "data",
    "endpoint-tls",
    "endpoints",
    "hashrings",
    "limits",
  ],
  ...["objectstore", "relabel", "remote-write", "response-cache", "rules", "telemetry", "tls", "tmp"],
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
  CREDENTIALS_DIRECTORY,
  ...["config", "rules", "tls"].map((name) => `/etc/prometheus/${name}`),
  ...[
    "alertmanagers",
    "client-ca",
    "endpoint-tls",
    "endpoints",
    "hashrings",
    "history",
    "limits",
    "objectstore",
    "relabel",
    "remote-write",
    "response-cache",
    "rules",
    "telemetry",
    "tls",
  ].map((name) => `/etc/thanos/${name}`),
  ...["/prometheus", "/tmp", "/run/secrets/kubernetes.io/serviceaccount", "/var/run/secrets/kubernetes.io/serviceaccount"],
  ...["/bin", "/dev", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr"],
];

/**
 * Every problem; empty where there is none.
 *
 * @param own The stack's own volumes of each component's pods.
 */
export function extraProblems(settings: Settings, own: Readonly<Record<PodComponent, readonly string[]>>): Problem[] {
  return extensibleContainers(settings).flatMap((container) => [
    ...argumentProblems(container, settings),
    ...variableProblems(container, settings),
    ...volumeProblems(container, settings),
    ...containerProblems(container, own[container.component]),
  ]);
}

function argumentProblems(container: ExtensibleContainer, { prometheus: { mode } }: Settings): Problem[] {
  const { key, program, image, extra } = container;
  const { args = [] } = extra;
  const stopped = program === "memcached" ? memcachedMistakes(args) : mistakes(program, args, imageVersion(image));
  return args.flatMap((argument, index): Problem[] => {
    const flag = flagOf(argument);
    const at = { key: `${key}extra.args[${index}]`, value: shownArgument(container, argument) };
    const owner = flag === undefined ? undefined : ownerOf(container, flag);
    if (owner !== undefined) return [{ ...at, ...owner }];
    const mistake = stopped.find((each) => each.index === index);
    if (mistake !== undefined) return [{ ...at, rule: mistake.rule, remedy: mistake.remedy }];
    const wrong = program === "prometheus" && flag !== undefined ? wrongMode(mode, withoutNo(flag.name)) : undefined;
    return wrong === undefined ? [] : [{ ...at, rule: wrong, remedy: "the flag left out, or the other prometheus.mode" }];
  });
}

/**
 * An argument as a message shows it: the value of a flag that nobody knows, and a text that is no flag, may be a credential that was meant
 * for something else.
 */
function shownArgument({ program }: ExtensibleContainer, argument: string): string {
  const flag = flagOf(argument);
  if (flag === undefined) return /^--?[A-Za-z]/.test(argument) ? argument.replace(/[\s=].*/s, " (not shown)") : "(not shown)";
  return flag.value === undefined || isFlag(program, flag.name) ? argument : `--${flag.name}=(not shown)`;
}

const isFlag = (program: Program, name: string): boolean =>
  Object.hasOwn(OWN_FLAGS[program], name) || (program !== "memcached" && hasFlag(program, name));

/** Why a flag is the program's, and which key decides about it; undefined where it is anybody's. */
function ownerOf({ key, program }: ExtensibleContainer, { name }: Flag): Pick<Problem, "rule" | "remedy"> | undefined {
  const owners = OWN_FLAGS[program];
  // memcached takes the beginning of a name for the name (getopt_long).
  const own = program === "memcached" ? Object.keys(owners).find((each) => each.startsWith(name)) : name;
  const owner = own === undefined ? undefined : (owners[own] ?? owners[withoutNo(own)]);
  if (owner === undefined) return undefined;
  if ("key" in owner) {
    const decides = program === "memcached" ? `${key}${owner.key}` : owner.key;
    return { rule: "the program sets this flag", remedy: `the key ${decides} instead` };
  }
  return { rule: `this flag is the program's: ${owner.why}`, remedy: "the flag left out" };
}

/** memcached's flags are known to nobody here but the stack's own; each is written out, so that it can be told from those. */
const memcachedMistakes = (args: readonly string[]): Mistake[] =>
  args.flatMap((argument, index) =>
    /^--(?!help|license|version)[a-z][a-z-]*(?:=.*)?$/.test(argument)
      ? []
      : [
          {
            index,
            rule: "not of the form of a flag of memcached, or one that ends it",
            remedy: "--name=value, or --name, with the whole name",
          },
        ],
  );

/** Values that occur a second time, with their places. */
const again = <Value>(values: readonly Value[]): { value: Value; index: number }[] =>
  values.flatMap((value, index) => (values.indexOf(value) === index ? [] : [{ value, index }]));

/** Names of which each may be there once, and that the stack has already. */
function names(key: string, given: readonly string[], own: readonly string[], what: string): Problem[] {
  return [
    ...again(given).map(({ value, index }) => ({
      key: `${key}[${index}].name`,
      value,
      rule: `another ${what} has this name`,
      remedy: "each name once",
    })),
    ...given.flatMap((value, index) =>
      own.includes(value)
        ? [
            {
              key: `${key}[${index}].name`,
              value,
              rule: `the stack has a ${what} of this name itself`,
              remedy: `a name that is none of ${own.join(", ")}`,
            },
          ]
        : [],
    ),
  ];
}

const PROXIES = /^(?:https?|all)_proxy$/i;

/** Containers that go outside by HTTP, which a proxy of the stack is for. */
const GOES_OUTSIDE: readonly Program[] = [
  "prometheus",
  "thanos compact",
  "thanos receive",
  "thanos rule",
  "thanos sidecar",
  "thanos store",
];

function variableProblems({ key, program, extra: { env = [] } }: ExtensibleContainer, { network }: Settings): Problem[] {
  const given = env.map(({ name }) => name);
  if (network.proxy !== undefined && GOES_OUTSIDE.includes(program)) {
    return [
      ...names(`${key}extra.env`, given, OWN_VARIABLES, "variable"),
      ...given.flatMap((name, index) =>
        isProxyVariable(name)
          ? [
              {
                key: `${key}extra.env[${index}].name`,
                value: name,
                rule: "network.proxy sets the variables of a proxy",
                remedy: "the key network.proxy alone, or this variable and no network.proxy",
              },
            ]
          : [],
      ),
    ];
  }
  const spared = given.some((name) => name.toLowerCase() === "no_proxy");
  return [
    ...names(`${key}extra.env`, given, [...OWN_VARIABLES, ...given.filter((name) => HEADER_VARIABLE.test(name))], "variable"),
    ...given.flatMap((name, index) =>
      PROXIES.test(name) && !spared
        ? [
            {
              key: `${key}extra.env[${index}].name`,
              value: name,
              rule: "what the stack's components say to each other, gRPC too, would go to the proxy",
              remedy: "NO_PROXY beside it, with the networks of pods and Services and the cluster's domain",
            },
          ]
        : [],
    ),
  ];
}

const isBelow = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`);

function volumeProblems({ key, extra: { volumes = [], volumeMounts = [] } }: ExtensibleContainer, { prometheus }: Settings): Problem[] {
  // A sidecar's volumes are its pod's.
  const [holder, given] =
    key === `${SIDECAR}.`
      ? ["prometheus.extra.volumes", (prometheus.extra.volumes ?? []).map(({ name }) => name)]
      : [`${key}extra.volumes`, volumes.map(({ name }) => name)];
  const paths = volumeMounts.map(({ mountPath }) => mountPath.replace(/\/+$/, ""));
  return [
    ...names(
      `${key}extra.volumes`,
      volumes.map(({ name }) => name),
      OWN_VOLUMES,
      "volume",
    ),
    ...volumeMounts.flatMap(({ name }, index) =>
      given.includes(name)
        ? []
        : [
            {
              key: `${key}extra.volumeMounts[${index}].name`,
              value: name,
              rule: "the component's own container has the stack's volumes already, and others must be there",
              remedy: given.length === 0 ? `a name of ${holder}, which has none` : `a name of ${holder}: ${given.join(", ")}`,
            },
          ],
    ),
    ...again(paths).map(({ value, index }) => ({
      key: `${key}extra.volumeMounts[${index}].mountPath`,
      value,
      rule: "another volume is mounted there",
      remedy: "each mountPath once",
    })),
    ...paths.flatMap((value, index) => {
      const hidden = OWN_DIRECTORIES.find((directory) => isBelow(value, directory) || isBelow(directory, value));
      return hidden === undefined
        ? []
        : [
            {
              key: `${key}extra.volumeMounts[${index}].mountPath`,
              value,
              rule: `the stack's own ${hidden} is there, and would be hidden or changed`,
              remedy: "another directory, such as /etc/extra",
            },
          ];
    }),
  ];
}

function containerProblems({ key, ports, extra }: ExtensibleContainer, own: readonly string[]): Problem[] {
  const lists = (["containers", "initContainers"] as const).map((list) => [`${key}extra.${list}`, extra[list] ?? []] as const);
  const volumes = [...own, ...(extra.volumes ?? []).map(({ name }) => name)];
  const everywhere = lists.flatMap(([, containers]) => containers.map(({ name }) => name));
  return [
    ...lists.flatMap(([at, containers]) =>
      names(
        at,
        containers.map(({ name }) => name),
        OWN_CONTAINERS,
        "container",
      ),
    ),
    ...again(everywhere)
      .filter(({ value }) => lists.every(([, containers]) => containers.some(({ name }) => name === value)))
      .map(({ value }) => ({
        key: `${key}extra.initContainers`,
        value,
        rule: "another container of the pod has this name",
        remedy: "each name once",
      })),
    ...lists.flatMap(([list, containers]) =>
      containers.flatMap((container, index) => ofContainer(`${list}[${index}]`, container, volumes, ports)),
    ),
  ];
}

/** Problems of one container: variables, ports and mounts that it has twice, ports of the stack, and volumes that the pod lacks. */
function ofContainer(at: string, container: ExtraContainer, volumes: readonly string[], taken: readonly number[]): Problem[] {
  const { volumeMounts = [], env = [], ports = [] } = container;
  const numbers = ports.map(({ containerPort, protocol = "TCP" }) => `${containerPort} ${protocol}`);
  return [
    ...names(
      `${at}.env`,
      env.map(({ name }) => name),
      [],
      "variable",
    ),
    ...names(
      `${at}.ports`,
      ports.map(({ name = "" }) => name).filter((name) => name !== ""),
      OWN_PORT_NAMES,
      "port",
    ),
    ...again(numbers).map(({ value, index }) => ({
      key: `${at}.ports[${index}].containerPort`,
      value,
      rule: "another port of the container has this number",
      remedy: "each number once",
    })),
    ...ports.flatMap(({ containerPort, protocol = "TCP" }, index) =>
      protocol === "TCP" && taken.includes(containerPort)
        ? [
            {
              key: `${at}.ports[${index}].containerPort`,
              value: containerPort,
              rule: "the containers of a pod share its ports, and the component itself listens on this one",
              remedy: `a port that is none of ${taken.join(", ")}`,
            },
          ]
        : [],
    ),
    ...again(volumeMounts.map(({ mountPath }) => mountPath.replace(/\/+$/, ""))).map(({ value, index }) => ({
      key: `${at}.volumeMounts[${index}].mountPath`,
      value,
      rule: "another volume is mounted there",
      remedy: "each mountPath once",
    })),
    ...volumeMounts.flatMap(({ name }, index) =>
      volumes.includes(name)
        ? []
        : [
            {
              key: `${at}.volumeMounts[${index}].name`,
              value: name,
              rule: "the pod has no such volume",
              remedy: volumes.length === 0 ? "a name of the component's extra.volumes, which has none" : `one of ${volumes.join(", ")}`,
            },
          ],
    ),
  ];
}

/** Every use, in words: what nobody but the policies has judged. Empty where nothing is used. */
export function uncheckedUses(settings: Settings): string[] {
  return extensibleContainers(settings).flatMap(({ key, extra, inEffect }) => {
    if (!inEffect) return [];
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
        "envFrom",
        extra.envFrom?.map(({ secretRef, configMapRef }) =>
          secretRef === undefined ? `configMap ${configMapRef?.name}` : `secret ${secretRef.name}`,
        ),
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
