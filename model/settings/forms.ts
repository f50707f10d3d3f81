import { z } from "zod";
import { CERTIFICATE_BEGIN, certificatesOf } from "../values/certificates";
import { DNS_LABEL, isDnsLabel, isDnsName, isLabelValue, isQualifiedName, LONGEST_LABEL } from "../values/kubernetesNames";
import {
  cpuCores,
  DURATION,
  durationSeconds,
  isByteQuantity,
  isCountable,
  isCpuQuantity,
  isDuration,
  LONGEST_DURATION,
  QUANTITY,
  quantityBytes,
} from "../values/quantity";
import { isTargetLabel, TARGET_LABELS } from "./targetLabels";

/**
 * Values that several keys of the configuration hold: their forms, and the least that makes sense, with its reason. What an editor can
 * check itself of a form is its `pattern` (JSON Schema), which takes everything that the form takes.
 */

/** A value that satisfies a condition; where it does not, the refusal says why there is one and what would be accepted. */
export function ruled(schema: z.ZodString, holds: (text: string) => boolean, rule: string, accepted: string): z.ZodString {
  return schema.refine(holds, { error: accepted, abort: true, params: { rule } });
}

/** The form that a value has; what is not of it is not looked at further. */
export const form = (holds: (text: string) => boolean, accepted: string): z.ZodString =>
  z.string().refine(holds, { error: accepted, abort: true });

export const matching = (pattern: RegExp, accepted: string): z.ZodString =>
  form((text) => pattern.test(text), accepted).meta({ pattern: pattern.source });

const least = (schema: z.ZodString, value: string): z.ZodString => schema.meta({ least: value });

/** A duration as Prometheus and Thanos write it, such as `30s`, `2h` or `15d`; zero where zero means something. */
export const duration = ruled(
  form(isDuration, "a duration such as 30s, 2h or 15d").meta({ pattern: DURATION.source, minLength: 1 }),
  (text) => isCountable(durationSeconds(text)),
  "Prometheus and Thanos count nanoseconds in 64 bits, which end after 292 years, and stop at their start",
  `at most ${LONGEST_DURATION}`,
);

/** A duration with its least, and why a shorter one makes no sense. */
export const durationOf = (shortest: string, why: string): z.ZodString =>
  least(
    ruled(duration, (text) => durationSeconds(text) >= durationSeconds(shortest), why, `${shortest} or more`),
    shortest,
  );

const bytes = ruled(
  form((text) => isByteQuantity(text) || isPartOfAByte(text), "a quantity of bytes such as 512Mi or 50Gi").meta({
    pattern: QUANTITY.source,
  }),
  isByteQuantity,
  "Kubernetes writes a size that is no whole number of bytes in another way (1.1Ti becomes 1209462790553600m), and drivers round it as they like",
  "a whole number of bytes, such as 1126Gi for 1.1Ti",
);

function isPartOfAByte(text: string): boolean {
  try {
    return !isByteQuantity(text) && quantityBytes(text) < 2 ** 63;
  } catch {
    return false;
  }
}

/** A size with its least, and why a smaller one makes no sense. A number is one of bytes. */
export const bytesOf = (smallest: string, why: string) =>
  numberOrText(
    least(
      ruled(bytes, (text) => quantityBytes(text) >= quantityBytes(smallest), why, `${smallest} or more`),
      smallest,
    ),
    { type: ["string", "integer"], minimum: quantityBytes(smallest) },
  );

/** The size of a volume. */
export const volumeSize = bytesOf("1Gi", "a volume holds the log of two hours at least, and drivers of clouds make none that is smaller");
/** Bytes of blocks that are kept. */
export const retainedSize = bytesOf("1Gi", "the blocks of two hours may be larger than less");
/** Memory of a container. */
export const memory = bytesOf(
  "64Mi",
  "a process of this stack takes some 40Mi before it has done anything, and is killed where it may not",
);
/** Memory of a cache in a process. */
export const cacheSize = bytesOf("16Mi", "one entry may take 8Mi");
/** Memory of a memcached server, for items. */
export const cacheMemory = bytesOf("64Mi", "memcached keeps items in pages by their size, and items have up to 5Mi");

const cpu = form(isCpuQuantity, "a quantity of CPU such as 250m or 2, in whole thousandths").meta({ pattern: QUANTITY.source });
const cpuOf = (smallest: string, why: string): z.ZodString =>
  least(
    ruled(cpu, (text) => cpuCores(text) >= cpuCores(smallest), why, `${smallest} or more`),
    smallest,
  );

/** A quantity that is a number in every manifest where it has no unit, taken as its text. */
function numberOrText(quantity: z.ZodString, json: { type: string[]; minimum?: number; exclusiveMinimum?: number }) {
  const either = z.preprocess((value) => (typeof value === "number" ? String(value) : value), quantity);
  return either.meta({ ...quantity.meta(), ...json });
}

const CPU_AS_NUMBER = { type: ["string", "number"], exclusiveMinimum: 0 };
/** CPU that is reserved for a container. */
export const requestedCpu = numberOrText(cpuOf("1m", "a pod that asks for no CPU is the first to get none"), CPU_AS_NUMBER);
/** CPU that a container may use at most. */
export const limitedCpu = numberOrText(
  cpuOf("10m", "the kubelet gives no smaller share than a millisecond of every hundred"),
  CPU_AS_NUMBER,
);

/** CPU and memory of a container, with its defaults. */
export const resources = (defaultCpu: string, defaultMemory: string) =>
  z
    .strictObject({
      cpu: requestedCpu.default(defaultCpu).describe("CPU that the scheduler reserves."),
      cpuLimit: limitedCpu
        .optional()
        .describe(
          "CPU limit, `cpu` or more. Left out: none, since throttled receivers miss their forward timeout ([why](decisions.md#no-cpu-limits-by-default)).",
        ),
      memory: memory.default(defaultMemory).describe("Memory, as request and as limit; the process aims at 90 % of it (GOMEMLIMIT)."),
    })
    .refine(({ cpu: requested, cpuLimit }) => cpuLimit === undefined || cpuCores(cpuLimit) >= cpuCores(requested), {
      error: "cpu or more",
      path: ["cpuLimit"],
      params: { rule: "Kubernetes refuses a limit below what is reserved (cpu)" },
    })
    .prefault({})
    .meta({ shared: "resources", description: "CPU and memory of each container." });

/** A text of which an environment's YAML may make a whole number, as of `158`: its digits. */
const text = (schema: z.ZodString) =>
  z
    .preprocess((value) => (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? String(value) : value), schema)
    .meta({ type: ["string", "integer"], minimum: 0 });

/** The value of an external label that names a cluster: any text, since it names no object. */
export const clusterName = text(form((name) => name.trim() !== "", "a text that is not empty"));

/** A label that an environment gives every series, and that no series has of its own. */
export const ownLabel = ruled(
  matching(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a Prometheus label name"),
  (label) => !isTargetLabel(label),
  "series have this label of their own, from targets or rules, and it can't say something else too",
  `a label that is none of ${TARGET_LABELS.join(", ")}, and does not begin with __`,
);

/** Labels by which replicas of one series differ, as other installations of Thanos have named them. */
export const replicaLabelList = z
  .array(ownLabel)
  .refine((labels) => new Set(labels).size === labels.length, "every label once")
  .meta({ uniqueItems: true });

/** A name that this program gives to something of its own and composes with others. */
export const dnsLabel = matching(
  /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/,
  "a DNS label of at most 40 characters: lower-case letters, digits and -",
);

/** The name of a namespace, as Kubernetes has it. */
export const namespaceName = form(isDnsLabel, "a namespace's name: at most 63 lower-case letters, digits and -").meta({
  pattern: DNS_LABEL.source,
  maxLength: LONGEST_LABEL,
});

/** The name of a node: a DNS name, and the value of the node's label `kubernetes.io/hostname`. */
export const nodeName = form(
  (text) => isDnsName(text) && isLabelValue(text),
  "a node's name: at most 63 lower-case letters, digits, '-' and '.'",
);

/** A zone, as the label `topology.kubernetes.io/zone` has it. */
export const zone = text(
  form(isLabelValue, "a label's value: at most 63 letters, digits, '-', '_' and '.', a letter or digit at each end"),
);

/** The name of a storage class; empty: volumes that were made by hand and belong to no class. */
export const storageClass = form(
  (text) => text === "" || isDnsName(text),
  "a storage class's name: lower-case letters, digits, '-' and '.', or \"\" for volumes without a class",
);

/** Annotations, such as those that give a service account an identity of the cloud. */
export const annotations = z.record(form(isQualifiedName, "an annotation's name, such as eks.amazonaws.com/role-arn"), z.string());

/** Directories of a node that belong to its system or to Kubernetes; what is below them does too. */
const SYSTEM_DIRECTORIES = [
  ...["bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "root", "run", "sbin", "sys", "tmp", "usr"].map(
    (name) => `/${name}`,
  ),
  // Of ostree and snap.
  ...["ostree", "sysroot", "snap", "var/snap"].map((name) => `/${name}`),
  ...["cache", "db", "lock", "log", "mail", "run", "spool", "tmp"].map((name) => `/var/${name}`),
  // Of Kubernetes, its distributions and its networks.
  ...["calico", "cilium", "cni", "containerd", "containers", "crio", "docker", "dockershim", "etcd", "k0s", "k3s", "kube-proxy"].map(
    (name) => `/var/lib/${name}`,
  ),
  ...["kube-router", "kubelet", "longhorn", "microk8s", "minikube", "rancher", "rook", "weave"].map((name) => `/var/lib/${name}`),
  // Of the system's own services.
  ...["apt", "cloud", "dbus", "dnf", "dpkg", "NetworkManager", "pam", "private", "rpm", "snapd", "sudo", "systemd", "ufw", "yum"].map(
    (name) => `/var/lib/${name}`,
  ),
  ...["cni", "containerd"].map((name) => `/opt/${name}`),
];
/** Directories that hold others of the system: what is made directly below may be one of them. */
const SYSTEM_PARENTS = ["/home", "/opt", "/var", "/var/lib"];

function isOfTheSystem(path: string): boolean {
  // Keys and settings of people: /home/core/.ssh.
  if (/^\/home\/.*\/\./.test(path)) return true;
  return SYSTEM_PARENTS.includes(path) || SYSTEM_DIRECTORIES.some((directory) => path === directory || path.startsWith(`${directory}/`));
}

/** Whether a path has steps that lead nowhere else or up. */
export const hasDots = (path: string): boolean => path.split("/").some((segment) => segment === "." || segment === "..");

/** The root of directories on nodes. A job that is root there is given this directory, so it is never the system's or above it. */
export const hostPathRoot = ruled(
  matching(/^(?:\/[A-Za-z0-9._-]+)+$/, "an absolute path of letters, digits, '.', '_' and '-'").refine(
    (path) => !hasDots(path),
    "an absolute path without '.' and '..'",
  ),
  (path) => !isOfTheSystem(path),
  "a job that is root on the node makes directories in it, and this one is of the node's system or holds what is",
  "a directory for data, such as /data/thanos, /mnt/disks/thanos or /var/lib/thanos",
);

/** A directory of this repository. */
export const repositoryFolder = form(
  (path) => path !== "" && !path.startsWith("/") && !path.includes("\\") && !path.split("/").includes(".."),
  "a directory of this repository, relative to it and without '..'",
);

/** A directory within a bucket. */
export const bucketPrefix = matching(
  /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/,
  "directories of letters, digits, '.', '_' and '-', without / at its ends",
).refine(
  (prefix) => !hasDots(prefix),
  "directories that are neither '.' nor '..': another spelling would be the same directory, or one outside",
);

/** A whole number between two bounds, both of them included. */
export const count = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);

/**
 * Most receivers of a ring. Rings of more than 90 are known to run; the availability of this many is still proven within seconds, and
 * their hashring file is a thirtieth of what a ConfigMap holds.
 */
export const MOST_RECEIVERS = 300;
/** Most pods of components whose pods share their work. */
export const MOST_ROUTERS = 99;
export const MOST_QUERIERS = 50;
export const MOST_QUERY_FRONTENDS = 20;
export const MOST_STORE_GATEWAYS = 20;
/** Most shards of Prometheus, and most senders (`max_shards`) of one. */
export const MOST_PROMETHEUS_SHARDS = 64;
export const MOST_SENDERS = 1_000;

/** A number of a ring's receivers. */
export const receiverCount = count(1, MOST_RECEIVERS);

/** A map in Prometheus' own form, which rules look into. */
export const freeForm = z.record(z.string(), z.unknown());

/** How pods of one kind share nodes. */
export const antiAffinity = z.enum(["hard", "soft"]);

/** The same, with its default and what it means for most of them. */
export const spread = antiAffinity.default("hard").describe("`hard`: no two of these pods on one node. `soft`: preferably not.");

const HOST_PART = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const REGISTRY = `(?:${HOST_PART}(?:\\.${HOST_PART})*|\\[[0-9A-Fa-f:]+\\])(?::\\d+)?`;
const NAME_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";

/** Most characters behind the registry (github.com/distribution/reference `RepositoryNameTotalLengthMax`). */
const LONGEST_REPOSITORY = 255;

/**
 * An image as container runtimes read it (github.com/distribution/reference, its grammar). What is not of it fails on
 * the node only, with InvalidImageName.
 */
export const image = ruled(
  matching(
    new RegExp(`^(?:${REGISTRY}\\/)?${NAME_PART}(?:\\/${NAME_PART})*:(?!latest(?:@|$))\\w[\\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?$`),
    "an image with a tag that is not latest, and optionally its digest; behind the registry in lower case",
  ),
  (name) => repositoryOf(name).length <= LONGEST_REPOSITORY,
  "container runtimes refuse a longer name",
  `a name of at most ${LONGEST_REPOSITORY} characters behind the registry`,
);

/**
 * An image's registry: the first part of its name where that has a dot, a port or a capital, or is localhost
 * (github.com/distribution/reference `splitDockerDomain`).
 */
const OWN_REGISTRY = /^(?:[^/]*[.:A-Z][^/]*|localhost)\//;

/** An image's name behind the registry, without tag and digest. */
const repositoryOf = (image: string): string => image.replace(OWN_REGISTRY, "").replace(/[:@].*$/, "");

/** A registry, and what comes before the names of its images. */
export const registry = ruled(
  matching(new RegExp(`^${REGISTRY}(?:\\/${NAME_PART})*$`), "a registry: host, host:port, and directories in lower case behind it"),
  (text) => OWN_REGISTRY.test(`${text}/`),
  "without a dot or a port its first part is no registry but a directory of docker.io",
  "a host with a dot or a port, such as registry.example or registry:5000, or localhost; of Docker Hub docker.io/<directory>",
);

/** Whether every image has a name in a mirror that container runtimes take. */
export const fitsRegistry = (images: Readonly<Record<string, string>>, mirror: string | undefined): boolean =>
  Object.values(fromRegistry(images, mirror)).every((each) => repositoryOf(each).length <= LONGEST_REPOSITORY);

/** Images as they are called in a mirror. */
export const fromRegistry = <Images extends Record<string, string>>(images: Images, mirror: string | undefined): Images =>
  mirror === undefined
    ? images
    : (Object.fromEntries(Object.entries(images).map(([name, each]) => [name, `${mirror}/${each.replace(OWN_REGISTRY, "")}`])) as Images);

/** A kubeconfig: the path of one file, or its text. */
export const kubeconfig = ruled(
  form((text) => text !== "", "the path of one file, absolute, relative to the program or below ~/"),
  (text) => text.includes("\n") || text.startsWith("{") || !/^\$|^~(?!\/.)|\$\{|:[/~]|;/.test(text),
  "the provider reads one file, under the name that is written: no list, no variable and nobody else's home directory",
  "the path of one file, absolute, relative to the program or below ~/; of several files: kubectl config view --flatten",
);

/** Form of {@link objectName}. */
export const OBJECT_NAME_FORM = "a name as Kubernetes has it: lower-case letters, digits, '-' and '.'";

/** Name of an object that exists. */
export const objectName = form(isDnsName, OBJECT_NAME_FORM);

/** A name of DNS. */
export const dnsName = form(isDnsName, "a DNS name: lower-case letters, digits, '-' and '.'");

/** Key of a Secret or ConfigMap (apimachinery `IsConfigMapKey`). */
export const dataKey = form(
  (text) => /^[-._a-zA-Z0-9]{1,253}$/.test(text) && text !== "." && !text.startsWith(".."),
  "a key of a Secret or ConfigMap: letters, digits, '-', '_' and '.', without '..' at its beginning",
);

/** Form of {@link certificates}, in the words of messages; keys with them are recognised by it. */
export const CERTIFICATES_FORM = "certificates as PEM: -----BEGIN CERTIFICATE----- and what belongs to it, and no private key";

const certificateRules: readonly [holds: (text: string) => boolean, rule: string][] = [
  [(text) => !text.includes("PRIVATE KEY"), "a private key is in it, and certificates are written where many can read them"],
  [(text) => text.includes(CERTIFICATE_BEGIN), "no certificate is in it"],
  [areReadable, "a certificate in it can't be read: cut off, or changed on its way"],
];

/** Certificates as PEM, each of which can be read. */
export const certificates = certificateRules.reduce((schema, [holds, rule]) => ruled(schema, holds, rule, CERTIFICATES_FORM), z.string());

function areReadable(text: string): boolean {
  try {
    return certificatesOf(text).length === text.split(CERTIFICATE_BEGIN).length - 1;
  } catch {
    return false;
  }
}
