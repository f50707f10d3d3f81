import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ACCEPTABLE_RISKS, type AcceptableRisk, settingsSchema } from "../../model/settings";
import { keysOf, type Schema } from "./keys";
import { configurationPage, wrapped } from "./page";

/** What is made of the schemas, and committed: nobody changes it by hand. */

/** The command that makes it anew. */
export const COMMAND = "npm run docs";

/** What of an environment asks for each risk to be accepted. */
const ASKED_FOR_BY: Readonly<Record<AcceptableRisk, string>> = {
  "data-loss": "`receive.replicationFactor` of 1",
  "one-copy-acknowledgement": "`receive.replicationFactor` of 2",
  "replicas-on-one-node": "`receive.antiAffinity` of `soft`, with a `receive.replicationFactor` above 1",
  "history-loss": "an update of a StatefulSet of receivers to fewer pods, also at preview",
  "storage-replacement": "`protect`, which it lifts from StatefulSets and hostPath volumes, so that they can be replaced",
  "open-doors": "`access.senders` or `access.readers` left out, or a network such as `0.0.0.0/0` in them",
  "any-tenant": "`tenancy.tenants` left out where others than this stack's own components may write",
};

const risks = Object.entries(ACCEPTABLE_RISKS)
  .map(([name, what]) => {
    const paragraphs = [`**\`${name}\`**: ${what}.`, `Asked for by ${ASKED_FOR_BY[name as AcceptableRisk]}.`];
    return `- ${paragraphs
      .map((each) => wrapped(each, "  "))
      .join("\\\n")
      .trimStart()}`;
  })
  .join("\n");

/** The files, by path from the repository's root. */
export function generatedFiles(): Record<string, string> {
  const template = readFileSync(join(__dirname, "configuration.md"), "utf8");
  return {
    "docs/configuration.md": configurationPage(template, keysOf(settingsSchema as unknown as Schema), { risks }),
  };
}
