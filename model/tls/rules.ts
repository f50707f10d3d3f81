import { gatewayEndpoints } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { Problem } from "../values/problem";
import { knowsClientConfig } from "../values/versions";
import { planTls, servesTls } from "./plan";

/** The rules of encryption. Each names the key to change, why, and what would be accepted. */

/** Every problem of `tls`, and of endpoints of other stacks; empty where they can be deployed. */
export function tlsProblems(settings: Settings): Problem[] {
  return [...endpointProblems(settings), ...ownProblems(settings)];
}

function ownProblems(settings: Settings): Problem[] {
  const { tls } = settings;
  if (tls === undefined) return [];
  const { program, secrets } = tls.certificates;
  return [
    ...(tls.generation > 1 && program === undefined
      ? [
          {
            key: "tls.generation",
            value: tls.generation,
            rule: "only the CA of the program itself has generations",
            remedy: 'the key left out, or tls.certificates "program"',
          },
        ]
      : []),
    ...(tls.clients.length > 0 && secrets !== undefined
      ? [
          {
            key: "tls.clients",
            value: tls.clients,
            rule: "where certificates are existing Secrets nobody here can sign one for others",
            remedy: "the key left out, and certificates from whoever made the Secrets",
          },
        ]
      : []),
    ...(tls.stage === "senders" && receiveOf(settings) === undefined
      ? [
          {
            key: "tls.stage",
            value: tls.stage,
            rule: "in the sidecar scheme nobody writes, so that there is no step of writers alone",
            remedy: '"everywhere"',
          },
        ]
      : []),
    ...missingSecrets(settings),
    ...strangers(settings),
  ];
}

/** Components for which no existing Secret is named. */
function missingSecrets(settings: Settings): Problem[] {
  const secrets = settings.tls?.certificates.secrets;
  if (secrets === undefined || secrets.all !== undefined) return [];
  return (planTls(settings)?.leaves ?? [])
    .filter(({ key }) => secrets[key] === undefined)
    .map(({ key, component }) => ({
      key: `tls.certificates.secrets.${key}`,
      value: undefined,
      rule: `${component} has no certificate`,
      remedy: "the name of a Secret, or one for all in tls.certificates.secrets.all",
    }));
}

/** Others who may connect, and can't, since nobody but this stack has a certificate of the program's CA. */
function strangers(settings: Settings): Problem[] {
  const { tls, access } = settings;
  if (tls?.certificates.program === undefined || tls.clients.length > 0) return [];
  // Senders that a gateway takes show it who they are by tokens and certificates of their own.
  const written = receiveOf(settings) !== undefined && !gatewayEndpoints(settings).includes("write");
  const lists = written ? (["senders", "federation"] as const) : (["federation"] as const);
  return lists
    .filter((list) => (access[list]?.length ?? 0) > 0)
    .map((list) => ({
      key: `access.${list}`,
      value: access[list],
      rule: "with tls they need a certificate, and the program's CA has signed none for others (tls.clients)",
      remedy: "a name for each of them in tls.clients, or []",
    }));
}

const LOOKED_UP = /^dns(?:srv|srvnoa)?\+/;

/** Endpoints of other stacks that Thanos could not speak to as is meant. */
function endpointProblems(settings: Settings): Problem[] {
  const { querier, images } = settings;
  const known = knowsClientConfig(images.thanos);
  return querier.endpoints.flatMap(({ address, tls }, index): Problem[] => {
    const key = `querier.endpoints[${index}]`;
    if (!known && (tls !== undefined || servesTls(settings))) {
      return [
        {
          key: tls === undefined ? key : `${key}.tls`,
          value: tls === undefined ? address : tls.secret,
          rule: "a querier of Thanos 0.41 speaks to all of its endpoints in one way",
          remedy: "images.thanos of 0.42, or no endpoints of other stacks",
        },
      ];
    }
    if (tls !== undefined && /^dnssrv/.test(address)) {
      return [
        {
          key: `${key}.address`,
          value: address,
          rule: "Thanos 0.42 speaks to addresses of SRV records as to this stack's own, whatever is said of this one (endpointset.go, dynamic endpoints)",
          remedy: "host:port, or dns+host:port of a querier with replicas",
        },
      ];
    }
    if (tls === undefined && servesTls(settings) && LOOKED_UP.test(address)) {
      return [
        {
          key,
          value: address,
          rule:
            "with tls Thanos 0.42 speaks to every address that it looks up with this stack's certificate and CA, which the other side " +
            "does not know (endpointset.go, dynamic endpoints)",
          remedy: "host:port, which is spoken to in plain text, or a map of keys with address and tls",
        },
      ];
    }
    return [];
  });
}
