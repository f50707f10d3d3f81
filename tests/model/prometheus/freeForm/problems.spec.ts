import assert from "node:assert/strict";
import { stringify } from "yaml";
import { freeFormProblems, judgeRuleFile, pathText, RESERVED_REMOTE_WRITE_HEADERS } from "../../../../model/prometheus/freeForm/problems";
import { formatProblem } from "../../../../model/values/problem";
import { settingsOf } from "../../../harness";

/** Problems of an environment with these keys, a line each. */
const told = (overrides: Record<string, unknown>) => freeFormProblems(settingsOf("dev", overrides)).map(formatProblem);
const withJobs = (...scrapeConfigs: object[]) => told({ prometheus: { scrapeConfigs } });
/** Problems of one job, whose name is given. */
const withJob = (job: object) => withJobs({ job_name: "own", ...job });
const withHeaders = (headers: object) =>
  told({ prometheus: { remoteWrite: { otherTargets: [{ url: "https://metrics.example.org/push", headers }] } } });

function assertTold(lines: string[], ...expected: RegExp[]): void {
  expected.forEach((line, index) => {
    assert.match(lines[index] ?? "(nothing)", line);
  });
  assert.equal(lines.length, expected.length, lines.join("\n"));
}

describe("scrape configs", () => {
  it("name the field that was meant, or all there are", () => {
    assertTold(
      withJob({ scrape_intervall: "5s", relabel_config: [], "metrics-port": 1 }),
      /^prometheus\.scrapeConfigs\[0\]\.scrape_intervall = "5s": there is no such field\. Accepted: scrape_interval\.$/,
      /\.relabel_config = \[\]: there is no such field\. Accepted: relabel_configs\.$/,
      /\.metrics-port = 1: there is no such field\. Accepted: one of always_scrape_classic_histograms, .*, zookeeper|\.metrics-port = 1: .*one of /,
    );
  });

  it("refuse what is no action, no RE2, no duration, at any depth and all at once", () => {
    assertTold(
      withJob({
        scrape_timeout: "10",
        relabel_configs: [{ action: "keepp" }, { source_labels: ["a"], regex: "(?!foo).*", action: "drop" }],
        dns_sd_configs: [{ names: ["a"], type: "A", refresh_interval: "soon" }],
      }),
      /scrape_timeout = "10": not a duration.* Accepted: a duration such as 30s/,
      /relabel_configs\[0\]\.action = "keepp": there is no such action\. Accepted: replace, keep, drop, .*uppercase\.$/,
      /relabel_configs\[1\]\.regex = "\(\?!foo\)\.\*": .*RE2's, which refuses a negative lookahead.* Accepted: RE2/,
      /dns_sd_configs\[0\]\.refresh_interval = "soon": not a duration/,
      /dns_sd_configs\[0\]\.port = \(not set\): records of type A say no port/,
    );
  });

  it("end a scrape before the next begins, with the environment's own interval too", () => {
    assertTold(withJob({ scrape_interval: "5s", scrape_timeout: "30s" }), /scrape_timeout = "30s": .*scrape_interval 5s/);
    assertTold(withJob({ scrape_timeout: "31s" }), /scrape_timeout = "31s": .*scrape_interval 30s/);
    assertTold(withJob({ scrape_interval: "1m", scrape_timeout: "60s" }));
    assertTold(withJob({ scrape_interval: "5s" }));
  });

  it("have names of their own, which no other job and none of the stack's has", () => {
    assertTold(
      withJobs({ job_name: "a" }, { job_name: "a" }),
      /scrapeConfigs\[1\]\.job_name = "a": every job has a name of its own\. Accepted: a name other than that of scrapeConfigs\[0\]/,
    );
    for (const name of ["prometheus", "thanos-compactor", "thanos-receive-router"])
      assertTold(withJobs({ job_name: name }), /its targets would count as the stack's own in alerts/);
    assertTold(withJobs({ job_name: "kubelet" }), /scrapeConfigs\[0\]\.job_name = "kubelet"/);
    assertTold(withJobs({}), /scrapeConfigs\[0\]\.job_name = \(not set\): this field is required/);
  });

  it("take a field without a value for one that is left out, and an entry without fields for a mistake", () => {
    assertTold(withJob({ relabel_configs: null, tls_config: null }));
    assertTold(
      withJob({ relabel_configs: [null], static_configs: [null] }),
      /relabel_configs\[0\] = \(not set\)/,
      /static_configs\[0\] = \(not set\)/,
    );
  });

  it("know the names of fields without a value too", () => {
    assertTold(
      withJob({ scrape_intervall: null, static_config: null, relabel_configs: [{ REGEX: null, regex: null, target_label: "a" }] }),
      /scrape_intervall = \(not set\): there is no such field\. Accepted: scrape_interval\.$/,
      /static_config = \(not set\): there is no such field/,
      /relabel_configs\[0\]\.REGEX = \(not set\): there is no such field/,
    );
  });

  it("refuse a field without a value whose default is not empty", () => {
    assertTold(
      withJob({
        relabel_configs: [
          { target_label: "a", action: null },
          { action: "labelmap", regex: "a", replacement: null },
          { source_labels: [""], target_label: "b" },
        ],
        dns_sd_configs: [{ names: ["a"], type: null }],
      }),
      /relabel_configs\[0\]\.action = \(not set\): without a value this is empty to Prometheus.* Accepted: a value, or the field left out/,
      /relabel_configs\[1\]\.replacement = \(not set\): the action labelmap/,
      /relabel_configs\[2\]\.source_labels\[0\] = "": this can't be empty/,
      /dns_sd_configs\[0\]\.type = \(not set\): without a value/,
    );
  });

  it("have selectors by labels as Kubernetes parses them", () => {
    const select = (label: string) => withJob({ kubernetes_sd_configs: [{ role: "pod", selectors: [{ role: "pod", label }] }] });
    for (const label of ["app=x y", "a in (b", "a in ()", "a,", ",a", "=b", "a=b=c", "a/b/c", "a in b", "!a=b", "a>b", "a=-", "a b"]) {
      assertTold(select(label), /selectors\[0\]\.label = ".*": not a selector by labels\. Accepted: key=value/);
    }
    for (const label of ["", "a", "!a", "a=", "a = b", "a==b,c!=d", "x.io/a in (b, c), d notin (,e)", "a>1", "in=b", "a,!b"])
      assertTold(select(label));
  });

  it("have URLs as Go parses them", () => {
    for (const url of [
      "http://[fd00::1/x",
      "http://p%zz/",
      "http://a/%zz",
      "http://x:abc/",
      "http://a:1:2/",
      "http://a\\b/",
      "http://a[b]/",
    ]) {
      assertTold(withJob({ http_sd_configs: [{ url }] }), /http_sd_configs\[0\]\.url = .*: not a URL: it has .* Accepted: a URL such as/);
    }
    for (const url of ["http://[fd00::1]:80/x?%zz", "http://a:/b%20c", "https://é/", "http://a"])
      assertTold(withJob({ http_sd_configs: [{ url }] }));
  });

  it("count no more bytes than Prometheus can", () => {
    for (const size of ["99999999999999GB", "8EiB", "8192PB"])
      assertTold(withJob({ body_size_limit: size }), /more bytes than Prometheus can count\. Accepted: less than 8EiB/);
    assertTold(withJob({ body_size_limit: "7EiB" }));
  });

  it("show no credential in a message, nor a whole page", () => {
    const [line = ""] = withJob({ basic_auth: { username: "a", password: 123456789 } });
    assert.match(line, /password = "\(not shown\)": Prometheus has a text here/);
    const [long = ""] = withJob({ metrics_path: { a: "x".repeat(5_000) } });
    assert.ok(long.length < 500, long);
  });
});

describe("digits that are text", () => {
  const QUOTE = /: Prometheus has a text here, .*form is lost.* Accepted: the text in quotes\.$/;
  const cases: [string, object][] = [
    [
      "labels of static targets",
      { static_configs: [{ targets: ["a:1"], labels: { account: 12345678901, ver: 1.1, big: 1.2345678901234568e20, on: true } }] },
    ],
    ["a regular expression", { relabel_configs: [{ source_labels: ["a"], regex: 1, action: "keep" }] }],
    ["a replacement and a separator", { relabel_configs: [{ target_label: "a", replacement: 7, separator: 0 }] }],
    ["parameters", { params: { module: [200] } }],
    ["headers", { http_headers: { "X-Team": { values: [7] } } }],
    ["a user and a server's name", { basic_auth: { username: 1001 }, tls_config: { server_name: 10 } }],
    ["a selector", { kubernetes_sd_configs: [{ role: "pod", selectors: [{ role: "pod", label: 5 }] }] }],
  ];
  for (const [what, job] of cases) {
    it(`are refused unquoted: ${what}`, () => {
      const lines = withJob(job);
      assert.ok(lines.length > 0);
      for (const line of lines) assert.match(line, QUOTE);
    });
  }

  it("are taken in quotes", () => {
    assertTold(
      withJob({
        static_configs: [{ targets: ["a:1"], labels: { account: "012345678901", ver: "1.10" } }],
        relabel_configs: [{ source_labels: ["a"], regex: "1", replacement: "7", target_label: "b" }],
        params: { module: ["200"] },
      }),
    );
  });

  it("are numbers where Prometheus has numbers", () => {
    assertTold(
      withJob({
        sample_limit: "1000",
        honor_labels: "yes",
        body_size_limit: 100,
        dns_sd_configs: [{ names: ["a"], type: "A", port: "80" }],
      }),
      /sample_limit = "1000": Prometheus has a whole number here\. Accepted: .*without quotes/,
      /honor_labels = "yes": .* Accepted: true or false, without quotes/,
      /body_size_limit = 100: not a size/,
      /port = "80": Prometheus has a port here/,
    );
  });

  it("are refused in relabelling of what is received and of what is sent", () => {
    assertTold(
      told({
        receive: { relabel: [{ regex: 5, action: "labeldrop" }] },
        prometheus: { remoteWrite: { relabel: [{ target_label: "a", replacement: 1 }] } },
      }),
      /^prometheus\.remoteWrite\.relabel\[0\]\.replacement = 1/,
      /^receive\.relabel\[0\]\.regex = 5/,
    );
  });
});

describe("relabelling of what is received and of what is sent", () => {
  it("is as strict as a scrape's", () => {
    const rules = [
      { action: "labeldropp" },
      { regexp: "a" },
      { action: "hashmod", target_label: "a" },
      { action: "labelkeep", regex: "a*+", replacement: "x" },
    ];
    for (const [key, overrides] of [
      ["receive.relabel", { receive: { relabel: rules } }],
      ["prometheus.remoteWrite.relabel", { prometheus: { remoteWrite: { relabel: rules } } }],
    ] as const) {
      const lines = told(overrides);
      const at = (place: string) => lines.filter((line) => line.startsWith(`${key}${place} = `)).length;
      assert.deepEqual(
        ["[0].action", "[1].regexp", "[2].modulus", "[3].regex", "[3].replacement"].map(at),
        [1, 1, 1, 1, 1],
        lines.join("\n"),
      );
    }
  });
});

describe("headers of remote write", () => {
  it("are not those that Prometheus sets, in any case", () => {
    for (const header of RESERVED_REMOTE_WRITE_HEADERS) {
      assertTold(withHeaders({ [header.toUpperCase()]: "x" }), /Prometheus sets this header itself/);
    }
  });

  it("are not Authorization, which has no key, and whose value nobody is shown", () => {
    const lines = withHeaders({ authorization: "Bearer very-secret-token" });
    assertTold(
      lines,
      /^prometheus\.remoteWrite\.otherTargets\[0\]\.headers\.authorization = "\(not shown\)": .*client\.authorization or client\.basic_auth/,
    );
    assert.ok(!lines.join().includes("very-secret"));
  });

  it("are names and values of HTTP, each once", () => {
    assertTold(withHeaders({ "X A": "b" }), /headers\.X A = .*not a header's name/);
    assertTold(withHeaders({ "X-A\r\nX-B": "c" }), /not a header's name/);
    assertTold(withHeaders({ "X-A": "b\nX-C: d" }), /one line, without control characters/);
    assertTold(withHeaders({ "X-A": "1", "x-a": "2" }), /the same header twice/, /the same header twice/);
    assertTold(withHeaders({ "THANOS-TENANT": "shop", "X-Scope-OrgID": "ü" }));
  });
});

describe("a client of remote write", () => {
  const withClient = (client: object) =>
    told({ prometheus: { remoteWrite: { otherTargets: [{ url: "https://metrics.example.org/push", client }] } } });
  const at = "^prometheus\\.remoteWrite\\.otherTargets\\[0\\]\\.client";

  it("shows who it is in any of Prometheus' ways, by file", () => {
    for (const client of [
      {},
      { basic_auth: { username: "a", password_file: "/etc/extra/password" }, tls_config: { ca_file: "/etc/extra/ca.crt" } },
      { authorization: { type: "Bearer", credentials_file: "/etc/extra/token" } },
      {
        oauth2: { client_id: "a", client_secret_file: "/etc/extra/secret", token_url: "https://login.example/token", scopes: ["write"] },
        proxy_url: "http://proxy:3128",
      },
      { sigv4: { region: "eu-central-1", role_arn: "arn:aws:iam::1:role/x" } },
      { azuread: { cloud: "AzurePublic", workload_identity: { client_id: "a", tenant_id: "b" } } },
      { google_iam: { credentials_file: "/etc/extra/key.json" } },
    ])
      assertTold(withClient(client));
  });

  it("is refused with another field, or as two at once", () => {
    assertTold(withClient({ basic_aut: {} }), new RegExp(`${at}\\.basic_aut = .*Accepted: basic_auth`));
    assertTold(withClient({ sigv4: { regoin: "a" } }), new RegExp(`${at}\\.sigv4\\.regoin = .*Accepted: region`));
    assertTold(
      withClient({ sigv4: { region: "a" }, authorization: { credentials_file: "/a" } }),
      new RegExp(`${at}\\.sigv4 = "\\(set\\)": at most one of basic_auth, authorization`),
    );
  });

  it("has no credential in plain text, wherever one may stand, and none is shown", () => {
    const hush = "very-secret";
    for (const [client, expected] of [
      [{ basic_auth: { username: "a", password: hush } }, /basic_auth\.password = "\(not shown\)": .*ConfigMap.*password_file/],
      [{ authorization: { credentials: hush } }, /authorization\.credentials = .*credentials_file/],
      [{ tls_config: { cert: "a", key: hush } }, /tls_config\.key = .*key_file/],
      [{ sigv4: { access_key: "a", secret_key: hush } }, /sigv4\.secret_key = .*AWS_SHARED_CREDENTIALS_FILE in prometheus\.extra\.env/],
      [{ azuread: { oauth: { client_id: "a", client_secret: hush, tenant_id: "b" } } }, /azuread\.oauth\.client_secret = .*azuread\.sdk/],
      [{ bearer_token: hush }, /bearer_token = .*bearer_token_file/],
    ] as const) {
      const lines = withClient(client);
      assertTold(lines, expected);
      assert.ok(!lines.join().includes(hush));
    }
    assertTold(
      withJob({ oauth2: { client_id: "a", client_secret: hush, token_url: "https://login.example/token" } }),
      /^prometheus\.scrapeConfigs\[0\]\.oauth2\.client_secret = "\(not shown\)"/,
    );
    // In a selector it is no credential.
    assertTold(withJob({ kubernetes_sd_configs: [{ role: "pod", selectors: [{ role: "pod", label: "key=a" }] }] }));
  });
});

describe("credentials in plain text", () => {
  const HUSH = "very-secret-1";
  const told1 = (lines: string[], expected: RegExp) => {
    assertTold(lines, expected);
    assert.ok(!lines.join().includes(HUSH), lines.join());
  };

  it("are refused in every field of Prometheus' type Secret of every discovery, with another way", () => {
    const discoveries: [string, object, string, RegExp][] = [
      ["consul", { server: "x:1" }, "token", /authorization\.credentials_file/],
      ["consul", { server: "x:1" }, "password", /basic_auth\.password_file/],
      ["azure", { subscription_id: "s", tenant_id: "t", client_id: "c" }, "client_secret", /WorkloadIdentity/],
      ["openstack", { role: "instance", region: "r" }, "password", /OS_PASSWORD/],
      ["openstack", { role: "instance", region: "r" }, "application_credential_secret", /OS_PASSWORD/],
      ["uyuni", { server: "https://x", username: "u" }, "password", /takes it from no file/],
      ["marathon", { servers: ["http://x"] }, "auth_token", /auth_token_file/],
      [
        "oci",
        { region: "r", auth: "api_key", tenancy: "t", user: "u", fingerprint: "f", key_file: "/k" },
        "key_passphrase",
        /key_passphrase_file/,
      ],
      ["outscale", { region: "r", access_key: "a" }, "secret_key", /secret_key_file/],
      ["scaleway", { role: "instance", project_id: "p", access_key: "a" }, "secret_key", /secret_key_file/],
      ["stackit", { region: "r" }, "service_account_key", /service_account_key_path/],
      ["stackit", { region: "r" }, "private_key", /private_key_path/],
      ["ec2", { region: "r" }, "secret_key", /AWS_SHARED_CREDENTIALS_FILE/],
      ["aws", { role: "ec2", region: "r" }, "secret_key", /AWS_SHARED_CREDENTIALS_FILE/],
    ];
    for (const [name, rest, field, remedy] of discoveries) {
      const lines = withJob({ [`${name}_sd_configs`]: [{ ...rest, [field]: HUSH }] });
      told1(lines, new RegExp(`${name}_sd_configs\\[0\\]\\.${field} = "\\(not shown\\)": .*${remedy.source}`));
    }
    const ovh = { endpoint: "ovh-eu", service: "vps", application_key: "a", application_secret: HUSH, consumer_key: HUSH };
    assertTold(withJob({ ovhcloud_sd_configs: [ovh] }), /application_secret = /, /consumer_key = /);
    // Who has the secret is none.
    assertTold(withJob({ outscale_sd_configs: [{ region: "r", access_key: "a1b2", secret_key_file: "/etc/credentials/a" }] }));
  });

  it("have a remedy of their own beside a proxy that is found in another way", () => {
    const both = { proxy_url: "http://p:1", proxy_from_environment: true };
    told1(withJob(both), /proxy_url = .*exclude each other\. Accepted: proxy_url left out, or proxy_from_environment/);
    told1(
      withJob({ proxy_from_environment: true, no_proxy: "a" }),
      /Accepted: no_proxy left out, or a proxy_url in place of proxy_from_environment/,
    );
    told1(withJob({ no_proxy: "a" }), /Accepted: no_proxy left out, or a proxy_url/);
  });

  it("are refused in headers, URLs and parameters", () => {
    const header = (kind: string, name = "X-Scope") => ({ http_headers: { [name]: { [kind]: [HUSH] } } });
    told1(withJob(header("secrets")), /X-Scope\.secrets\[0\] = "\(not shown\)": .*Accepted: files/);
    told1(withJob(header("values", "X-Api-Key")), /X-Api-Key\.values\[0\] = "\(not shown\)"/);
    assertTold(withJob({ http_headers: { "X-Scope": { values: ["a"], files: ["/etc/credentials/a"] } } }));
    const proxy = { proxy_url: "http://p:1", proxy_connect_header: { "Proxy-Authorization": [`Basic ${HUSH}`] } };
    told1(withJob(proxy), /proxy_connect_header\.Proxy-Authorization\[0\] = "\(not shown\)": .*proxy_from_environment/);
    assertTold(withJob({ ...proxy, proxy_connect_header: { "X-Team": ["a"] } }));
    for (const url of [`http://u:${HUSH}@p:1`, `http://${HUSH}@p:1`]) {
      told1(withJob({ proxy_url: url }), /proxy_url = "\(not shown\)": .*proxy_from_environment/);
      told1(withJob({ http_sd_configs: [{ url }] }), /http_sd_configs\[0\]\.url = "\(not shown\)"/);
      told1(told({ alerting: { alertmanagers: ["http://am:1"], client: { proxy_url: url } } }), /^alerting\.client\.proxy_url/);
    }
    told1(withJob({ http_sd_configs: [{ url: `http://x/?token=${HUSH}` }] }), /http_sd_configs\[0\]\.url = "\(not shown\)"/);
    told1(withJob({ params: { token: [HUSH] } }), /params\.token\[0\] = "\(not shown\)"/);
    for (const url of [`https://u:${HUSH}@x/p`, `https://x/p?token=${HUSH}`])
      told1(told({ prometheus: { remoteWrite: { otherTargets: [{ url }] } } }), /otherTargets\[0\]\.url = "\(not shown\)"/);
    told1(withHeaders({ "X-Api-Key": HUSH }), /headers\.X-Api-Key = "\(not shown\)": .*client\.http_headers\.X-Api-Key\.files/);
    assertTold(withHeaders({ "X-Scope-OrgID": "payments" }));
  });

  it("are none in addresses, expressions and references of rules", () => {
    assertTold(withJob({ static_configs: [{ targets: ["token:8080"] }] }));
    const rule = { source_labels: ["a"], regex: "token=(.*)", target_label: "b", replacement: "token=$1" };
    assertTold(withJob({ relabel_configs: [rule] }));
  });

  it("are no references to a secret manager, and none is offered", () => {
    for (const job of [
      { basic_auth: { username: "u", password_ref: HUSH } },
      { authorization: { credentials_ref: HUSH } },
      { tls_config: { ca_ref: HUSH } },
    ])
      told1(withJob(job), /_ref = "\(not shown\)": .*no(?:ne)?[: ].*never scraped\. Accepted: \w+_file\./);
    const [line = ""] = withJob({ basic_auth: { username: "a", username_file: "/etc/credentials/a" } });
    assert.match(line, /at most one of username, username_file\./);
  });

  it("are no names of files", () => {
    for (const password_file of [HUSH, `${HUSH} pw`, "relative/file"]) {
      const login = { basic_auth: { username: "u", password_file } };
      const expected = /password_file = "\(not shown\)": .*Accepted: an absolute path/;
      told1(withJob(login), expected);
      told1(told({ alerting: { alertmanagers: ["http://am:1"], client: login } }), expected);
      told1(told({ prometheus: { remoteWrite: { otherTargets: [{ url: "https://x/p", client: login }] } } }), expected);
    }
    assertTold(withJob({ file_sd_configs: [{ files: ["a.json"] }] }), /files\[0\] = "\(not shown\)"/);
  });
});

describe("a client of whoever sends alerts", () => {
  const withClient = (client: object) => told({ alerting: { alertmanagers: ["http://am:9093"], client } });

  it("has what a Prometheus and a ruler both know", () => {
    assertTold(withClient({ basic_auth: { username: "a", password_file: "/etc/extra/password" }, proxy_url: "http://proxy:3128" }));
    assertTold(withClient({ authorization: { type: "Bearer", credentials_file: "/etc/extra/token" } }));
    assertTold(withClient({ oauth2: {} }), /^alerting\.client\.oauth2 = .*there is no such field/);
    assertTold(
      withClient({ basic_auth: { password: "hush" } }),
      /^alerting\.client\.basic_auth\.password = "\(not shown\)": .*password_file/,
    );
    assertTold(withClient({ authorization: { type: "Digest" } }), /^alerting\.client\.authorization\.type = "Digest"/);
  });
});

describe("discovery in the namespaces that Prometheus may read", () => {
  const inside = (discovery: object, ...namespaces: string[]) =>
    told({
      prometheus: {
        namespaces: namespaces[0] === "*" ? undefined : ["shop", ...namespaces],
        scrapeConfigs: [{ job_name: "own", kubernetes_sd_configs: [discovery] }],
      },
    });

  it("is refused where it looks elsewhere, since the API server answers 403 and nothing is said", () => {
    assertTold(
      inside({ role: "endpoints" }),
      /kubernetes_sd_configs\[0\]\.namespaces\.names = \(not set\): without names .*every namespace.* Accepted: names of shop, thanos-dev\.$/,
    );
    assertTold(inside({ role: "pod", namespaces: { names: ["shop", "bank"] } }), /namespaces\.names = "bank": .*another namespace/);
    assertTold(
      inside({ role: "pod", namespaces: { names: ["shop"] }, attach_metadata: { namespace: true } }),
      /attach_metadata\.namespace = true: labels of namespaces are read from all of them/,
    );
  });

  it("is taken where it stays there, finds nodes, or asks another API server", () => {
    assertTold(inside({ role: "ingress", namespaces: { names: ["shop"], own_namespace: true } }));
    assertTold(inside({ role: "pod", namespaces: { own_namespace: true } }));
    assertTold(inside({ role: "node" }));
    assertTold(inside({ role: "endpoints", api_server: "https://other.example.org" }));
    assertTold(inside({ role: "endpoints", kubeconfig_file: "/etc/other" }));
    assertTold(inside({ role: "endpoints", attach_metadata: { namespace: true } }, "*"));
  });
});

describe("files of rules", () => {
  const alert = { alert: "Down", expr: "up == 0" };
  const said = (rules: object[], group: object = {}) =>
    judgeRuleFile("shop.yaml", stringify({ groups: [{ name: "shop", rules, ...group }] })).problems.map(formatProblem);

  it("are named with the place in them", () => {
    assertTold(
      said([alert, { ...alert, forr: "5m" }]),
      /^prometheus\.ruleFolder\/shop\.yaml: groups\[0\]\.rules\[1\]\.forr = "5m": there is no such field\. Accepted: for\.$/,
    );
  });

  it("say what records, what alerts, and how long", () => {
    assertTold(said([{ ...alert, record: "a" }]), /rules\[0\]\.alert = "Down": a rule records or alerts/);
    assertTold(said([{ expr: "up" }]), /rules\[0\] = \(not set\): a rule records or alerts/);
    assertTold(said([{ alert: "A" }]), /rules\[0\]\.expr = \(not set\): this field is required/);
    assertTold(
      said([{ ...alert, for: "5 minutes", keep_firing_for: 5 }]),
      /for = "5 minutes": not a duration/,
      /keep_firing_for = 5: not a duration/,
    );
    assertTold(
      said([{ record: "a{b}", expr: "up", annotations: { a: "b" } }]),
      /annotations = .*only alerts/,
      /record = "a\{b\}": .*no braces/,
    );
    assertTold(said([{ ...alert, labels: { __name__: "x", severity: { a: 1 } } }]), /labels\.__name__/, /labels\.severity = .*text/);
    assertTold(said([alert], { interval: "often", limit: -1 }), /groups\[0\]\.interval = "often"/, /groups\[0\]\.limit = -1/);
    assertTold(said([alert], { name: "" }), /groups\[0\]\.name = "": this field is required/);
  });

  it("take numbers for texts, since the file is passed on as it is", () => {
    assertTold(said([{ record: "one", expr: 1, labels: { level: 1 } }]));
  });

  it("have a strategy for partial answers where a ruler evaluates them, which writes labels anew", () => {
    const text = stringify({ groups: [{ name: "a", partial_response_strategy: "WARN", rules: [{ ...alert, labels: { level: 1.1 } }] }] });
    assertTold(
      judgeRuleFile("a.yaml", text).problems.map(formatProblem),
      /groups\[0\]\.partial_response_strategy = "WARN": there is no such field/,
    );
    assertTold(
      judgeRuleFile("a.yaml", text, "ruler").problems.map(formatProblem),
      /rules\[0\]\.labels\.level = 1\.1: .*the text in quotes|level = 1\.1: .*form is lost/,
    );
    assertTold(
      judgeRuleFile("a.yaml", text.replace("WARN", "maybe").replace("1.1", "one"), "ruler").problems.map(formatProblem),
      /partial_response_strategy = "maybe": .* Accepted: abort, warn/,
    );
  });

  it("take anchors, aliases and merge keys", () => {
    const text = "groups:\n  - name: a\n    rules:\n      - &first { alert: A, expr: up, for: 5m }\n      - { <<: *first, alert: B }\n";
    assert.deepEqual(judgeRuleFile("a.yaml", text).problems, []);
  });

  it("that are no YAML are named with line and column, and not a letter of them is shown", () => {
    for (const text of [
      "root:x:0:0:secret\nother: [",
      "a: 'secret\n",
      "a: b: secret",
      "secret: *root",
      "%secret\n---\n- }",
      "\tsecret: 1",
      "a: !secret 1\na: 2",
    ]) {
      const lines = judgeRuleFile("passwd.yaml", text).problems.map(formatProblem);
      assert.ok(lines.length > 0, text);
      for (const line of lines) {
        assert.match(line, /^prometheus\.ruleFolder = "passwd\.yaml": (?:not YAML \(|a rule file has)/);
        assert.ok(!/secret|root/.test(line), line);
      }
    }
  });
});

describe("paths in messages", () => {
  it("are written as keys are", () => {
    assert.equal(pathText("prometheus.scrapeConfigs", [0, "params", "a.b", 1]), "prometheus.scrapeConfigs[0].params.a.b[1]");
  });
});
