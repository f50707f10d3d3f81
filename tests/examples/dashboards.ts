import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The dashboards of this repository, as tests look at them. */

const ROOT = join(__dirname, "..", "..");
/** Directories with dashboards. */
export const DASHBOARD_DIRECTORIES = ["dashboards", "examples/app-stack/dashboards"];

/** A panel of a dashboard. */
export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  datasource?: { type: string; uid: string };
  gridPos: { h: number; w: number; x: number; y: number };
  targets?: { refId: string; expr: string; datasource: { uid: string }; legendFormat: string }[];
}

/** A variable of a dashboard. */
export interface Variable {
  name: string;
  type: string;
  query: string | { query: string };
}

/** A dashboard in Grafana's JSON model. */
export interface Dashboard {
  uid: string;
  title: string;
  schemaVersion: number;
  panels: Panel[];
  templating: { list: Variable[] };
}

/** One query of a dashboard. */
export interface DashboardQuery {
  dashboard: string;
  /** Title of the panel and reference of the query in it, or name of the variable. */
  where: string;
  expr: string;
}

/** Every dashboard, by path in the repository. */
export function dashboards(): Map<string, Dashboard> {
  const files = DASHBOARD_DIRECTORIES.flatMap((directory) =>
    readdirSync(join(ROOT, directory))
      .filter((file) => file.endsWith(".json"))
      .map((file) => `${directory}/${file}`),
  );
  return new Map(files.map((file) => [file, JSON.parse(readFileSync(join(ROOT, file), "utf8")) as Dashboard]));
}

/** Grafana's own variables, as it fills them in for a scrape interval of 30 s. */
const BUILT_IN = { __rate_interval: "2m" };

/**
 * An expression with its variables filled in.
 *
 * @throws {Error} naming a variable that has no value
 */
export function expand(expr: string, values: Readonly<Record<string, string>>): string {
  return expr.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare ?? "";
    const value = { ...BUILT_IN, ...values }[name];
    if (value === undefined) throw new Error(`the variable ${name} has no value in ${expr}`);
    return value;
  });
}

/** The selector and the label of `label_values(selector, label)`. */
export function labelValues(query: string): { selector: string; label: string } {
  const [, selector, label] = /^label_values\((.+),\s*(\w+)\)$/.exec(query) ?? [];
  if (selector === undefined || label === undefined) throw new Error(`not of the form label_values(selector, label): ${query}`);
  return { selector, label };
}

/** Text of a variable's query. */
export function variableQuery({ query }: Variable): string {
  return typeof query === "string" ? query : query.query;
}

/** Every query of a dashboard: of its panels, and of its variables as a count of the label's values. */
export function queriesOf(dashboard: Dashboard, values: Readonly<Record<string, string>>): DashboardQuery[] {
  return [
    ...dashboard.templating.list
      .filter((variable) => variable.type === "query")
      .map((variable) => {
        const { selector, label } = labelValues(variableQuery(variable));
        const value = values[variable.name] ?? "";
        return {
          dashboard: dashboard.uid,
          where: `variable ${variable.name}`,
          // The value that the dashboard is looked at with must be one of those that it offers.
          expr: `count by (${label}) (${expand(selector, values)}) and on (${label}) label_replace(vector(1), "${label}", "${value}", "", "")`,
        };
      }),
    ...dashboard.panels.flatMap((panel) =>
      (panel.targets ?? []).map((target) => ({
        dashboard: dashboard.uid,
        where: `${panel.title} ${target.refId}`,
        expr: expand(target.expr, values),
      })),
    ),
  ];
}
