/** The first thing that keeps a text from being well-formed XML with one root; nothing if it is. */
export function malformation(text: string): string | undefined {
  const open: string[] = [];
  let roots = 0;
  const tag = /<(\/?)([a-zA-Z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/y;
  for (let index = 0; index < text.length; ) {
    const next = text.indexOf("<", index);
    const between = text.slice(index, next < 0 ? text.length : next);
    const wrong = /&(?!(?:amp|lt|gt|quot|#39|#64);)/.exec(between);
    if (wrong !== null && open.at(-1) !== "style") return `a bare & in ${between.slice(0, 80)}`;
    if (open.length === 0 && between.trim() !== "") return `text outside: ${between.slice(0, 80)}`;
    if (next < 0) break;
    tag.lastIndex = next;
    const match = tag.exec(text);
    if (match === null) return `no tag: ${text.slice(next, next + 80)}`;
    const [, closing, name = "", , selfClosing] = match;
    if (closing === "/") {
      const last = open.pop();
      if (last !== name) return `</${name}> closes <${last}>`;
    } else if (selfClosing !== "/") {
      if (open.length === 0) roots++;
      open.push(name);
    }
    index = tag.lastIndex;
  }
  return open.length > 0 ? `<${open.at(-1)}> is not closed` : roots === 1 ? undefined : `${roots} roots`;
}
