// Mocha's report for people; and its counts, its time and what failed, in a file of its own in the directory that MOCHA_RESULTS names.
const { writeFileSync } = require("node:fs");
const { join, relative } = require("node:path");
const { reporters } = require("mocha");

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failed = [];
    runner.on("fail", (test, error) => failed.push(`${test.titlePath().join(" › ")}: ${error?.message ?? error}`));
    runner.once("end", () => {
      const directory = process.env.MOCHA_RESULTS;
      if (!directory) return;
      const { passes, failures, duration } = this.stats;
      const files = [...new Set(runner.suite.suites.flatMap(({ file }) => (file ? [relative(process.cwd(), file)] : [])))];
      writeFileSync(join(directory, `${process.pid}.json`), JSON.stringify({ stats: { passes, failures, duration }, files, failed }));
    });
  }
};
