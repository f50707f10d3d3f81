import { createHash } from "node:crypto";

/**
 * Tokens, two of which are valid for each holder. They are in two slots that take turns: the current generation is in one, the generation
 * before in the other, so that a new generation replaces the older token only.
 */

/** A slot for a token. */
export type Slot = "even" | "odd";
export const SLOTS: readonly Slot[] = ["even", "odd"];

/** Characters of a token: of 62 kinds each, more than 256 bits. */
export const TOKEN_LENGTH = 48;

const slotOf = (generation: number): Slot => (generation % 2 === 0 ? "even" : "odd");

/** The generation in a slot. */
export const generationIn = (slot: Slot, current: number): number => (slotOf(current) === slot ? current : current - 1);

/** The slot of the current token: the one that its holder is given. */
export const currentSlot = (generation: number): Slot => slotOf(generation);

/** Hash of a token, by which the maps of HAProxy know it: its `sha2(256),hex`, in upper case. */
export const tokenHash = (token: string): string => createHash("sha256").update(token, "utf8").digest("hex").toUpperCase();
