import { gatewayEndpoints, gatewayTenants } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { receiveOf, takenTenants } from "../settings/scheme";
import { takesTenant } from "../values/glob";
import { isDnsName } from "../values/kubernetesNames";
import type { Problem } from "../values/problem";
import { hostOfUrl } from "./routes";

/** The rules of the gateway. Each names the key to change, why, and what would be accepted. */

type GatewayRule = (settings: Settings, gateway: NonNullable<Settings["gateway"]>) => Problem[];

const somebodyPasses: GatewayRule = (_, { tenants, readers }) =>
  Object.keys(tenants).length + Object.keys(readers).length > 0
    ? []
    : [
        {
          key: "gateway",
          value: {},
          rule: "nobody would pass it, with neither tenants nor readers",
          remedy: "a name in gateway.tenants or gateway.readers, or the key left out",
        },
      ];

const writersHaveARing: GatewayRule = (settings, { tenants }) =>
  receiveOf(settings) !== undefined || Object.keys(tenants).length === 0
    ? []
    : [
        {
          key: "gateway.tenants",
          value: Object.keys(tenants),
          rule: "in the sidecar scheme nobody writes",
          remedy: 'the key left out, or ingestion "receive"',
        },
      ];

const heldReadersHaveALabel: GatewayRule = (settings, { readers }) =>
  receiveOf(settings) !== undefined
    ? []
    : Object.entries(readers).flatMap(([name, { tenants }]) =>
        tenants === "all"
          ? []
          : [
              {
                key: `gateway.readers.${name}.tenants`,
                value: tenants,
                rule: "in the sidecar scheme series have no tenant, so that the reader would find nothing",
                remedy: 'all, or ingestion "receive"',
              },
            ],
      );

const ringsTakeThem: GatewayRule = (settings, { tenants, readers }) => {
  const taken = receiveOf(settings) === undefined ? undefined : takenTenants(settings);
  if (taken === undefined) return [];
  const remedy = `one of ${taken.join(", ")}, or this one in tenancy.tenants too`;
  const unknown = (names: readonly string[]) => names.filter((name) => !taken.some((each) => takesTenant(each, name)));
  return [
    ...unknown(Object.keys(tenants)).map((tenant) => ({
      key: `gateway.tenants.${tenant}`,
      value: tenant,
      rule: "no ring takes this tenant, so that its senders would be answered 500",
      remedy,
    })),
    ...Object.entries(readers).flatMap(([name, reader]) =>
      reader.tenants === "all"
        ? []
        : unknown(reader.tenants).map((tenant) => ({
            key: `gateway.readers.${name}.tenants`,
            value: tenant,
            rule: "no ring takes this tenant, so that the reader would find nothing",
            remedy,
          })),
    ),
  ];
};

const tenantsCanShowWhoTheyAre: GatewayRule = (_, { tenants, senderAuthority }) =>
  Object.entries(tenants).flatMap(([tenant, { token, certificates }]): Problem[] => [
    ...(token || certificates.length > 0
      ? []
      : [
          {
            key: `gateway.tenants.${tenant}.token`,
            value: token,
            rule: "without a token and without names of certificates nobody is this tenant",
            remedy: `true, a name in gateway.tenants.${tenant}.certificates, or the tenant left out`,
          },
        ]),
    ...(certificates.length === 0 || senderAuthority !== undefined
      ? []
      : [
          {
            key: `gateway.tenants.${tenant}.certificates`,
            value: certificates,
            rule: "without gateway.senderAuthority nobody's certificate is trusted",
            remedy: "an authority in gateway.senderAuthority, or []",
          },
        ]),
  ]);

const namesMeanOneTenant: GatewayRule = (_, { tenants }) => {
  const owners = new Map<string, string>();
  return Object.entries(tenants).flatMap(([tenant, { certificates }]) =>
    certificates.flatMap((name): Problem[] => {
      const owner = owners.get(name);
      owners.set(name, owner ?? tenant);
      return owner === undefined
        ? []
        : [
            {
              key: `gateway.tenants.${tenant}.certificates`,
              value: name,
              rule: `the holder of this certificate writes as ${owner} already, and a certificate means one tenant`,
              remedy: "each name once",
            },
          ];
    }),
  );
};

/** HAProxy cuts a header that it makes at the length of its buffer, 16,384 bytes, of which the request's own headers take a part. */
const LONGEST_TENANTS = 8_000;

const readersFitIntoAHeader: GatewayRule = (_, { readers }) =>
  Object.entries(readers).flatMap(([name, { tenants }]) => {
    const length = tenants === "all" ? 0 : tenants.join(",").length;
    return length <= LONGEST_TENANTS
      ? []
      : [
          {
            key: `gateway.readers.${name}.tenants`,
            value: `${tenants.length} tenants of ${length} characters`,
            rule: `prom-label-proxy is told a reader's tenants in a header, and HAProxy cuts what is longer than ${LONGEST_TENANTS} characters and the rest of the request`,
            remedy: "all, or several readers",
          },
        ];
  });

const tokensSayTheTenant: GatewayRule = ({ tenancy: { splitLabel } }, { tenants }) =>
  splitLabel === undefined || Object.keys(tenants).length === 0
    ? []
    : [
        {
          key: "tenancy.splitLabel",
          value: splitLabel,
          rule: "a series with this label would be of the tenant that the sender writes there, whatever its token or certificate says",
          remedy: "the key left out, or no gateway.tenants",
        },
      ];

const headerIsAWord: GatewayRule = ({ tenancy: { header } }) =>
  /^[\w-]+$/.test(header)
    ? []
    : [
        {
          key: "tenancy.header",
          value: header,
          rule: "HAProxy's configuration would read other characters as its own",
          remedy: "letters, digits, '-' and '_'",
        },
      ];

const authorityIsNotOurs: GatewayRule = ({ tls }, { senderAuthority }) => {
  const { clients, ...own } = tls?.certificates.secrets ?? {};
  // A bundle has the stack's CA too.
  const ours = [...Object.values(own), ...Object.values(clients ?? {})];
  if (senderAuthority?.tls !== undefined && tls === undefined)
    return [
      {
        key: "gateway.senderAuthority",
        value: "tls",
        rule: "without tls there is no CA of senders",
        remedy: "{ secret: … }, or tls",
      },
    ];
  return senderAuthority?.secret === undefined || !ours.includes(senderAuthority.secret)
    ? []
    : [
        {
          key: "gateway.senderAuthority.secret",
          value: senderAuthority.secret,
          rule: "it is a Secret of tls.certificates, and whoever holds a certificate of that authority writes as any tenant",
          remedy: "a Secret with another authority",
        },
      ];
};

const LISTS = { write: "senders", query: "readers" } as const;

const somebodyReachesIt: GatewayRule = (settings) =>
  gatewayEndpoints(settings)
    .map((endpoint) => LISTS[endpoint])
    .filter((list) => settings.access[list]?.length === 0)
    .map((list) => ({
      key: `access.${list}`,
      value: [],
      rule: "with a gateway this says who reaches it, and nobody would",
      remedy: "namespaces and networks, or the key left out: credentials say who may pass",
    }));

const RULES: readonly GatewayRule[] = [
  somebodyPasses,
  writersHaveARing,
  heldReadersHaveALabel,
  ringsTakeThem,
  tenantsCanShowWhoTheyAre,
  namesMeanOneTenant,
  readersFitIntoAHeader,
  tokensSayTheTenant,
  headerIsAWord,
  authorityIsNotOurs,
  somebodyReachesIt,
];

const WHO_PASSES = { write: "tenants", query: "readers" } as const;

/** Endpoints that would be reached from outside, and where the gateway has none. */
function unguarded(settings: Settings): Problem[] {
  const endpoints = gatewayEndpoints(settings);
  return (["write", "query"] as const)
    .filter((endpoint) => settings.expose[endpoint] !== undefined && !endpoints.includes(endpoint))
    .map((endpoint) => {
      const nobodyWrites = endpoint === "write" && receiveOf(settings) === undefined;
      return {
        key: `expose.${endpoint}`,
        value: settings.expose[endpoint],
        rule: nobodyWrites
          ? "in the sidecar scheme nobody writes"
          : settings.gateway === undefined
            ? "without the gateway nothing asks who somebody is, and nothing is encrypted"
            : `the gateway has no such endpoint while nobody is in gateway.${WHO_PASSES[endpoint]}`,
        remedy: nobodyWrites ? "the key left out" : `somebody in gateway.${WHO_PASSES[endpoint]}, or the key left out`,
      };
    });
}

/** A port of the nodes is one Service's. */
function portsDiffer({ expose: { write, query } }: Settings): Problem[] {
  const port = query?.nodePort?.port;
  return port === undefined || port !== write?.nodePort?.port
    ? []
    : [
        {
          key: "expose.query.nodePort.port",
          value: port,
          rule: "expose.write has this port of the nodes already",
          remedy: "another port, or none: the cluster chooses one",
        },
      ];
}

/** Whether the host of a URL is a name: the last label of an address is a number. */
const hasName = (url: string): boolean => isDnsName(hostOfUrl(url)) && !/^\d+$/.test(hostOfUrl(url).split(".").at(-1) ?? "");

/** An Ingress and a route are found by a host's name. */
function routesHaveAHost({ expose }: Settings): Problem[] {
  return (["write", "query"] as const).flatMap((endpoint): Problem[] => {
    const { url, ingress, gatewayApi } = expose[endpoint] ?? {};
    if (ingress === undefined && gatewayApi === undefined) return [];
    return url !== undefined && hasName(url)
      ? []
      : [
          {
            key: `expose.${endpoint}.url`,
            value: url,
            rule: `${ingress === undefined ? "an HTTPRoute" : "an Ingress"} is found by the name of a host`,
            remedy: "an https URL with a name, such as https://metrics.example",
          },
        ];
  });
}

/** Whoever ends TLS before the gateway keeps the sender's certificate. */
function certificatesComeThrough(settings: Settings): Problem[] {
  const { ingress, gatewayApi } = settings.expose.write ?? {};
  const way = ingress !== undefined ? "ingress" : gatewayApi !== undefined ? "gatewayApi" : undefined;
  const tenants = gatewayTenants(settings);
  return way === undefined || tenants.length === 0 || tenants.some(([, { token }]) => token)
    ? []
    : [
        {
          key: `expose.write.${way}`,
          value: settings.expose.write?.[way],
          rule: "it ends TLS, so that no client certificate comes through, and no tenant in gateway.tenants has a token",
          remedy: "loadBalancer or nodePort, or a tenant with token: true",
        },
      ];
}

/** Every problem of the gateway; empty where it can be deployed, or there is none. */
export function gatewayProblems(settings: Settings): Problem[] {
  const { gateway } = settings;
  return [
    ...unguarded(settings),
    ...portsDiffer(settings),
    ...routesHaveAHost(settings),
    ...certificatesComeThrough(settings),
    ...(gateway === undefined ? [] : RULES.flatMap((rule) => rule(settings, gateway))),
  ];
}
