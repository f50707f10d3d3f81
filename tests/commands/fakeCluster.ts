/** A cluster with one deployed stack, as far as verify can see it: an API server on the loopback that forwards ports of pods. */
import assert from "node:assert/strict";
import { type Forwarding, type Forwardings, forwardPorts } from "../clients/fakeForwarding";
import { kubeconfigOf } from "../clients/kubeconfigOf";
import { type CannedAnswer, type Loopback, type ReceivedRequest, startLoopback } from "../clients/loopback";
import { decodeWriteBody } from "../clients/writeRequest";

const NAMESPACE = "monitoring";
const MEMBERS = [0, 1, 2].map((ordinal) => `thanos-receive-${ordinal}`);

/** Outputs of the stack that the cluster runs. */
export const OUTPUTS = {
  namespace: NAMESPACE,
  scheme: "receive",
  remoteWriteUrl: "http://thanos-receive.monitoring.svc.cluster.local:19291/api/v1/receive",
  queryUrl: "http://thanos-query-frontend.monitoring.svc.cluster.local:9090",
  querierUrl: "http://thanos-querier.monitoring.svc.cluster.local:9090",
  queryGrpcAddress: "thanos-querier.monitoring.svc.cluster.local:10901",
  tenantHeader: "THANOS-TENANT",
  defaultTenant: "default-tenant",
  replicaLabels: ["receive_replica", "prometheus_replica"],
  externalLabels: { cluster: "dev" },
  ring: {
    members: MEMBERS.map((name) => ({ address: `${name}.thanos-receive-peers.monitoring.svc.cluster.local:10901` })),
    replicationFactor: 3,
    algorithm: "ketama",
    hash: "0d8f",
    loadedAs: ["default"],
  },
  prometheus: {
    service: "http://prometheus.monitoring.svc.cluster.local:9090",
    jobs: ["thanos-receive", "prometheus", "job (odd)"],
    replicas: 1,
    shards: 1,
  },
  availability: {},
};

const { remoteWriteUrl: _url, ring: _ring, ...WITHOUT_RING } = OUTPUTS;

/** Outputs of a stack of the sidecar scheme, with a bucket. */
export const SIDECAR_OUTPUTS = {
  ...WITHOUT_RING,
  scheme: "sidecar",
  replicaLabels: ["prometheus_replica"],
  prometheus: { ...OUTPUTS.prometheus, jobs: ["thanos-sidecar", "thanos-store-gateway", "prometheus"] },
  objectStorage: { storeGateways: 1, handover: "12h" },
};

/** How the cluster misbehaves; everything default is healthy. */
export interface Faults {
  /** The scheme of the stack that it runs. Default: receive. */
  scheme?: "receive" | "sidecar";
  /** Answers a request in place of the API server or, where one is named, of a pod. */
  answer?: (request: ReceivedRequest, pod?: string) => CannedAnswer | undefined;
  /** Fate of port-forwards to a pod, in place of a connection. */
  forwarding?: (pod: string) => Forwarding | undefined;
  /** Pods that are not Ready. */
  notReady?: string[];
  /** A node that is not Ready. */
  nodeDown?: boolean;
  /** Hash of the hashring by pod. */
  hash?: (pod: string) => number;
  /** Receivers acknowledge nothing but what is written here. */
  idle?: boolean;
  /** Error of a store, by pod. */
  storeError?: (pod: string) => string | null;
  /** Target that Prometheus can't scrape. */
  targetDown?: string;
  /** Replica label that the querier leaves on its answers. */
  replicaLabelLeft?: string;
  /** Samples written are acknowledged and forgotten. */
  forgets?: boolean;
}

export interface FakeCluster extends Loopback {
  /** A kubeconfig, as text; its current context is another cluster. */
  kubeconfig: string;
  forwards: Forwardings;
  /** Requests that changed something in a pod. */
  writes(): number;
}

/** Starts a cluster; its faults may be changed while it runs. */
export async function startFakeCluster(faults: Faults = {}): Promise<FakeCluster> {
  const written = new Map<string, { labels: Record<string, string>; value: number }>();
  let acknowledged = 0;
  let scraped = 0;

  const sidecars = faults.scheme === "sidecar";
  const podNames = sidecars ? ["prometheus-0", "thanos-store-gateway-0"] : [...MEMBERS, "prometheus-0"];
  const other = sidecars ? { job: "thanos-sidecar", instance: "prometheus-0:10902" } : { job: "job (odd)", instance: "x" };
  const targets = [...podNames.map((name) => ({ job: name.replace(/-\d$/, ""), instance: name })), other];

  function podObject(name: string, index: number): unknown {
    const app = name.replace(/-\d$/, "");
    const ready = faults.notReady?.includes(name) !== true;
    const receive = app === "thanos-receive";
    const component = app.replace(/^thanos-/, "");
    const grpc = [{ name: "grpc", containerPort: 10901 }];
    return {
      metadata: { name, labels: { "app.kubernetes.io/name": app, "app.kubernetes.io/component": component } },
      spec: {
        containers: [
          {
            args: receive ? ["receive", "--receive.hashrings-file=/etc/thanos/hashrings.json"] : [],
            ports: [
              { name: "http", containerPort: component === "prometheus" ? 9090 : 10902 },
              ...(component === "store-gateway" ? grpc : []),
            ],
          },
          ...(sidecars && component === "prometheus"
            ? [{ args: ["sidecar"], ports: [{ name: "sidecar-http", containerPort: 10902 }, ...grpc] }]
            : []),
        ],
      },
      status: {
        phase: "Running",
        podIP: `10.0.0.${index}`,
        // Of both families: a querier is given one of the two.
        podIPs: [{ ip: `10.0.0.${index}` }, { ip: `fd00::1:${index.toString(16)}` }],
        conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
        containerStatuses: ready
          ? [{ name: app, state: {} }]
          : [{ name: app, state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 5m0s" } } }],
      },
    };
  }

  function success(data: unknown): CannedAnswer {
    return { body: JSON.stringify({ status: "success", data }) };
  }

  function vector(labels: Record<string, string>[], value: (index: number) => number): CannedAnswer {
    return success({ resultType: "vector", result: labels.map((metric, index) => ({ metric, value: [1, String(value(index))] })) });
  }

  function query(expression: string): CannedAnswer {
    const jobs = sidecars ? "thanos-sidecar|thanos-store-gateway|prometheus" : "thanos-receive|prometheus|job\\\\ \\\\(odd\\\\)";
    if (expression === `timestamp(up{cluster="dev",job=~"${jobs}"})`) {
      const left = faults.replicaLabelLeft === undefined ? {} : { [faults.replicaLabelLeft]: "0" };
      return vector(
        targets.map((labels) => ({ cluster: "dev", ...labels, ...left })),
        () => 1,
      );
    }
    const run = /^thanos_stack_verify\{run="([^"]+)"\}$/.exec(expression)?.[1];
    const sample = run === undefined ? undefined : written.get(run);
    return run === undefined
      ? { status: 400, body: JSON.stringify({ status: "error", errorType: "bad_data", error: `unexpected query ${expression}` }) }
      : vector(sample === undefined ? [] : [sample.labels], () => sample?.value ?? 0);
  }

  function metrics(pod: string): CannedAnswer {
    scraped++;
    const samples = pod === MEMBERS[0] ? acknowledged + (faults.idle === true ? 0 : scraped * 100) : 0;
    return {
      body: [
        "# TYPE thanos_receive_write_samples histogram",
        `thanos_receive_write_samples_sum{code="200",tenant="default-tenant"} ${samples}`,
        `thanos_receive_write_samples_sum{code="503",tenant="default-tenant"} ${scraped * 7}`,
        `thanos_receive_config_hash ${faults.hash?.(pod) ?? 2.5e13}`,
        'thanos_receive_hashring_nodes{name="default"} 3',
        // A ring that is gone: its metric stays until the receiver's next start.
        'thanos_receive_hashring_nodes{name="gone"} 5',
      ].join("\n"),
    };
  }

  function write(request: ReceivedRequest): CannedAnswer {
    if (request.headers["thanos-tenant"] !== "default-tenant") {
      return { status: 400, body: "another tenant" };
    }
    for (const { labels: pairs, samples } of decodeWriteBody(request.body)) {
      const labels = Object.fromEntries(pairs.map(({ name, value }) => [name, value]));
      acknowledged += samples.length;
      if (faults.forgets !== true && labels.run !== undefined) {
        written.set(labels.run, { labels, value: samples[0]?.value ?? 0 });
      }
    }
    return {};
  }

  function ofApiServer({ path, query }: ReceivedRequest): CannedAnswer {
    if (path === "/api/v1/nodes") {
      const conditions = [{ type: "Ready", status: faults.nodeDown === true ? "Unknown" : "True" }];
      return { body: JSON.stringify({ items: [{ metadata: { name: "node-1" }, status: { conditions } }] }) };
    }
    if (path === `/api/v1/namespaces/${NAMESPACE}/pods`) {
      // Others may have pods in the namespace.
      assert.equal(query.get("labelSelector"), "app.kubernetes.io/part-of=thanos-stack");
      const ended = { ...(podObject("job-0", 9) as object), status: { phase: "Succeeded" } };
      return { body: JSON.stringify({ items: [...podNames.map(podObject), ended] }) };
    }
    if (path.startsWith(`/api/v1/namespaces/${NAMESPACE}/services/`)) {
      const ports = [9090, 19291].map((port) => ({ name: `port-${port}`, port }));
      return { body: JSON.stringify({ spec: { clusterIP: "None", ports } }) };
    }
    if (path === `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`) {
      const [, service = ""] = /^kubernetes\.io\/service-name=(.+)$/.exec(query.get("labelSelector") ?? "") ?? [];
      const endpoints = [{ conditions: { ready: true }, targetRef: { kind: "Pod", name: `${service}-0` } }];
      return { body: JSON.stringify({ items: [{ endpoints, ports: [9090, 19291].map((port) => ({ name: `port-${port}`, port })) }] }) };
    }
    return notFound(path);
  }

  function ofPod(pod: string, request: ReceivedRequest): CannedAnswer {
    const { path } = request;
    switch (`${pod} ${path}`) {
      case "prometheus-0 /api/v1/targets":
        return success({
          activeTargets: targets.map((labels) => ({
            labels,
            health: labels.instance === faults.targetDown ? "down" : "up",
            lastError: labels.instance === faults.targetDown ? "connection refused" : "",
            scrapeUrl: `http://${labels.instance}/metrics`,
          })),
        });
      case "thanos-querier-0 /api/v1/stores":
        return success({
          [sidecars ? "sidecar" : "receive"]: (sidecars ? podNames : MEMBERS).map((name, index) => ({
            name: `[fd00::1:${index.toString(16)}]:10901`,
            lastError: faults.storeError?.(name) ?? null,
            labelSets: [],
          })),
        });
      case "thanos-querier-0 /api/v1/query":
      case "thanos-query-frontend-0 /api/v1/query":
        return query(request.query.get("query") ?? "");
      case "thanos-receive-0 /api/v1/receive":
        return write(request);
    }
    return path === "/metrics" ? metrics(pod) : notFound(path);
  }

  function notFound(path: string): CannedAnswer {
    return { status: 404, body: JSON.stringify({ kind: "Status", message: `the server could not find ${path}` }) };
  }

  const servers = await Promise.all(
    [...podNames, "thanos-querier-0", "thanos-query-frontend-0"].map(async (pod): Promise<[string, Loopback]> => {
      return [pod, await startLoopback((request) => faults.answer?.(request, pod) ?? ofPod(pod, request))];
    }),
  );
  const pods = new Map(servers);
  const loopback = await startLoopback((request) => faults.answer?.(request) ?? ofApiServer(request));
  const forwards = forwardPorts(loopback.server, ({ name }) => {
    const pod = pods.get(name);
    return faults.forwarding?.(name) ?? (pod === undefined ? { refused: `no pod ${name}` } : { to: pod.url });
  });
  return {
    ...loopback,
    forwards,
    kubeconfig: kubeconfigOf(loopback.url),
    writes: () => [...pods.values()].flatMap(({ requests }) => requests).filter(({ method }) => method === "POST").length,
    close: async () => void (await Promise.all([loopback, ...pods.values()].map(({ close }) => close()))),
  };
}
