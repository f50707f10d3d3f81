import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PROJECT_DIRECTORY } from "../../commands/program";

/** A document of this repository. */
export interface Document {
  /** Path from the repository's root. */
  path: string;
  text: string;
}

/** A document by its path from the repository's root. */
export const readDocument = (path: string): Document => ({ path, text: readFileSync(join(PROJECT_DIRECTORY, path), "utf8") });

/** README.md, every other document beside it and under docs/, and those of directories that people begin in. */
export function documents(): Document[] {
  const pagesIn = (directory: string): string[] =>
    readdirSync(join(PROJECT_DIRECTORY, directory))
      .filter((name) => name.endsWith(".md"))
      .sort()
      .map((name) => join(directory, name));
  return ["", "docs", "sandbox", "bench", "examples/app-stack", "examples/people"].flatMap(pagesIn).map(readDocument);
}

/** The rows of all tables of a Markdown text, without headings; cells trimmed. */
export function tableRows(text: string): string[][] {
  const lines = withoutCode(text).split("\n");
  return lines
    .filter((line, index) => line.startsWith("|") && !/^\|[-| ]+\|$/.test(line) && !/^\|[-| ]+\|$/.test(lines[index + 1] ?? ""))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf("|"))
        .split("|")
        .map((cell) => cell.trim()),
    );
}

/** Blocks of code of a language. */
export function codeBlocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].filter(([, named]) => named === language).map(([, , code]) => code ?? "");
}

/** The part of a text under a heading of the second level. */
export function section(text: string, heading: string): string {
  const parts = text.split(/^## /m).filter((part) => part.startsWith(`${heading}\n`));
  return parts[0] ?? "";
}

/** A text without its blocks of code. */
export const withoutCode = (text: string): string => text.replace(/^```\w*\n[\s\S]*?^```$/gm, "");

/** Inline code of a text. */
export const inlineCode = (text: string): string[] => [...withoutCode(text).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? "");

/** Anchors of a document's headings, as GitHub makes them. */
export function anchors(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading ?? "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replace(/ /g, "-"),
  );
}

/** Targets of the links and pictures of a document, without those to other hosts: path from the repository's root, and anchor. */
export function relativeLinks({ path, text }: Document): { path: string; anchor: string | undefined }[] {
  const plain = withoutCode(text);
  const targets = [
    ...[...plain.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? ""),
    ...[...plain.matchAll(/\b(?:src|href|srcset)="([^"]+)"/g)].map(([, target]) => target ?? ""),
  ];
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = "", anchor] = target.split("#");
      return { path: file === "" ? path : join(dirname(path), file), anchor };
    });
}
