import { messageOf } from "../clients/transport";
import { visible } from "../model/values/visibleText";

/** Where commands write for people: what comes from outside can't steer the terminal. */

/** A line, or lines, on standard output. */
export function say(text: string): void {
  process.stdout.write(`${visible(text)}\n`);
}

/** A line, or lines, on standard error: a text, or what was thrown. */
export function complain(what: unknown): void {
  process.stderr.write(`${visible(messageOf(what))}\n`);
}
