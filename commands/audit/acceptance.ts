import { z } from "zod";
import { globsOverlap } from "../../model/values/glob";
import { AUDITOR_NAMES, type AuditorName, type Finding } from "./findings";

/** Which findings are accepted, and which of what is accepted nobody finds any more. */

const checks = z.array(z.string().min(1)).nonempty().optional();

/** The form of `audit/accepted.yaml`. */
export const acceptedSchema = z.array(
  z.strictObject({
    reason: z.string().min(1).meta({ description: "Why it stays, with the decision or the key that says more" }),
    checks: z
      .strictObject({ checkov: checks, "kube-score": checks, trivy: checks })
      .refine((given) => Object.values(given).some((each) => each !== undefined), "no check is named")
      .meta({ description: "Names of the checks, by auditor, as the command prints them" }),
    objects: z
      .array(z.string().regex(/^[^/]+\/[^/]+(?:\/[^/]+)?$/, "an object is Kind/name or Kind/name/container, with * for any characters"))
      .nonempty()
      .meta({
        description:
          "Objects that may fail them, as Kind/name, and where a finding names a container as Kind/name/container, which a name alone is not for; with `*` " +
          "for any characters, those of containers among them",
      }),
  }),
);

/** An entry of `audit/accepted.yaml`. */
export type Accepted = z.infer<typeof acceptedSchema>[number];

/** The name of a finding's object: `Kind/name`, with `/container` where it is one container's. */
export const objectName = ({ kind, name, container }: Pick<Finding, "kind" | "name" | "container">): string =>
  [kind, name, ...(container === undefined ? [] : [container])].join("/");

const names = (entry: Accepted, { auditor, check }: Finding): boolean => entry.checks[auditor]?.includes(check) ?? false;
const covers = (pattern: string, finding: Finding): boolean => globsOverlap(pattern, objectName(finding));

/** Whether an entry accepts a finding: it names the check and the object. */
export const isAccepted = (finding: Finding, accepted: readonly Accepted[]): boolean =>
  accepted.some((entry) => names(entry, finding) && entry.objects.some((pattern) => covers(pattern, finding)));

/**
 * Entries of the accepted list that nobody finds any more, a line for each check and for each pattern of objects.
 *
 * @param auditors those that were asked: what others may find is not judged
 * @param findings all that they found in all plans of the repository
 */
export function unusedLines(accepted: readonly Accepted[], findings: readonly Finding[], auditors: readonly AuditorName[]): string[] {
  return accepted.flatMap((entry) => {
    const used = findings.filter((finding) => isAccepted(finding, [entry]));
    const checkLines = auditors.flatMap((auditor) =>
      (entry.checks[auditor] ?? [])
        .filter((check) => !used.some((finding) => finding.auditor === auditor && finding.check === check))
        .map((check) => `${auditor} ${check}, accepted at ${entry.objects.join(", ")}: no such finding`),
    );
    // An object may be there for an auditor that was not asked.
    const complete = AUDITOR_NAMES.every((auditor) => entry.checks[auditor] === undefined || auditors.includes(auditor));
    const objectLines = entry.objects
      .filter((pattern) => complete && !used.some((finding) => covers(pattern, finding)))
      .map((pattern) => `${pattern}, accepted for ${Object.values(entry.checks).flat().join(", ")}: no such finding`);
    return [...checkLines, ...objectLines];
  });
}
