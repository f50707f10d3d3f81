import assert from "node:assert/strict";
import { parse } from "yaml";
import type { ProgramRun } from "../../commands/program";
import { receiveLimitsFile } from "../../model/ring/limits";
import { tolerableReceivers, writeQuorum } from "../../model/ring/quorum";
import {
  container,
  flagValue,
  flagValues,
  mountedConfigMap,
  object,
  objects,
  planOf,
  podNames,
  receiverSets,
  resource,
  ringPlan,
  ringSettings,
  run,
  settingsOf,
  together,
  type Workload,
} from "../harness";
import { EVERYTHING, OWN_SHAPES, RING_PLANS, SPLIT_AGENTS } from "./plans";

interface HashringsFileRing {
  hashring: string;
  tenants?: string[];
  tenant_matcher_type?: string;
  shuffle_sharding_config?: Record<string, unknown>;
  algorithm: string;
  endpoints: { address: string; az?: string }[];
}

const HASHRINGS = "thanos-receive-hashrings";
const LIMITS = "thanos-receive-limits";

/** The ring's own name: that in the file has a version behind it where the ring is shuffle sharded. */
const nameOf = ({ hashring }: HashringsFileRing) => hashring.replace(/@.*$/, "");
/** The settings of a StatefulSet's ring. */
const settingsOfSet = (set: Workload, overrides: Parameters<typeof planOf>[1], stack: Parameters<typeof planOf>[0]) => {
  const found = ringPlan(planOf(stack, overrides)).sets.find(({ name }) => name === set.metadata.name);
  assert.ok(found !== undefined, set.metadata.name);
  return found;
};

const ringsOf = (made: ProgramRun) => JSON.parse(object(made, "ConfigMap", HASHRINGS).data["hashrings.json"] ?? "") as HashringsFileRing[];

/** The names under which a StatefulSet's pods are found, as Kubernetes makes them from the headless Service. */
function stableAddresses(made: ProgramRun, set: Workload, domain: string): string[] {
  const service = object(made, "Service", set.spec.serviceName ?? "");
  assert.equal(service.spec.clusterIP, "None", "only a headless Service gives its pods names");
  const port = service.spec.ports.find((each) => each.name === "grpc");
  return podNames(set).map((pod) => `${pod}.${service.metadata.name}.${service.metadata.namespace}.svc.${domain}:${port?.port}`);
}

/** An argument after the kubelet has expanded `$(POD_NAME)`. */
function expanded(set: Workload, pod: string, text: string): string {
  const variable = container(set).env?.find((each) => each.name === "POD_NAME");
  assert.equal(variable?.valueFrom?.fieldRef?.fieldPath, "metadata.name");
  return text.replaceAll("$(POD_NAME)", pod);
}

for (const { title, stack, overrides } of RING_PLANS) {
  describe(`receive: ${title}`, () => {
    const { cluster, namespace, tenancy } = settingsOf(stack, overrides);
    const receive = ringSettings(settingsOf(stack, overrides));
    let made: ProgramRun;
    before(async () => {
      made = await run(stack, overrides);
    });

    it("lists every receiver in the hashring file under the name that it has, and nobody else", () => {
      const listed = ringsOf(made).flatMap((ring) => ring.endpoints.map((endpoint) => endpoint.address));
      const existing = receiverSets(made).flatMap((set) => stableAddresses(made, set, cluster.domain));
      assert.deepEqual([...listed].sort(), [...existing].sort());
      assert.equal(new Set(listed).size, listed.length);
      for (const address of listed)
        assert.match(address, new RegExp(`^[a-z0-9-]+\\.thanos-receive-peers\\.${namespace}\\.svc\\.cluster\\.local:10901$`));
    });

    it("tells each receiver its own entry of the ring, byte for byte", () => {
      for (const set of receiverSets(made)) {
        if (receive.mode === "split") {
          assert.deepEqual(flagValues(set, "--receive.local-endpoint"), []);
          continue;
        }
        const flag = flagValue(set, "--receive.local-endpoint");
        const own = podNames(set).map((pod) => expanded(set, pod, flag));
        assert.deepEqual(own, stableAddresses(made, set, cluster.domain));
      }
    });

    it("has as many receivers in each ring as are asked for, and no fewer than copies", () => {
      const expected = [...receive.hashrings.map((ring) => [ring.name, ring.replicas]), ["default", receive.replicas]];
      assert.deepEqual(
        ringsOf(made).map((ring) => [nameOf(ring), ring.endpoints.length]),
        expected,
      );
      for (const ring of ringsOf(made)) assert.ok(ring.endpoints.length >= receive.replicationFactor);
    });

    it("puts rings of tenants of their own before the default ring, since the first match wins, and takes no stranger", () => {
      const rings = ringsOf(made);
      assert.deepEqual(
        rings.map((ring) => ring.tenants),
        [...receive.hashrings.map((ring) => ring.tenants), ["default-tenant", ...(tenancy.tenants ?? [])]],
      );
      const last = rings.at(-1);
      assert.equal(last && nameOf(last), "default");
    });

    it("gives the ring its zones, and each zone a StatefulSet that stays in it", () => {
      const zonesOf = (ring: HashringsFileRing) => receive.hashrings.find(({ name }) => name === nameOf(ring))?.zones ?? cluster.zones;
      for (const ring of ringsOf(made)) {
        const zones = zonesOf(ring);
        const azs = ring.endpoints.map((endpoint) => endpoint.az);
        if (zones.length === 0) assert.deepEqual(new Set(azs), new Set([undefined]));
        else for (const zone of zones) assert.equal(azs.filter((az) => az === zone).length, ring.endpoints.length / zones.length);
      }
      const addressZone = new Map(ringsOf(made).flatMap((ring) => ring.endpoints.map(({ address, az }) => [address, az])));
      const sets = receiverSets(made);
      assert.equal(
        sets.length,
        ringsOf(made).reduce((sum, ring) => sum + Math.max(zonesOf(ring).length, 1), 0),
      );
      for (const set of sets) {
        const terms = set.spec.template.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
        for (const address of stableAddresses(made, set, cluster.domain)) {
          const zone = addressZone.get(address);
          const expected =
            zone === undefined
              ? undefined
              : [{ matchExpressions: [{ key: "topology.kubernetes.io/zone", operator: "In", values: [zone] }] }];
          assert.deepEqual(terms, expected, `${set.metadata.name} holds ${address}, which the ring counts in ${zone}`);
        }
      }
    });

    it("says the algorithm by flag and in the file", () => {
      for (const ring of ringsOf(made)) assert.equal(ring.algorithm, "ketama");
      for (const routing of routersOf(made)) {
        assert.equal(flagValue(routing, "--receive.hashrings-algorithm"), "ketama");
        assert.equal(flagValue(routing, "--receive.replication-factor"), String(receive.replicationFactor));
        const refresh = flagValue(routing, "--receive.hashrings-file-refresh-interval");
        assert.match(refresh, /^(1[5-9]|2\d|30)s$/);
        assert.equal(flagValue(routing, "--receive-forward-max-backoff"), "1s", "a peer that came back is tried again soon");
      }
    });

    it("keeps the files that change in place under fixed names, mutable, and lets no pod depend on their content", () => {
      for (const name of [HASHRINGS, LIMITS]) {
        const map = object(made, "ConfigMap", name);
        assert.notEqual(map.immutable, true);
      }
      const registered = resource(made, "kubernetes:core/v1:ConfigMap", "receive-hashrings");
      assert.equal((registered.inputs.metadata as { name?: string }).name, HASHRINGS);
      for (const routing of routersOf(made)) {
        assert.equal(mountedConfigMap(made, routing, "hashrings").metadata.name, HASHRINGS);
        assert.equal(mountedConfigMap(made, routing, "limits").metadata.name, LIMITS);
        assert.equal(routing.spec.template.metadata.annotations, undefined, "a checksum would restart every receiver with the ring");
        assert.ok(!JSON.stringify(routing.spec.template).includes(hashOf(made)));
      }
    });

    it("has a file for each file flag, where the flag says", () => {
      for (const routing of routersOf(made)) {
        const flags = (container(routing).args ?? []).filter((arg) => /^--receive\.[a-z-]+-file=/.test(arg));
        assert.equal(flags.length, receive.relabel.length > 0 ? 3 : 2);
        for (const flag of flags) {
          const path = flag.slice(flag.indexOf("=") + 1);
          const mount = container(routing).volumeMounts?.find((each) => path.startsWith(`${each.mountPath}/`));
          assert.ok(mount !== undefined, flag);
          const map = mountedConfigMap(made, routing, mount.name);
          assert.deepEqual(Object.keys(map.data), [path.slice(mount.mountPath.length + 1)]);
        }
      }
    });

    it("allows as many disruptions as writes survive", () => {
      const budgets = objects(made, "PodDisruptionBudget").filter((each) => /^thanos-receive(-ring-.*)?$/.test(each.metadata.name));
      const { replicationFactor } = receive;
      assert.equal(budgets.length, replicationFactor === 1 ? 0 : ringsOf(made).length, "one copy survives nothing");
      for (const { spec } of budgets) {
        assert.equal(spec.maxUnavailable, replicationFactor - writeQuorum(replicationFactor));
        assert.equal(spec.unhealthyPodEvictionPolicy, "AlwaysAllow");
      }
      // Kubernetes evicts no pod that two budgets count.
      const counting = receiverSets(made).map((set) => {
        const { labels } = set.spec.template.metadata;
        const found = budgets.filter(
          ({ spec: { selector } }) =>
            Object.entries(selector.matchLabels).every(([label, value]) => labels[label] === value) &&
            (selector.matchExpressions ?? []).every(({ key, values }) => values.includes(labels[key] ?? "")),
        );
        assert.equal(found.length, replicationFactor === 1 ? 0 : 1, set.metadata.name);
        return `${settingsOfSet(set, overrides, stack).ring} ${found[0]?.metadata.name}`;
      });
      if (replicationFactor > 1) assert.equal(new Set(counting).size, budgets.length, "a budget for each ring");
    });

    it("keeps volumes when receivers go", () => {
      for (const set of receiverSets(made)) {
        // A node's own directory stays whatever happens to the claim, which is a pointer to it.
        const kept = settingsOfSet(set, overrides, stack).settings.storage.hostPath === undefined ? "Retain" : "Delete";
        assert.deepEqual(set.spec.persistentVolumeClaimRetentionPolicy, { whenDeleted: kept, whenScaled: kept });
        assert.equal(set.spec.volumeClaimTemplates?.length, 1);
        assert.equal(container(set).volumeMounts?.find((mount) => mount.name === "data")?.mountPath, flagValue(set, "--tsdb.path"));
      }
    });

    it("rolls slowly enough that no send fails, and ends after the flush", () => {
      for (const set of receiverSets(made)) {
        assert.equal(set.spec.minReadySeconds, receive.rollout.minReadySeconds);
        assert.equal(set.spec.template.spec.terminationGracePeriodSeconds, receive.rollout.gracePeriodSeconds);
        const pause = container(set).lifecycle?.preStop?.sleep?.seconds;
        assert.equal(pause, receive.rollout.preStopSeconds === 0 ? undefined : receive.rollout.preStopSeconds);
        assert.equal(set.spec.podManagementPolicy, "Parallel");
      }
    });

    it("binds Cap'n Proto to loopback and announces a replica label of its own", () => {
      for (const each of [...receiverSets(made), ...routersOf(made)]) {
        assert.match(flagValue(each, "--receive.capnproto-address"), /^127\.0\.0\.1:/);
        assert.ok(!(container(each).ports ?? []).some((port) => port.containerPort === 19391));
        assert.equal(flagValue(each, "--label"), 'receive_replica="$(POD_NAME)"', "a Go-quoted text");
      }
    });

    it("never puts two copies on a node where the plan says so", () => {
      for (const set of receiverSets(made)) {
        const { podAntiAffinity } = set.spec.template.spec.affinity ?? {};
        const terms =
          settingsOfSet(set, overrides, stack).settings.antiAffinity === "hard"
            ? (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
            : (podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((each) => each.podAffinityTerm);
        assert.equal(terms.length, 1);
        assert.equal(terms[0]?.topologyKey, "kubernetes.io/hostname");
        const own = set.spec.template.metadata.labels;
        for (const [label, value] of Object.entries(terms[0]?.labelSelector.matchLabels ?? {})) assert.equal(own[label], value);
      }
    });
  });
}

/** Everything that routes by the hashring file: the receivers, or the routers in front. */
function routersOf(made: ProgramRun): Workload[] {
  const routers = objects(made, "Deployment").filter((each) => each.metadata.name === "thanos-receive-router");
  return routers.length > 0 ? routers : receiverSets(made);
}

const hashOf = (made: ProgramRun): string => String((made.outputs.ring as { hash: string }).hash);

describe("receive: rings of their own shape", () => {
  let made: ProgramRun;
  before(async () => {
    made = await run(OWN_SHAPES.stack, OWN_SHAPES.overrides);
  });
  const setsOf = (ring: string) => receiverSets(made).filter(({ metadata: { name } }) => name.startsWith(`thanos-receive-${ring}`));
  const fileOf = (ring: string) => {
    const found = ringsOf(made).find((each) => nameOf(each) === ring);
    assert.ok(found !== undefined, ring);
    return found;
  };

  it("have storage, resources, retention and places of their own, and of everything else what `receive` says", () => {
    assert.equal(setsOf("big").length, 3);
    for (const set of setsOf("big")) {
      assert.equal(set.spec.replicas, 3);
      const claim = set.spec.volumeClaimTemplates?.[0]?.spec;
      assert.deepEqual([claim?.resources.requests.storage, claim?.storageClassName], ["200Gi", "fast"]);
      const { requests, limits } = container(set).resources;
      assert.deepEqual([requests.cpu, limits.cpu, requests.memory, limits.memory], ["2", "4", "8Gi", "8Gi"]);
      assert.deepEqual([flagValue(set, "--tsdb.retention"), flagValue(set, "--tsdb.max-retention-bytes")], ["40h", "153600MB"]);
      const { metadata, spec } = set.spec.template;
      assert.deepEqual([metadata.labels.owner, metadata.labels.ring], ["receive", "big"]);
      assert.deepEqual(spec.nodeSelector, { pool: "monitoring" });
      assert.match(JSON.stringify(spec), /"key":"dedicated","value":"big"/);
    }
    const [tests, ...others] = setsOf("tests");
    assert.ok(tests !== undefined && others.length === 0, "one StatefulSet in no zone");
    // The memory is its own, the CPU that of `receive`.
    assert.deepEqual(container(tests).resources.requests.memory, "1Gi");
    assert.deepEqual(container(tests).resources.requests.cpu, ringSettings(settingsOf("prod")).resources.cpu);
    assert.equal(flagValue(tests, "--tsdb.retention"), "36h");
    assert.deepEqual(flagValues(tests, "--tsdb.max-retention-bytes"), []);
    assert.equal(tests.spec.template.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution, undefined);
    for (const set of receiverSets(made).filter(({ metadata: { name } }) => /^thanos-receive-z\d$/.test(name))) {
      assert.equal(set.spec.template.metadata.labels.ring, undefined);
      assert.equal(flagValue(set, "--tsdb.retention"), "36h");
    }
  });

  it("are in the file with their patterns and their shards, each override with the comparison without which Thanos takes none", () => {
    assert.deepEqual(
      ringsOf(made).map(({ tenant_matcher_type }) => tenant_matcher_type),
      ["glob", "glob", "glob"],
    );
    assert.deepEqual(fileOf("big").shuffle_sharding_config, {
      shard_size: 3,
      overrides: [{ shard_size: 6, tenant_matcher_type: "exact", tenants: ["big"] }],
    });
    assert.equal(fileOf("tests").shuffle_sharding_config, undefined);
    assert.deepEqual(fileOf("default").shuffle_sharding_config, { shard_size: 3 });
  });

  it("that are shuffle sharded have another name in each other file, and no other ring has", async () => {
    const names = (rings: HashringsFileRing[]) => rings.map(({ hashring }) => hashring);
    const before = names(ringsOf(made));
    assert.match(before.join(), /^big@[0-9a-f]{8},tests,default@[0-9a-f]{8}$/);
    assert.deepEqual(names(ringsOf(await run(OWN_SHAPES.stack, OWN_SHAPES.overrides))), before);
    const other = names(ringsOf(await run(OWN_SHAPES.stack, together(OWN_SHAPES.overrides, { tenancy: { tenants: ["apps-*", "more"] } }))));
    assert.notEqual(other[0], before[0]);
    assert.notEqual(other[2], before[2]);
    assert.equal(other[1], "tests");
  });

  it("of all of them the smallest receivers bound a request, since any of them may take it", () => {
    const limits = parse(object(made, "ConfigMap", LIMITS).data["limits.yaml"] ?? "") as {
      write: { default: { request: { size_bytes_limit: number } } };
    };
    assert.equal(limits.write.default.request.size_bytes_limit, 2 ** 30 / 16);
  });

  it("are told by whoever routes which label is the tenant's", async () => {
    for (const set of receiverSets(made)) assert.equal(flagValue(set, "--receive.split-tenant-label-name"), "team");
    const split = await run(SPLIT_AGENTS.stack, together(SPLIT_AGENTS.overrides, { tenancy: { splitLabel: "team" } }));
    for (const set of receiverSets(split)) assert.deepEqual(flagValues(set, "--receive.split-tenant-label-name"), []);
    for (const router of routersOf(split)) assert.equal(flagValue(router, "--receive.split-tenant-label-name"), "team");
  });
});

describe("receive: disruption budget and quorum", () => {
  const cases = [
    { replicationFactor: 1, quorum: 1, disruptions: 0 },
    { replicationFactor: 2, quorum: 1, disruptions: 1 },
    { replicationFactor: 3, quorum: 2, disruptions: 1 },
    { replicationFactor: 4, quorum: 3, disruptions: 1 },
    { replicationFactor: 5, quorum: 3, disruptions: 2 },
  ];
  for (const { replicationFactor, quorum, disruptions } of cases) {
    it(`${replicationFactor} copies: acknowledged by ${quorum}, ${disruptions} may be away`, () => {
      assert.equal(writeQuorum(replicationFactor), quorum);
      assert.equal(tolerableReceivers(replicationFactor), disruptions);
    });
  }
});

describe("receive: Services", () => {
  it("publishes peers that are not Ready unless asked not to, and never to queriers", async () => {
    for (const [publish, made] of [
      [true, await run("dev")],
      [false, await run(EVERYTHING.stack, EVERYTHING.overrides)],
    ] as const) {
      assert.equal(object(made, "Service", "thanos-receive-peers").spec.publishNotReadyAddresses ?? false, publish);
      assert.equal(object(made, "Service", "thanos-receive-stores").spec.publishNotReadyAddresses ?? false, false);
    }
  });

  it("resolves stores by the SRV record of a headless Service whose port is named grpc", async () => {
    const made = await run("prod");
    const stores = object(made, "Service", "thanos-receive-stores");
    assert.equal(stores.spec.clusterIP, "None");
    assert.deepEqual(
      stores.spec.ports.map((port) => [port.name, port.port]),
      [["grpc", 10901]],
    );
  });
});

describe("receive: split", () => {
  it("gives senders the routers, and lets ingesters neither route nor take remote write", async () => {
    const made = await run("prod");
    const router = object(made, "Deployment", "thanos-receive-router");
    assert.deepEqual(flagValues(router, "--receive.local-endpoint"), []);
    assert.equal(flagValue(router, "--receive.hashrings-file"), "/etc/thanos/hashrings/hashrings.json");
    const service = object(made, "Service", "thanos-receive");
    assert.deepEqual(service.spec.selector, router.spec.selector.matchLabels);
    for (const set of receiverSets(made)) {
      for (const flag of [
        "--receive.hashrings-file",
        "--receive.hashrings-algorithm",
        "--receive.replication-factor",
        "--receive.limits-config-file",
      ]) {
        assert.deepEqual(flagValues(set, flag), [], `an ingester with ${flag}`);
      }
      assert.deepEqual((container(set).ports ?? []).map((port) => port.name).sort(), ["grpc", "http"]);
      assert.equal(flagValue(set, "--remote-write.address"), "127.0.0.1:19291", "without the ring's file it takes any tenant");
      assert.deepEqual(
        (set.spec.template.spec.volumes ?? []).map((volume) => volume.name),
        ["objectstore"],
        "an ingester with the ring would restart with it",
      );
    }
  });

  it("makes no routers in the other mode, and lets senders reach the receivers", async () => {
    const made = await run("dev");
    assert.deepEqual(
      objects(made, "Deployment").filter((each) => each.metadata.name.includes("router")),
      [],
    );
    const { selector } = object(made, "Service", "thanos-receive").spec;
    for (const set of receiverSets(made)) {
      for (const [label, value] of Object.entries(selector)) assert.equal(set.spec.template.metadata.labels[label], value);
      assert.ok(container(set).ports?.some((port) => port.name === "remote-write"));
    }
  });

  it("updates ingesters before routers: a newer router may send what an older ingester does not understand", async () => {
    const made = await run(SPLIT_AGENTS.stack, SPLIT_AGENTS.overrides);
    const router = resource(made, "kubernetes:apps/v1:Deployment", "receive-router");
    for (const set of receiverSets(made)) {
      assert.ok(
        router.options.dependsOn.some((urn) => urn.endsWith(`::${set.metadata.name}`)),
        `the routers do not wait for ${set.metadata.name}`,
      );
    }
  });
});

describe("receive: order of updates", () => {
  it("touches one zone of a ring after the other", async () => {
    const made = await run(EVERYTHING.stack, EVERYTHING.overrides);
    for (const ring of ["", "-payments", "-bulk"]) {
      for (const [zone, previous] of [
        ["z2", "z1"],
        ["z3", "z2"],
      ]) {
        const set = resource(made, "kubernetes:apps/v1:StatefulSet", `thanos-receive${ring}-${zone}`);
        assert.ok(
          set.options.dependsOn.some((urn) => urn.endsWith(`::thanos-receive${ring}-${previous}`)),
          `zone ${zone} does not wait for ${previous}`,
        );
      }
    }
  });

  it("lets receivers depend on no ring, since growing needs them first and shrinking the ring first", async () => {
    const made = await run("prod");
    for (const set of receiverSets(made)) {
      const { options } = resource(made, "kubernetes:apps/v1:StatefulSet", set.metadata.name);
      assert.deepEqual(
        options.dependsOn.filter((urn) => urn.includes("ConfigMap")),
        [],
      );
    }
  });
});

describe("receive: limits", () => {
  it("reach the file, with the querier's address", async () => {
    const made = await run(EVERYTHING.stack, EVERYTHING.overrides);
    const file = object(made, "ConfigMap", LIMITS).data["limits.yaml"];
    const settings = settingsOf(EVERYTHING.stack, EVERYTHING.overrides);
    assert.equal(file, receiveLimitsFile(ringSettings(settings), settings, String(made.outputs.querierUrl)));
    assert.match(file ?? "", /meta_monitoring_url: http:\/\/thanos-querier\.thanos-prod\.svc\.cluster\.local:9090\n/);
  });

  const limitsOf = (limits: object) => {
    const settings = settingsOf("dev", { receive: { limits } });
    return parse(receiveLimitsFile(ringSettings(settings), settings, "http://querier")) as unknown;
  };

  it("are those of one request by default, for every tenant alike", () => {
    const request = { size_bytes_limit: 33_554_432, series_limit: 65_536, samples_limit: 1_048_576 };
    assert.deepEqual(limitsOf({}), { write: { global: { max_concurrency: 0 }, default: { request }, tenants: {} } });
  });

  it("of requests ask nobody; those of active series ask the querier, per copy", () => {
    const requests = limitsOf({ maxConcurrency: 10, default: { request: { series: 1, samples: 2, sizeBytes: 3 } } });
    assert.deepEqual(requests, {
      write: {
        global: { max_concurrency: 10 },
        default: { request: { size_bytes_limit: 3, series_limit: 1, samples_limit: 2 } },
        tenants: {},
      },
    });
    const series = limitsOf({ tenants: { b: { headSeries: 5 }, a: { headSeries: 7 } } }) as {
      write: { global: Record<string, string>; tenants: Record<string, object> };
    };
    assert.equal(series.write.global.meta_monitoring_url, "http://querier");
    assert.match(series.write.global.meta_monitoring_limit_query ?? "", /by \(tenant\) \/ 3$/);
    assert.deepEqual(series.write.tenants, { a: { head_series_limit: 7 }, b: { head_series_limit: 5 } });
  });
});

describe("receive: every option reaches the command line", () => {
  const options = {
    retention: { time: "3d", size: "8Gi" },
    outOfOrderWindow: "4h",
    tooFarInFutureWindow: "1m",
    maxExemplars: 0,
    replicas: 5,
    replicationFactor: 5,
  };
  const flags = [
    ["--tsdb.retention", "3d"],
    ["--tsdb.max-retention-bytes", "8192MB"],
    ["--tsdb.out-of-order.time-window", "4h"],
    ["--tsdb.too-far-in-future.time-window", "1m"],
    ["--tsdb.max-exemplars", "0"],
    ["--receive.replication-factor", "5"],
  ] as const;
  for (const [flag, value] of flags) {
    it(`${flag}=${value}`, async () => {
      const made = await run("dev", { receive: options });
      for (const set of receiverSets(made)) assert.equal(flagValue(set, flag), value);
    });
  }

  it("5 copies reach the disruption budget", async () => {
    assert.equal(object(await run("dev", { receive: options }), "PodDisruptionBudget", "thanos-receive").spec.maxUnavailable, 2);
  });

  const tenancy = { header: "X-Scope", defaultTenant: "nobody", label: "team" };

  it("tenancy, the same for receivers, routers, queriers and query frontends", async () => {
    const made = await run("prod", { tenancy, cluster: { domain: "k8s.example" } });
    for (const each of [...receiverSets(made), ...routersOf(made)]) {
      assert.equal(flagValue(each, "--receive.tenant-header"), tenancy.header);
      assert.equal(flagValue(each, "--receive.default-tenant-id"), tenancy.defaultTenant);
      assert.equal(flagValue(each, "--receive.tenant-label-name"), tenancy.label);
    }
    const querier = object(made, "Deployment", "thanos-querier");
    assert.equal(flagValue(querier, "--query.tenant-header"), tenancy.header);
    assert.equal(flagValue(querier, "--query.default-tenant-id"), tenancy.defaultTenant);
    assert.equal(flagValue(querier, "--query.tenant-label-name"), tenancy.label);
    const frontend = object(made, "Deployment", "thanos-query-frontend");
    assert.equal(flagValue(frontend, "--query-frontend.tenant-header"), tenancy.header);
    assert.equal(made.outputs.tenantHeader, tenancy.header);
  });

  it("another cluster domain, everywhere the same", async () => {
    const made = await run("prod", { tenancy, cluster: { domain: "k8s.example" } });
    const text = JSON.stringify([made.resources.map((each) => each.inputs), made.outputs]);
    assert.ok(!text.includes("cluster.local"));
    for (const ring of ringsOf(made)) for (const { address } of ring.endpoints) assert.ok(address.endsWith(".svc.k8s.example:10901"));
  });
});
