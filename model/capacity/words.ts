import type { Resource, Situation } from "./types";

/** Words of what a plan carries, for the preview, refusals and reports. */

/** Names of resources. */
export const RESOURCE_NAMES: Readonly<Record<Resource, string>> = {
  memory: "memory",
  cpu: "CPU",
  disk: "volume",
  replay: "replay of the log",
  remoteWrite: "remote write",
};

/** When something is needed; nothing where it always is. */
export const SITUATION_NAMES: Readonly<Record<Situation, string>> = {
  always: "",
  restart: "while pods restart one after the other",
  loss: "after the loss that survives demands",
  replay: "while the write-ahead log is replayed",
};

/** `memory of the receivers`. */
export const limitName = ({ component, resource }: { component: string; resource: Resource }): string =>
  `${RESOURCE_NAMES[resource]} of ${component === "Prometheus" ? "" : "the "}${component}`;
