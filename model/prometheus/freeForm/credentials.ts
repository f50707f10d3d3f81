import { CREDENTIALS_DIRECTORY } from "../../settings/credentials";
import { credentialsIn, credentialsInValue } from "../../values/credentials";
import type { Problem } from "../../values/problem";
import { textsIn } from "../../values/textsIn";
import { type Finding, finding, isFields } from "./form";

/**
 * Credentials in plain text, and names of files that are none. Fields that hold one are those of the type `Secret` in prometheus v0.314.0
 * (config, discovery, storage/remote), prometheus/common v0.70.1 and prometheus/sigv4 v0.4.1; besides, whatever looks like one.
 */

const NAMED = `${CREDENTIALS_DIRECTORY}/<name>, with a name of the keys credentials or credentialsFrom`;
const fromFile = (field: string) => `${field}: ${NAMED}`;
const VARIABLE = "in prometheus.extra.env, from a Secret";
const AWS = `the pods' own identity, or AWS_SHARED_CREDENTIALS_FILE in prometheus.extra.env: ${NAMED}`;
const AZURE = "AZURE_CLIENT_SECRET";
const OPENSTACK = `identity_endpoint left out, and the variables of OpenStack (OS_AUTH_URL, OS_PASSWORD and the like) ${VARIABLE}`;
const ELSEWHERE = "http_sd_configs or file_sd_configs of something that has the credential, since this discovery takes it from no file";
const PROXY = `a proxy without a login, or proxy_from_environment with HTTPS_PROXY and NO_PROXY ${VARIABLE}`;
const CLIENT = `basic_auth, authorization or http_headers instead, with a file: ${NAMED}`;

/** By what they are in, with the way by which a Secret holds them. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  basic_auth: { password: fromFile("password_file") },
  authorization: { credentials: fromFile("credentials_file") },
  oauth2: {
    client_secret: fromFile("client_secret_file"),
    client_certificate_key: fromFile("client_certificate_key_file"),
  },
  tls_config: { key: fromFile("key_file") },
  sigv4: { secret_key: AWS },
  oauth: { client_secret: `azuread.sdk, with ${AZURE} ${VARIABLE}` },
  certificate: { certificate_password: "a certificate whose key has no password, in a Secret" },
  azure_sd_configs: {
    client_secret: `authentication_method WorkloadIdentity or ManagedIdentity, or SDK with ${AZURE} ${VARIABLE}`,
  },
  consul_sd_configs: { token: fromFile("authorization.credentials_file"), password: fromFile("basic_auth.password_file") },
  marathon_sd_configs: { auth_token: fromFile("auth_token_file") },
  oci_sd_configs: { key_passphrase: fromFile("key_passphrase_file") },
  openstack_sd_configs: { password: OPENSTACK, application_credential_secret: OPENSTACK },
  outscale_sd_configs: { secret_key: fromFile("secret_key_file") },
  ovhcloud_sd_configs: { application_secret: ELSEWHERE, consumer_key: ELSEWHERE },
  scaleway_sd_configs: { secret_key: fromFile("secret_key_file") },
  stackit_sd_configs: { service_account_key: fromFile("service_account_key_path"), private_key: fromFile("private_key_path") },
  uyuni_sd_configs: { password: ELSEWHERE },
  ...Object.fromEntries(
    ["aws", "ec2", "ecs", "elasticache", "lightsail", "msk", "rds"].map((name) => [`${name}_sd_configs`, { secret_key: AWS }]),
  ),
};

/** Wherever they are. */
const ANYWHERE: Readonly<Record<string, string>> = { bearer_token: fromFile("bearer_token_file") };

/** Names of keys by which a cloud knows whose secret belongs to them; Prometheus shows them. */
const IDENTIFIERS = ["access_key", "application_key"];
/** Addresses, of which a host may be called like a credential; and a regular expression, which is none. */
const NO_VALUES = ["targets", "names", "server", "servers", "regex"];

const RULE = "this stands in a ConfigMap, which many may read";
const LOGIN = /^[a-z][\w+.-]*:\/\/[^\s/?#]*@/i;
/** Headers that hold a credential, whatever it looks like. */
const CREDENTIAL_HEADER = /(?:authorization|cookie)$/i;

/** Whether a text is a URL with a login before its host, be it a name alone. */
export const hasLogin = (text: string): boolean => LOGIN.test(text);

/** Whether a URL holds a credential: a login, or a parameter that is one. */
export const urlHasCredential = (url: string): boolean => hasLogin(url) || credentialsIn(url).length > 0;

/** Whether a header of this name and value holds a credential. */
export const headerHasCredential = (name: string, value: string): boolean =>
  value !== "" && (CREDENTIAL_HEADER.test(name) || credentialsInValue(name, value).length > 0);

/** Credentials in plain text in a URL that has a key of its own. */
export const plainInUrl = (url: unknown): Finding[] =>
  typeof url === "string" && urlHasCredential(url) ? finding("(not shown)", RULE, `the URL without it, and in client ${CLIENT}`) : [];

/** Credentials in plain text in a header whose value is a text. */
export const plainInHeader = (name: string, value: unknown): Finding[] =>
  typeof value === "string" && headerHasCredential(name, value)
    ? finding("(not shown)", RULE, fromFile(`client.http_headers.${name}.files`))
    : [];

/** Credentials in plain text, at any depth of a client or a scrape config, with the way by which a Secret holds them. */
export function plainCredentials(value: unknown, path: readonly PropertyKey[] = []): Finding[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => plainCredentials(each, [...path, index]));
  if (isFields(value)) return Object.entries(value).flatMap(([name, each]) => plainCredentials(each, [...path, name]));
  if (typeof value !== "string" || value === "") return [];
  const remedy = remedyFor(
    path.filter((part) => typeof part === "string"),
    value,
  );
  return remedy === undefined ? [] : finding("(not shown)", RULE, remedy, ...path);
}

/** The way without a credential in plain text; undefined where a text is none. */
function remedyFor(names: readonly string[], value: string): string | undefined {
  const headers = names.findIndex((name) => name === "http_headers" || name === "proxy_connect_header");
  if (headers >= 0) {
    const [kind, header = "", list] = names.slice(headers);
    if (kind === "proxy_connect_header") return headerHasCredential(header, value) ? PROXY : undefined;
    if (list === "files") return undefined;
    return list === "secrets" || headerHasCredential(header, value) ? fromFile("files") : undefined;
  }
  const [holder = "", field = ""] = names.length > 1 ? names.slice(-2) : ["", ...names];
  const known = FIELDS[holder]?.[field] ?? ANYWHERE[field];
  if (known !== undefined) return known;
  if (field === "replacement" && value.includes("$")) return undefined;
  const named = IDENTIFIERS.includes(field) || NO_VALUES.includes(field) ? "" : field;
  const found = hasLogin(value) || (!NO_VALUES.includes(field) && credentialsInValue(named, value).length > 0);
  return !found ? undefined : field === "proxy_url" ? PROXY : `the value without it; ${CLIENT}`;
}

/** Place of a file's name: a field such as `password_file`, or an entry of a list `files`. */
export const FILE_PLACE = /(?:_file|_file_path|_key_path|\.certificate_path|\.files\[\d+\])$/;

/** Fields that name a file by what is no absolute path. No value is shown: it may be the credential itself. */
export const fileProblems = (value: unknown, key: string): Problem[] =>
  textsIn(value, key)
    .filter(([at, text]) => FILE_PLACE.test(at) && text !== "" && !text.startsWith("/"))
    .map(([at]) => ({
      key: at,
      value: "(not shown)",
      rule: "this field names a file by its path, and beside the configuration there is none",
      remedy: `an absolute path; of a credential ${NAMED}`,
    }));
