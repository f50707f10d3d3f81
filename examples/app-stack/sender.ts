import { type ReceiveOutputs, takesTenant } from "../../outputs";

/**
 * Who sends: what tells the samples of one application stack from everyone else's. Two senders of one identity would write into the same
 * series, each overwriting or rejecting the other's samples, and nobody would be told. Pure.
 */
export interface Sender {
  /** The platform's stack, as `organization/project/stack`. */
  platform: string;
  tenant: string;
  /** External labels without the one that tells replicas apart. */
  externalLabels: Record<string, string>;
}

/** External label that names the application. */
export const APP_LABEL = "app";
/** External label that tells an application's agents apart; the querier removes it. */
export const REPLICA_LABEL = "prometheus_replica";

/** The part of the configuration that decides about the identity. */
export interface SenderChoice {
  platform: string;
  app: string;
  tenant: string;
  externalLabels: Record<string, string>;
}

/**
 * The identity under which a stack sends to a platform. The external label that names the cluster is the platform's, with its value, so
 * that its dashboards and rules find the application's series too.
 *
 * @throws {Error} naming every choice that the platform doesn't allow
 */
export function senderOf(choice: SenderChoice, platform: ReceiveOutputs): Sender {
  const { clusterLabel } = platform;
  const cluster = platform.externalLabels[clusterLabel];
  const problems: string[] = [];
  if (cluster === undefined)
    problems.push(`the platform ${choice.platform} has no external label ${clusterLabel} that could be taken over`);
  if (!platform.replicaLabels.includes(REPLICA_LABEL)) {
    problems.push(
      `the platform's querier doesn't remove ${REPLICA_LABEL} (it removes ${platform.replicaLabels.join(", ")}): every restart under another name would be a new series`,
    );
  }
  if (choice.tenant === platform.defaultTenant) {
    problems.push(`tenant: ${choice.tenant} is the tenant of senders that name none, the platform itself among them; take one of your own`);
  }
  if (platform.tenants !== undefined && !takesTenant(platform.tenants, choice.tenant)) {
    problems.push(
      `tenant: ${choice.platform} takes ${platform.tenants.join(", ")} and not ${choice.tenant}: name one of them, or let the platform name yours in its tenancy.tenants`,
    );
  }
  for (const name of [clusterLabel, APP_LABEL, ...platform.replicaLabels]) {
    if (name in choice.externalLabels) {
      problems.push(
        `externalLabels.${name}: ${name} is ${name === APP_LABEL ? "the application's name" : "set by the platform or the agent"}`,
      );
    }
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return {
    platform: choice.platform,
    tenant: choice.tenant,
    externalLabels: { ...choice.externalLabels, [clusterLabel]: cluster ?? "", [APP_LABEL]: choice.app },
  };
}

/** Whether samples of the two end in the same series. */
export function clash(one: Sender, other: Sender): boolean {
  return (
    one.platform === other.platform && one.tenant === other.tenant && canonical(one.externalLabels) === canonical(other.externalLabels)
  );
}

/**
 * Refuses an identity that another stack already has.
 *
 * @param peers the identities of the other stacks, by stack
 * @throws {Error} naming every stack of the same identity
 */
export function refuseClash(sender: Sender, peers: ReadonlyMap<string, Sender>): void {
  const same = [...peers].filter(([, peer]) => clash(sender, peer)).map(([stack]) => stack);
  if (same.length === 0) return;
  const labels = Object.entries(sender.externalLabels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  throw new Error(
    `${same.join(" and ")} already send${same.length === 1 ? "s" : ""} to ${sender.platform} as tenant ${sender.tenant} with external labels ` +
      `{${labels.join(", ")}}: samples of both would end in the same series. Change tenant, app or externalLabels`,
  );
}

/**
 * The identity that a stack exports as output `sender`. Fields that a later version adds are ignored.
 *
 * @throws {Error} when it is something else
 */
export function readSender(stack: string, value: unknown): Sender {
  const { platform, tenant, externalLabels } = (value ?? {}) as Record<string, unknown>;
  const isLabels =
    typeof externalLabels === "object" &&
    externalLabels !== null &&
    Object.values(externalLabels).every((each) => typeof each === "string");
  if (typeof platform !== "string" || typeof tenant !== "string" || !isLabels) {
    throw new Error(`${stack}: its output sender is no { platform, tenant, externalLabels }: ${JSON.stringify(value)}`);
  }
  return { platform, tenant, externalLabels: externalLabels as Record<string, string> };
}

function canonical(labels: Record<string, string>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
