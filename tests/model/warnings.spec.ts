import assert from "node:assert/strict";
import { planWarnings } from "../../model/warnings";
import { type Overrides, settingsOf } from "../harness";

describe("warnings of a plan", () => {
  const of = (overrides: Overrides = {}) => planWarnings(settingsOf("dev", overrides));

  it("are none for the environments of the repository", () => {
    for (const stack of ["dev", "prod"] as const) assert.deepEqual(planWarnings(settingsOf(stack)), []);
  });

  it("are intervals after which a series has gaps", () => {
    const own = (scrape_interval: string) => of({ prometheus: { scrapeConfigs: [{ job_name: "own", scrape_interval }] } });
    assert.deepEqual(own("2m30s"), []);
    assert.match(
      own("3m").join(),
      /^prometheus\.scrapeConfigs\[0\]\.scrape_interval is 3m: .* where one sample is late or missing; from 2m down they have none$/,
    );
    assert.match(own("1h").join(), / where nobody asks over a longer range \(last_over_time\)/);
    assert.match(of({ prometheus: { scrapeInterval: "6m" } }).join(), /^prometheus\.scrapeInterval is 6m/);
    assert.match(of({ prometheus: { evaluationInterval: "6m" } }).join(), /^prometheus\.evaluationInterval is 6m/);
    assert.match(of({ ruler: { evaluationInterval: "6m" } }).join(), /^ruler\.evaluationInterval is 6m/);
  });

  it("are loads that count fewer samples than are scraped", () => {
    const load = (fields: object) => of({ load: { series: 1_000, ...fields }, prometheus: { scrapeInterval: "15s" } });
    assert.match(load({ interval: "60s" }).join(), /^load\.interval is 60s, and prometheus\.scrapeInterval is 15s: /);
    assert.match(
      load({ samplesPerSecond: 20 }).join(),
      /^load\.samplesPerSecond is 20, one of a series in 50s, and .* 15s: .*a larger load\.samples/,
    );
    for (const fields of [
      { interval: "15s" },
      { samplesPerSecond: 100 },
      { samplesPerSecond: 65 },
      { samplesPerSecond: 1, scraped: 0 },
      { interval: "60s", scraped: 0 },
    ])
      assert.deepEqual(load(fields), []);
  });

  it("are slow queries that the query frontend does not log for its level", () => {
    const said = (overrides: Overrides) => planWarnings(settingsOf("prod", overrides)).join();
    assert.match(said({ logging: { level: "warn" } }), /^logging\.level is warn: the query frontend logs slow queries \(.*, 10s\) at info/);
    assert.match(said({ queryFrontend: { logging: { level: "error" } } }), /^queryFrontend\.logging\.level is error: /);
    for (const fields of [
      { logging: { level: "debug" } },
      { logging: { level: "warn" }, queryFrontend: { logging: { level: "info" } } },
      { logging: { level: "warn" }, queryFrontend: { slowQueries: { longerThan: "0s" } } },
      { logging: { level: "warn" }, queryFrontend: undefined },
      { querier: { logging: { level: "error" } } },
    ])
      assert.equal(said(fields), "");
  });

  it("are files of other targets and of whoever sends alerts, looked for where they are read", () => {
    const client = { basic_auth: { username: "u", password_file: "/etc/extra/own/password" } };
    const mounted = {
      extra: { volumes: [{ name: "own", secret: { secretName: "own" } }], volumeMounts: [{ name: "own", mountPath: "/etc/extra/own" }] },
    };
    const alerting = { alertmanagers: ["http://am:9093"], client };
    const otherTargets = [{ url: "https://x.example/push", client }];
    const sent = /^prometheus\.remoteWrite\.otherTargets\[0\]\.client\.basic_auth\.password_file names .*nothing is sent there/;
    assert.match(of({ prometheus: { remoteWrite: { otherTargets } } }).join(), sent);
    assert.deepEqual(of({ prometheus: { ...mounted, remoteWrite: { otherTargets } }, alerting }), []);
    assert.match(of({ alerting }).join(), /^alerting\.client\..*images\.prometheus has it, no alert is sent/);
    assert.match(of({ alerting, ruler: {}, prometheus: mounted }).join(), /^alerting\.client\..*images\.thanos .*ruler\.extra\.volumes/);
    assert.deepEqual(of({ alerting, ruler: mounted }), []);
    assert.deepEqual(of({ alerting: { client } }), []);
    const token = { ...alerting, client: { authorization: { credentials_file: "/var/run/secrets/kubernetes.io/serviceaccount/token" } } };
    assert.deepEqual([of({ alerting: token }).length, of({ alerting: token, ruler: {} }).length], [0, 1]);
  });

  it("show no path that may be the credential itself", () => {
    const job = { job_name: "own", basic_auth: { username: "u", password_file: "/hunter2+x" } };
    const [line = ""] = of({ prometheus: { scrapeConfigs: [job] } });
    assert.match(line, /password_file names a path \(not shown\)/);
    assert.ok(!line.includes("hunter2"));
  });

  it("are files of jobs that nobody mounts", () => {
    const own = (fields: object) => of({ prometheus: { scrapeConfigs: [{ job_name: "own", ...fields }] } });
    const account = "/var/run/secrets/kubernetes.io/serviceaccount";
    assert.deepEqual(own({ authorization: { credentials_file: `${account}/token` }, tls_config: { ca_file: `${account}/ca.crt` } }), []);
    assert.match(
      own({ tls_config: { ca_file: "/etc/ssl/own.pem" } }).join(),
      /^prometheus\.scrapeConfigs\[0\]\.tls_config\.ca_file names \/etc\/ssl\/own\.pem, which nothing mounts/,
    );
    assert.match(
      own({ file_sd_configs: [{ files: ["/etc/targets/a.json"] }] }).join(),
      /file_sd_configs\[0\]\.files\[0\] names \/etc\/targets\/a\.json/,
    );
    assert.match(
      own({ kubernetes_sd_configs: [{ role: "pod", kubeconfig_file: "/etc/kube/config" }] }).join(),
      /kubeconfig_file names \/etc\/kube\/config/,
    );
    const mounted = {
      extra: {
        volumes: [{ name: "own", secret: { secretName: "own" } }],
        volumeMounts: [{ name: "own", mountPath: "/etc/extra/own/" }],
      },
    };
    const job = { job_name: "own", basic_auth: { username: "u", password_file: "/etc/extra/own/password" } };
    assert.deepEqual(of({ prometheus: { ...mounted, scrapeConfigs: [job] } }), []);
    assert.equal(of({ prometheus: { ...mounted, scrapeConfigs: [{ ...job, tls_config: { ca_file: "/etc/extra/owner" } }] } }).length, 1);
  });
});
