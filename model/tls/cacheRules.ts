import { runningComponents } from "../kubernetes/components";
import { ACCEPTABLE_RISKS, type Settings } from "../settings/schema";
import type { Problem } from "../values/problem";

/**
 * memcached beside `tls`. Source: thanos v0.42.4 pkg/cacheutil/memcached_client.go, which knows no TLS. The loopback is no way around: pods
 * share caches, and each would need one of its own.
 */

/** Every cache of memcached in an environment that encrypts, unless it accepts that by name. */
export function plainCacheProblems(settings: Settings): Problem[] {
  if (settings.tls === undefined || settings.accepts.includes("plain-caches")) return [];
  const accepted = 'or "plain-caches" in accepts, where the network itself encrypts (WireGuard, IPsec) or its nodes are trusted';
  return runningComponents(settings)
    .filter(({ program }) => program === "memcached")
    .map(({ key, name }) => ({
      key: key.replace(/\.memcached$/, ""),
      value: "memcached",
      rule: ACCEPTABLE_RISKS["plain-caches"],
      remedy: `${name === "query-cache" ? "no queryFrontend" : "inMemory"}, ${accepted}`,
    }));
}
