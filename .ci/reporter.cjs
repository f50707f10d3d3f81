// Mocha's report for people, and its counts in a file of its own in the folder that MOCHA_RESULTS names.
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { reporters } = require("mocha");

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once("end", () => {
      const folder = process.env.MOCHA_RESULTS;
      if (folder)
        writeFileSync(
          join(folder, `${process.pid}.json`),
          JSON.stringify({ stats: { passes: this.stats.passes, failures: this.stats.failures } }),
        );
    });
  }
};
