import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { alone, filesOf, STAGES } from "../e2e/stages";

describe("stages of the end-to-end tests", () => {
  it("have every file once", () => {
    const files = readdirSync(join(__dirname, "../e2e")).flatMap((name) => /^(.+)\.spec\.ts$/.exec(name)?.[1] ?? []);
    assert.deepEqual(STAGES.flatMap(filesOf).sort(), files.sort());
  });

  it("are one for each file that is named", () => {
    assert.deepEqual(alone(["dev", "prod"]).map(filesOf), [["dev"], ["prod"]]);
  });
});
