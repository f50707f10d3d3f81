import { stringify } from "yaml";
import type { Settings } from "../settings/schema";
import { grpcClientConfig } from "../tls/flags";
import { servesTls, tlsServerName } from "../tls/plan";
import { once } from "../values/once";
import { knowsClientConfig } from "../values/versions";

/** The querier's file of endpoints. Source: thanos v0.42.4 cmd/thanos/endpointset.go. */

/** Where the certificates for other stacks are mounted, each in a directory of its own. */
export const ENDPOINT_TLS_DIRECTORY = "/etc/thanos/endpoint-tls";
/** Name of their volume. */
export const ENDPOINT_TLS_VOLUME = "endpoint-tls";

/** Secrets with certificates for other stacks, each once. */
export const endpointSecrets = ({ querier }: Pick<Settings, "querier">): string[] => [
  ...new Set(querier.endpoints.flatMap(({ tls }) => (tls === undefined ? [] : [tls.secret]))),
];

const PLAIN = { client_config: { tls_config: { enabled: false } } };

/**
 * Text of the file. The stack's own stores are looked up one by one, and of those Thanos knows one client configuration, the default.
 * Whoever is spoken to in another way is an address alone, or a group: Thanos hands a group's name to gRPC, which asks one of the addresses
 * behind it at a time.
 *
 * @param stores SRV records of the stack's own stores.
 */
export const endpointsFile = once(fileText);

function fileText(settings: Settings, stores: readonly string[]): string {
  const encrypted = servesTls(settings) && knowsClientConfig(settings.images.thanos);
  const others = settings.querier.endpoints.map(({ address, tls }) => {
    if (tls === undefined) return encrypted ? { address, ...PLAIN } : { address };
    const client_config = grpcClientConfig(tls.serverName, `${ENDPOINT_TLS_DIRECTORY}/${tls.secret}`);
    return address.startsWith("dns+") ? { address, group: true, client_config } : { address, client_config };
  });
  return stringify({
    ...(encrypted ? { default_client_config: grpcClientConfig(tlsServerName(settings)) } : {}),
    endpoints: [...stores.map((address) => ({ address })), ...others],
  });
}
