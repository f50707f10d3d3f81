import { globsOverlap, isGlob, takesTenant } from "../values/glob";
import type { Problem } from "../values/problem";
import { reservedLabels } from "./externalLabels";
import { gatewayEndpoints } from "./gatewayEndpoints";
import { ACCEPTABLE_RISKS, type ReceiveSettings, type Settings } from "./schema";
import { defaultRingTenants, receiveOf, takenTenants } from "./scheme";

/** The rules of tenants behind a ring. Without a ring nobody writes, and there are none. */

type TenancyRule = (receive: ReceiveSettings, settings: Settings) => Problem[];

const acceptsAny = (settings: Settings): boolean => settings.accepts.includes("any-tenant");

/** Whether anybody but the stack's own Prometheus and rulers may write, and says himself as which tenant. */
const othersMayWrite = (settings: Settings): boolean =>
  !gatewayEndpoints(settings).includes("write") && (settings.access.senders === undefined || settings.access.senders.length > 0);

const tenantsAreNamed: TenancyRule = (_, settings) =>
  !othersMayWrite(settings) || settings.tenancy.tenants !== undefined || acceptsAny(settings)
    ? []
    : [
        {
          key: "tenancy.tenants",
          value: undefined,
          rule: ACCEPTABLE_RISKS["any-tenant"],
          remedy:
            '[] for the default tenant alone, the names of those that others write as, access.senders of [], or "any-tenant" in accepts',
        },
      ];

const listHasAnEffect: TenancyRule = (_, settings) =>
  settings.tenancy.tenants === undefined || !acceptsAny(settings)
    ? []
    : [
        {
          key: "tenancy.tenants",
          value: settings.tenancy.tenants,
          rule: 'with "any-tenant" in accepts a list keeps nobody out',
          remedy: 'one of the two: the list without "any-tenant", or "any-tenant" without the list',
        },
      ];

const tenantsHaveOneRing: TenancyRule = (receive, settings) =>
  (settings.tenancy.tenants ?? []).flatMap((tenant, index) =>
    receive.hashrings.flatMap((ring) => {
      const taken = ring.tenants.find((each) => globsOverlap(each, tenant));
      if (taken === undefined) return [];
      const these = isGlob(tenant) || isGlob(taken) ? `some tenants in common with this (${taken})` : "this tenant";
      return [
        {
          key: `tenancy.tenants[${index}]`,
          value: tenant,
          rule: `these are the default ring's, and ring ${ring.name} has ${these}: the first would get all of it`,
          remedy: "each tenant once",
        },
      ];
    }),
  );

const defaultRingHasTenants: TenancyRule = (_, settings) =>
  defaultRingTenants(settings)?.length === 0
    ? [
        {
          key: "tenancy.defaultTenant",
          value: settings.tenancy.defaultTenant,
          rule: "another ring has this tenant, so that nobody would be left for the default ring, and a ring without tenants takes any",
          remedy: "a tenant that is in no entry of receive.hashrings, or others in tenancy.tenants",
        },
      ]
    : [];

const limitsAreSomebodys: TenancyRule = (receive, settings) => {
  const taken = takenTenants(settings);
  if (taken === undefined) return [];
  return Object.entries(receive.limits.tenants)
    .filter(([tenant]) => !taken.some((each) => takesTenant(each, tenant)))
    .map(([tenant, limits]) => ({
      key: `receive.limits.tenants.${tenant}`,
      value: limits,
      rule: "no ring takes this tenant, so its limits would be nobody's",
      remedy: `one of ${taken.join(", ")}, or this one in tenancy.tenants too`,
    }));
};

const ownTenantIsCounted: TenancyRule = ({ limits }, { tenancy }) => {
  const headSeries = limits.tenants[tenancy.defaultTenant]?.headSeries ?? 0;
  return headSeries === 0
    ? []
    : [
        {
          key: `receive.limits.tenants.${tenancy.defaultTenant}.headSeries`,
          value: headSeries,
          rule: "active series are counted from what this stack's own Prometheus writes as this tenant: once that is refused, the count never falls and every write stays refused",
          remedy: "0 or none, and limits for the tenants of others",
        },
      ];
};

const splitLabelIsNotOurs: TenancyRule = (_, settings) => {
  const { splitLabel } = settings.tenancy;
  const ours = [...reservedLabels(settings), ...Object.keys(settings.prometheus.externalLabels)];
  return splitLabel === undefined || !ours.includes(splitLabel)
    ? []
    : [
        {
          key: "tenancy.splitLabel",
          value: splitLabel,
          rule: "this stack's own Prometheus and rulers put this label on all that they write: its value would be their tenant, and the label would be gone",
          remedy: `a label that is none of ${ours.join(", ")}`,
        },
      ];
};

const RULES: readonly TenancyRule[] = [
  tenantsAreNamed,
  listHasAnEffect,
  tenantsHaveOneRing,
  defaultRingHasTenants,
  limitsAreSomebodys,
  ownTenantIsCounted,
  splitLabelIsNotOurs,
];

/** Every problem of the tenants; empty where each has its ring and strangers have none. */
export function tenancyProblems(settings: Settings): Problem[] {
  const receive = receiveOf(settings);
  return receive === undefined ? [] : RULES.flatMap((rule) => rule(receive, settings));
}
