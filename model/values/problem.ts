import { mayBeCredential } from "./credentials";
import { oneLine, visible } from "./visibleText";

/** One reason why a configuration is refused. Everything a person needs to fix it without opening the source. */
export interface Problem {
  /** Path of the configuration key, such as `receive.replicationFactor`. */
  key: string;
  /** The value found there. */
  value: unknown;
  /** Whether the value is no credential, whatever it looks like. Default: it is not shown where it looks like one. */
  isPublic?: boolean;
  /** The rule that it breaks, with its reason. */
  rule: string;
  /** Accepted values, in words. */
  remedy: string;
}

/** Asks one rule, or leaves it out. */
export type Judge = (rule: () => Problem[]) => Problem[];

/** Leaves no rule out. */
export const JUDGE_ALL: Judge = (rule) => rule();

/** Longest text within a value, which a name in DNS is not above, and longest value, that a message shows. */
const LONGEST_TEXT = 256;
const LONGEST_VALUE = 400;

/** Certificates, which are public and long. Those of a private key are none. */
const CERTIFICATES = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE|PUBLIC KEY)-----[\s\S]*?(?:-----END \1-----\s*|$)/g;

/** Plain data with each of its texts changed. */
const withTexts = (value: unknown, change: (text: string) => string): unknown =>
  JSON.parse(JSON.stringify(value, (_, each: unknown) => (typeof each === "string" ? change(each) : each)));

/**
 * The value, as long as a line may be, unless somebody has put a credential where none belongs, under a misspelled key too: messages end up
 * in logs and comments that many can read.
 */
function shown({ key, value, isPublic = false }: Problem): string {
  if (value === undefined) return "(not set)";
  const brief = withTexts(value, (text) => text.replace(CERTIFICATES, "-----BEGIN $1----- …"));
  const name = /[^.[\]]*$/.exec(key)?.[0] ?? "";
  const text = typeof brief === "string" ? brief : JSON.stringify(brief);
  if (!isPublic && (mayBeCredential(name, text) || pairsOf(brief).some(([each, of]) => mayBeCredential(each, of))))
    return "(not shown, since it looks like a credential)";
  const json = JSON.stringify(withTexts(brief, (each) => shortened(each, LONGEST_TEXT)));
  return shortened(json, LONGEST_VALUE);
}

const shortened = (text: string, longest: number): string => (text.length <= longest ? text : `${text.slice(0, longest)}…`);

/** Names and values within a value: keys of maps, the `name` of a map with its other texts, and an argument with the one behind it. */
function pairsOf(value: unknown): [string, string][] {
  if (typeof value !== "object" || value === null) return [];
  const texts = Object.values(value).map((each) => (typeof each === "string" ? each : ""));
  const named = value as { name?: unknown };
  return [
    ...(Array.isArray(value)
      ? texts.slice(1).map((text, index): [string, string] => [(texts[index] ?? "").replace(/^-{1,2}/, ""), text])
      : Object.keys(value).map((key, index): [string, string] => [key, texts[index] ?? ""])),
    // The value of what is named, under a misspelt key too.
    ...(typeof named.name === "string"
      ? texts.flatMap((text): [string, string][] => (text === named.name || text === "" ? [] : [[String(named.name), text]]))
      : []),
    ...Object.values(value).flatMap(pairsOf),
  ];
}

/** One line a problem: key, value, rule, remedy. What the stack file holds ends up in terminals and comments, and acts on none of them. */
export function formatProblem(problem: Problem): string {
  return visible(`${oneLine(problem.key)} = ${shown(problem)}: ${problem.rule}. Accepted: ${problem.remedy}.`);
}

/** All problems as one message, so that nobody fixes them one `pulumi preview` at a time. */
export function formatProblems(stack: string, problems: readonly Problem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return [`Pulumi.${stack}.yaml: ${count}, nothing was changed:`, ...problems.map((problem) => `  - ${formatProblem(problem)}`)].join("\n");
}
