/** Finds credentials in plain text. A reference (a path, a variable, a Secret's key) is none. */

const SECRET_WORD =
  "(?:pass(?:word|wd|phrase)|secret(?:_?(?:access_?)?key)?|(?:access|api|private|encryption)_?key|(?:auth_?|bearer_?)?token|credentials)";
const REFERENCE = /^(?:$|\$\(|\$\{|\$[A-Z_]|\/|\.\/|<|\*+$|null$|true$|false$|\(secret\)$|\[secret\]$|\[unknown\]$)/i;

const PATTERNS: readonly { what: string; pattern: RegExp }[] = [
  { what: "a private key", pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/ },
  { what: "an AWS access key", pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/ },
  { what: "a user and password in a URL", pattern: /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"'$<]+:[^\s/@"'$<]+@/i },
  { what: "a JSON Web Token", pattern: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+/ },
  { what: "a bearer token", pattern: /\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic)\s+[\w+/=.-]{8,}/i },
];

/** `password: x`, `"secret_key": "x"`, `--token=x`, at any place of a longer text. */
const ASSIGNMENT = new RegExp(
  `(?:^|[\\s,{"'?&-])(?:[\\w.-]*[_.-])?${SECRET_WORD}["']?[ \\t]*[:=][ \\t]*(?:"([^"]*)"|'([^']*)'|([^\\s,}&]*))`,
  "gim",
);

const SECRET_NAME = new RegExp(`(?:^|[_.-])${SECRET_WORD}$`, "i");

/** What looks like a credential in a text, each in a few words without the credential itself; empty if nothing does. */
export function credentialsIn(text: string): string[] {
  const found = PATTERNS.filter(({ pattern }) => pattern.test(text)).map(({ what }) => what);
  for (const match of text.matchAll(ASSIGNMENT)) {
    const value = match[1] ?? match[2] ?? match[3] ?? "";
    const key = /[\w.-]+(?=["']?\s*[:=])/.exec(match[0])?.[0] ?? "a secret";
    if (!REFERENCE.test(value)) found.push(`a value of ${key.replace(/^-+/, "")}`);
  }
  return [...new Set(found)];
}

/** What looks like a credential in a named value, such as an environment variable. */
export function credentialsInValue(name: string, value: string): string[] {
  const named = SECRET_NAME.test(name) && !REFERENCE.test(value) ? [`a value of ${name}`] : [];
  return [...new Set([...named, ...credentialsIn(value)])];
}
