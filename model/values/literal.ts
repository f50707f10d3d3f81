import { stringify } from "yaml";

/**
 * Texts of the configuration that something on their way would take for a reference to a variable, written so that the literal text
 * arrives.
 */

/**
 * A text within an argument or an environment variable of a container: Kubernetes replaces `$(NAME)` and reads `$$` as one `$`
 * (third_party/forked/golang/expansion).
 */
export function inArgument(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/**
 * A value of an external label: Prometheus replaces `$NAME` and `${NAME}`, and reads `$$` as one `$` (prometheus v0.314.0 config/config.go
 * `Load`).
 */
export function inExternalLabel(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/**
 * A file that Thanos reads: before it reads the YAML it replaces `$(NAME)`, refuses a name that its environment has not, and knows no
 * escape (efficientgo/tools extkingpin `expandEnv`). Within quotes YAML can write the `$` by its number; only where that is needed is the
 * file JSON, which is YAML too.
 */
export function thanosYaml(value: unknown): string {
  const text = stringify(value, { lineWidth: 0 });
  return text.includes("$(") ? JSON.stringify(value, undefined, 2).replaceAll("$(", "\\u0024(") : text;
}
