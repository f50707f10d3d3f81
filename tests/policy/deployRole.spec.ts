import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectCluster } from "../../clients/cluster";
import { manifestsOf } from "../../commands/manifests";
import { main } from "../../commands/verify";
import { clusterBehind } from "../../gates/cluster";
import { forwardPorts } from "../clients/fakeForwarding";
import { kubeconfigOf } from "../clients/kubeconfigOf";
import { type ReceivedRequest, startLoopback } from "../clients/loopback";
import { OUTPUTS, startFakeCluster } from "../commands/fakeCluster";
import { AUTOSCALED, GATEWAY_ROUTED, TLS_SIDECAR } from "../components/plans";
import { run, STACKS } from "../harness";
import { asked, EVERYBODY, type Right, type Rule, readManifests, resourceOf, rightsOf } from "./rights";

const role = readManifests("deploy-role.yaml");
const binding = readManifests("deploy-binding.yaml");
const CHANGES = ["get", "list", "watch", "create", "patch", "delete"];
const CLUSTER_KINDS = [
  "persistentvolumes",
  "priorityclasses.scheduling.k8s.io",
  "clusterroles.rbac.authorization.k8s.io",
  "clusterrolebindings.rbac.authorization.k8s.io",
];

describe("the account that deploys", () => {
  const rulesOf = (name: string): Rule[] =>
    role.find(({ kind, metadata }) => kind === "ClusterRole" && metadata.name === name)?.rules ?? [];
  const wide = rightsOf(rulesOf("thanos-stack-deploy-cluster"));
  const bound = rightsOf(rulesOf("thanos-stack-deploy"));
  /** Kinds that may be changed. */
  const changeable = (rights: ReadonlySet<Right>) =>
    [...rights].filter((right) => right.startsWith("create ")).map((right) => right.slice("create ".length));
  let made: { apiVersion: string; kind: string; rules?: Rule[] }[];

  before(async () => {
    made = [];
    for (const stack of STACKS) made.push(...(manifestsOf((await run(stack)).resources) as typeof made));
    for (const { stack, overrides } of [AUTOSCALED, TLS_SIDECAR, GATEWAY_ROUTED])
      made.push(...(manifestsOf((await run(stack, overrides)).resources) as typeof made));
  });

  it("may make, change and remove exactly the kinds that the program makes, and only change its own namespaces", () => {
    const kinds = [...new Set([...made.map(resourceOf), "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io"])];
    const namespaced = kinds.filter((kind) => kind !== "namespaces" && !CLUSTER_KINDS.includes(kind));
    assert.deepEqual(changeable(wide).sort(), [...CLUSTER_KINDS].sort());
    assert.deepEqual(changeable(bound).sort(), [...namespaced, "pods/portforward"].sort());
    assert.deepEqual(kinds.filter((kind) => CLUSTER_KINDS.includes(kind)).sort(), [...CLUSTER_KINDS].sort());
    const missing = [
      ...CLUSTER_KINDS.flatMap((kind) => CHANGES.map((verb) => `${verb} ${kind}`)).filter((right) => !wide.has(right)),
      ...namespaced.flatMap((kind) => CHANGES.map((verb) => `${verb} ${kind}`)).filter((right) => !bound.has(right)),
    ];
    assert.deepEqual(missing, []);
    assert.deepEqual(
      [...bound, ...wide].filter((right) => right.endsWith(" namespaces")),
      ["get namespaces", "patch namespaces"],
    );
  });

  it("may give Prometheus what Prometheus gets, without a right to give more", () => {
    const given = made.filter(({ kind }) => kind === "ClusterRole" || kind === "Role").flatMap(({ rules = [] }) => [...rightsOf(rules)]);
    assert.ok(given.length > 0);
    assert.deepEqual(
      given.filter((right) => !wide.has(right)),
      [],
    );
    const verbs = new Set([...wide, ...bound].map((right) => right.split(" ")[0]));
    assert.deepEqual([...verbs].sort(), [...CHANGES].sort());
  });

  it("may watch what tells whether that is ready, and nothing else: no pod's shell, log or proxy, nothing of every kind", () => {
    const rest = (rights: ReadonlySet<Right>) =>
      [...new Set([...rights].map((right) => right.split(" ")[1] ?? ""))].filter((what) => !changeable(rights).includes(what)).sort();
    assert.deepEqual(rest(wide), [
      "/metrics",
      "endpointslices.discovery.k8s.io",
      "nodes",
      "nodes/metrics",
      "pods",
      "services",
      "storageclasses.storage.k8s.io",
    ]);
    assert.deepEqual(rest(bound), [
      "endpoints",
      "endpointslices.discovery.k8s.io",
      "events",
      "namespaces",
      "persistentvolumeclaims",
      "pods",
      "replicasets.apps",
    ]);
    for (const [what, verbs] of [
      ["pods", ["get", "list", "watch"]],
      ["persistentvolumeclaims", ["get", "list", "watch", "patch"]],
      ["pods/portforward", ["create", "get"]],
    ] as const) {
      assert.deepEqual([...bound].filter((right) => right.endsWith(` ${what}`)).sort(), verbs.map((verb) => `${verb} ${what}`).sort());
    }
  });

  /** Those of the requests that the account may not make. */
  function forbidden(requests: readonly ReceivedRequest[]): Right[] {
    return requests
      .map(asked)
      .flatMap(({ namespaced, rights }) =>
        rights.filter((right) => !(EVERYBODY.has(right) || wide.has(right) || (namespaced && bound.has(right)))),
      );
  }

  it("may ask everything that the gates ask", async () => {
    const server = await startLoopback(() => ({ body: JSON.stringify({ items: [] }) }));
    const forwards = forwardPorts(server.server, () => ({ refused: "" }));
    try {
      const view = clusterBehind(() => connectCluster({ context: "dev", kubeconfig: kubeconfigOf(server.url) }), "ns");
      const set = { metadata: { name: "a" }, spec: { replicas: 1, template: { spec: { containers: [] } } } };
      const calls: Record<keyof typeof view, () => Promise<unknown>> = {
        namespace: () => view.namespace(),
        podTrouble: () => view.podTrouble("a"),
        availableReplicas: () => view.availableReplicas("a"),
        image: () => view.image("a"),
        pods: () => view.pods({ app: "a" }),
        configMapText: () => view.configMapText("a", "b"),
        metrics: () => view.metrics("a"),
        metric: () => view.metric("a", "b"),
        applyStatefulSet: () => view.applyStatefulSet(set, "manager"),
        remains: () => view.remains("a"),
        availablePods: () => view.availablePods("a"),
        applyDeployment: () => view.applyDeployment({ metadata: { name: "a" }, spec: { replicas: 1 } }, "manager"),
        removeAutoscaler: () => view.removeAutoscaler("a"),
        claims: () => view.claims("a"),
        volumeClass: () => view.volumeClass("a"),
        requestSize: () => view.requestSize("a", "1Gi"),
        secret: () => view.secret("a"),
        certificate: () => view.certificate("a"),
        kubernetesVersion: () => view.kubernetesVersion(),
      };
      assert.deepEqual(Object.keys(calls).sort(), Object.keys(view).sort());
      for (const call of Object.values(calls)) await call().catch(() => undefined);
      assert.ok(server.requests.length >= 8 && forwards.asked.length > 0);
      assert.deepEqual(forbidden(server.requests), []);
    } finally {
      await server.close();
    }
  });

  it("may ask everything that verify asks", async () => {
    const cluster = await startFakeCluster();
    const directory = mkdtempSync(join(tmpdir(), "deploy-role-"));
    try {
      const [kubeconfig, outputs] = [join(directory, "kubeconfig"), join(directory, "outputs.json")];
      writeFileSync(kubeconfig, cluster.kubeconfig);
      writeFileSync(outputs, JSON.stringify(OUTPUTS));
      const args = ["--stack", "dev", "--context", "dev", "--kubeconfig", kubeconfig, "--outputs", outputs];
      assert.equal(await main(args, { timeoutMs: 20_000, intervalMs: 5, shortestRateMs: 1, print: () => undefined }), 0);
      assert.ok(cluster.requests.length >= 5 && cluster.forwards.asked.length >= 5);
      assert.deepEqual(forbidden(cluster.requests), []);
    } finally {
      await cluster.close();
      rmSync(directory, { recursive: true });
    }
  });

  it("is bound where it is applied, and is one and the same everywhere", () => {
    const [only] = binding;
    assert.equal(binding.length, 1);
    assert.equal(only?.kind, "RoleBinding");
    assert.equal(only?.metadata.namespace, undefined, "the namespace is chosen where it is applied");
    assert.equal(only?.roleRef?.name, "thanos-stack-deploy");
    assert.deepEqual(
      role.filter(({ kind }) => kind === "ClusterRoleBinding").map(({ roleRef }) => roleRef?.name),
      ["thanos-stack-deploy-cluster"],
    );
    const account = role.find(({ kind }) => kind === "ServiceAccount");
    for (const { subjects, kind } of [...role, ...binding]) {
      if (subjects !== undefined) assert.deepEqual(subjects, [{ kind: "ServiceAccount", ...account?.metadata }], kind);
    }
  });
});
