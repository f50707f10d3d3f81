import type { X509Certificate } from "node:crypto";
import { gatewayEndpoints, gatewayTenants } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { ClientUse, TlsSettings } from "../settings/tls";
import { certificatesOf } from "../values/certificates";
import type { Problem } from "../values/problem";
import { acceptsClients, CLIENT_USES, clientName, gatewayTrustsSenders, hasClientCa } from "./plan";

/** The rules of certificates for others, and of the CAs that sign them. None of these CAs is another one's. */

type ClientRule = (settings: Settings, tls: TlsSettings) => Problem[];

/** Every problem of certificates for others; empty where they can be signed, and are taken where they connect. */
export function clientProblems(settings: Settings): Problem[] {
  const { tls } = settings;
  return tls === undefined ? [] : RULES.flatMap((rule) => rule(settings, tls));
}

const WHERE: Record<ClientUse, string> = { write: "senders", query: "queriers of other stacks" };

/** A certificate is of one CA. */
const namesAreForOneThing: ClientRule = (_, { clients }) =>
  clients.query
    .filter((name) => clients.write.includes(name))
    .map((name) => ({
      key: "tls.clients.query",
      value: name,
      rule: "tls.clients.write has this name too, and a certificate is for writing or for querying",
      remedy: `another name, such as ${name}-queries`,
    }));

const somebodySigns: ClientRule = (_, { clients, certificates: { certManager, secrets } }) =>
  CLIENT_USES.filter((use) => clients[use].length > 0).flatMap((use): Problem[] => {
    if (secrets !== undefined)
      return [
        {
          key: `tls.clients.${use}`,
          value: clients[use],
          rule: "where certificates are existing Secrets nobody here can sign one for others",
          remedy: `the key left out, certificates from whoever made the Secrets, and tls.certificates.secrets.clients.${use}`,
        },
      ];
    return certManager === undefined || certManager.clients[use] !== undefined
      ? []
      : [
          {
            key: `tls.certificates.certManager.clients.${use}`,
            value: undefined,
            rule: `tls.clients.${use} names ${WHERE[use]}, and no issuer signs for them: what the stack's own has signed may do everything`,
            remedy: "the issuer of another CA, and that CA's certificates (issuer, authority)",
          },
        ];
  });

/** A server has one file with the CAs that it trusts. */
const ownAuthorityIsKnown: ClientRule = (settings, { certificates: { certManager } }) =>
  certManager === undefined || certManager.authority !== undefined || !CLIENT_USES.some((use) => acceptsClients(settings, use))
    ? []
    : [
        {
          key: "tls.certificates.certManager.authority",
          value: undefined,
          rule: "servers that trust another CA beside the stack's have both in one file, which is made of the stack file",
          remedy: "the certificates of the stack's issuer, as PEM: what its Secrets have in ca.crt",
        },
      ];

interface Authority {
  key: string;
  issuer: unknown;
  pem: string | undefined;
}

/** The CAs of cert-manager, by their keys. */
function authoritiesOf({ certificates: { certManager } }: TlsSettings): Authority[] {
  if (certManager === undefined) return [];
  const key = "tls.certificates.certManager";
  return [
    { key, issuer: certManager.issuer, pem: certManager.authority },
    ...CLIENT_USES.flatMap((use) => {
      const given = certManager.clients[use];
      return given === undefined ? [] : [{ key: `${key}.clients.${use}`, issuer: given.issuer, pem: given.authority }];
    }),
  ];
}

const keysIn = (pem: string | undefined): Set<string> =>
  new Set(
    certificatesOf(pem ?? "").map(({ publicKey }: X509Certificate) => publicKey.export({ format: "der", type: "spki" }).toString("base64")),
  );

/** CAs that share an issuer or a key are one: what either signs is trusted as the other's. */
const authoritiesDiffer: ClientRule = (_, tls) => {
  const all = authoritiesOf(tls);
  return all.flatMap((one, index): Problem[] =>
    all.slice(0, index).flatMap((other): Problem[] => {
      const shared = keysIn(other.pem);
      const same = JSON.stringify(one.issuer) === JSON.stringify(other.issuer);
      if (!same && ![...keysIn(one.pem)].some((each) => shared.has(each))) return [];
      const what = same ? "issuer" : "authority";
      return [
        {
          key: `${one.key}.${what}`,
          value: same ? one.issuer : "a certificate of the same CA",
          rule: `${other.key}.${what} is the same CA, so that whoever has a certificate of either may what the other may`,
          remedy: "another CA for each",
        },
      ];
    }),
  );
};

/** A certificate that is no CA's verifies nothing but itself. One CA among several certificates is enough: the others may be in between. */
const authoritiesAreCas: ClientRule = (_, tls) =>
  authoritiesOf(tls)
    .filter(({ pem }) => pem !== undefined && !certificatesOf(pem).some(({ ca }) => ca))
    .map(({ key, pem }) => ({
      key: `${key}.authority`,
      value: certificatesOf(pem ?? "")
        .map(({ subject }) => subject.replaceAll("\n", ", "))
        .join("; "),
      rule: "it is no CA's (basic constraints without CA:TRUE), so that nothing that it has signed would be trusted",
      remedy: "the CA's own certificates: what a Secret of its issuer has in ca.crt, and not in tls.crt",
    }));

const secretsDiffer: ClientRule = (_, { certificates: { secrets } }) => {
  if (secrets === undefined) return [];
  const { clients, ...own } = secrets;
  const taken = new Map(Object.entries(own).map(([key, name]) => [name, `tls.certificates.secrets.${key}`]));
  return CLIENT_USES.flatMap((use) => {
    const name = clients[use];
    const other = name === undefined ? undefined : taken.get(name);
    if (name === undefined) return [];
    taken.set(name, `tls.certificates.secrets.clients.${use}`);
    return other === undefined
      ? []
      : [
          {
            key: `tls.certificates.secrets.clients.${use}`,
            value: name,
            rule: `${other} is this Secret too, so that whoever its CA signs for may what the other may`,
            remedy: "a Secret of its own, with the stack's CA and the one of these clients in ca.crt",
          },
        ];
  });
};

/** Nobody trusts the senders' CA where nobody writes, or where senders come by the gateway and it trusts another one. */
const sendersArrive: ClientRule = (settings, tls) => {
  const { clients, certificates } = tls;
  if (
    clients.write.length === 0 &&
    certificates.secrets?.clients.write === undefined &&
    certificates.certManager?.clients.write === undefined
  )
    return [];
  const key =
    clients.write.length > 0
      ? "tls.clients.write"
      : `tls.certificates.${certificates.secrets === undefined ? "certManager" : "secrets"}.clients.write`;
  const value =
    clients.write.length > 0 ? clients.write : (certificates.secrets?.clients.write ?? certificates.certManager?.clients.write?.issuer);
  if (receiveOf(settings) === undefined)
    return [{ key, value, rule: "in the sidecar scheme nobody writes", remedy: 'the key left out, or ingestion "receive"' }];
  if (!gatewayEndpoints(settings).includes("write") || gatewayTrustsSenders(settings)) return [];
  return [
    {
      key,
      value,
      rule: "senders reach the gateway alone, which trusts no certificate of this CA (gateway.senderAuthority)",
      remedy: certificates.secrets === undefined ? 'gateway.senderAuthority "tls", or the key left out' : "the key left out",
    },
  ];
};

/** The gateway trusts the senders' CA where there is one, and asks for names that it has signed for. */
const gatewayKnowsNames: ClientRule = (settings, tls) => {
  if (!gatewayTrustsSenders(settings)) return [];
  if (tls.certificates.secrets !== undefined)
    return [
      {
        key: "gateway.senderAuthority",
        value: "tls",
        rule: "with existing Secrets tls knows no CA of senders alone",
        remedy: "{ secret: … }, with that CA in ca.crt",
      },
    ];
  if (!hasClientCa(tls, "write"))
    return [
      {
        key: "gateway.senderAuthority",
        value: "tls",
        rule: "there is no CA of senders, since tls.clients.write names nobody",
        remedy: "a name in tls.clients.write, or the key left out",
      },
    ];
  // An issuer may have signed for others by itself.
  if (tls.certificates.program === undefined) return [];
  const known = tls.clients.write.map(clientName);
  return gatewayTenants(settings).flatMap(([tenant, { certificates }]) =>
    certificates
      .filter((name) => !known.includes(name))
      .map((name) => ({
        key: `gateway.tenants.${tenant}.certificates`,
        value: name,
        rule: "the CA of gateway.senderAuthority has signed no certificate of this name",
        remedy: `one of ${known.join(", ")}, or another name in tls.clients.write`,
      })),
  );
};

/** Others who may connect, and can't, since nobody but this stack has a certificate of the program's. */
const strangers: ClientRule = (settings, { clients, certificates }) => {
  if (certificates.program === undefined) return [];
  const { access } = settings;
  // Senders that a gateway takes show it who they are by tokens and certificates of their own.
  const written = receiveOf(settings) !== undefined && !gatewayEndpoints(settings).includes("write");
  const lists = [...(written ? ([["senders", "write"]] as const) : []), ["federation", "query"] as const];
  return lists
    .filter(([list, use]) => (access[list]?.length ?? 0) > 0 && clients[use].length === 0)
    .map(([list, use]) => ({
      key: `access.${list}`,
      value: access[list],
      rule: `with tls they need a certificate, and the program has signed none for ${WHERE[use]} (tls.clients.${use})`,
      remedy: `a name for each of them in tls.clients.${use}, or []`,
    }));
};

const RULES: readonly ClientRule[] = [
  namesAreForOneThing,
  somebodySigns,
  ownAuthorityIsKnown,
  authoritiesAreCas,
  authoritiesDiffer,
  secretsDiffer,
  sendersArrive,
  gatewayKnowsNames,
  strangers,
];
