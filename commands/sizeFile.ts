import { stringify } from "yaml";
import { CONFIG_NAMESPACE } from "../config/namespace";
import type { SizedStack } from "../model/sizing";

/** A stack file as text, with a line for each figure that says why it is no smaller. */
export function stackFileText({ config, reasons }: SizedStack): string {
  const keys = Object.entries(config).map(([key, value]) => {
    const own = reasons.filter((reason) => reason.key.startsWith(`${key}.`));
    return [
      ...own.map((reason) => `  # ${reason.key} ${reason.value}: ${reason.why}`),
      ...stringify({ [`${CONFIG_NAMESPACE}:${key}`]: value }, { lineWidth: 0 })
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`),
    ].join("\n");
  });
  return [
    "# yaml-language-server: $schema=config/stack.schema.json",
    "# As small as the model of what a plan carries allows (model/capacity/). The cluster, its context and zones, who may write and read",
    "# (access) and the storage class are to be chosen.",
    "config:",
    "  pulumi:disable-default-providers: [kubernetes]",
    ...keys,
    "",
  ].join("\n");
}
