import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { ClientUse, TlsSettings } from "../settings/tls";
import type { Problem } from "../values/problem";
import { knowsClientConfig } from "../values/versions";
import { plainCacheProblems } from "./cacheRules";
import { clientProblems } from "./clientRules";
import { leafSecretName, planTls, servesTls } from "./plan";

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
    ...madeSecrets(settings),
    ...clientProblems(settings),
    ...plainCacheProblems(settings),
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

/**
 * Secrets of somebody else by a name that cert-manager fills for this stack: two would write one Secret, or the stack's own certificate
 * would be shown to strangers, and its CA trusted with them.
 */
function madeSecrets(settings: Settings): Problem[] {
  const plan = planTls(settings);
  if (plan === undefined || plan.settings.certificates.certManager === undefined) return [];
  const { gateway, expose } = settings;
  const own = plan.leaves.map(leafSecretName);
  const others = (use?: ClientUse) => plan.clients.filter((leaf) => use === undefined || leaf.use === use).map(leafSecretName);
  const shown = "its certificate is for connections of the stack's components, and for no name by which the gateway is reached";
  const trusted =
    "whoever holds a certificate of the CA that is in it is let in elsewhere: the stack's own writes as any tenant, a querier's reads";
  const named: [string, string | undefined, string[], string][] = [
    ["gateway.certificate.secret", gateway?.certificate.secret, [...own, ...others()], shown],
    ...(["write", "query"] as const).map((endpoint): [string, string | undefined, string[], string] => [
      `expose.${endpoint}.ingress.certificate.secret`,
      expose[endpoint]?.ingress?.certificate?.secret,
      [...own, ...others()],
      shown,
    ]),
    ["gateway.senderAuthority.secret", gateway?.senderAuthority?.secret, [...own, ...others("query")], trusted],
  ];
  return named.flatMap(([key, value, names, rule]): Problem[] =>
    value === undefined || !names.includes(value)
      ? []
      : [
          {
            key,
            value,
            isPublic: true,
            rule: `tls.certificates.certManager makes this Secret for the stack: ${rule}`,
            remedy: `the name of another Secret, such as ${key === "gateway.senderAuthority.secret" ? "senders-ca" : "gateway-shown-tls"}`,
          },
        ],
  );
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
