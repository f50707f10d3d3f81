import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { CONFIG_NAMESPACE } from "./keys";

/** What the other stack files of this folder say of their bucket: two stacks in one place would compact each other's blocks. */
export function otherStacks(own: string): Record<string, unknown> {
  const root = resolve(__dirname, "..");
  const files = readdirSync(root).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.slice(0, 2) ?? []);
  const stacks = files.filter((_, index) => index % 2 === 1).filter((stack) => stack !== own);
  return Object.fromEntries(
    stacks.map((stack) => {
      const content = parse(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8")) as { config?: Record<string, unknown> } | null;
      return [stack, content?.config?.[`${CONFIG_NAMESPACE}:objectStorage`]];
    }),
  );
}
