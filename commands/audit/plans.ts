import { join } from "node:path";
import { stackConfig, stackName } from "../../config/stackFiles";
import { type Manifest, manifestsOf } from "../manifests";
import { PROJECT_DIRECTORY, runProgram } from "../program";

/** Where the audit has what is accepted, and the keys that its plans have over those of an environment. */
export const AUDIT_DIRECTORY = join(PROJECT_DIRECTORY, "audit");

/** Plans that are audited by default. Every accepted finding must be found in one of them. */
export const DEFAULT_PLANS: readonly string[] = ["dev", "prod", "prod+gateway", "prod+gateway+ingress", "prod+gateway+routes"];

/**
 * The objects of a plan, of which the audit makes a file each.
 *
 * @param plan an environment; with `+name`, which may be repeated, the keys of audit/Pulumi.name.yaml replace its own
 * @throws {StackFileError} if there is no such file, and what the program refuses
 */
export async function objectsOf(plan: string): Promise<Manifest[]> {
  const [environment = "", ...further] = plan.split("+");
  const stack = stackName(environment);
  const config = Object.assign(stackConfig(stack), ...further.map((name) => stackConfig(name, AUDIT_DIRECTORY)));
  return manifestsOf((await runProgram({ config, stack })).resources);
}
