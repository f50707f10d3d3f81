import { oneLine, visible } from "../../model/values/visibleText";

/** Text from outside in the forms of a report: none of it becomes markup, a mention, a line of its own, or something that nobody sees. */

/** Text that Markdown, HTML and mentions leave as it is, in one line, also in a table. */
export function escaped(text: string): string {
  return oneLine(text)
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/([\\`*_[\]|~#])/g, "\\$1")
    .replace(/@/g, "&#64;");
}

/** A value in a code span, also in a table, where a pipe ends a cell even inside of one. */
export function code(text: string): string {
  const flat = oneLine(text);
  if (!/[`|]/.test(flat)) return `\`${flat}\``;
  return `<code>${escaped(flat)}</code>`;
}

/** Lines in a fence that nothing in them closes. */
export function fenced(text: string): string {
  const lines = visible(text);
  const longest = Math.max(2, ...[...lines.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${lines}\n${fence}`;
}

/**
 * Text in a quoted label of a Mermaid diagram. Whatever Mermaid, the Markdown and HTML in its labels, or the fence around it may read as a
 * sign of theirs is given by its number, as Mermaid has characters (`#35;`).
 */
export function diagramText(text: string): string {
  return oneLine(text).replace(/^-|[^\p{L}\p{N} ,×…-]/gu, (sign) => `#${sign.codePointAt(0)};`);
}

/** Text in an HTML page or an SVG picture: in an element, and in a quoted attribute. XML knows no control characters at all. */
export function escapeXml(text: string): string {
  return visible(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;").replace(/'/g, "&#39;");
}
