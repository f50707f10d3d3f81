import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { agentConfig, CA_FILE, CLIENT_DIRECTORY, CLIENT_FILES, GATEWAY_DIRECTORY, HTTP_PORT_NAME, TOKEN_FILE } from "./agentConfig";
import type { Config } from "./config";
import type { Endpoint } from "./platform";
import { containerResources, containerSecurityContext, IMAGES, labels, podSecurityContext, selectorLabels } from "./pod";
import type { Sender } from "./sender";

/** Name of the agent's objects. */
export const AGENT = "prometheus-agent";
const PORT = 9090;
/** User and group of the Prometheus image. */
const USER = 65534;
const LOG = "/prometheus";

/** Arguments of {@link Agent}. */
export interface AgentArgs {
  config: Config;
  namespace: pulumi.Input<string>;
  sender: Sender;
  /** Where to write; from the platform's outputs. */
  writes: Endpoint;
  /** The header that names the tenant; from the platform's outputs. */
  tenantHeader: string;
}

/** Prometheus in agent mode: scrapes the pods of the application and writes to the platform. */
export class Agent extends pulumi.ComponentResource {
  constructor(name: string, args: AgentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("thanos-app:index:Agent", name, {}, opts);
    const { app, agent, namespace } = args.config;
    const { url, gateway, client } = args.writes;
    const metadata = { name: AGENT, namespace: args.namespace, labels: labels(app, AGENT) };
    const account = new k8s.core.v1.ServiceAccount(name, { metadata, automountServiceAccountToken: false }, { parent: this });
    const role = new k8s.rbac.v1.Role(
      name,
      { metadata, rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }] },
      { parent: this },
    );
    const binding = new k8s.rbac.v1.RoleBinding(
      name,
      {
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
        subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace: args.namespace }],
      },
      { parent: this },
    );
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: { namespace: args.namespace, labels: labels(app, AGENT) },
        immutable: true,
        data: {
          "prometheus.yml": agentConfig({
            namespace,
            app,
            scrapeInterval: agent.scrapeInterval,
            remoteWriteUrl: url,
            tenantHeader: args.tenantHeader,
            sender: args.sender,
            ...(gateway === undefined ? {} : { gateway: { hasCa: gateway.ca !== undefined } }),
            ...(client === undefined ? {} : { client: { serverName: client.serverName } }),
          }),
        },
      },
      { parent: this },
    );
    const shown = credentialsOf(args.writes).map(({ volume, mountPath, stringData }) => {
      // Immutable and named by the engine: another credential restarts the agent, which empties its queue with the one before.
      const { metadata: made } = new k8s.core.v1.Secret(
        `${name}-${volume}`,
        { metadata: { namespace: args.namespace, labels: labels(app, AGENT) }, immutable: true, stringData },
        { parent: this },
      );
      return { mount: { name: volume, mountPath, readOnly: true }, volume: { name: volume, secret: { secretName: made.name } } };
    });
    // The name of the governing Service is part of the StatefulSet; the pod needs no name of its own in the DNS.
    const governing = new k8s.core.v1.Service(
      name,
      {
        metadata,
        spec: {
          clusterIP: "None",
          selector: selectorLabels(app, AGENT),
          ports: [{ name: HTTP_PORT_NAME, port: PORT, targetPort: HTTP_PORT_NAME }],
        },
      },
      { parent: this },
    );
    const probe = (path: string) => ({ httpGet: { path, port: HTTP_PORT_NAME }, timeoutSeconds: 5 });
    new k8s.apps.v1.StatefulSet(
      name,
      {
        metadata,
        spec: {
          serviceName: governing.metadata.name,
          replicas: 1,
          selector: { matchLabels: selectorLabels(app, AGENT) },
          ...(agent.volume === undefined
            ? {}
            : {
                persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
                volumeClaimTemplates: [
                  {
                    metadata: { name: "log", labels: selectorLabels(app, AGENT) },
                    spec: {
                      accessModes: ["ReadWriteOnce"],
                      storageClassName: agent.volume.storageClass,
                      resources: { requests: { storage: agent.volume.size } },
                    },
                  },
                ],
              }),
          template: {
            metadata: { labels: labels(app, AGENT) },
            spec: {
              serviceAccountName: account.metadata.name,
              // Discovery asks the API server.
              automountServiceAccountToken: true,
              enableServiceLinks: false,
              securityContext: podSecurityContext(USER),
              // Above the minute that remote write may take to empty its queue.
              terminationGracePeriodSeconds: 120,
              containers: [
                {
                  name: "prometheus",
                  image: IMAGES.prometheus,
                  imagePullPolicy: "IfNotPresent",
                  args: ["--agent", "--config.file=/etc/prometheus/config/prometheus.yml", `--storage.agent.path=${LOG}`],
                  env: [{ name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
                  ports: [{ name: HTTP_PORT_NAME, containerPort: PORT }],
                  resources: containerResources(agent.resources),
                  securityContext: containerSecurityContext(),
                  startupProbe: { ...probe("/-/ready"), periodSeconds: 1, failureThreshold: 600 },
                  readinessProbe: { ...probe("/-/ready"), periodSeconds: 5 },
                  livenessProbe: { ...probe("/-/healthy"), periodSeconds: 15, failureThreshold: 6 },
                  volumeMounts: [
                    { name: "log", mountPath: LOG },
                    { name: "config", mountPath: "/etc/prometheus/config", readOnly: true },
                    ...shown.map(({ mount }) => mount),
                  ],
                },
              ],
              volumes: [
                { name: "config", configMap: { name: config.metadata.name } },
                ...shown.map(({ volume }) => volume),
                ...(agent.volume === undefined ? [{ name: "log", emptyDir: { sizeLimit: agent.logSize } }] : []),
              ],
            },
          },
        },
      },
      // Without the permission discovery finds nothing, and the first samples would be late.
      { parent: this, dependsOn: [binding] },
    );
    this.registerOutputs({});
  }
}

/** Credentials that the agent shows whom it writes to, as files of a Secret; none where nobody asks. */
function credentialsOf({ gateway, client }: Endpoint): { volume: string; mountPath: string; stringData: pulumi.Inputs }[] {
  if (gateway !== undefined) {
    const ca = gateway.ca === undefined ? {} : { [CA_FILE]: gateway.ca };
    return [{ volume: "gateway", mountPath: GATEWAY_DIRECTORY, stringData: { [TOKEN_FILE]: pulumi.secret(gateway.token), ...ca } }];
  }
  if (client === undefined) return [];
  const stringData = {
    [CLIENT_FILES.ca]: client.ca,
    [CLIENT_FILES.certificate]: pulumi.secret(client.shown.certificate),
    [CLIENT_FILES.key]: pulumi.secret(client.shown.key),
  };
  return [{ volume: "client", mountPath: CLIENT_DIRECTORY, stringData }];
}
