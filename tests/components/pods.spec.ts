import assert from "node:assert/strict";
import type { Manifest } from "../../commands/manifests";
import type { ProgramRun } from "../../commands/program";
import { receiveOf } from "../../model/settings/scheme";
import { quantityBytes } from "../../model/values/quantity";
import {
  container,
  containers,
  leastPods,
  type Overrides,
  object,
  objects,
  type PodSpec,
  run,
  settingsOf,
  type Workload,
  workloads,
} from "../harness";
import { HOST_PATH, PLANS, PROD } from "./plans";
import { violationsOfRestricted } from "./podSecurity";

/** Components that Services lead others to, and whose pause no key sets to 0. */
const PAUSES = /^(?:querier|query-frontend|store-gateway)$/;
/** Components of several pods that answer in each other's place. Receivers' own key is tested with them. */
const SETTLES = /^(?:receive-router|querier|store-gateway|ruler|prometheus)$/;

const nameOf = (workload: Workload) => `${workload.kind} ${workload.metadata.namespace}/${workload.metadata.name}`;

describe("pods: the check of Pod Security's restricted profile", () => {
  const good: PodSpec = {
    securityContext: { runAsNonRoot: true, runAsUser: 1, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "c",
        image: "i",
        resources: { requests: {}, limits: {} },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      },
    ],
    volumes: [{ name: "a", emptyDir: {} }],
  };
  const [only] = good.containers;
  const withContext = (change: object): PodSpec => ({
    ...good,
    containers: only === undefined ? [] : [{ ...only, securityContext: { ...only.securityContext, ...change } }],
  });
  const cases: { title: string; pod: PodSpec; violation: RegExp }[] = [
    { title: "root", pod: withContext({ runAsUser: 0 }), violation: /runAsUser 0/ },
    { title: "a container that may be root", pod: withContext({ runAsNonRoot: false }), violation: /runAsNonRoot/ },
    { title: "escalation", pod: withContext({ allowPrivilegeEscalation: undefined }), violation: /allowPrivilegeEscalation/ },
    { title: "kept capabilities", pod: withContext({ capabilities: { drop: ["NET_RAW"] } }), violation: /ALL is not dropped/ },
    { title: "added capabilities", pod: withContext({ capabilities: { drop: ["ALL"], add: ["CHOWN"] } }), violation: /CHOWN/ },
    { title: "hostPath", pod: { ...good, volumes: [{ name: "a", hostPath: { path: "/" } }] }, violation: /hostPath/ },
    { title: "the node's network", pod: { ...good, hostNetwork: true }, violation: /hostNetwork/ },
    { title: "no seccomp profile", pod: { ...good, securityContext: { runAsNonRoot: true } }, violation: /seccomp/ },
  ];
  it("admits a pod that satisfies it", () => assert.deepEqual(violationsOfRestricted(good), []));
  for (const { title, pod, violation } of cases) {
    it(`refuses ${title}`, () => assert.match(violationsOfRestricted(pod).join("\n"), violation));
  }
});

for (const { title, stack, overrides } of PLANS) {
  describe(`pods: ${title}`, () => {
    let made: ProgramRun;
    let all: Workload[];
    let namespace: string;
    before(async () => {
      made = await run(stack, overrides);
      all = workloads(made);
      namespace = `thanos-${stack}`;
    });

    it("satisfy Pod Security restricted, except those that make directories, in a namespace of their own", () => {
      for (const workload of all) {
        const violations = violationsOfRestricted(workload.spec.template.spec);
        if (workload.metadata.namespace === namespace) assert.deepEqual(violations, [], nameOf(workload));
        else {
          assert.equal(workload.kind, "Job");
          assert.equal(workload.metadata.namespace, `${namespace}-volumes`);
          assert.notDeepEqual(violations, [], `${nameOf(workload)} needs no exemption`);
        }
      }
    });

    it("write no root file system, and get no more than they need of the node", () => {
      for (const workload of all) {
        const { spec } = workload.spec.template;
        for (const each of [...(spec.initContainers ?? []), ...spec.containers]) {
          assert.equal(each.securityContext?.readOnlyRootFilesystem, true, `${nameOf(workload)} ${each.name}`);
          const { requests, limits } = each.resources;
          assert.ok(limits.memory !== undefined, `${nameOf(workload)} has no memory limit`);
          assert.equal(requests.memory, limits.memory, `${nameOf(workload)}: what is promised is what is used`);
          assert.ok(quantityBytes(limits.memory) >= 32 * 2 ** 20, `${nameOf(workload)}: ${limits.memory}`);
          assert.ok(requests.cpu !== undefined, `${nameOf(workload)} requests no CPU`);
        }
      }
    });

    it("run pinned images", () => {
      for (const workload of all) {
        for (const { name, image } of containers(workload)) {
          assert.match(image, /^[a-z.]+\/[a-z/-]+:v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$/, `${nameOf(workload)} ${name}`);
        }
      }
    });

    it("get a service account of their own, and none of its tokens by default", () => {
      for (const workload of all) {
        const { spec } = workload.spec.template;
        assert.notEqual(spec.serviceAccountName ?? "default", "default", nameOf(workload));
        assert.equal(spec.automountServiceAccountToken, false, nameOf(workload));
      }
    });

    it("have a token in the one container that asks the API server, beside the cluster's certificate, and it expires", () => {
      for (const workload of all) {
        const { spec } = workload.spec.template;
        const tokens = (spec.volumes ?? []).filter((volume) => JSON.stringify(volume).includes("serviceAccountToken"));
        const holders = containers(workload).filter(({ volumeMounts }) =>
          (volumeMounts ?? []).some(
            (mount) => mount.mountPath.startsWith("/var/run/secrets") || tokens.some(({ name }) => name === mount.name),
          ),
        );
        const asks = workload.metadata.labels["app.kubernetes.io/component"] === "prometheus";
        assert.deepEqual(
          holders.map(({ name }) => name),
          asks ? ["prometheus"] : [],
          nameOf(workload),
        );
        if (!asks) continue;
        const { sources } = (tokens[0] as unknown as { projected: { sources: Record<string, Record<string, unknown>>[] } }).projected;
        assert.deepEqual(
          sources.map((source) => Object.keys(source)[0]),
          ["serviceAccountToken", "configMap", "downwardAPI"],
        );
        assert.ok(Number(sources[0]?.serviceAccountToken?.expirationSeconds) <= 3_607);
        const mount = containers(workload)
          .find(({ name }) => name === "prometheus")
          ?.volumeMounts?.find(({ mountPath }) => mountPath === "/var/run/secrets/kubernetes.io/serviceaccount");
        assert.equal(mount?.readOnly, true);
      }
    });

    it("take no more of their node's disk than they say", () => {
      for (const workload of all) {
        const { spec } = workload.spec.template;
        let scratch = 0;
        for (const volume of spec.volumes ?? []) {
          if (volume.emptyDir === undefined) continue;
          const { sizeLimit } = volume.emptyDir as { sizeLimit?: string };
          assert.ok(sizeLimit !== undefined, `${nameOf(workload)}: ${volume.name} has no limit`);
          scratch += quantityBytes(sizeLimit);
        }
        const of = (which: "requests" | "limits") =>
          [...(spec.initContainers ?? []), ...spec.containers].map((each) =>
            quantityBytes(each.resources[which]["ephemeral-storage"] ?? ""),
          );
        // A kubelet's default keeps 50Mi of a container's log, and some keep 250Mi: neither may evict a pod, whatever its directories hold.
        assert.ok(Math.min(...of("requests")) > 50 * 2 ** 20, nameOf(workload));
        for (const limit of of("limits")) assert.ok(limit > 2 * 250 * 2 ** 20, nameOf(workload));
        const logs = of("limits").length * 250 * 2 ** 20;
        assert.ok(of("limits").reduce((sum, limit) => sum + limit, 0) >= scratch + 2 * logs, nameOf(workload));
      }
    });

    it("mount folders, never a single file of a ConfigMap, which would not be updated", () => {
      for (const workload of all) {
        for (const mount of containers(workload).flatMap(({ volumeMounts }) => volumeMounts ?? [])) {
          assert.equal(mount.subPath, undefined, nameOf(workload));
          assert.equal(mount.subPathExpr, undefined, nameOf(workload));
        }
      }
    });

    it("mount every volume that they name, and name every volume that they mount", () => {
      for (const workload of all) {
        const { spec } = workload.spec.template;
        const claimed = (workload.spec.volumeClaimTemplates ?? []).map((template) => template.metadata.name);
        const named = [...(spec.volumes ?? []).map((volume) => volume.name), ...claimed].sort();
        const mounts = containers(workload).map(({ volumeMounts }) => (volumeMounts ?? []).map((mount) => mount.name));
        for (const mounted of mounts) assert.equal(new Set(mounted).size, mounted.length, `${nameOf(workload)} mounts one twice`);
        assert.deepEqual([...new Set(mounts.flat())].sort(), named, nameOf(workload));
      }
    });

    it("carry the labels that select them, and no version among these", () => {
      for (const workload of all) {
        const labels = workload.spec.template.metadata.labels;
        assert.equal(labels["app.kubernetes.io/part-of"], "thanos-stack");
        if (workload.kind === "Job") continue;
        const selected = workload.spec.selector.matchLabels;
        for (const [label, value] of Object.entries(selected)) assert.equal(labels[label], value, nameOf(workload));
        assert.equal(selected["app.kubernetes.io/version"], undefined);
        for (const template of workload.spec.volumeClaimTemplates ?? []) {
          assert.equal(template.metadata.labels["app.kubernetes.io/version"], undefined, "a new version would replace the StatefulSet");
        }
      }
    });

    it("are selected by one workload each", () => {
      const running = all.filter((workload) => workload.kind !== "Job");
      for (const workload of running) {
        const owners = running.filter((other) =>
          Object.entries(other.spec.selector.matchLabels).every(
            ([label, value]) => workload.spec.template.metadata.labels[label] === value,
          ),
        );
        assert.deepEqual(owners.map(nameOf), [nameOf(workload)]);
      }
    });

    it("are started with a budget above any replay, and judged alive apart from ready", () => {
      for (const workload of all.filter(({ kind }) => kind !== "Job")) {
        for (const { name, image, startupProbe, readinessProbe, livenessProbe, ports } of containers(workload)) {
          if (!/thanos|prometheus:/.test(image)) continue;
          const what = `${nameOf(workload)} ${name}`;
          assert.equal(startupProbe?.httpGet?.path, "/-/ready", what);
          const budget = (startupProbe?.periodSeconds ?? 10) * (startupProbe?.failureThreshold ?? 3);
          assert.ok(budget >= 900, `${what}: ${budget} s; a replay of 10 minutes was reported`);
          assert.equal(readinessProbe?.httpGet?.path, "/-/ready", what);
          assert.equal(livenessProbe?.httpGet?.path, "/-/healthy", what);
          for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
            assert.ok(
              ports?.some((port) => port.name === probe?.httpGet?.port),
              `${what} probes a port that it does not name`,
            );
          }
          assert.ok((livenessProbe?.failureThreshold ?? 3) * (livenessProbe?.periodSeconds ?? 10) >= 60, `${what}: killed for a pause`);
        }
      }
    });

    it("name each port once, by name and by number", () => {
      for (const workload of all) {
        const ports = containers(workload).flatMap((each) => each.ports ?? []);
        for (const key of ["name", "containerPort"] as const) {
          assert.equal(new Set(ports.map((port) => port[key])).size, ports.length, `${nameOf(workload)}: ${key}`);
        }
      }
    });

    it("are killed only after everything that they do at their end", () => {
      for (const workload of all) {
        if (workload.kind === "Job") continue;
        const grace = workload.spec.template.spec.terminationGracePeriodSeconds ?? 30;
        const pause = Math.max(...containers(workload).map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0));
        assert.ok(grace > pause + 10, `${nameOf(workload)}: ${grace} s with a pause of ${pause} s`);
        // Thanos gives requests in flight two minutes (--http-grace-period, --grpc-grace-period); a querier gives them the
        // length of a query, which its spec has.
        const serves = /^(?:receive|receive-router|query-frontend|store-gateway|ruler|compactor|prometheus)$/;
        if (serves.test(workload.metadata.labels["app.kubernetes.io/component"] ?? ""))
          assert.ok(grace >= pause + 120 + 15, `${nameOf(workload)}: ${grace} s with a pause of ${pause} s`);
      }
    });

    it("leave the Services before they end, where somebody connects to them by one", () => {
      for (const workload of all.filter(({ metadata }) => PAUSES.test(metadata.labels["app.kubernetes.io/component"] ?? ""))) {
        const pause = Math.max(...containers(workload).map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0));
        assert.ok(pause >= 5, `${nameOf(workload)}: ${pause} s`);
      }
    });

    it("have been Ready for a while before the next one of several is restarted", () => {
      for (const workload of all.filter(({ metadata }) => SETTLES.test(metadata.labels["app.kubernetes.io/component"] ?? ""))) {
        const { minReadySeconds = 0 } = workload.spec;
        const pods = leastPods(made, workload);
        assert.equal(minReadySeconds >= 5, pods > 1, `${nameOf(workload)}: ${minReadySeconds} s, ${pods} pods`);
      }
    });
  });

  describe(`services: ${title}`, () => {
    it("open nothing outside the cluster", async () => {
      const { expose } = settingsOf(stack, overrides);
      const exposed = [expose.write && "thanos-gateway-write", expose.query && "thanos-gateway-query"];
      for (const service of objects(await run(stack, overrides), "Service")) {
        if (exposed.includes(service.metadata.name)) continue;
        assert.ok([undefined, "ClusterIP"].includes(service.spec.type), `${service.metadata.name} is a ${service.spec.type}`);
        for (const port of service.spec.ports) assert.equal(port.nodePort, undefined);
      }
      const ingresses = objects(await run(stack, overrides), "Ingress").map(({ metadata }) => metadata.name);
      const asked = [expose.write?.ingress && "thanos-gateway-write", expose.query?.ingress && "thanos-gateway-query"];
      assert.deepEqual(
        ingresses,
        asked.filter((name) => name !== undefined),
      );
    });

    it("select pods that have the port that they name", async () => {
      const made = await run(stack, overrides);
      for (const service of objects(made, "Service")) {
        const selected = workloads(made).filter((workload) =>
          Object.entries(service.spec.selector).every(([label, value]) => workload.spec.template.metadata.labels[label] === value),
        );
        assert.ok(selected.length > 0, `${service.metadata.name} selects no pod`);
        for (const workload of selected) {
          for (const port of service.spec.ports) {
            const target = containers(workload)
              .flatMap((each) => each.ports ?? [])
              .find((each) => each.name === port.targetPort);
            // The gateway is asked at the port of HTTPS.
            const expected = port.port === 443 ? { write: 8443, query: 8444 }[port.name] : port.port;
            assert.equal(target?.containerPort, expected, `${service.metadata.name} → ${nameOf(workload)} ${port.name}`);
          }
        }
      }
    });

    it("give receivers to senders by one port, where there are receivers, and StoreAPI to nobody outside", async () => {
      const made = await run(stack, overrides);
      const endpoints = objects(made, "Service").filter(
        (service) => service.spec.ports.some(({ port }) => port === 19291) && service.metadata.name !== "thanos-gateway-upstream",
      );
      assert.deepEqual(
        endpoints.map(({ metadata, spec }) => [metadata.name, spec.ports.map((port) => [port.name, port.port])]),
        receiveOf(settingsOf(stack, overrides)) === undefined ? [] : [["thanos-receive", [["remote-write", 19291]]]],
      );
      const withClusterAddress = objects(made, "Service").filter((service) => service.spec.clusterIP !== "None");
      for (const service of withClusterAddress) {
        for (const port of service.spec.ports) assert.ok(![10901, 10902, 19391].includes(port.port), service.metadata.name);
      }
    });
  });
}

describe("pods: the one exemption from Pod Security", () => {
  it("is the dev environment's job that makes directories, and nothing in prod", async () => {
    const exempt = (all: Workload[]) => all.filter((each) => violationsOfRestricted(each.spec.template.spec).length > 0).map(nameOf);
    const inDev = exempt(workloads(await run("dev")));
    assert.equal(inDev.length, 1);
    assert.match(inDev[0] ?? "", /^Job thanos-dev-volumes\/hostpath-dev-1-/);
    assert.deepEqual(exempt(workloads(await run("prod"))), []);
  });

  it("is a namespace by itself; the environment's own enforces restricted", async () => {
    const labels = (manifest: { metadata: { [field: string]: unknown } }) => manifest.metadata.labels as Record<string, string>;
    const dev = await run("dev");
    assert.equal(labels(object(dev, "Namespace", "thanos-dev"))["pod-security.kubernetes.io/enforce"], "restricted");
    assert.equal(labels(object(dev, "Namespace", "thanos-dev-volumes"))["pod-security.kubernetes.io/enforce"], "privileged");
    const prod = await run(PROD.stack);
    assert.deepEqual(
      objects(prod, "Namespace").map((each) => [each.metadata.name, labels(each)["pod-security.kubernetes.io/enforce"]]),
      [["thanos-prod", "restricted"]],
    );
  });

  it("mounts the folders above the environments', and has the capabilities for directories and no others", async () => {
    const jobs = objects(await run(HOST_PATH.stack, HOST_PATH.overrides), "Job");
    assert.equal(jobs.length, 3, "one a node");
    for (const job of jobs) {
      const { capabilities } = container(job).securityContext ?? {};
      assert.deepEqual(capabilities, { drop: ["ALL"], add: ["CHOWN", "DAC_OVERRIDE", "FOWNER"] });
      for (const volume of job.spec.template.spec.volumes ?? [])
        assert.match(volume.hostPath?.path ?? "", /^\/(data\/(thanos|prometheus)|ssd\/thanos)$/);
    }
  });
});

describe("pods: those with samples that are nowhere else", () => {
  const prioritized = async (overrides: Overrides) => {
    const made = await run("prod", overrides);
    const [priority] = objects(made, "PriorityClass") as (Manifest & { value: number })[];
    const classes = new Set(workloads(made).flatMap(({ spec }) => spec.template.spec.priorityClassName ?? []));
    const named = workloads(made).filter(({ spec }) => spec.template.spec.priorityClassName !== undefined);
    return { priority, classes: [...classes], names: named.map(({ metadata }) => metadata.name).sort() };
  };

  it("are of a class of their own, which nobody else's pods are of", async () => {
    const { priority, classes, names } = await prioritized({ dataPriority: 7 });
    assert.deepEqual([priority?.metadata.name, priority?.value], ["thanos-prod-data-7", 7]);
    assert.deepEqual(classes, ["thanos-prod-data-7"]);
    assert.deepEqual(names, ["prometheus", "thanos-receive-z1", "thanos-receive-z2", "thanos-receive-z3"]);
  });

  it("are of one whose name Kubernetes takes, whatever the namespace's is", async () => {
    const { priority } = await prioritized({ namespace: "system-metrics", dataPriority: 7 });
    assert.equal(priority?.metadata.name, "thanos-stack-system-metrics-data-7");
  });

  it("are also stateful rulers, not stateless ones", async () => {
    const ruler = { storage: { pvc: { size: "1Gi" } } };
    assert.ok((await prioritized({ dataPriority: 7, ruler: { ...ruler, mode: "stateful" } })).names.includes("thanos-ruler"));
    assert.ok(!(await prioritized({ dataPriority: 7, ruler: { mode: "stateless" } })).names.includes("thanos-ruler"));
  });

  it("have no class where none is chosen", async () => {
    assert.deepEqual(await prioritized({ dataPriority: undefined }), { priority: undefined, classes: [], names: [] });
  });
});
