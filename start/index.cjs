"use strict";

/**
 * The entry that the engine starts (`main` of package.json): the program, transpiled file by file as it is loaded. JavaScript, since
 * nothing has been transpiled yet. Pulumi's own way to run TypeScript loads the compiler before anything else, also where it transpiles
 * nothing.
 */
require("./deferred.cjs").deferUnused();
require("./messages.cjs").debugMessagesOnDemand();
require("./traces.cjs").showSources(require("./transpiler.cjs").transpileImports());

module.exports = async () => {
  await require("./debugger.cjs").debugOnDemand();
  return require("../index.ts")();
};
