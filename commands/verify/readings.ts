/** Takes the readings that the checks judge, from a cluster that is reached through its API server and by port-forwards. */
import { X509Certificate } from "node:crypto";
import type { V1ConfigMap, V1NodeList, V1Pod, V1PodList, V1Secret, V1Service } from "@kubernetes/client-node";
import { type Cluster, getObject, type TlsIdentity } from "../../clients/cluster";
import { parseExposition } from "../../clients/exposition";
import { isReady, podTrouble } from "../../clients/podTrouble";
import { PrometheusClient } from "../../clients/prometheus";
import { parseServiceUrl } from "../../clients/services";
import { ForbiddenError, type Transport } from "../../clients/transport";
import { SENDER_AUTHORITY_FILE, SENDERS_VOLUME } from "../../model/gateway/haproxy";
import { GATEWAY_IDENTITY } from "../../model/kubernetes/identities";
import { PART_OF, PART_OF_LABEL } from "../../model/kubernetes/labels";
import { lastEnd } from "../../model/tls/ends";
import { CA_FILE, CERTIFICATE_FILE, KEY_FILE, TLS_VOLUME } from "../../model/tls/flags";
import { certificatesOf } from "../../model/values/certificates";
import type { StackOutputs } from "../../outputs";
import type { CertificateReading, CertificateReadings } from "./certificates";
import type { AcknowledgedReading, HashringReading, NodeReading, PodReading, TargetsReading } from "./checks";

/** Longest time in milliseconds for one request; a check's next try follows soon enough. */
export const REQUEST_TIMEOUT_MS = 10_000;
/** Checks that look at the same thing within this time share one reading of it. */
const SHARED_FOR_MS = 900;

/** Reads one stack. */
export class StackReader {
  private readonly services = new Map<string, Transport>();
  /** All nodes of the cluster. */
  readonly nodes: () => Promise<NodeReading[]>;
  /** The stack's pods that are meant to run. */
  readonly pods: () => Promise<PodReading[]>;
  /** The targets of every Prometheus pod of the stack. */
  readonly targets: () => Promise<TargetsReading[]>;

  constructor(
    private readonly cluster: Cluster,
    private readonly outputs: StackOutputs,
  ) {
    this.nodes = shared(() => this.readNodes());
    this.pods = shared(() => this.readPods());
    this.targets = shared(() => this.readTargets());
  }

  /** An in-cluster URL of the stack. */
  service(url: string): Transport {
    const known = this.services.get(url) ?? this.cluster.service(url);
    this.services.set(url, known);
    return known;
  }

  /** The in-cluster URL of remote write, as the stack's own Prometheus writes there. */
  remoteWrite(url: string): Transport {
    return url.startsWith("https:") ? this.cluster.service(url, () => this.identity()) : this.service(url);
  }

  /** When the certificates of the stack end: those between its components, and those of its gateway. */
  async certificates(): Promise<CertificateReadings> {
    const [inside, shown, senders] = await Promise.all([this.insideCertificates(), this.gatewayCertificates(), this.senderAuthorities()]);
    return { readings: [...inside, ...shown, ...senders.readings], unread: senders.unread };
  }

  /** Those that gateways show to whoever connects. */
  private async gatewayCertificates(): Promise<CertificateReading[]> {
    const { namespace, gatewayRemoteWriteUrl, gatewayQueryUrl } = this.outputs;
    const url = gatewayRemoteWriteUrl ?? gatewayQueryUrl;
    if (url === undefined) return [];
    const gateways = await this.asked(({ gatewayPort }) => gatewayPort !== undefined);
    return Promise.all(
      gateways.map(async ({ name, gatewayPort = 0 }): Promise<CertificateReading> => {
        const end = await this.cluster.certificateEnd({ namespace, name, port: gatewayPort }, new URL(url).hostname);
        return { holder: name, end: new Date(end), isOf: "gateway" };
      }),
    );
  }

  /** Those of the CAs by which gateways know senders; of several in one file the last to end counts. */
  private async senderAuthorities(): Promise<CertificateReadings> {
    const { namespace } = this.outputs;
    const trusted = (await this.asked(({ senders }) => senders !== undefined)).flatMap(({ senders }) => senders ?? []);
    const files = new Map(trusted.map((senders) => [`${senders.kind}/${senders.name}`, senders]));
    const all = await Promise.all(
      [...files].map(async ([path, { kind, name }]): Promise<CertificateReadings> => {
        const holder = `${kind === "secrets" ? "the Secret" : "the ConfigMap"} ${name}, by which the gateway knows senders,`;
        try {
          const { data = {} } = await this.get<V1Secret | V1ConfigMap>(`/api/v1/namespaces/${namespace}/${path}`);
          const text = Buffer.from(data[SENDER_AUTHORITY_FILE] ?? "", kind === "secrets" ? "base64" : "utf8").toString("utf8");
          return { readings: [{ holder, end: lastEnd(certificatesOf(text)), isOf: "senders" }], unread: [] };
        } catch (error) {
          if (!(error instanceof ForbiddenError)) throw error;
          return { readings: [], unread: [`${holder} may not be read, so that nothing is said of its end`] };
        }
      }),
    );
    return { readings: all.flatMap(({ readings }) => readings), unread: all.flatMap(({ unread }) => unread) };
  }

  /** Those that pods serve on their gRPC ports, and the one that Prometheus writes with. */
  private async insideCertificates(): Promise<CertificateReading[]> {
    const { namespace, tls } = this.outputs;
    if (tls === undefined) return [];
    const serving = tls.stage === "everywhere" ? await this.asked(({ grpcPort }) => grpcPort !== undefined) : [];
    const served = await Promise.all(
      serving.map(async ({ name, grpcPort = 0 }): Promise<CertificateReading> => {
        return { holder: name, end: new Date(await this.cluster.certificateEnd({ namespace, name, port: grpcPort }, tls.serverName)) };
      }),
    );
    if (this.outputs.scheme !== "receive") return served;
    const { cert } = await this.identity();
    return [...served, { holder: "prometheus", end: new Date(new X509Certificate(cert).validTo) }];
  }

  /** Who the stack's own Prometheus is: the certificate in the Secret that its pods mount. */
  private async identity(): Promise<TlsIdentity> {
    const { namespace, tls, prometheus } = this.outputs;
    const { name } = parseServiceUrl(prometheus.service);
    const secret = (await this.pods()).find((pod) => pod.app === name)?.tlsSecret;
    if (secret === undefined || tls === undefined) throw new Error(`no pod of ${name} has a certificate`);
    const { data = {} } = await this.get<V1Secret>(`/api/v1/namespaces/${namespace}/secrets/${secret}`);
    const file = (key: string): string => Buffer.from(data[key] ?? "", "base64").toString("utf8");
    return { ca: file(CA_FILE), cert: file(CERTIFICATE_FILE), key: file(KEY_FILE), servername: tls.serverName };
  }

  /** A client of the Prometheus API at an in-cluster URL, as the stack's default tenant. */
  queries(url: string): PrometheusClient {
    return new PrometheusClient(this.service(url), { headers: { [this.outputs.tenantHeader]: this.outputs.defaultTenant } });
  }

  /** IP address of the Service of an in-cluster URL; undefined for one that is headless. */
  async clusterIp(url: string): Promise<string | undefined> {
    const { namespace, name } = parseServiceUrl(url);
    const service = await this.get<V1Service>(`/api/v1/namespaces/${namespace}/services/${name}`);
    const address = service.spec?.clusterIP;
    return address === undefined || address === "" || address === "None" ? undefined : address;
  }

  /**
   * Samples of acknowledged write requests, as the receivers that answered them count (each request is counted by one receiver
   * only, whatever the replication factor).
   *
   * @param own samples that verify itself has written so far
   */
  async acknowledged(own: () => number): Promise<AcknowledgedReading> {
    const before = own();
    const receivers = await this.asked(isReceiver);
    const readings = await Promise.all(
      receivers.map(async (pod): Promise<[string, number]> => {
        const samples = (await this.metrics(pod)).filter(
          ({ name, labels }) => name === "thanos_receive_write_samples_sum" && /^2/.test(labels.code ?? ""),
        );
        return [pod.name, samples.reduce((sum, { value }) => sum + value, 0)];
      }),
    );
    return { atMs: performance.now(), samples: new Map(readings), own: { before, after: own() } };
  }

  /**
   * The hashring as each receiver with a hashring file has it.
   *
   * @param loadedAs Names of the rings: metrics of rings that are gone stay until the receiver's next start. Undefined: all are counted.
   */
  async hashrings(loadedAs: readonly string[] | undefined): Promise<HashringReading[]> {
    const receivers = await this.asked((pod) => pod.readsHashrings);
    return Promise.all(
      receivers.map(async (pod): Promise<HashringReading> => {
        const samples = await this.metrics(pod);
        const hash = samples.find(({ name }) => name === "thanos_receive_config_hash")?.value;
        const nodes = samples.filter(
          ({ name, labels }) => name === "thanos_receive_hashring_nodes" && loadedAs?.includes(labels.name ?? "") !== false,
        );
        return {
          pod: pod.name,
          ...(hash === undefined ? {} : { hash }),
          ...(nodes.length === 0 ? {} : { nodes: nodes.reduce((sum, { value }) => sum + value, 0) }),
        };
      }),
    );
  }

  /** Pods of a kind that serve. One that is not Ready may have no node yet, and is told of by the check of the pods. */
  private async asked(kind: (pod: PodReading) => boolean): Promise<PodReading[]> {
    return (await this.pods()).filter((pod) => pod.ready && kind(pod));
  }

  private async readNodes(): Promise<NodeReading[]> {
    const { items } = await this.get<V1NodeList>("/api/v1/nodes");
    return items.map(({ metadata, status }) => {
      const kubelet = status?.nodeInfo?.kubeletVersion;
      return { name: metadata?.name ?? "", ready: isReady(status?.conditions), ...(kubelet === undefined ? {} : { kubelet }) };
    });
  }

  private async readPods(): Promise<PodReading[]> {
    const { items } = await this.get<V1PodList>(`/api/v1/namespaces/${this.outputs.namespace}/pods?${OWN_PODS}`);
    return items
      .filter((pod) => pod.metadata?.deletionTimestamp === undefined && pod.status?.phase !== "Succeeded")
      .map(podReading)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private async readTargets(): Promise<TargetsReading[]> {
    const { name } = parseServiceUrl(this.outputs.prometheus.service);
    const pods = (await this.pods()).filter((pod) => pod.app === name);
    return Promise.all(pods.map(async (pod) => ({ pod: pod.name, targets: await new PrometheusClient(this.pod(pod)).targets() })));
  }

  private async metrics(pod: PodReading): Promise<ReturnType<typeof parseExposition>> {
    const { status, body } = await this.pod(pod).send({ method: "GET", path: "/metrics" });
    if (status !== 200) {
      throw new Error(`pod ${pod.name} answered ${status} for its metrics: ${body.slice(0, 300)}`);
    }
    return parseExposition(body);
  }

  private pod(pod: PodReading): Transport {
    if (pod.httpPort === undefined) {
      throw new Error(`pod ${pod.name} has no container port named http`);
    }
    return this.cluster.pod({ namespace: this.outputs.namespace, name: pod.name, port: pod.httpPort });
  }

  private get<T>(path: string): Promise<T> {
    return getObject<T>(this.cluster.api, path);
  }
}

/** In a namespace that somebody else made there may be other pods, which are no part of the stack. */
const OWN_PODS = new URLSearchParams({ labelSelector: `${PART_OF_LABEL}=${PART_OF}` }).toString();

function isReceiver(pod: PodReading): boolean {
  return /^receive(-|$)/.test(pod.component);
}

function podReading(pod: V1Pod): PodReading {
  const labels = pod.metadata?.labels ?? {};
  const containers = pod.spec?.containers ?? [];
  const trouble = podTrouble(pod);
  const port = (wanted: string) => containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === wanted);
  const http = port("http");
  const grpc = port("grpc");
  const secret = pod.spec?.volumes?.find(({ name }) => name === TLS_VOLUME)?.secret?.secretName;
  return {
    name: pod.metadata?.name ?? "",
    app: labels["app.kubernetes.io/name"] ?? "",
    component: labels["app.kubernetes.io/component"] ?? "",
    ready: trouble === undefined,
    reason: trouble ?? "",
    ips: (pod.status?.podIPs ?? [{ ip: pod.status?.podIP }]).flatMap(({ ip }) => ip ?? []),
    ...(http === undefined ? {} : { httpPort: http.containerPort }),
    ...(grpc === undefined ? {} : { grpcPort: grpc.containerPort }),
    ...(secret === undefined ? {} : { tlsSecret: secret }),
    ...(labels["app.kubernetes.io/component"] === GATEWAY_IDENTITY.component ? ofGateway(pod) : {}),
    readsHashrings: containers.some(({ args }) => args?.some((arg) => arg.startsWith("--receive.hashrings-file=")) === true),
  };
}

/** The port of a gateway's pod, and the object with the CA of its senders; neither of any other pod. */
function ofGateway({ spec }: V1Pod): Pick<PodReading, "gatewayPort" | "senders"> {
  const shows = (spec?.containers ?? []).flatMap(({ ports = [] }) => ports).find(({ name }) => name === "write" || name === "query");
  const { secret, configMap } = spec?.volumes?.find(({ name }) => name === SENDERS_VOLUME) ?? {};
  const senders =
    secret?.secretName !== undefined
      ? { kind: "secrets" as const, name: secret.secretName }
      : configMap?.name !== undefined
        ? { kind: "configmaps" as const, name: configMap.name }
        : undefined;
  return { ...(shows === undefined ? {} : { gatewayPort: shows.containerPort }), ...(senders === undefined ? {} : { senders }) };
}

/** Lets callers within a short time share one call. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let last: { at: number; value: Promise<T> } | undefined;
  return () => {
    if (last === undefined || performance.now() - last.at > SHARED_FOR_MS) {
      last = { at: performance.now(), value: read() };
    }
    return last.value;
  };
}
