import { z } from "zod";
import { isPortName } from "../values/kubernetesNames";
import { count, form } from "./forms";

/**
 * Probes, hooks and the security context of a container, in Kubernetes' own names and forms, without what Pod Security `restricted` does
 * not admit. Source: Kubernetes 1.36 pkg/apis/core/validation/validation.go (`validateProbe`, `validateHandler`,
 * `ValidateSecurityContext`), and its documentation, "Pod Security Standards".
 */

/** Exactly one of some fields. */
export const oneOf =
  (...names: readonly string[]) =>
  (value: object): boolean =>
    names.filter((name) => (value as Record<string, unknown>)[name] !== undefined).length === 1;

/** Seconds and counts as Kubernetes has them, in 32 bits. */
const LARGEST = 2 ** 31 - 1;
const positive = count(1, LARGEST).optional();

const exec = z.strictObject({ command: z.array(z.string()).min(1) });
const portOrName = z.union([
  count(1, 65_535),
  form(isPortName, "a port's number, or a port's name: at most 15 lower-case letters, digits and single '-', a letter among them"),
]);
const headerName = form((text) => /^[-A-Za-z0-9]+$/.test(text), "a header's name: letters, digits and '-'");
// Another host than the pod's own is not admitted (baseline, since 1.34).
const httpGet = z.strictObject({
  path: z.string().min(1).optional(),
  port: portOrName,
  scheme: z.enum(["HTTP", "HTTPS"]).optional(),
  httpHeaders: z.array(z.strictObject({ name: headerName, value: z.string() })).optional(),
});
const tcpSocket = z.strictObject({ port: portOrName });
const grpc = z.strictObject({ port: count(1, 65_535), service: z.string().optional() });

const HANDLERS = ["exec", "httpGet", "tcpSocket", "grpc"];
const ofProbe = {
  exec: exec.optional(),
  httpGet: httpGet.optional(),
  tcpSocket: tcpSocket.optional(),
  grpc: grpc.optional(),
  initialDelaySeconds: count(0, LARGEST).optional(),
  periodSeconds: positive,
  timeoutSeconds: positive,
  failureThreshold: positive,
};
const oneHandler = `one of ${HANDLERS.join(", ")}`;

/** A probe that finds out whether a container gets requests. */
export const readinessProbe = z
  .strictObject({ ...ofProbe, successThreshold: positive })
  .refine(oneOf(...HANDLERS), oneHandler)
  .meta({ id: "readinessProbe" });
/** A probe after whose failure a container is started again: one success is enough. */
export const restartingProbe = z
  .strictObject({ ...ofProbe, successThreshold: z.literal(1).optional(), terminationGracePeriodSeconds: positive })
  .refine(oneOf(...HANDLERS), oneHandler)
  .meta({ id: "restartingProbe" });

const HOOKS = ["exec", "httpGet", "tcpSocket", "sleep"];
/** Shortest time that a pod of the stack has to end, in seconds; a longer sleep is refused by the API server. */
export const SHORTEST_GRACE = 30;
const hook = z
  .strictObject({
    exec: exec.optional(),
    httpGet: httpGet.optional(),
    tcpSocket: tcpSocket.optional(),
    sleep: z.strictObject({ seconds: count(1, SHORTEST_GRACE) }).optional(),
  })
  .refine(oneOf(...HOOKS), `one of ${HOOKS.join(", ")}`);
/** Hooks after a container's start and before its end. */
export const lifecycle = z.strictObject({ postStart: hook.optional(), preStop: hook.optional() }).meta({ id: "lifecycle" });

const PROFILE = "localhostProfile where type is Localhost, and only there";
const profile = z
  .strictObject({
    type: z.enum(["RuntimeDefault", "Localhost"]),
    localhostProfile: form(
      (text) => text.trim() !== "" && !text.startsWith("/") && !text.split("/").includes(".."),
      "a relative path without '..'",
    ).optional(),
  })
  .refine(({ type, localhostProfile }) => (type === "Localhost") === (localhostProfile !== undefined), PROFILE);

const capability = z.string().min(1);
/** Security context of a container, as far as Pod Security `restricted` admits it. */
export const securityContext = z
  .strictObject({
    allowPrivilegeEscalation: z.literal(false).optional(),
    appArmorProfile: profile.optional(),
    capabilities: z
      .strictObject({ add: z.array(z.literal("NET_BIND_SERVICE")).optional(), drop: z.array(capability) })
      .refine(({ drop }) => drop.includes("ALL"), "drop with ALL in it")
      .optional(),
    privileged: z.literal(false).optional(),
    procMount: z.literal("Default").optional(),
    readOnlyRootFilesystem: z.boolean().optional(),
    runAsGroup: count(0, LARGEST).optional(),
    runAsNonRoot: z.literal(true).optional(),
    runAsUser: count(1, LARGEST).optional(),
    seLinuxOptions: z
      .strictObject({
        level: z.string().optional(),
        type: z.enum(["container_t", "container_init_t", "container_kvm_t", "container_engine_t"]).optional(),
      })
      .optional(),
    seccompProfile: profile.optional(),
  })
  .meta({ id: "securityContext" });
