import { type ComponentName, QUERIER_IDENTITY, RECEIVE_IDENTITY, ROUTER_IDENTITY } from "../kubernetes/identities";
import { GRPC_PORT, REMOTE_WRITE_PORT } from "../kubernetes/ports";
import { gatewayEndpoints, gatewayTenants } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { clientName, gatewayTrustsSenders } from "./plan";

/** Certificates for others by which nobody does what is meant. They may be made ahead of what they are for, so that nothing is refused. */

/** Sentences, each with the key that it is about. */
export const tlsWarnings = (settings: Settings): string[] => [...clientsWithoutAccess(settings), ...sendersOfNoTenant(settings)];

/** Where whoever is in a list of `tls.clients` connects, and the list of `access` that lets him. */
const CONNECTIONS = {
  write: { list: "senders", components: [RECEIVE_IDENTITY, ROUTER_IDENTITY], port: REMOTE_WRITE_PORT, what: "remote-write" },
  query: { list: "federation", components: [QUERIER_IDENTITY], port: GRPC_PORT, what: "ask the queriers" },
} as const;

/** Senders that a gateway takes are none here: an empty list is refused there. */
function clientsWithoutAccess(settings: Settings): string[] {
  const { tls, access, network } = settings;
  const uses = gatewayEndpoints(settings).includes("write") ? (["query"] as const) : (["write", "query"] as const);
  return uses.flatMap((use) => {
    const { list, components, port, what } = CONNECTIONS[use];
    const names: ComponentName[] = components.map(({ component }) => component);
    const isOpen = network.edges.some(
      ({ component, from, ports }) => from !== undefined && names.includes(component) && ports.includes(port),
    );
    if ((tls?.clients[use].length ?? 0) === 0 || access[list]?.length !== 0 || isOpen) return [];
    return [
      `tls.clients.${use} has ${tls?.clients[use].join(", ")}, and access.${list} is []: with a certificate too the network policy lets nobody ` +
        `${what} but the stack's own components`,
    ];
  });
}

/**
 * Names whose common name no tenant of the gateway has. A holder's name alone is another certificate's, which only an issuer of somebody
 * else's can have signed: beside the program's CA that is refused.
 */
function sendersOfNoTenant(settings: Settings): string[] {
  if (settings.tls === undefined || !gatewayTrustsSenders(settings)) return [];
  const owner = (name: string) => gatewayTenants(settings).find(([, { certificates }]) => certificates.includes(name))?.[0];
  return settings.tls.clients.write.flatMap((holder) => {
    const name = clientName(holder);
    const [its, alike] = [owner(name), owner(holder)];
    const other = `gateway.tenants.${alike}.certificates has ${holder}`;
    if (its === undefined)
      return [
        `tls.clients.write has ${holder}, and no tenant of the gateway has ${name}, the common name of that certificate: whoever shows it is answered ` +
          `401${alike === undefined ? "" : `. ${other}, which is another certificate's common name`}`,
      ];
    return alike === undefined || alike === its
      ? []
      : [
          `${other}, and gateway.tenants.${its}.certificates has ${name}, the common name of ${holder} in tls.clients.write: two certificates that are ` +
            "called alike write as two tenants",
        ];
  });
}
