import { settingsSchema } from "../model/settings/schema";
import { isNear } from "../model/values/near";
import type { Problem } from "../model/values/problem";
import { isSecretKey } from "./secretKeys";

/** The configuration namespace: every key is `thanos-stack:<key>`. */
export const CONFIG_NAMESPACE = "thanos-stack";

const OF_THIS_FAMILY = "thanos";

/**
 * Keys that are meant for this program and don't reach it, by full key: their namespace is a few letters from its own, or begins with its
 * first word and holds a key that this program has. Other namespaces belong to providers, other programs and environments shared with them.
 */
export function misspeltNamespaces(all: Readonly<Record<string, unknown>>): Problem[] {
  return Object.entries(all).flatMap(([name, value]) => {
    const [namespace = "", key = ""] = name.split(":");
    if (namespace === CONFIG_NAMESPACE) return [];
    const ofFamily = namespace.toLowerCase().startsWith(OF_THIS_FAMILY) && (key in settingsSchema.shape || isSecretKey(key));
    if (!isNear(namespace, CONFIG_NAMESPACE) && !ofFamily) return [];
    return [
      {
        key: name,
        value,
        rule: "no program reads a key of this namespace",
        remedy: `${CONFIG_NAMESPACE}:${key}`,
      },
    ];
  });
}
