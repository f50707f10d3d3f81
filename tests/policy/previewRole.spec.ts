import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseAllDocuments } from "yaml";
import { manifestsOf } from "../../commands/manifests";
import { run, STACKS } from "../harness";

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules?: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  roleRef?: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace: string }[];
}

const read = (file: string) =>
  parseAllDocuments(readFileSync(join(resolve(__dirname, "..", ".."), "deploy", "ci", file), "utf8")).map(
    (each) => each.toJS() as Manifest,
  );
const role = read("preview-role.yaml");
const binding = read("preview-binding.yaml");

/** `networkpolicies.networking.k8s.io` of an object. */
function resourceOf({ apiVersion, kind }: { apiVersion: string; kind: string }): string {
  const group = apiVersion.includes("/") ? `.${apiVersion.split("/")[0]}` : "";
  return `${kind.toLowerCase().replace(/y$/, "ie").replace(/s$/, "se")}s${group}`;
}

describe("the account that previews", () => {
  const rules = role.flatMap((each) => each.rules ?? []);
  const readable = rules
    .filter(({ verbs }) => verbs.includes("get"))
    .flatMap(({ apiGroups, resources }) =>
      apiGroups.flatMap((group) => resources.map((name) => (group === "" ? name : `${name}.${group}`))),
    );

  it("may get or list, and nothing else", () => {
    assert.ok(rules.length > 0);
    for (const { verbs } of rules) assert.ok(verbs.length === 1 && ["get", "list"].includes(verbs[0] ?? ""), verbs.join());
    assert.deepEqual(
      rules.filter(({ verbs }) => verbs.includes("list")).flatMap(({ resources }) => resources),
      ["persistentvolumeclaims", "pods", "replicasets", "endpointslices"],
    );
  });

  it("may get exactly the kinds that the program makes, the classes of its volumes, and no Secret", async () => {
    const made = new Set<string>();
    for (const stack of STACKS) for (const manifest of manifestsOf((await run(stack)).resources)) made.add(resourceOf(manifest));
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
    assert.deepEqual(reached.flatMap(({ resources }) => resources).sort(), [
      "clusterrolebindings",
      "clusterroles",
      "namespaces",
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
