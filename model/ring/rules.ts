import { hostPathProblems, retentionFitsVolume } from "../kubernetes/storageRules";
import { ACCEPTABLE_RISKS, type AcceptableRisk, type ReceiveSettings, type Settings } from "../settings/schema";
import { LONGEST_STATEFUL_SET_NAME } from "../values/kubernetesNames";
import { JUDGE_ALL, type Problem } from "../values/problem";
import { durationSeconds } from "../values/quantity";
import { DEFAULT_RING, ringSets } from "./hashring";
import { receiveLimitProblems } from "./limitRules";

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

const rings = (receive: ReceiveSettings) => [
  { key: "receive.replicas", name: DEFAULT_RING, replicas: receive.replicas },
  ...receive.hashrings.map((ring, index) => ({ key: `receive.hashrings[${index}].replicas`, ...ring })),
];

/** Members of the largest ring. */
const largestRing = (receive: ReceiveSettings): number => Math.max(...rings(receive).map((ring) => ring.replicas));

const ringHoldsEveryCopy: RingRule = (receive) =>
  rings(receive)
    .filter((ring) => ring.replicas < receive.replicationFactor)
    .map((ring) => ({
      key: ring.key,
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
  const { zones } = settings.cluster;
  if (zones.length === 0) return none;
  const uneven = rings(receive)
    .filter((ring) => ring.replicas % zones.length !== 0)
    .map((ring) => ({
      key: ring.key,
      value: ring.replicas,
      rule: `receivers divide evenly over the ${zones.length} zones of cluster.zones: at 2/2/1 the lone one holds 1.67 times the mean`,
      remedy: `a multiple of ${zones.length}`,
    }));
  const tooFew: Problem[] =
    zones.length > 1 && zones.length < receive.replicationFactor
      ? [
          {
            key: "cluster.zones",
            value: zones,
            rule: `with fewer zones than replicas (${receive.replicationFactor}) a lost zone takes several replicas of a series`,
            remedy: `${receive.replicationFactor} zones, or none`,
          },
        ]
      : none;
  return [...uneven, ...tooFew];
};

const tenantsHaveOneRing: RingRule = (receive) => {
  const names = rings(receive).map((ring) => ring.name);
  const tenants = receive.hashrings.flatMap((ring) => ring.tenants);
  return receive.hashrings.flatMap((ring, index) => [
    ...(names.filter((name) => name === ring.name).length > 1
      ? [
          {
            key: `receive.hashrings[${index}].name`,
            value: ring.name,
            rule: "every ring has a name of its own",
            remedy: "a name that no other ring has",
          },
        ]
      : none),
    ...ring.tenants
      .filter((tenant) => tenants.filter((other) => other === tenant).length > 1)
      .map((tenant) => ({
        key: `receive.hashrings[${index}].tenants`,
        value: tenant,
        rule: "a tenant belongs to one ring: the first would get all of it",
        remedy: "each tenant once",
      })),
  ]);
};

const copiesAreOnDifferentNodes: RingRule = (receive, settings) => {
  if (receive.replicationFactor > 1 && receive.antiAffinity === "soft") {
    return unlessAccepted(settings, "replicas-on-one-node", {
      key: "receive.antiAffinity",
      value: "soft",
      remedy: '"hard"',
    });
  }
  return none;
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
  const names = rings(receive).flatMap((ring, index) =>
    ringSets(ring.name, settings.cluster.zones).map(({ name }) => ({
      key: index === 0 ? "cluster.zones" : `receive.hashrings[${index - 1}].name`,
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

const receiversKeepLessThanTheirVolume: RingRule = (receive) => retentionFitsVolume("receive", receive);

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

const hostPathHasNodesAndNoZones: RingRule = (receive, settings) => [
  ...hostPathProblems({ key: "receive", storage: receive.storage, antiAffinity: receive.antiAffinity, pods: largestRing(receive) }),
  ...(receive.storage.hostPath !== undefined && settings.cluster.zones.length > 0
    ? [
        {
          key: "receive.storage.hostPath",
          value: receive.storage.hostPath,
          rule: "hostPath pins receivers to named nodes, which says nothing of zones",
          remedy: "receive.storage.pvc, or no cluster.zones",
        },
      ]
    : none),
];

const RULES: readonly RingRule[] = [
  receiversKeepLessThanTheirVolume,
  ringHoldsEveryCopy,
  replicationFactorIsSafe,
  zonesDivideReplicas,
  tenantsHaveOneRing,
  copiesAreOnDifferentNodes,
  hostPathHasNodesAndNoZones,
  outOfOrderWindowCoversAnOutage,
  receiverSetsHaveNames,
  terminationFits,
  receiveLimitProblems,
];

/** Every problem of the ring's settings; empty where the ring can be deployed. */
export function ringProblemsOf(receive: ReceiveSettings, settings: Settings, judge = JUDGE_ALL): Problem[] {
  return RULES.flatMap((rule) => judge(() => rule(receive, settings)));
}
