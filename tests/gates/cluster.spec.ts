import assert from "node:assert/strict";
import { join } from "node:path";
import { execa } from "execa";
import { connectCluster } from "../../clients/cluster";
import { ForbiddenError } from "../../clients/transport";
import { clusterBehind } from "../../gates/cluster";
import { type Forwardings, forwardPorts } from "../clients/fakeForwarding";
import { kubeconfigOf } from "../clients/kubeconfigOf";
import { type CannedAnswer, type Loopback, startLoopback } from "../clients/loopback";

describe("gates: the cluster", () => {
  let server: Loopback;
  let pod: Loopback;
  let forwards: Forwardings;
  let answers: Record<string, CannedAnswer>;

  beforeEach(async () => {
    answers = {};
    server = await startLoopback(({ method, path }) => answers[`${method} ${path}`] ?? { status: 404, body: "{}" });
    pod = await startLoopback(({ method, path }) => answers[`pod ${method} ${path}`] ?? { status: 404, body: "{}" });
    forwards = forwardPorts(server.server, () => ({ to: pod.url }));
  });
  afterEach(() => Promise.all([server.close(), pod.close()]));

  const cluster = () => clusterBehind(() => connectCluster({ context: "dev", kubeconfig: kubeconfigOf(server.url) }), "ns");
  const json = (value: unknown): CannedAnswer => ({ body: JSON.stringify(value) });
  const CLAIMS = "/api/v1/namespaces/ns/persistentvolumeclaims";

  it("is not asked before something is wanted of it", () => {
    clusterBehind(() => assert.fail("connected"), "ns");
  });

  it("has no client of Kubernetes loaded before that, which a preview would wait for", async function () {
    this.timeout(120_000);
    const loadedBy = async (file: string): Promise<number> => {
      const count = "Object.keys(require.cache).filter((loaded) => /client-node|node_modules.ws/.test(loaded)).length";
      const script = `require("./${file}"); console.log(${count})`;
      const cwd = join(__dirname, "..", "..");
      return Number((await execa("node", ["-r", "ts-node/register/transpile-only", "-e", script], { cwd })).stdout);
    };
    assert.equal(await loadedBy("gates/cluster"), 0);
    assert.ok((await loadedBy("clients/cluster")) > 1);
  });

  it("says what there is of its namespace", async () => {
    assert.equal(await cluster().namespace(), undefined);
    const labels = { team: "platform" };
    answers["GET /api/v1/namespaces/ns"] = json({ metadata: { name: "ns", labels, deletionTimestamp: "2026-01-01T00:00:00Z" } });
    assert.deepEqual(await cluster().namespace(), { name: "ns", labels, deletionTimestamp: "2026-01-01T00:00:00Z" });
    answers["GET /api/v1/namespaces/ns"] = { status: 403, body: "no" };
    await assert.rejects(cluster().namespace(), ForbiddenError);
  });

  it("reads a Secret and cert-manager's word of a certificate by name, and says where there is none", async () => {
    assert.deepEqual([await cluster().secret("a"), await cluster().certificate("a")], [undefined, undefined]);
    answers["GET /api/v1/namespaces/ns/secrets/a"] = json({ data: { "tls.crt": "eA==" } });
    assert.deepEqual((await cluster().secret("a"))?.data, { "tls.crt": "eA==" });
    const issuer = { name: "inside" };
    answers["GET /apis/cert-manager.io/v1/namespaces/ns/certificates/a"] = json({
      spec: { issuerRef: issuer },
      status: { notAfter: "2027-01-01T00:00:00Z" },
    });
    assert.deepEqual(await cluster().certificate("a"), { issuer, notAfter: "2027-01-01T00:00:00Z" });
    answers["GET /api/v1/namespaces/ns/secrets/a"] = { status: 403, body: "no" };
    await assert.rejects(cluster().secret("a"), ForbiddenError);
  });

  it("finds the stack's running pods by their labels, beside pods of others", async () => {
    const pod = (name: string, phase: string, deletionTimestamp?: string) => ({ metadata: { name, deletionTimestamp }, status: { phase } });
    const items = [pod("a", "Running"), pod("b", "Pending"), pod("c", "Running", "2026-01-01T00:00:00Z")];
    answers["GET /api/v1/namespaces/ns/pods"] = json({ items });
    assert.deepEqual(await cluster().pods({ app: "receive" }), ["a"]);
    assert.equal(server.requests.at(-1)?.query.get("labelSelector"), "app=receive,app.kubernetes.io/part-of=thanos-stack");
  });

  it("says why a pod is not Ready, as Kubernetes says it", async () => {
    const trouble = (metadata: object, status: object = {}) => {
      answers["GET /api/v1/namespaces/ns/pods/one"] = json({ metadata: { name: "one", ...metadata }, status });
      return cluster().podTrouble("one");
    };
    const condition = (type: string, status: string, rest: object = {}) => ({ conditions: [{ type, status, ...rest }] });
    const waiting = (reason: string, message?: string) => [{ name: "main", state: { waiting: { reason, message } } }];
    assert.equal(await trouble({}, condition("Ready", "True")), undefined);
    assert.equal(await trouble({ deletionTimestamp: "2026-01-01T00:00:00Z" }, condition("Ready", "True")), "ending");
    assert.equal(
      await trouble({}, condition("PodScheduled", "False", { reason: "Unschedulable", message: "0/3 nodes are available" })),
      "not scheduled: 0/3 nodes are available",
    );
    assert.equal(await trouble({}, { containerStatuses: waiting("ContainerCreating") }), "not Ready");
    assert.equal(
      await trouble({}, { containerStatuses: waiting("ImagePullBackOff", "no such image") }),
      "main is not running: ImagePullBackOff: no such image",
    );
    assert.equal(await trouble({}, { initContainerStatuses: waiting("CrashLoopBackOff") }), "main is not running: CrashLoopBackOff");
    const ended = (reason: string) => [{ name: "main", state: { terminated: { reason, exitCode: 1 } } }];
    assert.equal(await trouble({}, { containerStatuses: ended("OOMKilled") }), "main is not running: OOMKilled");
    assert.equal(await trouble({}, { initContainerStatuses: ended("Completed") }), "not Ready");
    assert.equal(await trouble({}, condition("Ready", "False")), "not Ready");
    assert.equal(await cluster().podTrouble("away"), "there is no such pod");
  });

  it("applies a StatefulSet on the server, as the manager that it is given", async () => {
    const path = "/apis/apps/v1/namespaces/ns/statefulsets/thanos-receive";
    const statefulSet = { metadata: { name: "thanos-receive" }, spec: { replicas: 5, template: { spec: { containers: [] } } } };
    answers[`PATCH ${path}`] = json({});
    await cluster().applyStatefulSet(statefulSet, "pulumi-kubernetes-1");
    const [request] = server.requests;
    assert.equal(request?.headers["content-type"], "application/apply-patch+yaml");
    assert.equal(request?.query.toString(), "fieldManager=pulumi-kubernetes-1&force=true&fieldValidation=Strict");
    assert.deepEqual(JSON.parse(request?.body.toString() ?? ""), { apiVersion: "apps/v1", kind: "StatefulSet", ...statefulSet });
    answers[`PATCH ${path}`] = { status: 403, body: "statefulsets is forbidden" };
    await assert.rejects(
      cluster().applyStatefulSet(statefulSet, "pulumi-kubernetes-1"),
      (error: Error) => error instanceof ForbiddenError && /answered 403 to PATCH .*: statefulsets is forbidden/.test(error.message),
    );
  });

  it("says what is left of a StatefulSet that is to have no pod, those that are ending and an old word of its controller too", async () => {
    const path = "/apis/apps/v1/namespaces/ns/statefulsets/thanos-compactor";
    assert.deepEqual(await cluster().remains("thanos-compactor"), []);
    const pod = (name: string, uid: string, rest: object = {}) => ({ metadata: { name, ownerReferences: [{ uid }], ...rest } });
    const set = (observedGeneration: number, replicas: number) =>
      json({ metadata: { uid: "s", generation: 4 }, status: { observedGeneration, replicas } });
    const ending = pod("thanos-compactor-1", "s", { deletionTimestamp: "2026-01-01T00:00:00Z" });
    answers["GET /api/v1/namespaces/ns/pods"] = json({ items: [pod("other-0", "o"), pod("thanos-compactor-0", "s"), ending] });
    answers[`GET ${path}`] = set(4, 2);
    const word = "word from the controller of thanos-compactor";
    assert.deepEqual(await cluster().remains("thanos-compactor"), ["thanos-compactor-0", "thanos-compactor-1", word]);
    answers["GET /api/v1/namespaces/ns/pods"] = json({ items: [pod("other-0", "o")] });
    answers[`GET ${path}`] = set(3, 0);
    assert.deepEqual(await cluster().remains("thanos-compactor"), [word]);
    answers[`GET ${path}`] = set(4, 0);
    assert.deepEqual(await cluster().remains("thanos-compactor"), []);
  });

  it("applies a part of a Deployment, counts its pods that are available, and removes what scales it, if anything does", async () => {
    const path = "/apis/apps/v1/namespaces/ns/deployments/thanos-querier";
    const scaler = "/apis/autoscaling/v2/namespaces/ns/horizontalpodautoscalers/thanos-querier";
    assert.equal(await cluster().availablePods("thanos-querier"), 0);
    answers[`GET ${path}`] = json({ status: { availableReplicas: 2 } });
    assert.equal(await cluster().availablePods("thanos-querier"), 2);
    await cluster().removeAutoscaler("thanos-querier");
    answers[`DELETE ${scaler}`] = { status: 403, body: "no" };
    await assert.rejects(cluster().removeAutoscaler("thanos-querier"), ForbiddenError);
    answers[`PATCH ${path}`] = json({});
    const part = { metadata: { name: "thanos-querier" }, spec: { replicas: 3 } };
    await cluster().applyDeployment(part, "somebody");
    const request = server.requests.at(-1);
    assert.equal(request?.query.toString(), "fieldManager=somebody&force=true&fieldValidation=Strict");
    assert.deepEqual(JSON.parse(request?.body.toString() ?? ""), { apiVersion: "apps/v1", kind: "Deployment", ...part });
  });

  it("has a receiver's metrics, each sample and their sums", async () => {
    answers["pod GET /metrics"] = { body: 'chunks{tenant="a"} 3\nchunks{tenant="b"} 4\nother 5\n' };
    assert.equal((await cluster().metrics("thanos-receive-0")).length, 3);
    assert.equal(await cluster().metric("thanos-receive-0", "chunks"), 7);
    assert.equal(await cluster().metric("thanos-receive-0", "chunks", { tenant: "b" }), 4);
    assert.deepEqual(new Set(forwards.asked), new Set(["ns/thanos-receive-0:10902"]));
    answers = {};
    await assert.rejects(cluster().metrics("thanos-receive-1"), /thanos-receive-1 answered 404/);
  });

  it("has the claims of one StatefulSet, in the order of its pods", async () => {
    const item = (name: string, rest: object = {}) => ({
      metadata: { name },
      spec: { storageClassName: "fast", resources: { requests: { storage: "50Gi" } } },
      status: { phase: "Bound", capacity: { storage: "50Gi" } },
      ...rest,
    });
    answers[`GET ${CLAIMS}`] = json({
      items: [
        item("data-thanos-receive-10"),
        item("data-thanos-receive-2", {
          status: {
            phase: "Bound",
            capacity: { storage: "20Gi" },
            allocatedResourceStatuses: { storage: "ControllerResizeInProgress" },
            conditions: [
              { type: "Resizing", status: "True", message: "" },
              { type: "ControllerResizeError", status: "True", message: "quota" },
              { type: "FileSystemResizePending", status: "False", message: "old" },
            ],
          },
        }),
        item("data-thanos-receive-3", { spec: { storageClassName: "" }, status: {} }),
        item("data-thanos-receive-z1-0"),
        item("other-thanos-receive-0"),
      ],
    });
    assert.deepEqual(await cluster().claims("thanos-receive"), [
      {
        name: "data-thanos-receive-2",
        phase: "Bound",
        storageClass: "fast",
        requested: "50Gi",
        capacity: "20Gi",
        resize: ["ControllerResizeInProgress", "Resizing", "ControllerResizeError: quota"],
      },
      { name: "data-thanos-receive-3", phase: "Pending", requested: "0", resize: [] },
      { name: "data-thanos-receive-10", phase: "Bound", storageClass: "fast", requested: "50Gi", capacity: "50Gi", resize: [] },
    ]);
  });

  it("says whether a class lets volumes grow; one that does not say so does not", async () => {
    const path = "GET /apis/storage.k8s.io/v1/storageclasses";
    answers[`${path}/fast`] = json({ provisioner: "ebs.csi.aws.com", allowVolumeExpansion: true });
    answers[`${path}/slow`] = json({ provisioner: "nfs" });
    assert.deepEqual(await cluster().volumeClass("fast"), { provisioner: "ebs.csi.aws.com", allowsExpansion: true });
    assert.deepEqual(await cluster().volumeClass("slow"), { provisioner: "nfs", allowsExpansion: false });
    assert.equal(await cluster().volumeClass("none"), undefined);
  });

  it("lets a claim ask for another size and for nothing else", async () => {
    answers[`PATCH ${CLAIMS}/data-x-0`] = json({});
    await cluster().requestSize("data-x-0", "100Gi");
    const [request] = server.requests;
    assert.equal(request?.headers["content-type"], "application/merge-patch+json");
    assert.deepEqual(JSON.parse(request?.body.toString() ?? ""), { spec: { resources: { requests: { storage: "100Gi" } } } });
    await assert.rejects(cluster().requestSize("data-x-1", "100Gi"), /there is no claim data-x-1/);
    answers[`PATCH ${CLAIMS}/data-x-0`] = { status: 422, body: "field can not be less than status.capacity" };
    await assert.rejects(cluster().requestSize("data-x-0", "1Gi"), /answered 422 to PATCH .*can not be less/);
  });
});
