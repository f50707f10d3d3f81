import { type Identity, PEER_SERVICE, RECEIVE_APP, RECEIVE_IDENTITY } from "../kubernetes/identities";
import { receiveRetentionTime, ringRetentions } from "../retention/receivers";
import { type RingSettings, ringsOf } from "../settings/rings";
import type { ReceiveSettings, Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import { type Hashring, hashrings, hashringsFile, hashringsHash, ringSets } from "./hashring";

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
  /** Its ring's own settings, laid over `receive`. */
  settings: Pick<RingSettings, "antiAffinity" | "storage" | "resources" | "pods" | "keyOf">;
  retention: ReceiverRetention;
}

/** How long receivers keep samples, and how many bytes of a tenant's blocks; undefined for no bound. */
export interface ReceiverRetention {
  /** Such as `36h`. */
  time: string;
  size: string | undefined;
}

/** The rings and their receivers. */
export interface RingPlan {
  /** The environment's settings. */
  settings: ReceiveSettings;
  /** How long receivers keep samples themselves, those of the ring that keeps them for the shortest time, such as `36h`. */
  retention: string;
  rings: Hashring[];
  sets: ReceiverSet[];
  /** Text of the hashring file. */
  hashringsFile: string;
  /** Identity of that text. */
  hashringsHash: string;
}

/** How samples reach the querier: written into a ring of receivers, or kept by each Prometheus and served by its sidecar. */
export type Scheme = { kind: "ring"; ring: RingPlan } | { kind: "sidecar" };

/** The scheme that an environment chose. */
export function planScheme(settings: Settings): Scheme {
  const receive = receiveOf(settings);
  return receive === undefined ? { kind: "sidecar" } : { kind: "ring", ring: planRing(receive, settings) };
}

/** The ring of a scheme that has one. */
export const ringOf = (scheme: Scheme): RingPlan | undefined => (scheme.kind === "ring" ? scheme.ring : undefined);

/** The key that decides about the anti-affinity of each StatefulSet, by its name. */
export const antiAffinityKeys = ({ sets }: RingPlan): Record<string, string> =>
  Object.fromEntries(sets.map(({ name, settings }) => [name, settings.keyOf("antiAffinity")]));

/** The rings that these settings of receivers come to, whichever the scheme is. */
export function planRing(receive: ReceiveSettings, settings: Settings): RingPlan {
  const planned = ringsOf(receive, settings);
  const rings = hashrings(planned, { namespace: settings.namespace, peerService: PEER_SERVICE, clusterDomain: settings.cluster.domain });
  const sets = planned.flatMap((ring) =>
    ringSets(ring.name, ring.zones).map((set) => ({
      ...set,
      ring: ring.name,
      replicas: ring.replicas / Math.max(ring.zones.length, 1),
      identity: { ...RECEIVE_IDENTITY, instance: set.name },
      settings: ring,
      retention: { time: receiveRetentionTime(ring, settings), size: ring.retention.size },
    })),
  );
  const file = hashringsFile(rings);
  return {
    settings: receive,
    retention: ringRetentions(receive, settings)[0]?.time ?? receiveRetentionTime(receive, settings),
    rings,
    sets,
    hashringsFile: file,
    hashringsHash: hashringsHash(file),
  };
}
