import assert from "node:assert/strict";
import { parse } from "yaml";
import { type ProgramRun, runProgram } from "../../commands/program";
import {
  CERTIFICATE,
  configOf,
  container,
  flagValue,
  flagValues,
  mountedConfigMap,
  type Overrides,
  object,
  objects,
  type PersistentVolume,
  resource,
  resourceOf,
  run,
  together,
  type Workload,
} from "../harness";
import { violationsOfRestricted } from "./podSecurity";

const CLAIM = { hostPath: undefined, pvc: { size: "10Gi" } };
const NODE = { pvc: undefined, hostPath: { path: "/data/history", nodes: ["dev-1"] } };
const KEYS = { accessKey: "AKIAEXAMPLE", secretKey: "hush/hush+hush" };

/** A bucket with everything that can be chosen. */
const BUCKET: Overrides = {
  objectStorage: {
    s3: { bucket: "metrics", endpoint: "s3.example.org", region: "eu-west-1" },
    prefix: "prod/metrics",
    serviceAccountAnnotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/metrics" },
    storeGateway: {
      replicas: 2,
      storage: CLAIM,
      partition: { time: ["4w", "26w"] },
      indexCache: { inMemory: undefined, memcached: { replicas: 3, memory: "128Mi" } },
      chunkCache: { memcached: undefined, inMemory: { size: "256Mi" } },
    },
    compactor: { storage: CLAIM },
  },
};

/** A directory of the one node. */
const DIRECTORY: Overrides = {
  objectStorage: {
    filesystem: { path: "/data/bucket", node: "dev-1" },
    storeGateway: { replicas: 1, antiAffinity: "soft", storage: NODE },
    compactor: { storage: NODE },
  },
};

const SIDECARS: Overrides = { ingestion: "sidecar", receive: undefined };
const OBJECT_STORE_FLAG = "--objstore.config-file";

/** Everything that reads or writes the bucket. */
const bucketUsers = (of: ProgramRun): Workload[] =>
  [...objects(of, "StatefulSet"), ...objects(of, "Deployment")].filter((each) =>
    each.spec.template.spec.containers.some(({ args }) => (args ?? []).some((arg) => arg.startsWith(`${OBJECT_STORE_FLAG}=`))),
  );
const parts = (of: ProgramRun) => objects(of, "StatefulSet").filter((set) => set.metadata.name.startsWith("thanos-store-gateway"));
const secretOf = (workload: Workload): string => {
  const volume = workload.spec.template.spec.volumes?.find(({ name }) => name === "objectstore") as
    | { secret?: { secretName: string } }
    | undefined;
  assert.ok(volume?.secret !== undefined, `${workload.metadata.name} mounts no configuration of the bucket`);
  return volume.secret.secretName;
};

describe("history: the bucket's configuration", () => {
  let made: ProgramRun;
  before(async () => {
    made = await runProgram({
      config: configOf("prod", BUCKET),
      secrets: { "thanos-stack:objectStorageCredentials": KEYS },
      stack: "prod",
    });
  });

  it("is one immutable Secret, mounted by whoever uses the bucket, at the file that the flag names", () => {
    const secrets = objects(made, "Secret");
    assert.equal(secrets.length, 1);
    const users = bucketUsers(made);
    assert.deepEqual(users.map(({ metadata }) => metadata.name).sort(), [
      "thanos-compactor",
      "thanos-receive-z1",
      "thanos-receive-z2",
      "thanos-receive-z3",
      "thanos-store-gateway",
      "thanos-store-gateway-1",
      "thanos-store-gateway-2",
    ]);
    for (const user of users) {
      assert.equal(secretOf(user), secrets[0]?.metadata.name);
      const mount = container(user).volumeMounts?.find(({ name }) => name === "objectstore");
      assert.equal(mount?.readOnly, true);
      assert.equal(flagValue(user, OBJECT_STORE_FLAG), `${mount?.mountPath}/objstore.yaml`);
    }
  });

  it("holds the keys, encrypted in the state, and nothing else does", () => {
    const secret = resource(made, "kubernetes:core/v1:Secret", "object-storage");
    const stringData = secret.inputs.stringData as Record<string, unknown>;
    const marker = "4dabf18193072939515e22adb298388d";
    const wrapped = JSON.stringify(stringData);
    assert.ok(wrapped.includes(marker), "the SDK does not know it for a secret");
    const holders = made.resources.filter((each) => JSON.stringify(each.inputs).includes(KEYS.secretKey));
    assert.deepEqual(
      holders.map(({ type, name }) => [type, name]),
      [["kubernetes:core/v1:Secret", "object-storage"]],
    );
    assert.ok(!JSON.stringify(made.outputs).includes(KEYS.secretKey));
  });

  it("has the authorities and the key of SSE-C beside its configuration, all of it secret", async () => {
    const encryptionKey = Buffer.alloc(32, 7).toString("base64");
    const withFiles = await run(
      "prod",
      { objectStorage: { s3: { bucket: "own", endpoint: "s3.example.org", ca: CERTIFICATE, encryption: { method: "SSE-C" } } } },
      { secrets: { objectStorageCredentials: { ...KEYS, encryptionKey } } },
    );
    const [secret] = objects(withFiles, "Secret") as unknown as { data?: object; stringData: Record<string, string> }[];
    assert.deepEqual(secret?.data, { "sse-c.key": "(secret)" });
    assert.deepEqual(Object.keys(secret?.stringData ?? {}).sort(), ["ca.crt", "objstore.yaml"]);
    const { inputs } = resource(withFiles, "kubernetes:core/v1:Secret", "object-storage");
    const [data, texts] = [inputs.data, inputs.stringData].map((each) => JSON.stringify(each));
    assert.ok(data?.includes("4dabf18193072939515e22adb298388d") && data.includes(encryptionKey), "the SDK does not know it for a secret");
    assert.ok(texts?.includes(JSON.stringify(CERTIFICATE).slice(1, -1)));
  });

  it("is somebody else's Secret, of which the stack makes and keeps nothing", async () => {
    const given = await run("prod", {
      objectStorage: { s3: undefined, secret: { name: "from-vault", key: "thanos.yaml", files: ["ca.crt"] } },
    });
    assert.deepEqual(objects(given, "Secret"), []);
    const users = bucketUsers(given);
    assert.ok(users.length > 3);
    for (const user of users) {
      const volume = user.spec.template.spec.volumes?.find(({ name }) => name === "objectstore");
      assert.deepEqual(volume?.secret, {
        secretName: "from-vault",
        items: [
          { key: "thanos.yaml", path: "objstore.yaml" },
          { key: "ca.crt", path: "ca.crt" },
        ],
      });
      assert.equal(flagValue(user, OBJECT_STORE_FLAG), "/etc/thanos/objectstore/objstore.yaml");
    }
  });

  it("comes with the cloud's identity for every service account that needs it", () => {
    const accounts = new Set(bucketUsers(made).map(({ spec }) => spec.template.spec.serviceAccountName));
    for (const account of objects(made, "ServiceAccount")) {
      const annotations = (account.metadata as { annotations?: Record<string, string> }).annotations;
      assert.equal(
        annotations?.["eks.amazonaws.com/role-arn"],
        accounts.has(account.metadata.name) ? "arn:aws:iam::1:role/metrics" : undefined,
        account.metadata.name,
      );
    }
  });
});

describe("history: store gateways", () => {
  let made: ProgramRun;
  before(async () => {
    made = await run("prod", BUCKET);
  });

  it("meet each other by age, and begin with what was uploaded last", () => {
    assert.deepEqual(
      parts(made).map((set) => [set.metadata.name, flagValues(set, "--max-time"), flagValues(set, "--min-time")]),
      [
        ["thanos-store-gateway", [], ["-4w"]],
        ["thanos-store-gateway-1", ["-4w"], ["-26w"]],
        ["thanos-store-gateway-2", ["-26w"], []],
      ],
    );
  });

  it("are all found by the querier, under one headless Service", () => {
    const service = object(made, "Service", "thanos-store-gateway");
    assert.equal(service.spec.clusterIP, "None");
    assert.deepEqual(
      service.spec.ports.map(({ name, port }) => [name, port]),
      [["grpc", 10901]],
    );
    for (const set of parts(made)) {
      assert.equal(set.spec.serviceName, "thanos-store-gateway");
      for (const [label, value] of Object.entries(service.spec.selector)) assert.equal(set.spec.template.metadata.labels[label], value);
    }
    const querier = object(made, "Deployment", "thanos-querier");
    const { endpoints } = parse(mountedConfigMap(made, querier, "endpoints").data["endpoints.yaml"] ?? "") as {
      endpoints: { address: string }[];
    };
    assert.ok(endpoints.some(({ address }) => address === "dnssrv+_grpc._tcp.thanos-store-gateway.thanos-prod.svc.cluster.local"));
  });

  it("lose one of a part at a time, and are spread over nodes and zones", () => {
    for (const set of parts(made)) {
      const budget = object(made, "PodDisruptionBudget", set.metadata.name);
      assert.equal(budget.spec.maxUnavailable, 1);
      assert.deepEqual(budget.spec.selector, set.spec.selector);
      const { affinity, topologySpreadConstraints } = set.spec.template.spec;
      const [term] = affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
      assert.deepEqual(term?.labelSelector, set.spec.selector);
      assert.equal(topologySpreadConstraints?.length, 1);
      assert.ok((set.spec.template.spec.terminationGracePeriodSeconds ?? 0) >= 120, "Thanos gives queries in flight two minutes");
    }
  });

  it("have the caches that were chosen, in files that the flags name", () => {
    const [first] = parts(made);
    assert.ok(first !== undefined);
    const files = mountedConfigMap(made, first, "config");
    assert.equal(files.immutable, true);
    const folder = container(first).volumeMounts?.find(({ name }) => name === "config")?.mountPath;
    const read = (flag: string) => parse(files.data[flagValue(first, flag).replace(`${folder}/`, "")] ?? "");
    const index = read("--index-cache.config-file");
    assert.deepEqual(index.config.addresses, ["dnssrv+_memcached._tcp.thanos-index-cache.thanos-prod.svc.cluster.local"]);
    assert.equal(read("--store.caching-bucket.config-file").type, "IN-MEMORY");
    const servers = object(made, "StatefulSet", "thanos-index-cache");
    assert.equal(servers.spec.replicas, 3);
    assert.ok(container(servers).args?.includes("--memory-limit=128"));
    const service = object(made, "Service", "thanos-index-cache");
    assert.deepEqual(
      service.spec.ports.map(({ name }) => name),
      ["memcached"],
    );
    assert.deepEqual(service.spec.selector, servers.spec.selector.matchLabels);
    assert.ok(!objects(made, "StatefulSet").some(({ metadata }) => metadata.name === "thanos-chunk-cache"));
    const { dependsOn } = resourceOf(made, "StatefulSet", first.metadata.name).options;
    assert.ok(
      dependsOn.some((urn) => urn.includes("StatefulSet") && urn.includes("index-cache")),
      `a store gateway ends where no cache has an address: ${dependsOn.join()}`,
    );
  });
});

describe("history: the compactor", () => {
  it("is one, in a StatefulSet, with nothing that could make it two", async () => {
    const made = await run("prod", BUCKET);
    const compactor = object(made, "StatefulSet", "thanos-compactor");
    assert.equal(compactor.spec.replicas, 1);
    assert.equal(objects(made, "StatefulSet").filter((set) => container(set).args?.[0] === "compact").length, 1);
    assert.equal(objects(made, "Deployment").filter((each) => container(each).args?.[0] === "compact").length, 0);
    assert.ok(!objects(made, "PodDisruptionBudget").some(({ metadata }) => metadata.name === "thanos-compactor"));
    assert.equal(
      compactor.spec.template.spec.volumes?.some(({ name }) => name === "config"),
      false,
    );
  });

  it("is one of several only where that is chosen: a pod, a volume and a shard each", async () => {
    const made = await run("prod", together(BUCKET, { objectStorage: { compactor: { shards: 3 } } }));
    const compactor = object(made, "StatefulSet", "thanos-compactor");
    const { env, args = [] } = container(compactor);
    assert.equal(compactor.spec.replicas, 3);
    // Nothing that only another StatefulSet could have, so that one becomes three in place.
    const { replicas, template, ...rest } = compactor.spec;
    const one = object(await run("prod", BUCKET), "StatefulSet", "thanos-compactor").spec;
    const { replicas: _, template: __, ...restOfOne } = one;
    assert.deepEqual(rest, restOfOne);
    assert.deepEqual(env, [
      { name: "POD_INDEX", valueFrom: { fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" } } },
    ]);
    assert.equal(args.filter((arg) => arg.includes("$(POD_INDEX)")).length, 1);
    assert.ok(template.spec.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution !== undefined);
    assert.equal(template.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution, undefined);
    assert.equal(objects(made, "StatefulSet").filter((set) => container(set).args?.[0] === "compact").length, 1);
    const config = mountedConfigMap(made, object(made, "StatefulSet", "prometheus"), "config").data["prometheus.yml"] ?? "";
    const jobs = (
      parse(config) as { scrape_configs: { job_name: string; relabel_configs: { target_label?: string; replacement?: string }[] }[] }
    ).scrape_configs;
    const labelled = jobs.flatMap(({ job_name, relabel_configs }) =>
      relabel_configs
        .filter(({ target_label = "" }) => target_label.startsWith("compactor"))
        .map((step) => [job_name, step.target_label, step.replacement]),
    );
    assert.deepEqual(labelled, [
      ["thanos-stack", "compactor_shard", undefined],
      ["thanos-stack", "compactor_shards", "3"],
    ]);
  });

  it("ends before another division begins", async () => {
    const { options } = resource(await run("prod", BUCKET), "kubernetes:apps/v1:StatefulSet", "compactor");
    assert.equal(options.beforeUpdate.at(-1), "thanos-compactor-waits-for-the-end-of-the-old-division");
  });

  it("merges by the scheme, and leaves alone what its function would damage", async () => {
    const made = await run("prod", together(BUCKET, SIDECARS));
    const compactor = object(made, "StatefulSet", "thanos-compactor");
    assert.deepEqual(flagValues(compactor, "--deduplication.func"), ["penalty"]);
    assert.ok(!flagValues(compactor, "--deduplication.replica-label").includes("receive_replica"));
    const files = mountedConfigMap(made, compactor, "config");
    const file = flagValue(compactor, "--selector.relabel-config-file").split("/").at(-1) ?? "";
    assert.deepEqual(parse(files.data[file] ?? ""), [{ action: "drop", source_labels: ["receive_replica"], regex: ".+" }]);
  });
});

describe("history: a directory of a node as the bucket", () => {
  for (const [title, scheme, user] of [
    ["receivers", {}, 1001],
    ["sidecars", SIDECARS, 65534],
  ] as const) {
    it(`${title}: all that use it share one claim, on its node and as its owner`, async () => {
      const made = await run("dev", together(DIRECTORY, scheme));
      const volume = object(made, "PersistentVolume", "thanos-dev-thanos-bucket");
      const claim = object(made, "PersistentVolumeClaim", "thanos-bucket") as unknown as {
        metadata: { name: string };
        spec: { volumeName: string };
      };
      assert.equal((volume as PersistentVolume).spec.claimRef.name, claim.metadata.name);
      assert.equal(claim.spec.volumeName, volume.metadata.name);
      const job = objects(made, "Job").flatMap((each) => each.spec.template.spec.containers[0]?.command ?? []);
      assert.ok(job.includes(`${user}:/data/bucket/thanos-dev/bucket`), job.join("\n"));
      const users = bucketUsers(made);
      assert.equal(users.length, 3);
      for (const each of users) {
        const { spec } = each.spec.template;
        assert.deepEqual(
          spec.volumes?.find(({ name }) => name === "bucket"),
          { name: "bucket", persistentVolumeClaim: { claimName: "thanos-bucket" } },
        );
        const uploader = spec.containers.find(({ args }) => (args ?? []).some((arg) => arg.startsWith(OBJECT_STORE_FLAG)));
        assert.ok(uploader?.volumeMounts?.some(({ name, mountPath }) => name === "bucket" && mountPath === "/var/thanos/bucket"));
        assert.equal(spec.securityContext?.runAsUser, user, each.metadata.name);
        assert.deepEqual(violationsOfRestricted(spec), []);
      }
      // Directories of one set, one owner.
      assert.ok(job.includes(`${user}:/data/history/thanos-dev/thanos-compactor-0`));
      assert.ok(job.includes(`${user}:/data/history/thanos-dev/thanos-store-gateway-0`));
    });
  }
});

describe("history: none", () => {
  it("without a bucket there is no trace of one", async () => {
    const made = await run("dev");
    assert.deepEqual(objects(made, "Secret"), []);
    assert.deepEqual(bucketUsers(made), []);
    assert.deepEqual(parts(made), []);
  });
});
