import { posix } from "node:path";
import { z } from "zod";
import { DNS_LABEL, isDnsLabel, isPortName } from "../values/kubernetesNames";
import { cpuCores, isByteQuantity, isCpuQuantity, quantityBytes } from "../values/quantity";
import { lifecycle, oneOf, readinessProbe, restartingProbe, securityContext } from "./containerForms";
import { fileField, fileResource, variableField, variableResource } from "./fieldForms";
import { annotations, count, dataKey, form, image, objectName } from "./forms";
import { labelSelector, labels } from "./pods";

/**
 * Schemas of `extra`: an environment's own flags, variables, volumes and containers, of which the program knows nothing. Fields have
 * Kubernetes' own names and forms.
 */

const label = form(isDnsLabel, "a name as Kubernetes has it: at most 63 lower-case letters, digits and '-'").meta({
  pattern: DNS_LABEL.source,
});
const anyText = z.string().min(1);
/** Rights of a file: a number, which YAML 1.2 and JSON read as decimal, or octal as text, as everybody writes them. */
const fileMode = z.union([
  count(0, 0o777),
  form((text) => /^0[0-7]{3}$/.test(text), 'rights in octal and in quotes, such as "0400"').transform((text) => Number.parseInt(text, 8)),
]);

/** The keys within are Kubernetes' own, and documented there. */
const KUBERNETES = { foreign: true };

const keyOf = z.strictObject({ name: objectName, key: dataKey, optional: z.boolean().optional() });
const ENV_SOURCES = ["secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef"] as const;

/** Name of a variable (apimachinery `IsEnvVarName`). */
const envName = form(
  (text) => /^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(text),
  "a variable's name: letters, digits, '-', '_' and '.', no digit first",
);

const envVar = z
  .strictObject({
    name: envName,
    value: z.string().optional(),
    valueFrom: z
      .strictObject({
        secretKeyRef: keyOf.optional(),
        configMapKeyRef: keyOf.optional(),
        fieldRef: variableField.optional(),
        resourceFieldRef: variableResource.optional(),
      })
      .refine(oneOf(...ENV_SOURCES), `one of ${ENV_SOURCES.join(", ")}`)
      .optional(),
  })
  .refine(oneOf("value", "valueFrom"), "value or valueFrom")
  .meta({ id: "variable" });

/** An image by tag or digest, of whoever's. */
const ownImage = z.union([
  image,
  form((text) => /^[a-z0-9][\w./:-]*@sha256:[0-9a-f]{64}$/.test(text), "an image with a tag that is not latest, or with its digest"),
]);
const pullPolicy = z.enum(["Always", "IfNotPresent", "Never"]);

/** A place within a volume. */
const subPath = form((text) => text !== "" && !text.startsWith("/") && !text.split("/").includes(".."), "a relative path without '..'");

/** The name of a file that a volume is made with (`ValidateLocalNonReservedPath`): what begins with two dots is the kubelet's own. */
const filePath = form(
  (text) => text !== "" && !text.startsWith("/") && !text.startsWith("..") && !text.split("/").includes(".."),
  "a relative path without '..', also at its beginning",
);

const items = z.array(z.strictObject({ key: dataKey, path: filePath, mode: fileMode.optional() })).optional();
const downwardItems = z.array(
  z
    .strictObject({
      path: filePath,
      fieldRef: fileField.optional(),
      resourceFieldRef: fileResource.optional(),
      mode: fileMode.optional(),
    })
    .refine(oneOf("fieldRef", "resourceFieldRef"), "fieldRef or resourceFieldRef"),
);
const optional = z.boolean().optional();
const defaultMode = fileMode.optional();
const size = form(isByteQuantity, "a quantity of bytes such as 64Mi");

const PROJECTED = ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle"] as const;
const projection = z
  .strictObject({
    secret: z.strictObject({ name: objectName, items, optional }).optional(),
    configMap: z.strictObject({ name: objectName, items, optional }).optional(),
    downwardAPI: z.strictObject({ items: downwardItems }).optional(),
    serviceAccountToken: z
      .strictObject({ path: filePath, audience: anyText.optional(), expirationSeconds: count(600, 2 ** 32).optional() })
      .optional(),
    clusterTrustBundle: z
      .strictObject({
        path: filePath,
        name: anyText.optional(),
        signerName: anyText.optional(),
        labelSelector: labelSelector.optional(),
        optional,
      })
      .refine(oneOf("name", "signerName"), "name or signerName")
      .refine(
        ({ labelSelector: selector, signerName }) => selector === undefined || signerName !== undefined,
        "labelSelector beside signerName",
      )
      .optional(),
  })
  .refine(oneOf(...PROJECTED), `one of ${PROJECTED.join(", ")}`);

/** A claim that is made with the pod and goes with it. */
const claimTemplate = z.strictObject({
  metadata: z.strictObject({ labels: labels.optional(), annotations: annotations.optional() }).optional(),
  spec: z.strictObject({
    accessModes: z
      .array(z.enum(["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany", "ReadOnlyMany"]))
      .min(1)
      .refine((modes) => modes.length === 1 || !modes.includes("ReadWriteOncePod"), "ReadWriteOncePod alone, or others without it"),
    storageClassName: objectName.optional(),
    volumeAttributesClassName: objectName.optional(),
    volumeMode: z.literal("Filesystem").optional(),
    resources: z.strictObject({ requests: z.strictObject({ storage: size }) }),
  }),
});

const SOURCES = [
  ...["secret", "configMap", "projected", "downwardAPI", "csi"],
  ...["persistentVolumeClaim", "ephemeral", "image", "emptyDir"],
];
const volume = z
  .strictObject({
    name: label,
    secret: z.strictObject({ secretName: objectName, items, defaultMode, optional }).optional(),
    configMap: z.strictObject({ name: objectName, items, defaultMode, optional }).optional(),
    projected: z.strictObject({ sources: z.array(projection).min(1), defaultMode }).optional(),
    downwardAPI: z.strictObject({ items: downwardItems, defaultMode }).optional(),
    csi: z
      .strictObject({
        driver: objectName,
        readOnly: z.boolean().optional(),
        fsType: anyText.optional(),
        volumeAttributes: z.record(z.string(), z.string()).optional(),
        nodePublishSecretRef: z.strictObject({ name: objectName }).optional(),
      })
      .optional(),
    persistentVolumeClaim: z.strictObject({ claimName: objectName, readOnly: z.boolean().optional() }).optional(),
    ephemeral: z.strictObject({ volumeClaimTemplate: claimTemplate }).optional(),
    image: z.strictObject({ reference: ownImage, pullPolicy: pullPolicy.optional() }).optional(),
    emptyDir: z.strictObject({ sizeLimit: size, medium: z.literal("Memory").optional() }).optional(),
  })
  .refine(oneOf(...SOURCES), `one of ${SOURCES.join(", ")}`);

/** A place in a container (Kubernetes takes any; a colon stands between parts of one). */
const mountPath = form(
  (text) => /^\/[^:]+$/.test(text) && posix.normalize(text).replace(/\/$/, "") === text.replace(/\/$/, ""),
  "an absolute path below / in its shortest form, without ':'",
);
const volumeMount = z
  .strictObject({
    name: label,
    mountPath,
    subPath: subPath.optional(),
    subPathExpr: subPath.optional(),
    readOnly: z.boolean().optional(),
    recursiveReadOnly: z.enum(["Disabled", "IfPossible", "Enabled"]).optional(),
    mountPropagation: z.enum(["None", "HostToContainer"]).optional(),
  })
  .refine((mount) => mount.subPath === undefined || mount.subPathExpr === undefined, "subPath or subPathExpr")
  .refine(
    ({ recursiveReadOnly = "Disabled", readOnly, mountPropagation = "None" }) =>
      recursiveReadOnly === "Disabled" || (readOnly === true && mountPropagation === "None"),
    "recursiveReadOnly with readOnly true, and without mountPropagation",
  )
  .meta({ id: "volumeMount" });

const cpuQuantity = z.union([form(isCpuQuantity, "a quantity of CPU such as 250m"), z.number().positive()]);
const byteQuantity = z.union([size, z.int().positive()]);
const resourceList = z.strictObject({
  cpu: cpuQuantity.optional(),
  memory: byteQuantity.optional(),
  "ephemeral-storage": byteQuantity.optional(),
});
const BOUNDED =
  "requests.cpu, requests.memory and limits.memory at least: a container without them is evicted first, or fills its node's memory";
const containerResources = z
  .strictObject({ requests: resourceList.default({}), limits: resourceList.default({}) })
  .prefault({})
  .refine(({ requests, limits }) => requests.cpu !== undefined && requests.memory !== undefined && limits.memory !== undefined, BOUNDED)
  .refine(
    ({ requests, limits }) =>
      !isAbove(requests.memory, limits.memory, quantityBytes) &&
      !isAbove(requests["ephemeral-storage"], limits["ephemeral-storage"], quantityBytes) &&
      !isAbove(requests.cpu, limits.cpu, cpuCores),
    "requests that are not above their limits",
  );

type Quantity = string | number | undefined;
const isAbove = (request: Quantity, limit: Quantity, size: (quantity: string) => number): boolean =>
  request !== undefined && limit !== undefined && size(String(request)) > size(String(limit));

const port = z.strictObject({
  name: form(isPortName, "a port's name: at most 15 lower-case letters, digits and single '-', a letter among them").optional(),
  containerPort: count(1, 65_535),
  protocol: z.enum(["TCP", "UDP", "SCTP"]).optional(),
});

const envFrom = z.array(
  z
    .strictObject({
      prefix: envName.optional(),
      secretRef: z.strictObject({ name: objectName, optional }).optional(),
      configMapRef: z.strictObject({ name: objectName, optional }).optional(),
    })
    .refine(oneOf("secretRef", "configMapRef"), "secretRef or configMapRef"),
);

const podContainer = z.strictObject({
  name: label,
  image: ownImage,
  imagePullPolicy: pullPolicy.optional(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  workingDir: mountPath.optional(),
  env: z.array(envVar).optional(),
  envFrom: envFrom.optional(),
  ports: z.array(port).optional(),
  resources: containerResources,
  volumeMounts: z.array(volumeMount).optional(),
  securityContext: securityContext.optional(),
  startupProbe: restartingProbe.optional(),
  readinessProbe: readinessProbe.optional(),
  livenessProbe: restartingProbe.optional(),
  lifecycle: lifecycle.optional(),
  terminationMessagePolicy: z.enum(["File", "FallbackToLogsOnError"]).optional(),
});

/** Of the component's own container. */
const ofContainer = {
  args: z
    .array(z.string())
    .optional()
    .describe(
      "Flags of the component's program, each an entry of its own: `--name=value`, or `--name` for a switch. Refused: a flag that the program " +
        "sets (the refusal names the key that decides about it), and one that this release of Thanos or Prometheus does not have. `$(NAME)` is " +
        "the variable of `env`.",
    ),
  env: z
    .array(envVar)
    .meta(KUBERNETES)
    .optional()
    .describe(
      'Environment variables, as Kubernetes writes them: `- { name: GOGC, value: "75" }`. A credential is taken from a Secret ' +
        "(`valueFrom.secretKeyRef`). One that names a proxy needs `NO_PROXY` beside it, or the stack's own gRPC goes there too.",
    ),
  envFrom: envFrom
    .meta(KUBERNETES)
    .optional()
    .describe("Every key of a Secret or ConfigMap that exists as a variable, as Kubernetes writes it."),
  volumeMounts: z
    .array(volumeMount)
    .meta(KUBERNETES)
    .optional()
    .describe("Where the component's own container has those volumes, as Kubernetes writes it. Not over a directory of the stack's own."),
};

/** Of the whole pod. */
const ofPod = {
  volumes: z
    .array(volume)
    .meta(KUBERNETES)
    .optional()
    .describe(
      "Further volumes, as Kubernetes writes them: Secrets and ConfigMaps that exist in the stack's namespace, `projected`, `csi`, a claim that " +
        "exists or goes with its pod (`ephemeral`), an `image`, an `emptyDir` with a `sizeLimit`.",
    ),
  containers: z
    .array(podContainer)
    .meta(KUBERNETES)
    .optional()
    .describe(
      "Further containers, as Kubernetes writes them. `resources` are required; a `securityContext` that is left out is what Pod Security " +
        "`restricted` asks, with a root file system that is read-only, and one that asks for more than it admits is refused. Volumes of the stack " +
        "that this plan's pods have, such as `data`, may be mounted by name. Probes ask the pod itself: they have no `host`. Their ports " +
        "are closed by the network policies. Their images are taken as they are, whatever `images.registry` says.",
    ),
  initContainers: z
    .array(
      podContainer
        .extend({ restartPolicy: z.literal("Always").optional() })
        .refine(
          ({ restartPolicy, startupProbe, readinessProbe, livenessProbe, lifecycle }) =>
            restartPolicy === "Always" || [startupProbe, readinessProbe, livenessProbe, lifecycle].every((each) => each === undefined),
          "no probes and no lifecycle, or restartPolicy Always",
        ),
    )
    .meta(KUBERNETES)
    .optional()
    .describe(
      "Containers that are through before the component starts; with `restartPolicy: Always` they go on beside it. As `containers`.",
    ),
};

const description =
  "What the program knows nothing of, taken as it is: nothing here is part of what is proven or checked, and the report lists every use. The " +
  "[policies](continuous-integration.md) still judge the result.";

/** Schema of `extra`, of a component. */
export const extra = z
  .strictObject({ ...ofContainer, ...ofPod })
  .prefault({})
  .meta({ shared: "extra", id: "extra", description });

/** Schema of `extra` of a container that is in a pod with its own `extra`. */
export const containerExtra = z.strictObject(ofContainer).prefault({}).meta({ description });

/** Flags, variables and volume mounts that an environment adds to a container. */
export type ContainerExtra = z.output<typeof containerExtra>;
/** Flags, variables, volumes and containers that an environment adds to a component. */
export type Extra = z.output<typeof extra>;
/** A container that the program knows nothing of. */
export type ExtraContainer = z.output<typeof podContainer> & { restartPolicy?: "Always" | undefined };
