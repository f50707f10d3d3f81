import assert from "node:assert/strict";
import fc from "fast-check";
import { changesThatRulersMiss, credentialProblems, ownCredentials, unusedCredentials } from "../../../model/credentials/rules";
import { credentialNamesIn, credentialsReadBy, credentialUses } from "../../../model/credentials/uses";
import type { Problem } from "../../../model/values/problem";
import { CLAIMS, type Overrides, type Stack, settingsOf, together } from "../../harness";

const HUSH = "very-secret";
const path = (name: string) => `/etc/credentials/${name}`;
const login = (name: string) => ({ basic_auth: { username: "stack", password_file: path(name) } });
const job = (name: string, job_name = "own") => ({ job_name, ...login(name) });
const existing = (...names: string[]) => ({
  credentialsFrom: Object.fromEntries(names.map((name) => [name, { secret: `of-${name}`, key: "password" }])),
});

/** Problems as `key: rule. Accepted: remedy`; none of them may contain a credential. */
function told(given: unknown, overrides: Overrides = {}, stack: Stack = "dev"): string[] {
  const found: Problem[] = credentialProblems(settingsOf(stack, overrides), given);
  assert.ok(!JSON.stringify(found).includes(HUSH), "a credential is shown");
  return found.map(({ key, rule, remedy }) => `${key}: ${rule}. Accepted: ${remedy}`);
}

function assertTold(lines: string[], ...expected: RegExp[]): void {
  assert.equal(lines.length, expected.length, lines.join("\n"));
  for (const [index, line] of lines.entries()) assert.match(line, expected[index] ?? /^$/);
}

describe("credentials: their form", () => {
  it("is a map of names and texts", () => {
    assertTold(told(undefined));
    assertTold(told({}));
    assertTold(told({ a: "x", "Orders.password_2-x": "-----BEGIN X-----\ny\n-----END X-----\n", "1": HUSH, a253: "line\n" }));
    for (const given of [HUSH, [HUSH], 3, null, true]) assertTold(told(given), /^credentials: this key holds a map of names and texts\./);
  });

  it("has names of files, and shows no other, which may be the credential itself", () => {
    for (const name of [`${HUSH}/`, `.${HUSH}`, `-${HUSH}`, `..${HUSH}`, `${HUSH} `, "", "ä", "a".repeat(254)]) {
      assertTold(told({ good: "x", [name]: "x" }), /^credentials: the name of entry 2 is no file's\. Accepted: .*253 letters/);
    }
  });

  it("has texts that say something, and that Prometheus reads as they are", () => {
    assertTold(told({ a: 12 }), /^credentials\.a: a credential is a text\. Accepted: a text; digits in quotes/);
    for (const nothing of [{}, null, []]) assertTold(told({ a: nothing }), /^credentials\.a: a credential is a text/);
    for (const empty of ["", " ", "\n"]) assertTold(told({ a: empty }), /^credentials\.a: this credential is empty/);
    for (const text of [` ${HUSH}`, `${HUSH} `, `\t${HUSH}`])
      assertTold(told({ a: text }), /^credentials\.a: .*leave out spaces at both ends/);
  });

  it("shares its names with credentialsFrom", () => {
    assertTold(told({ a: HUSH }, existing("b")));
    assertTold(told({ a: HUSH, b: HUSH }, existing("b")), /^credentialsFrom\.b: credentials has this name too/);
  });

  it("has room in a Secret, of what one component reads", () => {
    const half = "x".repeat(600_000);
    const jobs = (...names: string[]) => ({ prometheus: { scrapeConfigs: names.map((name) => job(name, `of-${name}`)) } });
    assertTold(told({ a: half, b: half }, jobs("a")));
    assertTold(told({ a: half, b: half }, jobs("a", "b")), /^credentials: those that prometheus reads .* 1024 KiB/);
  });
});

describe("credentials: who names them", () => {
  const names = (overrides: Overrides, given: object = {}) => told(given, overrides);

  it("names one that there is, of the map or of a Secret", () => {
    const jobs = { prometheus: { scrapeConfigs: [job("a", "1"), job("b", "2")] } };
    assertTold(names({ ...jobs, ...existing("b") }, { a: HUSH }));
    assertTold(
      names(jobs),
      /^prometheus\.scrapeConfigs\[0\]\.basic_auth\.password_file: no credential has this name, .*Accepted: a name of credentials or credentialsFrom, which have none$/,
      /^prometheus\.scrapeConfigs\[1\]/,
    );
  });

  it("is told the name that is near, or all there are", () => {
    const jobs = { prometheus: { scrapeConfigs: [job("orders-pasword")] } };
    assertTold(names({ ...jobs, ...existing("billing") }, { "orders-password": HUSH }), /Accepted: \/etc\/credentials\/orders-password$/);
    assertTold(
      names({ ...jobs, ...existing("billing") }, { ledger: HUSH }),
      /Accepted: .*: \/etc\/credentials\/billing, \/etc\/credentials\/ledger$/,
    );
  });

  it("names a file and no directory, and no name that objects have of themselves", () => {
    for (const name of ["", "a/b", "../a", "constructor", "__proto__", "*.json"]) {
      assertTold(names({ prometheus: { scrapeConfigs: [job(name)] } }, { a: HUSH }), /no credential has this name/);
    }
    const bare = { job_name: "own", bearer_token_file: "/etc/credentials" };
    assertTold(names({ prometheus: { scrapeConfigs: [bare] } }, { a: HUSH }), /no credential has this name/);
    // Another directory, of which nothing is known here.
    assertTold(names({ prometheus: { scrapeConfigs: [{ job_name: "own", bearer_token_file: "/etc/credentials-of-others/a" }] } }));
  });

  it("may be any field at any depth, another target, whoever sends alerts, and a flag or a variable", () => {
    const places: [string, Overrides, "prometheus" | "ruler"][] = [
      ["a", { prometheus: { scrapeConfigs: [{ job_name: "own", http_headers: { "X-Key": { files: [path("a")] } } }] } }, "prometheus"],
      [
        "a",
        {
          prometheus: {
            scrapeConfigs: [{ job_name: "own", oauth2: { client_id: "a", token_url: "https://x.example", client_secret_file: path("a") } }],
          },
        },
        "prometheus",
      ],
      [
        "a",
        { prometheus: { scrapeConfigs: [{ job_name: "own", consul_sd_configs: [{ tls_config: { ca_file: path("a") } }] }] } },
        "prometheus",
      ],
      ["a", { prometheus: { remoteWrite: { otherTargets: [{ url: "https://x.example/push", client: login("a") }] } } }, "prometheus"],
      ["a", { alerting: { alertmanagers: ["http://am:9093"], client: login("a") } }, "prometheus"],
      ["a", { alerting: { alertmanagers: ["http://am:9093"], client: login("a") }, ruler: {} }, "ruler"],
      ["a", { prometheus: { extra: { env: [{ name: "AWS_SHARED_CREDENTIALS_FILE", value: path("a") }] } } }, "prometheus"],
      ["a", { ruler: { extra: { args: [`--query.config-file=${path("a")}`] } } }, "ruler"],
    ];
    for (const [name, overrides, user] of places) {
      const settings = settingsOf("dev", overrides);
      assert.deepEqual(credentialsReadBy(credentialUses(settings), user), [name], JSON.stringify(overrides));
      assert.deepEqual(credentialsReadBy(credentialUses(settings), user === "ruler" ? "prometheus" : "ruler"), []);
      assertTold(told({ a: HUSH }, overrides));
      assertTold(told({}, overrides), /no credential has this name/);
    }
  });

  it("is found as the URL of a file, and within a variable of several settings", () => {
    for (const value of [`file://${path("a")}`, `sslcert=${path("a")} sslmode=x`, `http://x/?ca=${path("a")}`]) {
      const settings = settingsOf("dev", { prometheus: { extra: { env: [{ name: "X", value }] } } });
      assert.deepEqual(credentialsReadBy(credentialUses(settings), "prometheus"), ["a"], value);
    }
    const other = settingsOf("dev", { prometheus: { extra: { env: [{ name: "X", value: `/srv${path("a")}` }] } } });
    assert.deepEqual(credentialsReadBy(credentialUses(other), "prometheus"), []);
  });

  it("shows no name that is none, which may be the credential", () => {
    const problems = credentialProblems(settingsOf("dev", { prometheus: { scrapeConfigs: [job(`${HUSH} pw`)] } }), {});
    assert.deepEqual(
      problems.map(({ value }) => value),
      ["(not shown)"],
    );
  });

  it("is one line where it is sent as a header", () => {
    const sent = (fields: object) => told({ a: `${HUSH}\nmore` }, { prometheus: { scrapeConfigs: [{ job_name: "own", ...fields }] } });
    for (const fields of [
      { authorization: { credentials_file: path("a") } },
      { bearer_token_file: path("a") },
      { http_headers: { "X-Key": { files: [path("a")] } } },
    ])
      assertTold(sent(fields), /^credentials\.a: .*a header is one line/);
    assertTold(sent({ tls_config: { ca_file: path("a") } }));
    assertTold(told({ a: `${HUSH}\n` }, { prometheus: { scrapeConfigs: [{ job_name: "own", bearer_token_file: path("a") }] } }));
  });

  it("reads nothing of what is not in effect: no Alertmanager, an agent without rulers", () => {
    const client = { client: login("a") };
    for (const overrides of [
      { alerting: client },
      together(CLAIMS, { alerting: { ...client, alertmanagers: ["http://am:9093"] }, prometheus: { mode: "agent" } }),
    ]) {
      const settings = settingsOf("dev", overrides);
      assert.deepEqual(
        credentialUses(settings).map(({ readers }) => readers),
        [[]],
      );
      // A name that there is not is wrong all the same.
      assertTold(told({}, overrides), /^alerting\.client/);
    }
  });

  it("is no other component, which has no such files", () => {
    for (const [key, component] of [
      ["querier", { querier: { extra: { args: [`--endpoint.sd-config-file=${path("a")}`] } } }],
      ["receive", { receive: { extra: { env: [{ name: "X", value: path("a") }] } } }],
      ["prometheus.sidecar", { ingestion: "sidecar", prometheus: { sidecar: { extra: { env: [{ name: "X", value: path("a") }] } } } }],
    ] as [string, Overrides][]) {
      const [line = "", ...more] = told({ a: HUSH }, component);
      assert.ok(line.startsWith(`${key}.extra.`) && more.length === 0, line);
      assert.match(line, /in the containers of Prometheus and rulers alone/);
    }
  });

  it("gets the same whatever the order of jobs and names", () => {
    const all = ["a", "b", "c", "d"];
    const expected = { a: "1", c: "3" };
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: 4 }), fc.shuffledSubarray(["a", "c", "c2"], { minLength: 3 }), (order, jobs) => {
        const settings = settingsOf("dev", {
          prometheus: { scrapeConfigs: jobs.map((each, index) => job(each.slice(0, 1), `job-${index}`)) },
        });
        const given = Object.fromEntries(order.map((name) => [name, String(all.indexOf(name) + 1)]));
        assert.equal(
          JSON.stringify(ownCredentials(credentialsReadBy(credentialUses(settings), "prometheus"), given)),
          JSON.stringify(expected),
        );
      }),
    );
  });
});

describe("credentials: warnings", () => {
  it("are those that nobody names, of both kinds", () => {
    const settings = settingsOf("dev", { ...existing("b", "c"), prometheus: { scrapeConfigs: [job("a", "1"), job("b", "2")] } });
    const lines = unusedCredentials(settings, { a: HUSH, d: HUSH });
    assertTold(
      lines,
      /^credentials\.d is named by nothing, so no pod has it: .*\/etc\/credentials\/d$/,
      /^credentialsFrom\.c is named by nothing/,
    );
    assert.ok(!lines.join().includes(HUSH));
  });

  it("are files of rulers that change in place beside an authority, and no others", () => {
    const tls = (files: Record<string, string>, overrides: Overrides = { ruler: {} }) =>
      changesThatRulersMiss(
        settingsOf("dev", {
          ...existing("ca", "cert", "key"),
          ...overrides,
          alerting: {
            alertmanagers: ["https://am"],
            client: { tls_config: Object.fromEntries(Object.entries(files).map(([field, name]) => [field, path(name)])) },
          },
        }),
      );
    const pair = { cert_file: "cert", key_file: "key" };
    assertTold(
      tls({ ca_file: "ca" }),
      /^alerting\.client\.tls_config\.ca_file is in a Secret that exists \(credentialsFrom\.ca\): .*ruler\.rollout\.restartedAt/,
    );
    assert.equal(tls({ ca_file: "ca", ...pair }).length, 3);
    // The map's change with a restart, and a certificate alone is read at each connection.
    assert.equal(tls({ ca_file: "of-the-map", ...pair }).length, 2);
    assertTold(tls(pair));
    assertTold(tls({ ca_file: "of-the-map" }));
    assertTold(tls({ ca_file: "ca" }, {}));
  });
});

describe("credentials: names in a configuration of any form", () => {
  it("are found, each once, in order, wherever the path stands", () => {
    assert.deepEqual(credentialNamesIn({ b: [path("z"), { c: `--x=${path("a.b")}` }], d: JSON.stringify({ e: path("z") }) }), ["a.b", "z"]);
    assert.deepEqual(credentialNamesIn({ a: "/etc/credentials", b: "/etc/credentials/" }), []);
    assert.deepEqual(credentialNamesIn(undefined), []);
  });
});
