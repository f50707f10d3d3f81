import assert from "node:assert/strict";
import { ApiError, type Cause } from "../../../../sandbox/plugins/kubernetes/api";
import { fieldKeys, immutableCauses, isForcedNew, isRefused, sharesName } from "../../../../sandbox/plugins/kubernetes/replacement";
import { fieldChanges, formatPath } from "../../../../sandbox/plugins/protocol/changes";
import { unknown, type ValueMap } from "../../../../sandbox/plugins/protocol/values";

const kinds = {
  StatefulSet: { group: "apps", version: "v1", kind: "StatefulSet" },
  Deployment: { group: "apps", version: "v1", kind: "Deployment" },
  ConfigMap: { group: "", version: "v1", kind: "ConfigMap" },
  Secret: { group: "", version: "v1", kind: "Secret" },
  PersistentVolumeClaim: { group: "", version: "v1", kind: "PersistentVolumeClaim" },
  RoleBinding: { group: "rbac.authorization.k8s.io", version: "v1", kind: "RoleBinding" },
};

function forced(kind: keyof typeof kinds, before: ValueMap, after: ValueMap, inPlace = false): string[] {
  return fieldChanges(before, after)
    .filter((change) => isForcedNew(kinds[kind], change, before, { configMaps: inPlace, secrets: inPlace }))
    .map(({ path }) => formatPath(path));
}

describe("what only a new object can have, by rule", () => {
  it("is the place of any object", () => {
    const before = { metadata: { name: "a", namespace: "x", labels: { l: "1" } } };
    const after = { metadata: { name: "b", namespace: unknown, labels: { l: "2" } } };
    assert.deepEqual(forced("Deployment", before, after), ["metadata.name", "metadata.namespace"]);
  });

  it("is the official table's fields of a StatefulSet", () => {
    const before = {
      spec: { serviceName: "a", replicas: 1, template: { x: 1 }, volumeClaimTemplates: [{ metadata: { labels: { v: "1" } } }] },
    };
    const after = {
      spec: { serviceName: "b", replicas: 2, template: { x: 2 }, volumeClaimTemplates: [{ metadata: { labels: { v: "2" } } }] },
    };
    assert.deepEqual(forced("StatefulSet", before, after), ["spec.serviceName", "spec.volumeClaimTemplates[0].metadata.labels.v"]);
  });

  it("is touched when the whole object above it changes", () => {
    assert.deepEqual(forced("Deployment", { spec: { selector: { matchLabels: {} } } }, { spec: unknown }), ["spec"]);
    assert.deepEqual(forced("RoleBinding", { roleRef: { name: "a" } }, { roleRef: { name: "b" } }), ["roleRef.name"]);
  });

  it("is not the size of a claim", () => {
    const claim = (storage: string, storageClassName: string) => ({ spec: { storageClassName, resources: { requests: { storage } } } });
    assert.deepEqual(forced("PersistentVolumeClaim", claim("1Gi", "a"), claim("2Gi", "a")), []);
    assert.deepEqual(forced("PersistentVolumeClaim", claim("1Gi", "a"), claim("1Gi", "b")), ["spec.storageClassName"]);
  });

  it("is a ConfigMap's data unless the provider changes it in place, and then still an immutable one's", () => {
    const map = (value: string, immutable?: boolean): ValueMap => ({
      data: { a: value },
      ...(immutable === undefined ? {} : { immutable }),
    });
    assert.deepEqual(forced("ConfigMap", map("1"), map("2")), ["data.a"]);
    assert.deepEqual(forced("ConfigMap", map("1"), map("2"), true), []);
    assert.deepEqual(forced("ConfigMap", map("1", true), map("2", true), true), ["data.a"]);
    assert.deepEqual(forced("ConfigMap", map("1", true), map("1"), true), ["immutable"]);
    assert.deepEqual(forced("ConfigMap", map("1"), map("1", true), true), []);
  });

  it("is always a Secret's type", () => {
    const before = { type: "Opaque", stringData: { a: "1" } };
    assert.deepEqual(forced("Secret", before, { type: "x/y", stringData: { a: "2" } }, true), ["type"]);
    assert.deepEqual(forced("Secret", before, { type: "Opaque", stringData: { a: "2" } }), ["stringData.a"]);
  });
});

describe("what only a new object can have, by the API server's refusal", () => {
  const refusal = (causes: Partial<Cause>[], code = 422) =>
    new ApiError(
      code,
      "Invalid",
      "invalid",
      causes.map((cause) => ({ reason: "FieldValueInvalid", message: "", field: "", ...cause })),
      false,
    );

  // The messages are kube-apiserver 1.36's.
  const immutable = [
    { field: "spec.selector", message: 'Invalid value: {"matchLabels":{"a":"b"}}: field is immutable' },
    {
      field: "spec",
      reason: "FieldValueForbidden",
      message: "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
    },
    { field: "roleRef", message: 'Invalid value: {"kind":"Role"}: cannot change roleRef' },
    { field: "parameters", reason: "FieldValueForbidden", message: "Forbidden: updates to parameters are forbidden." },
    { field: "value", message: "Forbidden: may not be changed in an update." },
    { field: "spec.clusterIPs[0]", message: 'Invalid value: ["10.0.0.9"]: may not change once set' },
    { field: "data", reason: "FieldValueForbidden", message: "Forbidden: field is immutable when `immutable` is set" },
  ];
  const invalid = [
    { field: "spec.ports[0].port", message: "Invalid value: 70000: must be between 1 and 65535, inclusive" },
    {
      field: "spec.resources.requests.storage",
      reason: "FieldValueForbidden",
      message: "Forbidden: field can not be less than status.capacity",
    },
  ];

  for (const cause of immutable) {
    it(`is recognised: ${cause.message}`, () => {
      assert.deepEqual(
        immutableCauses(refusal([cause])).map(({ field }) => field),
        [cause.field],
      );
    });
  }
  for (const cause of invalid) {
    it(`is not read out of: ${cause.message}`, () => {
      assert.deepEqual(immutableCauses(refusal([cause])), []);
    });
  }

  it("is not read out of another kind of refusal", () => {
    assert.deepEqual(immutableCauses(refusal([{ field: "x", message: "field is immutable" }], 409)), []);
  });

  it("spares the fields that the refusal exempts", () => {
    const cause = {
      reason: "FieldValueForbidden",
      field: "spec",
      message:
        "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy' and 'minReadySeconds' are forbidden",
    };
    assert.equal(immutableCauses(refusal([cause])).length, 1);
    const changes = fieldChanges(
      { metadata: { labels: { a: "1" } }, spec: { replicas: 1, serviceName: "a", template: { spec: { x: 1 } } } },
      { metadata: { labels: { a: "2" } }, spec: { replicas: 2, serviceName: "b", template: { spec: { x: 2 } } } },
    );
    assert.deepEqual(
      changes.filter((change) => isRefused(change, [cause])).map(({ path }) => formatPath(path)),
      ["spec.serviceName"],
    );
  });

  it("spares what a pod may change", () => {
    const message =
      "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.tolerations` (only additions to existing tolerations)";
    const cause = { reason: "FieldValueForbidden", field: "spec", message };
    const pod = (image: string, hostname: string) => ({ spec: { containers: [{ image }], hostname } });
    const refused = fieldChanges(pod("a", "a"), pod("b", "b")).filter((change) => isRefused(change, [cause]));
    assert.deepEqual(
      refused.map(({ path }) => formatPath(path)),
      ["spec.hostname"],
    );
  });

  it("reads the API server's paths", () => {
    assert.deepEqual(fieldKeys("spec.containers[0].env[1].name"), ["spec", "containers", "0", "env", "1", "name"]);
    assert.deepEqual(fieldKeys("metadata.labels[a.b/c]"), ["metadata", "labels", "a.b/c"]);
  });
});

describe("the order of a replacement", () => {
  const place = (name: string, namespace: ValueMap[string] = "ns") => ({ metadata: { name, namespace } });

  it("needs the old object gone where both have one place", () => {
    assert.equal(sharesName(place("a"), place("a")), true);
    assert.equal(sharesName(place("a"), place("b")), false);
    assert.equal(sharesName(place("a"), place("a", "other")), false);
    assert.equal(sharesName(place("a"), place("a", unknown)), true);
    assert.equal(sharesName({ metadata: {} }, { metadata: { generateName: "a-" } }), false);
  });
});
