import { isDeepStrictEqual } from "node:util";
import { type Key, type Presence, withInner } from "./keys";
import { meaningOf, plain, presenceText, valueText } from "./texts";

/**
 * docs/configuration.md: a template with the keys of the schema in it. In the template stand alone on a line
 *
 * - `{{section receive}}`: a key, and a list of those within it,
 * - `{{keys namespace}}`: a key and those within it as an entry of a list,
 * - `{{shared storage}}`: what the keys that are described once have in common; wherever one of them is met is a link to
 *   the heading above this,
 * - `{{risks}}` and the like: a text that the caller has.
 *
 * A key with a line of its own is a link wherever else it is met.
 */

/** Widest line. A word that is longer is alone on its line. */
const WIDTH = 120;
const DIRECTIVE = /^\{\{(\w+)(?: ([\w.]+))?\}\}$/;

/** Stands for a default that each key of a kind has for itself. */
const OWN_DEFAULT: Presence = { is: "default", value: undefined };

const saidOfPresence = (key: Key): string => (key.presence === OWN_DEFAULT ? "Each component has its own default." : presenceText(key));

/** Fills the template. Throws where a key has no place in it, or several. */
export function configurationPage(template: string, keys: readonly Key[], texts: Readonly<Record<string, string>>): string {
  const lines = template.split("\n");
  const page = new Page(keys, lines);
  return lines
    .map((line) => {
      const [directive, kind = "", name = ""] = DIRECTIVE.exec(line) ?? [];
      if (directive === undefined) return line;
      if (kind === "section") return page.section(name);
      if (kind === "keys") return page.entry(name);
      if (kind === "shared") return page.shared(name);
      const text = texts[kind];
      if (text === undefined) throw new Error(`nobody knows what ${directive} in the template is`);
      return text;
    })
    .join("\n");
}

class Page {
  private readonly all: readonly Key[];
  /** Heading by path of a key that has a place of its own. */
  private readonly homes: ReadonlyMap<string, string>;
  /** Heading by what keys share. */
  private readonly sharedHomes: ReadonlyMap<string, string>;

  constructor(keys: readonly Key[], template: readonly string[]) {
    this.all = withInner(keys);
    this.homes = headings(template, /^\{\{(?:section|keys) ([\w.]+)\}\}$/);
    this.sharedHomes = headings(template, /^\{\{shared (\w+)\}\}$/);
    const missing = [
      ...keys.filter(({ path }) => !this.homes.has(path)).map(({ path }) => path),
      ...this.all.flatMap(({ shared }) => (shared === undefined || this.sharedHomes.has(shared) ? [] : shared)),
    ];
    if (missing.length > 0) throw new Error(`the template has no place for ${[...new Set(missing)].join(", ")}`);
  }

  section(path: string): string {
    const key = this.keyAt(path);
    return [...this.paragraph(key, path, ""), "", ...this.inner(key, path, "")].join("\n");
  }

  entry(path: string): string {
    const key = this.keyAt(path);
    return [...bullet(this.paragraph(key, path, "  "), ""), ...this.inner(key, path, "  ")].join("\n");
  }

  shared(name: string): string {
    const users = this.users(name);
    const [first, ...others] = users;
    if (first === undefined) throw new Error(`the template has a place for ${name}, which no key has`);
    const common = first.keys.filter((key) => others.every((other) => counterpart(key, first, other) !== undefined));
    const meaning = repeated(users);
    return [
      ...(meaning === undefined ? [] : [wrapped(meaning, ""), ""]),
      ...common.flatMap((key) => this.item(this.withCommonDefault(key, first, others), relative(key, first), "")),
    ].join("\n");
  }

  private keyAt(path: string): Key {
    const key = this.all.find((each) => each.path === path);
    if (key === undefined) throw new Error(`the template has a place for ${path}, and there is no such key`);
    return key;
  }

  private users(shared: string): Key[] {
    return this.all.filter((key) => key.shared === shared);
  }

  private withCommonDefault(key: Key, holder: Key, others: readonly Key[]): Key {
    const isCommon = others.every((other) => isDeepStrictEqual(counterpart(key, holder, other)?.presence, key.presence));
    return {
      ...key,
      presence: isCommon ? key.presence : OWN_DEFAULT,
      keys: key.keys.map((inner) => this.withCommonDefault(inner, holder, others)),
    };
  }

  /** A key and those within it, where a place of its own is no other. */
  private item(key: Key, title: string, indent: string): string[] {
    const home = this.homes.get(key.path);
    if (home !== undefined)
      return bullet([wrapped(`**\`${title}\`**: ${link(home, home)}. ${saidOfPresence(key)}`, `${indent}  `)], indent);
    return [...bullet(this.paragraph(key, title, `${indent}  `), indent), ...this.inner(key, title, `${indent}  `)];
  }

  private inner(key: Key, title: string, indent: string): string[] {
    return this.ownKeys(key).flatMap((each) => this.item(each, `${title}${each.path.slice(key.path.length)}`, indent));
  }

  /** Those within a key that are not described for all keys of its kind. */
  private ownKeys(key: Key): Key[] {
    if (key.shared === undefined) return key.keys;
    const others = this.users(key.shared);
    return key.keys.filter((inner) => others.some((other) => counterpart(inner, key, other) === undefined));
  }

  /** The paragraph on a key itself. */
  private paragraph(key: Key, title: string, indent: string): string[] {
    const { shared } = key;
    const home = shared === undefined ? undefined : this.sharedHomes.get(shared);
    const accepts = home === undefined ? plain(key.accepts) : plain(key.accepts).replace("a map of keys", link(home.toLowerCase(), home));
    const isSaidThere = shared !== undefined && repeated(this.users(shared)) === key.description;
    const meaning = meaningOf(isSaidThere ? { ...key, description: "" } : key);
    const form = [`**\`${title}\`**: ${accepts}.`, saidOfPresence(key), this.ownDefaults(key)].filter((each) => each !== "").join(" ");
    return meaning === "" ? [wrapped(form, indent)] : [`${wrapped(form, indent)}\\`, wrapped(meaning, indent)];
  }

  /** Defaults that this key has for itself, of those within it that are described for all of its kind. */
  private ownDefaults(key: Key): string {
    if (key.shared === undefined) return "";
    const others = this.users(key.shared);
    const differing = withInner(key.keys).filter((inner) =>
      others.some((other) => {
        const there = counterpart(inner, key, other);
        return there !== undefined && !isDeepStrictEqual(there.presence, inner.presence);
      }),
    );
    const defaults = differing.flatMap((inner) => {
      const { presence } = inner;
      return presence.is === "default" ? [`\`${relative(inner, key)}\` ${valueText(presence.value)}`] : [];
    });
    return defaults.length === 0 ? "" : `Defaults: ${defaults.join(", ")}.`;
  }
}

/** Headings under which the template has places of a kind, by what stands there. */
function headings(template: readonly string[], place: RegExp): Map<string, string> {
  const found = new Map<string, string>();
  let heading = "";
  for (const line of template) {
    heading = /^#+ (.+)$/.exec(line)?.[1] ?? heading;
    const name = place.exec(line)?.[1];
    if (name === undefined) continue;
    if (found.has(name)) throw new Error(`the template has two places for ${name}`);
    found.set(name, heading);
  }
  return found;
}

/** The path of a key from one that it is in, whether in it or in its entries. */
const relative = (key: Key, holder: Key): string => key.path.slice(holder.path.length).replace(/^(?:\.<name>|\[\])?\./, "");

/** The key that is in another one of the same kind what a key is in its holder. */
const counterpart = (key: Key, holder: Key, other: Key): Key | undefined =>
  withInner(other.keys).find((each) => relative(each, other) === relative(key, holder));

/** A description that several keys of a kind have: it is of the kind, and none of them adds anything. */
function repeated(keys: readonly Key[]): string | undefined {
  const texts = keys.map(({ description }) => description).filter((text) => text !== "");
  return texts.find((text, index) => texts.indexOf(text) !== index);
}

const link = (text: string, heading: string): string => `[${text}](#${anchorOf(heading)})`;

/** The anchor that GitHub makes of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

const bullet = ([first = "", ...rest]: readonly string[], indent: string): string[] => [`${indent}- ${first.trimStart()}`, ...rest];

/** A paragraph in lines of {@link WIDTH}. Inline code and links are never broken. */
export function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  for (const [word] of text.matchAll(/(?:`[^`]*`|\[[^\]]*\]\([^)]*\)|[^\s`])+/g)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`${indent}${word}`);
  }
  return lines.join("\n");
}
