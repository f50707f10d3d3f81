/**
 * Text from outside (configuration, targets, pods, the API server, the engine) for where people read it: a terminal, a page, a comment.
 * Whatever such a place would act upon, or not show, is spelled out, so that nobody who chooses a text chooses what else is read there.
 */

/**
 * Controls of terminals (C0, DEL, C1), line ends of every kind, turns of the writing direction and other signs that nobody sees, halves of
 * characters. Source: Unicode's general categories Cc, Cf, Zl, Zp, Cs.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** As JSON spells it, so that JSON which goes through here stays what it was. */
const spelled = (character: string): string =>
  NAMED[character] ?? character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Text in which only line feeds (with or without a carriage return before them) and tabs do what they do, and everything else is seen. */
export function visible(text: string): string {
  return text
    .replace(/\r\n/g, "\n")
    .replace(UNSEEN, (character) => (character === "\n" || character === "\t" ? character : spelled(character)));
}

/** {@link visible} text in one line: line feeds and the blanks around them are a space. */
export function oneLine(text: string): string {
  const lines = visible(text).split("\n");
  return lines
    .map((line, index) => {
      const begun = index === 0 ? line : line.trimStart();
      return index === lines.length - 1 ? begun : begun.trimEnd();
    })
    .join(" ");
}
