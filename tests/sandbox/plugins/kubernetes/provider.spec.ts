import assert from "node:assert/strict";
import { KubernetesProvider } from "../../../../sandbox/plugins/kubernetes/provider";
import { timeoutOf } from "../../../../sandbox/plugins/kubernetes/session";
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

    it("say nothing of an object that exists: it may be replaced, and the update says so where it isn't", async () => {
      await configured();
      api = ({ method, body }) =>
        method === "POST" && textAt(body as JsonObject, "metadata", "name") === "config"
          ? { code: 409, body: status(409, "AlreadyExists", "exists") }
          : method === "POST"
            ? { body: {} }
            : undefined;
      assert.deepEqual((await create("core/v1:ConfigMap", inputs(), true)).outputs.data, { a: new Secret("secret-text") });
      assert.deepEqual(messages, []);
    });

    it("are silent where this user may not rehearse them", async () => {
      await configured();
      api = ({ method }) =>
        method === "POST"
          ? { code: 403, body: status(403, "Forbidden", 'configmaps is forbidden: User "reader" cannot create resource') }
          : undefined;
      assert.deepEqual((await create("core/v1:ConfigMap", inputs(), true)).outputs.data, { a: new Secret("secret-text") });
      assert.deepEqual(messages, []);
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

    it("name no manager of their own, and leave the object as they made it", async () => {
      await configured();
      api = ({ method, query }) =>
        method === "POST" ? { code: 201, body: managed(query.get("fieldManager") ?? "", "Update") } : undefined;
      const { id, outputs } = await create("core/v1:ConfigMap", inputs, false);
      assert.equal(id, "ns/config");
      assert.match(String(outputs.__fieldManager), /^pulumi-kubernetes-[0-9a-f]{8}$/);
      assert.equal(at(outputs, "metadata", "managedFields"), undefined);
      const sent = writes();
      assert.deepEqual(
        sent.map(({ method, query }) => [method, query.get("fieldManager")]),
        [["POST", "pulumi-kubernetes"]],
      );
    });

    it("fail where the object exists, whoever made it", async () => {
      await configured();
      api = ({ method, path }) =>
        method === "POST"
          ? { code: 409, body: status(409, "AlreadyExists", "exists") }
          : path === `${configMaps}/config`
            ? { body: managed("pulumi-kubernetes", "Update") }
            : undefined;
      await assert.rejects(create("core/v1:ConfigMap", inputs, false), /ConfigMap ns\/config already exists/);
    });

    it("know their own object when the first answer was lost", async () => {
      await configured();
      let attempts = 0;
      api = ({ method, path }) => {
        if (method === "POST") {
          attempts++;
          return attempts === 1 ? { cut: true } : { code: 409, body: status(409, "AlreadyExists", "exists") };
        }
        return path === `${configMaps}/config` ? { body: managed("pulumi-kubernetes", "Update") } : undefined;
      };
      assert.equal((await create("core/v1:ConfigMap", inputs, false)).id, "ns/config");
      assert.equal(attempts, 2);
    });
  });

  describe("updates", () => {
    const inputs = (data: ValueMap): ValueMap => ({ apiVersion: "v1", kind: "ConfigMap", metadata: place, data });
    const own = "pulumi-kubernetes-0a1b2c3d";
    const field = (name: string) => ({ "f:data": { [`f:${name}`]: {} } });
    const update = (oldData: ValueMap, newData: ValueMap) =>
      provider.update({
        ...resource("core/v1:ConfigMap"),
        id: "ns/config",
        oldInputs: inputs(oldData),
        oldOutputs: { ...inputs(oldData), __fieldManager: own },
        newInputs: inputs(newData),
        ignoreChanges: [],
        preview: false,
        timeout: 5,
      });

    it("first take over what the creation set, and what kubectl did, with what they have applied before", async () => {
      await configured();
      const managedFields = [
        { manager: own, operation: "Apply", fieldsV1: field("a") },
        { manager: "pulumi-kubernetes", operation: "Update", fieldsV1: field("b") },
        { manager: "kubectl-client-side-apply", operation: "Update", fieldsV1: field("c") },
        { manager: "kubelet", operation: "Update", fieldsV1: field("d") },
        { manager: "pulumi-kubernetes", operation: "Update", subresource: "status", fieldsV1: {} },
      ];
      const body = { metadata: { ...place, uid: "u", resourceVersion: "7", managedFields }, data: { a: "b" } };
      api = ({ method, path }) => (method !== "GET" || path === `${configMaps}/config` ? { body } : undefined);
      await update({ a: "1" }, { a: "2" });
      const [first, second] = writes();
      assert.deepEqual(first?.body, [
        {
          op: "replace",
          path: "/metadata/managedFields",
          value: [
            managedFields[3],
            managedFields[4],
            { manager: own, operation: "Apply", fieldsV1: { "f:data": { "f:a": {}, "f:b": {}, "f:c": {} } } },
          ],
        },
        { op: "replace", path: "/metadata/resourceVersion", value: "7" },
      ]);
      assert.deepEqual([second?.query.get("fieldManager"), second?.query.get("force")], [own, "false"]);
    });

    it("take nothing over a second time", async () => {
      await configured();
      const managedFields = [{ manager: own, operation: "Apply", fieldsV1: field("a") }];
      const body = { metadata: { ...place, uid: "u", resourceVersion: "7", managedFields }, data: { a: "b" } };
      api = ({ method, path }) => (method !== "GET" || path === `${configMaps}/config` ? { body } : undefined);
      await update({ a: "1" }, { a: "2" });
      assert.equal(writes().length, 1);
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
