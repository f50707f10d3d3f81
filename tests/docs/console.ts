/** Commands of a document with what they print, as blocks of `console` show them. */

/** A command and its output. */
export interface ConsoleStep {
  /** The command, its further lines (`> `) included. */
  command: string;
  /**
   * Lines of its output; `…` stands for anything within a line, and alone on a line for any number of lines. Two spaces or more are those
   * between columns, which are as wide as the longest cell: a pod's name ends with a hash of five to ten characters.
   */
  expected: string[];
}

/** The steps of a block. */
export function consoleSteps(block: string): ConsoleStep[] {
  const steps: ConsoleStep[] = [];
  for (const line of block.split("\n").slice(0, -1)) {
    const last = steps.at(-1);
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), expected: [] });
    else if (last === undefined) throw new Error(`output before any command: ${line}`);
    else if (line.startsWith("> ") && last.expected.length === 0) last.command += `\n${line.slice(2)}`;
    else last.expected.push(line);
  }
  return steps;
}

const ANYTHING = "…";

/** Where an output is not what was expected, in a sentence; undefined where it is. */
export function outputDiffers(expected: readonly string[], output: string): string | undefined {
  const lines = output.replace(/\n$/, "").split("\n");
  const actual = output === "" ? [] : lines;
  const pattern = expected.map((line) => (line === ANYTHING ? "(?:.*\\n)*" : `${linePattern(line)}\\n`)).join("");
  const text = actual.map((line) => `${line}\n`).join("");
  if (new RegExp(`^${pattern}$`).test(text)) return undefined;
  const missing = expected.find((line) => line !== ANYTHING && !actual.some((each) => new RegExp(`^${linePattern(line)}$`).test(each)));
  return missing === undefined ? "its lines are others, or in another order" : `it has no line ${JSON.stringify(missing)}`;
}

const linePattern = (line: string): string => line.split(ANYTHING).map(literally).join(".*").replace(/ {2,}/g, " {2,}");

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
