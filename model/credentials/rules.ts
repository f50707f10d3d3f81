import { CREDENTIAL_NAME_FORM, CREDENTIALS_DIRECTORY, isCredentialName } from "../settings/credentials";
import type { Settings } from "../settings/schema";
import { hasControlCharacter } from "../values/goUrl";
import { isNear } from "../values/near";
import type { Problem } from "../values/problem";
import { type CredentialUse, type CredentialUser, credentialsReadBy, credentialUses, USERS } from "./uses";

/** The rules of credentials that are files: the map's own, which is a secret, and those of Secrets that exist. */

/** Configuration key of the map of credentials, a secret. */
export const CREDENTIALS_KEY = "credentials";

/** Credentials of the map by name. Never shown, never compared, only put into Secrets. */
export type Credentials = Readonly<Record<string, string>>;

/** Most bytes of the values of a Secret (Kubernetes pkg/apis/core `MaxSecretSize`). */
const MOST_BYTES = 1_048_576;

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The credentials of the map that a component reads.
 *
 * @param read Names of all that it reads.
 * @param credentials The map.
 */
export function ownCredentials(read: readonly string[], credentials: Credentials): Record<string, string> {
  return Object.fromEntries(
    read.flatMap((name): [string, string][] => {
      const text = Object.hasOwn(credentials, name) ? credentials[name] : undefined;
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

/**
 * Every problem of the credentials and of whoever names them. No message contains the text of one.
 *
 * @param given What the key holds, decrypted; undefined where it is left out.
 */
export function credentialProblems(settings: Settings, given: unknown): Problem[] {
  if (given !== undefined && !isMap(given)) {
    return [problem("", "this key holds a map of names and texts", '{"orders-password": "…"}')];
  }
  const own = given ?? {};
  const uses = credentialUses(settings);
  const names = [...new Set([...Object.keys(own), ...Object.keys(settings.credentialsFrom)])].sort();
  const wrong = Object.entries(own).flatMap(([name, text], index) => textProblems(name, text, index));
  return [
    ...wrong,
    ...Object.entries(settings.credentialsFrom).flatMap(([name, value]) =>
      Object.hasOwn(own, name)
        ? [
            {
              key: `credentialsFrom.${name}`,
              value,
              isPublic: true,
              rule: `${CREDENTIALS_KEY} has this name too, and there is one file of it`,
              remedy: "each name in one of the two",
            },
          ]
        : [],
    ),
    ...useProblems(uses, names),
    ...headerProblems(uses, own),
    ...(wrong.length > 0 ? [] : USERS.flatMap((user) => tooLarge(user, ownCredentials(credentialsReadBy(uses, user), own as Credentials)))),
  ];
}

const problem = (name: string, rule: string, remedy: string): Problem => ({
  key: name === "" ? CREDENTIALS_KEY : `${CREDENTIALS_KEY}.${name}`,
  value: "(secret)",
  rule,
  remedy,
});

function textProblems(name: string, text: unknown, index: number): Problem[] {
  // A name that is none may be the credential, put on the wrong side.
  if (!isCredentialName(name)) return [problem("", `the name of entry ${index + 1} is no file's`, CREDENTIAL_NAME_FORM)];
  if (typeof text !== "string") return [problem(name, "a credential is a text", "a text; digits in quotes")];
  if (text.trim() === "") return [problem(name, "this credential is empty", "a text that says something")];
  return /^[ \t]|[ \t]$/.test(text)
    ? [problem(name, "Prometheus and Thanos leave out spaces at both ends of such a file", "the text without them")]
    : [];
}

function tooLarge(user: CredentialUser, own: Credentials): Problem[] {
  const bytes = Object.values(own).reduce((sum, text) => sum + Buffer.byteLength(text, "utf8"), 0);
  return bytes <= MOST_BYTES
    ? []
    : [
        problem(
          "",
          `those that ${user} reads are kept in one Secret, of which Kubernetes takes ${MOST_BYTES / 1_024} KiB`,
          `at most ${MOST_BYTES} bytes`,
        ),
      ];
}

function useProblems(uses: readonly CredentialUse[], names: readonly string[]): Problem[] {
  return uses.flatMap(({ key, value: text, name, canRead }) => {
    // A text that is no path of a file may be the credential itself.
    const value = isPathOf(text, name) ? text : "(not shown)";
    if (!canRead) {
      const rule = `files of ${CREDENTIALS_DIRECTORY} are in the containers of Prometheus and rulers alone`;
      return [{ key, value, rule, remedy: "a Secret that this component's extra.volumes and volumeMounts mount" }];
    }
    if (names.includes(name)) return [];
    return [{ key, value, rule: `no credential has this name, so there is no such file`, remedy: meant(name, names) }];
  });
}

/** Whether a text is the path of a credential, alone or with a flag before it, and nothing else. */
const isPathOf = (text: string, name: string): boolean =>
  (isCredentialName(name) || name === "") && /^(?:--?[\w.-]+=)?(?:file:\/\/)?\/[\w./-]*$/.test(text);

/** Files whose whole text is sent as a header (prometheus/common config/http_config.go and headers.go, discovery/marathon). */
const HEADER_FILES = /(?:\.authorization\.credentials_file|bearer_token_file|\.auth_token_file|\.http_headers\..*\.files\[\d+\])$/;

/** A header is one line: with another no request is sent, and the target is down. */
function headerProblems(uses: readonly CredentialUse[], own: Readonly<Record<string, unknown>>): Problem[] {
  const names = new Set(uses.flatMap(({ key, name }) => (HEADER_FILES.test(key) ? [name] : [])));
  return [...names].flatMap((name) => {
    const text = Object.hasOwn(own, name) ? own[name] : undefined;
    return typeof text === "string" && hasControlCharacter(text.trim().replaceAll("\t", " "))
      ? [problem(name, "this file is sent as a header, and a header is one line: no request would be sent", "a text of one line")]
      : [];
  });
}

function meant(name: string, names: readonly string[]): string {
  const pathOf = (each: string) => `${CREDENTIALS_DIRECTORY}/${each}`;
  const near = names.filter((each) => isNear(name, each));
  if (near.length > 0) return near.map(pathOf).join(" or ");
  if (names.length === 0) return `a name of ${CREDENTIALS_KEY} or credentialsFrom, which have none`;
  return `a name of ${CREDENTIALS_KEY} or credentialsFrom: ${names.map(pathOf).join(", ")}`;
}

/** Sentences about credentials that nobody names. */
export function unusedCredentials(settings: Settings, credentials: Credentials): string[] {
  const named = new Set(credentialUses(settings).map(({ name }) => name));
  const unused = (key: string, names: object) =>
    Object.keys(names)
      .filter((name) => !named.has(name))
      .map((name) => `${key}.${name} is named by nothing, so no pod has it: its file would be ${CREDENTIALS_DIRECTORY}/${name}`);
  return [...unused(CREDENTIALS_KEY, credentials), ...unused("credentialsFrom", settings.credentialsFrom)];
}

/** Files of TLS that a client of Thanos reads. */
const TLS_FILES = ["ca_file", "cert_file", "key_file"].map((field) => `alerting.client.tls_config.${field}`);

/**
 * Sentences about files that change in place and that a ruler does not take. Beside a `ca_file` Thanos watches certificate and key, or the
 * `ca_file` where there are none, as if all of them were the certificate, and after a change finds no authority: every alert fails until
 * it is restarted. A `ca_file` beside a certificate is read once. (thanos v0.42.4 pkg/clientconfig/http.go `NewRoundTripperFromConfig`,
 * prometheus/common v0.67.5 config/http_config.go `tlsRoundTripper.RoundTrip`)
 */
export function changesThatRulersMiss(settings: Settings): string[] {
  const { ruler, alerting, credentialsFrom } = settings;
  const tls = alerting.client.tls_config;
  if (ruler === undefined || !isMap(tls) || tls.ca_file === undefined) return [];
  return credentialUses(settings)
    .filter(({ key, name }) => TLS_FILES.includes(key) && Object.hasOwn(credentialsFrom, name))
    .map(
      ({ key, name }) =>
        `${key} is in a Secret that exists (credentialsFrom.${name}): when that changes, rulers of Thanos 0.42 send no alert, or go by the old ` +
        "authority, until they are restarted (ruler.rollout.restartedAt), since beside a ca_file they take up no other",
    );
}
