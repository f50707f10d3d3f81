// Mocha's report for people, and its counts in the file that MOCHA_RESULTS names.
const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once("end", () => {
      const path = process.env.MOCHA_RESULTS;
      if (path) writeFileSync(path, JSON.stringify({ stats: { passes: this.stats.passes, failures: this.stats.failures } }));
    });
  }
};
