import { z } from "zod";
import type { Manifest } from "../manifests";

/** What auditors of manifests answer, in one form for all. */

/** The auditors, by the names of their programs. */
export const AUDITOR_NAMES = ["checkov", "kube-score", "trivy"] as const;
/** One of them. */
export type AuditorName = (typeof AUDITOR_NAMES)[number];

/** A check that an object fails. */
export interface Finding {
  auditor: AuditorName;
  /** The auditor's own name of the check, such as `CKV_K8S_11`; of kube-score with what it says: `container-resources: CPU limit is not set`. */
  check: string;
  /** Of the object, such as `StatefulSet`. */
  kind: string;
  /** `metadata.name` of the object. */
  name: string;
}

/** What an auditor says of all objects of a plan. */
export interface Reading {
  /** Checks that were passed, as the auditor counts them: trivy also all that are for other kinds of objects. */
  passed: number;
  /** Those that were not, warnings too. */
  findings: Finding[];
}

const checkovSchema = z.object({
  summary: z.object({ passed: z.number().int().positive(), parsing_errors: z.literal(0) }),
  results: z.object({ failed_checks: z.array(z.object({ check_id: z.string(), resource: z.string() })) }),
});

/** checkov: `-o json` with one framework. Its objects are `Deployment.<namespace>.<name>`. */
export function checkovReading(answer: unknown): Reading {
  const { summary, results } = checkovSchema.parse(answer);
  const findings = results.failed_checks.map(({ check_id, resource }): Finding => {
    const [kind = "", , ...name] = resource.split(".");
    return { auditor: "checkov", check: check_id, kind, name: name.join(".") };
  });
  return { passed: summary.passed, findings };
}

const kubeScoreSchema = z
  .array(
    z.object({
      type_meta: z.object({ kind: z.string() }),
      object_meta: z.object({ name: z.string() }),
      checks: z.array(
        z.object({
          check: z.object({ id: z.string() }),
          grade: z.number(),
          skipped: z.boolean(),
          comments: z.array(z.object({ summary: z.string() })).nullable(),
        }),
      ),
    }),
  )
  .nonempty();

/** Of kube-score: nothing to say. Source: `GradeAllOK`, scorecard/scorecard.go, 1.20.0. */
const ALL_OK = 10;

/** kube-score: `--output-format json`. One check of it covers several rules, so what it says is part of the finding. */
export function kubeScoreReading(answer: unknown): Reading {
  const made = kubeScoreSchema.parse(answer).flatMap(({ type_meta, object_meta, checks }) =>
    checks
      .filter(({ skipped }) => !skipped)
      .map(({ check, grade, comments }) => {
        const said = [...new Set((comments ?? []).map(({ summary }) => summary))].sort();
        const name = [check.id, ...(said.length === 0 ? [] : [said.join("; ")])].join(": ");
        return { grade, finding: { auditor: "kube-score", check: name, kind: type_meta.kind, name: object_meta.name } as const };
      }),
  );
  const findings = made.filter(({ grade }) => grade < ALL_OK).map(({ finding }) => finding);
  return { passed: made.length - findings.length, findings };
}

const trivySchema = z.object({
  Results: z
    .array(
      z.object({
        Target: z.string(),
        MisconfSummary: z.object({ Successes: z.number() }),
        Misconfigurations: z.array(z.object({ ID: z.string(), Status: z.string() })).default([]),
      }),
    )
    .nonempty(),
});

/**
 * trivy: `config --format json` of a directory. Its messages do not always name the object, but it says in which file it is.
 *
 * @param objects the objects, by the name of the file in which each is alone
 * @throws {Error} for a file that is none of them
 */
export function trivyReading(answer: unknown, objects: ReadonlyMap<string, Manifest>): Reading {
  const { Results } = trivySchema.parse(answer);
  return {
    passed: Results.reduce((sum, { MisconfSummary }) => sum + MisconfSummary.Successes, 0),
    findings: Results.flatMap(({ Target, Misconfigurations }) => {
      const object = objects.get(Target);
      if (object === undefined) throw new Error(`${Target} is no file that trivy was given`);
      const { kind, metadata } = object;
      return Misconfigurations.filter(({ Status }) => Status === "FAIL").map(
        ({ ID }): Finding => ({ auditor: "trivy", check: ID, kind, name: metadata.name }),
      );
    }),
  };
}
