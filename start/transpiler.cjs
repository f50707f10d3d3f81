"use strict";

const { readFileSync } = require("node:fs");
const { transformSync } = require("@swc/core");

/**
 * What `tsconfig.json` says, in swc's words; a test compares what comes out with what tests and commands run, by ts-node.
 *
 * @type {import("@swc/core").Options}
 */
const OPTIONS = {
  swcrc: false,
  sourceMaps: "inline",
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
 * A file of TypeScript as Node.js runs it, its types unchecked, with its source map.
 *
 * @param {string} file its path
 * @returns {string}
 * @throws if it is no TypeScript, with the place
 */
function transpile(file) {
  return transformSync(readFileSync(file, "utf8"), { ...OPTIONS, filename: file }).code;
}

/** Transpiles what is loaded from now on and ends with `.ts`. */
function transpileImports() {
  require.extensions[".ts"] = (module, file) => {
    const compiled = /** @type {NodeJS.Module & { _compile(code: string, file: string): void }} */ (module);
    compiled._compile(transpile(file), file);
  };
}

module.exports = { transpile, transpileImports };
