import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { complain, say } from "../../commands/terminal";
import { PROJECT_DIRECTORY } from "../../config/stackFiles";
import { generatedFiles } from "./files";

/** `npm run docs`: makes of the schema what is committed of it, the configuration's page and the editors' schema. */
function main(): void {
  for (const [path, text] of Object.entries(generatedFiles())) {
    const file = join(PROJECT_DIRECTORY, path);
    const isSame = existsSync(file) && readFileSync(file, "utf8") === text;
    if (!isSame) writeFileSync(file, text);
    say(`${path}: ${isSame ? "as it was" : "written"}`);
  }
}

try {
  main();
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
