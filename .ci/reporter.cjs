// Mocha's report for people; and its counts and what failed, in a file of its own in the folder that MOCHA_RESULTS names.
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { reporters } = require("mocha");

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failed = [];
    runner.on("fail", (test, error) => failed.push(`${test.titlePath().join(" › ")}: ${error?.message ?? error}`));
    runner.once("end", () => {
      const folder = process.env.MOCHA_RESULTS;
      if (folder)
        writeFileSync(
          join(folder, `${process.pid}.json`),
          JSON.stringify({ stats: { passes: this.stats.passes, failures: this.stats.failures }, failed }),
        );
    });
  }
};
