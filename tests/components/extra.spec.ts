import assert from "node:assert/strict";
import type { ProgramRun } from "../../commands/program";
import type { Schema } from "../../config/accepted";
import { keysOf, withInner } from "../../docs/generate/keys";
import { extensibleContainers } from "../../model/commandLine/extensibleContainers";
import {
  OWN_CONTAINERS,
  OWN_DIRECTORIES,
  OWN_PORT_NAMES,
  OWN_VARIABLES,
  OWN_VOLUMES,
  uncheckedUses,
} from "../../model/commandLine/extraRules";
import { type Command, flagOf, mistakes } from "../../model/commandLine/flags";
import { OWN_FLAGS, type Program } from "../../model/commandLine/ownFlags";
import { choosers } from "../../model/kubernetes/choices";
import { podWithExtra } from "../../model/kubernetes/extra";
import { podVolumes } from "../../model/podVolumes";
import type { PodComponent } from "../../model/settings/components";
import { settingsSchema } from "../../model/settings/schema";
import { THANOS_VERSION } from "../../model/values/versions";
import { violationsOf } from "../../policy/rules";
import { type Container, type Overrides, object, rejection, run, settingsOf, type Workload, workloads } from "../harness";
import { EXTRA, EXTRA_SIDECAR, PLANS } from "./plans";

/** The key `extra` of components: flags, variables, files and containers that the program knows nothing of. */

// The gateway is given nothing.
const pods = (of: ProgramRun): Workload[] =>
  workloads(of).filter(({ kind, metadata }) => kind !== "Job" && metadata.labels["app.kubernetes.io/component"] !== "gateway");
const plain = PLANS.filter((plan) => plan !== EXTRA && plan !== EXTRA_SIDECAR);

describe("extra: what is known of the stack's own", () => {
  const seen = { volumes: new Set<string>(), containers: new Set<string>(), ports: new Set<string>(), variables: new Set<string>() };
  const directories = new Set<string>();
  const flags = new Map<Program, Set<string>>();
  const programOf = ({ image, args: [subcommand = ""] = [] }: Container): Program =>
    image.includes("/memcached") ? "memcached" : image.includes("/prometheus/") ? "prometheus" : (`thanos ${subcommand}` as Command);
  before(async () => {
    for (const { stack, overrides } of plain) {
      for (const { spec } of pods(await run(stack, overrides))) {
        const { containers, volumes = [] } = spec.template.spec;
        for (const { metadata } of spec.volumeClaimTemplates ?? []) seen.volumes.add(metadata.name);
        for (const { name } of volumes) seen.volumes.add(name);
        for (const container of containers) {
          seen.containers.add(container.name);
          for (const { name } of container.ports ?? []) seen.ports.add(name);
          for (const { name } of container.env ?? []) seen.variables.add(name);
          for (const { mountPath } of container.volumeMounts ?? []) directories.add(mountPath);
          const program = programOf(container);
          const known = flags.get(program) ?? new Set();
          for (const argument of container.args ?? []) known.add(flagOf(argument)?.name ?? "");
          flags.set(program, known);
        }
      }
    }
  });

  it("is every volume, container, port, variable and directory of every plan", () => {
    const sorted = (names: Iterable<string>) => [...new Set(names)].sort();
    assert.deepEqual(sorted(OWN_VOLUMES), sorted(seen.volumes));
    assert.deepEqual(sorted(OWN_CONTAINERS), sorted(seen.containers));
    assert.deepEqual(sorted(OWN_PORT_NAMES), sorted(seen.ports));
    assert.deepEqual(sorted([...OWN_VARIABLES, "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]), sorted(seen.variables));
    for (const path of directories)
      assert.ok(
        OWN_DIRECTORIES.some((own) => path === own || path.startsWith(`${own}/`)),
        path,
      );
  });

  it("is exactly the volumes of each component's pods, in every plan", async () => {
    const own = new Set(["credentials", "client-tls", "scratch"]);
    for (const { title, stack, overrides } of PLANS) {
      const volumes = podVolumes(settingsOf(stack, overrides));
      for (const { metadata, spec } of pods(await run(stack, overrides))) {
        const made = [
          ...(spec.volumeClaimTemplates ?? []).map((each) => each.metadata.name),
          ...(spec.template.spec.volumes ?? []).map(({ name }) => name),
        ];
        const expected = volumes[metadata.labels["app.kubernetes.io/component"] as PodComponent];
        assert.deepEqual(made.filter((name) => !own.has(name)).sort(), [...expected].sort(), `${title}: ${metadata.name}`);
      }
    }
  });

  it("is every flag that a plan spells, but a feature of Prometheus, of which there may be more", () => {
    assert.equal(flags.size, Object.keys(OWN_FLAGS).length);
    for (const [program, names] of flags) {
      const unowned = [...names].filter((name) => name !== "" && !(name in OWN_FLAGS[program]));
      assert.deepEqual(unowned, program === "prometheus" ? ["enable-feature"] : [], program);
    }
  });

  it("names flags that there are, and keys that there are", () => {
    const keys = new Set(withInner(keysOf(settingsSchema as unknown as Schema)).map(({ path }) => path));
    for (const [program, owners] of Object.entries(OWN_FLAGS)) {
      if (program === "memcached") continue;
      for (const [name, owner] of Object.entries(owners)) {
        const value = "when" in owner ? "x" : "1";
        const found = [`--${name}`, `--${name}=${value}`].some(
          (argument) => mistakes(program as Command, [argument], THANOS_VERSION).length === 0,
        );
        assert.ok(found, `${program} --${name}`);
        if ("key" in owner) assert.ok(keys.has(owner.key), `${program} --${name}: ${owner.key}`);
      }
    }
  });

  it("is of every component that may choose for its pods", () => {
    const { stack, overrides } = EXTRA;
    const settings = settingsOf(stack, overrides);
    const containers = extensibleContainers(settings).map(({ key }) => key);
    assert.deepEqual(
      containers.filter((key) => key !== "prometheus.sidecar."),
      choosers(settings)
        .map(({ key }) => key)
        .filter((key) => key !== ""),
    );
  });
});

describe("extra: what is given", () => {
  let ring: ProgramRun;
  let sidecar: ProgramRun;
  before(async () => {
    ring = await run(EXTRA.stack, EXTRA.overrides);
    sidecar = await run(EXTRA_SIDECAR.stack, EXTRA_SIDECAR.overrides);
  });
  const named = (of: ProgramRun, name: string) => pods(of).find(({ metadata }) => metadata.name === name) ?? assert.fail(name);

  it("reaches every component's own container, behind what the program says", () => {
    for (const workload of pods(ring)) {
      const { initContainers = [], containers, volumes = [] } = workload.spec.template.spec;
      const [own, beside, ...others] = containers;
      const { name } = workload.metadata;
      assert.deepEqual([beside?.name, others.length, initContainers.map((each) => each.name).join()], ["beside", 0, "first"], name);
      assert.deepEqual(own?.env?.slice(-2), [
        { name: "GOGC", value: "75" },
        { name: "REGION", valueFrom: { configMapKeyRef: { name: "site", key: "region" } } },
      ]);
      assert.deepEqual(own?.volumeMounts?.at(-1), { name: "client-tls", mountPath: "/etc/extra/tls", readOnly: true });
      assert.deepEqual(volumes.slice(-2), [
        { name: "client-tls", secret: { secretName: "client-tls" } },
        { name: "scratch", emptyDir: { sizeLimit: "16Mi" } },
      ]);
    }
    const last = (name: string) => named(ring, name).spec.template.spec.containers[0]?.args?.at(-1);
    assert.equal(last("thanos-querier"), "--query.lookback-delta=10m");
    assert.equal(last("thanos-receive-z1"), "--enable-feature=metric-names-filter");
    assert.equal(last("thanos-receive-router"), "--receive.grpc-compression=none");
    assert.equal(last("prometheus"), "--enable-feature=promql-experimental-functions");
    assert.equal(last("thanos-index-cache"), "--threads=2");
  });

  it("reaches a sidecar by itself, in a pod with what its Prometheus has", () => {
    const { containers, volumes = [] } = named(sidecar, "prometheus").spec.template.spec;
    assert.deepEqual(
      containers.map(({ name, args }) => [name, args?.at(-1)]),
      [
        ["prometheus", "--query.lookback-delta=10m"],
        ["thanos-sidecar", "--shipper.upload-concurrency=2"],
        ["beside", undefined],
      ],
    );
    const own = containers.find(({ name }) => name === "thanos-sidecar");
    assert.deepEqual(own?.env?.at(-1), { name: "LANG", value: "C" });
    assert.equal(own?.volumeMounts?.at(-1)?.mountPath, "/etc/extra/tls");
    assert.ok(volumes.some(({ name }) => name === "client-tls"));
  });

  it("is as restricted as the stack's own where it says nothing else", () => {
    const [, beside] = named(ring, "thanos-querier").spec.template.spec.containers;
    assert.deepEqual(beside?.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    assert.deepEqual(beside?.resources, {
      requests: { "ephemeral-storage": "64Mi", cpu: "10m", memory: "32Mi" },
      // With the directory that it mounts.
      limits: { "ephemeral-storage": "528Mi", memory: "32Mi" },
    });
  });

  it("is an output and in words, without a value that may be nobody's business", () => {
    const uses = ring.outputs.unchecked as string[];
    assert.deepEqual(uses, uncheckedUses(settingsOf(EXTRA.stack, EXTRA.overrides)));
    assert.deepEqual(
      uses.filter((use) => use.startsWith("querier.")),
      [
        "querier.extra.args: --query.lookback-delta",
        "querier.extra.env: GOGC, REGION",
        "querier.extra.volumes: client-tls (secret client-tls), scratch (emptyDir)",
        "querier.extra.volumeMounts: /etc/extra/tls",
        "querier.extra.containers: beside (quay.io/own/beside:1.0.0)",
        "querier.extra.initContainers: first (quay.io/own/first:1.0.0)",
      ],
    );
    assert.ok((sidecar.outputs.unchecked as string[]).includes("prometheus.sidecar.extra.args: --shipper.upload-concurrency"));
  });

  it("is not said of what the plan does not have", async () => {
    const extra = { args: ["--hash-func=SHA256"] };
    const { outputs } = await run("dev", { receive: { routers: { extra } }, prometheus: { sidecar: { extra } } });
    assert.ok(!("unchecked" in outputs));
  });

  it("is said of variables of whole Secrets too", () => {
    const extra = { envFrom: [{ secretRef: { name: "site" } }, { prefix: "A_", configMapRef: { name: "region" } }] };
    assert.deepEqual(uncheckedUses(settingsOf("dev", { querier: { extra } })), ["querier.extra.envFrom: secret site, configMap region"]);
  });

  it("is probes, hooks and a security context that Pod Security restricted admits", () => {
    const container = {
      name: "own",
      image: "a.example/own:1",
      resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "16Mi" } },
      startupProbe: {
        httpGet: { port: "web", path: "/", scheme: "HTTPS", httpHeaders: [{ name: "X-A", value: "b" }] },
        failureThreshold: 30,
      },
      readinessProbe: { grpc: { port: 1, service: "x" }, successThreshold: 2 },
      livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 1, terminationGracePeriodSeconds: 5 },
      lifecycle: { postStart: { exec: { command: ["x"] } }, preStop: { sleep: { seconds: 30 } } },
      securityContext: {
        runAsUser: 1_000,
        runAsNonRoot: true,
        capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
        seccompProfile: { type: "Localhost", localhostProfile: "a.json" },
        seLinuxOptions: { type: "container_t", level: "s0:c1" },
      },
    };
    const { querier } = settingsOf("prod", { querier: { extra: { containers: [container] } } });
    assert.deepEqual(querier.extra.containers, [container]);
  });

  it("is taken as Kubernetes takes it", () => {
    const { querier } = settingsOf("prod", {
      querier: {
        extra: {
          envFrom: [{ secretRef: { name: "site" } }],
          volumes: [{ name: "a", secret: { secretName: "a", defaultMode: "0400" } }],
          containers: [
            {
              name: "own",
              image: `a.example/own@sha256:${"0".repeat(64)}`,
              resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "16Mi", "ephemeral-storage": "32Mi" } },
            },
          ],
        },
      },
    });
    assert.equal(querier.extra.volumes?.[0]?.secret?.defaultMode, 0o400);
    const spec = podWithExtra({ containers: [{}] }, querier.extra) as unknown as { containers: Container[] };
    const [own, beside] = spec.containers;
    assert.deepEqual(own, { envFrom: [{ secretRef: { name: "site" } }] });
    assert.deepEqual([beside?.resources.requests["ephemeral-storage"], beside?.resources.limits["ephemeral-storage"]], ["32Mi", "32Mi"]);
  });

  it("is no output where nothing is given", async () => {
    assert.ok(!("unchecked" in (await run("dev")).outputs));
  });
});

describe("extra that is refused", () => {
  const LIMITED = { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "16Mi" } };
  const beside = (further: object = {}) => ({ containers: [{ name: "own", image: "a.example/own:1", resources: LIMITED, ...further }] });
  const args = (...given: string[]) => ({ querier: { extra: { args: given } } });
  const querier = (extra: object) => ({ querier: { extra } });
  const cases: [string, Overrides, RegExp][] = [
    [
      "a flag of the program's, with its key",
      args("--query.timeout=5m"),
      /querier\.extra\.args\[0\] = "--query\.timeout=5m": the program sets this flag\. Accepted: the key querier\.timeout instead/,
    ],
    ["such a switch, turned off", args("--no-query.auto-downsampling"), /the key objectStorage\.compactor\.downsampling instead/],
    [
      "a flag of the program's that nobody decides about, with the reason",
      { receive: { extra: { args: ["--receive.hashrings-algorithm=hashmod"] } } },
      /this flag is the program's: with another one than ketama every change of the ring moves nearly every series\. Accepted: the flag left out/,
    ],
    ["its twin by text", { receive: { extra: { args: ["--objstore.config=type: S3"] } } }, /the key objectStorage instead/],
    [
      "a flag that there is not",
      args("--query.max-concurrent-selects=8"),
      /has no flag --query\.max-concurrent-selects, and ends at its start/,
    ],
    ["another component's flag", { ruler: { extra: { args: ["--query.lookback-delta=10m"] } } }, /thanos rule 0\.42\.4 has no flag/],
    [
      "a flag of the next release",
      { images: { thanos: "quay.io/thanos/thanos:v0.41.0" }, queryFrontend: { extra: { args: ["--query.max-retries-per-request=2"] } } },
      /thanos query-frontend 0\.41\.0 has no flag --query\.max-retries-per-request, which is new/,
    ],
    [
      "a value that is an entry of its own",
      args("--query.mode", "local"),
      /extra\.args\[0\] = "--query\.mode": --query\.mode takes a value/,
    ],
    ["what is no flag", args("debug"), /extra\.args\[0\] = "\(not shown\)": not of the form of a flag/],
    ["a switch with a value", args("--query.disable-fallback=true"), /takes no value, .*Accepted: --query\.disable-fallback alone/],
    ["a flag twice", args("--query.mode=local", "--query.mode=distributed"), /extra\.args\[1\] = .*given twice/],
    ["what ends the process", args("--help"), /the process prints something and ends/],
    [
      "what ends a Prometheus",
      { prometheus: { extra: { args: ["--write-documentation"] } } },
      /write-documentation": the process prints something and ends/,
    ],
    ["completions of a shell", args("--completion-script-bash"), /the process prints something and ends/],
    ["addresses for tests", args("--inject-test-addresses=zz"), /the key querier\.endpoints instead/],
    [
      "other queriers of a ruler's",
      { ruler: { extra: { args: ["--grpc-query-endpoint=x:1"] } } },
      /rules are evaluated over the stack's queriers/,
    ],
    [
      "writes into Prometheus",
      { prometheus: { extra: { args: ["--web.enable-remote-write-receiver", "--web.enable-otlp-receiver"] } } },
      /could write series into this Prometheus/,
    ],
    [
      "a tenant by a certificate that nobody has",
      { receive: { extra: { args: ["--receive.tenant-certificate-field=organization"] } } },
      /without tls each request would end in a panic/,
    ],
    ["an unknown flag, without its value", args("--web.auth=hunter2"), /extra\.args\[0\] = "--web\.auth=\(not shown\)"/],
    ["a flag and its value in one, without it", args("--web.password hunter2"), /extra\.args\[0\] = "--web\.password \(not shown\)"/],
    [
      "a misspelt value of a variable, without showing it",
      querier({ env: [{ name: "PASSWORD", valu: "hunter2" }] }),
      /env\[0\]\.valu = "\(not shown\)": there is no such key; value may be meant/,
    ],
    [
      "a volume that this plan's pods have not",
      querier(beside({ volumeMounts: [{ name: "objectstore", mountPath: "/x" }] })),
      /"objectstore": the pod has no such volume/,
    ],
    [
      "a file that is the kubelet's own",
      querier({ volumes: [{ name: "a", secret: { secretName: "a", items: [{ key: "k", path: "..k" }] } }] }),
      /path = "\.\.k"/,
    ],
    [
      "a key that no Secret has",
      querier({ volumes: [{ name: "a", secret: { secretName: "a", items: [{ key: "..k", path: "k" }] } }] }),
      /key = "\.\.k"/,
    ],
    [
      "a variable's field that there is not",
      querier({ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.foo" } } }] }),
      /one of metadata\.name/,
    ],
    [
      "an amount that there is not",
      querier({ env: [{ name: "A", valueFrom: { resourceFieldRef: { resource: "limits.foo" } } }] }),
      /one of limits\.cpu/,
    ],
    ["a file of nothing", querier({ volumes: [{ name: "a", downwardAPI: { items: [{ path: "x" }] } }] }), /fieldRef or resourceFieldRef/],
    [
      "a file of a pod's address",
      querier({ volumes: [{ name: "a", downwardAPI: { items: [{ path: "x", fieldRef: { fieldPath: "status.podIP" } }] } }] }),
      /fieldPath = "status\.podIP"/,
    ],
    [
      "a file of an amount of no container",
      querier({ volumes: [{ name: "a", downwardAPI: { items: [{ path: "x", resourceFieldRef: { resource: "limits.cpu" } }] } }] }),
      /containerName = \(not set\)/,
    ],
    ["a prefix that no variable has", querier({ envFrom: [{ prefix: "=A ", secretRef: { name: "a" } }] }), /prefix = "=A "/],
    [
      "a volume of one pod and of several",
      querier({
        volumes: [
          {
            name: "a",
            ephemeral: {
              volumeClaimTemplate: {
                spec: { accessModes: ["ReadWriteOnce", "ReadWriteOncePod"], resources: { requests: { storage: "1Gi" } } },
              },
            },
          },
        ],
      }),
      /ReadWriteOncePod alone/,
    ],
    ["a probe's unknown field", querier(beside({ livenessProbe: { exec: { command: ["x"] }, foo: 1 } })), /livenessProbe\.foo = 1/],
    [
      "a probe of two handlers",
      querier(beside({ livenessProbe: { exec: { command: ["x"] }, tcpSocket: { port: 1 } } })),
      /one of exec, httpGet, tcpSocket, grpc/,
    ],
    [
      "two successes of what restarts",
      querier(beside({ livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } })),
      /livenessProbe\.successThreshold = 2/,
    ],
    ["a probe of another host", querier(beside({ readinessProbe: { httpGet: { port: 1, host: "x" } } })), /httpGet\.host = "x"/],
    ["a hook of none", querier(beside({ lifecycle: { preStop: {} } })), /one of exec, httpGet, tcpSocket, sleep/],
    ["a sleep that outlasts the pod's end", querier(beside({ lifecycle: { preStop: { sleep: { seconds: 31 } } } })), /seconds = 31/],
    ["a privileged container", querier(beside({ securityContext: { privileged: true } })), /securityContext\.privileged = true/],
    ["a container that is root", querier(beside({ securityContext: { runAsUser: 0 } })), /securityContext\.runAsUser = 0/],
    ["an unknown field of it", querier(beside({ securityContext: { httpGet: 1 } })), /securityContext\.httpGet = 1: there is no such key/],
    [
      "a capability",
      querier(beside({ securityContext: { capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] } } })),
      /capabilities\.add\[0\] = "SYS_ADMIN"/,
    ],
    ["capabilities that stay", querier(beside({ securityContext: { capabilities: { drop: ["NET_RAW"] } } })), /drop with ALL in it/],
    ["no seccomp profile", querier(beside({ securityContext: { seccompProfile: { type: "Unconfined" } } })), /seccompProfile\.type/],
    ["a port of the node", querier(beside({ ports: [{ containerPort: 1, hostPort: 1 }] })), /hostPort = 1/],
    [
      "a flag of memcached's, by the beginning of its name",
      { queryFrontend: { cache: { extra: { args: ["--mem=64"] } } } },
      /the key queryFrontend\.cache\.memory instead/,
    ],
    [
      "a variable of the stack's",
      querier({ env: [{ name: "POD_NAME", value: "x" }] }),
      /querier\.extra\.env\[0\]\.name = "POD_NAME": the stack has a variable/,
    ],
    ["a variable without a value", querier({ env: [{ name: "A" }] }), /querier\.extra\.env\[0\] = .*value or valueFrom/],
    [
      "a number where Kubernetes takes text",
      querier({ env: [{ name: "A", value: 1 }] }),
      /env\[0\]\.value = 1: this key holds text\. .*in quotes/,
    ],
    [
      "a volume of the stack's",
      querier({ volumes: [{ name: "data", emptyDir: { sizeLimit: "1Mi" } }] }),
      /extra\.volumes\[0\]\.name = "data": the stack has a volume of this name itself/,
    ],
    [
      "a volume of two kinds",
      querier({ volumes: [{ name: "a", secret: { secretName: "a" }, configMap: { name: "a" } }] }),
      /one of secret, configMap/,
    ],
    [
      "a directory of a node",
      querier({ volumes: [{ name: "a", hostPath: { path: "/" } }] }),
      /extra\.volumes\[0\]\.hostPath = .*no such key/,
    ],
    [
      "a directory without an end",
      querier({ volumes: [{ name: "a", emptyDir: {} }] }),
      /extra\.volumes\[0\]\.emptyDir\.sizeLimit = \(not set\)/,
    ],
    [
      "a mount of nothing",
      querier({ volumeMounts: [{ name: "a", mountPath: "/etc/extra" }] }),
      /extra\.volumeMounts\[0\]\.name = "a": .*a name of querier\.extra\.volumes, which has none/,
    ],
    [
      "a mount over the stack's own",
      {
        receive: {
          extra: {
            volumes: [{ name: "a", configMap: { name: "a" } }],
            volumeMounts: [{ name: "a", mountPath: "/etc/thanos/hashrings/" }],
          },
        },
      },
      /receive\.extra\.volumeMounts\[0\]\.mountPath = "\/etc\/thanos\/hashrings": the stack's own \/etc\/thanos\/hashrings is there/,
    ],
    [
      "a mount above it",
      querier({ volumes: [{ name: "a", configMap: { name: "a" } }], volumeMounts: [{ name: "a", mountPath: "/etc" }] }),
      /"\/etc": the stack's own \/etc\//,
    ],
    [
      "a container of the stack's name",
      querier(beside({ name: "thanos-querier" })),
      /"thanos-querier": the stack has a container of this name/,
    ],
    [
      "a port of the stack's",
      querier(beside({ ports: [{ containerPort: 10901 }] })),
      /extra\.containers\[0\]\.ports\[0\]\.containerPort = 10901: the containers of a pod share its ports/,
    ],
    [
      "a port's name to which a Service leads",
      querier(beside({ ports: [{ name: "http", containerPort: 1 }] })),
      /"http": the stack has a port of this name/,
    ],
    ["a port's name that is a number", querier(beside({ ports: [{ name: "8080", containerPort: 1 }] })), /a letter among them/],
    ["a port's name with two dashes", querier(beside({ ports: [{ name: "a--b", containerPort: 1 }] })), /single '-'/],
    [
      "a file outside of its volume",
      querier({ volumes: [{ name: "a", downwardAPI: { items: [{ path: "../x", fieldRef: { fieldPath: "metadata.name" } }] } }] }),
      /items\[0\]\.path = "\.\.\/x": .*a relative path without '\.\.'/,
    ],
    [
      "two places within a volume",
      querier({
        volumes: [{ name: "a", configMap: { name: "a" } }],
        volumeMounts: [{ name: "a", mountPath: "/x", subPath: "a", subPathExpr: "$(POD_NAME)" }],
      }),
      /subPath or subPathExpr/,
    ],
    [
      "mounts that reach the node",
      querier({
        volumes: [{ name: "a", configMap: { name: "a" } }],
        volumeMounts: [{ name: "a", mountPath: "/x", mountPropagation: "Bidirectional" }],
      }),
      /mountPropagation = "Bidirectional"/,
    ],
    [
      "a trust bundle of two origins",
      querier({
        volumes: [{ name: "a", projected: { sources: [{ clusterTrustBundle: { path: "ca.crt", name: "a", signerName: "b" } }] } }],
      }),
      /name or signerName/,
    ],
    [
      "a container without a limit",
      querier(beside({ resources: { requests: { cpu: "1" }, limits: {} } })),
      /extra\.containers\[0\]\.resources = .*limits\.memory at least/,
    ],
    ["a container of no version", querier(beside({ image: "own:latest" })), /extra\.containers\[0\]\.image = "own:latest"/],
    [
      "a container that mounts nothing",
      querier(beside({ volumeMounts: [{ name: "nothing", mountPath: "/x" }] })),
      /extra\.containers\[0\]\.volumeMounts\[0\]\.name = "nothing": the pod has no such volume/,
    ],
    [
      "a field that containers do not have",
      querier(beside({ privileged: true })),
      /extra\.containers\[0\]\.privileged = true: there is no such key/,
    ],
    ["what memcached's letters say", { queryFrontend: { cache: { extra: { args: ["-m 64"] } } } }, /with the whole name/],
    [
      "a path that moves the pages of a Prometheus",
      { prometheus: { extra: { args: ["--web.external-url=https://example.com/prometheus"] } } },
      /Accepted: the key prometheus\.externalUrl instead/,
    ],
    ["a prefix of the querier's", args("--web.external-prefix=/thanos"), /Accepted: the key querier\.externalUrl instead/],
    [
      "a variable of a proxy, where the stack has one",
      {
        network: { proxy: { url: "http://proxy.example:3128" } },
        prometheus: {
          extra: {
            env: [
              { name: "https_proxy", value: "http://x:1" },
              { name: "NO_PROXY", value: "x" },
            ],
          },
        },
      },
      /env\[0\]\.name = "https_proxy": network\.proxy sets the variables of a proxy/,
    ],
    [
      "another protocol than the others speak",
      args("--http.config=/x"),
      /every other component of the stack speaks to this port without TLS/,
    ],
    [
      "a server's flag of an agent",
      { prometheus: { mode: "agent", extra: { args: ["--query.lookback-delta=10m"] } } },
      /only a server takes --query\.lookback-delta, and prometheus\.mode is agent/,
    ],
    ["an agent's flag of a server", { prometheus: { extra: { args: ["--storage.agent.retention.max-time=4h"] } } }, /only an agent takes/],
    [
      "a proxy for what the stack's components say to each other",
      querier({ env: [{ name: "HTTPS_PROXY", value: "http://proxy:3128" }] }),
      /extra\.env\[0\]\.name = "HTTPS_PROXY": .*NO_PROXY beside it/,
    ],
    [
      "a volume of another component's pods",
      querier(beside({ volumeMounts: [{ name: "data", mountPath: "/x" }] })),
      /one of endpoints, tmp\./,
    ],
    [
      "a sidecar's mount of nothing",
      { ingestion: "sidecar", prometheus: { sidecar: { extra: { volumeMounts: [{ name: "a", mountPath: "/etc/extra" }] } } } },
      /prometheus\.sidecar\.extra\.volumeMounts\[0\]\.name = "a": .*a name of prometheus\.extra\.volumes, which has none/,
    ],
    [
      "a way around to the stack's own",
      querier({ volumes: [{ name: "a", configMap: { name: "a" } }], volumeMounts: [{ name: "a", mountPath: "/x/../tmp" }] }),
      /in its shortest form/,
    ],
    [
      "requests above their limits",
      querier(beside({ resources: { requests: { cpu: "1", memory: "64Mi" }, limits: { memory: "32Mi" } } })),
      /requests that are not above their limits/,
    ],
    [
      "probes of what ends",
      querier({ initContainers: [{ ...beside().containers[0], livenessProbe: { exec: { command: ["x"] } } }] }),
      /no probes and no lifecycle, or restartPolicy Always/,
    ],
    [
      "one name in both lists",
      querier({ ...beside(), initContainers: beside().containers }),
      /extra\.initContainers = "own": another container of the pod has this name/,
    ],
    [
      "a required key under another name",
      querier({ volumes: [{ name: "a", secret: { name: "ca" } }] }),
      /volumes\[0\]\.secret\.secretName = \(not set\)/,
    ],
    [
      "what looks like a credential, without showing it",
      { receive: { extra: { extraEnv: [{ name: "DB_PASSWORD", value: "hunter2hunter2" }] } } },
      /receive\.extra\.extraEnv = \(not shown, since it looks like a credential\)/,
    ],
  ];
  for (const [title, overrides, expected] of cases) {
    it(title, async () => {
      const { problems } = await rejection("prod", overrides);
      assert.ok(problems.length >= 1 && problems.length <= 2, problems.join("\n"));
      assert.match(problems.join("\n"), expected);
    });
  }

  it("volumes of every kind that Pod Security restricted lets in are taken, as they are written", async () => {
    const storage = { accessModes: ["ReadWriteOnce"], storageClassName: "fast", resources: { requests: { storage: "1Gi" } } };
    const volumes = [
      { name: "scratch", ephemeral: { volumeClaimTemplate: { metadata: { labels: { team: "a" } }, spec: storage } } },
      { name: "files", image: { reference: "example.com/rules:v1", pullPolicy: "IfNotPresent" } },
      {
        name: "trust",
        projected: { sources: [{ clusterTrustBundle: { path: "ca.crt", signerName: "example.com/ca", labelSelector: {} } }] },
      },
    ];
    const volumeMounts = [
      { name: "scratch", mountPath: "/scratch", subPathExpr: "$(POD_NAME)", mountPropagation: "HostToContainer" },
      { name: "trust", mountPath: "/trust", readOnly: true, recursiveReadOnly: "IfPossible" },
    ];
    const made = await run("prod", querier({ volumes, volumeMounts }));
    const { spec } = object(made, "Deployment", "thanos-querier").spec.template;
    for (const volume of volumes)
      assert.deepEqual(
        spec.volumes?.find(({ name }) => name === volume.name),
        volume,
      );
    for (const mount of volumeMounts)
      assert.deepEqual(
        spec.containers[0]?.volumeMounts?.find(({ name }) => name === mount.name),
        mount,
      );
    const resources = made.resources.filter(({ custom }) => custom).map((each) => ({ ...each, protect: each.options.protect }));
    assert.deepEqual(violationsOf(resources, "prod"), []);
  });

  it("flags of a Prometheus that is newer than the list are taken", async () => {
    const newer = { images: { prometheus: "quay.io/prometheus/prometheus:v3.99.0" }, prometheus: { extra: { args: ["--brand.new=1"] } } };
    assert.ok((await run("prod", newer)).resources.length > 0);
    assert.match((await rejection("prod", { prometheus: { extra: { args: ["--brand.new=1"] } } })).message, /has no flag --brand\.new/);
  });
});
