/** URLs as Go parses them. Source: Go 1.26 net/url/url.go (`parse`, `parseAuthority`, `parseHost`, `unescape`). */

const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
/** Characters of a host beside escapes (`shouldEscape` with `encodeHost`); what is not ASCII passes. */
const HOST = /^(?:[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]|\P{ASCII}|%[89A-Fa-f][0-9A-Fa-f]|%25)*$/u;
const USER = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
const PORT = /^(?::\d*)?$/;

/** Reason for which Go refuses a text as a URL, which may be without a scheme; undefined where it parses it. */
export function goUrlTrouble(text: string): string | undefined {
  if (hasControlCharacter(text)) return "a control character";
  const [beforeFragment = "", ...fragments] = text.split("#");
  if (BAD_ESCAPE.test(fragments.join("#"))) return "a % that begins no escape";
  if (beforeFragment.startsWith(":")) return "no scheme before the first colon";
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*(?=:)/.exec(beforeFragment)?.[0];
  const [rest = ""] = (scheme === undefined ? beforeFragment : beforeFragment.slice(scheme.length + 1)).split("?");
  if (!rest.startsWith("/")) {
    if (scheme !== undefined) return undefined;
    if ((rest.split("/")[0] ?? "").includes(":")) return "a colon in its first part";
  }
  const hasAuthority = rest.startsWith("//") && (scheme !== undefined || !rest.startsWith("///"));
  const authority = hasAuthority ? (/^[^/]*/.exec(rest.slice(2))?.[0] ?? "") : "";
  const path = hasAuthority ? rest.slice(2 + authority.length) : rest;
  return authorityTrouble(authority) ?? (BAD_ESCAPE.test(path) ? "a % that begins no escape" : undefined);
}

function authorityTrouble(authority: string): string | undefined {
  const at = authority.lastIndexOf("@");
  const user = authority.slice(0, Math.max(at, 0));
  const host = authority.slice(at + 1);
  if (!USER.test(user) || BAD_ESCAPE.test(user)) return "a user with other characters than a URL has";
  if (host.includes("[")) {
    if (!host.startsWith("[")) return "a [ within its host";
    const end = host.lastIndexOf("]");
    if (end < 0) return "a [ without a ]";
    if (!PORT.test(host.slice(end + 1))) return "a port that is no number";
  } else if (host.includes(":")) {
    if (host.indexOf(":") !== host.lastIndexOf(":")) return "several colons in its host; an IPv6 address is in brackets";
    if (!PORT.test(host.slice(host.indexOf(":")))) return "a port that is no number";
  }
  return HOST.test(host) ? undefined : "a host with characters or escapes that no host has";
}

/** Whether a text has a character that ASCII uses to control a terminal or a line. */
export function hasControlCharacter(value: string): boolean {
  return [...value].some((character) => character < " " || character === "\x7f");
}
