import assert from "node:assert/strict";
import { manifestsOf } from "../../commands/manifests";
import { AUTOSCALED, GATEWAY_ROUTED, TLS_SIDECAR } from "../components/plans";
import { run, STACKS } from "../harness";
import { readManifests, resourceOf } from "./rights";

const role = readManifests("preview-role.yaml");
const binding = readManifests("preview-binding.yaml");

describe("the account that previews", () => {
  const rules = role.flatMap((each) => each.rules ?? []);
  const readable = rules
    .filter(({ verbs }) => verbs.includes("get"))
    .flatMap(({ apiGroups, resources }) =>
      (apiGroups ?? []).flatMap((group) => (resources ?? []).map((name) => (group === "" ? name : `${name}.${group}`))),
    );

  it("may get or list, and nothing else", () => {
    assert.ok(rules.length > 0);
    for (const { verbs } of rules) assert.ok(verbs.length === 1 && ["get", "list"].includes(verbs[0] ?? ""), verbs.join());
    assert.deepEqual(
      rules.filter(({ verbs }) => verbs.includes("list")).flatMap(({ resources }) => resources ?? []),
      ["nodes", "persistentvolumeclaims", "pods", "replicasets", "endpointslices"],
    );
  });

  it("may get exactly the kinds that the program makes, the classes of its volumes, and no Secret", async () => {
    const made = new Set<string>();
    const runs = [
      ...STACKS.map((stack) => run(stack)),
      ...[AUTOSCALED, TLS_SIDECAR, GATEWAY_ROUTED].map(({ stack, overrides }) => run(stack, overrides)),
    ];
    for (const { resources } of await Promise.all(runs)) for (const manifest of manifestsOf(resources)) made.add(resourceOf(manifest));
    made.delete("secrets");
    assert.deepEqual(
      [...readable].sort(),
      [...made, "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io", "storageclasses.storage.k8s.io"]
        .filter((name, index, all) => all.indexOf(name) === index)
        .sort(),
    );
    assert.ok(!readable.includes("secrets"));
  });

  it("may read namespaced objects only where it is bound", async () => {
    const wide = role
      .filter(({ kind, roleRef }) => kind === "ClusterRoleBinding" && roleRef !== undefined)
      .map(({ roleRef }) => roleRef?.name);
    const reached = role
      .filter(({ kind, metadata }) => kind === "ClusterRole" && wide.includes(metadata.name))
      .flatMap((each) => each.rules ?? []);
    assert.deepEqual(reached.flatMap(({ resources }) => resources ?? []).sort(), [
      "clusterrolebindings",
      "clusterroles",
      "namespaces",
      "nodes",
      "persistentvolumes",
      "priorityclasses",
      "storageclasses",
    ]);
    const [only] = binding;
    assert.equal(binding.length, 1);
    assert.equal(only?.kind, "RoleBinding");
    assert.equal(only?.metadata.namespace, undefined, "the namespace is chosen where it is applied");
    assert.ok(role.some(({ kind, metadata }) => kind === "ClusterRole" && metadata.name === only?.roleRef?.name));
  });

  it("is one and the same everywhere", () => {
    const account = role.find(({ kind }) => kind === "ServiceAccount");
    for (const { subjects, kind } of [...role, ...binding]) {
      if (subjects === undefined) continue;
      assert.deepEqual(subjects, [{ kind: "ServiceAccount", ...account?.metadata }], kind);
    }
  });
});
