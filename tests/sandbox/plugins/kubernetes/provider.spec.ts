import assert from "node:assert/strict";
import { KubernetesProvider, timeoutOf } from "../../../../sandbox/plugins/kubernetes/provider";
import { InitializationFailed } from "../../../../sandbox/plugins/protocol/provider";
import {
  at,
  isJsonObject,
  type JsonObject,
  Secret,
  textAt,
  Unknown,
  unknown,
  type ValueMap,
} from "../../../../sandbox/plugins/protocol/values";
import { type Answer, FakeApi, type Received, status } from "./fakeApi";

const resources: Record<string, JsonObject[]> = {
  "/api/v1": [
    { name: "configmaps", kind: "ConfigMap", namespaced: true },
    { name: "secrets", kind: "Secret", namespaced: true },
    { name: "namespaces", kind: "Namespace", namespaced: false },
    { name: "namespaces/status", kind: "Namespace", namespaced: false },
  ],
  "/apis/apps/v1": [{ name: "statefulsets", kind: "StatefulSet", namespaced: true }],
};

const configMaps = "/api/v1/namespaces/ns/configmaps";
const none = new Uint8Array();

describe("the kubernetes provider", () => {
  let fake: FakeApi;
  let provider: KubernetesProvider;
  let messages: string[];
  let api: (request: Received) => Answer | undefined;

  beforeEach(async () => {
    api = () => undefined;
    messages = [];
    fake = await FakeApi.start((request) => {
      const answer = api(request);
      const served = resources[request.path];
      if (answer !== undefined) {
        return answer;
      }
      if (request.path === "/version") {
        return { body: {} };
      }
      if (request.path === "/apis/apps") {
        return { body: { versions: [{ version: "v1" }] } };
      }
      if (request.path === "/apis/apiregistration.k8s.io/v1/apiservices/v1.apps") {
        return { body: { metadata: { labels: { "kube-aggregator.kubernetes.io/automanaged": "onstart" } } } };
      }
      return served === undefined ? { code: 404, body: status(404, "NotFound", "not found") } : { body: { resources: served } };
    });
    provider = new KubernetesProvider({
      message: async (severity, text) => {
        messages.push(`${severity}: ${text}`);
      },
      status: () => undefined,
    });
  });
  afterEach(() => fake.stop());

  async function configured(inputs: ValueMap = {}): Promise<void> {
    const kubeconfig = JSON.stringify({
      "current-context": "fake",
      contexts: [{ name: "fake", context: { cluster: "fake", user: "none", namespace: "own" } }],
      clusters: [{ name: "fake", cluster: { server: fake.access.server } }],
    });
    await provider.configure({ kubeconfig, ...inputs });
  }

  function resource(token: string) {
    const type = `kubernetes:${token}`;
    return { urn: `urn:pulumi:dev::p::${type}::config`, type, name: "config" };
  }
  const check = (token: string, newInputs: ValueMap, oldInputs: ValueMap = {}) =>
    provider.check({ ...resource(token), newInputs, oldInputs, randomSeed: none, autonaming: undefined });
  const create = (token: string, inputs: ValueMap, preview: boolean) =>
    provider.create({ ...resource(token), inputs, preview, timeout: 5 });
  const place = { namespace: "ns", name: "config" };
  const writes = () => fake.received.filter(({ method }) => method !== "GET");

  describe("checks", () => {
    it("fill in kind, name and namespace, and hide a Secret's data", async () => {
      await configured();
      const { inputs, failures } = await check("core/v1:Secret", { stringData: { a: "b" } });
      assert.deepEqual(failures, []);
      assert.deepEqual([inputs.apiVersion, inputs.kind, textAt(inputs, "metadata", "namespace")], ["v1", "Secret", "own"]);
      assert.match(textAt(inputs, "metadata", "name") ?? "", /^config-[0-9a-f]{8}$/);
      assert.deepEqual(inputs.stringData, new Secret({ a: "b" }));
    });

    it("give no namespace to what is in none, nor where it is not known yet", async () => {
      await configured({ namespace: "chosen" });
      assert.equal(textAt((await check("core/v1:Namespace", {})).inputs, "metadata", "namespace"), undefined);
      assert.equal(textAt((await check("core/v1:ConfigMap", {})).inputs, "metadata", "namespace"), "chosen");
      assert.ok(
        at((await check("core/v1:ConfigMap", { metadata: { namespace: unknown } })).inputs, "metadata", "namespace") instanceof Unknown,
      );
    });

    it("refuse what the API server's own groups do not have, and let a defined kind come later", async () => {
      await configured();
      const [failure] = (await check("apps/v1:Misspelt", {})).failures;
      assert.match(failure?.reason ?? "", /does not serve apps\/v1 Misspelt \(its group is served in v1\)/);
      assert.deepEqual((await check("custom.test/v1:Later", {})).failures, []);
      assert.match(messages.join(), /warning: the API server does not serve custom\.test\/v1 Later/);
    });

    it("refuse charts, patches, and annotations that cannot be read", async () => {
      await configured();
      assert.equal((await check("helm.sh/v3:Release", {})).failures.length, 1);
      assert.equal((await check("core/v1:ConfigMapPatch", { kind: "ConfigMap" })).failures.length, 1);
      const annotated = (key: string, value: string) => check("core/v1:ConfigMap", { metadata: { annotations: { [key]: value } } });
      assert.match((await annotated("pulumi.com/waitFor", "nonsense")).failures[0]?.reason ?? "", /waitFor/);
      assert.match((await annotated("pulumi.com/timeoutSeconds", "soon")).failures[0]?.reason ?? "", /number of seconds/);
    });
  });

  describe("configuration", () => {
    it("fails when the API server refuses or does not answer", async () => {
      api = () => ({ code: 401, body: status(401, "Unauthorized", "who are you") });
      await assert.rejects(configured(), /context "fake" cannot be used.*who are you/);
    });
  });

  describe("differences", () => {
    const inputs = (spec: ValueMap): ValueMap => ({ apiVersion: "apps/v1", kind: "StatefulSet", metadata: place, spec });
    const diff = (oldSpec: ValueMap, newSpec: ValueMap, metadata: ValueMap = place) =>
      provider.diff({
        ...resource("apps/v1:StatefulSet"),
        id: "ns/config",
        oldInputs: inputs(oldSpec),
        oldOutputs: { __fieldManager: "manager" },
        newInputs: { ...inputs(newSpec), metadata },
        ignoreChanges: [],
      });
    const path = "/apis/apps/v1/namespaces/ns/statefulsets/config";

    it("ask nobody when nothing changed", async () => {
      await configured();
      fake.received.length = 0;
      assert.deepEqual(await diff({ replicas: 1 }, { replicas: 1 }), { changes: [], deleteBeforeReplace: false });
      assert.equal(fake.received.length, 0);
    });

    it("are updates where a rehearsal passes, which changes nothing", async () => {
      await configured();
      api = (request) => (request.path === path ? { body: {} } : undefined);
      const { changes } = await diff({ replicas: 1 }, { replicas: 2 });
      assert.deepEqual(changes, [{ path: "spec.replicas", kind: "update", replaces: false }]);
      assert.deepEqual(
        writes().map(({ query }) => [query.get("dryRun"), query.get("fieldManager")]),
        [["All", "manager"]],
      );
    });

    it("are replacements where the rehearsal is refused for what cannot change", async () => {
      await configured();
      const message = "Forbidden: updates to statefulset spec for fields other than 'replicas', 'template' are forbidden";
      api = (request) =>
        request.path !== path
          ? undefined
          : request.method === "GET"
            ? { body: {} }
            : { code: 422, body: status(422, "Invalid", message, [{ reason: "FieldValueForbidden", message, field: "spec" }]) };
      const { changes, deleteBeforeReplace } = await diff({ replicas: 1, ordinals: { start: 0 } }, { replicas: 2, ordinals: { start: 1 } });
      assert.deepEqual(
        changes.map(({ path, replaces }) => [path, replaces]),
        [
          ["spec.replicas", false],
          ["spec.ordinals.start", true],
        ],
      );
      assert.equal(deleteBeforeReplace, true);
    });

    it("are replacements by rule where nobody can be asked, creating first where the name is new", async () => {
      await configured();
      const { changes, deleteBeforeReplace } = await diff({ serviceName: "a" }, { serviceName: unknown }, { ...place, name: "other" });
      assert.deepEqual(
        changes.map(({ replaces }) => replaces),
        [true, true],
      );
      assert.equal(deleteBeforeReplace, false);
      assert.deepEqual(writes(), []);
    });
  });

  describe("previews of a creation", () => {
    const inputs = (name = "config"): ValueMap => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: "ns", name },
      data: { a: new Secret("secret-text") },
    });

    it("are rehearsals, with warnings told and what is invented left unknown", async () => {
      await configured();
      api = (request) =>
        request.path === configMaps
          ? { code: 201, body: { ...(isJsonObject(request.body) ? request.body : {}), added: 1 }, headers: { Warning: '299 - "careful"' } }
          : undefined;
      const { id, outputs } = await create("core/v1:ConfigMap", inputs(), true);
      assert.equal(id, "");
      assert.deepEqual([outputs.added, outputs.data], [1, { a: new Secret("secret-text") }]);
      assert.ok(at(outputs, "metadata", "uid") instanceof Unknown);
      assert.deepEqual(messages, ["warning: careful"]);
      assert.equal(writes()[0]?.query.get("dryRun"), "All");
    });

    it("are the inputs where something is unknown", async () => {
      await configured();
      const { outputs } = await create("core/v1:ConfigMap", { ...inputs(), data: { a: unknown } }, true);
      assert.deepEqual(outputs.data, { a: unknown });
      assert.deepEqual(writes(), []);
    });

    it("validate in another namespace while their own is not there", async () => {
      await configured();
      const cause = { reason: "FieldValueInvalid", message: 'Invalid value: "secret-text": no', field: "data[a]" };
      api = ({ path, method }) => {
        if (method !== "POST") {
          return undefined;
        }
        return path === configMaps
          ? { code: 404, body: status(404, "NotFound", 'namespaces "ns" not found') }
          : { code: 422, body: status(422, "Invalid", `data[a]: ${cause.message}`, [cause]) };
      };
      await assert.rejects(create("core/v1:ConfigMap", inputs(), true), (error: Error) =>
        /data\[a\]: Invalid value: "\[secret\]"/.test(error.message),
      );
      const [, second] = writes();
      assert.equal(second?.path, "/api/v1/namespaces/own/configmaps");
      assert.equal(at(second?.body as JsonObject, "metadata", "namespace"), "own");
    });

    it("do not mind what only that other namespace forbids", async () => {
      await configured();
      api = ({ path, method }) =>
        method !== "POST"
          ? undefined
          : path === configMaps
            ? { code: 404, body: status(404, "NotFound", "no namespace") }
            : { code: 403, body: status(403, "Forbidden", "exceeded quota") };
      assert.deepEqual((await create("core/v1:ConfigMap", inputs(), true)).outputs.data, { a: new Secret("secret-text") });
    });

    it("mind an object that exists, unless the stack knows it", async () => {
      await configured();
      api = ({ method, body }) =>
        method === "POST" && textAt(body as JsonObject, "metadata", "name") === "config"
          ? { code: 409, body: status(409, "AlreadyExists", "exists") }
          : method === "POST"
            ? { body: {} }
            : undefined;
      await assert.rejects(create("core/v1:ConfigMap", inputs(), true), /ConfigMap ns\/config exists already/);
      await check("core/v1:ConfigMap", inputs(), inputs());
      assert.deepEqual((await create("core/v1:ConfigMap", inputs(), true)).outputs.data, { a: new Secret("secret-text") });
    });
  });

  describe("creations", () => {
    const inputs: ValueMap = { apiVersion: "v1", kind: "ConfigMap", metadata: place, data: { a: "b" } };
    const managed = (manager: string, operation: string) => ({
      metadata: {
        ...place,
        uid: "u",
        resourceVersion: "7",
        managedFields: [
          { manager, operation, fieldsV1: {} },
          { manager: "kubelet", operation: "Update" },
        ],
      },
      data: { a: "b" },
    });

    it("make their fields applied ones, so that the first apply can take them back", async () => {
      await configured();
      let manager = "";
      api = ({ method, query, path }) => {
        if (method === "POST") {
          manager = query.get("fieldManager") ?? "";
          return { code: 201, body: managed(manager, "Update") };
        }
        return method === "PATCH" && path === `${configMaps}/config` ? { body: managed(manager, "Apply") } : undefined;
      };
      const { id, outputs } = await create("core/v1:ConfigMap", inputs, false);
      assert.equal(id, "ns/config");
      assert.match(manager, /^pulumi-kubernetes-[0-9a-f]{8}$/);
      assert.equal(outputs.__fieldManager, manager);
      assert.equal(at(outputs, "metadata", "managedFields"), undefined);
      const [, patch] = writes();
      assert.deepEqual(patch?.body, [
        {
          op: "replace",
          path: "/metadata/managedFields",
          value: [
            { manager, operation: "Apply", fieldsV1: {} },
            { manager: "kubelet", operation: "Update" },
          ],
        },
        { op: "replace", path: "/metadata/resourceVersion", value: "7" },
      ]);
    });

    it("are in the state even if they are cancelled right after", async () => {
      await configured();
      api = ({ method, query }) => {
        if (method === "POST") {
          provider.cancel();
          return { code: 201, body: managed(query.get("fieldManager") ?? "", "Update") };
        }
        return method === "PATCH" ? { code: 503 } : undefined;
      };
      await assert.rejects(create("core/v1:ConfigMap", inputs, false), (error) => {
        assert.ok(error instanceof InitializationFailed);
        assert.deepEqual([error.id, error.outputs.data, error.inputs], ["ns/config", { a: "b" }, inputs]);
        return true;
      });
    });

    it("know their own object when the first answer was lost", async () => {
      await configured();
      let attempts = 0;
      let manager = "";
      api = ({ method, query }) => {
        if (method === "POST") {
          attempts++;
          manager = query.get("fieldManager") ?? "";
          return attempts === 1 ? { cut: true } : { code: 409, body: status(409, "AlreadyExists", "exists") };
        }
        return method === "PATCH" || fake.received.at(-1)?.path === `${configMaps}/config`
          ? { body: managed(manager, method === "PATCH" ? "Apply" : "Update") }
          : undefined;
      };
      assert.equal((await create("core/v1:ConfigMap", inputs, false)).id, "ns/config");
      assert.equal(attempts, 2);
    });
  });

  describe("deletions", () => {
    const remove = (outputs: ValueMap, annotations: ValueMap = {}) =>
      provider.delete({
        ...resource("core/v1:ConfigMap"),
        id: "ns/config",
        inputs: { apiVersion: "v1", kind: "ConfigMap", metadata: { ...place, annotations } },
        outputs,
        timeout: 5,
      });

    it("are of that very object, dependents first unless told otherwise", async () => {
      await configured();
      api = ({ method }) => (method === "DELETE" ? { body: { kind: "Status", status: "Success" } } : undefined);
      await remove({ metadata: { uid: "u" } });
      await remove({}, { "pulumi.com/deletionPropagationPolicy": "orphan" });
      assert.deepEqual(
        writes().map(({ body }) => [at(body as JsonObject, "propagationPolicy"), at(body as JsonObject, "preconditions", "uid")]),
        [
          ["Foreground", "u"],
          ["Orphan", undefined],
        ],
      );
      await assert.rejects(remove({}, { "pulumi.com/deletionPropagationPolicy": "none" }), /none of foreground, background, orphan/);
    });

    it("succeed when the object is gone, and leave another in its place alone", async () => {
      await configured();
      api = ({ method }) => (method === "DELETE" ? { code: 404, body: status(404, "NotFound", "gone") } : undefined);
      await remove({});
      api = ({ method }) =>
        method === "DELETE" ? { code: 409, body: status(409, "Conflict", "Precondition failed: UID in precondition") } : undefined;
      await remove({ metadata: { uid: "u" } });
      assert.match(messages.join(), /replaced outside of this stack/);
    });

    it("wait for one that is under way already", async () => {
      await configured();
      api = ({ method, path, query }) => {
        if (method === "DELETE") {
          return { code: 409, body: status(409, "Conflict", "The system is ensuring all content is removed") };
        }
        if (path === `${configMaps}/config`) {
          return { body: { metadata: { uid: "u", deletionTimestamp: "now" } } };
        }
        return path === configMaps && query.get("watch") === null ? { body: { items: [] } } : undefined;
      };
      await remove({ metadata: { uid: "u" } });
    });
  });
});

describe("the time an operation may take", () => {
  it("is what the options say, else the annotation, else ten minutes", () => {
    const annotated = { metadata: { annotations: { "pulumi.com/timeoutSeconds": "30" } } };
    assert.equal(timeoutOf(annotated, 5), 5);
    assert.equal(timeoutOf(annotated, 0), 30);
    assert.equal(timeoutOf({}, 0), 600);
    assert.throws(() => timeoutOf({ metadata: { annotations: { "pulumi.com/timeoutSeconds": "-1" } } }, 0));
  });
});
