import * as core from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { exposedService } from "../model/gateway/exposed";
import {
  GATEWAY_CERTIFICATE_DIRECTORY,
  GATEWAY_CERTIFICATE_FILE,
  GATEWAY_CLIENT_DIRECTORY,
  GATEWAY_CLIENT_KEY_FILE,
  GATEWAY_CONFIG_DIRECTORY,
  GATEWAY_CONFIG_FILE,
  GATEWAY_DRAIN_SECONDS,
  GATEWAY_MAPS_DIRECTORY,
  haproxyConfig,
  SENDER_AUTHORITY_DIRECTORY,
  SENDER_AUTHORITY_FILE,
  SENDERS_VOLUME,
} from "../model/gateway/haproxy";
import { labelProxyFlags } from "../model/gateway/labelProxy";
import { gatewayMaps } from "../model/gateway/maps";
import type { GatewayPlan } from "../model/gateway/plan";
import { PID_FILE, RUN_DIRECTORY, reloaderArgs } from "../model/gateway/reloader";
import { currentSlot, generationIn, SLOTS, type Slot, TOKEN_LENGTH } from "../model/gateway/tokens";
import type { Addresses } from "../model/kubernetes/addresses";
import { choicesFor } from "../model/kubernetes/choices";
import {
  GATEWAY_APP,
  GATEWAY_IDENTITY,
  GATEWAY_SERVICES,
  GATEWAY_UPSTREAM_SERVICE,
  LABEL_PROXY_CONTAINER,
  RELOADER_CONTAINER,
} from "../model/kubernetes/identities";
import { commonLabels } from "../model/kubernetes/labels";
import { scratchVolume } from "../model/kubernetes/localDisk";
import { container, drainPause, HAPROXY_USER, probes } from "../model/kubernetes/pod";
import {
  GATEWAY_QUERY_PORT,
  GATEWAY_SERVICE_PORT,
  GATEWAY_WRITE_PORT,
  HTTP,
  LABEL_PROXY_HTTP_PORT,
  LABEL_PROXY_HTTP_PORT_NAME,
  REMOTE_WRITE_PORT,
} from "../model/kubernetes/ports";
import { gatewayReaders, gatewayTenants } from "../model/settings/gatewayEndpoints";
import type { Settings } from "../model/settings/schema";
import { componentType } from "../objects/componentType";
import { gatewayRoutes } from "../objects/gatewayRoutes";
import {
  componentLabels,
  deployment,
  disruptionBudget,
  HEADLESS,
  immutableFiles,
  type Mounted,
  service,
  serviceAccount,
  together,
  type Workload,
} from "../objects/workload";
import type { Certificates } from "./certificates";

/** Arguments of {@link Gateway}. */
export interface GatewayArgs {
  settings: Settings;
  gateway: GatewayPlan;
  addresses: Pick<Addresses, "queryUrl">;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** Undefined where nothing is encrypted behind it. */
  certificates: Certificates | undefined;
}

/** Ports of a gateway's pod. */
const PORTS = {
  write: { name: "write", containerPort: GATEWAY_WRITE_PORT },
  query: { name: "query", containerPort: GATEWAY_QUERY_PORT },
} as const;

/** Seconds in which Services forget a pod that ends. */
const PAUSE_SECONDS = 5;

/** The two tokens of one holder. */
type Pair = Record<Slot, pulumi.Output<string>>;

/**
 * HAProxy in front of remote write and queries, and prom-label-proxy beside it for readers that see some tenants only. Its configuration is
 * in a ConfigMap, who is who in a Secret, both immutable and named by content: a change rolls the gateways, and what does not load stops
 * the first. Certificates are in Secrets that somebody may renew in place, and the reloader has HAProxy take them up.
 */
export class Gateway extends pulumi.ComponentResource {
  /** Current tokens by tenant and by reader; secret. */
  readonly credentials: pulumi.Output<{ tenants: Record<string, string>; readers: Record<string, string> }>;

  constructor(name: string, args: GatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Gateway"), name, {}, opts);
    const { settings, gateway, namespace } = args;
    const { images, existingNamespace } = settings;
    const own = gateway.settings;
    const workload: Workload = {
      identity: GATEWAY_IDENTITY,
      namespace,
      existingNamespace,
      image: images.haproxy,
      user: HAPROXY_USER,
      choices: choicesFor(settings, own),
      parent: this,
    };
    const tenants = gatewayTenants(settings).filter(([, { token }]) => token);
    const readers = gatewayReaders(settings);
    const tokens = {
      tenants: this.tokens(`${name}-tenant`, tenants),
      readers: this.tokens(`${name}-reader`, readers),
    };
    this.credentials = pulumi.secret(
      pulumi.output({ tenants: currentOf(tokens.tenants, tenants), readers: currentOf(tokens.readers, readers) }),
    );
    const authority = this.authority(name, workload, own.certificate.authority);
    for (const endpoint of gateway.endpoints) {
      const exposed = settings.expose[endpoint];
      service(`${name}-${endpoint}`, workload, GATEWAY_SERVICES[endpoint], PORTS[endpoint], {
        ...exposedService(exposed),
        port: GATEWAY_SERVICE_PORT,
      });
      const inside = `${GATEWAY_SERVICES[endpoint]}.${settings.namespace}.svc.${settings.cluster.domain}`;
      gatewayRoutes(name, workload, { endpoint, exposed, certificate: own.certificate.secret, name: inside, authority });
    }
    if (gateway.writesTo !== undefined)
      service(
        `${name}-upstream`,
        workload,
        GATEWAY_UPSTREAM_SERVICE,
        { name: "remote-write", containerPort: REMOTE_WRITE_PORT },
        { ...HEADLESS, selector: componentLabels(gateway.writesTo) },
      );
    const files = together(
      this.configuration(name, workload, args, tokens),
      this.certificates(name, workload, args),
      args.certificates?.mounted("gateway", GATEWAY_CLIENT_DIRECTORY, GATEWAY_CLIENT_KEY_FILE),
    );
    this.workload(name, workload, args, files);
    if (own.replicas > 1) disruptionBudget(name, workload);
    this.registerOutputs({});
  }

  /** Two tokens for each holder, one in each slot. */
  private tokens(name: string, holders: readonly (readonly [string, { generation: number }])[]): Record<string, Pair> {
    const token = (holder: string, slot: Slot, generation: number) =>
      new random.RandomPassword(
        `${name}-${holder}-${slot}`,
        { length: TOKEN_LENGTH, special: false, keepers: { generation: String(generationIn(slot, generation)) } },
        // Another length would make every token anew, and nobody would have the one that is valid.
        { parent: this, ignoreChanges: ["length", "special"] },
      ).result;
    return Object.fromEntries(
      holders.map(([holder, { generation }]): [string, Pair] => [
        holder,
        { even: token(holder, "even", generation), odd: token(holder, "odd", generation) },
      ]),
    );
  }

  /** A ConfigMap with certificates of who signed the gateway's, made when first asked for; undefined where everybody trusts them. */
  private authority(name: string, workload: Workload, certificates: string | undefined): () => pulumi.Output<string> | undefined {
    let made: pulumi.Output<string> | undefined;
    return () => {
      if (certificates !== undefined)
        made ??= new core.ConfigMap(
          `${name}-authority`,
          {
            metadata: { namespace: workload.namespace, labels: commonLabels(GATEWAY_IDENTITY) },
            immutable: true,
            data: { "ca.crt": certificates },
          },
          { parent: this },
        ).metadata.name;
      return made;
    };
  }

  /** haproxy.cfg and its maps. */
  private configuration(
    name: string,
    workload: Workload,
    { settings, gateway, namespace }: GatewayArgs,
    tokens: { tenants: Record<string, Pair>; readers: Record<string, Pair> },
  ): Mounted {
    const config = haproxyConfig(settings, gateway.settings, gateway.upstream);
    const files = immutableFiles(name, "config", workload, GATEWAY_CONFIG_DIRECTORY, { [GATEWAY_CONFIG_FILE]: config });
    const maps = pulumi
      .output(tokens)
      .apply((known) => gatewayMaps(settings, { tenants: bothOf(known.tenants), readers: bothOf(known.readers) }));
    const secretName = new core.Secret(
      `${name}-maps`,
      {
        metadata: { namespace, labels: commonLabels(GATEWAY_IDENTITY) },
        immutable: true,
        stringData: pulumi.secret(maps),
      },
      { parent: this },
    ).metadata.name;
    return together(files, {
      volumes: [{ name: "maps", secret: { secretName } }],
      mounts: [{ name: "maps", mountPath: GATEWAY_MAPS_DIRECTORY, readOnly: true }],
    });
  }

  /** The certificate that is shown, and the authority of senders. */
  private certificates(name: string, workload: Workload, { gateway, certificates }: GatewayArgs): Mounted {
    const { certificate, senderAuthority } = gateway.settings;
    const shown: Mounted = {
      volumes: [
        {
          name: "certificate",
          secret: {
            secretName: certificate.secret,
            items: [
              { key: "tls.crt", path: GATEWAY_CERTIFICATE_FILE },
              { key: "tls.key", path: `${GATEWAY_CERTIFICATE_FILE}.key` },
            ],
          },
        },
      ],
      mounts: [{ name: "certificate", mountPath: GATEWAY_CERTIFICATE_DIRECTORY, readOnly: true }],
    };
    if (senderAuthority === undefined) return shown;
    if (senderAuthority.secret === undefined) {
      const senders = certificates?.sendersAuthority;
      if (senders === undefined) throw new pulumi.ResourceError("tls knows no CA of senders", this);
      return together(
        shown,
        immutableFiles(name, SENDERS_VOLUME, workload, SENDER_AUTHORITY_DIRECTORY, { [SENDER_AUTHORITY_FILE]: senders }),
      );
    }
    const items = [{ key: SENDER_AUTHORITY_FILE, path: SENDER_AUTHORITY_FILE }];
    return together(shown, {
      volumes: [{ name: SENDERS_VOLUME, secret: { secretName: senderAuthority.secret, items } }],
      mounts: [{ name: SENDERS_VOLUME, mountPath: SENDER_AUTHORITY_DIRECTORY, readOnly: true }],
    });
  }

  private workload(name: string, workload: Workload, { settings, gateway, addresses }: GatewayArgs, files: Mounted): void {
    const { images, cluster } = settings;
    const own = gateway.settings;
    deployment(
      name,
      workload,
      {
        replicas: own.replicas,
        antiAffinity: own.antiAffinity,
        zones: cluster.zones,
        restartedAt: own.rollout.restartedAt,
        pod: {
          serviceAccountName: serviceAccount(name, workload),
          terminationGracePeriodSeconds: PAUSE_SECONDS + GATEWAY_DRAIN_SECONDS + 15,
          containers: [
            {
              ...container(GATEWAY_APP, images.haproxy, own.resources, RUN_SIZE),
              command: ["haproxy"],
              // A master, and a worker that it replaces by one with renewed certificates.
              args: ["-W", "-db", "-p", PID_FILE, "-f", `${GATEWAY_CONFIG_DIRECTORY}/${GATEWAY_CONFIG_FILE}`],
              ports: [HTTP, ...gateway.endpoints.map((endpoint) => PORTS[endpoint])],
              ...probes("http"),
              ...drainPause(PAUSE_SECONDS),
              volumeMounts: [...files.mounts, RUN.mount],
            },
            reloader(settings, own, files),
            ...(gateway.heldReaders ? [labelProxy(settings, own, addresses.queryUrl)] : []),
          ],
          // The reloader tells HAProxy's master by signal.
          shareProcessNamespace: true,
          volumes: [...files.volumes, RUN.volume],
        },
      },
      { customTimeouts: { create: "30m", update: "30m" } },
    );
  }
}

/** A process id and sockets take nothing. */
const RUN_SIZE = "1Mi";
const RUN = {
  volume: scratchVolume("run", RUN_SIZE),
  mount: { name: "run", mountPath: RUN_DIRECTORY },
};

/** Volumes whose Secrets somebody may change in place; what the program itself makes is another Secret then. */
const RENEWED = [GATEWAY_CERTIFICATE_DIRECTORY, SENDER_AUTHORITY_DIRECTORY, GATEWAY_CLIENT_DIRECTORY];

function reloader({ images }: Settings, { reloader: own }: GatewayPlan["settings"], { mounts }: Mounted) {
  const watched = mounts.filter(({ mountPath }) => RENEWED.some((directory) => directory === mountPath));
  return {
    ...container(RELOADER_CONTAINER, images.haproxy, own.resources),
    command: ["/bin/sh"],
    args: reloaderArgs(RENEWED.filter((directory) => watched.some(({ mountPath }) => mountPath === directory))),
    volumeMounts: [...watched, RUN.mount],
  };
}

function labelProxy(settings: Settings, { labelProxy: own }: GatewayPlan["settings"], queryUrl: string) {
  const tcpSocket = { port: LABEL_PROXY_HTTP_PORT_NAME };
  return {
    ...container(LABEL_PROXY_CONTAINER, settings.images.promLabelProxy, own.resources),
    args: labelProxyFlags(settings, queryUrl),
    ports: [{ name: LABEL_PROXY_HTTP_PORT_NAME, containerPort: LABEL_PROXY_HTTP_PORT }],
    readinessProbe: { tcpSocket, periodSeconds: 2, timeoutSeconds: 3 },
    livenessProbe: { tcpSocket, periodSeconds: 15, timeoutSeconds: 10, failureThreshold: 6 },
    // It ends at once when it is told to, and HAProxy has requests until then.
    ...drainPause(PAUSE_SECONDS + GATEWAY_DRAIN_SECONDS),
  };
}

const bothOf = (pairs: Readonly<Record<string, Record<Slot, string>>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(pairs).map(([holder, pair]) => [holder, SLOTS.map((slot) => pair[slot])]));

/** The token that each holder is given. */
const currentOf = (
  pairs: Readonly<Record<string, Pair>>,
  holders: readonly (readonly [string, { generation: number }])[],
): Record<string, pulumi.Output<string>> =>
  Object.fromEntries(
    holders.flatMap(([holder, { generation }]) => {
      const pair = pairs[holder];
      return pair === undefined ? [] : [[holder, pair[currentSlot(generation)]]];
    }),
  );
