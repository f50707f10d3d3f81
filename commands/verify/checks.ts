/** The checks of verify on a deployed stack: each is a pure judgement of readings, and knows nothing of how they were taken. */

import type { Labels, Store, Target, VectorElement } from "../../clients/prometheus";
import { JOBS } from "../../model/kubernetes/jobs";
import { isTooOld, KUBERNETES_MINIMUM, LOST_BEFORE } from "../../model/kubernetes/version";
import type { RingMember } from "../../outputs";

/** The judgement of one check. */
export interface Verdict {
  ok: boolean;
  /** The observation, in a few words; for a failure, its fault. */
  seen: string;
  /** One line for each culprit, and for each warning, which fails nothing. */
  details: string[];
}

/** Jobs of targets that ask to be scraped by an annotation. They are anybody's, and whether they answer says nothing of the stack. */
const OTHERS_JOBS: readonly (string | undefined)[] = [JOBS.services, JOBS.pods];
const isOthers = ({ labels }: { labels: Labels }): boolean => OTHERS_JOBS.includes(labels.job);
/** A line of a verdict that fails nothing. */
export const warning = (text: string): string => `warning: ${text}`;

/** A node of the cluster. */
export interface NodeReading {
  name: string;
  ready: boolean;
  /** Version of its kubelet, such as `v1.36.3`; absent where it says none. */
  kubelet?: string;
}

/** A pod of the stack's namespace; those that have ended or are being deleted are not read. */
export interface PodReading {
  name: string;
  /** Label `app.kubernetes.io/name`; empty where there is none. */
  app: string;
  /** Label `app.kubernetes.io/component`; empty where there is none. */
  component: string;
  ready: boolean;
  /** Why it isn't ready, as far as Kubernetes says. */
  reason: string;
  /** Its addresses, of each family; none until the pod has them. */
  ips: readonly string[];
  /** The container port named `http`; absent where there is none. */
  httpPort?: number;
  /** The container port named `grpc`; absent where there is none. */
  grpcPort?: number;
  /** Secret with its certificate; absent where it has none. */
  tlsSecret?: string;
  /** Of a gateway: a container port at which it shows its certificate; absent of others. */
  gatewayPort?: number;
  /** Of a gateway that trusts certificates of senders: what holds their CA. */
  senders?: { kind: "secrets" | "configmaps"; name: string };
  /** Whether it is started with a hashring file. */
  readsHashrings: boolean;
}

/** The active targets of one Prometheus pod. */
export interface TargetsReading {
  pod: string;
  targets: Target[];
}

/** Samples of acknowledged write requests, counted since each receiver's start. */
export interface AcknowledgedReading {
  /** Monotonic time in milliseconds. */
  atMs: number;
  /** By pod. */
  samples: ReadonlyMap<string, number>;
  /**
   * Samples that verify itself may have written; they are not the stack's. A write may come while the
   * counters are read, and be counted or not.
   */
  own: { before: number; after: number };
}

/** One receiver's metrics of its hashring. */
export interface HashringReading {
  pod: string;
  /** `thanos_receive_config_hash`; absent where it isn't exposed. */
  hash?: number;
  /** `thanos_receive_hashring_nodes`, over all rings; absent where it isn't exposed. */
  nodes?: number;
}

/** The sample that verify wrote. */
export interface WrittenSample {
  labels: Labels;
  value: number;
}

/**
 * All nodes of the cluster are Ready, and there is one. An update looks at the version of the API server; a kubelet, which may be older,
 * is a warning here where it is too old.
 */
export function nodesReady(nodes: readonly NodeReading[]): Verdict {
  const notReady = nodes.filter((node) => !node.ready);
  return {
    ok: nodes.length > 0 && notReady.length === 0,
    seen: `${nodes.length - notReady.length} of ${nodes.length} Ready`,
    details: [
      ...notReady.map((node) => `${node.name} is not Ready`),
      ...nodes
        .filter(({ kubelet = "" }) => isTooOld(kubelet) === true)
        .map(({ name, kubelet }) =>
          warning(`${name} has a kubelet of Kubernetes ${kubelet}, ${LOST_BEFORE} (${KUBERNETES_MINIMUM} or later)`),
        ),
    ],
  };
}

/**
 * All pods of the namespace are Ready, and there is one.
 *
 * @param compactors number of compactors there should be: a StatefulSet makes none after one that does not start, and nobody asks them
 */
export function podsReady(pods: readonly PodReading[], compactors = 0): Verdict {
  const notReady = pods.filter((pod) => !pod.ready);
  const ready = pods.length - notReady.length;
  const byComponent = countBy(pods.map((pod) => pod.component || "other"));
  const compacting = byComponent.get("compactor") ?? 0;
  return {
    ok: pods.length > 0 && notReady.length === 0 && compacting >= compactors,
    seen: `${ready} of ${pods.length} Ready${pods.length === 0 ? "" : `: ${listOf(byComponent)}`}`,
    details: [
      ...notReady.map((pod) => `${pod.name}: ${pod.reason}`),
      ...(compacting < compactors ? [`${compacting} of ${compactors} compactors: the tenants of the others are not compacted`] : []),
    ],
  };
}

/**
 * Every target of every Prometheus is up, and every pod of the stack is a target of its application's job. Annotated targets that are down
 * are others', and a warning. A job of another kind may have no targets: what it discovers need not be there.
 *
 * @param expectedPrometheus number of Prometheus pods there should be
 * @param jobs the jobs that the stack says it scrapes
 */
export function targetsUp(
  readings: readonly TargetsReading[],
  expectedPrometheus: number,
  jobs: readonly string[],
  pods: readonly PodReading[],
): Verdict {
  const targets = uniqueTargets(readings);
  const notUp = readings.flatMap(({ pod, targets: ofPod }) =>
    ofPod.filter(({ health }) => health !== "up").map((target) => ({ pod, target })),
  );
  const failing = notUp.filter(({ target }) => !isOthers(target));
  const warned = notUp.filter(({ target }) => isOthers(target) && target.health === "down");
  const silent = readings.filter((reading) => reading.targets.length === 0);
  const targetsByJob = countBy(targets.map(({ labels }) => labels.job ?? ""));
  const scraped = pods.filter((pod) => jobs.includes(pod.app) && pod.httpPort !== undefined);
  const fewer = [...countBy(scraped.map((pod) => pod.app))].filter(([app, count]) => (targetsByJob.get(app) ?? 0) < count);
  const distinct = (of: typeof notUp) => new Set(of.map(({ target }) => identityOf(target.labels))).size;
  const down = distinct(notUp);
  const others = distinct(warned);
  const textOfTarget = ({ pod, target }: (typeof notUp)[number]) =>
    `${target.labels.job ?? "?"} ${target.scrapeUrl} is ${target.health} for ${pod}: ${target.lastError === "" ? "not scraped yet" : target.lastError}`;
  return {
    ok: readings.length === expectedPrometheus && targets.length > 0 && failing.length + silent.length + fewer.length === 0,
    seen: `${targets.length - down} of ${targets.length} up${others === 0 ? "" : `, ${others} of others down`}${targets.length === 0 ? "" : `: ${listOf(targetsByJob)}`}`,
    details: [
      ...(readings.length === expectedPrometheus ? [] : [`${readings.length} of ${expectedPrometheus} Prometheus pods could be asked`]),
      ...silent.map(({ pod }) => `${pod} has no targets`),
      ...fewer.map(([app, count]) => `job ${app}: ${targetsByJob.get(app) ?? 0} targets for ${count} pods`),
      ...failing.map(textOfTarget),
      ...warned.map((each) => warning(textOfTarget(each))),
    ],
  };
}

/**
 * The ring acknowledges samples, other than those that verify wrote.
 *
 * @param shortestMs readings closer together than this say nothing of a rate
 */
export function samplesAcknowledged(first: AcknowledgedReading, last: AcknowledgedReading, shortestMs: number): Verdict {
  const elapsedMs = last.atMs - first.atMs;
  const fromPods = [...last.samples].reduce((sum, [pod, count]) => {
    const before = first.samples.get(pod);
    // Without an earlier reading there is nothing to compare with; a counter that fell began again at 0.
    return sum + (before === undefined ? 0 : count >= before ? count - before : count);
  }, 0);
  const acknowledged = Math.max(fromPods - (last.own.after - first.own.before), 0);
  const rate = (acknowledged * 1000) / Math.max(elapsedMs, 1);
  const window = `${acknowledged} samples in ${(elapsedMs / 1000).toFixed(1)} s`;
  if (elapsedMs < shortestMs) {
    return { ok: false, seen: `${window}, which is too short to judge`, details: [] };
  }
  return {
    ok: acknowledged > 0,
    seen: `${window}, ${rate < 10 ? rate.toFixed(1) : Math.round(rate)} a second`,
    details: acknowledged > 0 ? [] : [`the write requests that ${last.samples.size} receivers acknowledged brought no sample`],
  };
}

/** Something that keeps samples and serves them to the querier. */
export interface ExpectedStore {
  /** Plural under which they are counted. */
  kind: string;
  name: string;
  /** The names a querier may know it by. */
  addresses: string[];
}

/** Components, beside the ring's members, whose pods serve the querier by gRPC. */
const STORES: Record<string, string> = { prometheus: "sidecars", "store-gateway": "store gateways", ruler: "rulers" };

/** Everything that the querier must see: the ring's members where there is a ring, and each pod of another component with a gRPC port. */
export function expectedStores(members: readonly RingMember[], pods: readonly PodReading[]): ExpectedStore[] {
  return [
    ...members.map((member) => ({ kind: "ring members", name: member.address, addresses: addressesOf(member, pods) })),
    ...pods.flatMap(({ name, component, ips, grpcPort }) => {
      const kind = STORES[component];
      if (kind === undefined || grpcPort === undefined) return [];
      return [{ kind, name, addresses: ips.map((ip) => endpoint(ip, grpcPort)) }];
    }),
  ];
}

/** The querier sees every store that it should, and has none that fails. */
export function storesSeen(stores: readonly Store[], expected: readonly ExpectedStore[]): Verdict {
  const healthy = stores.filter(({ lastError }) => lastError === undefined);
  const missing = expected.filter(({ addresses }) => !healthy.some(({ name }) => addresses.includes(name)));
  const failing = stores.filter(({ lastError }) => lastError !== undefined);
  const others = stores.length - (expected.length - missing.length) - failing.length;
  const kinds = [...new Set(expected.map(({ kind }) => kind))].map((kind) => {
    const all = expected.filter((each) => each.kind === kind);
    return `${all.filter((each) => !missing.includes(each)).length} of ${all.length} ${kind}`;
  });
  return {
    ok: expected.length > 0 && missing.length === 0 && failing.length === 0,
    seen: [...kinds, ...(others > 0 ? [`${others} other stores`] : [])].join(", ") || "no store is expected",
    details: [
      ...missing.map(({ name }) => `${name} is not among the querier's healthy stores`),
      ...failing.map(({ name, component, lastError }) => `${component} ${name}: ${lastError}`),
    ],
  };
}

/** An answer of the querier to `timestamp(up)`: for each series, when it was last scraped, in seconds since the epoch. */
export interface UpReading {
  vector: readonly VectorElement[];
  warnings: readonly string[];
  partial: boolean;
}

/** Longest time in seconds until a scraped sample is sent: the default `batch_send_deadline` of remote write. */
const DELIVERY_SECONDS = 5;

/**
 * The querier answers `up` of every target exactly once, without replica labels, and of nothing that is no target. Of annotated targets,
 * which others start and stop, it is a warning.
 *
 * A series that ended before every target's latest scrape is of a target that is gone: it is answered for five minutes more (PromQL's
 * lookback) when Prometheus itself was restarted in between and could not mark it as ended. When targets were scraped, Prometheus says:
 * penalty deduplication answers the last sample of a replica that was restarted for up to twice its gap, whatever others have.
 */
export function everyTargetOnce(readings: readonly TargetsReading[], answer: UpReading, replicaLabels: readonly string[]): Verdict {
  const targets = uniqueTargets(readings);
  const left = new Set(answer.vector);
  const wrong: string[] = [];
  const warned: string[] = [];
  let answered = 0;
  for (const { labels } of targets) {
    const series = answer.vector.filter((element) => Object.entries(labels).every(([name, value]) => element.labels[name] === value));
    for (const each of series) {
      left.delete(each);
    }
    if (series.length === 1) {
      answered++;
    } else {
      (isOthers({ labels }) ? warned : wrong).push(
        `up of ${textOf(labels)} is answered ${series.length === 0 ? "not at all" : `${series.length} times`}`,
      );
    }
  }
  const everyTargetScraped = Math.min(...targets.map(({ lastScrape }) => lastScrape)) - DELIVERY_SECONDS;
  const gone = [...left].filter(({ sample }) => sample.value < everyTargetScraped);
  for (const series of [...left].filter((each) => !gone.includes(each))) {
    (isOthers(series) ? warned : wrong).push(`up of ${textOf(series.labels)} is answered, which is no target`);
  }
  const labelled = replicaLabels
    .map((name) => ({ name, count: answer.vector.filter(({ labels }) => labels[name] !== undefined).length }))
    .filter(({ count }) => count > 0)
    .map(({ name, count }) => `replica label ${name} is left on ${count} series`);
  const partial = answer.partial ? [`the answer lacks some store's data: ${answer.warnings.join("; ")}`] : [];
  const faults = [...labelled, ...partial, ...wrong];
  return {
    ok: targets.length > 0 && faults.length === 0,
    seen: `${answered} of ${targets.length} targets answered once${gone.length === 0 ? "" : `, ${gone.length} that are gone`}`,
    details: [...faults, ...warned.map(warning)],
  };
}

/** The sample written comes back as it was sent, exactly once. */
export function sampleReadBack(written: WrittenSample, vector: readonly VectorElement[]): Verdict {
  const [series] = vector;
  if (series === undefined) {
    return { ok: false, seen: "the written sample is not answered yet", details: [] };
  }
  if (vector.length > 1) {
    return {
      ok: false,
      seen: `the written sample is answered ${vector.length} times`,
      details: vector.map(({ labels }) => textOf(labels)),
    };
  }
  const { value } = series.sample;
  return value === written.value
    ? { ok: true, seen: "a sample written is answered as it was sent", details: [] }
    : { ok: false, seen: `wrote ${written.value}, read ${value}`, details: [] };
}

/** All receivers that read a hashring read the same one, and it has the members that the stack's outputs name. */
export function hashringsAgree(readings: readonly HashringReading[], members: readonly RingMember[]): Verdict {
  const silent = readings.filter(({ hash }) => hash === undefined || hash === 0);
  const hashes = countBy(readings.flatMap(({ hash }) => (hash === undefined || hash === 0 ? [] : [String(hash)])));
  const differing = hashes.size > 1 ? readings.map(({ pod, hash }) => `${pod} has hashring ${hash ?? "?"}`) : [];
  const sizes = [...new Set(readings.flatMap(({ nodes }) => (nodes === undefined ? [] : [nodes])))];
  const otherSize = readings.filter(({ nodes }) => nodes !== members.length);
  const details = [
    ...silent.map(({ pod }) => `${pod} tells no hash of its hashring`),
    ...differing,
    ...otherSize.map(({ pod, nodes }) => `${pod} has a hashring of ${nodes ?? "unknown"} members, the stack one of ${members.length}`),
  ];
  return {
    ok: readings.length > 0 && details.length === 0,
    seen:
      hashes.size === 1
        ? `the same on ${readings.length - silent.length} of ${readings.length} receivers, ${sizes.join(" or ")} members`
        : `${hashes.size} hashrings on ${readings.length} receivers`,
    details,
  };
}

/** Replicas of Prometheus scrape the same targets; each is counted once, with its latest scrape by any of them. */
function uniqueTargets(readings: readonly TargetsReading[]): Target[] {
  const unique = new Map<string, Target>();
  for (const target of readings.flatMap(({ targets }) => targets)) {
    const key = identityOf(target.labels);
    unique.set(key, { ...target, lastScrape: Math.max(target.lastScrape, unique.get(key)?.lastScrape ?? 0) });
  }
  return [...unique.values()];
}

function identityOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The names a querier may know a ring member by: its address in the ring, or its pod's. */
function addressesOf(member: RingMember, pods: readonly PodReading[]): string[] {
  const [host = "", port = ""] = splitAddress(member.address);
  const pod = pods.find(({ name }) => name === host.split(".")[0]);
  return [member.address, ...(pod?.ips ?? []).map((ip) => endpoint(ip, Number(port)))];
}

const endpoint = (ip: string, port: number): string => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);

function splitAddress(address: string): [string, string] {
  const colon = address.lastIndexOf(":");
  return [address.slice(0, colon), address.slice(colon + 1)];
}

function countBy(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of [...keys].sort()) {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function listOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
}

function textOf(labels: Labels): string {
  const { job, instance, ...others } = labels;
  return job !== undefined && instance !== undefined
    ? `${job} ${instance}`
    : `{${Object.entries(others)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(", ")}}`;
}
