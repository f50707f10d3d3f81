import type { GatewaySettings } from "./gateway";
import type { Settings } from "./schema";
import { receiveOf } from "./scheme";

/** Which endpoints the gateway has. */

/** An endpoint of the gateway. */
export type Endpoint = "write" | "query";

/** The tenants that write through the gateway, by name; none in the sidecar scheme, where nobody writes. */
export function gatewayTenants(settings: Settings): [string, GatewaySettings["tenants"][string]][] {
  return receiveOf(settings) === undefined ? [] : sorted(settings.gateway?.tenants);
}

/** The readers that query through the gateway, by name. */
export const gatewayReaders = ({ gateway }: Pick<Settings, "gateway">): [string, GatewaySettings["readers"][string]][] =>
  sorted(gateway?.readers);

/** Whether a reader sees some tenants only, and so goes through prom-label-proxy. */
export const holdsReaders = (settings: Pick<Settings, "gateway">): boolean =>
  gatewayReaders(settings).some(([, { tenants }]) => tenants !== "all");

/** Names are written in one order, whatever the stack file's is: another order would restart every gateway. */
const sorted = <Value>(map: Record<string, Value> = {}): [string, Value][] =>
  Object.entries(map).sort(([left], [right]) => (left < right ? -1 : 1));

/** The endpoints of the gateway; none without one. */
export function gatewayEndpoints(settings: Settings): Endpoint[] {
  return [
    ...(gatewayTenants(settings).length > 0 ? (["write"] as const) : []),
    ...(gatewayReaders(settings).length > 0 ? (["query"] as const) : []),
  ];
}
