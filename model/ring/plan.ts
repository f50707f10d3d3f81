import { type Identity, PEER_SERVICE, RECEIVE_APP, RECEIVE_IDENTITY } from "../kubernetes/identities";
import type { ReceiveSettings, Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import { defaultRingTenants } from "../settings/tenancy";
import { DEFAULT_RING, type Hashring, hashrings, hashringsFile, hashringsHash, ringSets } from "./hashring";

/** The receivers: rings, and the StatefulSets that make them up. */

/** Fixed name of the ConfigMap with the hashrings: it is changed in place and no pod restarts. */
export const HASHRINGS_CONFIG_MAP = `${RECEIVE_APP}-hashrings`;
/** Fixed name of the ConfigMap with the limits, which is changed in place like the hashrings. */
export const LIMITS_CONFIG_MAP = `${RECEIVE_APP}-limits`;

/** One StatefulSet of receivers: a ring's, or a ring's part in one zone. */
export interface ReceiverSet {
  name: string;
  ring: string;
  zone?: string;
  replicas: number;
  identity: Identity;
}

/** The ring of the receive scheme. */
export interface ReceivePlan {
  settings: ReceiveSettings;
  rings: Hashring[];
  sets: ReceiverSet[];
  /** Text of the hashring file. */
  hashringsFile: string;
  /** Identity of that text. */
  hashringsHash: string;
}

/** The receivers; undefined in the sidecar scheme. */
export function planReceive(settings: Settings): ReceivePlan | undefined {
  const receive = receiveOf(settings);
  if (receive === undefined) return undefined;
  const { zones, domain } = settings.cluster;
  const tenants = defaultRingTenants(settings);
  const ringPlans = [
    ...receive.hashrings.map((ring) => ({ ...ring, zones })),
    { name: DEFAULT_RING, ...(tenants === undefined ? {} : { tenants }), replicas: receive.replicas, zones },
  ];
  const rings = hashrings(ringPlans, { namespace: settings.namespace, peerService: PEER_SERVICE, clusterDomain: domain });
  const sets = ringPlans.flatMap((ring) =>
    ringSets(ring.name, zones).map((set) => ({
      ...set,
      ring: ring.name,
      replicas: ring.replicas / Math.max(zones.length, 1),
      identity: { ...RECEIVE_IDENTITY, instance: set.name },
    })),
  );
  const file = hashringsFile(rings);
  return { settings: receive, rings, sets, hashringsFile: file, hashringsHash: hashringsHash(file) };
}
