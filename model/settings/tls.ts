import { z } from "zod";
import { certificates as authorities, count, dnsLabel, objectName } from "./forms";
import { ONE_KEY } from "./storage";

/** Encryption between the stack's components: its schema. */

const bundle = (whose: string): z.ZodOptional<z.ZodString> =>
  objectName
    .optional()
    .describe(`Of ${whose}: certificates of their CA and of the stack's in \`ca.crt\`. Left out: the stack's CA alone is trusted.`);

const existing = z
  .strictObject({
    all: objectName.optional().describe("The Secret of every component that has none of its own here."),
    receive: objectName.optional().describe("Of receivers, instead of the one for `all`."),
    routers: objectName.optional().describe("Of routers, in `split` mode."),
    querier: objectName.optional().describe("Of queriers."),
    storeGateway: objectName.optional().describe("Of store gateways."),
    ruler: objectName.optional().describe("Of rulers."),
    prometheus: objectName.optional().describe("Of Prometheus, which writes, or of the sidecars in its pods, which serve."),
    gateway: objectName
      .optional()
      .describe("Of the gateway, by which it is known to receivers and routers; the one that it shows is `gateway.certificate`."),
    clients: z
      .strictObject({ write: bundle("senders, for receivers and routers"), query: bundle("queriers of other stacks, for this one's") })
      .prefault({})
      .describe("Secrets with the CAs of others, which are trusted beside the stack's own and only where these connect."),
  })
  .optional()
  .describe(
    "Secrets that somebody else makes, in the stack's namespace, each with `tls.crt`, `tls.key` and `ca.crt`: one for `all`, or by component. " +
      "What a certificate must be for is [in a table](operations.md#certificates-that-others-make). One that ends within 30 days is refused, at " +
      "preview too if whoever previews may read Secrets, and `npm run verify` warns of it.",
  );

const issuer = z.strictObject({
  name: objectName.describe("Its name."),
  kind: z
    .string()
    .regex(/^[A-Z][A-Za-z0-9]*$/, "a kind, such as Issuer or ClusterIssuer")
    .default("Issuer")
    .describe("`Issuer` (in the stack's namespace), `ClusterIssuer`, or the kind of an external one."),
  group: z
    .string()
    .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, "an API group, such as cert-manager.io")
    .default("cert-manager.io")
    .describe("API group of that kind; another one for external issuers."),
});

const clientIssuer = (whose: string) =>
  z
    .strictObject({
      issuer: issuer.describe("Who signs for them: another issuer than the stack's, with another CA."),
      authority: authorities.describe("Certificates of that CA, as PEM; while it is exchanged, of the old one and the new one."),
    })
    .optional()
    .describe(`The CA of ${whose}. Left out: the stack's CA alone is trusted there.`);

const certManager = z
  .strictObject({
    issuer: issuer.describe(
      "Who signs. One that knows its own CA (`ca`, `vault`, and most external ones): the Secrets' `ca.crt` is what everybody trusts, and ACME " +
        "tells none.",
    ),
    authority: authorities
      .optional()
      .describe(
        "Certificates of that issuer's CA, as PEM. Needed with `clients`, whose CAs are trusted beside it in one file; Kubernetes can't put Secrets " +
          "together to one.",
      ),
    clients: z
      .strictObject({
        write: clientIssuer("senders, for receivers, routers or the gateway"),
        query: clientIssuer("queriers of other stacks"),
      })
      .prefault({})
      .describe("Who signs for others."),
  })
  .optional()
  .describe("cert-manager, whose CRDs are in the cluster: one `Certificate` a component, renewed by it, without a restart.");

const WAYS = ["program", "certManager", "secrets"] as const;

const certificates = z
  .preprocess(
    (value) => (value === "program" ? { program: {} } : value),
    z
      .strictObject({
        program: z
          .strictObject({})
          .optional()
          .describe(
            "Made by this program, of one secret seed in the stack's state; `certificates: program` is short for `{ program: {} }`. A leaf is for " +
              "nine months and a new one is due each quarter, with which pods are restarted.",
          ),
        certManager,
        secrets: existing,
      })
      .refine((chosen) => WAYS.filter((way) => chosen[way] !== undefined).length === 1, `exactly one of ${WAYS.join(", ")}`),
  )
  .meta({ type: ["string", "object"], pattern: "^program$", ...ONE_KEY })
  .describe("Where certificates come from.");

const names = z
  .array(dnsLabel)
  .refine((given) => new Set(given).size === given.length, "every name once")
  .meta({ uniqueItems: true })
  .default([]);

const clients = z
  .preprocess(
    (value, context) => {
      if (!Array.isArray(value)) return value;
      context.addIssue({
        code: "custom",
        message: "{ write: [names of senders], query: [names of queriers of other stacks] }",
        params: { rule: "one list does not say what its names may, and a certificate is for writing or for querying" },
      });
      return z.NEVER;
    },
    z.strictObject({
      write: names.describe(
        "Names of senders. Whoever holds such a certificate writes as any tenant, as far as `access` lets him connect, and does nothing else; " +
          "with `gateway.senderAuthority` of `tls` he writes through the gateway, as the tenant that has his common name.",
      ),
      query: names.describe(
        "Names of queriers of other stacks (`access.federation`). Whoever holds such a certificate reads everything by the queriers' gRPC, and does " +
          "nothing else.",
      ),
      generation: count(1, 10_000)
        .default(1)
        .describe(
          "Which CAs of the program's sign for these; the stack's own go on. One more, in one update, is another CA for each list, and the " +
            "certificates of the generation before are still taken. Never more than one at a time ([how](operations.md#rotate-the-ca)).",
        ),
    }),
  )
  .prefault({})
  .describe(
    "Who else gets a certificate, by what it may: `write` (remote write) or `query` (gRPC of queriers). Each list has a CA of its own, which is " +
      "trusted nowhere else ([why](decisions.md#three-cas-of-which-each-is-for-one-thing)). From `program` certificates are in the secret output " +
      "`tlsClients`, from `certManager` in the Secret `thanos-client-<name>-tls`; the common name is `thanos-client-<name>`.",
  );

/** Schema of `tls`. */
export const tlsSettings = z
  .strictObject({
    certificates,
    generation: count(1, 10_000)
      .default(1)
      .describe(
        "Which CA of the program's signs. One more, in one update, is another CA, and no write or query fails: everybody trusts the generation " +
          "before, this one and the next. Never more than one at a time ([how, and why](operations.md#rotate-the-ca)).",
      ),
    clients,
    stage: z
      .enum(["senders", "everywhere"])
      .default("everywhere")
      .describe(
        "`senders`: the step between plain and encrypted for a stack that runs. Only those who remote-write use TLS, and nobody serves it: what they " +
          "scrape waits in their logs until the next update ([the steps](operations.md#encrypt-a-stack-that-runs)).",
      ),
  })
  .optional()
  .describe(
    "Mutual TLS between the stack's components: remote write (19291) and gRPC (10901) take nobody without a certificate of the stack's CA. HTTP " +
      "of queriers, query frontends and Prometheus stays plain, behind the NetworkPolicies " +
      "([why](decisions.md#what-is-encrypted-and-what-is-not)), and so does memcached, which is the risk `plain-caches`. Left out: nothing is encrypted.",
  );

/** Encryption between the components, as an environment chose it. */
export type TlsSettings = NonNullable<z.output<typeof tlsSettings>>;
/** Keys of components that have a certificate, in `tls.certificates.secrets`. */
export type CertifiedKey = Exclude<keyof NonNullable<TlsSettings["certificates"]["secrets"]>, "all" | "clients">;
/** Use of a certificate for others: remote write, or the gRPC of queriers. Each has a CA of its own. */
export type ClientUse = Exclude<keyof TlsSettings["clients"], "generation">;
