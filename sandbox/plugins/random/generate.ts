import { randomBytes, randomInt } from "node:crypto";
import { at, textAt, type ValueMap } from "../protocol/values";

/** Which characters a text consists of; the defaults are the official provider's. */
export interface TextRecipe {
  length: number;
  lower: boolean;
  upper: boolean;
  numeric: boolean;
  special: boolean;
  overrideSpecial: string;
  minLower: number;
  minUpper: number;
  minNumeric: number;
  minSpecial: number;
}

const lowerCase = "abcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";
const specialCharacters = "!@#$%&*()-_=+[]{}<>:?";

function flag(inputs: ValueMap, ...keys: string[]): boolean {
  return keys.every((key) => at(inputs, key) !== false);
}

function count(inputs: ValueMap, key: string): number {
  const value = at(inputs, key);
  return typeof value === "number" ? value : 0;
}

export function textRecipe(inputs: ValueMap): TextRecipe {
  return {
    length: count(inputs, "length"),
    lower: flag(inputs, "lower"),
    upper: flag(inputs, "upper"),
    // `number` is the deprecated name of `numeric`.
    numeric: flag(inputs, "numeric", "number"),
    special: flag(inputs, "special"),
    overrideSpecial: textAt(inputs, "overrideSpecial") ?? "",
    minLower: count(inputs, "minLower"),
    minUpper: count(inputs, "minUpper"),
    minNumeric: count(inputs, "minNumeric"),
    minSpecial: count(inputs, "minSpecial"),
  };
}

interface Alphabet {
  allowed: boolean;
  minimum: number;
  characters: string;
}

function alphabets(recipe: TextRecipe): Alphabet[] {
  return [
    { allowed: recipe.lower, minimum: recipe.minLower, characters: lowerCase },
    { allowed: recipe.upper, minimum: recipe.minUpper, characters: lowerCase.toUpperCase() },
    { allowed: recipe.numeric, minimum: recipe.minNumeric, characters: digits },
    { allowed: recipe.special, minimum: recipe.minSpecial, characters: recipe.overrideSpecial || specialCharacters },
  ];
}

function pick(characters: string): string {
  return characters[randomInt(characters.length)] ?? "";
}

function shuffled(characters: string[]): string {
  const result = [...characters];
  for (let index = result.length - 1; index > 0; index--) {
    const other = randomInt(index + 1);
    [result[index], result[other]] = [result[other] ?? "", result[index] ?? ""];
  }
  return result.join("");
}

/** A random text with at least the wanted number of characters of each allowed class. */
export function randomText(recipe: TextRecipe): string {
  const all = alphabets(recipe);
  const required = all.flatMap(({ minimum, characters }) => Array.from({ length: minimum }, () => pick(characters)));
  const pool = all.map(({ allowed, characters }) => (allowed ? characters : "")).join("");
  const rest = Array.from({ length: recipe.length - required.length }, () => pick(pool));
  return shuffled([...required, ...rest]);
}

/** Why no text can be made by a recipe; empty when one can. */
export function recipeProblems(recipe: TextRecipe): { property: string; reason: string }[] {
  const { minLower, minUpper, minNumeric, minSpecial } = recipe;
  if (!Number.isInteger(recipe.length) || recipe.length < 1) {
    return [{ property: "length", reason: "must be a whole number of at least 1" }];
  }
  if (minLower + minUpper + minNumeric + minSpecial > recipe.length) {
    return [{ property: "length", reason: "is less than minLower, minUpper, minNumeric and minSpecial together" }];
  }
  return alphabets(recipe).some(({ allowed }) => allowed) ? [] : [{ property: "special", reason: "no class of characters is allowed" }];
}

/** The notations of a random number of some bytes, each with the prefix before it. */
export function randomId(byteLength: number, prefix: string): { id: string; outputs: ValueMap } {
  const bytes = randomBytes(byteLength);
  const b64Url = bytes.toString("base64url");
  const hex = bytes.toString("hex");
  return {
    id: b64Url,
    outputs: {
      b64Std: prefix + bytes.toString("base64"),
      b64Url: prefix + b64Url,
      dec: prefix + BigInt(`0x${hex}`).toString(10),
      hex: prefix + hex,
    },
  };
}

/** A whole number between two, both included. */
export function randomInteger(min: number, max: number): number {
  return min + randomInt(max - min + 1);
}
