import assert from "node:assert/strict";
import { manifestsOf } from "../commands/manifests";
import { type ProgramRun, type RegisteredResource, runProgram } from "../commands/program";
import { readOutputs, remoteWriteUrl } from "../outputs";
import { PLANS } from "./components/plans";
import { configOf, container, type Overrides, object, objects, receiverSets, resource, run, STACKS, workloads } from "./harness";

const PROVIDER = "pulumi:providers:kubernetes";
const isKubernetes = (each: RegisteredResource) => each.type.startsWith("kubernetes:");
const title = (each: RegisteredResource) => `${each.type}::${each.name}`;

for (const { title: plan, stack, overrides } of PLANS) {
  describe(`program: ${plan}`, () => {
    let made: ProgramRun;
    before(async () => {
      made = await run(stack, overrides);
    });

    it("makes one provider, for the cluster and context that the configuration names", () => {
      const providers = made.resources.filter((each) => each.type.startsWith("pulumi:providers:"));
      assert.deepEqual(providers.map(title), [`${PROVIDER}::cluster`]);
      const inputs = providers[0]?.inputs ?? {};
      assert.equal(inputs.context, stack);
      assert.equal(inputs.clusterIdentifier, stack);
      assert.equal(String(inputs.enableConfigMapMutable), "true", "the hashrings are changed in place");
      assert.ok(typeof inputs.kubeconfig === "string" && inputs.kubeconfig !== "");
    });

    it("gives every Kubernetes object that provider, and never a default one", () => {
      const reference = new Set(made.resources.filter(isKubernetes).map((each) => each.options.provider));
      assert.equal(reference.size, 1, [...reference].join(", "));
      assert.match([...reference][0] ?? "", /pulumi:providers:kubernetes::cluster::/);
      assert.ok(made.resources.filter(isKubernetes).length > 10);
    });

    it("puts every Kubernetes object into a component, and every component into the stack", () => {
      for (const each of made.resources) {
        const parent = each.options.parent;
        if (isKubernetes(each)) assert.match(parent, /[:$]thanos-stack:index:[A-Z][A-Za-z]+::/, title(each));
        else assert.match(parent, /pulumi:pulumi:Stack::thanos-stack-/, title(each));
      }
    });

    it("has no two resources of one name, and no two objects", () => {
      assert.equal(new Set(made.resources.map(title)).size, made.resources.length);
      const names = manifestsOf(made.resources).map(
        (manifest) => `${manifest.apiVersion} ${manifest.kind} ${manifest.metadata.namespace ?? ""}/${manifest.metadata.name}`,
      );
      assert.equal(new Set(names).size, names.length);
    });

    it("gives every object of a namespace that namespace", () => {
      const clusterWide = ["Namespace", "PersistentVolume", "ClusterRole", "ClusterRoleBinding"];
      for (const { kind, metadata } of manifestsOf(made.resources)) {
        assert.equal(metadata.namespace === undefined, clusterWide.includes(kind), `${kind} ${metadata.name} in ${metadata.namespace}`);
      }
    });

    it("labels every object as a part of this stack, and keeps names that Kubernetes takes", () => {
      for (const { kind, metadata } of manifestsOf(made.resources)) {
        const labels = (metadata.labels ?? {}) as Record<string, string>;
        assert.equal(labels["app.kubernetes.io/part-of"], "thanos-stack", `${kind} ${metadata.name}`);
        assert.match(metadata.name, /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
        for (const value of Object.values(labels)) assert.match(value, /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
      }
    });

    it("holds no key of Kubernetes objects that is null, which the provider takes for a value", () => {
      for (const manifest of manifestsOf(made.resources))
        assert.deepEqual(nullsIn(manifest), [], `${manifest.kind} ${manifest.metadata.name}`);
    });

    it("makes ConfigMaps that are immutable and named by content, except the two that change in place", () => {
      const inPlace = ["thanos-receive-hashrings", "thanos-receive-limits"];
      for (const each of made.resources.filter((one) => one.type === "kubernetes:core/v1:ConfigMap")) {
        const name = (each.inputs.metadata as { name?: string }).name;
        if (name === undefined) assert.equal(each.inputs.immutable, true, title(each));
        else {
          assert.ok(inPlace.includes(name), `${name} has a fixed name`);
          assert.notEqual(each.inputs.immutable, true, name);
        }
      }
      for (const name of inPlace) object(made, "ConfigMap", name);
    });

    it("gives outputs that the reader of app stacks accepts", () => {
      const outputs = readOutputs(made.outputs);
      assert.equal(outputs.scheme, "receive");
      assert.equal(outputs.namespace, `thanos-${stack}`);
      assert.equal(remoteWriteUrl(outputs), `http://thanos-receive.thanos-${stack}.svc.cluster.local:19291/api/v1/receive`);
      if (outputs.scheme !== "receive") return assert.fail();
      const pods = receiverSets(made).reduce((sum, set) => sum + (set.spec.replicas ?? 1), 0);
      assert.equal(outputs.ring.members.length, pods);
    });

    it("gives addresses of Services that are there, by a port that they have", () => {
      const { queryUrl, querierUrl, queryGrpcAddress, remoteWriteUrl: writeUrl } = made.outputs as Record<string, string>;
      const { service } = made.outputs.prometheus as { service: string };
      for (const address of [queryUrl, querierUrl, `grpc://${queryGrpcAddress}`, writeUrl, service]) {
        const { hostname, port } = new URL(address ?? "");
        const [name = "", namespace, svc] = hostname.split(".");
        assert.deepEqual([namespace, svc], [`thanos-${stack}`, "svc"]);
        assert.ok(
          object(made, "Service", name).spec.ports.some((each) => String(each.port) === port),
          address,
        );
      }
    });
  });
}

function nullsIn(value: unknown, path = ""): string[] {
  if (value === null) return [path];
  if (typeof value !== "object") return [];
  return Object.entries(value as object).flatMap(([key, inner]) => nullsIn(inner, `${path}.${key}`));
}

describe("program: outputs", () => {
  it("are these, and names are only ever added", async () => {
    const names = Object.keys((await run("prod")).outputs).sort();
    assert.deepEqual(names, [
      "availability",
      "defaultTenant",
      "externalLabels",
      "namespace",
      "prometheus",
      "querierUrl",
      "queryGrpcAddress",
      "queryUrl",
      "remoteWriteUrl",
      "replicaLabels",
      "ring",
      "scheme",
      "tenantHeader",
    ]);
  });

  it("hold what the environment is", async () => {
    const { outputs } = await run("prod", { prometheus: { externalLabels: { region: "eu" } } });
    assert.deepEqual(outputs.externalLabels, { cluster: "prod", region: "eu" });
    const ring = outputs.ring as { members: object[]; replicationFactor: number; algorithm: string; hash: string };
    assert.deepEqual(
      ring.members,
      ["z1", "z2", "z3"].map((zone) => ({
        address: `thanos-receive-${zone}-0.thanos-receive-peers.thanos-prod.svc.cluster.local:10901`,
        zone,
        hashring: "default",
      })),
    );
    assert.equal(ring.replicationFactor, 3);
    assert.equal(ring.algorithm, "ketama");
    assert.match(ring.hash, /^[0-9a-f]{16}$/);
    assert.deepEqual((outputs.availability as { survives: object }).survives, { nodes: 1, zones: 1 });
  });

  it("hold no credentials", async () => {
    for (const stack of STACKS) {
      for (const url of JSON.stringify((await run(stack)).outputs).match(/https?:\/\/[^"]*/g) ?? []) assert.ok(!url.includes("@"), url);
    }
  });

  it("give another hash for another ring, and the same for the same", async () => {
    const hash = async (overrides: Overrides) => ((await run("dev", overrides)).outputs.ring as { hash: string }).hash;
    const first = await hash({});
    assert.equal(await hash({ querier: { maxConcurrent: 3 } }), first);
    assert.notEqual(await hash({ receive: { replicas: 4 } }), first);
  });
});

describe("program: protection", () => {
  const protectedOf = (made: ProgramRun) => made.resources.filter((each) => each.options.protect);

  it("prod's namespace and data can't be deleted by an update", async () => {
    const made = await run("prod");
    assert.ok(resource(made, "kubernetes:core/v1:Namespace", "namespace").options.protect);
    for (const set of objects(made, "StatefulSet")) {
      const keepsData = set.spec.volumeClaimTemplates !== undefined;
      if (keepsData) assert.ok(resource(made, "kubernetes:apps/v1:StatefulSet", set.metadata.name).options.protect, set.metadata.name);
    }
  });

  it("dev's can", async () => {
    assert.deepEqual(protectedOf(await run("dev")).map(title), []);
  });

  it("prod's data is given up for one update by name, its namespace never", async () => {
    const made = await run("prod", { accepts: ["storage-replacement"] });
    assert.ok(resource(made, "kubernetes:core/v1:Namespace", "namespace").options.protect);
    const sets = made.resources.filter((each) => each.type === "kubernetes:apps/v1:StatefulSet");
    assert.ok(sets.length >= 4);
    assert.deepEqual(
      sets.filter((each) => each.options.protect),
      [],
    );
  });

  it("directories of nodes are protected with their volumes", async () => {
    const made = await run("dev", { protect: true });
    const volumes = made.resources.filter((each) => each.type === "kubernetes:core/v1:PersistentVolume");
    assert.equal(volumes.length, 4);
    for (const volume of volumes) assert.ok(volume.options.protect, title(volume));
  });

  it("what is replaced in everyday changes is not protected, or they would be refused", async () => {
    // A job that makes directories is replaced by one more receiver, an immutable ConfigMap by another text.
    const replaced = ["kubernetes:core/v1:ConfigMap", "kubernetes:batch/v1:Job"];
    for (const made of [await run("prod"), await run("dev", { protect: true })]) {
      const refused = protectedOf(made).filter((each) => replaced.includes(each.type));
      assert.deepEqual(refused.map(title), []);
    }
  });
});

describe("program: images", () => {
  it("from elsewhere reach every pod, with the version that their tags name on its labels", async () => {
    const images = {
      thanos: "registry.example:5000/thanos:v0.42.7",
      prometheus: "registry.example:5000/prometheus:v3.14.2",
      memcached: "registry.example:5000/memcached:1.6.40",
    };
    const all = workloads(await run("prod", { images })).map((workload) => ({
      image: container(workload).image,
      version: workload.spec.template.metadata.labels["app.kubernetes.io/version"],
    }));
    assert.deepEqual(new Set(all.map(({ image }) => image)), new Set(Object.values(images)));
    for (const { image, version } of all) assert.equal(version, /:v?([\d.]+)$/.exec(image)?.[1], image);
  });
});

describe("program: preview", () => {
  it("needs no value that only exists after the update", async () => {
    for (const stack of STACKS) {
      const known = await run(stack);
      const preview = await run(stack, {}, { preview: true });
      assert.deepEqual(preview.resources.map(title).sort(), known.resources.map(title).sort());
      assert.equal(preview.outputs.remoteWriteUrl, known.outputs.remoteWriteUrl);
      assert.deepEqual(preview.outputs.ring, known.outputs.ring);
      assert.deepEqual(preview.outputs.availability, known.outputs.availability);
    }
  });

  it("says what the plan survives", async () => {
    const { messages, outputs } = await run("prod", {}, { preview: true });
    const { summary } = outputs.availability as { summary: string[] };
    assert.ok(summary.length > 0);
    for (const line of summary) assert.ok(messages.includes(line), `not said: ${line}`);
    assert.match(summary[0] ?? "", /^survives the loss of any 1 node or any 1 zone/);
  });
});

describe("program: runner", () => {
  it("fails on two resources of one type and name, which mocks let pass", async () => {
    // Two rings of one zone name each other's StatefulSets.
    const config = configOf("prod", {
      cluster: { zones: ["z1", "a-z1"] },
      receive: {
        replicas: 2,
        replicationFactor: 2,
        hashrings: [
          { name: "r", tenants: ["t1"], replicas: 2 },
          { name: "r-a", tenants: ["t2"], replicas: 2 },
        ],
      },
      accepts: ["one-copy-acknowledgement"],
      survives: { nodes: 0, zones: 0 },
    });
    await assert.rejects(runProgram({ config, stack: "prod" }), (error: Error) => /thanos-receive-r-a-z1/.test(error.message));
  });

  it("leaves the console as it was", async () => {
    const { log } = console;
    await run("dev", { querier: { maxConcurrent: 4 } });
    await assert.rejects(runProgram({ config: {}, stack: "dev" }));
    assert.equal(console.log, log);
  });

  it("sees dependencies through outputs, so that tests of order can fail", async () => {
    const made = await run("prod");
    const { dependsOn } = resource(made, "kubernetes:apps/v1:StatefulSet", "prometheus").options;
    assert.ok(dependsOn.some((urn) => urn.includes("ConfigMap")));
  });
});
