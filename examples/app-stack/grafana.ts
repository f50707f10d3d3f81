import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { HTTP_PORT_NAME } from "./agentConfig";
import type { Config } from "./config";
import type { Endpoint } from "./platform";
import { containerResources, containerSecurityContext, IMAGES, labels, podSecurityContext, selectorLabels } from "./pod";
import { DASHBOARDS_DIRECTORY, dashboardProviders, dataSources, readDashboards } from "./provisioning";

/** Name of the Service. */
export const GRAFANA = "grafana";
/** Port of Grafana. */
export const GRAFANA_PORT = 3000;
/** User and group of the image. */
const USER = 472;
const SECRETS = "/etc/grafana/secrets";
const PASSWORD_FILE = "admin-password";

/** Arguments of {@link Grafana}. */
export interface GrafanaArgs {
  config: Config;
  namespace: pulumi.Input<string>;
  /** Where to ask; from the platform's outputs. */
  queries: Endpoint;
  /** The header that names the tenant; from the platform's outputs. */
  tenantHeader: string;
  /** Name of the external label that names the cluster. */
  clusterLabel: string;
}

/** Grafana with everything from files: its database is in the pod, made anew at each start, and nothing made by hand outlives it. */
export class Grafana extends pulumi.ComponentResource {
  /** The administrator's password; secret. */
  readonly adminPassword: pulumi.Output<string>;

  constructor(name: string, args: GrafanaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("thanos-app:index:Grafana", name, {}, opts);
    const { app, grafana } = args.config;
    const folders = Object.entries(grafana.dashboards).sort(([a], [b]) => (a < b ? -1 : 1));
    const unnamed = { namespace: args.namespace, labels: labels(app, GRAFANA) };
    const metadata = { name: GRAFANA, ...unnamed };
    const files = (suffix: string, data: Record<string, string>) =>
      new k8s.core.v1.ConfigMap(`${name}-${suffix}`, { metadata: unnamed, immutable: true, data }, { parent: this }).metadata.name;
    const { url: queryUrl, gateway } = args.queries;
    const endpoint = { queryUrl, tenantHeader: args.tenantHeader, tenant: args.config.tenant, scrapeInterval: grafana.scrapeInterval };
    const sourcesVolume =
      gateway === undefined
        ? { configMap: { name: files("datasources", { "datasources.yaml": dataSources(endpoint) }) } }
        : {
            // It has the token in it.
            secret: {
              secretName: new k8s.core.v1.Secret(
                `${name}-datasources`,
                {
                  metadata: unnamed,
                  immutable: true,
                  stringData: {
                    "datasources.yaml": pulumi.secret(gateway.token).apply((token) => dataSources(endpoint, { token, ca: gateway.ca })),
                  },
                },
                { parent: this },
              ).metadata.name,
            },
          };
    const providersMap = files("providers", { "providers.yaml": dashboardProviders(folders.map(([folder]) => folder)) });
    const dashboardMaps = folders.map(([folder, path]) => ({
      folder,
      map: files(`dashboards-${folder}`, readDashboards(path, args.clusterLabel)),
    }));

    const password = new random.RandomPassword(`${name}-admin`, { length: 32, special: false }, { parent: this });
    this.adminPassword = pulumi.secret(password.result);
    const secret = new k8s.core.v1.Secret(
      `${name}-admin`,
      { metadata: unnamed, immutable: true, stringData: { [PASSWORD_FILE]: this.adminPassword } },
      { parent: this },
    );
    new k8s.core.v1.Service(
      name,
      {
        // The provider waits until a Service has a pod behind it.
        metadata: grafana.replicas > 0 ? metadata : { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: {
          type: "ClusterIP",
          selector: selectorLabels(app, GRAFANA),
          ports: [{ name: HTTP_PORT_NAME, port: GRAFANA_PORT, targetPort: HTTP_PORT_NAME }],
        },
      },
      { parent: this },
    );
    const probe = { httpGet: { path: "/api/health", port: HTTP_PORT_NAME }, timeoutSeconds: 5 };
    const environment = {
      GF_SECURITY_ADMIN_PASSWORD__FILE: `${SECRETS}/${PASSWORD_FILE}`,
      GF_USERS_ALLOW_SIGN_UP: "false",
      GF_ANALYTICS_REPORTING_ENABLED: "false",
      GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
      GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
      // Nothing is fetched at a start: the program works where there is no Internet.
      GF_PLUGINS_PREINSTALL_DISABLED: "true",
      GF_PLUGINS_PLUGIN_ADMIN_ENABLED: "false",
    };
    new k8s.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          replicas: grafana.replicas,
          selector: { matchLabels: selectorLabels(app, GRAFANA) },
          template: {
            metadata: { labels: labels(app, GRAFANA) },
            spec: {
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurityContext(USER),
              containers: [
                {
                  name: "grafana",
                  image: IMAGES.grafana,
                  imagePullPolicy: "IfNotPresent",
                  env: Object.entries(environment).map(([key, value]) => ({ name: key, value })),
                  ports: [{ name: HTTP_PORT_NAME, containerPort: GRAFANA_PORT }],
                  resources: containerResources(grafana.resources),
                  securityContext: containerSecurityContext(),
                  startupProbe: { ...probe, periodSeconds: 2, failureThreshold: 150 },
                  readinessProbe: { ...probe, periodSeconds: 5 },
                  livenessProbe: { ...probe, periodSeconds: 15, failureThreshold: 6 },
                  volumeMounts: [
                    { name: "data", mountPath: "/var/lib/grafana" },
                    { name: "temporary", mountPath: "/tmp" },
                    { name: "admin", mountPath: SECRETS, readOnly: true },
                    { name: "datasources", mountPath: "/etc/grafana/provisioning/datasources", readOnly: true },
                    { name: "providers", mountPath: "/etc/grafana/provisioning/dashboards", readOnly: true },
                    ...dashboardMaps.map(({ folder }) => ({
                      name: `dashboards-${folder}`,
                      mountPath: `${DASHBOARDS_DIRECTORY}/${folder}`,
                      readOnly: true,
                    })),
                  ],
                },
              ],
              volumes: [
                { name: "data", emptyDir: { sizeLimit: "512Mi" } },
                { name: "temporary", emptyDir: { sizeLimit: "128Mi" } },
                { name: "admin", secret: { secretName: secret.metadata.name } },
                { name: "datasources", ...sourcesVolume },
                { name: "providers", configMap: { name: providersMap } },
                ...dashboardMaps.map(({ folder, map }) => ({ name: `dashboards-${folder}`, configMap: { name: map } })),
              ],
            },
          },
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
