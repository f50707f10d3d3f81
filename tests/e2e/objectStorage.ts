import assert from "node:assert/strict";
import type { Stack } from "@pulumi/pulumi/automation";
import { execa } from "execa";
import { bucketServer } from "../../sandbox/bucket";
import { environment } from "../../sandbox/engine";
import type { Cluster } from "./stack";

/** Object storage as small as tests on one machine need it. */

/** `objectStorage.s3` of a bucket of the sandbox: where it is says the sandbox's overlay. */
export const bucketOf = (bucket: string) => ({ bucket });

/** A component with a volume. */
export const SMALL = { storage: { pvc: { size: "1Gi" } }, resources: { cpu: "20m", memory: "256Mi" } };

/** A store gateway that finds blocks as often as a test can wait for, and has its caches in itself. */
export const SMALL_STORE_GATEWAY = {
  ...SMALL,
  replicas: 1,
  antiAffinity: "soft",
  syncInterval: "15s",
  indexCache: { inMemory: { size: "64Mi" } },
  chunkCache: { inMemory: { size: "64Mi" } },
};

/** The bucket's credentials are in one Secret of the stack's, and nowhere where others look. */
export async function assertCredentialsHidden(cluster: Cluster, stack: Stack, namespace: string): Promise<void> {
  const { secretKey } = bucketServer().credentials;
  // The Automation API would decrypt it.
  const { stdout } = await execa("pulumi", ["stack", "export", "--stack", stack.name], { env: environment() });
  assert.ok(stdout.includes("thanos-store-gateway") && !stdout.includes(secretKey), "in the state");
  assert.ok(!JSON.stringify(await stack.outputs()).includes(secretKey), "in the outputs");
  const maps = await cluster.list(`/api/v1/namespaces/${namespace}/configmaps`);
  assert.ok(!JSON.stringify(maps).includes(secretKey), "in a ConfigMap");
  const secrets = await cluster.list(`/api/v1/namespaces/${namespace}/secrets`);
  const holders = secrets.filter(({ data }) =>
    Object.values(data ?? {}).some((text) => Buffer.from(text, "base64").toString().includes(secretKey)),
  );
  assert.equal(holders.length, 1);
}
