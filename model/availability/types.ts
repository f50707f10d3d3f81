import type { RingMember } from "../ring/ketama";

/** Types of a plan, as far as it decides about availability, and of its survival. */

/** Whether the scheduler must put the pods on different nodes (`hard`) or only prefers to (`soft`, and then nothing is certain). */
export type AntiAffinity = "hard" | "soft";

/** Interchangeable pods, of which any one does the work. */
export interface Workload {
  replicas: number;
  antiAffinity: AntiAffinity;
  /**
   * Whether the scheduler must spread the pods evenly over the plan's zones (a spread constraint that forbids to
   * schedule otherwise). Default: false.
   */
  zoneSpread?: boolean;
  /** Zones over which they can be spread, where their pods may not be in all of the plan's. Default: all. */
  zones?: number;
  /** `maxUnavailable` of the pod disruption budget. Default: no budget, so that a drain may take every pod it finds. */
  maxUnavailable?: number;
}

/** The Prometheus servers; `replicas`, `antiAffinity` and `zoneSpread` hold within each shard. */
export interface PrometheusWorkload extends Workload {
  /** Shards into which the targets are divided. */
  shards: number;
  /**
   * As {@link ReceivePlan.storage}; it matters in the sidecar scheme, where Prometheus keeps the samples. `emptyDir`: its
   * log ends with its pod. Default: pvc.
   */
  storage?: "hostPath" | "pvc" | "emptyDir";
  /** Nodes that can run them. Default: with `hard`, as many as a shard has replicas; with `soft`, one. */
  nodes?: number;
}

/** The store gateways; `replicas`, `antiAffinity` and `zoneSpread` hold within each shard, and any one of a shard serves it. */
export interface StoreGatewayWorkload extends Workload {
  /** Shards into which the bucket is divided. */
  parts: number;
}

/** The rulers: any one of them evaluates every rule. */
export interface RulerWorkload extends Workload {
  /** Whether they alone hold what comes of the rules, and serve it. */
  stores: boolean;
}

/** The gateways: any one of them takes what others write and ask. */
export interface GatewayWorkload extends Workload {
  /** Whether others write through them. */
  writes: boolean;
  /** Whether others query through them. */
  reads: boolean;
}

/** A hashring of the plan. */
export interface PlannedHashring {
  name: string;
  /** Members; those of a zone run in that zone. Either all name a zone or none. */
  members: readonly (RingMember & { pod: string })[];
  /**
   * Members, as indices, on which a tenant's series may be, where that is not all of them: for each tenant that is known, and for others
   * the worst. Default: the whole ring.
   */
  shards?: readonly (readonly number[])[];
  /** Default: as the plan's receivers. */
  antiAffinity?: AntiAffinity;
  /** Default: as the plan's receivers. */
  storage?: ReceivePlan["storage"];
  /** Nodes that can run its members. Default: as the plan's receivers. */
  nodes?: number;
}

/** The receivers. */
export interface ReceivePlan {
  hashrings: readonly PlannedHashring[];
  /** Receivers that store each series. */
  replicationFactor: number;
  /** `hard`: no two members of one hashring share a node. */
  antiAffinity: AntiAffinity;
  /** Nodes that can run receivers. Default: with `hard`, as many as a hashring has members; with `soft`, one. */
  nodes?: number;
  /** `hostPath`: a node's data is lost with its disk. `pvc`: the volume outlives the node. */
  storage: "hostPath" | "pvc";
  /** `maxUnavailable` of the pod disruption budget over the members of a hashring. Default: no budget. */
  maxUnavailable?: number;
  /**
   * Which members of a hashring a rolling restart takes at once. `onePerZone`: a StatefulSet for each zone,
   * rolled independently. Default: `one`.
   */
  restart?: "one" | "onePerZone";
}

/** The plan, as far as it decides about availability. */
export interface AvailabilityPlan {
  /** Absent in the sidecar scheme, where each Prometheus holds its own samples. */
  receive?: ReceivePlan;
  /** Routers in front of the receivers. Absent: receivers route. */
  routers?: Workload;
  prometheus: PrometheusWorkload;
  querier: Workload;
  queryFrontend?: Workload;
  /** Absent where others write and read without one. */
  gateway?: GatewayWorkload;
  /** Absent without a bucket. */
  storeGateway?: StoreGatewayWorkload;
  /** Absent where Prometheus evaluates the rules itself. */
  ruler?: RulerWorkload;
  /**
   * Nodes without which pods stay Pending, where pods ask for some of the cluster's: how many, and which in words
   * (`with pool=monitoring`). Default: any nodes will do.
   */
  nodes?: readonly CountedOn[];
  /** Number of zones the cluster offers. Default: the zones that the hashrings' members name. */
  zones?: number;
}

/** Nodes on which a plan counts. */
export interface CountedOn {
  count: number;
  /** In words: `with pool=monitoring`. */
  which: string;
  /** In how many zones, of which, there must be some. Default: in whichever. */
  zones?: { count: number; of: readonly string[] };
}

/** A loss that is examined. */
export type Loss = "node" | "twoNodes" | "zone" | "rollingRestart" | "drain" | "prometheus" | "querier" | "storeGateway";

/**
 * Shares of the series of a hashring, 0 to 1; in the sidecar scheme of all series, and the Prometheus of a
 * shard are what receivers are otherwise.
 */
export interface Shares {
  /** Series of which fewer receivers than the quorum are left: writes are refused. */
  unwritable: number;
  /** Series of which no receiver is left: unanswered as far as the bucket does not serve them. */
  unreadable: number;
  /** Series of which exactly one receiver is left. */
  oneCopyLeft: number;
  /** Series of which a quorum of receivers is gone: samples that only they acknowledged are missing, for good if the receivers' data is. */
  mayLoseAcknowledged: number;
}

/** One case of a loss: certain pods are gone. */
export interface LossCase extends Shares {
  hashring: string;
  /** Receivers that are gone. */
  lost: string[];
}

/** A loss and the worst that it can do. */
export interface Scenario extends Shares {
  loss: Loss;
  /** Cases examined: sets of receivers, over all hashrings. The shares are the largest of any case. */
  cases: number;
  /** The case in which most series refuse writes. Absent when no case takes a receiver. */
  worst?: { hashring: string; lost: string[] };
  /** `refused`: practically every remote-write request fails and is retried until the pods are back. Absent in the sidecar scheme. */
  writes?: "accepted" | "refused";
  /** `partial`: answers can lack samples; `none`: nobody answers. */
  queries: "complete" | "partial" | "none";
  /** `partial`: what only the bucket holds is not served in full. Absent without a bucket. */
  history?: "complete" | "partial";
  /** `paused`: no rule is evaluated meanwhile. Absent without rulers. */
  rules?: "evaluated" | "paused";
  /** Share of the scrape targets that no Prometheus scrapes meanwhile. */
  unscraped: number;
}

/** How many losses at once. */
export interface Survival {
  nodes: number;
  zones: number;
}

/** Survival of a plan. It is plain data, the same for the same plan: a stack output. */
export interface Availability {
  /** A few lines for people. */
  summary: string[];
  /**
   * Any so many nodes, or zones, can be lost: no write is refused (in the sidecar scheme: every target is scraped), no query
   * incomplete, no acknowledged sample lost.
   */
  survives: Survival;
  /** The same for what receivers, or the Prometheus of the sidecar scheme, store alone, whatever becomes of the rest. */
  dataSurvives: Survival;
  /** Failures with one node, or zone, more than survived. */
  limits: { nodes: string[]; zones: string[] };
  /**
   * Receivers that hold each series, how many of them acknowledge, and where they may stand: `soft` where any hashring is so. Absent in the
   * sidecar scheme.
   */
  receive?: { replicationFactor: number; quorum: number; antiAffinity: AntiAffinity; zones: number; hashrings: HashringSummary[] };
  scenarios: Scenario[];
  /** As {@link AvailabilityPlan.nodes}. Absent where any nodes will do. */
  nodes?: readonly CountedOn[];
}

/** A hashring in short. */
export interface HashringSummary {
  name: string;
  members: number;
  /** Present where the hashrings differ. */
  antiAffinity?: AntiAffinity;
  /** Whether each tenant has a part of it: then shares are of the series of the tenant that it is worst for. Absent where none has. */
  sharded?: true;
  /** The member that holds most, and how much relative to the mean. */
  heaviest: { pod: string; load: number };
}
