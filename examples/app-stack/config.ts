import { homedir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

/**
 * The configuration of one environment of the application: every key of `Pulumi.<stack>.yaml` under `thanos-app:`, strict at every level.
 */

/** The configuration namespace: every key is `thanos-app:<key>`. */
export const CONFIG_NAMESPACE = "thanos-app";

const dnsLabel = z
  .string()
  .regex(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/, "a DNS label of at most 40 characters: lower-case letters, digits and -");
const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a Prometheus label name");
const tenantName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "a tenant: letters, digits, '.', '_' and '-', since it names a directory");
const duration = z.string().regex(/^[1-9]\d*(ms|s|m|h|d)$/, "a duration such as 30s");
const bytes = z.string().regex(/^[1-9]\d*(Ki|Mi|Gi|Ti)$/, "a quantity of bytes such as 512Mi");
const cpu = z.string().regex(/^([1-9]\d*m|[1-9]\d*(\.\d+)?|0\.\d+)$/, "a quantity of CPU such as 250m or 2");
const stackName = z.string().regex(/^[^\s/]+\/[^\s/]+\/[^\s/]+$/, "a stack in full: organization/project/stack");
const count = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);

const resources = (requestedCpu: string, memory: string) =>
  z.strictObject({ cpu: cpu.default(requestedCpu), memory: bytes.default(memory) }).prefault({});

const schema = z.strictObject({
  /** The platform: a stack of the project thanos-stack, as `organization/project/stack`. */
  platform: stackName,
  /** The cluster that the application runs in; it must be one from which the platform's addresses resolve. */
  cluster: z.strictObject({
    /** Context of the kubeconfig. Always named, never the current one. */
    context: z.string().min(1),
    /** Path of the kubeconfig. Default: KUBECONFIG, then the home directory's. */
    kubeconfig: z.string().min(1).optional(),
  }),
  /** The namespace, made by this program. */
  namespace: dnsLabel,
  /** Name of the application; external label `app` on everything that it sends. */
  app: dnsLabel,
  /** The tenant under which the platform stores what the application sends. */
  tenant: tenantName,
  /** Further external labels. Default: none. */
  externalLabels: z.record(labelName, z.string().min(1)).default({}),
  /** The other application stacks of the platform, in full. Two that send as the same sender are refused. Default: none. */
  peers: z
    .array(stackName)
    .refine((peers) => new Set(peers).size === peers.length, "every stack once")
    .default([]),

  service: z.strictObject({ replicas: count(1, 50).default(1), resources: resources("10m", "32Mi") }).prefault({}),

  agent: z
    .strictObject({
      scrapeInterval: duration.default("30s"),
      /** Its name in the `tls.clients.write` of a platform that wants certificates and has no gateway. Default: the application's. */
      client: dnsLabel.optional(),
      /** A volume for the write-ahead log. Default: none; the log is in the pod and lost with it. */
      volume: z.strictObject({ size: bytes, storageClass: z.string().min(1).optional() }).optional(),
      /** Largest size of the log in a pod without a volume. */
      logSize: bytes.default("1Gi"),
      resources: resources("50m", "256Mi"),
    })
    .prefault({}),

  grafana: z
    .strictObject({
      /** Whether there is a Grafana at all. Default: true. */
      enabled: z.boolean().default(true),
      /** 0 keeps everything but the pod. Its database is in the pod, so there is at most one. Default: 1. */
      replicas: count(0, 1).default(1),
      /** Longest scrape interval of what is looked at: rates are taken over four of them. Default: 30s, the platform's. */
      scrapeInterval: duration.default("30s"),
      /** Directories with dashboards (*.json), relative to this program, by the name of their folder in Grafana. */
      dashboards: z.record(dnsLabel, z.string().min(1)).default({ app: "dashboards", platform: "../../dashboards" }),
      /** Name of the reader as whom it asks, in the `gateway.readers` of a platform that has a gateway. Default: the tenant's. */
      reader: z.string().min(1).optional(),
      /**
       * Namespaces whose pods may connect to Grafana, such as an ingress controller's. Default: none; `kubectl port-forward` needs none.
       */
      namespaces: z.array(z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "a namespace")).default([]),
      resources: resources("100m", "256Mi"),
    })
    .prefault({}),
});

/** Everything that an environment chose, with every default filled in. */
export type Config = z.output<typeof schema>;
/** CPU and memory of a container. */
export type Resources = Config["agent"]["resources"];

/**
 * Reads, checks and completes the stack's configuration.
 *
 * @throws pulumi.RunError naming every problem at once, before any resource is registered.
 */
export function loadConfig(): Config {
  const { raw, problems: unreadable } = readKeys();
  const parsed = schema.safeParse(raw, { reportInput: true });
  const problems = [...unreadable, ...(parsed.success ? [] : parsed.error.issues.flatMap(sentences))];
  if (!parsed.success || problems.length > 0) {
    throw new pulumi.RunError(
      `the configuration of ${pulumi.getStack()} can't be used:\n${problems.map((each) => `  - ${each}`).join("\n")}`,
    );
  }
  return parsed.data;
}

/** Path of the kubeconfig. */
export function kubeconfigPath(configured: string | undefined): string {
  const first = configured ?? process.env.KUBECONFIG?.split(":").find((path) => path !== "") ?? join(homedir(), ".kube", "config");
  return first.startsWith("~/") ? join(homedir(), first.slice(2)) : first;
}

const TEXTS = new Set(["platform", "namespace", "app", "tenant"]);

/** Every key of the namespace, decoded: objects, lists, numbers and booleans arrive from the engine as JSON text. */
function readKeys(): { raw: Record<string, unknown>; problems: string[] } {
  const prefix = `${CONFIG_NAMESPACE}:`;
  const raw: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, text] of Object.entries(pulumi.runtime.allConfig())) {
    if (!name.startsWith(prefix)) continue;
    const key = name.slice(prefix.length);
    const isText = TEXTS.has(key) || !(key in schema.shape);
    try {
      raw[key] = isText ? text : JSON.parse(text);
    } catch {
      problems.push(`${key}: holds an object or a list, not ${JSON.stringify(text)}`);
    }
  }
  return { raw, problems };
}

function sentences(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => `${[...path, key].join(".")}: there is no such key`);
  const isMissing = issue.code === "invalid_type" && issue.input === undefined;
  return [`${path.join(".")}: ${isMissing ? `required, a ${issue.expected}` : issue.message}`];
}
