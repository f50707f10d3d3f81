import assert from "node:assert/strict";
import type { HttpRequest, Transport } from "../../../clients/transport";
import { readPreview } from "../../../commands/report/preview";
import { clusterOf, rehearsalNotes } from "../../../commands/report/rehearsal";

const object = (type: string, namespace?: string) => {
  const [apiVersion = "", kind = ""] = type.replace(/^core\//, "").split(":");
  return { type: `kubernetes:${type}`, inputs: { apiVersion, kind, metadata: { name: "x", ...(namespace && { namespace }) } } };
};

const plan = (...steps: [op: string, type: string, namespace?: string][]) =>
  readPreview(
    JSON.stringify({
      config: { "thanos-stack:cluster": '{"context":"prod","kubeconfig":"/home/ci/config"}' },
      steps: steps.map(([op, type, namespace], index) => ({ op, urn: `urn:${index}`, newState: object(type, namespace) })),
      changeSummary: { update: 1 },
    }),
  );

interface Review {
  spec: { resourceAttributes: { verb: string; group: string; resource: string; namespace?: string } };
}

/** An API server that allows what it is told to. */
function server(allowed: (right: string) => boolean) {
  const asked: string[] = [];
  const served: Record<string, [name: string, kind: string][]> = {
    "/api/v1": [
      ["configmaps", "ConfigMap"],
      ["namespaces", "Namespace"],
      ["namespaces/status", "Namespace"],
    ],
    "/apis/apps/v1": [
      ["statefulsets/scale", "StatefulSet"],
      ["statefulsets", "StatefulSet"],
    ],
  };
  const api: Transport = {
    description: "API server",
    send: async ({ method, path, body }: HttpRequest) => {
      if (method === "GET") {
        const resources = served[path]?.map(([name, kind]) => ({ name, kind }));
        return { status: resources === undefined ? 404 : 200, body: JSON.stringify({ resources }), headers: {} };
      }
      const { verb, group, resource, namespace } = (JSON.parse(String(body)) as Review).spec.resourceAttributes;
      const right = `${verb} ${group}/${resource}${namespace === undefined ? "" : ` ${namespace}`}`;
      asked.push(right);
      return { status: 201, body: JSON.stringify({ status: { allowed: allowed(right) } }), headers: {} };
    },
  } as Transport;
  return { api: () => api, asked };
}

describe("what the API server could not check", () => {
  it("is nothing where the account may do what it previews", async () => {
    const { api, asked } = server(() => true);
    const preview = plan(["update", "apps/v1:StatefulSet", "ns"], ["create", "core/v1:ConfigMap", "ns"], ["same", "core/v1:Namespace"]);
    assert.deepEqual(await rehearsalNotes(preview, api), []);
    assert.deepEqual(asked.sort(), ["create /configmaps ns", "patch /configmaps ns", "patch apps/statefulsets ns"]);
  });

  it("is said with the rights that are missing, each asked for once", async () => {
    const { api, asked } = server((right) => right.startsWith("patch apps/"));
    const preview = plan(
      ["update", "apps/v1:StatefulSet", "ns"],
      ["update", "core/v1:ConfigMap", "ns"],
      ["create-replacement", "core/v1:ConfigMap", "ns"],
      ["create", "core/v1:Namespace"],
    );
    assert.deepEqual(await rehearsalNotes(preview, api), [
      "The API server did not check 3 of the 4 changes, which are as the program has them: this account may not rehearse them (patch configmaps in ns, create configmaps in ns, create namespaces, patch namespaces).",
    ]);
    assert.equal(new Set(asked).size, asked.length);
  });

  it("is asked of nobody where nothing changes", async () => {
    const preview = plan(["same", "apps/v1:StatefulSet", "ns"], ["delete", "core/v1:ConfigMap", "ns"]);
    assert.deepEqual(await rehearsalNotes(preview, () => assert.fail("nobody is asked")), []);
  });

  it("leaves out what is not served yet, and asks for the whole cluster where the namespace is not known", async () => {
    const { api, asked } = server(() => false);
    assert.deepEqual(await rehearsalNotes(plan(["create", "example.com/v1:Thing", "ns"]), api), []);
    await rehearsalNotes(plan(["update", "apps/v1:StatefulSet", "04da6b54-80e4-46f7-96ec-b56ff0331ba9"]), api);
    assert.deepEqual(asked, ["patch apps/statefulsets"]);
  });

  it("is not known where it can't be asked", async () => {
    const [note] = await rehearsalNotes(plan(["update", "apps/v1:StatefulSet", "ns"]), async () => {
      throw new Error("no such context");
    });
    assert.match(note ?? "", /is not known, since it could not be asked what this account may: no such context/);
  });

  it("is asked of the cluster that was previewed", () => {
    assert.deepEqual(clusterOf(plan()), { context: "prod", kubeconfig: "/home/ci/config" });
    assert.equal(clusterOf({ ...plan(), config: {} }), undefined);
    assert.equal(clusterOf({ ...plan(), config: { "thanos-stack:cluster": "[secret]" } }), undefined);
  });
});
