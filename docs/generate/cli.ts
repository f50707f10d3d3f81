import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { complain, say } from "../../commands/terminal";
import { PROJECT_FOLDER } from "../../config/stackFiles";
import { generatedFiles } from "./files";

/** `npm run docs`: makes of the schema what is committed of it, the configuration's page. */
function main(): void {
  for (const [path, text] of Object.entries(generatedFiles())) {
    const file = join(PROJECT_FOLDER, path);
    const isSame = readIfThere(file) === text;
    if (!isSame) writeFileSync(file, text);
    say(`${path}: ${isSame ? "as it was" : "written"}`);
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

try {
  main();
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
