import type { ContainerExtra, Extra, ExtraContainer } from "../settings/extra";
import { quantityBytes } from "../values/quantity";
import { localDisk } from "./localDisk";
import { containerSecurityContext } from "./pod";

/** Puts what an environment adds to a component into its container and its pod. */

/** As much of a container as is added to. */
interface Container {
  args?: unknown;
  env?: unknown;
  envFrom?: unknown;
  volumeMounts?: unknown;
}

/** As much of a pod's spec as is added to. */
interface PodSpec {
  containers: unknown;
  initContainers?: unknown;
  volumes?: unknown;
}

/** Two lists as one; absent where both are empty. */
const joined = <Name extends string>(name: Name, own: unknown, added: readonly unknown[] = []) => {
  const all = [...((own ?? []) as unknown[]), ...added];
  return all.length === 0 ? {} : ({ [name]: all } as Record<Name, unknown[]>);
};

/** A container with further flags, variables and mounts behind its own. */
export const withExtra = <Spec extends Container>(container: Spec, { args, env, envFrom, volumeMounts }: ContainerExtra): Spec => ({
  ...container,
  ...joined("args", container.args, args),
  ...joined("env", container.env, env),
  ...joined("envFrom", container.envFrom, envFrom),
  ...joined("volumeMounts", container.volumeMounts, volumeMounts),
});

/**
 * A pod's spec whose first container, which is the component's own, has what is added to it, and with further volumes and containers. These
 * are as restricted as the stack's own where they do not say otherwise.
 */
export function podWithExtra<Spec extends PodSpec>(spec: Spec, extra: Extra): Spec {
  const [own, ...others] = spec.containers as Container[];
  const limited = (containers: readonly ExtraContainer[] = []) => containers.map((each) => restricted(each, extra));
  return {
    ...spec,
    ...joined("initContainers", spec.initContainers, limited(extra.initContainers)),
    containers: [...(own === undefined ? [] : [withExtra(own, extra)]), ...others, ...limited(extra.containers)],
    ...joined("volumes", spec.volumes, extra.volumes),
  };
}

/** A container with what every one of the stack has. */
function restricted(container: ExtraContainer, { volumes = [] }: Extra) {
  const { requests, limits } = container.resources;
  const mounted = new Set(container.volumeMounts?.map(({ name }) => name));
  const scratch = volumes.flatMap(({ name, emptyDir }) =>
    emptyDir !== undefined && mounted.has(name) ? [quantityBytes(emptyDir.sizeLimit)] : [],
  );
  const disk = localDisk(String(scratch.reduce((sum, bytes) => sum + bytes, 0)));
  const [request, limit] = [requests["ephemeral-storage"], limits["ephemeral-storage"]];
  return {
    imagePullPolicy: "IfNotPresent",
    ...container,
    securityContext: { ...containerSecurityContext(), ...container.securityContext },
    resources: {
      requests: { "ephemeral-storage": smaller(disk.request, limit), ...requests },
      limits: { "ephemeral-storage": larger(disk.limit, request), ...limits },
    },
  };
}

type Quantity = string | number;
const smaller = (own: string, given: Quantity = own): Quantity => (quantityBytes(String(given)) < quantityBytes(own) ? given : own);
const larger = (own: string, given: Quantity = own): Quantity => (quantityBytes(String(given)) > quantityBytes(own) ? given : own);
