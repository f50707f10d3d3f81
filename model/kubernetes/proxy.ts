import type { Settings } from "../settings/schema";
import { serverOf, splitHost } from "../values/hosts";
import { alone, isWithin } from "../values/ipNetwork";

/**
 * The proxy for what goes outside by HTTP, as variables of the containers that do.
 *
 * What takes it from them: objstore's clients and the SDKs of clouds (thanos v0.42.4 pkg/exthttp/transport.go; aws-sdk-go-v2
 * aws/transport/http/client.go), discovery in the API server (client-go v0.36 transport/cache.go), and whatever Prometheus is told to
 * (`proxy_from_environment`). gRPC takes it too, by the address that it is given (grpc-go v1.82 internal/resolver/delegatingresolver):
 * receivers, the only ones of these that ask others by gRPC, name their peers in the cluster's domain. Rulers ask queriers, and
 * Alertmanagers, by clients that know no environment (thanos pkg/clientconfig/http.go).
 */

/**
 * Hosts and networks that are never reached through the proxy. The kubelet knows the API server's address, and puts it in place of the
 * variable.
 */
const always = ({ cluster }: Pick<Settings, "cluster">): string[] => [
  `.${cluster.domain}`,
  ".svc",
  "$(KUBERNETES_SERVICE_HOST)",
  "169.254.0.0/16",
  "fd00:ec2::/32",
  "metadata.google.internal",
];

const VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] as const;
/** Whether a variable is one of the proxy's, however it is written. */
export const isProxyVariable = (name: string): boolean => VARIABLES.some((each) => each === name.toUpperCase());

/** Variables of a container that goes outside by HTTP; empty without a proxy. */
export function proxyEnv({ network: { proxy }, cluster }: Pick<Settings, "network" | "cluster">): { name: string; value: string }[] {
  if (proxy === undefined) return [];
  const noProxy = [...new Set([...always({ cluster }), ...proxy.noProxy])].join(",");
  return VARIABLES.map((name) => ({ name, value: name === "NO_PROXY" ? noProxy : proxy.url }));
}

/** Whether the bucket is reached by HTTP. */
export const hasBucketServer = ({ objectStorage }: Pick<Settings, "objectStorage">): boolean =>
  objectStorage !== undefined && objectStorage.filesystem === undefined;

/** Variables of a container that uses the bucket. */
export const bucketProxyEnv = (settings: Settings): { name: string; value: string }[] =>
  hasBucketServer(settings) ? proxyEnv(settings) : [];

/**
 * Whether a server is reached through the proxy, as Go decides it (golang.org/x/net http/httpproxy `useProxy`).
 *
 * @param host A name, an IPv4 address, or an IPv6 address in brackets.
 */
export function goesThroughProxy(settings: Pick<Settings, "network" | "cluster">, host: string): boolean {
  const { proxy } = settings.network;
  if (proxy === undefined) return false;
  const inBrackets = /^\[(.*)\]$/.exec(host)?.[1];
  // An address has many spellings in IPv6, of which URLs have one.
  const address = inBrackets === undefined ? host : new URL(`http://[${inBrackets}]`).hostname.slice(1, -1);
  const name = host.toLowerCase();
  if (name === "localhost" || isWithin(address, "127.0.0.0/8") || address === "::1") return false;
  const isAddress = alone(address) !== undefined;
  return ![...always(settings), ...proxy.noProxy].some((entry) => {
    const domain = entry.toLowerCase();
    if (entry.includes("/") || alone(entry) !== undefined) return isWithin(address, alone(entry) ?? entry);
    return !isAddress && (name.endsWith(domain.startsWith(".") ? domain : `.${domain}`) || name === domain);
  });
}

/** Whether a URL is reached through the proxy. */
export const urlGoesThroughProxy = (settings: Pick<Settings, "network" | "cluster">, url: string): boolean =>
  goesThroughProxy(settings, splitHost(serverOf(url).server).host);
