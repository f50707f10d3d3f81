import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { named } from "../../commands/program";
import type { Container, PodSpec } from "../harness";

/** Runs the example's program without engine or cluster and records what it registers. */

/** The directory of the program. */
export const APP_DIRECTORY = join(__dirname, "..", "..", "examples", "app-stack");
/** The platform that {@link appConfig} names. */
export const PLATFORM = "organization/thanos-stack/dev";

/** A platform's outputs as a StackReference gives them. */
export const PLATFORM_OUTPUTS: Record<string, unknown> = {
  namespace: "thanos-dev",
  scheme: "receive",
  remoteWriteUrl: "http://thanos-receive.thanos-dev.svc.cluster.local:19291/api/v1/receive",
  queryUrl: "http://thanos-querier.thanos-dev.svc.cluster.local:9090",
  querierUrl: "http://thanos-querier.thanos-dev.svc.cluster.local:9090",
  queryGrpcAddress: "thanos-querier-grpc.thanos-dev.svc.cluster.local:10901",
  tenantHeader: "THANOS-TENANT",
  defaultTenant: "default-tenant",
  replicaLabels: ["prometheus_replica", "receive_replica"],
  clusterLabel: "cluster",
  externalLabels: { cluster: "dev", region: "north" },
  ring: {
    members: [{ address: "thanos-receive-0.thanos-receive-peers.thanos-dev.svc.cluster.local:10901" }],
    replicationFactor: 1,
    algorithm: "ketama",
    hash: "0d8f",
  },
  prometheus: { service: "http://prometheus.thanos-dev.svc.cluster.local:9090", jobs: ["prometheus"], replicas: 1, shards: 1 },
  availability: {},
};

/** The same of a platform with a gateway, and nothing that passes it. */
export const GUARDED_OUTPUTS: Record<string, unknown> = {
  ...PLATFORM_OUTPUTS,
  tls: { serverName: "thanos-stack.thanos-dev.svc.cluster.local", stage: "everywhere" },
  gatewayRemoteWriteUrl: "https://thanos-gateway-write.thanos-dev.svc.cluster.local/api/v1/receive",
  gatewayQueryUrl: "https://thanos-gateway-query.thanos-dev.svc.cluster.local",
  publicRemoteWriteUrl: "https://metrics.example/api/v1/receive",
  gatewayCa: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
  credentials: { tenants: { greeter: "token-of-greeter" }, readers: { greeter: "token-of-reader", sre: "token-of-sre" } },
};

/** The same of a platform that takes writes of who has a certificate, with those that its program has made. */
export const ENCRYPTED_OUTPUTS: Record<string, unknown> = {
  ...PLATFORM_OUTPUTS,
  remoteWriteUrl: "https://thanos-receive.thanos-dev.svc.cluster.local:19291/api/v1/receive",
  tls: { serverName: "thanos-stack.thanos-dev.svc.cluster.local", stage: "everywhere", ca: "ca-of-platform" },
  tlsClients: Object.fromEntries(
    ["greeter", "shop"].map((name) => [name, { certificate: `certificate-of-${name}`, key: `key-of-${name}` }]),
  ),
};

/** The example's configuration, with changes. */
export function appConfig(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const own = { platform: PLATFORM, cluster: { context: "dev" }, namespace: "greeter-dev", app: "greeter", tenant: "greeter", ...changes };
  return Object.fromEntries(
    Object.entries(own)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [`thanos-app:${key}`, value]),
  );
}

/** A resource that a provider makes. */
export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/** Result of a run. */
export interface AppRun {
  /** Without references to other stacks. */
  resources: Registered[];
  outputs: Record<string, unknown>;
  /** Names of the outputs that are secret. */
  secrets: string[];
  messages: string[];
}

/** How to run it. */
export interface AppRunOptions {
  config?: Record<string, unknown>;
  /** Outputs of the stacks that exist, by full name. Default: the platform alone. */
  stacks?: Record<string, Record<string, unknown>>;
}

/** A run that failed, and what it had registered until then. */
export class AppRunError extends Error {
  constructor(
    message: string,
    readonly resources: Registered[],
  ) {
    super(message);
  }
}

/**
 * Runs the program afresh under Pulumi's mocks.
 *
 * @throws {AppRunError} with what the program throws
 */
export async function runApp({ config = appConfig(), stacks = { [PLATFORM]: PLATFORM_OUTPUTS } }: AppRunOptions = {}): Promise<AppRun> {
  const resources: Registered[] = [];
  const messages: string[] = [];
  const newResource = (args: pulumi.runtime.MockResourceArgs): { id: string; state: Record<string, unknown> } => {
    const inputs = revealed(args.inputs) as Record<string, unknown>;
    if (args.type === "pulumi:pulumi:StackReference") {
      const outputs = stacks[String(inputs.name)];
      if (outputs === undefined) throw new Error(`unknown stack ${JSON.stringify(inputs.name)}`);
      return {
        id: args.name,
        state: { ...inputs, outputs, secretOutputNames: ["credentials", "tlsClients"].filter((name) => name in outputs) },
      };
    }
    const state =
      args.type === "random:index/randomPassword:RandomPassword"
        ? { ...inputs, result: "generated" }
        : args.type.startsWith("kubernetes:")
          ? named(args.name, inputs)
          : inputs;
    if (!args.type.startsWith("thanos-app:") && args.type !== "pulumi:pulumi:Stack")
      resources.push({ type: args.type, name: args.name, inputs: state });
    return { id: `${args.name}-id`, state };
  };
  const { log, warn, error } = console;
  const record = (...parts: unknown[]) => void messages.push(parts.map(String).join(" "));
  Object.assign(console, { log: record, warn: record, error: record });
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown) => rejections.push(reason);
  process.on("unhandledRejection", onRejection);
  try {
    await pulumi.runtime.setMocks({ newResource, call: (args) => args.inputs }, "thanos-app", "dev", false, "organization");
    pulumi.runtime.setAllConfig(
      Object.fromEntries(Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)])),
    );
    for (const path of Object.keys(require.cache)) if (path.startsWith(APP_DIRECTORY)) delete require.cache[path];
    const program = require(join(APP_DIRECTORY, "index")) as () => Promise<Record<string, unknown>>;
    // The outputs that the SDK returns instead have forgotten which values are secret.
    let exported: Record<string, unknown> = {};
    await pulumi.runtime.runInPulumiStack(async () => {
      exported = await program();
      return exported;
    });
    // Without it the last resources are missing; the SDK's types hide it.
    await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
    if (rejections.length > 0) throw rejections[0];
    const outputs: Record<string, unknown> = {};
    const secrets: string[] = [];
    for (const [name, value] of Object.entries(exported)) {
      const output: pulumi.Output<unknown> = pulumi.output(value);
      if (await pulumi.isSecret(output)) secrets.push(name);
      outputs[name] = await new Promise((resolve) => output.apply(resolve));
    }
    return { resources, outputs, secrets, messages };
  } catch (thrown) {
    throw new AppRunError(thrown instanceof Error ? thrown.message : String(thrown), resources);
  } finally {
    // The SDK's own promises of a failed run reject after this one.
    await new Promise(setImmediate);
    Object.assign(console, { log, warn, error });
    process.off("unhandledRejection", onRejection);
  }
}

/** A value without the marks of its secrets. */
function revealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET_MARK in value && "value" in value) return revealed(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}

/** The key of a secret in the engine's protocol. */
const SECRET_MARK = "4dabf18193072939515e22adb298388d";

/** Anything of the program that makes pods. */
export interface AppWorkload {
  metadata: { name: string; namespace: string };
  spec: {
    replicas: number;
    selector: { matchLabels: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
      spec: Omit<PodSpec, "containers" | "volumes"> & {
        containers: (Container & { volumeMounts?: { name: string; mountPath: string }[] })[];
        volumes?: { name: string; configMap?: { name: string }; secret?: { secretName: string }; emptyDir?: object }[];
      };
    };
    volumeClaimTemplates?: { metadata: { name: string }; spec: { resources: { requests: { storage: string } } } }[];
  };
}

/** The Kubernetes objects of one kind. */
export function kind<T>(run: AppRun, name: string): T[] {
  return run.resources
    .filter((each) => each.type.startsWith("kubernetes:") && each.type.endsWith(`:${name}`))
    .map((each) => each.inputs as T);
}

/** Everything that makes pods. */
export function appWorkloads(run: AppRun): AppWorkload[] {
  return [...kind<AppWorkload>(run, "Deployment"), ...kind<AppWorkload>(run, "StatefulSet")];
}
