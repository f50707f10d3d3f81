"use strict";

const { SourceMap } = require("node:module");

/**
 * Makes stack traces name the lines of TypeScript; frames of packages stay as they run. What a frame becomes is worked out once: the SDK
 * takes a trace for each resource and each of its promises, 1,500 of dev.
 *
 * @param {ReadonlyMap<string, string>} sourceMaps by the path of the file that runs
 */
function showSources(sourceMaps) {
  /** @type {Map<string, SourceMap>} */
  const read = new Map();
  /** @param {string} file */
  const sourceMap = (file) => {
    const known = read.get(file);
    if (known !== undefined) return known;
    const text = sourceMaps.get(file);
    if (text === undefined) return undefined;
    const map = new SourceMap(JSON.parse(text));
    read.set(file, map);
    return map;
  };

  /** @param {NodeJS.CallSite} frame */
  const shown = (frame) => {
    const running = String(frame);
    const file = frame.getFileName();
    const [line, column] = [frame.getLineNumber(), frame.getColumnNumber()];
    if (!file || line === null || column === null) return running;
    const entry = sourceMap(file)?.findEntry(line - 1, column - 1);
    // Code that the transpiler has added stands in no line of the source.
    if (entry === undefined || !("originalLine" in entry) || entry.generatedLine !== line - 1) return running;
    return running.replace(`${file}:${line}:${column}`, () => `${file}:${entry.originalLine + 1}:${entry.originalColumn + 1}`);
  };

  /** @type {Map<string, string>} */
  const lines = new Map();
  /** @param {NodeJS.CallSite} frame */
  const line = (frame) => {
    const running = String(frame);
    const known = lines.get(running);
    if (known !== undefined) return known;
    const text = `\n    at ${shown(frame)}`;
    lines.set(running, text);
    return text;
  };

  Error.prepareStackTrace = (error, frames) => {
    const trace = () => `${error.name || "Error"}: ${error.message || ""}${frames.map(line).join("")}`;
    // A promise's trace is read where it has never settled.
    return frames[0]?.getFunctionName() === "debuggablePromise" ? { toString: trace } : trace();
  };
}

module.exports = { showSources };
