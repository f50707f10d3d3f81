import { createHash } from "node:crypto";

/** A relabelling step of Prometheus, as far as this program writes them. */
export interface RelabelConfig {
  source_labels?: string[];
  separator?: string;
  regex?: string;
  modulus?: number;
  target_label?: string;
  replacement?: string;
  action?: string;
}

/**
 * A target's labels after Prometheus' relabelling; undefined where it drops the target.
 * Source: prometheus model/relabel/relabel.go v0.314: regular expressions are anchored at both ends, `hashmod`
 * takes the last eight bytes of an MD5 sum.
 */
export function relabelled(labels: Record<string, string>, steps: readonly RelabelConfig[]): Record<string, string> | undefined {
  const result = { ...labels };
  for (const step of steps) {
    const value = (step.source_labels ?? []).map((label) => result[label] ?? "").join(step.separator ?? ";");
    const match = new RegExp(`^(?:${step.regex ?? "(.*)"})$`, "s").exec(value);
    switch (step.action ?? "replace") {
      case "keep":
        if (match === null) return undefined;
        break;
      case "drop":
        if (match !== null) return undefined;
        break;
      case "hashmod":
        result[step.target_label ?? ""] = String(createHash("md5").update(value).digest().readBigUInt64BE(8) % BigInt(step.modulus ?? 1));
        break;
      case "replace":
        if (match !== null) result[step.target_label ?? ""] = expand(step.replacement ?? "$1", match);
        break;
      case "labeldrop":
        for (const label of Object.keys(result)) if (new RegExp(`^(?:${step.regex})$`, "s").test(label)) delete result[label];
        break;
      default:
        throw new Error(`no relabelling action ${step.action} here`);
    }
  }
  return result;
}

const expand = (replacement: string, match: RegExpExecArray) =>
  replacement.replace(/\$(\d+)/g, (_, group: string) => match[Number(group)] ?? "");
