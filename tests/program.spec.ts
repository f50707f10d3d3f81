import assert from "node:assert/strict";
import { manifestsOf } from "../commands/manifests";
import { type ProgramRun, type RegisteredResource, runProgram } from "../commands/program";
import { readOutputs, remoteWriteUrl } from "../outputs";
import { DEV, FILESYSTEM, HISTORY, PLANS, type Plan, PROD, SIDECAR, SIDECAR_DEV } from "./components/plans";
import {
  configOf,
  container,
  containers,
  type Overrides,
  object,
  objects,
  prometheusSets,
  receiverSets,
  resource,
  resourceOf,
  run,
  settingsOf,
  together,
  workloads,
} from "./harness";

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

    it("refuses before an update changes what nothing takes back, and waits last", () => {
      const stages = [
        /^(?:kubernetes-is-new-enough|soft-anti-affinity-before-more-pods)/,
        /-is-accepted$/,
        /-can-grow$/,
        /-grow$/,
        /-waits-for-|-keeps-its-number$/,
      ];
      const stageOf = (hook: string) => stages.findIndex((stage) => stage.test(hook));
      for (const each of made.resources) {
        const order = each.options.beforeUpdate.map(stageOf);
        assert.ok(!order.includes(-1), `${title(each)}: ${each.options.beforeUpdate}`);
        assert.deepEqual(order, [...order].sort(), `${title(each)}: ${each.options.beforeUpdate}`);
        if (isKubernetes(each)) assert.ok(each.options.beforeUpdate.includes("kubernetes-is-new-enough"), title(each));
      }
    });

    it("lets every hook of receivers and of their ring be run", () => {
      for (const { metadata } of receiverSets(made)) {
        const { beforeUpdate } = resourceOf(made, "StatefulSet", metadata.name).options;
        for (const hook of [
          "soft-anti-affinity-before-more-pods",
          `shrinking-${metadata.name}-is-accepted`,
          `${metadata.name}-waits-for-the-smaller-ring`,
        ])
          assert.ok(beforeUpdate.includes(hook), hook);
      }
      for (const ring of made.resources.filter(({ name }) => name === "receive-hashrings"))
        assert.equal(ring.options.beforeUpdate.at(-1), "ring-waits-for-new-receivers");
    });

    it("puts every Kubernetes object into a component, and every component into the stack", () => {
      for (const each of made.resources) {
        const parent = each.options.parent;
        if (each.custom && !each.type.startsWith("pulumi:")) assert.match(parent, /[:$]thanos-stack:index:[A-Z][A-Za-z]+::/, title(each));
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
      const clusterWide = ["Namespace", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "PriorityClass"];
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

    it("makes ConfigMaps that are immutable and named by content, except those that are read again where they are", () => {
      const { ingestion } = settingsOf(stack, overrides);
      const inPlace =
        ingestion === "receive"
          ? ["thanos-receive-hashrings", "thanos-receive-limits"]
          : ["prometheus-rules", ...prometheusSets(made).map((set) => `${set.metadata.name}-config`)];
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
      const { ingestion } = settingsOf(stack, overrides);
      const outputs = readOutputs(made.outputs);
      assert.equal(outputs.scheme, ingestion);
      assert.equal(outputs.namespace, `thanos-${stack}`);
      const setsOf = (component: string) =>
        objects(made, "StatefulSet").filter((set) => set.metadata.labels["app.kubernetes.io/component"] === component);
      const pods = (sets: ReturnType<typeof setsOf>) => sets.reduce((sum, set) => sum + (set.spec.replicas ?? 1), 0);
      assert.equal(outputs.objectStorage?.storeGateways ?? 0, pods(setsOf("store-gateway")));
      assert.equal(outputs.objectStorage?.compactors ?? 0, pods(setsOf("compactor")));
      assert.equal(outputs.prometheus.replicas * outputs.prometheus.shards, pods(prometheusSets(made)));
      if (outputs.scheme === "sidecar") {
        assert.throws(() => remoteWriteUrl(outputs), /takes no remote write/);
        return;
      }
      assert.equal(
        remoteWriteUrl(outputs),
        `${outputs.tls === undefined ? "http" : "https"}://thanos-receive.thanos-${stack}.svc.cluster.local:19291/api/v1/receive`,
      );
      assert.equal(outputs.ring.members.length, pods(receiverSets(made)));
    });

    it("gives addresses of Services that are there, by a port that they have", () => {
      const { queryUrl, querierUrl, queryGrpcAddress, remoteWriteUrl: writeUrl } = made.outputs as Record<string, string>;
      const { service } = made.outputs.prometheus as { service: string };
      assert.equal(writeUrl !== undefined, settingsOf(stack, overrides).ingestion === "receive");
      for (const address of [queryUrl, querierUrl, `grpc://${queryGrpcAddress}`, ...(writeUrl === undefined ? [] : [writeUrl]), service]) {
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
  const ALWAYS = [
    "availability",
    "defaultTenant",
    "externalLabels",
    "clusterLabel",
    "namespace",
    "prometheus",
    "querierUrl",
    "queryGrpcAddress",
    "queryUrl",
    "replicaLabels",
    "scheme",
    "tenantHeader",
  ];
  const cases: [string, Plan, string[]][] = [
    ["of a ring", DEV, ["remoteWriteUrl", "ring", "tenants"]],
    ["of a ring with a bucket and a load", PROD, ["capacity", "objectStorage", "remoteWriteUrl", "ring", "tenants"]],
    ["of sidecars", SIDECAR_DEV, []],
    ["of sidecars with a bucket", SIDECAR, ["objectStorage"]],
  ];
  for (const [what, { stack, overrides }, others] of cases) {
    it(`${what} are these, and names are only ever added`, async () => {
      const { outputs } = await run(stack, overrides);
      const names = Object.entries(outputs).flatMap(([name, value]) => (value === undefined ? [] : [name]));
      assert.deepEqual(names.sort(), [...ALWAYS, ...others].sort());
    });
  }

  it("tell of the bucket who serves it and from when on, and not where it is", async () => {
    const { outputs } = await run(SIDECAR.stack, SIDECAR.overrides);
    // Three parts of two, and a quarter of two days.
    assert.deepEqual(outputs.objectStorage, { storeGateways: 6, compactors: 1, handover: "12h" });
    assert.ok(!JSON.stringify(outputs).includes("amazonaws"));
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

  it("tell senders which tenants are taken, by every ring, and nothing where any is", async () => {
    const hashrings = [{ name: "payments", tenants: ["cards"], replicas: 3 }];
    const { outputs } = await run("dev", { receive: { hashrings } });
    assert.deepEqual(outputs.tenants, ["cards", "default-tenant", "greeter"]);
    const open = await run("dev", { accepts: ["replicas-on-one-node", "any-tenant"], tenancy: { tenants: undefined } });
    assert.ok(!("tenants" in open.outputs));
  });

  it("hold no credentials", async () => {
    for (const { stack, overrides } of PLANS) {
      for (const url of JSON.stringify((await run(stack, overrides)).outputs).match(/https?:\/\/[^"]*/g) ?? [])
        assert.ok(!url.includes("@"), url);
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

  for (const { title: plan, stack, overrides } of [PROD, HISTORY, SIDECAR]) {
    it(`${plan}: namespace and samples can't be deleted by an update; what is fetched again can`, async () => {
      const made = await run(stack, overrides);
      assert.ok(resource(made, "kubernetes:core/v1:Namespace", "namespace").options.protect);
      for (const set of objects(made, "StatefulSet")) {
        const component = set.metadata.labels["app.kubernetes.io/component"] ?? "";
        const keepsSamples = set.spec.volumeClaimTemplates !== undefined && !["store-gateway", "compactor"].includes(component);
        assert.equal(resourceOf(made, "StatefulSet", set.metadata.name).options.protect, keepsSamples, set.metadata.name);
      }
    });
  }

  it("a bucket in a directory is protected, with its claim", async () => {
    const made = await run(FILESYSTEM.stack, together(FILESYSTEM.overrides, { protect: true }));
    assert.ok(resourceOf(made, "PersistentVolumeClaim", "thanos-bucket").options.protect);
    assert.ok(resourceOf(made, "PersistentVolume", "thanos-dev-thanos-bucket").options.protect);
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
    // A job that makes directories is replaced by one more receiver, an immutable ConfigMap or Secret by another text.
    const replaced = ["kubernetes:core/v1:ConfigMap", "kubernetes:batch/v1:Job", "kubernetes:core/v1:Secret"];
    for (const made of [await run("prod"), await run("dev", { protect: true }), await run(SIDECAR.stack, SIDECAR.overrides)]) {
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
    for (const { stack, overrides } of [PROD, SIDECAR]) {
      const made = workloads(await run(stack, together(overrides, { images })));
      const all = made.flatMap((workload) => containers(workload).map(({ image }) => image));
      assert.deepEqual(new Set(all), new Set(Object.values(images)));
      for (const workload of made) {
        const version = workload.spec.template.metadata.labels["app.kubernetes.io/version"];
        assert.equal(version, /:v?([\d.]+)$/.exec(container(workload).image)?.[1], workload.metadata.name);
      }
    }
  });
});

describe("program: preview", () => {
  it("needs no value that only exists after the update", async () => {
    for (const { stack, overrides } of [DEV, PROD, HISTORY, SIDECAR]) {
      const known = await run(stack, overrides);
      const preview = await run(stack, overrides, { preview: true });
      assert.deepEqual(preview.resources.map(title).sort(), known.resources.map(title).sort());
      assert.equal(preview.outputs.remoteWriteUrl, known.outputs.remoteWriteUrl);
      assert.deepEqual(preview.outputs.ring, known.outputs.ring);
      assert.deepEqual(preview.outputs.objectStorage, known.outputs.objectStorage);
      assert.deepEqual(preview.outputs.availability, known.outputs.availability);
    }
  });

  it("says of outputs that a scheme does not have nothing that a reader could take for a fault", async () => {
    for (const { stack, overrides } of PLANS) {
      const { messages } = await run(stack, overrides);
      assert.deepEqual(
        messages.filter((message) => /undefined/i.test(message)),
        [],
      );
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
