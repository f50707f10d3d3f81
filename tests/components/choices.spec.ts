import assert from "node:assert/strict";
import type { ProgramRun } from "../../commands/program";
import { bothAffinities, choicesFor } from "../../model/kubernetes/choices";
import type { Affinity } from "../../model/settings/pods";
import { load, type Overrides, object, objects, rejection, run, settingsOf, together, type Workload } from "../harness";
import { CHOSEN, NETWORKS } from "./plans";

/** Where an environment lets pods run, and what it marks its objects with. */

const workloads = (of: ProgramRun): Workload[] => [...objects(of, "StatefulSet"), ...objects(of, "Deployment"), ...objects(of, "Job")];
const named = (of: ProgramRun, name: string): Workload =>
  workloads(of).find(({ metadata }) => metadata.name === name) ?? assert.fail(`no workload ${name}`);
/** Names, labels and annotations of the objects of a kind. */
const marksOf = (of: ProgramRun, kind: string) =>
  objects(of, kind).map(({ metadata }) => {
    const {
      name,
      labels = {},
      annotations,
    } = metadata as { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
    return { name, labels, annotations };
  });
/** A pod's spec as Kubernetes has it, with what the harness does not name. */
const specOf = (workload: Workload) =>
  workload.spec.template.spec as unknown as Record<string, unknown> & Workload["spec"]["template"]["spec"];

describe("choices: of the stack", () => {
  const TOLERATION = { key: "dedicated", value: "monitoring", effect: "NoSchedule" };
  const COMMON = {
    tolerations: [TOLERATION],
    nodeSelector: { pool: "monitoring" },
    labels: { team: "platform", "example.com/cost": "" },
    annotations: { "example.com/note": "any text" },
    imagePullSecrets: ["mirror"],
    priorityClass: "monitoring",
    runtimeClass: "gvisor",
    topologySpread: [{ topologyKey: "example.com/rack" }],
    serviceAccountAnnotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x" },
  };
  const STACK: Overrides = {
    pods: COMMON,
    services: { labels: { team: "platform" }, annotations: { "mesh.example/mtls": "off" } },
    namespaceMetadata: { labels: { team: "platform" }, annotations: { "backup.example/skip": "true" } },
  };
  let prod: ProgramRun;
  let dev: ProgramRun;
  before(async () => {
    prod = await run("prod", STACK);
    dev = await run("dev", STACK);
  });

  it("hold for every pod", () => {
    for (const environment of [prod, dev]) {
      for (const workload of workloads(environment)) {
        const { metadata } = workload;
        const { metadata: pod } = workload.spec.template;
        const spec = specOf(workload);
        assert.deepEqual(spec.tolerations, [TOLERATION], metadata.name);
        assert.deepEqual(spec.imagePullSecrets, [{ name: "mirror" }], metadata.name);
        assert.equal(pod.labels.team, "platform", metadata.name);
        assert.equal(pod.labels["example.com/cost"], "", metadata.name);
        assert.equal(pod.annotations?.["example.com/note"], "any text", metadata.name);
        assert.ok(pod.labels["app.kubernetes.io/name"] !== undefined);
        assert.equal(metadata.labels?.team, undefined, "pods' labels are pods'");
        if (workload.kind === "Job") continue;
        assert.deepEqual(spec.nodeSelector, { pool: "monitoring" }, metadata.name);
        assert.equal(spec.runtimeClassName, "gvisor", metadata.name);
        const rack = spec.topologySpreadConstraints?.find(({ topologyKey }) => topologyKey === "example.com/rack");
        assert.deepEqual(rack, {
          topologyKey: "example.com/rack",
          maxSkew: 1,
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: workload.spec.selector.matchLabels },
        });
      }
    }
  });

  it("leave the job that makes a node's directories on its node", () => {
    const jobs = objects(dev, "Job");
    assert.ok(jobs.length > 0);
    for (const job of jobs) assert.deepEqual(Object.keys(specOf(job).nodeSelector ?? {}), ["kubernetes.io/hostname"]);
  });

  it("give way to the priority of pods that hold samples", () => {
    const classes = (of: ProgramRun) =>
      Object.fromEntries(workloads(of).map((each) => [each.metadata.name, specOf(each).priorityClassName]));
    const found = classes(prod);
    assert.equal(found["thanos-querier"], "monitoring");
    assert.equal(found["thanos-compactor"], "monitoring");
    assert.match(String(found["thanos-receive-z1"] ?? found["thanos-receive"]), /^thanos-prod-data/);
  });

  it("mark Services and namespaces, beside what these need", () => {
    for (const environment of [prod, dev]) {
      for (const { labels, annotations } of marksOf(environment, "Service")) {
        assert.equal(labels.team, "platform");
        assert.deepEqual(annotations, { "mesh.example/mtls": "off", "pulumi.com/skipAwait": "true" });
      }
      for (const { labels, annotations } of marksOf(environment, "Namespace")) {
        assert.equal(labels.team, "platform");
        assert.ok(labels["pod-security.kubernetes.io/enforce"] !== undefined);
        assert.deepEqual(annotations, { "backup.example/skip": "true" });
      }
    }
    assert.equal(objects(dev, "Namespace").length, 2);
  });

  it("are in every service account, but the one of the job, which asks nobody", () => {
    const accounts = marksOf(prod, "ServiceAccount");
    assert.ok(accounts.length > 5);
    for (const { annotations } of accounts) assert.equal(annotations?.["eks.amazonaws.com/role-arn"], "arn:aws:iam::1:role/x");
  });
});

describe("choices: of a component", () => {
  it("win over the stack's: maps of marks by name, everything else by key", () => {
    const settings = settingsOf("prod", {
      pods: {
        tolerations: [{ operator: "Exists" }],
        labels: { a: "stack", b: "stack" },
        nodeSelector: { pool: "a" },
        priorityClass: "low",
      },
      services: { annotations: { a: "stack" } },
    });
    const own = { tolerations: [], labels: { b: "own", c: "own" }, nodeSelector: { disk: "ssd" }, priorityClass: "high" };
    const { pods, services } = choicesFor(settings, { pods: own, services: { annotations: { a: "own" } } });
    assert.deepEqual(pods.tolerations, []);
    assert.deepEqual(pods.labels, { a: "stack", b: "own", c: "own" });
    assert.deepEqual(pods.nodeSelector, { disk: "ssd" });
    assert.deepEqual([pods.priorityClass, pods.commonPriorityClass], ["high", "low"]);
    assert.deepEqual(services.annotations, { a: "own" });
  });

  it("reach each component's own pods and no others", async () => {
    const made = await run(CHOSEN.stack, CHOSEN.overrides);
    const owners: Record<string, string> = Object.fromEntries(
      workloads(made)
        .filter(({ kind }) => kind !== "Job")
        .map(({ metadata, spec }) => [metadata.name, spec.template.metadata.labels.owner ?? ""]),
    );
    for (const [name, owner] of Object.entries({
      "thanos-receive-router": "routers",
      "thanos-querier": "querier",
      "thanos-query-frontend": "queryFrontend",
      "thanos-query-cache": "queryCache",
      "thanos-store-gateway": "storeGateway",
      "thanos-index-cache": "indexCache",
      "thanos-compactor": "compactor",
      prometheus: "prometheus",
      "thanos-ruler": "ruler",
    }))
      assert.equal(owners[name], owner, name);
    for (const [name, owner] of Object.entries(owners)) if (/^thanos-receive-z/.test(name)) assert.equal(owner, "receive", name);
    const owned = Object.fromEntries(marksOf(made, "Service").map(({ name, labels }) => [name, labels.owner]));
    assert.equal(owned["thanos-querier"], "querier");
    assert.equal(owned["thanos-querier-grpc"], "querier");
    assert.equal(owned["thanos-receive"], "receive");
    assert.equal(owned["thanos-query-cache"], "queryCache");
  });

  it("let the jobs bear every taint that a component's pods bear", async () => {
    const one = { key: "disks", operator: "Exists" };
    const made = await run("dev", { pods: { tolerations: [{ key: "a", operator: "Exists" }] }, receive: { pods: { tolerations: [one] } } });
    for (const job of objects(made, "Job")) assert.deepEqual(specOf(job).tolerations, [{ key: "a", operator: "Exists" }, one]);
    assert.deepEqual(specOf(named(made, "thanos-receive")).tolerations, [one]);
    assert.deepEqual(specOf(named(made, "thanos-querier")).tolerations, [{ key: "a", operator: "Exists" }]);
  });

  it("name the user, or leave that to the cluster", async () => {
    const made = await run("prod", { pods: { user: "cluster" }, querier: { pods: { user: 4_000 } } });
    const { securityContext } = specOf(named(made, "thanos-querier"));
    assert.deepEqual([securityContext?.runAsUser, securityContext?.runAsGroup, securityContext?.fsGroup], [4_000, 4_000, 4_000]);
    for (const workload of workloads(made).filter(({ metadata }) => metadata.name !== "thanos-querier")) {
      const context = specOf(workload).securityContext ?? {};
      for (const field of ["runAsUser", "runAsGroup", "fsGroup"]) assert.ok(!(field in context), `${workload.metadata.name}: ${field}`);
      assert.equal(context.runAsNonRoot, true);
    }
  });

  it("give pods the label of Azure's identity wherever their account is annotated for it", async () => {
    const made = await run("prod", { querier: { pods: { serviceAccountAnnotations: { "azure.workload.identity/client-id": "x" } } } });
    const labels = (name: string) => named(made, name).spec.template.metadata.labels["azure.workload.identity/use"];
    assert.deepEqual([labels("thanos-querier"), labels("prometheus")], ["true", undefined]);
  });
});

describe("choices: affinity", () => {
  const inZone = (zone: string) => ({ key: "topology.kubernetes.io/zone", operator: "In" as const, values: [zone] });
  const apart = (app: string) => ({ topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app } } });

  it("has every pair of terms for nodes, since they are alternatives", () => {
    const disk = (value: string) => ({ key: "disk", operator: "In" as const, values: [value] });
    const field = { key: "metadata.name" as const, operator: "In" as const, values: ["n1"] };
    const ours: Affinity = {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [inZone("a")] }] } },
    };
    const theirs: Affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [disk("ssd")] }, { matchFields: [field] }],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [disk("new")] } }],
      },
    };
    assert.deepEqual(bothAffinities(ours, theirs).nodeAffinity, {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [inZone("a"), disk("ssd")] }, { matchExpressions: [inZone("a")], matchFields: [field] }],
      },
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [disk("new")] } }],
    });
    assert.deepEqual(bothAffinities({}, theirs), theirs);
    assert.deepEqual(bothAffinities(ours, {}), ours);
  });

  it("demands of pods what both demand", async () => {
    const theirs: Affinity = {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart("noisy")] },
      podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, podAffinityTerm: apart("near") }] },
    };
    const made = await run("prod", { receive: { pods: { affinity: theirs } } });
    for (const set of objects(made, "StatefulSet").filter(({ metadata }) => /^thanos-receive/.test(metadata.name))) {
      const affinity = specOf(set).affinity as Affinity;
      const own = { labelSelector: { matchLabels: set.spec.selector.matchLabels }, topologyKey: "kubernetes.io/hostname" };
      assert.deepEqual(affinity.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution, [own, apart("noisy")]);
      assert.deepEqual(affinity.podAffinity, theirs.podAffinity);
      assert.equal(affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms.length, 1);
    }
  });
});

describe("choices: families of addresses", () => {
  it("are the cluster's own where nobody chose, and of every Service else, a component's over the stack's", async () => {
    const families = async (overrides: Overrides) =>
      Object.fromEntries(
        objects(await run("prod", overrides), "Service").map(({ metadata, spec }) => [
          metadata.name,
          [spec.ipFamilyPolicy, spec.ipFamilies],
        ]),
      );
    for (const each of Object.values(await families({}))) assert.deepEqual(each, [undefined, undefined]);
    const { "thanos-querier": querier, "thanos-querier-grpc": grpc, ...others } = await families(NETWORKS.overrides);
    assert.deepEqual([querier, grpc], Array(2).fill(["RequireDualStack", ["IPv6", "IPv4"]]));
    assert.ok(Object.keys(others).length > 5);
    for (const [name, each] of Object.entries(others)) assert.deepEqual(each, ["PreferDualStack", ["IPv6", "IPv4"]], name);
  });
});

describe("choices: a registry of one's own", () => {
  it("stands in place of each image's own", async () => {
    const { settings } = await load("prod", { images: { registry: "mirror.example:5000/hub", prometheus: "prom/prometheus:v3.14.0" } });
    assert.match(settings.images.thanos, /^mirror\.example:5000\/hub\/thanos\/thanos:v0\.42\.\d+@sha256:/);
    assert.equal(settings.images.prometheus, "mirror.example:5000/hub/prom/prometheus:v3.14.0");
    assert.match(settings.images.memcached, /^mirror\.example:5000\/hub\/library\/memcached:/);
    const made = await run("dev", { images: { registry: "mirror.example" } });
    for (const workload of workloads(made)) {
      for (const { image } of specOf(workload).containers) assert.match(image, /^mirror\.example\//, workload.metadata.name);
    }
  });
});

describe("choices that are refused", () => {
  const cases: [string, "dev" | "prod", Overrides, RegExp][] = [
    [
      "a label of the stack's",
      "prod",
      { pods: { labels: { "app.kubernetes.io/name": "x" } } },
      /pods\.labels\.app\.kubernetes\.io\/name = "x": .*finds objects by it/,
    ],
    [
      "a label of Kubernetes' own",
      "prod",
      { querier: { pods: { labels: { "pod-template-hash": "x" } } } },
      /querier\.pods\.labels\.pod-template-hash/,
    ],
    [
      "the annotation of restarts",
      "prod",
      { pods: { annotations: { "thanos-stack/restarted-at": "x" } } },
      /pods\.annotations\.thanos-stack\/restarted-at/,
    ],
    [
      "a Service that nobody would wait for otherwise",
      "prod",
      { services: { annotations: { "pulumi.com/skipAwait": "false" } } },
      /services\.annotations\.pulumi\.com\/skipAwait/,
    ],
    [
      "a weaker Pod Security",
      "prod",
      { namespaceMetadata: { labels: { "pod-security.kubernetes.io/enforce": "baseline" } } },
      /namespaceMetadata\.labels\.pod-security.* = "baseline": .*restricted/,
    ],
    [
      "marks of somebody else's namespace",
      "prod",
      { existingNamespace: true, namespaceMetadata: { labels: { a: "b" } } },
      /namespaceMetadata = .*somebody else's/,
    ],
    [
      "two families of a Service with one",
      "prod",
      { services: { ipFamilies: ["IPv6", "IPv4"] } },
      /services\.ipFamilies = \["IPv6","IPv4"\]: .*Accepted: one family, or services\.ipFamilyPolicy/,
    ],
    [
      "the stack's two families of a component with one",
      "prod",
      {
        services: { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "PreferDualStack" },
        querier: { services: { ipFamilyPolicy: "SingleStack" } },
      },
      /querier\.services\.ipFamilies/,
    ],
    ["a family twice", "prod", { services: { ipFamilies: ["IPv6", "IPv6"] } }, /every family once/],
    [
      "a second constraint by zones",
      "prod",
      { pods: { topologySpread: [{ topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "DoNotSchedule" }] } },
      /pods\.topologySpread = .*by force already/,
    ],
    [
      "a constraint twice",
      "prod",
      { pods: { topologySpread: [{ topologyKey: "a" }, { topologyKey: "a", maxSkew: 2 }] } },
      /each pair once/,
    ],
    [
      "an account of routers",
      "prod",
      { receive: { routers: { pods: { serviceAccountAnnotations: { a: "b" } } } } },
      /receive\.routers\.pods\.serviceAccountAnnotations = .*receivers' service account/,
    ],
    [
      "another user of a node's directories",
      "dev",
      { pods: { user: "cluster" } },
      /pods\.user = "cluster": directories of nodes belong to the image's own user/,
    ],
    [
      "a toleration of nothing",
      "prod",
      { pods: { tolerations: [{ value: "a" }] } },
      /pods\.tolerations\[0\] = .*a key, or operator Exists for every taint/,
    ],
    [
      "seconds of a taint that ends no pod",
      "prod",
      { pods: { tolerations: [{ key: "a", tolerationSeconds: 1 }] } },
      /tolerationSeconds with effect NoExecute only/,
    ],
    [
      "a requirement without values",
      "prod",
      {
        pods: {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "In" }] }] },
            },
          },
        },
      },
      /In and NotIn with one value at least/,
    ],
    [
      "a term that matches no node",
      "prod",
      { pods: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{}] } } } } },
      /an empty one matches no node/,
    ],
    ["a label's value that is too long", "prod", { pods: { labels: { a: "x".repeat(64) } } }, /pods\.labels\.a = .*at most 63/],
    ["a name that is none", "prod", { pods: { nodeSelector: { "a b": "x" } } }, /pods\.nodeSelector/],
    ["root", "prod", { pods: { user: 0 } }, /pods\.user = 0/],
    [
      "a registry with a scheme",
      "prod",
      { images: { registry: "https://mirror.example" } },
      /images\.registry = .*a registry: host, host:port/,
    ],
    [
      "a registry that would be a directory of Docker Hub",
      "prod",
      { images: { registry: "myregistry" } },
      /images\.registry = "myregistry": without a dot or a port .*docker\.io.*Accepted: .*docker\.io\/<directory>/,
    ],
    [
      "a registry whose path leaves no room for names of images",
      "prod",
      { images: { registry: `registry.example/${"a".repeat(250)}` } },
      /images\.registry = .*container runtimes refuse a longer name/,
    ],
    [
      "an image whose name is too long",
      "prod",
      { images: { memcached: `registry.example/${"a".repeat(256)}:1` } },
      /images\.memcached = .*container runtimes refuse a longer name/,
    ],
    [
      "the label that names a namespace",
      "prod",
      { namespaceMetadata: { labels: { "kubernetes.io/metadata.name": "x" } } },
      /namespaceMetadata\.labels\.kubernetes\.io\/metadata\.name = "x"/,
    ],
    ...(
      [
        [{ pods: { annotations: { "pulumi.com/waitFor": "x" } } }, "pods.annotations"],
        [
          { querier: { pods: { serviceAccountAnnotations: { "pulumi.com/skipAwait": "true" } } } },
          "querier.pods.serviceAccountAnnotations",
        ],
        [{ querier: { services: { annotations: { "pulumi.com/patchForce": "true" } } } }, "querier.services.annotations"],
        [{ namespaceMetadata: { annotations: { "pulumi.com/deletionPropagationPolicy": "orphan" } } }, "namespaceMetadata.annotations"],
        [{ objectStorage: { serviceAccountAnnotations: { "pulumi.com/skipAwait": "true" } } }, "objectStorage.serviceAccountAnnotations"],
        [{ prometheus: { serviceAccountAnnotations: { "pulumi.com/skipAwait": "true" } } }, "prometheus.serviceAccountAnnotations"],
      ] as const
    ).map(([overrides, key]): [string, "prod", Overrides, RegExp] => [
      `the engine's own annotation in ${key}`,
      "prod",
      overrides,
      new RegExp(`- ${key.replaceAll(".", "\\.")}\\.pulumi\\.com/.*provider of Pulumi acts by this`),
    ]),
    [
      "a label against an identity of Azure",
      "prod",
      {
        objectStorage: { serviceAccountAnnotations: { "azure.workload.identity/client-id": "x" } },
        receive: { pods: { labels: { "azure.workload.identity/use": "false" } } },
      },
      /: 1 problem,.*\n.*receive\.pods\.labels\.azure\.workload\.identity\/use = "false": .*Accepted: "true"/,
    ],
    ["a field that Kubernetes does not know", "prod", { pods: { tolerations: [{ key: "a", efect: "NoSchedule" }] } }, /efect/],
  ];
  for (const [title, stack, overrides, says] of cases)
    it(title, async () => assert.match((await rejection(stack, overrides)).message, says));

  describe("for where pods would be:", () => {
    const ZONE = "topology.kubernetes.io/zone";
    const HOST = "kubernetes.io/hostname";
    const inNodes = (...nodeSelectorTerms: object[]) => ({
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
    });
    const asks = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, values }] });
    const byName = (field: object) => inNodes({ matchFields: [{ key: "metadata.name", operator: "In", values: ["a"], ...field }] });
    const PINNED: Overrides = { survives: { nodes: 0, zones: 0 } };
    const refused: [string, Overrides, RegExp][] = [
      [
        "a zone that receivers of others are set into",
        { pods: { nodeSelector: { [ZONE]: "z1" } } },
        /: 1 problem,.*\n.*- pods\.nodeSelector\.topology\.kubernetes\.io\/zone = "z1": receivers of ring default are set into each of the zones z1, z2, z3, and this keeps them out of z2, z3/,
      ],
      [
        "the same by affinity",
        { receive: { pods: inNodes(asks(ZONE, "In", "z1", "z2")) } },
        /receive\.pods\.affinity\.nodeAffinity = .*keeps them out of z3/,
      ],
      [
        "a zone that the plan does not know",
        { querier: { pods: { nodeSelector: { [ZONE]: "z9" } } } },
        /querier\.pods\.nodeSelector\.topology.* = "z9": z9 is none of cluster\.zones.*Accepted: some of z1, z2, z3/,
      ],
      [
        "every zone left out",
        { querier: { pods: inNodes(asks(ZONE, "NotIn", "z1", "z2", "z3")) } },
        /querier\.pods\.affinity\.nodeAffinity = .*keeps queriers out of every zone/,
      ],
      [
        "fewer nodes by name than pods that share none",
        { querier: { pods: { nodeSelector: { [HOST]: "n1" } } } },
        /querier\.pods\.nodeSelector\.kubernetes\.io\/hostname = "n1": queriers need 2 nodes \(antiAffinity is hard\), and this names 1.*Accepted: 2 nodes or more, or antiAffinity "soft"/,
      ],
      ["the same by a field", { querier: { pods: byName({}) } }, /querier\.pods\.affinity\.nodeAffinity = .*names 1/],
      [
        "fewer nodes by name than receivers",
        { pods: inNodes(asks(HOST, "In", "n1", "n2")) },
        /- pods\.affinity\.nodeAffinity = .*receivers of ring default need 3 nodes/,
      ],
      [
        "another system",
        { pods: { nodeSelector: { "kubernetes.io/os": "windows" } } },
        /: 1 problem,.*\n.*- pods\.nodeSelector = .*are for Linux/,
      ],
      [
        "what no node can be",
        { querier: { pods: { nodeSelector: { pool: "a" }, ...inNodes(asks("pool", "In", "b")) } } },
        /querier\.pods\.affinity\.nodeAffinity = .*no node can be all of this/,
      ],
      ["a field with two values", { pods: byName({ values: ["a", "b"] }) }, /matchFields\[0\]\.values/],
      ["a field that nodes don't have", { pods: byName({ key: "metadata.namespace" }) }, /matchFields\[0\]\.key/],
      ["a comparison of a field", { pods: byName({ operator: "Exists" }) }, /matchFields\[0\]\.operator/],
    ];
    for (const [title, overrides, says] of refused) it(title, async () => assert.match((await rejection("prod", overrides)).message, says));

    it("a node without the directories", async () => {
      const { message } = await rejection("dev", { receive: { pods: { nodeSelector: { [HOST]: "other" } } } });
      assert.match(message, /: 1 problem,.*\n.*receive\.pods\.nodeSelector\.kubernetes\.io\/hostname = "other": .*directories on dev-1/);
      await load("dev", { receive: { pods: { nodeSelector: { [HOST]: "dev-1" } } } });
    });

    it("but nothing that leaves them where they are", async () => {
      for (const overrides of [
        { pods: { nodeSelector: { "kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64" } } },
        { pods: inNodes(asks(ZONE, "NotIn", "z9")) },
        { pods: inNodes(asks(ZONE, "In", "z1", "z2", "z3")) },
        { querier: { pods: inNodes(asks(HOST, "In", "n1", "n2")) } },
        together(PINNED, { querier: { antiAffinity: "soft", pods: byName({}) } }),
        { images: { registry: "localhost/mirror" } },
        { images: { registry: "docker.io/mirror" } },
        { images: { registry: "registry:5000" } },
        {
          objectStorage: { serviceAccountAnnotations: { "azure.workload.identity/client-id": "x" } },
          receive: { pods: { labels: { "azure.workload.identity/use": "true" } } },
        },
      ])
        await load("prod", overrides);
    });
  });

  it("none of a component's own, since it has them", async () => {
    assert.equal(object(await run("prod"), "Deployment", "thanos-querier").spec.template.spec.nodeSelector, undefined);
  });
});
