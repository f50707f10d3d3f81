import { z } from "zod";
import { isGlob, NAME_OR_GLOB, rangesAscend } from "../values/glob";
import { form, ownLabel } from "./forms";

/**
 * Tenants: how senders name them, and which the default ring takes. A tenant's name becomes a directory of each receiver, and Thanos 0.42
 * takes `.` and `..` for names (pkg/tenancy `IsTenantValid`): it joins them to its data directory, and removes the tenant's directory when
 * the tenant has been idle for the retention (pkg/receive/multitsdb.go `pruneTSDB`). Whatever no ring matches is refused on every path
 * before a directory is made, so no ring matches those.
 */

/** Longest name of a file on Linux' file systems. */
const LONGEST_DIRECTORY = 255;

/** A tenant's name. */
export const tenantName = z
  .string()
  .max(LONGEST_DIRECTORY)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    "a tenant: letters, digits, '.', '_' and '-', a letter or digit first, since it names a directory",
  );

/** A tenant's name, or a pattern of names. */
export const tenantOrGlob = form(
  (text) => text.length <= LONGEST_DIRECTORY && NAME_OR_GLOB.test(text) && (!isGlob(text) || rangesAscend(text)),
  "a tenant, or a pattern of tenants: letters, digits, '.', '_' and '-', '*' for any text, '?' for any character, '[a-z]' for one of some; a letter or digit first, since it names a directory",
).meta({ pattern: NAME_OR_GLOB.source, maxLength: LONGEST_DIRECTORY });

/**
 * Headers that Prometheus never sends as its configuration says (config/config.go `reservedHeaders`), and those of a
 * connection, which Go takes out of a request.
 */
const TAKEN_HEADERS = [
  "accept-encoding",
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  // Thanos reads a number in it, and answers 400 to what is none (pkg/receive/handler.go `DefaultReplicaHeader`).
  "thanos-replica",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
  "www-authenticate",
  // The gateway's own: which tenants a reader may read (gateway/haproxy.ts `READER_TENANTS_HEADER`).
  "x-gateway-tenants",
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-security-token",
  "x-prometheus-remote-read-version",
  "x-prometheus-remote-write-version",
];

/** Schema of `tenancy`. */
export const tenancySchema = z.strictObject({
  // A token by RFC 9110 5.6.2.
  header: z
    .string()
    .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, "a header's name: letters, digits and -")
    .refine((name) => !TAKEN_HEADERS.includes(name.toLowerCase()), "a header that has no meaning of its own, such as X-Scope-OrgID")
    .default("THANOS-TENANT")
    .describe(
      "HTTP header, any token, by which a sender names its tenant. It is trusted: Thanos has no authentication, so whoever reaches the endpoint is whoever he " +
        "says. With another header `THANOS-TENANT` counts too wherever that one is missing, so a proxy that sets one must take the other out. " +
        "Headers that senders can't choose (`Host`, `Authorization` and the like) are refused.",
    ),
  defaultTenant: tenantName
    .default("default-tenant")
    .describe("Tenant of senders that name none, this stack's own Prometheus and rulers among them."),
  tenants: z
    .array(tenantOrGlob)
    .refine((tenants) => new Set(tenants).size === tenants.length, "every tenant once")
    .meta({ uniqueItems: true })
    .optional()
    .describe(
      "Tenants of the default ring beside `tenancy.defaultTenant`, which it always takes: names, or [patterns](#tenants). Whoever writes as " +
        "another is answered 500 and keeps what he has to send; nothing is created for him. `[]`: the default tenant alone. Required where " +
        "others may write, unless `accepts` has `any-tenant`.",
    ),
  splitLabel: ownLabel
    .optional()
    .describe(
      "Label whose value is the tenant of a series, and goes before the header; it is removed from the series. What has no such label, this " +
        "stack's own Prometheus' series among them, is the header's tenant ([details](#tenants)). Left out: the header alone.",
    ),
  label: ownLabel
    .default("tenant_id")
    .describe(
      "Label that carries the tenant on every stored series. Neither `cluster.label`, nor one that `cluster.label` can't be: it would replace that " +
        "label of every series on read.",
    ),
});
