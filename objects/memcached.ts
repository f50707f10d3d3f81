import type * as pulumi from "@pulumi/pulumi";
import { choicesFor } from "../model/kubernetes/choices";
import type { Identity } from "../model/kubernetes/identities";
import { ownPods, selectorLabels } from "../model/kubernetes/labels";
import { memcachedResources } from "../model/kubernetes/memcached";
import { container, hostAntiAffinity, MEMCACHED_USER } from "../model/kubernetes/pod";
import { MEMCACHED_PORT } from "../model/kubernetes/ports";
import type { CacheSettings, Settings } from "../model/settings/schema";
import { quantityBytes } from "../model/values/quantity";
import { HEADLESS, service, serviceAccount, statefulSet, type Workload } from "./workload";

/** Arguments of {@link memcached}. */
export interface MemcachedArgs {
  settings: Settings;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** Which cache it is; the app is the name of Service and StatefulSet. */
  identity: Identity;
  servers: CacheSettings;
}

/** Where clients find every server of a cache: its SRV record, as Thanos' configuration names it. */
export function memcachedAddress(app: string, { namespace, cluster }: Settings): string {
  return `dnssrv+_memcached._tcp.${app}.${namespace}.svc.${cluster.domain}`;
}

/**
 * memcached servers and the headless Service with their SRV record, `_memcached._tcp.<app>`. Their items are copies: a
 * server that is lost costs time only.
 *
 * @param name Logical name of every resource.
 * @param parent The component that uses the cache.
 * @returns what is Ready when the servers are
 */
export function memcached(name: string, args: MemcachedArgs, parent: pulumi.Resource): pulumi.Resource {
  const { settings, identity, namespace, servers } = args;
  const { images, existingNamespace } = settings;
  const { replicas, memory } = servers;
  const { memcached: image } = images;
  const choices = choicesFor(settings, servers);
  const workload: Workload = { identity, namespace, existingNamespace, image, user: MEMCACHED_USER, choices, parent };
  const items = quantityBytes(memory);
  const port = { name: "memcached", containerPort: MEMCACHED_PORT };
  const serviceAccountName = serviceAccount(name, workload);
  service(name, workload, identity.app, port, HEADLESS);
  return statefulSet(name, workload, {
    serviceName: identity.app,
    replicas,
    podManagementPolicy: "Parallel",
    pod: {
      serviceAccountName,
      affinity: hostAntiAffinity("soft", ownPods(settings, selectorLabels(identity))),
      containers: [
        {
          ...container("memcached", image, memcachedResources(memory)),
          command: ["memcached"],
          args: [`--memory-limit=${Math.floor(items / 2 ** 20)}`, "--max-item-size=5m", "--conn-limit=1024", `--port=${MEMCACHED_PORT}`],
          ports: [port],
          readinessProbe: { tcpSocket: { port: port.name }, periodSeconds: 2, timeoutSeconds: 3 },
          livenessProbe: { tcpSocket: { port: port.name }, periodSeconds: 15, timeoutSeconds: 10, failureThreshold: 6 },
        },
      ],
    },
  });
}
