"use strict";

const { readFileSync } = require("node:fs");
const { transformSync } = require("@swc/core");

/**
 * Options of `tsconfig.json`, in swc's words; a test compares what comes out with what tests and commands run, by ts-node.
 *
 * @type {import("@swc/core").Options}
 */
const OPTIONS = {
  swcrc: false,
  sourceMaps: true,
  inlineSourcesContent: false,
  module: { type: "commonjs", strictMode: true, ignoreDynamic: true },
  jsc: {
    target: "es2022",
    keepClassNames: true,
    parser: { syntax: "typescript" },
    transform: { useDefineForClassFields: true },
  },
};

/**
 * A file of TypeScript as Node.js runs it, its types unchecked, and its source map.
 *
 * @param {string} file its path
 * @returns {import("@swc/core").Output}
 * @throws if it is no TypeScript, with the place
 */
function transpile(file) {
  return transformSync(readFileSync(file, "utf8"), { ...OPTIONS, filename: file });
}

/**
 * Transpiles what is loaded from now on and ends with `.ts`.
 *
 * @returns {ReadonlyMap<string, string>} the source maps of what has been loaded so far, by path. A map at the end of each file would be
 * read by everybody who reads the file.
 */
function transpileImports() {
  /** @type {Map<string, string>} */
  const sourceMaps = new Map();
  require.extensions[".ts"] = (module, file) => {
    const { code, map } = transpile(file);
    if (map !== undefined) sourceMaps.set(file, map);
    const compiled = /** @type {NodeJS.Module & { _compile(code: string, file: string): void }} */ (module);
    compiled._compile(code, file);
  };
  return sourceMaps;
}

module.exports = { transpile, transpileImports };
