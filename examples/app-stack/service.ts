import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { HTTP_PORT_NAME, METRICS_PATH_ANNOTATION } from "./agentConfig";
import type { Config } from "./config";
import { containerResources, containerSecurityContext, IMAGES, labels, podSecurityContext, selectorLabels } from "./pod";

/** Port of the service. */
export const SERVICE_PORT = 80;
/** User and group; the image has it as `nobody`. */
const USER = 65534;
/** Scripts that busybox's httpd runs, one a path under /cgi-bin. */
const HANDLERS = ["hello", "healthz", "metrics"];
const DIRECTORY = join(__dirname, "service");

/** The application: busybox's httpd, whose handlers count what they answer and expose it to Prometheus. */
export class AppService extends pulumi.ComponentResource {
  constructor(name: string, args: { config: Config; namespace: pulumi.Input<string> }, opts?: pulumi.ComponentResourceOptions) {
    super("thanos-app:index:Service", name, {}, opts);
    const { app, service } = args.config;
    const metadata = { name: app, namespace: args.namespace, labels: labels(app, app) };
    const script = (file: string) => readFileSync(join(DIRECTORY, file), "utf8");
    const scripts = new k8s.core.v1.ConfigMap(
      `${name}-scripts`,
      {
        metadata: { namespace: args.namespace, labels: labels(app, app) },
        immutable: true,
        data: Object.fromEntries(["start", ...HANDLERS].map((file) => [file, script(file)])),
      },
      { parent: this },
    );
    new k8s.core.v1.Service(
      name,
      {
        metadata,
        spec: {
          type: "ClusterIP",
          selector: selectorLabels(app, app),
          ports: [{ name: HTTP_PORT_NAME, port: SERVICE_PORT, targetPort: HTTP_PORT_NAME }],
        },
      },
      { parent: this },
    );
    const probe = { httpGet: { path: "/cgi-bin/healthz", port: HTTP_PORT_NAME }, timeoutSeconds: 3 };
    new k8s.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          replicas: service.replicas,
          selector: { matchLabels: selectorLabels(app, app) },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          template: {
            metadata: { labels: labels(app, app), annotations: { [METRICS_PATH_ANNOTATION]: "/cgi-bin/metrics" } },
            spec: {
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurityContext(USER),
              terminationGracePeriodSeconds: 15,
              containers: [
                {
                  name: "httpd",
                  image: IMAGES.service,
                  imagePullPolicy: "IfNotPresent",
                  command: ["/bin/sh", "/scripts/start"],
                  ports: [{ name: HTTP_PORT_NAME, containerPort: 8080 }],
                  resources: containerResources(service.resources),
                  securityContext: containerSecurityContext(),
                  readinessProbe: { ...probe, periodSeconds: 5 },
                  livenessProbe: { ...probe, periodSeconds: 15 },
                  // Services forget the pod before it stops listening.
                  lifecycle: { preStop: { sleep: { seconds: 3 } } },
                  volumeMounts: [
                    { name: "scripts", mountPath: "/scripts", readOnly: true },
                    { name: "handlers", mountPath: "/www/cgi-bin", readOnly: true },
                    { name: "state", mountPath: "/state" },
                  ],
                },
              ],
              volumes: [
                { name: "scripts", configMap: { name: scripts.metadata.name, items: [{ key: "start", path: "start" }] } },
                {
                  name: "handlers",
                  configMap: { name: scripts.metadata.name, defaultMode: 0o555, items: HANDLERS.map((key) => ({ key, path: key })) },
                },
                { name: "state", emptyDir: { sizeLimit: "64Mi" } },
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
