import {
  atLeastOne,
  atMostOne,
  type Check,
  count,
  duration,
  type Form,
  filledText,
  finding,
  flag,
  isFields,
  isSet,
  labels,
  list,
  map,
  neverEmpty,
  object,
  objectsOf,
  port,
  required,
  text,
  textOf,
  url,
  word,
} from "./form";
import { awsIdentity, overHttp, tlsConfig } from "./httpClient";
import { kubernetesDiscovery } from "./kubernetesDiscovery";

/**
 * Every service discovery of Prometheus 3.14.0 by its field, with its own fields and rules. Source: prometheus v0.314.0
 * discovery/<name>/*.go (`SDConfig` and its `UnmarshalYAML`). What only a discovery's own client can judge (a cloud's
 * names of regions and zones) is left to it.
 */

const refresh = { refresh_interval: duration };
const everyPort = { port };

const filters = list(object({ name: text, values: list(text) }));
const filtersHaveValues: Check = (value) =>
  objectsOf(value, "filters").flatMap(([index, each]) =>
    isSet(each.values) ? [] : finding(each.values, "a filter without values finds nothing", "a list of texts", "filters", index, "values"),
  );

/** A field that holds a URL of http or https with a host. */
const httpUrl =
  (field: string, schemes?: readonly string[]): Check =>
  (value) => {
    const given = textOf(value, field);
    if (given === "") return [];
    const [, scheme = "", host = ""] = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):\/\/)?([^/?#]*)/.exec(given.slice(0, 2_000)) ?? [];
    const known = scheme !== "" && (schemes === undefined || schemes.includes(scheme.toLowerCase()));
    return known && host !== "" ? [] : finding(given, "a URL with scheme and host", "a URL such as http://host:port/path", field);
  };
const HTTP = ["http", "https"];

const aws = {
  endpoint: text,
  ...awsIdentity,
  ...everyPort,
  ...refresh,
};
const clusters = { clusters: list(text), request_concurrency: count() };

const zookeeper: Form = object({ servers: list(text), paths: list(text), timeout: duration }, required("servers", "paths"), (value) =>
  (Array.isArray(value.paths) ? value.paths : []).flatMap((path, index) =>
    typeof path === "string" && !path.startsWith("/")
      ? finding(path, "a path of Zookeeper begins with /", `"/${path}"`, "paths", index)
      : [],
  ),
);

const FILE_NAME = /^[^*]*(?:\*[^/]*)?\.(?:json|yml|yaml|JSON|YML|YAML)$/;

const azureFits: Check = (value) => {
  const method = isSet(value.authentication_method) ? value.authentication_method : "OAuth";
  return required("subscription_id", ...(method === "OAuth" ? ["tenant_id", "client_id", "client_secret"] : []))(value);
};

const ociFits: Check = (value) => {
  const own = ["tenancy", "user", "fingerprint", "key_file"];
  const passphrase = ["key_passphrase", "key_passphrase_file"];
  if (!isSet(value.auth) || value.auth === "api_key") return [...required(...own)(value), ...atMostOne(...passphrase)(value)];
  return [...own, ...passphrase]
    .filter((name) => isSet(value[name]))
    .flatMap((name) => finding("(set)", "instance_principal needs no key", `${name} left out`, name));
};

const refreshes: Check = (value) =>
  value.refresh_interval === 0 || /^0+(?:ms|[smhdwy])?$/.test(textOf(value, "refresh_interval"))
    ? finding(value.refresh_interval, "this discovery polls at intervals", "a duration above zero", "refresh_interval")
    : [];

const consulFits: Check = (value) => [
  ...(value.server !== undefined && textOf(value, "server").trim() === ""
    ? finding(value.server, "this field is required", "host:port", "server")
    : []),
  ...((isSet(value.username) || isSet(value.password)) && isFields(value.basic_auth)
    ? finding("(set)", "username and password are basic_auth", "basic_auth left out", "basic_auth")
    : []),
  ...(isSet(value.token) && (isFields(value.authorization) || isFields(value.oauth2))
    ? finding("(set)", "at most one of token, authorization, oauth2", "token left out", "token")
    : []),
];

const marathonFits: Check = (value) => {
  const others = ["basic_auth", "bearer_token", "bearer_token_file", "authorization"];
  const taken = others.find((name) => isSet(value[name]) || isFields(value[name]));
  return (isSet(value.auth_token) || isSet(value.auth_token_file)) && taken !== undefined
    ? finding("(set)", `at most one of auth_token, auth_token_file, ${others.join(", ")}`, `${taken} left out`, taken)
    : [];
};

const dnsFits: Check = (value) => {
  const type = isSet(value.type) ? textOf(value, "type").toUpperCase() : "SRV";
  return type !== "SRV" && !isSet(value.port) ? finding(value.port, `records of type ${type} say no port`, "a port", "port") : [];
};
const dnsType: Form = neverEmpty((value) =>
  typeof value === "string" && ["SRV", "A", "AAAA", "MX", "NS"].includes(value.toUpperCase())
    ? []
    : finding(value, "not a type of records", "SRV, A, AAAA, MX, NS"),
);

const docker = { host: url, ...everyPort, filters, ...refresh };

/** Targets that are written down. */
export const staticConfig: Form = object({ targets: list(text), labels });

/** Every service discovery by the field that holds its list. */
export const DISCOVERIES: Readonly<Record<string, Form>> = {
  static_configs: staticConfig,
  aws_sd_configs: overHttp(
    { ...aws, role: word("ec2", "ecs", "elasticache", "lightsail", "msk", "rds"), filters, clusters: list(text) },
    required("role"),
  ),
  azure_sd_configs: overHttp(
    {
      environment: text,
      ...everyPort,
      subscription_id: text,
      tenant_id: text,
      client_id: text,
      client_secret: text,
      ...refresh,
      authentication_method: word("OAuth", "ManagedIdentity", "SDK", "WorkloadIdentity"),
      resource_group: text,
    },
    azureFits,
  ),
  consul_sd_configs: overHttp(
    {
      server: text,
      path_prefix: text,
      token: text,
      datacenter: text,
      namespace: text,
      partition: text,
      tag_separator: text,
      scheme: text,
      username: text,
      password: text,
      allow_stale: flag,
      ...refresh,
      services: list(text),
      tags: list(text),
      node_meta: map(text),
      filter: text,
      health_filter: text,
    },
    consulFits,
  ),
  digitalocean_sd_configs: overHttp({ ...refresh, ...everyPort, role: word("droplets", "databases") }),
  dns_sd_configs: object({ names: list(text), ...refresh, type: dnsType, ...everyPort }, required("names"), dnsFits),
  docker_sd_configs: overHttp({ ...docker, host_networking_host: text, match_first_network: flag }, required("host")),
  dockerswarm_sd_configs: overHttp({ ...docker, role: word("services", "nodes", "tasks") }, required("host", "role")),
  ec2_sd_configs: overHttp({ ...aws, filters }, filtersHaveValues),
  ecs_sd_configs: overHttp({ ...aws, ...clusters }),
  elasticache_sd_configs: overHttp({ ...aws, ...clusters }),
  eureka_sd_configs: overHttp({ server: url, ...refresh }, required("server"), httpUrl("server")),
  file_sd_configs: object({ files: list(fileName), ...refresh }, required("files")),
  gce_sd_configs: object(
    { project: text, zone: text, filter: text, ...refresh, ...everyPort, tag_separator: text },
    required("project", "zone"),
  ),
  hetzner_sd_configs: overHttp({ ...refresh, ...everyPort, role: word("robot", "hcloud"), label_selector: text }, required("role")),
  http_sd_configs: overHttp({ url, ...refresh }, required("url"), httpUrl("url", HTTP)),
  ionos_sd_configs: overHttp({ datacenter_id: text, ...refresh, ...everyPort }, required("datacenter_id")),
  kubernetes_sd_configs: kubernetesDiscovery,
  kuma_sd_configs: overHttp({ ...refresh, fetch_timeout: duration, server: url, client_id: text }, required("server"), httpUrl("server")),
  lightsail_sd_configs: overHttp(aws),
  linode_sd_configs: overHttp({ ...refresh, ...everyPort, tag_separator: text, region: text }),
  marathon_sd_configs: overHttp(
    { servers: list(text), ...refresh, auth_token: text, auth_token_file: text },
    required("servers"),
    atMostOne("auth_token", "auth_token_file"),
    marathonFits,
  ),
  msk_sd_configs: overHttp({ ...aws, ...clusters }),
  nerve_sd_configs: zookeeper,
  nomad_sd_configs: overHttp({
    allow_stale: flag,
    namespace: text,
    ...refresh,
    region: text,
    server: filledText,
    tag_separator: text,
  }),
  oci_sd_configs: overHttp(
    {
      auth: word("api_key", "instance_principal"),
      tenancy: text,
      user: text,
      fingerprint: text,
      key_file: text,
      key_passphrase: text,
      key_passphrase_file: text,
      region: text,
      compartments: list(filledText),
      ...everyPort,
      ...refresh,
    },
    required("region"),
    ociFits,
    refreshes,
  ),
  openstack_sd_configs: object(
    {
      identity_endpoint: text,
      username: text,
      userid: text,
      password: text,
      project_name: text,
      project_id: text,
      domain_name: text,
      domain_id: text,
      application_credential_name: text,
      application_credential_id: text,
      application_credential_secret: text,
      role: word("hypervisor", "instance", "loadbalancer"),
      region: text,
      ...refresh,
      ...everyPort,
      all_tenants: flag,
      tls_config: tlsConfig,
      availability: word("public", "internal", "admin"),
    },
    required("role", "region"),
  ),
  outscale_sd_configs: overHttp(
    { endpoint: text, region: filledText, access_key: text, secret_key: text, secret_key_file: text, ...refresh, ...everyPort },
    required("access_key"),
    atLeastOne("secret_key", "secret_key_file"),
    atMostOne("secret_key", "secret_key_file"),
  ),
  ovhcloud_sd_configs: object(
    {
      endpoint: filledText,
      application_key: text,
      application_secret: text,
      consumer_key: text,
      ...refresh,
      service: word("dedicated_server", "vps"),
    },
    required("application_key", "application_secret", "consumer_key", "service"),
  ),
  puppetdb_sd_configs: overHttp(
    { ...refresh, url, query: text, include_parameters: flag, ...everyPort },
    required("url", "query"),
    httpUrl("url", HTTP),
  ),
  rds_sd_configs: overHttp({ ...aws, ...clusters, filters }),
  scaleway_sd_configs: overHttp(
    {
      project_id: text,
      api_url: text,
      zone: text,
      access_key: text,
      secret_key: text,
      secret_key_file: text,
      name_filter: text,
      tags_filter: list(text),
      ...refresh,
      ...everyPort,
      role: word("instance", "baremetal"),
    },
    required("role", "project_id", "access_key"),
    atLeastOne("secret_key", "secret_key_file"),
    atMostOne("secret_key", "secret_key_file"),
  ),
  serverset_sd_configs: zookeeper,
  stackit_sd_configs: overHttp(
    {
      project: text,
      ...refresh,
      ...everyPort,
      region: text,
      endpoint: url,
      service_account_key: text,
      private_key: text,
      service_account_key_path: text,
      private_key_path: text,
      credentials_file_path: text,
    },
    (value) => (value.region === "" && !isSet(value.endpoint) ? finding("", "endpoint or region is required", "a region", "region") : []),
  ),
  triton_sd_configs: object(
    {
      account: text,
      role: word("container", "cn"),
      dns_suffix: text,
      endpoint: text,
      groups: list(text),
      ...everyPort,
      ...refresh,
      tls_config: tlsConfig,
      version: count(),
    },
    required("account", "dns_suffix", "endpoint"),
    refreshes,
  ),
  uyuni_sd_configs: overHttp(
    { server: url, username: text, password: text, entitlement: text, separator: text, ...refresh },
    required("server", "username", "password"),
  ),
  vultr_sd_configs: overHttp({ ...refresh, ...everyPort }),
};

function fileName(value: unknown) {
  return typeof value === "string" && !FILE_NAME.test(value.slice(0, 4_096))
    ? finding(value, "files of targets are JSON or YAML, with at most one * in the last part", "a path that ends in .json, .yml or .yaml")
    : text(value);
}
