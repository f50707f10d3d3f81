import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { parse } from "yaml";
import { z } from "zod";
import { messageOf } from "../clients/transport";
import { type Accepted, acceptedSchema, unusedLines } from "./audit/acceptance";
import { AUDITORS, DEFAULT_AUDITORS } from "./audit/auditors";
import { AUDITOR_NAMES, type AuditorName } from "./audit/findings";
import { AUDIT_DIRECTORY, DEFAULT_PLANS, objectsOf } from "./audit/plans";
import { answerOf, auditorsDirectory, programOf } from "./audit/programs";
import { type Audit, openLines, tableLines } from "./audit/table";
import { manifestsYaml } from "./manifests";
import { complain, say } from "./terminal";

const ACCEPTED = join(AUDIT_DIRECTORY, "accepted.yaml");

/** `npm run audit [-- --stack prod --auditor trivy]`: what auditors of manifests find, and whether it is accepted by name. */
async function main(): Promise<void> {
  const { stack: plans = DEFAULT_PLANS, auditor: asked } = new Command("audit")
    .description("Have auditors judge the manifests of environments, and compare what they find with audit/accepted.yaml")
    .option(
      "-s, --stack <name...>",
      `environments, each with further keys where +name follows: audit/Pulumi.<name>.yaml; default: ${DEFAULT_PLANS.join(" ")}`,
    )
    .addOption(new Option("-a, --auditor <name...>", "auditors to ask").choices(AUDITOR_NAMES).default(DEFAULT_AUDITORS))
    .parse()
    .opts<{ stack?: string[]; auditor: AuditorName[] }>();
  const accepted = acceptedIn(await readFile(ACCEPTED, "utf8"));
  const audits = await audited(plans, asked);
  for (const line of tableLines(audits, accepted)) say(line);

  const open = openLines(audits, accepted);
  for (const line of open) complain(`not accepted: ${line}`);
  // Of other plans nobody expects that they have everything.
  const complete = DEFAULT_PLANS.every((plan) => plans.includes(plan));
  const findings = audits.filter(({ plan }) => DEFAULT_PLANS.includes(plan)).flatMap((audit) => audit.findings);
  const unused = complete ? unusedLines(accepted, findings, asked) : [];
  for (const line of unused) complain(`nothing to accept: ${line}`);
  if (open.length + unused.length > 0) process.exitCode = 1;
}

/** @throws {Error} naming the file, and in a line each what of it is no entry */
const acceptedIn = (text: string): Accepted[] => orFail(ACCEPTED, () => acceptedSchema.parse(parse(text)));

/** @throws {Error} whose message begins with what it is about */
function orFail<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${what}: ${error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)}`);
  }
}

/** Every plan, judged by every auditor. */
async function audited(plans: readonly string[], asked: readonly AuditorName[]): Promise<Audit[]> {
  const cache = auditorsDirectory();
  const audits: Audit[] = [];
  for (const plan of plans) {
    const objects = new Map((await objectsOf(plan)).map((object, index) => [`${index}.yaml`, object]));
    const directory = await mkdtemp(join(tmpdir(), "thanos-stack-audit-"));
    try {
      for (const [file, object] of objects) await writeFile(join(directory, file), manifestsYaml([object]));
      for (const auditor of AUDITORS.filter(({ name }) => asked.includes(name))) {
        const title = `${auditor.name} ${auditor.version}`;
        const call = await programOf(auditor, cache, complain);
        const answer = await answerOf(call, auditor.args([...objects.keys()], cache), directory);
        audits.push({ plan, auditor: title, ...orFail(`${title}, of ${plan}`, () => auditor.read(answer, objects)) });
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  }
  return audits;
}

main().catch((error: unknown) => {
  complain(error);
  process.exitCode = 1;
});
