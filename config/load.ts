import * as pulumi from "@pulumi/pulumi";
import { objectProblems } from "../model/objectSizes";
import { bucketClashes, type Credentials, credentialProblems, credentialsSchema } from "../model/objectStorage";
import { formatProblems } from "../model/problem";
import { problemsOf } from "../model/rules";
import { type Settings, settingsSchema } from "../model/settings";
import { problemsOfIssue } from "./issues";
import { readKeys } from "./keys";
import { kubeconfigPath } from "./kubeconfig";
import { readRules } from "./ruleFiles";
import { otherStacks } from "./stackFiles";

/** What the program starts from. */
export interface LoadedConfig {
  settings: Settings;
  /** Path or text of the kubeconfig, resolved. */
  kubeconfig: string;
  /** Rule files by name. */
  rules: Record<string, string>;
  /** The bucket's credentials, to be kept secret; undefined where the pods' own identity is used. */
  credentials: Credentials | undefined;
}

/**
 * Reads, checks and completes the stack's configuration: the only place that knows `pulumi.Config`, the environment and files.
 *
 * @throws pulumi.RunError naming every problem at once, before any resource is registered.
 */
export function loadConfig(): LoadedConfig {
  const stack = pulumi.getStack();
  const { raw, credentials, problems: unreadable } = readKeys();
  const parsed = settingsSchema.safeParse(raw, { reportInput: true });
  const shape = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, raw));
  const problems = [
    ...unreadable,
    ...shape,
    ...(parsed.success
      ? [
          ...problemsOf(parsed.data),
          ...credentialProblems(parsed.data, credentials),
          ...bucketClashes(parsed.data.objectStorage, otherStacks(stack)),
        ]
      : []),
  ];
  if (!parsed.success || problems.length > 0) throw new pulumi.RunError(formatProblems(stack, problems));
  const { rules, problems: ruleProblems } = readRules(parsed.data);
  ruleProblems.push(...objectProblems(parsed.data, rules));
  if (ruleProblems.length > 0) throw new pulumi.RunError(formatProblems(stack, ruleProblems));
  return {
    settings: parsed.data,
    kubeconfig: kubeconfigPath(parsed.data.cluster.kubeconfig),
    rules,
    credentials: credentials === undefined ? undefined : credentialsSchema.parse(credentials),
  };
}
