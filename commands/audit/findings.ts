import { z } from "zod";
import type { Manifest } from "../manifests";

/** Answers of the auditors of manifests, in one form for all. */

/** The auditors, by the names of their programs. */
export const AUDITOR_NAMES = ["checkov", "kube-score", "trivy"] as const;
/** One of them. */
export type AuditorName = (typeof AUDITOR_NAMES)[number];

/** A check that an object fails. */
export interface Finding {
  auditor: AuditorName;
  /**
   * The auditor's own name of the check, such as `CKV_K8S_11`; of kube-score with what it says: `container-resources: CPU limit is not
   * set`.
   */
  check: string;
  /** Of the object, such as `StatefulSet`. */
  kind: string;
  /** `metadata.name` of the object. */
  name: string;
  /** The container of its pods that fails; absent where the auditor names none. */
  container?: string;
}

/** The objects that an auditor judged, by the name of the file in which each is alone. */
export type Judged = ReadonlyMap<string, Manifest>;

interface PodTemplate {
  template?: { spec?: Record<"containers" | "initContainers", { name: string }[] | undefined> };
}

const objectOf = (judged: Judged, kind: string, name: string): Manifest | undefined =>
  [...judged.values()].find((object) => object.kind === kind && object.metadata.name === name);

/** Names of the containers of an object's pods, by their place in its manifest. */
function containersOf(object: Manifest | undefined, which: "containers" | "initContainers"): string[] {
  const { template } = (object?.spec ?? {}) as PodTemplate;
  return (template?.spec?.[which] ?? []).map(({ name }) => name);
}

/** A container of an object, as part of a finding; nothing where it has none of that name. */
const named = (container: string | undefined, object: Manifest | undefined): Pick<Finding, "container"> =>
  container !== undefined && [...containersOf(object, "containers"), ...containersOf(object, "initContainers")].includes(container)
    ? { container }
    : {};

/** Verdict of an auditor on all objects of a plan. */
export interface Reading {
  /** Checks that were passed, as the auditor counts them: trivy also all that are for other kinds of objects. */
  passed: number;
  /** Those that were not, warnings too. */
  findings: Finding[];
}

const checkovSchema = z.object({
  summary: z.object({ passed: z.number().int().positive(), parsing_errors: z.literal(0) }),
  results: z.object({
    failed_checks: z.array(
      z.object({
        check_id: z.string(),
        resource: z.string(),
        check_result: z.object({ evaluated_keys: z.array(z.string()).default([]) }).optional(),
      }),
    ),
  }),
});

/** Where checkov looked, such as `spec/template/spec/containers/[1]/image`. */
const CHECKED_CONTAINER = /\/(containers|initContainers)\/\[(\d+)\]\//;

/**
 * checkov: `-o json` with one framework. Its objects are `Deployment.<namespace>.<name>`. Of the containers of a pod it names the first
 * that fails, and of some checks none.
 */
export function checkovReading(answer: unknown, judged: Judged): Reading {
  const { summary, results } = checkovSchema.parse(answer);
  const findings = results.failed_checks.map(({ check_id, resource, check_result }): Finding => {
    const [kind = "", , ...rest] = resource.split(".");
    const name = rest.join(".");
    const object = objectOf(judged, kind, name);
    const [, which, at] = CHECKED_CONTAINER.exec(check_result?.evaluated_keys[0] ?? "") ?? [];
    const container = which === undefined ? undefined : containersOf(object, which as "containers" | "initContainers")[Number(at)];
    return { auditor: "checkov", check: check_id, kind, name, ...named(container, object) };
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
          comments: z.array(z.object({ path: z.string(), summary: z.string() })).nullable(),
        }),
      ),
    }),
  )
  .nonempty();

/** Of kube-score: nothing to say. Source: `GradeAllOK`, scorecard/scorecard.go, 1.20.0. */
const ALL_OK = 10;

/**
 * kube-score: `--output-format json`. One check of it covers several rules, so what it says is part of the finding, and all containers of a
 * pod, of which each that fails is a finding.
 */
export function kubeScoreReading(answer: unknown, judged: Judged): Reading {
  const made = kubeScoreSchema
    .parse(answer)
    .flatMap(({ type_meta: { kind }, object_meta: { name }, checks }) =>
      checks.filter(({ skipped }) => !skipped).map((each) => ({ ...each, kind, name })),
    );
  const failed = made.filter(({ grade }) => grade < ALL_OK);
  const findings = failed.flatMap(({ check, comments, kind, name }) => {
    const object = objectOf(judged, kind, name);
    const containers = (comments ?? []).map(({ path }) => named(path, object).container);
    return (containers.length === 0 ? [undefined] : [...new Set(containers)]).map((container): Finding => {
      const said = (comments ?? []).filter((_, index) => containers[index] === container).map(({ summary }) => summary);
      const text = [check.id, ...(said.length === 0 ? [] : [[...new Set(said)].sort().join("; ")])].join(": ");
      return { auditor: "kube-score", check: text, kind, name, ...named(container, object) };
    });
  });
  return { passed: made.length - failed.length, findings };
}

const trivySchema = z.object({
  Results: z
    .array(
      z.object({
        Target: z.string(),
        MisconfSummary: z.object({ Successes: z.number() }),
        Misconfigurations: z.array(z.object({ ID: z.string(), Status: z.string(), Message: z.string().default("") })).default([]),
      }),
    )
    .nonempty(),
});

/** How a message of trivy's names a container: `Container 'thanos-querier' of Deployment …`, `Container prometheus in statefulset …`. */
const NAMED_CONTAINER = /\bcontainer ["']?([\w-]+)/i;

/**
 * trivy: `config --format json` of a directory. Its messages do not always name the object, but it says in which file it is; of most checks
 * they name the container.
 *
 * @throws {Error} for a file that is none of them
 */
export function trivyReading(answer: unknown, judged: Judged): Reading {
  const { Results } = trivySchema.parse(answer);
  return {
    passed: Results.reduce((sum, { MisconfSummary }) => sum + MisconfSummary.Successes, 0),
    findings: Results.flatMap(({ Target, Misconfigurations }) => {
      const object = judged.get(Target);
      if (object === undefined) throw new Error(`${Target} is no file that trivy was given`);
      const { kind, metadata } = object;
      return Misconfigurations.filter(({ Status }) => Status === "FAIL").map(
        ({ ID, Message }): Finding => ({
          auditor: "trivy",
          check: ID,
          kind,
          name: metadata.name,
          ...named(NAMED_CONTAINER.exec(Message)?.[1], object),
        }),
      );
    }),
  };
}
