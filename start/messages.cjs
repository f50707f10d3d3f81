"use strict";

/** Texts that the CLI takes for true in a variable of an option (Go's strconv `ParseBool`). */
const TRUE = ["1", "t", "T", "true", "TRUE", "True"];

/**
 * Keeps the SDK's messages for `--debug` from the engine, three for each resource, unless somebody asks for them by the variable of that
 * option (Pulumi 3.208 and later): the engine sends no word to the program that it would show them. A message is a call that costs the
 * program as much as a registration.
 */
function debugMessagesOnDemand() {
  if (TRUE.includes(process.env.PULUMI_OPTION_DEBUG ?? "")) return;
  /** @type {{ debug: typeof import("@pulumi/pulumi").log.debug }} */
  const log = require("@pulumi/pulumi/log");
  log.debug = () => Promise.resolve();
}

module.exports = { debugMessagesOnDemand };
