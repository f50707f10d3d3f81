import assert from "node:assert/strict";
import { manifestsOf } from "../../../commands/manifests";
import { FIELDS_SINCE, isTooOld, KUBERNETES_MINIMUM, versionProblem } from "../../../model/kubernetes/version";
import { PLANS } from "../../components/plans";
import { readDocument, section, tableRows } from "../../docs/documents";
import { run } from "../../harness";

const minor = (version: string) => Number(version.split(".")[1]);

describe("the Kubernetes that a stack needs", () => {
  it("is that of the newest field that it sets", () => {
    assert.equal(minor(KUBERNETES_MINIMUM), Math.max(...Object.values(FIELDS_SINCE).map(minor)));
  });

  it("has no field in its list that no plan sets", async () => {
    const set = new Set<string>();
    for (const { stack, overrides } of PLANS)
      for (const manifest of manifestsOf((await run(stack, overrides)).resources)) collect(manifest, "", set);
    for (const field of Object.keys(FIELDS_SINCE))
      assert.ok(
        [...set].some((path) => path.endsWith(`.${field}`)),
        field,
      );
  });

  it("is documented field by field", () => {
    const rows = tableRows(section(readDocument("docs/operations.md").text, "Versions that it needs")).filter(([, since]) =>
      /^\d+\.\d+$/.test(since ?? ""),
    );
    assert.deepEqual(Object.fromEntries(rows.map(([field = "", since]) => [field.replaceAll("`", ""), since])), FIELDS_SINCE);
  });

  it("is told from a version as API servers and kubelets say it", () => {
    for (const version of ["v1.29.14", "v1.29.9-eks-1a2b3c", "1.9.0", "v0.30.1"]) assert.equal(isTooOld(version), true, version);
    for (const version of ["v1.30.0", "v1.30.5-gke.1713000", "v1.36.3+k3s1", "v1.100.0", "v2.0.0"])
      assert.equal(isTooOld(version), false, version);
    for (const version of ["", "unknown", "v1"]) assert.equal(isTooOld(version), undefined, version);
  });

  it("refuses an older one with key, value, reason and remedy", () => {
    assert.equal(versionProblem("prod", "v1.30.0"), undefined);
    assert.equal(versionProblem("prod", "?"), undefined);
    assert.deepEqual(versionProblem("prod", "v1.29.1"), {
      key: "cluster.context",
      value: "prod",
      rule: "its API server is Kubernetes v1.29.1, which ignores the pause before a pod ends (preStop.sleep): each restart of a receiver would fail sends",
      remedy: "a cluster of Kubernetes 1.30 or later",
    });
  });
});

/** Paths of all fields, those of a list's elements with `[]`. */
function collect(value: unknown, path: string, into: Set<string>): void {
  into.add(path);
  if (Array.isArray(value)) for (const each of value) collect(each, `${path}[]`, into);
  else if (value !== null && typeof value === "object")
    for (const [key, inner] of Object.entries(value)) collect(inner, `${path}.${key}`, into);
}
