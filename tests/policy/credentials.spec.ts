import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { credentialsIn, credentialsInValue } from "../../policy/credentials";
import { stepsOf } from "./steps";

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

  it("are none in what the environments are made of", () => {
    for (const name of ["dev", "prod", "prod-sidecar"]) {
      assert.deepEqual(credentialsIn(readFileSync(join(__dirname, "..", "golden", `${name}.yaml`), "utf8")), [], name);
    }
  });

  /** Letters of a hostile text: more than any bounded repetition takes. */
  const SIZE = 1_000;
  const HOSTILE = [
    ..."a. a- a+ a: a= a, :// ://a: eyJ eyJa. eyJ- eyJaaaaaaaaaa. token: token:$A token=' password=\" bearer authorization: X-Api-Key:[ -----BEGIN AKIA A [".split(
      " ",
    ),
    ...["basic\t", "bearer ", "bearer 1", "-----BEGIN A", "secret:\n", "secret:\n\t", "token: ", "token:\n ", " ", "\n "],
  ];
  for (const part of HOSTILE) {
    it(`are looked for once in any length of ${JSON.stringify(part)}`, () => {
      const steps = (size: number) => stepsOf(() => credentialsIn(part.repeat(Math.ceil(size / part.length))));
      const growth = steps(2 * SIZE) / steps(SIZE);
      // What reads a text once costs twice as much, and somewhat more while bounded repetitions still grow; what begins anew at each character, four times.
      assert.ok(growth < 3, `twice the text costs ${growth.toFixed(2)} times as much`);
    });
  }
});
