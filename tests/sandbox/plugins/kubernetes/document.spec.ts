import assert from "node:assert/strict";
import { kindOf } from "../../../../sandbox/plugins/kubernetes/discovery";
import {
  documentOf,
  importedInputs,
  liveInputs,
  mergeMaps,
  outputsOf,
  previewOfCreation,
  previewOfUpdate,
  withLive,
  withSecretData,
} from "../../../../sandbox/plugins/kubernetes/document";
import {
  at,
  containsSecret,
  type JsonObject,
  Secret,
  Unknown,
  unknown,
  unwrapMap,
  type ValueMap,
} from "../../../../sandbox/plugins/protocol/values";

const secret = kindOf("v1", "Secret");
const configMap = kindOf("v1", "ConfigMap");
const deployment = kindOf("apps/v1", "Deployment");
const service = kindOf("v1", "Service");
const encoded = (text: string) => Buffer.from(text).toString("base64");

describe("the document sent", () => {
  it("is the inputs in the clear, without nulls and the provider's own keys", () => {
    assert.deepEqual(documentOf(configMap, { __x: 1, data: { a: new Secret("b"), c: null } }), { data: { a: "b" } });
  });

  it("has a Secret's stringData as data, which it overrides", () => {
    assert.deepEqual(documentOf(secret, { data: { a: encoded("old"), b: encoded("kept") }, stringData: new Secret({ a: "new" }) }), {
      data: { a: encoded("new"), b: encoded("kept") },
    });
  });
});

describe("outputs", () => {
  it("are the live object, without managed fields, secret where the inputs are", () => {
    const live = { metadata: { name: "x", managedFields: [{}] }, data: { a: "b", c: "d" }, spec: { env: [{ value: "p" }] } };
    const inputs = { data: { a: new Secret("b") }, spec: { env: [{ value: new Secret("p") }] } };
    assert.deepEqual(outputsOf(configMap, live, inputs, "manager", "v1"), {
      metadata: { name: "x" },
      data: { a: new Secret("b"), c: "d" },
      spec: { env: new Secret([{ value: "p" }]) },
      __fieldManager: "manager",
      __initialApiVersion: "v1",
    });
  });

  it("hide a Secret's data whatever the inputs say", () => {
    const outputs = outputsOf(secret, { data: { a: encoded("b") } }, { stringData: { a: "b" } }, "m", "v1");
    assert.deepEqual(outputs.data, new Secret({ a: encoded("b") }));
    assert.ok(containsSecret(withSecretData(secret, { stringData: { a: "b" } })));
  });
});

describe("a preview", () => {
  it("of a creation promises no identity, address or status", () => {
    const inputs = { metadata: { name: "x" }, spec: { ports: [] } };
    const dry = {
      metadata: { name: "x", uid: "u", resourceVersion: "1", creationTimestamp: "t" },
      spec: { clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"], ports: [] },
    };
    const preview = previewOfCreation(service, dry, inputs);
    for (const path of [["metadata", "uid"], ["metadata", "resourceVersion"], ["spec", "clusterIP"], ["spec", "clusterIPs"], ["status"]]) {
      assert.ok(at(preview, ...path) instanceof Unknown, path.join("."));
    }
    assert.equal(at(preview, "metadata", "name"), "x");
  });

  it("of a creation keeps an address the program states", () => {
    const inputs = { metadata: { name: "x" }, spec: { clusterIP: "None" } };
    assert.deepEqual(previewOfCreation(service, { ...inputs }, inputs).spec, { clusterIP: "None" });
  });

  it("of an update keeps the identity", () => {
    const preview = previewOfUpdate({ metadata: { uid: "u", resourceVersion: "1" }, status: { x: 1 } });
    assert.equal(at(preview, "metadata", "uid"), "u");
    assert.ok(at(preview, "metadata", "resourceVersion") instanceof Unknown);
    assert.ok(at(preview, "status") instanceof Unknown);
    assert.equal(previewOfUpdate({ metadata: {} }).status, undefined);
  });

  it("with unknowns lays the inputs over the last outputs", () => {
    assert.deepEqual(
      mergeMaps({ spec: { a: 1, list: [1, 2], s: new Secret({ x: 1, y: 2 }) } }, { spec: { b: unknown, list: [3], s: { x: 3 } } }),
      {
        spec: { a: 1, b: unknown, list: [3], s: new Secret({ x: 3, y: 2 }) },
      },
    );
  });
});

describe("ignored changes", () => {
  it("are asked for as they are, present or not", () => {
    const list: JsonObject[] = [{ a: 1, b: 1 }, { a: 1 }];
    const asked = { spec: { replicas: 1, paused: true, list } };
    const live = { spec: { replicas: 5, list: [{ a: 2, b: 2 }] } };
    assert.deepEqual(withLive(asked, live, ["spec", "replicas"]), { spec: { ...asked.spec, replicas: 5 } });
    assert.deepEqual(withLive(asked, live, ["spec", "paused"]), { spec: { replicas: 1, list: asked.spec.list } });
    assert.deepEqual(withLive(asked, live, ["spec", "list", "*", "a"]), { spec: { ...asked.spec, list: [{ a: 2, b: 1 }, {}] } });
    assert.deepEqual(withLive(asked, live, ["spec", "list", "0", "b"]), { spec: { ...asked.spec, list: [{ a: 1, b: 2 }, { a: 1 }] } });
    assert.deepEqual(withLive(asked, { spec: { replicas: 5, other: 1 } }, ["spec", "nothing", "there"]), asked);
  });
});

describe("drift", () => {
  const seen = (kind: typeof configMap, inputs: ValueMap, last: ValueMap, live: Parameters<typeof liveInputs>[3]) =>
    liveInputs(kind, inputs, last, live);

  it("is what changed since the object was last seen", () => {
    const inputs = { data: { a: "1", b: "2", gone: "3" }, metadata: { labels: { l: "x" } } };
    const last = { data: { a: "1", b: "2", gone: "3" }, metadata: { labels: { l: "x" }, uid: "u" } };
    const live = { data: { a: "1", b: "changed", added: "4" }, metadata: { labels: { l: "x" }, uid: "u" } };
    assert.deepEqual(seen(configMap, inputs, last, live), { data: { a: "1", b: "changed" }, metadata: { labels: { l: "x" } } });
  });

  it("is not another notation of the same value, nor what the server added to a list", () => {
    const inputs = { spec: { cpu: "1000m", tolerations: [{ key: "mine" }] } };
    const live = { spec: { cpu: "1", tolerations: [{ key: "mine" }, { key: "added" }] } };
    assert.deepEqual(seen(deployment, inputs, live, live), inputs);
  });

  it("is found inside lists", () => {
    const inputs = { spec: { containers: [{ name: "a", image: "i:1" }] } };
    const last = { spec: { containers: [{ name: "a", image: "i:1", pull: "Always" }] } };
    const live = { spec: { containers: [{ name: "a", image: "i:2", pull: "Always" }] } };
    assert.deepEqual(seen(deployment, inputs, last, live), { spec: { containers: [{ name: "a", image: "i:2" }] } });
  });

  it("of a Secret is seen through both notations, and stays secret", () => {
    const inputs = { stringData: new Secret({ a: "1", b: "2" }) };
    const last = { data: new Secret({ a: encoded("1"), b: encoded("2") }) };
    assert.deepEqual(seen(secret, inputs, last, { data: { a: encoded("1"), b: encoded("2") } }), inputs);
    assert.deepEqual(seen(secret, inputs, last, { data: { a: encoded("9"), b: encoded("2") } }), {
      stringData: new Secret({ a: "9", b: "2" }),
    });
    assert.deepEqual(seen(secret, inputs, last, { data: { b: encoded("2") } }), { stringData: new Secret({ b: "2" }) });
  });

  it("keeps what an object never had, such as a write-only field", () => {
    assert.deepEqual(seen(configMap, { data: { a: "1" }, odd: { x: 1 } }, { data: { a: "1" } }, { data: { a: "1" } }), {
      data: { a: "1" },
      odd: { x: 1 },
    });
  });

  it("of an imported object is all that a program could have said", () => {
    const live = {
      kind: "ConfigMap",
      metadata: { name: "x", uid: "u", resourceVersion: "1", labels: { a: "b" } },
      data: { c: "d" },
      status: {},
    };
    assert.deepEqual(unwrapMap(importedInputs(configMap, live)), {
      kind: "ConfigMap",
      metadata: { name: "x", labels: { a: "b" } },
      data: { c: "d" },
    });
  });
});
