import { hasControlCharacter } from "../../values/goUrl";
import {
  anything,
  atMostOne,
  type Check,
  type Fields,
  type Form,
  finding,
  flag,
  isFields,
  isSet,
  list,
  map,
  object,
  required,
  text,
  textOf,
  url,
  word,
} from "./form";

/**
 * How Prometheus reaches whatever speaks HTTP. Source: prometheus/common v0.70.1 config/http_config.go and headers.go (what Prometheus
 * 3.14.0 is built with).
 */

/** TLS of a client. Contents of files may stand in the configuration itself. */
export const tlsConfig: Form = object(
  {
    ca: text,
    cert: text,
    key: text,
    ca_file: text,
    cert_file: text,
    key_file: text,
    server_name: text,
    insecure_skip_verify: flag,
    min_version: word("TLS10", "TLS11", "TLS12", "TLS13"),
    max_version: word("TLS10", "TLS11", "TLS12", "TLS13"),
  },
  atMostOne("ca", "ca_file"),
  atMostOne("cert", "cert_file"),
  atMostOne("key", "key_file"),
  (value) => {
    const certificate = ["cert", "cert_file"].some((name) => isSet(value[name]));
    const key = ["key", "key_file"].some((name) => isSet(value[name]));
    if (certificate === key) return [];
    const missing = certificate ? "key_file" : "cert_file";
    return finding(value[missing], "a client's certificate and its key belong together", "a path", missing);
  },
);

const basicAuth: Form = object(
  { username: text, username_file: text, password: text, password_file: text },
  atMostOne("username", "username_file"),
  atMostOne("password", "password_file"),
);

const authorization: Form = object(
  { type: text, credentials: text, credentials_file: text },
  atMostOne("credentials", "credentials_file"),
  (value) =>
    textOf(value, "type").trim().toLowerCase() === "basic"
      ? finding(value.type, "basic authentication has a field of its own", "basic_auth", "type")
      : [],
);

const proxyFields = {
  proxy_url: url,
  no_proxy: text,
  proxy_from_environment: flag,
  proxy_connect_header: map(list(text)),
};

const proxyFits: Check = (value) => {
  const environment = value.proxy_from_environment === true;
  const problem = (field: string, rule: string, other: string) => finding(value[field], rule, `${field} left out, or ${other}`, field);
  return [
    ...(isSet(value.proxy_connect_header) && !environment && !isSet(value.proxy_url)
      ? problem("proxy_connect_header", "headers for a proxy need proxy_url or proxy_from_environment", "one of these")
      : []),
    ...(environment && isSet(value.proxy_url)
      ? problem("proxy_url", "proxy_from_environment and proxy_url exclude each other", "proxy_from_environment")
      : []),
    ...(environment && isSet(value.no_proxy)
      ? problem("no_proxy", "proxy_from_environment brings its own exceptions", "a proxy_url in place of proxy_from_environment")
      : []),
    ...(!environment && isSet(value.no_proxy) && value.proxy_url === undefined
      ? problem("no_proxy", "exceptions from a proxy need a proxy_url", "a proxy_url")
      : []),
  ];
};

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const oauth2: Form = object(
  {
    client_id: text,
    client_secret: text,
    client_secret_file: text,
    client_certificate_key_id: text,
    client_certificate_key: text,
    client_certificate_key_file: text,
    grant_type: text,
    signature_algorithm: text,
    iss: text,
    audience: text,
    claims: map(anything),
    scopes: list(text),
    token_url: text,
    endpoint_params: map(text),
    tls_config: tlsConfig,
    ...proxyFields,
  },
  required("client_id", "token_url"),
  proxyFits,
  (value) =>
    value.grant_type === JWT_BEARER
      ? [
          ...atMostOne("client_certificate_key", "client_certificate_key_file")(value),
          ...(isSet(value.signature_algorithm) ? word("RS256", "RS384", "RS512")(value.signature_algorithm) : []).map((each) => ({
            ...each,
            path: ["signature_algorithm"],
          })),
        ]
      : atMostOne("client_secret", "client_secret_file")(value),
);

/** Headers of a scrape or a discovery that Prometheus sets itself (common config/headers.go `ReservedHeaders`), in lower case. */
export const RESERVED_HTTP_HEADERS: readonly string[] = [
  "authorization",
  "host",
  "content-encoding",
  "content-length",
  "content-type",
  "user-agent",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "www-authenticate",
  "accept-encoding",
  "x-prometheus-remote-write-version",
  "x-prometheus-remote-read-version",
  "x-prometheus-scrape-timeout-seconds",
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-content-sha256",
];

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A header's name: a token of RFC 9110. */
export const headerName: Form = (value) =>
  typeof value === "string" && HEADER_NAME.test(value)
    ? []
    : finding(value, "not a header's name", "a token of RFC 9110: letters, digits and - mostly");

/** A header's value: no request with a control character in it is ever sent (golang.org/x/net/http/httpguts `ValidHeaderFieldValue`). */
export const headerValue: Form = (value) =>
  typeof value === "string" && hasControlCharacter(value.replaceAll("\t", " "))
    ? finding(value, "a header is one line, without control characters", "a text of one line")
    : text(value);

const httpHeaders: Form = (value) => [
  ...map(object({ values: list(headerValue), secrets: list(headerValue), files: list(text) }), headerName)(value),
  ...(isFields(value) ? Object.keys(value) : [])
    .filter((name) => RESERVED_HTTP_HEADERS.includes(name.toLowerCase()))
    .flatMap((name) =>
      finding(name, "Prometheus sets this header itself", "another header; for Authorization the field authorization or basic_auth", name),
    ),
];

/** Fields of an HTTP client, which stand beside the fields of what uses it. */
export const httpClientFields = {
  basic_auth: basicAuth,
  authorization,
  oauth2,
  bearer_token: text,
  bearer_token_file: text,
  tls_config: tlsConfig,
  follow_redirects: flag,
  enable_http2: flag,
  ...proxyFields,
  http_headers: httpHeaders,
} satisfies Record<string, Form>;

/** Rules between the fields of an HTTP client (`HTTPClientConfig.Validate`). */
export const httpClientFits: Check = (value) => [
  // An object that is there counts, whatever is in it.
  ...onlyOneGiven(value, "basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file"),
  ...proxyFits(value),
];

function onlyOneGiven(value: Fields, ...names: string[]) {
  const given = names.filter((name) => isSet(value[name]) || isFields(value[name]));
  const [, second] = given;
  return second === undefined ? [] : finding("(set)", `at most one of ${names.join(", ")}`, `${second} left out`, second);
}

/** Whether an HTTP client is anything but Prometheus' default. */
export function customisesHttp(value: Fields): boolean {
  return Object.keys(httpClientFields).some((name) =>
    name === "follow_redirects" || name === "enable_http2" ? value[name] === false : isSet(value[name]),
  );
}

/** How a client shows who it is to AWS: the same for discovery (discovery/aws) and for remote write (prometheus/sigv4). */
export const awsIdentity = {
  region: text,
  access_key: text,
  secret_key: text,
  profile: text,
  role_arn: text,
  external_id: text,
} satisfies Record<string, Form>;

/** A discovery that speaks HTTP. */
export const overHttp = (fields: Readonly<Record<string, Form>>, ...checks: Check[]): Form =>
  object({ ...httpClientFields, ...fields }, httpClientFits, ...checks);
