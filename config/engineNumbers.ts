import type { ScalarTag } from "yaml";

const NUMBER = /^[-+]?(?:0[bB][01_]+|0[xX][\da-fA-F_]+|0[oO][0-7_]+|(?:\.\d[\d_]*|\d[\d_]*(?:\.[\d_]*)?)(?:[eE][-+]?[\d_]+)?)$/;

/** The number that the engine makes of a plain text in a stack file; undefined where it makes none. */
export function engineNumber(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const plain = text.replaceAll("_", "");
  const body = plain.replace(/^[-+]/, "");
  const value = Number(/^0[0-7]+$/.test(body) ? `0o${body}` : body);
  return plain.startsWith("-") ? -value : value;
}

/**
 * Numbers as the engine reads them in a stack file (yaml.v3, seen with `pulumi config --json` of 3.259.0): `1_000` is 1000, `0777` is octal
 * and 511, `0b101` is 5; `089` is decimal, since it is no octal.
 */
export const ENGINE_NUMBERS: ScalarTag = {
  tag: "tag:yaml.org,2002:float",
  default: true,
  test: NUMBER,
  resolve: engineNumber,
};
