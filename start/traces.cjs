"use strict";

const support = require("source-map-support");
/** Its own types know another form of functions than those of Node.js. */
const { wrapCallSite } = /** @type {{ wrapCallSite(frame: NodeJS.CallSite): object }} */ (support);

/**
 * Makes stack traces name the lines of TypeScript, by the source map at the end of each module that is loaded from now on; frames of packages
 * stay as they run. What a frame becomes is worked out once: the SDK takes a trace for each resource and each of its promises, 1,500 of dev.
 */
function showSources() {
  support.install({ environment: "node", hookRequire: true, handleUncaughtExceptions: false });
  const header = Error.prepareStackTrace;
  /** @type {Map<string, string>} */
  const lines = new Map();
  /** @param {NodeJS.CallSite} frame */
  const line = (frame) => {
    const running = String(frame);
    const known = lines.get(running);
    if (known !== undefined) return known;
    const shown = `\n    at ${frame.getFileName()?.endsWith(".ts") ? wrapCallSite(frame) : running}`;
    lines.set(running, shown);
    return shown;
  };
  Error.prepareStackTrace = (error, frames) => `${header?.(error, [])}${frames.map(line).join("")}`;
}

module.exports = { showSources };
