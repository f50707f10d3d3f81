import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { TlsSettings } from "../settings/tls";
import type { Problem } from "../values/problem";
import { knowsClientConfig } from "../values/versions";
import { clientProblems } from "./clientRules";
import { planTls, servesTls } from "./plan";

/** The rules of encryption. Each names the key to change, why, and what would be accepted. */

/** Every problem of `tls`, and of endpoints of other stacks; empty where they can be deployed. */
export function tlsProblems(settings: Settings): Problem[] {
  return [...endpointProblems(settings), ...ownProblems(settings)];
}

function ownProblems(settings: Settings): Problem[] {
  const { tls } = settings;
  if (tls === undefined) return [];
  return [
    ...generationProblems(tls),
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
    ...clientProblems(settings),
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

/** Only the program's CAs have generations. */
function generationProblems({ generation, clients, certificates }: TlsSettings): Problem[] {
  if (certificates.program !== undefined) return [];
  return [
    { key: "tls.generation", value: generation, whose: "CA" },
    { key: "tls.clients.generation", value: clients.generation, whose: "CAs" },
  ].flatMap(({ key, value, whose }) =>
    value === 1
      ? []
      : [
          {
            key,
            value,
            rule: `only the ${whose} of the program itself ${whose === "CA" ? "has" : "have"} generations`,
            remedy: 'the key left out, or tls.certificates "program"',
          },
        ],
  );
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
