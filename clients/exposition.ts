/** The Prometheus text exposition format, as far as reading counters and gauges off a `/metrics` page needs it. */
import { type Labels, parseSampleValue } from "./prometheus";

/** One line of a `/metrics` page. */
export interface ExposedSample {
  name: string;
  labels: Labels;
  value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+([^\s]+)(?:\s+-?\d+)?$/;
const LABEL = /\s*([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"\s*,?/gy;

/**
 * Parses a page in the text format 0.0.4; comments and blank lines are left out.
 *
 * @throws {Error} naming the line that is no sample, for instance because the page is not metrics at all
 */
export function parseExposition(page: string): ExposedSample[] {
  return page
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(parseLine);
}

function parseLine(line: string): ExposedSample {
  const [, name, labels, value] = LINE.exec(line) ?? [];
  if (name === undefined || value === undefined) {
    throw new Error(`not a line of the text exposition format: ${line.slice(0, 200)}`);
  }
  return { name, labels: labels === undefined ? {} : parseLabels(labels, line), value: parseSampleValue(value) };
}

function parseLabels(text: string, line: string): Labels {
  const labels: Record<string, string> = {};
  let end = 0;
  for (const match of text.matchAll(LABEL)) {
    const [whole, name, value] = match;
    if (name !== undefined && value !== undefined) {
      labels[name] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
    }
    end = match.index + whole.length;
  }
  if (text.slice(end).trim() !== "") {
    throw new Error(`not a line of the text exposition format: ${line.slice(0, 200)}`);
  }
  return labels;
}
