"use strict";

const Module = require("node:module");

/**
 * Modules that Pulumi's SDK loads with itself and this program never asks for: packages that it would serialize functions with, such as
 * those of a dynamic provider, and its driver of other programs. They are nine tenths of the time that the SDK takes to load.
 */
const OF_SDK = ["typescript", "@npmcli/arborist", "normalize-package-data", "fdir", "@pulumi/pulumi/automation"];
/** The same of zod: its messages in fifty languages, half of its time. */
const OF_ZOD = ["zod/v4/locales"];

/** Puts off loading what nobody asks for, until somebody does. To be called before the SDK's index and zod are loaded. */
function deferUnused() {
  const unused = { "@pulumi/pulumi": OF_SDK, zod: OF_ZOD };
  for (const [name, parts] of Object.entries(unused)) {
    const { resolve } = Module.createRequire(require.resolve(name));
    for (const part of parts) defer(resolve(part));
  }
}

/**
 * Answers imports of a CommonJS module with a stand-in, which loads the module when a property of it is read. Does nothing where it has
 * been loaded already. What the module exports can be called; its names can't be listed.
 *
 * @param {string} file the module's absolute path
 */
function defer(file) {
  if (require.cache[file] !== undefined) return;
  const standIn = new Module(file);
  const load = () => {
    if (require.cache[file] === standIn) delete require.cache[file];
    return require(file);
  };
  standIn.exports = new Proxy(() => undefined, {
    apply: (_, self, given) => Reflect.apply(load(), self, given),
    get: (_, name) => {
      // By these, compiled code tells how a module is to be imported: as it is, or as its default.
      if (name === "__esModule") return true;
      if (name === "default") return standIn.exports;
      return load()[name];
    },
    has: (_, name) => name in load(),
  });
  standIn.filename = file;
  standIn.loaded = true;
  require.cache[file] = standIn;
}

module.exports = { deferUnused };
