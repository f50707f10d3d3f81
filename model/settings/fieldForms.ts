import { z } from "zod";
import { isDnsLabel, isQualifiedName } from "../values/kubernetesNames";
import { form } from "./forms";

/**
 * Fields of a pod and of its containers as variables and as files. Source: Kubernetes 1.36 pkg/apis/core/validation/validation.go
 * (`validVolumeDownwardAPIFieldPathExpressions`, `validEnvDownwardAPIFieldPathExpressions`, `validateContainerResourceFieldSelector`).
 */

const IDENTITY = ["metadata.name", "metadata.namespace", "metadata.uid"];
const OF_VARIABLES = [
  ...IDENTITY,
  ...["spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"],
];
const OF_FILES = [...IDENTITY, "metadata.labels", "metadata.annotations"];

/** One label or annotation: `metadata.labels['app.kubernetes.io/name']`. */
function isSubscripted(path: string): boolean {
  const [, name] = /^metadata\.(?:labels|annotations)\['([^']*)'\]$/.exec(path) ?? [];
  return name !== undefined && isQualifiedName(name);
}

const fieldOf = (fields: readonly string[]) =>
  z.strictObject({
    fieldPath: form(
      (path) => fields.includes(path) || isSubscripted(path),
      `one of ${fields.join(", ")}, metadata.labels['<name>'], metadata.annotations['<name>']`,
    ),
    apiVersion: z.literal("v1").optional(),
  });

const AMOUNTS = ["cpu", "memory", "ephemeral-storage"].flatMap((name) => [`limits.${name}`, `requests.${name}`]);
const resource = form(
  (path) => AMOUNTS.includes(path) || /^(?:limits|requests)\.hugepages-[\w.]+$/.test(path),
  `one of ${AMOUNTS.join(", ")}`,
);
const label = form(isDnsLabel, "a container's name");
const DIVISORS = ["1", ..."kMGTPE".split("").map((unit) => `1${unit}`), ..."KMGTPE".split("").map((unit) => `1${unit}i`)];
const divisor = z.union([z.literal(1), z.enum(["1m", ...DIVISORS])]).optional();
const fits = ({ resource: path, divisor: by }: { resource: string; divisor?: string | number | undefined }): boolean => {
  const wanted = path.endsWith(".cpu") ? ["1m", "1"] : DIVISORS;
  return by === undefined || wanted.includes(String(by));
};
const DIVIDES = "a divisor of CPU: 1m or 1; of bytes: 1, 1k, 1M, 1Mi and the like";

/** A field of a pod as a variable. */
export const variableField = fieldOf(OF_VARIABLES);
/** An amount of a container as a variable; of the container itself where none is named. */
export const variableResource = z.strictObject({ resource, containerName: label.optional(), divisor }).refine(fits, DIVIDES);
/** A field of a pod as a file. */
export const fileField = fieldOf(OF_FILES);
/** An amount of a container as a file, for which the container is named. */
export const fileResource = z.strictObject({ resource, containerName: label, divisor }).refine(fits, DIVIDES);
