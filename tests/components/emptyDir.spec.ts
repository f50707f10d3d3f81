import assert from "node:assert/strict";
import { parse } from "yaml";
import { CLAIMS, type Overrides, objects, prometheusSets, rejection, run, together } from "../harness";

const EMPTY: Overrides = { prometheus: { storage: { hostPath: undefined, pvc: undefined, emptyDir: { size: "5Gi" } } } };

describe("a Prometheus without a volume", () => {
  it("keeps its log in its pod, within a size, and makes no claim and no directory", async () => {
    const made = await run("prod", EMPTY);
    const [set] = prometheusSets(made);
    const { volumes, containers } = set?.spec.template.spec ?? { volumes: [], containers: [] };
    assert.deepEqual(volumes?.find(({ name }) => name === "data")?.emptyDir, { sizeLimit: "5Gi" });
    // Above its containers' limits a pod is evicted, whatever the directory may hold.
    assert.equal(containers[0]?.resources.limits["ephemeral-storage"], `${512 + 5 * 1_024}Mi`);
    assert.ok(containers[0]?.volumeMounts?.some(({ name, mountPath }) => name === "data" && mountPath === "/prometheus"));
    assert.equal(set?.spec.volumeClaimTemplates, undefined);
    assert.equal(set?.spec.persistentVolumeClaimRetentionPolicy, undefined);
    assert.equal(
      objects(await run("dev", together(EMPTY)), "PersistentVolume").filter(({ metadata }) => metadata.name.includes("prometheus")).length,
      0,
    );
  });

  it("is fine for agents too, and says at preview what it loses", async () => {
    const made = await run("dev", together(EMPTY, { prometheus: { mode: "agent" } }));
    assert.ok(made.messages.some((message) => /Prometheus keeps its log in its pods.*up to 2h while the ring is away/.test(message)));
    const { messages } = await run("dev", CLAIMS);
    assert.ok(!messages.some((message) => /keeps its log in its pods/.test(message)));
  });

  it("is refused where nobody else has the samples", async () => {
    const { problems } = await rejection("dev", { ...EMPTY, ingestion: "sidecar" });
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", /prometheus\.storage\.emptyDir = \{"size":"5Gi"\}: in the sidecar scheme.*leave them behind/);
  });

  it("has one storage, and a size", async () => {
    const two = await rejection("dev", { prometheus: { storage: { emptyDir: { size: "5Gi" } } } });
    assert.match(two.message, /exactly one of hostPath, pvc and emptyDir/);
    const none = await rejection("dev", { prometheus: { storage: { hostPath: undefined, emptyDir: { size: "1Mi" } } } });
    assert.match(none.message, /prometheus\.storage\.emptyDir\.size = "1Mi": .*1Gi or more/);
    // Receivers hold what nobody else does.
    const receivers = await rejection("dev", { receive: { storage: { hostPath: undefined, emptyDir: { size: "5Gi" } } } });
    assert.match(receivers.message, /receive\.storage\.emptyDir = .*there is no such key/);
  });
});

describe("prometheus: what it scrapes and who it is", () => {
  it("takes native histograms, since it sends them, and keeps the buckets that dashboards ask for", async () => {
    for (const stack of ["dev", "prod"] as const) {
      const config = objects(await run(stack), "ConfigMap").find(({ data }) => data["prometheus.yml"] !== undefined);
      const { global } = parse(config?.data["prometheus.yml"] ?? "") as { global: Record<string, unknown> };
      assert.equal(global.scrape_native_histograms, true);
      assert.equal(global.always_scrape_classic_histograms, true);
    }
  });

  it("has the annotations of its service account that an environment gives it, and the bucket's beside sidecars", async () => {
    const role = { "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/discovery" };
    const accounts = async (overrides: Overrides) =>
      Object.fromEntries(
        (objects(await run("prod", overrides), "ServiceAccount") as { metadata: { name: string; annotations?: object } }[]).map(
          ({ metadata }) => [metadata.name, metadata.annotations],
        ),
      );
    const ring = await accounts({ prometheus: { serviceAccountAnnotations: role } });
    assert.deepEqual(ring.prometheus, role);
    assert.deepEqual(ring["thanos-receive"], undefined);
    const both = await accounts({
      ingestion: "sidecar",
      objectStorage: { serviceAccountAnnotations: { "a.example/b": "c" } },
      prometheus: { serviceAccountAnnotations: role },
    });
    assert.deepEqual(both.prometheus, { "a.example/b": "c", ...role });
    assert.deepEqual(both["thanos-store-gateway"], { "a.example/b": "c" });
    const { message } = await rejection("prod", { prometheus: { serviceAccountAnnotations: { "a b": "c" } } });
    assert.match(message, /prometheus\.serviceAccountAnnotations\.a b.*an annotation's name/);
  });
});
