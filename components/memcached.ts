import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { commonLabels, type Identity, selectorLabels } from "../model/labels";
import { MEMCACHED_PORT } from "../model/networkEdges";
import { containerResources, containerSecurityContext, hostAntiAffinity, MEMCACHED_USER, podSecurityContext } from "../model/pod";
import { quantityBytes } from "../model/quantity";
import { imageVersion } from "../model/versions";

/** What {@link memcached} needs. */
export interface MemcachedArgs {
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** Which cache it is; the app is the name of Service and StatefulSet. */
  identity: Identity;
  image: string;
  replicas: number;
  /** Memory for items, such as `256Mi`. */
  memory: string;
}

/** What memcached needs beside its items: connections, hash table, threads. */
const MEMCACHED_OVERHEAD_BYTES = 64 * 2 ** 20;

/**
 * memcached servers and the headless Service with their SRV record, `_memcached._tcp.<app>`. Their items are copies: a server that is lost costs time only.
 *
 * @param name Logical name of every resource.
 * @param parent The component that uses the cache.
 */
export function memcached(name: string, args: MemcachedArgs, parent: pulumi.Resource): void {
  const { identity, namespace } = args;
  const selector = selectorLabels(identity);
  const labels = commonLabels(identity, imageVersion(args.image));
  const metadata = { name: identity.app, namespace, labels };
  const account = new k8s.core.v1.ServiceAccount(name, { metadata, automountServiceAccountToken: false }, { parent });
  new k8s.core.v1.Service(
    name,
    {
      metadata,
      spec: { clusterIP: "None", selector, ports: [{ name: "memcached", port: MEMCACHED_PORT, targetPort: "memcached" }] },
    },
    { parent },
  );
  const memory = quantityBytes(args.memory);
  new k8s.apps.v1.StatefulSet(
    name,
    {
      metadata,
      spec: {
        serviceName: identity.app,
        replicas: args.replicas,
        podManagementPolicy: "Parallel",
        selector: { matchLabels: selector },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: account.metadata.name,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: podSecurityContext(MEMCACHED_USER),
            affinity: hostAntiAffinity("soft", selector),
            containers: [
              {
                name: "memcached",
                image: args.image,
                imagePullPolicy: "IfNotPresent",
                command: ["memcached"],
                args: [
                  `--memory-limit=${Math.floor(memory / 2 ** 20)}`,
                  "--max-item-size=5m",
                  "--conn-limit=1024",
                  `--port=${MEMCACHED_PORT}`,
                ],
                ports: [{ name: "memcached", containerPort: MEMCACHED_PORT }],
                resources: containerResources({ cpu: "50m", memory: `${Math.ceil((memory + MEMCACHED_OVERHEAD_BYTES) / 2 ** 20)}Mi` }),
                securityContext: containerSecurityContext(),
                readinessProbe: { tcpSocket: { port: "memcached" }, periodSeconds: 2, timeoutSeconds: 3 },
                livenessProbe: { tcpSocket: { port: "memcached" }, periodSeconds: 15, timeoutSeconds: 10, failureThreshold: 6 },
              },
            ],
          },
        },
      },
    },
    { parent },
  );
}
