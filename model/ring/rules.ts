import { hostPathProblems, retentionFitsVolume } from "../kubernetes/storageRules";
import { type RingSettings, ringsOf } from "../settings/rings";
import { ACCEPTABLE_RISKS, type AcceptableRisk, type ReceiveSettings, type Settings } from "../settings/schema";
import { globsOverlap, isGlob, takesTenant } from "../values/glob";
import { LONGEST_STATEFUL_SET_NAME } from "../values/kubernetesNames";
import { JUDGE_ALL, type Problem } from "../values/problem";
import { cpuCores, durationSeconds } from "../values/quantity";
import { ringSets } from "./hashring";
import { receiveLimitProblems } from "./limitRules";
import { shardingProblems } from "./shardRules";

/** The rules of a ring of receivers. Each names the key to change, why, and what would be accepted. */

type RingRule = (receive: ReceiveSettings, settings: Settings) => Problem[];

const none: Problem[] = [];

/** A rule that holds unless the environment accepts the risk by name. */
function unlessAccepted(
  settings: Settings,
  risk: AcceptableRisk,
  problem: Omit<Problem, "rule" | "remedy"> & { remedy: string },
): Problem[] {
  if (settings.accepts.includes(risk)) return none;
  return [{ ...problem, rule: ACCEPTABLE_RISKS[risk], remedy: `${problem.remedy}, or "${risk}" in accepts` }];
}

/** The default ring, and then those of tenants of their own. */
function rings(receive: ReceiveSettings, settings: Settings): RingSettings[] {
  const all = ringsOf(receive, settings);
  return [...all.slice(-1), ...all.slice(0, -1)];
}

const ringHoldsEveryCopy: RingRule = (receive, settings) =>
  rings(receive, settings)
    .filter((ring) => ring.replicas < receive.replicationFactor)
    .map((ring) => ({
      key: `${ring.key}.replicas`,
      value: ring.replicas,
      rule: `a ring needs as many receivers as replicas (replication factor ${receive.replicationFactor}), or every receiver exits`,
      remedy: `at least ${receive.replicationFactor}, or a smaller receive.replicationFactor`,
    }));

const replicationFactorIsSafe: RingRule = (receive, settings) => {
  const { replicationFactor } = receive;
  const problem = { key: "receive.replicationFactor", value: replicationFactor, remedy: "3" };
  if (replicationFactor === 1) return unlessAccepted(settings, "data-loss", problem);
  if (replicationFactor === 2) return unlessAccepted(settings, "one-copy-acknowledgement", problem);
  if (replicationFactor === 4)
    return [{ ...problem, rule: "4 replicas survive no more lost receivers than 3 (quorum 3 of 4)", remedy: "3 or 5" }];
  return none;
};

const zonesDivideReplicas: RingRule = (receive, settings) => {
  const own = receive.hashrings.flatMap(({ zones }, index) =>
    zones === undefined ? [] : [{ key: `receive.hashrings[${index}].zones`, zones }],
  );
  const all = [{ key: "cluster.zones", zones: settings.cluster.zones }, ...own];
  const unknown = own.flatMap(({ key, zones }) =>
    zones
      .filter((zone) => !settings.cluster.zones.includes(zone))
      .map((zone) => ({
        key,
        value: zone,
        rule: "a ring's zones are some of those of cluster.zones, over which everything else is spread",
        remedy: settings.cluster.zones.length === 0 ? "none, or cluster.zones" : `some of ${settings.cluster.zones.join(", ")}, or []`,
      })),
  );
  const uneven = rings(receive, settings)
    .filter((ring) => ring.zones.length > 0 && ring.replicas % ring.zones.length !== 0)
    .map((ring) => ({
      key: `${ring.key}.replicas`,
      value: ring.replicas,
      rule: `receivers divide evenly over the ${ring.zones.length} zones of ${ring.zones === settings.cluster.zones ? "cluster.zones" : `${ring.key}.zones`}: at 2/2/1 the lone one holds 1.67 times the mean`,
      remedy: `a multiple of ${ring.zones.length}`,
    }));
  const tooFew = all
    .filter(({ zones }) => zones.length > 1 && zones.length < receive.replicationFactor)
    .map(({ key, zones }) => ({
      key,
      value: zones,
      rule: `with fewer zones than replicas (${receive.replicationFactor}) a lost zone takes several replicas of a series`,
      remedy: `${receive.replicationFactor} zones, or none`,
    }));
  return [...unknown, ...uneven, ...tooFew];
};

const ringsHaveNames: RingRule = (receive, settings) => {
  const names = rings(receive, settings).map((ring) => ring.name);
  return receive.hashrings
    .map(({ name }, index) => ({ key: `receive.hashrings[${index}].name`, value: name }))
    .filter(({ value }) => names.filter((name) => name === value).length > 1)
    .map((problem) => ({ ...problem, rule: "every ring has a name of its own", remedy: "a name that no other ring has" }));
};

const tenantsHaveOneRing: RingRule = (receive, { tenancy: { defaultTenant } }) => {
  const all = receive.hashrings.flatMap(({ tenants }, ring) => tenants.map((tenant) => ({ ring, tenant })));
  return all.flatMap(({ ring, tenant }, index) => {
    const problem = { key: `receive.hashrings[${ring}].tenants`, value: tenant };
    const others = all.filter((_, other) => other !== index);
    if (others.some((other) => other.tenant === tenant))
      return [{ ...problem, rule: "a tenant belongs to one ring: the first would get all of it", remedy: "each tenant once" }];
    if (!isGlob(tenant)) return none;
    const taken = others.find((other) => other.ring !== ring && globsOverlap(other.tenant, tenant));
    if (taken !== undefined) {
      const whose = `receive.hashrings[${taken.ring}]`;
      return [
        {
          ...problem,
          rule: `a tenant belongs to one ring, and this pattern and ${taken.tenant} of ${whose} take some in common: the first ring would get all of these`,
          remedy: `patterns and names that have no tenant in common with ${taken.tenant}`,
        },
      ];
    }
    return takesTenant(tenant, defaultTenant) && !receive.hashrings[ring]?.tenants.includes(defaultTenant)
      ? [
          {
            ...problem,
            rule: `this pattern takes ${defaultTenant} (tenancy.defaultTenant) from the default ring, as which this stack's own Prometheus and rulers write`,
            remedy: `a pattern that does not take ${defaultTenant}, or its name beside it where it is meant for this ring`,
          },
        ]
      : none;
  });
};

const replicasAreOnDifferentNodes: RingRule = (receive, settings) => {
  if (receive.replicationFactor === 1) return none;
  const soft = rings(receive, settings).filter(({ antiAffinity }) => antiAffinity === "soft");
  return [...new Set(soft.map((ring) => ring.keyOf("antiAffinity")))].flatMap((key) =>
    unlessAccepted(settings, "replicas-on-one-node", { key, value: "soft", remedy: '"hard"' }),
  );
};

const outOfOrderWindowCoversAnOutage: RingRule = (receive) =>
  durationSeconds(receive.outOfOrderWindow) >= 2 * 3_600
    ? none
    : [
        {
          key: "receive.outOfOrderWindow",
          value: receive.outOfOrderWindow,
          rule: "a sender that was cut off for an hour is answered 409 and drops what its log still holds (up to 2h)",
          remedy: "2h or more",
        },
      ];

const receiverSetsHaveNames: RingRule = (receive, settings) => {
  const names = rings(receive, settings).flatMap((ring, index) =>
    ringSets(ring.name, ring.zones).map(({ name }) => ({
      key: index === 0 ? "cluster.zones" : `${ring.key}.name`,
      ring: ring.name,
      name,
    })),
  );
  return names.flatMap(({ key, ring, name }) => {
    if (name.length > LONGEST_STATEFUL_SET_NAME) {
      return [
        {
          key,
          value: name,
          rule: `the name of a StatefulSet has at most ${LONGEST_STATEFUL_SET_NAME} characters, or none of its pods starts`,
          remedy: `a name that is ${name.length - LONGEST_STATEFUL_SET_NAME} characters shorter`,
        },
      ];
    }
    const first = names.find((other) => other.name === name);
    return first?.ring === ring
      ? none
      : [
          {
            key,
            value: name,
            rule: "ring and zone make the name of a StatefulSet, and another one has this name",
            remedy: "another name of the ring",
          },
        ];
  });
};

/** The least that is left for the flush of an almost empty head. */
const LEAST_FLUSH_SECONDS = 20;

/** Rings that say something of this themselves, and the default ring: those that say nothing are as it. */
const deciding = (receive: ReceiveSettings, settings: Settings, ...parts: Parameters<RingSettings["keyOf"]>[0][]): RingSettings[] =>
  rings(receive, settings).filter((ring) => ring.key === "receive" || parts.some((part) => ring.keyOf(part).startsWith(ring.key)));

const receiversKeepLessThanTheirVolume: RingRule = (receive, settings) =>
  deciding(receive, settings, "storage", "retention").flatMap((ring) => retentionFitsVolume(ring.key, ring));

const limitIsAboveRequest: RingRule = (receive, settings) =>
  deciding(receive, settings, "resources")
    .filter(({ key, resources: { cpu, cpuLimit } }) => key !== "receive" && cpuLimit !== undefined && cpuCores(cpuLimit) < cpuCores(cpu))
    .map(({ key, resources: { cpu, cpuLimit } }) => ({
      key: `${key}.resources.cpuLimit`,
      value: cpuLimit,
      rule: `Kubernetes refuses a limit below what is reserved (cpu ${cpu}; what ${key}.resources leaves out is that of receive.resources)`,
      remedy: `${cpu} or more`,
    }));

const terminationFits: RingRule = ({ rollout }) =>
  rollout.gracePeriodSeconds >= rollout.preStopSeconds + LEAST_FLUSH_SECONDS
    ? none
    : [
        {
          key: "receive.rollout.gracePeriodSeconds",
          value: rollout.gracePeriodSeconds,
          rule: `the pause before the end (receive.rollout.preStopSeconds ${rollout.preStopSeconds}) and the flush of every head happen within it`,
          remedy: `${rollout.preStopSeconds + LEAST_FLUSH_SECONDS} or more`,
        },
      ];

const hostPathHasNodesAndNoZones: RingRule = (receive, settings) => {
  const ofEach = rings(receive, settings).map((ring) => ({
    ring,
    key: ring.keyOf("storage"),
    antiAffinityKey: ring.keyOf("antiAffinity"),
  }));
  // Of rings that have the same from the same keys the largest counts.
  const largest = new Map<string, (typeof ofEach)[number]>();
  for (const each of ofEach) {
    const same = `${each.key} ${each.antiAffinityKey}`;
    if (each.ring.replicas > (largest.get(same)?.ring.replicas ?? 0)) largest.set(same, each);
  }
  const zoned = ofEach.filter(
    ({ ring, key }, index) =>
      ring.zones.length > 0 && ofEach.findIndex((other) => other.key === key && other.ring.zones.length > 0) === index,
  );
  return [
    ...[...largest.values()].flatMap(({ ring: { storage, antiAffinity, replicas }, key, antiAffinityKey }) =>
      hostPathProblems({ key: key.replace(/\.storage$/, ""), antiAffinityKey, storage, antiAffinity, pods: replicas }),
    ),
    ...zoned.flatMap(({ ring: { storage }, key }) =>
      storage.hostPath === undefined
        ? none
        : [
            {
              key: `${key}.hostPath`,
              value: storage.hostPath,
              rule: "hostPath pins receivers to named nodes, which says nothing of zones",
              remedy: `${key}.pvc, or no ${key === "receive.storage" ? "cluster.zones" : "zones of that ring"}`,
            },
          ],
    ),
  ];
};

const RULES: readonly RingRule[] = [
  receiversKeepLessThanTheirVolume,
  ringHoldsEveryCopy,
  replicationFactorIsSafe,
  zonesDivideReplicas,
  ringsHaveNames,
  tenantsHaveOneRing,
  replicasAreOnDifferentNodes,
  hostPathHasNodesAndNoZones,
  outOfOrderWindowCoversAnOutage,
  receiverSetsHaveNames,
  terminationFits,
  limitIsAboveRequest,
  shardingProblems,
  receiveLimitProblems,
];

/** Every problem of the ring's settings; empty where the ring can be deployed. */
export function ringProblemsOf(receive: ReceiveSettings, settings: Settings, judge = JUDGE_ALL): Problem[] {
  return RULES.flatMap((rule) => judge(() => rule(receive, settings)));
}
