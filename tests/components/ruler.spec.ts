import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { PROJECT_DIRECTORY, type ProgramRun } from "../../commands/program";
import {
  container,
  flagValue,
  flagValues,
  mountedConfigMap,
  type Overrides,
  object,
  objects,
  resource,
  run,
  type Stack,
  together,
  type Workload,
} from "../harness";
import { violationsOfRestricted } from "./podSecurity";

const PVC = { pvc: { size: "5Gi" } };
const BUCKET: Overrides = {
  objectStorage: {
    s3: { bucket: "history", endpoint: "s3.example.org" },
    serviceAccountAnnotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/history" },
    storeGateway: { storage: PVC },
    compactor: { storage: PVC },
  },
};
const STATELESS: Overrides = { objectStorage: undefined, ruler: {} };
const STATEFUL: Overrides = { objectStorage: undefined, ruler: { mode: "stateful", storage: PVC, retention: "38h" } };

const rulerOf = (made: ProgramRun): Workload => object(made, "StatefulSet", "thanos-ruler");
const mountOf = (ruler: Workload, volume: string): string | undefined =>
  container(ruler).volumeMounts?.find((mount) => mount.name === volume)?.mountPath;
const volumeOf = (ruler: Workload, name: string) => ruler.spec.template.spec.volumes?.find((volume) => volume.name === name);
const budgetsOf = (made: ProgramRun) => objects(made, "PodDisruptionBudget").filter((each) => each.metadata.name === "thanos-ruler");
const isProtected = (made: ProgramRun) => resource(made, "kubernetes:apps/v1:StatefulSet", "ruler").options.protect;

const KINDS: { title: string; stack: Stack; overrides: Overrides }[] = [
  { title: "stateless", stack: "prod", overrides: STATELESS },
  { title: "stateless, beside a bucket", stack: "prod", overrides: together(STATELESS, BUCKET) },
  { title: "stateful", stack: "prod", overrides: STATEFUL },
  { title: "stateful, with upload", stack: "prod", overrides: together(STATEFUL, BUCKET) },
  {
    title: "one, on a node's disk",
    stack: "dev",
    overrides: { ruler: { mode: "stateful", replicas: 1, storage: { hostPath: { path: "/data/rule", nodes: ["dev-1"] } } } },
  },
];

for (const { title, stack, overrides } of KINDS) {
  describe(`ruler: ${title}`, () => {
    let made: ProgramRun;
    let ruler: Workload;
    before(async () => {
      made = await run(stack, overrides);
      ruler = rulerOf(made);
    });

    it("satisfies Pod Security restricted", () => {
      assert.deepEqual(violationsOfRestricted(ruler.spec.template.spec), []);
      assert.equal(container(ruler).securityContext?.readOnlyRootFilesystem, true);
    });

    it("reads the rule files of the repository, and they are in an immutable ConfigMap named by its content", () => {
      const map = mountedConfigMap(made, ruler, "rules");
      const directory = join(PROJECT_DIRECTORY, "rules");
      // Those of the gateway are for environments that have one.
      const files = readdirSync(directory).filter((name) => name.endsWith(".yaml") && !name.startsWith("gateway"));
      assert.deepEqual(map.data, Object.fromEntries(files.map((name) => [name, readFileSync(join(directory, name), "utf8")])));
      assert.equal(map.immutable, true);
      assert.match(map.metadata.name, /-[0-9a-f]{8}$/);
      const folderInPod = mountOf(ruler, "rules");
      assert.deepEqual(flagValues(ruler, "--rule-file"), [`${folderInPod}/*.yaml`, `${folderInPod}/*.yml`]);
    });

    it("writes where its volume is", () => {
      assert.equal(flagValue(ruler, "--data-dir"), mountOf(ruler, "data"));
    });

    it("is named by its pod in every result", () => {
      assert.ok(flagValues(ruler, "--label").includes('rule_replica="$(POD_NAME)"'));
      assert.equal(container(ruler).env?.find((each) => each.name === "POD_NAME")?.valueFrom?.fieldRef?.fieldPath, "metadata.name");
    });

    it("asks the queriers at the port that they have, by a headless Service", () => {
      const address = /^dns\+([^.]+)\.(.+):(\d+)$/.exec(flagValue(ruler, "--query"));
      const service = object(made, "Service", address?.[1] ?? "");
      assert.equal(service.spec.clusterIP, "None");
      const ports = container(object(made, "Deployment", "thanos-querier")).ports ?? [];
      assert.equal(ports.find((port) => port.name === "http")?.containerPort, Number(address?.[3]));
    });

    it("may replay its log before it opens a port: nothing kills it for half an hour", () => {
      const { startupProbe, livenessProbe } = container(ruler);
      assert.ok((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0) >= 1_800);
      assert.equal(livenessProbe?.httpGet?.path, "/-/healthy");
    });

    it("has pods with names, by a Service that selects them and them only", () => {
      const service = object(made, "Service", ruler.spec.serviceName ?? "");
      assert.equal(service.spec.clusterIP, "None");
      assert.deepEqual(service.spec.selector, ruler.spec.selector.matchLabels);
      assert.deepEqual(
        service.spec.ports.map(({ name, port }) => [name, port]),
        [["grpc", 10_901]],
      );
    });

    it("may lose one at a time where there are several, and a single one does not keep its node", () => {
      const several = (ruler.spec.replicas ?? 1) > 1;
      assert.deepEqual(
        budgetsOf(made).map((each) => each.spec.maxUnavailable),
        several ? [1] : [],
      );
      assert.equal((ruler.spec.minReadySeconds ?? 0) > 0, several);
    });
  });
}

describe("ruler: what it keeps", () => {
  it("stateless: nothing, so no claim and no protection", async () => {
    const made = await run("prod", STATELESS);
    assert.equal(rulerOf(made).spec.volumeClaimTemplates, undefined);
    assert.deepEqual(volumeOf(rulerOf(made), "data")?.emptyDir, { sizeLimit: "1Gi" });
    assert.equal(isProtected(made), false);
  });

  it("stateful: a claim for each, protected as the environment says", async () => {
    const made = await run("prod", STATEFUL);
    assert.equal(rulerOf(made).spec.volumeClaimTemplates?.[0]?.spec.resources.requests.storage, "5Gi");
    assert.equal(volumeOf(rulerOf(made), "data"), undefined);
    assert.equal(isProtected(made), true);
    assert.equal(isProtected(await run("prod", together(STATEFUL, { protect: false }))), false);
  });

  it("on a node's disk: a volume for each that exists before the pods", async () => {
    const made = await run("dev", KINDS[4]?.overrides);
    const claims = objects(made, "PersistentVolume").map((volume) => volume.spec.claimRef.name);
    assert.ok(claims.includes("data-thanos-ruler-0"), claims.join());
    const { dependsOn } = resource(made, "kubernetes:apps/v1:StatefulSet", "ruler").options;
    assert.ok(
      dependsOn.some((urn) => urn.includes("PersistentVolume")),
      dependsOn.join(),
    );
  });
});

describe("ruler: where results go", () => {
  it("stateless: to the URL that other senders are given", async () => {
    const made = await run("prod", STATELESS);
    const map = mountedConfigMap(made, rulerOf(made), "remote-write");
    const [name = ""] = Object.keys(map.data);
    const { remote_write: targets } = parse(map.data[name] ?? "") as { remote_write: { url: string }[] };
    assert.deepEqual(
      targets.map((target) => target.url),
      [made.outputs.remoteWriteUrl],
    );
    assert.equal(flagValue(rulerOf(made), "--remote-write.config-file"), `${mountOf(rulerOf(made), "remote-write")}/${name}`);
    assert.equal(map.immutable, true);
  });

  it("stateful: nowhere else, and the querier looks for them", async () => {
    const made = await run("prod", STATEFUL);
    assert.equal(volumeOf(rulerOf(made), "remote-write"), undefined);
    const endpoints = mountedConfigMap(made, object(made, "Deployment", "thanos-querier"), "endpoints").data["endpoints.yaml"] ?? "";
    assert.match(endpoints, /dnssrv\+_grpc\._tcp\.thanos-ruler\.thanos-prod\.svc\.cluster\.local/);
  });

  it("into the bucket by a stateful one only: a stateless one neither knows it nor has its identity", async () => {
    for (const [overrides, uploads] of [
      [STATELESS, false],
      [STATEFUL, true],
    ] as const) {
      const made = await run("prod", together(overrides, BUCKET));
      const [file] = flagValues(rulerOf(made), "--objstore.config-file");
      const mounted = (container(rulerOf(made)).volumeMounts ?? []).some((mount) => file?.startsWith(`${mount.mountPath}/`));
      assert.deepEqual([file !== undefined, mounted], [uploads, uploads]);
      const { annotations } = object(made, "ServiceAccount", "thanos-ruler").metadata as { annotations?: object };
      assert.deepEqual(annotations, uploads ? { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/history" } : undefined);
    }
  });
});

describe("ruler: options reach it", () => {
  it("interval, offset, resources, Alertmanagers", async () => {
    const ruler = rulerOf(
      await run("prod", {
        ruler: { evaluationInterval: "15s", queryOffset: "10s", replicas: 3, resources: { cpu: "2", memory: "3Gi" } },
        alerting: { alertmanagers: ["http://am-0:9093", "http://am-1:9093"] },
      }),
    );
    assert.equal(ruler.spec.replicas, 3);
    assert.equal(flagValue(ruler, "--eval-interval"), "15s");
    assert.equal(flagValue(ruler, "--rule-query-offset"), "10s");
    assert.deepEqual(flagValues(ruler, "--alertmanagers.url"), ["http://am-0:9093", "http://am-1:9093"]);
    assert.equal(container(ruler).resources.limits.memory, "3Gi");
  });

  const LOOKED_UP = [
    "https://alerts.example/x",
    "dns+http://am.monitoring.svc",
    "dns+http://am.monitoring.svc:9094/y",
    "dnssrv+http://_web._tcp.am.monitoring.svc",
    "dnssrvnoa+https://_web._tcp.am.monitoring.svc/z",
  ];

  it("looks Alertmanagers up as it is told, by flags", async () => {
    const ruler = rulerOf(await run("prod", { ruler: {}, alerting: { alertmanagers: LOOKED_UP } }));
    assert.deepEqual(flagValues(ruler, "--alertmanagers.url"), LOOKED_UP);
  });

  it("tells Alertmanagers who sends by a file of its own, in which a lookup has its port", async () => {
    const made = await run("prod", {
      ruler: {},
      credentialsFrom: { login: { secret: "login", key: "password" } },
      alerting: {
        alertmanagers: LOOKED_UP,
        client: { basic_auth: { username: "a", password_file: "/etc/credentials/login" } },
      },
    });
    const ruler = rulerOf(made);
    const file = mountedConfigMap(made, ruler, "alertmanagers").data?.["alertmanagers.yaml"] ?? "";
    const { alertmanagers } = parse(file) as { alertmanagers: { scheme: string; static_configs: string[]; path_prefix?: string }[] };
    assert.deepEqual(
      alertmanagers.map(({ scheme, static_configs, path_prefix }) => [scheme, ...static_configs, path_prefix]),
      [
        ["https", "alerts.example", "/x"],
        ["http", "dns+am.monitoring.svc:9093", undefined],
        ["http", "dns+am.monitoring.svc:9094", "/y"],
        ["http", "dnssrv+_web._tcp.am.monitoring.svc", undefined],
        ["https", "dnssrvnoa+_web._tcp.am.monitoring.svc", "/z"],
      ],
    );
    assert.match(file, /password_file: \/etc\/credentials\/login/);
    assert.deepEqual(flagValues(ruler, "--alertmanagers.url"), []);
  });

  it("is not there unless it is asked for", async () => {
    const made = await run("prod");
    assert.ok(!objects(made, "StatefulSet").some((each) => each.metadata.name === "thanos-ruler"));
  });
});
