import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

interface LockedPackage {
  version?: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const { packages } = JSON.parse(readFileSync(join(__dirname, "..", "package-lock.json"), "utf8")) as {
  packages: Record<string, LockedPackage>;
};

describe("package-lock.json", () => {
  it("has the optional packages of every platform, without which `npm ci` refuses it everywhere", () => {
    // npm leaves out those that its registry did not answer for when the file was written. They need `version`,
    // `os`, `cpu` and `optional` here, no more.
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => packages[`${path}/node_modules/${name}`] === undefined && packages[`node_modules/${name}`] === undefined,
      ),
    );
    assert.deepEqual(missing, []);
  });

  it("names no registry", () => {
    assert.deepEqual(
      Object.entries(packages)
        .filter(([, { resolved }]) => resolved !== undefined)
        .map(([path]) => path),
      [],
    );
  });
});
