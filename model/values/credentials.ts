import { distance } from "./near";

/**
 * Finds credentials in plain text. A reference (a path, a variable, a placeholder) is none.
 *
 * Every pattern reads a text once: none has two unbounded repetitions that can meet, and one that is unbounded starts only where the
 * character before is not of its own kind, so that a hostile text (a megabyte of `a.`) can't make it start again at every character.
 */

const PATTERNS: readonly { what: string; pattern: RegExp }[] = [
  { what: "a private key", pattern: /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/ },
  { what: "an AWS access key", pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/ },
  { what: "a JSON Web Token", pattern: /(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]/ },
  // As their issuers document them: GitHub, GitLab, Slack (tokens and webhooks), Stripe, Google, HashiCorp Vault.
  { what: "a GitHub token", pattern: /\b(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_\w{22})/ },
  { what: "a GitLab token", pattern: /\bglpat-[\w-]{20}/ },
  { what: "a Slack token", pattern: /\bxox[abeoprs]-[\w-]{10}/ },
  { what: "a Slack webhook", pattern: /hooks\.slack\.com\/services\/T\w{1,20}\/B\w{1,20}\/\w/ },
  { what: "a Stripe key", pattern: /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16}/ },
  { what: "a Google API key", pattern: /\bAIza[\w-]{35}/ },
  { what: "a Vault token", pattern: /\bhv[bs]\.[\w-]{20}/ },
  { what: "a signed URL", pattern: /[?&]sig=[\w%+/=-]{20}/ },
  { what: "a password of a command line", pattern: /(?<![\w-])--(?:password|passwd|secret|token)[ \t]{1,8}[^\s$<-][^\s]{3}/ },
  {
    what: "a bearer token",
    pattern: /authorization["']?[ \t]{0,8}[:=][ \t]{0,8}["']?(?:bearer|basic|token|apikey|digest)[ \t]{1,8}[\w+/=.-]{8}/i,
  },
  // Away from its header's name only what no sentence has: a long word with a digit in it.
  { what: "a bearer token", pattern: /(?<!\w)(?:bearer|basic)[ \t]{1,8}(?=[A-Za-z+/=._~-]{0,64}\d)[\w+/=.~-]{16}/i },
];

/** User and password of a URL. */
const USER_INFO = /:\/\/[^\s/:@"']{0,256}:([^\s/@"']{1,512})@/g;

/** Name of a credential, in lower case and with `_` between words. */
const SECRET_NAME =
  /(?:^|_)(?:pass(?:word|wd|phrase|code)?|pwd|secrets?|secret_?(?:access_?)?key|(?:access|account|api|application|auth|consumer|customer|encryption|functions|private|shared_access|signing|subscription)_?key|secret_id|client_?secret|pg_?password|tokens?_?value|token|credentials)$/;

/** A name before `:` or `=`, with quotes around it or not. */
const ASSIGNED = /(?<![\w.-])([\w.-]+)["']?[ \t]{0,8}[:=]/g;

/** Longest name and value that are looked at: what is further tells a credential from a reference no better. */
const LONGEST_NAME = 80;
const LONGEST_VALUE = 512;

/** A variable as a shell has it. */
const VARIABLE = /^\$[A-Z_][A-Z0-9_]*$/;
/** `$(NAME)`, `${NAME}`, `<placeholder>`, `***`, and what a preview shows instead of a secret. */
const REFERENCE =
  /^(?:\$\([\w.]+\)|\$\{[\w.]+\}|<[a-z][\w ./-]{0,80}>|\*+|null|~|true|false|\((?:secret|not shown)\)|\[secret\]|\[unknown\])$/i;
/** A path, which a random text that begins with a slash is not. */
const PATH =
  /^(?:\.{1,2}\/|\/(?:app|certs?|config|data|dev|etc|home|lib|mnt|opt|prometheus|root|run|secrets?|srv|tmp|tls|usr|var|vault)\/|\/[\w./-]{1,200}\.(?:crt|key|pem|token|txt)$)/;

/** Likely credentials in a text, each in a few words without the credential itself; empty if there are none. */
export function credentialsIn(text: string): string[] {
  const found = PATTERNS.filter(({ pattern }) => pattern.test(text)).map(({ what }) => what);
  for (const [, password = ""] of text.matchAll(USER_INFO)) {
    if (!isReference(password)) found.push("a user and password in a URL");
  }
  for (const match of text.matchAll(ASSIGNED)) {
    const name = match[1] ?? "";
    if (isSecretName(name) && valuesAt(text, match.index + match[0].length).some((value) => !isReference(value))) {
      found.push(`a value of ${name.slice(-LONGEST_NAME).replace(/^-{1,2}/, "")}`);
    }
  }
  return [...new Set(found)];
}

/** Likely credentials in a named value, such as an environment variable. */
export function credentialsInValue(name: string, value: string): string[] {
  const named = isSecretName(name) && !isReference(value) ? [`a value of ${name}`] : [];
  return [...new Set([...named, ...credentialsIn(value)])];
}

const isSecretName = (name: string): boolean => SECRET_NAME.test(wordsOf(name));

/** Whether a text is a path, and no credential that begins with a slash. */
export const isPath = (text: string): boolean => PATH.test(text) && !/\s/.test(text);

/** Words that names of credentials have, each with the letters by which it may be misspelled. */
const SECRET_WORDS: readonly [string, number][] = [
  ["password", 2],
  ["credentials", 2],
  ["secret", 2],
  ["token", 1],
];
/** Ending of a name that says where a credential is. */
const REFERENCE_NAME = /_(?:file|ref|name|path|url)$/;

/** Shortest key material: 24 bytes in base64, 16 in hexadecimal digits. */
const SHORTEST_KEY = 32;

/** Signs between which a text's kind of letter changes: from capital to small, to digit and so on. */
const CHANGES = /(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[a-z0-9])|(?<=[0-9])(?=[A-Za-z])/g;

/**
 * Whether a text holds key material in no form of anybody's: letters of both kinds and digits at random, which change kind at two of three
 * signs where words of a name do at two of five or fewer; or hexadecimal digits alone, at one of two, that are no digest.
 */
function holdsKeyMaterial(text: string): boolean {
  return text.split(/[^\w+/=-]+/).some((word) => {
    if (word.length < SHORTEST_KEY) return false;
    const changes = (word.match(CHANGES)?.length ?? 0) / word.length;
    if (/^[0-9a-f]+$/.test(word)) return changes >= 0.25 && !text.includes(`sha256:${word}`);
    return /[a-z]/.test(word) && /[A-Z]/.test(word) && /\d/.test(word) && changes >= 0.45;
  });
}

/** Whether a named value looks like a credential, under a misspelled name too: for messages, which need not show it. */
export function mayBeCredential(name: string, value: string): boolean {
  if (credentialsInValue(name, value).length > 0 || holdsKeyMaterial(value)) return true;
  const words = wordsOf(name);
  if (isReference(value) || REFERENCE_NAME.test(words)) return false;
  return words.split("_").some((word) => SECRET_WORDS.some(([secret, letters]) => distance(word, secret) <= letters));
}

/** `X-Api-Key`, `clientSecret`, `web.auth-token` and `AWS_SECRET_ACCESS_KEY` are spelled in one way first. */
function wordsOf(name: string): string {
  return name
    .slice(-LONGEST_NAME)
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[.-]/g, "_")
    .toLowerCase();
}

function isReference(value: string): boolean {
  return value === "" || VARIABLE.test(value) || REFERENCE.test(value) || PATH.test(value);
}

/**
 * The values behind a `:` or `=`: on the same line, of a list, or of the next line where this one says nothing. None where an object
 * follows.
 */
function valuesAt(text: string, at: number): string[] {
  const rest = text.slice(at, at + LONGEST_VALUE);
  const line = (rest.split("\n", 1)[0] ?? "").trim();
  if (!/^(?:[|>][-+\d]{0,2}|!!str)?$/.test(line)) return inLine(line);
  const [, next = ""] = rest.split("\n", 2);
  const item = next.trim().replace(/^-[ \t]{1,8}/, "");
  // A further name is an object, and is met by itself.
  return /^\s/.test(next) && !/^["']?[\w.-]{1,200}["']?[ \t]{0,8}:(?:\s|$)/.test(item) ? inLine(item) : [];
}

function inLine(line: string): string[] {
  if (/^(?:[{#]|\[(?:secret|unknown)\])/i.test(line)) return [];
  if (!line.startsWith("[")) return [scalar(line)];
  return line
    .slice(1)
    .split("]", 1)
    .join("")
    .split(",")
    .map((each) => scalar(each.trim()));
}

function scalar(text: string): string {
  const [quote = ""] = text;
  if (quote === '"' || quote === "'") {
    const end = text.indexOf(quote, 1);
    return text.slice(1, end < 0 ? undefined : end);
  }
  return /^(?:<[^>\n]{0,80}>|[^\s,}&\]]*)/.exec(text)?.[0] ?? "";
}
