import assert from "node:assert/strict";
import { execa } from "execa";
import { parseAllDocuments } from "yaml";
import { type DeployedNetwork, kubectl } from "./edges";
import type { KubernetesObject } from "./stack";

interface Policy extends KubernetesObject {
  apiVersion: string;
  kind: string;
}

/**
 * The policies of some components that the program makes for a stack file as it is here, without credentials;
 * each beside the one that is deployed.
 */
async function policiesWithoutCredentials(stack: string, parts: readonly string[]): Promise<Policy[]> {
  const { stdout } = await execa("npm", ["run", "--silent", "render", "--", "--stack", stack]);
  const objects = parseAllDocuments(stdout).map((document) => document.toJS() as Policy);
  return parts.map((part) => {
    const policy = objects.find(({ kind, metadata }) => kind === "NetworkPolicy" && metadata.name === `allow-${part}`);
    assert.ok(policy !== undefined, `no policy of ${part}`);
    return { ...policy, metadata: { ...policy.metadata, name: `without-credentials-${part}` } };
  });
}

/** Takes a policy away, or puts others beside those that are there, for as long as something is done. */
async function withPolicies(
  namespace: string,
  change: { removed?: string; made?: readonly Policy[] },
  act: () => Promise<void>,
): Promise<void> {
  const list = (items: readonly object[]) => JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const { removed, made = [] } = change;
  const before =
    removed === undefined
      ? undefined
      : JSON.parse((await kubectl(["-n", namespace, "get", "networkpolicy", removed, "-o", "json"])).stdout);
  try {
    if (removed !== undefined) await kubectl(["-n", namespace, "delete", "networkpolicy", removed]);
    if (made.length > 0) await kubectl(["-n", namespace, "create", "-f", "-"], list(made));
    await act();
  } finally {
    if (before !== undefined) {
      const { name, labels, annotations } = before.metadata;
      await kubectl(["create", "-f", "-"], JSON.stringify({ ...before, metadata: { name, namespace, labels, annotations } }));
    }
    if (made.length > 0) await kubectl(["-n", namespace, "delete", "networkpolicy", ...made.map(({ metadata }) => metadata.name)]);
  }
}

/**
 * Shows that the comparison sees a policy that is missing and policies that are too wide, in an environment with every component; and
 * what those without credentials open.
 */
export async function assertSeesFaults(network: DeployedNetwork, stack: string, namespace: string): Promise<void> {
  await withPolicies(namespace, { removed: "allow-querier" }, async () => {
    await network.until("querier → receive:10901 is closed", /querier.* is closed$/);
  });
  const users = ["receive", "store-gateway", "compactor"];
  await withPolicies(namespace, { made: await policiesWithoutCredentials(stack, users) }, async () => {
    const identity = /^(receive|store-gateway|compactor) → (169\.254\.(169\.254|170\.2|170\.23):80|.+:443) is open$/;
    await network.until("store-gateway → 169.254.170.23:80 is open", identity);
    assert.deepEqual(await network.differences({ credentials: false }), []);
  });
  assert.deepEqual(await network.differences(), []);
}
