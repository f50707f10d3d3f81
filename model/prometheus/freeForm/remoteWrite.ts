import { CREDENTIALS_FOLDER } from "../../settings/credentials";
import { type Check, type Finding, type Form, finding, flag, isFields, object, text, url, word } from "./form";
import { awsIdentity, httpClientFields, httpClientFits } from "./httpClient";

/**
 * How Prometheus shows who it is where it writes. Source: prometheus v0.314.0 config/config.go (`RemoteWriteConfig`,
 * `validateAuthConfigs`), storage/remote/{azuread,googleiam}, prometheus/sigv4 v0.4.1 sigv4_config.go.
 */

const sigv4: Form = object({
  ...awsIdentity,
  use_fips_sts_endpoint: flag,
  service_name: text,
});

const azuread: Form = object({
  managed_identity: object({ client_id: text }),
  workload_identity: object({ client_id: text, tenant_id: text, token_file_path: text }),
  oauth: object({ client_id: text, client_secret: text, tenant_id: text }),
  sdk: object({ tenant_id: text }),
  certificate: object({
    client_id: text,
    tenant_id: text,
    certificate_path: text,
    certificate_key_path: text,
    certificate_password: text,
    send_certificate_chain: flag,
  }),
  cloud: word("AzureChina", "AzureGovernment", "AzurePublic"),
  scope: text,
});

const IDENTITIES = ["basic_auth", "authorization", "oauth2", "sigv4", "azuread", "google_iam"];

const oneIdentity: Check = (value) => {
  const [, second] = IDENTITIES.filter((name) => isFields(value[name]));
  return second === undefined ? [] : finding("(set)", `at most one of ${IDENTITIES.join(", ")}`, `${second} left out`, second);
};

/** An HTTP client of remote write. */
export const remoteWriteClient: Form = object(
  { ...httpClientFields, sigv4, azuread, google_iam: object({ credentials_file: text }) },
  httpClientFits,
  oneIdentity,
);

/**
 * An HTTP client of whoever sends alerts, as both Prometheus and Thanos' ruler know it (thanos v0.42.4 pkg/clientconfig/http.go), which
 * has no other fields.
 */
export const alertingClient: Form = object(
  {
    basic_auth: object({ username: text, password: text, password_file: text }),
    authorization: object({ type: word("Bearer"), credentials: text, credentials_file: text }),
    tls_config: object({ ca_file: text, cert_file: text, key_file: text, server_name: text, insecure_skip_verify: flag }),
    proxy_url: url,
  },
  httpClientFits,
);

const fromFile = (field: string) => `${field}: ${CREDENTIALS_FOLDER}/<name>, with a name of the keys credentials or credentialsFrom`;

/** Fields that hold a credential, by what they are in, with the way by which a Secret holds it. */
const CREDENTIALS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  basic_auth: { password: fromFile("password_file") },
  authorization: { credentials: fromFile("credentials_file") },
  oauth2: {
    client_secret: fromFile("client_secret_file"),
    client_certificate_key: fromFile("client_certificate_key_file"),
  },
  tls_config: { key: fromFile("key_file") },
  sigv4: {
    secret_key: `the pods' own identity, or AWS_SHARED_CREDENTIALS_FILE in prometheus.extra.env: ${CREDENTIALS_FOLDER}/<name>, with a name of the keys credentials or credentialsFrom`,
  },
  oauth: { client_secret: "azuread.sdk, with AZURE_CLIENT_SECRET in prometheus.extra.env, from a Secret" },
  certificate: { certificate_password: "a certificate whose key has no password, in a Secret" },
};

/** Of whatever speaks HTTP. */
const ANYWHERE: Readonly<Record<string, string>> = { bearer_token: fromFile("bearer_token_file") };

/**
 * Credentials in plain text, at any depth, with the way by which a Secret holds them. Those of a service discovery that takes no file are
 * the policies' to find.
 */
export function plainCredentials(value: unknown, within = "", path: readonly PropertyKey[] = []): Finding[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => plainCredentials(each, within, [...path, index]));
  if (!isFields(value)) return [];
  return Object.entries(value).flatMap(([name, each]) => {
    const remedy = CREDENTIALS[within]?.[name] ?? ANYWHERE[name];
    const held = remedy !== undefined && typeof each === "string" && each !== "";
    const rule = "this stands in a ConfigMap, which many may read";
    return [...(held ? finding("(not shown)", rule, remedy, ...path, name) : []), ...plainCredentials(each, name, [...path, name])];
  });
}
