import { parseDocument, type YAMLParseError } from "yaml";
import { SCRAPED_APPS } from "../../kubernetes/components";
import { JOBS } from "../../kubernetes/jobs";
import { CREDENTIALS_DIRECTORY } from "../../settings/credentials";
import type { Settings } from "../../settings/schema";
import { JUDGE_ALL, type Judge, type Problem } from "../../values/problem";
import { fileProblems, hasLogin, headerHasCredential, plainCredentials, plainInHeader, plainInUrl } from "./credentials";
import { type Fields, type Finding, type Form, finding, isFields } from "./form";
import { headerName, headerValue } from "./httpClient";
import { kubernetesDiscoveries } from "./kubernetesDiscovery";
import { relabelConfig } from "./relabelling";
import { alertingClient, remoteWriteClient } from "./remoteWrite";
import { type Evaluator, hasGroups, ruleFile } from "./ruleFile";
import { scrapeConfig, timing } from "./scrapeConfig";

/**
 * Problems of those parts of the configuration whose form is Prometheus' own: scrape configs, relabelling,
 * headers of remote write, files of rules.
 */

const SECRET_FIELD = /(?:password|passphrase|secret|secrets|token|credentials|key|private_key|auth|values)$/i;

/** A path as keys are written: `scrapeConfigs[0].static_configs[1].labels.team`. */
export function pathText(base: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text.endsWith(" ") ? `${text}${String(part)}` : `${text}.${String(part)}`;
  }, base);
}

/** A value as a message may show it: no credential. */
function shownValue({ path, value }: Finding): unknown {
  if (value === undefined || value === null) return undefined;
  const field = [...path].reverse().find((part) => typeof part === "string");
  if (typeof field === "string" && SECRET_FIELD.test(field)) return "(not shown)";
  return hasLogin(typeof value === "string" ? value : JSON.stringify(value)) ? "(not shown)" : value;
}

const problemAt = (base: string, each: Finding): Problem => ({
  key: pathText(base, each.path),
  value: shownValue(each),
  rule: each.rule,
  remedy: each.remedy,
});

const problemsAt = (base: string, form: Form, value: unknown): Problem[] => form(value).map((each) => problemAt(base, each));

/**
 * Every problem of the parts that have Prometheus' own form; empty where it would take them.
 *
 * @param judge Asks for each part. Default: all are asked.
 */
export function freeFormProblems(settings: Settings, judge = JUDGE_ALL): Problem[] {
  const { alerting, prometheus, receive } = settings;
  return [
    ...scrapeConfigProblems(settings, judge),
    ...relabellingProblems("prometheus.remoteWrite.relabel", () => prometheus.remoteWrite.relabel, judge),
    ...relabellingProblems("receive.relabel", () => receive?.relabel ?? [], judge),
    ...judge(() => [
      ...problemsAt("alerting.client", alertingClient, alerting.client),
      ...problemsAt("alerting.client", (value) => plainCredentials(value), alerting.client),
      ...fileProblems(alerting.client, "alerting.client"),
    ]),
    ...judge(() =>
      prometheus.remoteWrite.otherTargets.flatMap(({ url, headers, client }, index) => {
        const at = `prometheus.remoteWrite.otherTargets[${index}]`;
        return [
          ...problemsAt(`${at}.url`, plainInUrl, url),
          ...problemsAt(`${at}.headers`, remoteWriteHeaders, headers),
          ...problemsAt(`${at}.client`, remoteWriteClient, client),
          ...problemsAt(`${at}.client`, (value) => plainCredentials(value), client),
          ...fileProblems(client, `${at}.client`),
        ];
      }),
    ),
  ];
}

/** Asks about each entry for itself: what is no map among them says nothing of the others. */
function eachEntry(entries: () => readonly unknown[], judge: Judge, problems: (index: number) => Problem[]): Problem[] {
  const count = entries().length;
  return Array.from({ length: count }, (_, index) => judge(() => problems(index))).flat();
}

function relabellingProblems(base: string, entries: () => readonly Fields[], judge: Judge): Problem[] {
  return eachEntry(entries, judge, (index) => problemsAt(`${base}[${index}]`, relabelConfig, entries()[index]));
}

function scrapeConfigProblems(settings: Settings, judge: Judge): Problem[] {
  const jobs = () => settings.prometheus.scrapeConfigs;
  const of = (index: number, findings: readonly Finding[]) => findings.map((each) => problemAt(`prometheus.scrapeConfigs[${index}]`, each));
  return [
    ...eachEntry(jobs, judge, (index) => {
      const { scrapeConfigs, scrapeInterval, scrapeTimeout } = settings.prometheus;
      const job = scrapeConfigs[index] as Fields;
      const global = { interval: scrapeInterval, timeout: scrapeTimeout };
      return [
        ...of(index, [...scrapeConfig(job), ...timing(job, global), ...discoveryStaysInside(job, settings), ...plainCredentials(job)]),
        ...fileProblems(job, `prometheus.scrapeConfigs[${index}]`),
      ];
    }),
    ...eachEntry(jobs, judge, (index) => of(index, jobNameIsFree(jobs()[index] as Fields, index, jobs()))),
  ];
}

function jobNameIsFree(job: Fields, index: number, jobs: readonly Fields[]): Finding[] {
  const own: string[] = Object.values(JOBS);
  const name = job.job_name;
  if (typeof name !== "string") return [];
  if (own.includes(name)) return finding(name, "every job has a name of its own", `a name that is none of ${own.join(", ")}`, "job_name");
  if (SCRAPED_APPS.includes(name)) {
    return finding(
      name,
      "its targets would count as the stack's own in alerts, dashboards and npm run verify",
      `a name that is none of ${SCRAPED_APPS.join(", ")}`,
      "job_name",
    );
  }
  const earlier = jobs.findIndex((other) => other.job_name === name);
  return earlier < index
    ? finding(name, "every job has a name of its own", `a name other than that of scrapeConfigs[${earlier}]`, "job_name")
    : [];
}

/**
 * Where `prometheus.namespaces` names the namespaces, Prometheus may read nothing elsewhere, and discovery that looks there finds nothing
 * without a word.
 */
function discoveryStaysInside(job: Fields, { namespace, prometheus }: Settings): Finding[] {
  const readable = prometheus.namespaces === undefined ? undefined : new Set([...prometheus.namespaces, namespace]);
  if (readable === undefined) return [];
  const named = [...readable].sort().join(", ");
  return kubernetesDiscoveries(job).flatMap(([index, { role, namespaces, attach }]) => {
    const place = ["kubernetes_sd_configs", index] as const;
    const reach = (value: unknown, what: string, remedy: string, ...path: string[]) =>
      finding(
        value,
        `${what}, and Prometheus may read only the namespaces of prometheus.namespaces and its own`,
        remedy,
        ...place,
        ...path,
      );
    return [
      ...(role === "node"
        ? []
        : namespaces === undefined
          ? reach(undefined, "without names discovery looks in every namespace", `names of ${named}`, "namespaces", "names")
          : namespaces
              .filter((name) => !readable.has(name))
              .flatMap((name) => reach(name, "discovery looks in another namespace", `names of ${named}`, "namespaces", "names"))),
      ...(attach.namespace
        ? reach(
            true,
            "labels of namespaces are read from all of them",
            "false, or no prometheus.namespaces",
            "attach_metadata",
            "namespace",
          )
        : []),
    ];
  });
}

/**
 * A character that no YAML file may have, in a comment either. Source: go.yaml.in/yaml readerc.go, "control characters are not allowed".
 */
const UNREADABLE = /[^\t\n\r\x20-\x7e\x85\xa0-\ufffd\u{10000}-\u{10ffff}]/u;

/**
 * Headers of remote write that Prometheus sets itself, in lower case. Source: prometheus v0.314.0 config/config.go `reservedHeaders`;
 * `authorization` is refused beside them (`validateHeaders`).
 */
export const RESERVED_REMOTE_WRITE_HEADERS: readonly string[] = [
  "host",
  "content-encoding",
  "content-length",
  "content-type",
  "user-agent",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "www-authenticate",
  "accept-encoding",
  "x-prometheus-remote-write-version",
  "x-prometheus-remote-read-version",
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-content-sha256",
];

const remoteWriteHeaders: Form = (headers) => {
  if (!isFields(headers)) return [];
  const names = Object.keys(headers);
  return Object.entries(headers).flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    const at = (found: Finding[]) => found.map((each) => ({ ...each, path: [name] }));
    return at([
      ...headerName(name),
      ...headerValue(value),
      ...(lower === "authorization"
        ? finding(
            "(not shown)",
            "Prometheus refuses Authorization as a header",
            `client.authorization or client.basic_auth, with a file ${CREDENTIALS_DIRECTORY}/<name>`,
          )
        : RESERVED_REMOTE_WRITE_HEADERS.includes(lower)
          ? finding(
              headerHasCredential(lower, String(value)) ? "(not shown)" : value,
              "Prometheus sets this header itself and refuses it here",
              "another header",
            )
          : plainInHeader(name, value)),
      ...(names.some((other) => other !== name && other.toLowerCase() === lower)
        ? finding(value, "the same header twice: upper and lower case make no difference", "one of them")
        : []),
    ]);
  });
};

const RULE_DIRECTORY = "prometheus.ruleFolder";

/** A rule file as it was judged: its problems, or the number of its rules. */
export interface JudgedRuleFile {
  /** Every problem of it. No line of the file is in any of them: at most a value that is refused. */
  problems: Problem[];
  /** Rules in it, alerting and recording; 0 where it has a problem. */
  count: number;
}

/**
 * Reads a file of rules.
 *
 * @param name Its name in `prometheus.ruleFolder`.
 * @param evaluator Default: each Prometheus.
 */
export function judgeRuleFile(name: string, text: string, evaluator: Evaluator = "prometheus"): JudgedRuleFile {
  const problem = (rule: string, remedy = "a file of rule groups, as Prometheus has it"): Problem => ({
    key: RULE_DIRECTORY,
    value: name,
    rule,
    remedy,
  });
  const broken = (...problems: Problem[]): JudgedRuleFile => ({ problems, count: 0 });
  const unreadable = UNREADABLE.exec(text);
  if (unreadable !== null) {
    const code = unreadable[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    const line = text.slice(0, unreadable.index).split("\n").length;
    return broken(problem(`readers of YAML refuse the whole file for the character U+${code} (line ${line})`, "the file without it"));
  }
  const document = parseDocument(text, { merge: true });
  if (document.errors.length > 0) return broken(...document.errors.map((error) => problem(`not YAML (${placeOf(error)})`)));
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch {
    return broken(problem("not YAML (its aliases lead nowhere, or to too much)"));
  }
  if (!hasGroups(content)) {
    // An object of Prometheus' operator has what a rule file is within it.
    const inner = isFields(content) && hasGroups(content.spec);
    return broken(problem("a rule file has `groups`", inner ? "what is below `spec`, as a file of its own" : undefined));
  }
  const problems = ruleFile(evaluator)(content).map((each) => problemAt(`${RULE_DIRECTORY}/${name}: `, each));
  return problems.length > 0 ? broken(...problems) : { problems, count: rulesIn(content.groups) };
}

/** How many rules groups hold, of a file that has no problem. */
const rulesIn = (groups: unknown): number =>
  (Array.isArray(groups) ? groups : []).reduce(
    (sum: number, group: unknown) => sum + (isFields(group) && Array.isArray(group.rules) ? group.rules.length : 0),
    0,
  );

/** Where a text is no YAML, without a line of it: it may be no rule file at all. */
function placeOf(error: YAMLParseError): string {
  const [start] = error.linePos ?? [];
  const what = error.code.toLowerCase().replaceAll("_", " ");
  return start === undefined ? what : `line ${start.line}, column ${start.col}: ${what}`;
}
