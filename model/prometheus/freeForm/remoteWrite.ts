import { type Check, type Form, finding, flag, isFields, object, text, url, word } from "./form";
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
