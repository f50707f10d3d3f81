/**
 * Patterns of tenants' names, as Go's path/filepath `Match` reads them, with which Thanos compares where a hashring has
 * `tenant_matcher_type: glob` (pkg/receive/hashring.go v0.42): `*` is any text, also none, `?` any character, `[a-z]` one of some. Of that,
 * what begins with a letter or a digit: no tenant that begins with a dot is ever taken. A name without any of these is a pattern for
 * itself.
 */

const CLASS = String.raw`\[(?:[A-Za-z0-9](?:-[A-Za-z0-9])?|[._])+\]`;

/** A name or a pattern, for editors. */
export const NAME_OR_GLOB = new RegExp(`^[A-Za-z0-9](?:[A-Za-z0-9._*?-]|${CLASS})*$`);

/** Whether the text is a pattern, and not a name. */
export const isGlob = (text: string): boolean => /[*?[]/.test(text);

/** Characters from one to another, both among them. */
type Range = readonly [from: string, to: string];
/** One place of a pattern: any text, or one character of some. */
type Part = "anyText" | readonly Range[];

const ANY_CHARACTER: readonly Range[] = [["\u0000", "\uffff"]];

function partsOf(pattern: string): Part[] {
  return [...pattern.matchAll(/\[(?<characters>[^\]]*)\]|./gs)].map(([text, characters]): Part => {
    if (characters !== undefined) return rangesOf(characters);
    if (text === "*") return "anyText";
    return text === "?" ? ANY_CHARACTER : [[text, text]];
  });
}

function rangesOf(characters: string): Range[] {
  return [...characters.matchAll(/(?<from>.)(?:-(?<to>.))?/gs)].map(([, from = "", to = from]): Range => [from, to]);
}

/** Whether every range of characters has some: `[z-a]` has none, and its pattern would take nobody. */
export const rangesAscend = (pattern: string): boolean =>
  partsOf(pattern).every((part) => part === "anyText" || part.every(([from, to]) => from <= to));

const meet = (left: readonly Range[], right: readonly Range[]): boolean =>
  left.some(([from, to]) => right.some(([otherFrom, otherTo]) => from <= otherTo && otherFrom <= to));

/** Whether there is a name that both take; either may be a name itself. */
export function globsOverlap(one: string, other: string): boolean {
  const [left, right] = [partsOf(one), partsOf(other)];
  // For each place in `left`, the places in `right` that the same text can have come to; from the ends backwards.
  let behind: boolean[] = [];
  for (let at = left.length; at >= 0; at--) {
    const here = new Array<boolean>(right.length + 1).fill(false);
    for (let to = right.length; to >= 0; to--) {
      const [mine, theirs] = [left[at], right[to]];
      if (mine === undefined && theirs === undefined) here[to] = true;
      else if (mine === "anyText" && (behind[to] || (theirs !== undefined && here[to + 1]))) here[to] = true;
      else if (theirs === "anyText" && (here[to + 1] || (mine !== undefined && behind[to]))) here[to] = true;
      else if (Array.isArray(mine) && Array.isArray(theirs)) here[to] = meet(mine, theirs) && behind[to + 1] === true;
    }
    behind = here;
  }
  return behind[0] === true;
}

/** Whether a pattern, or a name, takes a tenant. */
export const takesTenant = (pattern: string, tenant: string): boolean => globsOverlap(pattern, literalOf(tenant));

/** A tenant's name has no character that a pattern gives a meaning. */
const literalOf = (tenant: string): string => {
  if (isGlob(tenant)) throw new Error(`${JSON.stringify(tenant)} is a pattern, and no tenant`);
  return tenant;
};
