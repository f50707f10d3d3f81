import { gatewayEndpoints, holdsReaders } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { receiveOf, takenTenants } from "../settings/scheme";
import { takesTenant } from "../values/glob";
import type { Problem } from "../values/problem";
import { HAPROXY_MINIMUM, imageVersion, isBefore, PROM_LABEL_PROXY_MINIMUM } from "../values/versions";
import { exposeProblems } from "./exposeRules";
import { limitProblems } from "./limitRules";

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

/** Pods would wait for a Secret by which nobody is let in. */
const authoritySignsForSomebody: GatewayRule = (_, { tenants, senderAuthority }) =>
  senderAuthority === undefined || Object.values(tenants).some(({ certificates }) => certificates.length > 0)
    ? []
    : [
        {
          ...(senderAuthority.secret === undefined
            ? { key: "gateway.senderAuthority", value: "tls" }
            : { key: "gateway.senderAuthority.secret", value: senderAuthority.secret }),
          isPublic: true,
          rule: "no tenant in gateway.tenants has a name in certificates, so that whoever shows a certificate of it is nobody",
          remedy: "a name in certificates of a tenant, or the key left out",
        },
      ];

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
          isPublic: true,
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

/** Refuses versions that are too old, as tags name them; a tag that names none is somebody's own: the machine's HAProxy, or a digest. */
const programsAreNewEnough: GatewayRule = (settings) => {
  const { haproxy, promLabelProxy } = settings.images;
  const tooOld = (key: string, image: string, minimum: string, rule: string): Problem[] =>
    isBefore(imageVersion(image), minimum) ? [{ key, value: image, rule, remedy: `a tag that names ${minimum} or later` }] : [];
  return [
    ...tooOld("images.haproxy", haproxy, HAPROXY_MINIMUM, "an older HAProxy ends at its start, since it does not know the configuration"),
    ...(holdsReaders(settings)
      ? tooOld("images.promLabelProxy", promLabelProxy, PROM_LABEL_PROXY_MINIMUM, "an older prom-label-proxy ends at its start, at a flag")
      : []),
  ];
};

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
  authoritySignsForSomebody,
  programsAreNewEnough,
  limitProblems,
  somebodyReachesIt,
];

/** Every problem of the gateway; empty where it can be deployed, or there is none. */
export function gatewayProblems(settings: Settings): Problem[] {
  const { gateway } = settings;
  return [...exposeProblems(settings), ...(gateway === undefined ? [] : RULES.flatMap((rule) => rule(settings, gateway)))];
}
