import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { credentialsIn, credentialsInValue, mayBeCredential } from "../../../model/values/credentials";

const FOUND: readonly [string, string, RegExp][] = [
  ["a header", "headers:\n  X-Api-Key: zzzzzzzzzz", /a value of X-Api-Key/],
  ["a list of values", "params: {api_key: [zzzzzzzzzz]}", /a value of api_key/],
  ["a list with a reference first", "api_key: [$(KEY), 'zz']", /a value of api_key/],
  ["a value that begins with a slash", "password: /9j4AAQSkZJRg==", /a value of password/],
  ["a value that begins with a dollar", "password: $ecret-word", /a value of password/],
  ["a value that begins with <", "password: <3monitoring!", /a value of password/],
  ["a bearer token in a list", "values: [Bearer 0123456789abcdefgh]", /a bearer token/],
  ["a bearer token away from its header", 'X-Forwarded-Auth: "Basic dXNlcjpwYXNzd29yZDE="', /a bearer token/],
  ["a connection string", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abcdefgh==;EndpointSuffix=x", /a value of AccountKey/],
  ["a value on the next line", "password:\n  hunter2", /a value of password/],
  ["a block", "password: |-\n  hunter2", /a value of password/],
  ["a list on the next line", "secrets:\n  - hunter2", /a value of secrets/],
  ["words run together", "clientSecret: hunter2", /a value of clientSecret/],
  ["JSON over lines", '{\n  "secret_key":\n    "hunter2"\n}', /a value of secret_key/],
  ["a user and password in a URL", "https://user:pa55@example.org/", /a user and password in a URL/],
  ["the same with a dollar", "https://user:$pa55@example.org/", /a user and password in a URL/],
  ["a JSON Web Token", `x: ${["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "abc"].join(".")}`, /a JSON Web Token/],
  ["a GitHub token", `x: ghp_${"a1".repeat(18)}`, /a GitHub token/],
  ["a GitLab token", `x: glpat-${"a1".repeat(10)}`, /a GitLab token/],
  ["a Slack token", `x: xoxb-${"1".repeat(12)}`, /a Slack token/],
  ["a Slack webhook", `https://${"hooks.slack.com"}/services/T0/B0/zz`, /a Slack webhook/],
  ["a Stripe key", `x: ${"sk_live"}_${"a1".repeat(8)}`, /a Stripe key/],
  ["a Google API key", `x: AIza${"a".repeat(35)}`, /a Google API key/],
  ["a Vault token", `x: hvs.${"a1".repeat(12)}`, /a Vault token/],
  ["a signed URL", `https://host/?sv=1&sig=${"a%2B".repeat(8)}`, /a signed URL/],
  ["a flag of a command line", "args: [--password hunter2]", /a password of a command line/],
  ["a token behind its scheme", "Authorization: Token abcdef123456", /a bearer token/],
  ["a password without a user in a URL", "redis://:pa55@host/0", /a user and password in a URL/],
  ["a short name", "pass: hunter2", /a value of pass/],
  ["a variable's name without a sign between its words", "PGPASSWORD=hunter2", /a value of PGPASSWORD/],
  ["a discovery's key", "application_key: a\nconsumer_key: zzzz", /a value of consumer_key/],
  ["a parameter of a URL", "http://host/?a=b&access_token=zzz", /a value of access_token/],
];

const NONE: readonly [string, string][] = [
  ["a path", "password: /etc/secret/password"],
  ["a path by its ending", "token: /somewhere/else/token.txt"],
  ["a relative path", "credentials: ./token"],
  ["variables", `password: $(PASSWORD)\ntoken: "\${TOKEN}"\nsecret: $SECRET`],
  ["placeholders", "token: <secret>\npassword: <your password>\nsecret: '***'\ntoken: [secret]"],
  ["an object", "credentials:\n  type: Bearer\n  credentials_file: /var/run/token"],
  ["an object in one line", "secret: { name: a }"],
  ["nothing", "password:\ntoken: ''\nother: 1"],
  ["the name of a file", "password_file: /etc/x\nusername_ref: y"],
  ["a URL that takes its password from a variable", "https://user:$(PASSWORD)@example.org/"],
  ["a type of authorization", "authorization: { type: Bearer }\nbasic_auth: {}"],
  ["prose", "# the token of a request; a bearer understandsauthentication, basic configurationfiles"],
  ["words that names of credentials are part of", "bypass: 1\ncompass: north\npass through: all"],
  ["a flag with a variable", "--password $(PASSWORD) --secret --token-file /x"],
  ["a number of tokens", "max_tokens: 5"],
  ["a key that is no credential", "key: value\nsource_labels: [__meta_kubernetes_secret]"],
];

describe("credentials in text", () => {
  for (const [what, text, expected] of FOUND) {
    it(`are found: ${what}`, () => {
      const found = credentialsIn(text);
      assert.ok(
        found.some((each) => expected.test(each)),
        found.join("; ") || "nothing",
      );
      assert.ok(!/hunter2|zzzz|pa55|9j4A/.test(found.join()), "the credential itself is shown");
    });
  }

  for (const [what, text] of NONE) it(`are none: ${what}`, () => assert.deepEqual(credentialsIn(text), []));

  it("are known by the name of a value too", () => {
    assert.deepEqual(credentialsInValue("X-Api-Key", "zz"), ["a value of X-Api-Key"]);
    assert.deepEqual(credentialsInValue("AWS_SECRET_ACCESS_KEY", "/9j4"), ["a value of AWS_SECRET_ACCESS_KEY"]);
    assert.deepEqual(credentialsInValue("PASSWORD_FILE", "zz"), []);
  });

  it("are likely meant by misspelt names", () => {
    for (const name of ["pasword", "bearer_tokn", "objectStorageCredential", "clientSecert"]) assert.ok(mayBeCredential(name, "zz"), name);
    for (const name of ["broken", "password_file", "secretName", "server", "context"]) assert.ok(!mayBeCredential(name, "zz"), name);
    assert.ok(!mayBeCredential("tokn", "$(TOKEN)"));
  });

  it("are none in what the environments are made of", () => {
    for (const name of ["dev", "prod", "prod-sidecar"]) {
      assert.deepEqual(credentialsIn(readFileSync(join(__dirname, "..", "..", "golden", `${name}.yaml`), "utf8")), [], name);
    }
  });

  /** A pattern that begins anew at every character takes hours for a megabyte, where 200 kB took 36 s. */
  const MOST_MILLISECONDS = 30_000;
  const HOSTILE = [
    ..."a. a- a+ a: a= a, :// ://a: eyJ eyJa. eyJ- token: token:$A token=' password=\" bearer basic\t authorization: secret:\n secret:\n\t X-Api-Key:[ -----BEGIN -----BEGIN\u0020A"
      .split(" ")
      .map((part) => part.replace("\\t", "\t").replace("\\n", "\n")),
    " ",
    "\n ",
    "token: ",
    "token:\n ",
    "AKIA",
    "[",
  ];
  for (const part of HOSTILE) {
    it(`are looked for once in a megabyte of ${JSON.stringify(part)}`, () => {
      const started = Date.now();
      credentialsIn(part.repeat(Math.ceil(1_000_000 / part.length)));
      assert.ok(Date.now() - started < MOST_MILLISECONDS, `${Date.now() - started} ms`);
    }).timeout(0);
  }
});
