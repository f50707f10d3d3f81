import { z } from "zod";
import { bytesOf, certificates, count, dnsLabel, objectName, resources, spread } from "./forms";
import { pods, services } from "./pods";
import { rollout } from "./rollout";
import { ONE_KEY } from "./storage";
import { tenantName } from "./tenancy";

/** The gateway: who may write and read from outside the stack, and as whom. Its schema. */

/** Least size of a request: one of few samples. */
const LEAST_REQUEST = "64Ki";
const requestSize = bytesOf(LEAST_REQUEST, "senders drop what is answered 413, and a request of one scrape may be larger than less");

const generation = count(1, 10_000)
  .default(1)
  .describe(
    "Which token is the current one. One more makes a new token, and the one before stays valid beside it; two more leaves none of the old ones " +
      "([how](operations.md#rotate-a-token)).",
  );

const commonName = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._@-]{0,62}[A-Za-z0-9])?$/, "a common name: at most 64 letters, digits, '.', '_', '@' and '-'");

const tenant = z.strictObject({
  token: z.boolean().default(true).describe("Whether its senders have a token, in the secret output `credentials`."),
  generation,
  certificates: z
    .array(commonName)
    .refine((names) => new Set(names).size === names.length, "every name once")
    .meta({ uniqueItems: true })
    .default([])
    .describe("Common names (CN) of client certificates, signed by `gateway.senderAuthority`, whose holders write as this tenant."),
  requestsPerSecond: count(1, 100_000)
    .default(100)
    .describe("Requests that each replica takes of this tenant in a second. Above it senders get 429, and retry."),
  maxBody: requestSize
    .optional()
    .describe("Largest request as it is sent, at most `maxDecoded`. Left out: as large as it may be unpacked."),
  maxDecoded: requestSize
    .optional()
    .describe(
      "Largest request as it is unpacked, which its first five bytes tell. A larger one is answered 413, which senders drop, before anybody " +
        "unpacks it. Less than fills the memory of whatever unpacks it. Left out: `receive.limits` for this tenant, which would refuse it afterwards; " +
        "32Mi where that is no limit.",
    ),
});

const reader = z.strictObject({
  tenants: z
    .union([
      z.literal("all"),
      z
        .array(tenantName)
        .min(1)
        .refine((names) => new Set(names).size === names.length, "every tenant once")
        .meta({ uniqueItems: true }),
    ])
    .describe(
      "Tenants whose series it sees, or `all`: everything that queriers answer, targets, metadata and stores among it. With a list whatever can't " +
        "be held to tenants is answered 404.",
    ),
  generation,
});

/** Schema of `gateway`. */
export const gatewaySettings = z
  .strictObject({
    replicas: count(1, 20).default(2).describe("Gateways."),
    certificate: z
      .strictObject({
        secret: objectName.describe(
          "Secret of the type `kubernetes.io/tls` in the stack's namespace (`tls.crt`, `tls.key`), which somebody else makes: cert-manager, or " +
            "`kubectl create secret tls`. It is valid for the names by which the gateway is reached. A renewal is taken up within two minutes " +
            "([how](operations.md#renew-the-gateways-certificate)).",
        ),
        authority: certificates
          .optional()
          .describe(
            "Certificates of who signed it, as PEM: the output `gatewayCa`, for senders and readers. Left out: one that everybody trusts.",
          ),
      })
      .describe("The certificate that the gateway shows. There is no gateway without one: tokens don't travel in plain text."),
    senderAuthority: z
      .preprocess(
        (value) => (value === "tls" ? { tls: {} } : value),
        z
          .strictObject({
            secret: objectName.optional().describe("Secret in the stack's namespace, with certificates of the authority in `ca.crt`."),
            tls: z.strictObject({}).optional().describe("The senders' CA of `tls`, which signs for the names in `tls.clients.write`."),
          })
          .refine(({ secret, tls }) => (secret === undefined) !== (tls === undefined), "exactly one of secret, tls"),
      )
      .meta({ type: ["string", "object"], pattern: "^tls$", ...ONE_KEY })
      .optional()
      .describe(
        "Who signs client certificates of senders; whoever it signs for is told by `gateway.tenants`. `tls` is short for `{ tls: {} }`. Not the " +
          "stack's own CA: whoever holds one of its certificates writes as any tenant. Left out: nobody has one.",
      ),
    tenants: z
      .record(tenantName, tenant)
      .default({})
      .describe("Who may write, by tenant. Left out: nobody writes through the gateway, and it has no endpoint for it."),
    readers: z
      .record(dnsLabel, reader)
      .default({})
      .describe("Who may query, by a name of one's own, each with a token. Left out: nobody reads through the gateway."),
    antiAffinity: spread,
    rollout,
    pods,
    services,
    resources: resources("100m", "256Mi"),
    labelProxy: z
      .strictObject({ resources: resources("50m", "128Mi") })
      .prefault({})
      .describe("prom-label-proxy beside each HAProxy, which holds readers to their tenants."),
    reloader: z
      .strictObject({ resources: resources("10m", "32Mi") })
      .prefault({})
      .describe("A shell beside each HAProxy, which has it take up certificates that are renewed in place."),
  })
  .optional()
  .describe(
    "HAProxy in front of remote write and queries: it tells from a token or a certificate who somebody is, and sets the tenant itself. With it " +
      "`access.senders` and `access.readers` say who reaches the gateway, and nobody but the stack's own components reaches what is behind it " +
      "([how](operations.md#gateway)). Left out: there is none.",
  );

/** The gateway, as an environment chose it. */
export type GatewaySettings = NonNullable<z.output<typeof gatewaySettings>>;
