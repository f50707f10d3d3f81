import { serverOf } from "../values/hosts";
import type { Settings } from "./schema";

/** Where people open what an environment publishes: a proxy in front of it takes the path away, and components serve at the root. */

/** Where people query: at the query frontend's address, or else the queriers'; undefined where nobody says one. */
export const externalQueryUrl = ({ querier, queryFrontend }: Settings): string | undefined =>
  queryFrontend?.externalUrl ?? querier.externalUrl;

/**
 * Flags by which a Thanos component writes links with the path of its external URL, and still serves at the root. The querier's
 * `--web.route-prefix` would be its `--web.external-prefix` (thanos v0.42.4 cmd/thanos/query.go).
 */
export function prefixFlags(externalUrl: string | undefined): string[] {
  const path = externalUrl === undefined ? "" : serverOf(externalUrl).path;
  return path === "" ? [] : [`--web.external-prefix=${path}`, "--web.route-prefix=/"];
}
