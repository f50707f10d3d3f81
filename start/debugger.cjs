"use strict";

/** Module by which the SDK finds a function's place, and the variables around it, when it serializes the function. */
const HOOKS = "@pulumi/pulumi/runtime/closure/v8Hooks";

/**
 * Turns V8's debugger off until the SDK asks for it. Pulumi's host turns it on for functions that would be serialized, of which this
 * program has none, and it costs a tenth of a preview's time: it reports each file that is loaded.
 */
async function debugOnDemand() {
  // Where the host has not turned it on, there is nothing to turn off.
  if (require.cache[require.resolve(HOOKS)] === undefined) return;
  /** @type {{ getSessionAsync(): Promise<import("node:inspector").Session> }} */
  const hooks = require(HOOKS);
  const { getSessionAsync } = hooks;
  const session = await getSessionAsync();
  session.post("Debugger.disable");
  hooks.getSessionAsync = () => {
    hooks.getSessionAsync = getSessionAsync;
    // Reports all files, also those that have been loaded before.
    session.post("Debugger.enable");
    return getSessionAsync();
  };
}

module.exports = { debugOnDemand };
