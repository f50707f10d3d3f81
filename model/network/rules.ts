import { isEverybody } from "../settings/access";
import { gatewayEndpoints } from "../settings/gatewayEndpoints";
import { ACCEPTABLE_RISKS, type Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { Problem } from "../values/problem";

/** The endpoints that others can use in an environment, by key; in the sidecar scheme nobody writes. */
export function endpointsOf(settings: Settings): ("senders" | "readers" | "federation")[] {
  return [...(receiveOf(settings) === undefined ? [] : (["senders"] as const)), "readers", "federation"];
}

/** The endpoints that nobody reaches without a credential. */
function guardedDoors(settings: Settings): ("senders" | "readers" | "federation")[] {
  const endpoints = gatewayEndpoints(settings);
  return [...(endpoints.includes("write") ? (["senders"] as const) : []), ...(endpoints.includes("query") ? (["readers"] as const) : [])];
}

/** Every endpoint that is open to the whole cluster, unless the environment accepts that by name. */
export function accessProblems(settings: Settings): Problem[] {
  if (settings.accepts.includes("open-doors")) return [];
  const guarded = guardedDoors(settings);
  const open = endpointsOf(settings).filter((endpoint) => !guarded.includes(endpoint));
  return open.flatMap((endpoint): Problem[] => {
    const entries = settings.access[endpoint];
    const remedy = 'or "open-doors" in accepts';
    if (entries === undefined) {
      return [
        {
          key: `access.${endpoint}`,
          value: undefined,
          rule: ACCEPTABLE_RISKS["open-doors"],
          remedy: `a list of namespaces and networks, [] for this stack's own components alone, ${remedy}`,
        },
      ];
    }
    return entries.flatMap((entry, index) =>
      isEverybody(entry)
        ? [
            {
              key: `access.${endpoint}[${index}]`,
              value: entry,
              rule: ACCEPTABLE_RISKS["open-doors"],
              remedy: `narrower networks, ${remedy}`,
            },
          ]
        : [],
    );
  });
}
