import { runs, setComponents } from "../kubernetes/components";
import type { PodComponent } from "../settings/components";
import type { ContainerExtra, Extra } from "../settings/extra";
import type { Settings } from "../settings/schema";
import type { Program } from "./ownFlags";

/** Which containers an environment may give something that the program knows nothing of. */

/** A container of the stack that may be given something. */
export interface ExtensibleContainer {
  /** Its key with a dot behind it. */
  key: string;
  /** The component in whose pods it is. */
  component: PodComponent;
  program: Program;
  image: string;
  /** Ports on which it listens. */
  ports: readonly number[];
  /** Whether it is in the plan. */
  inEffect: boolean;
  extra: ContainerExtra & Partial<Extra>;
}

/** Key of the container that is in Prometheus' pod. */
export const SIDECAR = "prometheus.sidecar";

/** Every container of the settings that may be given something. */
export const extensibleContainers = (settings: Settings): ExtensibleContainer[] =>
  setComponents(settings).flatMap((each) => {
    const { name, key, program, image, ports, own } = each;
    if (program === undefined || own.extra === undefined) return [];
    const container = {
      key: `${key}.`,
      component: name,
      program,
      image: settings.images[image],
      ports,
      inEffect: runs(each, settings),
      extra: own.extra,
    };
    return name === "prometheus" ? [container, sidecar(settings)] : [container];
  });

/** Its ports are those of its pod. */
const sidecar = (settings: Settings): ExtensibleContainer => ({
  key: `${SIDECAR}.`,
  component: "prometheus",
  program: "thanos sidecar",
  image: settings.images.thanos,
  ports: [],
  inEffect: settings.ingestion === "sidecar",
  extra: settings.prometheus.sidecar.extra,
});
