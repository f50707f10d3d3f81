import assert from "node:assert/strict";
import { parse } from "yaml";
import type { ProgramRun } from "../../commands/program";
import { OWN_CONTAINERS } from "../../model/commandLine/extraRules";
import { API_TOKEN } from "../../model/kubernetes/apiToken";
import {
  container,
  containers,
  flagValue,
  flagValues,
  mountedConfigMap,
  type Overrides,
  object,
  objects,
  planOf,
  prometheusSets,
  run,
  settingsOf,
  together,
  type Workload,
  workloads,
} from "../harness";
import { HISTORY, PLANS, RING_PLANS, SIDECAR, SIDECAR_DEV, SIDECAR_PLANS } from "./plans";

const SIDECAR_CONTAINER = "thanos-sidecar";

/** Containers of the stack, without what an environment has put beside them. */
const ownContainers = (set: Workload) => containers(set).filter(({ name }) => OWN_CONTAINERS.includes(name));
const mountsOf = (set: Workload, name?: string) => container(set, name).volumeMounts ?? [];

for (const { title, stack, overrides } of SIDECAR_PLANS) {
  describe(`sidecar: ${title}`, () => {
    const { objectStorage, namespace, cluster } = settingsOf(stack, overrides);
    let made: ProgramRun;
    let sets: Workload[];
    before(async () => {
      made = await run(stack, overrides);
      sets = prometheusSets(made);
    });

    it("stands beside every Prometheus, the second of two containers, and beside nothing else", () => {
      assert.ok(sets.length > 0);
      for (const set of sets) {
        assert.deepEqual(
          ownContainers(set).map(({ name, args = [] }) => [name, args[0] === "sidecar"]),
          [
            ["prometheus", false],
            [SIDECAR_CONTAINER, true],
          ],
        );
      }
      const others = workloads(made).filter((each) => !sets.some((set) => set.metadata.name === each.metadata.name));
      for (const each of others) assert.ok(!containers(each).some(({ args = [] }) => args[0] === "sidecar"), each.metadata.name);
    });

    it("is judged by its own port, and its Prometheus by its", () => {
      for (const set of sets) {
        for (const [name, port, number] of [
          ["prometheus", "http", 9090],
          [SIDECAR_CONTAINER, "sidecar-http", 10902],
        ] as const) {
          const { startupProbe, readinessProbe, livenessProbe, ports = [] } = container(set, name);
          for (const probe of [startupProbe, readinessProbe, livenessProbe]) assert.equal(probe?.httpGet?.port, port);
          assert.equal(ports.find((each) => each.name === port)?.containerPort, number);
        }
        assert.equal(flagValue(set, "--http-address", SIDECAR_CONTAINER), ":10902");
      }
    });

    it("asks the Prometheus of its pod by the loopback, and sees its data and its files", () => {
      for (const set of sets) {
        assert.equal(flagValue(set, "--prometheus.url", SIDECAR_CONTAINER), "http://127.0.0.1:9090");
        const shared = (name?: string) => new Map(mountsOf(set, name).map((mount) => [mount.name, mount.mountPath]));
        // All but the API server's token, which only Prometheus needs.
        for (const [volume, path] of shared("prometheus"))
          assert.equal(shared(SIDECAR_CONTAINER).get(volume), volume === API_TOKEN.volume.name ? undefined : path, volume);
        assert.equal(flagValue(set, "--tsdb.path", SIDECAR_CONTAINER), flagValue(set, "--storage.tsdb.path"));
        const { securityContext } = set.spec.template.spec;
        for (const each of containers(set)) assert.equal(each.securityContext?.runAsUser, undefined, "one user owns the blocks");
        assert.equal(securityContext?.runAsUser, securityContext?.fsGroup);
      }
    });

    it("has changed files read again by signal, and nobody can end Prometheus over HTTP", () => {
      for (const set of sets) {
        assert.equal(set.spec.template.spec.shareProcessNamespace, true, "or there is no process to signal");
        assert.equal(flagValue(set, "--reloader.method", SIDECAR_CONTAINER), "signal");
        assert.equal(flagValue(set, "--reloader.process-name", SIDECAR_CONTAINER), "prometheus");
        assert.equal(flagValue(set, "--reloader.watch-interval", SIDECAR_CONTAINER), "15s", "Thanos' default is three minutes");
        assert.equal(flagValue(set, "--reloader.config-file", SIDECAR_CONTAINER), flagValue(set, "--config.file"));
        const rules = mountsOf(set, SIDECAR_CONTAINER).find((mount) => mount.name === "rules")?.mountPath;
        assert.equal(flagValue(set, "--reloader.rule-dir", SIDECAR_CONTAINER), rules);
        assert.ok(!(container(set).args ?? []).some((arg) => arg.startsWith("--web.enable-lifecycle")));
      }
    });

    it("uploads exactly where there is a bucket, and there Prometheus leaves blocks as they were cut", () => {
      const uploads = objectStorage !== undefined;
      for (const set of sets) {
        const mount = mountsOf(set, SIDECAR_CONTAINER).find((each) => each.name === "objectstore");
        assert.deepEqual(
          flagValues(set, "--objstore.config-file", SIDECAR_CONTAINER),
          uploads ? [`${mount?.mountPath}/objstore.yaml`] : [],
        );
        assert.equal(mount !== undefined, uploads);
        for (const flag of ["--storage.tsdb.min-block-duration", "--storage.tsdb.max-block-duration"]) {
          assert.deepEqual(flagValues(set, flag), uploads ? ["2h"] : [], flag);
        }
        assert.ok(!mountsOf(set, "prometheus").some((each) => each.name === "objectstore"), "Prometheus needs no credentials");
      }
    });

    it("serves what the bucket does not: up to the handover, and for everything without a bucket", () => {
      const handover = planOf(stack, overrides).bucket?.handover;
      assert.equal(handover !== undefined, objectStorage !== undefined);
      for (const set of sets) {
        assert.deepEqual(flagValues(set, "--min-time", SIDECAR_CONTAINER), handover === undefined ? [] : [`-${handover}`]);
      }
      // Store gateways hold nothing back: what a Prometheus held that lost its volume is served as soon as it is uploaded.
      for (const gateway of objects(made, "StatefulSet").filter((set) => set.metadata.name === "thanos-store-gateway")) {
        assert.deepEqual(flagValues(gateway, "--max-time"), []);
      }
      assert.equal((made.outputs.objectStorage as { handover: string } | undefined)?.handover, handover);
    });

    it("is found by a headless Service over every shard, by a port that its container has", () => {
      const { metadata, spec } = object(made, "Service", "prometheus-sidecars");
      assert.equal(spec.clusterIP, "None");
      assert.notEqual(spec.publishNotReadyAddresses, true, "a sidecar that does not reach its Prometheus answers nothing");
      assert.deepEqual(
        spec.ports.map(({ name, port, targetPort }) => [name, port, targetPort]),
        [["grpc", 10901, "grpc"]],
      );
      for (const set of sets) {
        assert.ok(Object.entries(spec.selector).every(([label, value]) => set.spec.template.metadata.labels[label] === value));
        assert.equal(container(set, SIDECAR_CONTAINER).ports?.find((port) => port.name === "grpc")?.containerPort, 10901);
        assert.equal(flagValue(set, "--grpc-address", SIDECAR_CONTAINER), ":10901");
      }
      const querier = object(made, "Deployment", "thanos-querier");
      const { endpoints } = parse(mountedConfigMap(made, querier, "endpoints").data["endpoints.yaml"] ?? "") as {
        endpoints: { address: string }[];
      };
      assert.equal(endpoints[0]?.address, `dnssrv+_grpc._tcp.${metadata.name}.${namespace}.svc.${cluster.domain}`);
    });

    it("takes no writes: neither ring nor receivers, and no address for either among the outputs", () => {
      assert.equal(made.outputs.scheme, "sidecar");
      assert.equal(made.outputs.remoteWriteUrl, undefined);
      assert.equal(made.outputs.ring, undefined);
      const names = ["Service", "StatefulSet", "Deployment", "ConfigMap", "PodDisruptionBudget", "PersistentVolume"].flatMap((kind) =>
        objects(made, kind).map((each) => `${kind} ${each.metadata.name}`),
      );
      assert.deepEqual(
        names.filter((name) => name.includes("receive")),
        [],
      );
    });
  });
}

describe("sidecar: options", () => {
  it("resources are its own", async () => {
    const sidecar = { resources: { cpu: "75m", cpuLimit: "300m", memory: "640Mi" } };
    const [set] = prometheusSets(await run("dev", { ingestion: "sidecar", prometheus: { sidecar } }));
    assert.ok(set !== undefined);
    assert.deepEqual(container(set, SIDECAR_CONTAINER).resources, {
      requests: { cpu: "75m", memory: "640Mi", "ephemeral-storage": "64Mi" },
      limits: { cpu: "300m", memory: "640Mi", "ephemeral-storage": "512Mi" },
    });
    assert.deepEqual(container(set, "prometheus").resources.requests, { cpu: "100m", memory: "512Mi", "ephemeral-storage": "64Mi" });
  });

  it("a handover that is named reaches every sidecar", async () => {
    const made = await run(SIDECAR.stack, together(SIDECAR.overrides, { objectStorage: { handover: "9h" } }));
    for (const set of prometheusSets(made)) assert.equal(flagValue(set, "--min-time", SIDECAR_CONTAINER), "-9h");
    assert.equal((made.outputs.objectStorage as { handover: string }).handover, "9h");
  });

  it("the identity of the cloud is Prometheus' where its sidecar uploads, and the receivers' where they do", async () => {
    const annotations = { "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/thanos" };
    const of = async ({ stack, overrides }: { stack: "dev" | "prod"; overrides: Overrides }) => {
      const made = await run(stack, together(overrides, { objectStorage: { serviceAccountAnnotations: annotations } }));
      return objects(made, "ServiceAccount")
        .filter((each) => JSON.stringify(each.metadata.annotations ?? {}) === JSON.stringify(annotations))
        .map((each) => each.metadata.name)
        .sort();
    };
    assert.deepEqual(await of(SIDECAR), ["prometheus", "thanos-compactor", "thanos-ruler", "thanos-store-gateway"]);
    assert.deepEqual(await of(HISTORY), ["thanos-compactor", "thanos-receive", "thanos-store-gateway"]);
  });

  describe("the identity of Azure", () => {
    const LABEL = "azure.workload.identity/use";
    const identity = { "azure.workload.identity/client-id": "00000000-0000-0000-0000-000000000000" };
    const azure: Overrides = {
      objectStorage: { s3: undefined, azure: { storageAccount: "thanosprod", container: "blocks" }, serviceAccountAnnotations: identity },
    };
    /** Workloads whose pods have the label; none selects by it. */
    const labelled = async (stack: "dev" | "prod", overrides: Overrides) => {
      const made = await run(stack, overrides);
      return [...objects(made, "StatefulSet"), ...objects(made, "Deployment")]
        .filter(({ spec }) => {
          assert.equal(spec.selector.matchLabels[LABEL], undefined);
          return spec.template.metadata.labels[LABEL] === "true";
        })
        .map(({ metadata }) => metadata.name)
        .sort();
    };

    it("is given to the pods that use the bucket, by the label that its webhook asks for", async () => {
      const users = await labelled(SIDECAR.stack, together(SIDECAR.overrides, azure));
      for (const app of ["prometheus", "thanos-compactor", "thanos-ruler"]) assert.ok(users.includes(app), String(users));
      assert.ok(users.some((name) => name.startsWith("thanos-store-gateway")) && !users.includes("thanos-querier"), String(users));
      const ring = await labelled(HISTORY.stack, together(HISTORY.overrides, azure, { receive: { mode: "split" } }));
      assert.ok(ring.some((name) => /^thanos-receive-z/.test(name)) && ring.includes("thanos-compactor"), String(ring));
      assert.ok(!ring.some((name) => /router|querier|prometheus|ruler/.test(name)), String(ring));
    });

    it("is given to Prometheus by its own annotations, and to nobody by those of other clouds", async () => {
      assert.deepEqual(await labelled("dev", { prometheus: { serviceAccountAnnotations: identity } }), ["prometheus"]);
      const aws = { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/thanos" };
      const other = together(SIDECAR.overrides, { objectStorage: { serviceAccountAnnotations: aws } });
      assert.deepEqual(await labelled(SIDECAR.stack, other), []);
    });
  });

  it("a change of configuration or rules changes no pod", async () => {
    const pods = async (overrides: Overrides) =>
      prometheusSets(await run("dev", { ingestion: "sidecar", ...overrides })).map((set) => JSON.stringify(set.spec.template));
    assert.deepEqual(await pods({ prometheus: { scrapeInterval: "15s" } }), await pods({}));
    const rolled = async (overrides: Overrides) =>
      prometheusSets(await run("dev", overrides)).map((set) => JSON.stringify(set.spec.template));
    assert.notDeepEqual(
      await rolled({ prometheus: { scrapeInterval: "15s" } }),
      await rolled({}),
      "without a sidecar nobody reads it again",
    );
  });
});

describe("sidecar: elsewhere", () => {
  it("there is none where samples are written into a ring, nor what only it needs", async () => {
    for (const { stack, overrides } of RING_PLANS) {
      const made = await run(stack, overrides);
      for (const set of prometheusSets(made)) {
        assert.deepEqual(
          ownContainers(set).map(({ name }) => name),
          ["prometheus"],
        );
        assert.equal(set.spec.template.spec.shareProcessNamespace, undefined);
        // A bucket is the receivers' then, and Prometheus may compact what it keeps.
        for (const flag of ["--storage.tsdb.min-block-duration", "--storage.tsdb.max-block-duration"]) {
          assert.deepEqual(flagValues(set, flag), [], flag);
        }
      }
      assert.ok(!objects(made, "Service").some((each) => each.metadata.name === "prometheus-sidecars"));
    }
    assert.ok(PLANS.includes(SIDECAR_DEV));
  });

  it("nobody but a Prometheus with a sidecar, and a gateway that reloads, shares its processes", async () => {
    for (const { stack, overrides } of PLANS) {
      const sharing = workloads(await run(stack, overrides)).filter((each) => each.spec.template.spec.shareProcessNamespace === true);
      for (const each of sharing) {
        const component = each.metadata.labels["app.kubernetes.io/component"] ?? "";
        assert.ok(["prometheus", "gateway"].includes(component), component);
      }
    }
  });
});
