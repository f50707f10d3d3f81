import { isLabelValue, isQualifiedName } from "../../values/kubernetesNames";
import { type Form, finding, text } from "./form";

/** Selectors by labels, such as `app=shop,tier in (web, api),!canary`. Source: apimachinery pkg/labels/selector.go `Parser`. */

const TOKENS = /==|!=|[=!(),<>]|[^\s=!(),<>]+/g;
const COMPARES = ["=", "==", "!="];

class Requirements {
  private at = 0;
  private readonly tokens: readonly string[];

  constructor(text: string) {
    this.tokens = text.match(TOKENS) ?? [];
  }

  /** Whether Kubernetes takes all of them; none are everything. */
  hold(): boolean {
    if (this.tokens.length === 0) return true;
    do {
      if (!this.one()) return false;
    } while (this.take(","));
    return this.at === this.tokens.length;
  }

  private get ends(): boolean {
    return this.at === this.tokens.length || this.tokens[this.at] === ",";
  }

  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false;
    this.at += 1;
    return true;
  }

  private word(): string | undefined {
    const token = this.tokens[this.at] ?? "";
    if (!/^[^\s=!(),<>]+$/.test(token)) return undefined;
    this.at += 1;
    return token;
  }

  private one(): boolean {
    const absent = this.take("!");
    const key = this.word();
    if (key === undefined || !isQualifiedName(key)) return false;
    if (absent || this.ends) return this.ends;
    const operator = this.tokens[this.at++] ?? "";
    if (operator === "in" || operator === "notin") return this.values();
    if (COMPARES.includes(operator)) return this.ends || (isLabelValue(this.word() ?? " ") && this.ends);
    return (operator === "<" || operator === ">") && /^[-+]?\d+$/.test(this.word() ?? "") && this.ends;
  }

  private values(): boolean {
    if (!this.take("(") || this.take(")")) return false;
    for (;;) {
      const value = this.word();
      if (value !== undefined && !isLabelValue(value)) return false;
      if (this.take(")")) return this.ends;
      if (!this.take(",")) return false;
    }
  }
}

/** A selector by labels. */
export const labelSelector: Form = (value) =>
  typeof value === "string" && !new Requirements(value).hold()
    ? finding(
        value,
        "not a selector by labels",
        "key=value, key!=value, key in (a, b), key notin (a, b), key or !key, with a comma between",
      )
    : text(value);
