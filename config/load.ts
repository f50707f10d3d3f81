import * as pulumi from "@pulumi/pulumi";
import type { Document } from "yaml";
import {
  BUCKET_CREDENTIALS_KEY,
  type BucketCredentials,
  bucketClashes,
  bucketCredentialProblems,
  credentialsSchema,
} from "../model/bucket/config";
import { CREDENTIALS_KEY, type Credentials, credentialProblems, unusedCredentials } from "../model/credentials/rules";
import { objectProblems } from "../model/objectSizes";
import { problemsOf } from "../model/rules";
import type { Settings } from "../model/settings/schema";
import { writtenEnds } from "../model/tls/ends";
import { formatProblems, type Problem } from "../model/values/problem";
import { changedDigits } from "./digits";
import { readKeys } from "./keys";
import { kubeconfigOf } from "./kubeconfig";
import { loadProblemsBeside } from "./loadBeside";
import { CONFIG_NAMESPACE } from "./namespace";
import { readRules } from "./ruleFiles";
import { shapeOf } from "./shape";
import { type OtherStacks, otherStacks, PROJECT_DIRECTORY, type StackFileError } from "./stackFiles";
import { changedDates, controlCharacters } from "./texts";
import { keysTwice, stackDocument } from "./writtenText";

/** The configuration that the program starts from. */
export interface LoadedConfig {
  settings: Settings;
  /** Path or text of the kubeconfig, resolved. */
  kubeconfig: string;
  /** Rule files by name. */
  rules: Record<string, string>;
  /** Rules in all of them. */
  ruleCount: number;
  /** The bucket's credentials, to be kept secret; undefined where the pods' own identity is used. */
  bucketCredentials: BucketCredentials | undefined;
  /** Credentials that are files, by name, to be kept secret. */
  credentials: Credentials;
  /** Today, for which certificates are made: nobody else looks at a clock. */
  day: Date;
  /** Checks that could not be made, in sentences. */
  warnings: string[];
}

/**
 * Reads, checks and completes the stack's configuration: the only place that knows `pulumi.Config`, the environment and files.
 *
 * @param directory where the stack files are. Default: the program's.
 * @throws pulumi.RunError naming every problem at once, before any resource is registered.
 */
export function loadConfig(directory = PROJECT_DIRECTORY): LoadedConfig {
  const stack = pulumi.getStack();
  const { raw, secrets, unread, problems: unreadable } = readKeys(directory);
  const day = new Date();
  const bucketCredentials = secrets[BUCKET_CREDENTIALS_KEY];
  const others = otherStacks(stack, directory);
  const { settings, judge, problems: shape } = shapeOf(raw, unread);
  let rules: Record<string, string> = {};
  let ruleCount = 0;
  const broken =
    settings === undefined
      ? []
      : [
          ...problemsOf(settings, judge),
          ...judge(() => writtenEnds(settings, day)),
          ...judge(() => bucketCredentialProblems(settings, bucketCredentials)),
          ...judge(() => credentialProblems(settings, secrets[CREDENTIALS_KEY])),
          ...judge(() => bucketClashes(settings.objectStorage, bucketsOf(others))),
          ...judge(() => {
            const read = readRules(settings);
            rules = read.rules;
            ruleCount = read.count;
            return read.problems;
          }),
        ];
  const judged = [...shape, ...broken];
  const spelt = speltOtherwise(stackDocument(stack, directory), raw, judged);
  // How a number was written says more than that no text is there.
  const problems = [...unreadable, ...spelt, ...judged.filter(({ key }) => !spelt.some((each) => each.key === key))];
  // A refusal by form already says what would be accepted.
  problems.push(...controlCharacters(raw).filter(({ key }) => !problems.some((each) => each.key === key)));
  // Objects are made of settings that break no rule.
  if (settings !== undefined && problems.length === 0) problems.push(...objectProblems(settings, rules));
  // The load is judged by the plan, of which there is none where anything is refused.
  if (settings !== undefined && problems.length > 0) problems.push(...judge(() => loadProblemsBeside(settings, problems)));
  if (settings === undefined || problems.length > 0) throw new pulumi.RunError(formatProblems(stack, problems));
  // Anything but a map of texts has been refused.
  const credentials = (secrets[CREDENTIALS_KEY] ?? {}) as Credentials;
  const { kubeconfig, warning } = kubeconfigOf(settings.cluster.kubeconfig, settings.cluster.context);
  return {
    settings,
    kubeconfig,
    rules,
    ruleCount,
    bucketCredentials: bucketCredentials === undefined ? undefined : credentialsSchema.parse(bucketCredentials),
    credentials,
    day,
    warnings: [
      ...(settings.objectStorage === undefined ? [] : others.unreadable.map(notCompared)),
      ...(warning === undefined ? [] : [warning]),
      ...unusedCredentials(settings, credentials),
    ],
  };
}

/** Values that the engine reads otherwise than they are written in the stack's file. */
function speltOtherwise(file: Document | undefined, raw: Readonly<Record<string, unknown>>, judged: readonly Problem[]): Problem[] {
  if (file === undefined) return [];
  const textsWanted = judged.filter(({ value, remedy }) => typeof value === "number" && remedy.includes("in quotes"));
  const twice = keysTwice(file).map((key) => ({
    key,
    value: raw[key],
    rule: "the file has this key under two names, and which of them the engine takes changes from run to run",
    remedy: `${CONFIG_NAMESPACE}:${key} alone`,
  }));
  return [...twice, ...changedDigits(file, raw, new Set(textsWanted.map(({ key }) => key))), ...changedDates(file, raw)];
}

/** The buckets of the other stack files of this directory: two stacks in one place would compact each other's blocks. */
const bucketsOf = ({ configs }: OtherStacks): Record<string, unknown> =>
  Object.fromEntries(Object.entries(configs).map(([stack, config]) => [stack, config[`${CONFIG_NAMESPACE}:objectStorage`]]));

const notCompared = ({ message }: StackFileError): string =>
  `Not checked whether that stack keeps its blocks in this one's bucket, where two compactors would delete each other's: ${message}`;
