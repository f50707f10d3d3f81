import * as scheduling from "@pulumi/kubernetes/scheduling/v1";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels } from "../model/kubernetes/labels";
import { componentType } from "../objects/componentType";

/** Arguments of {@link DataPriority}. */
export interface DataPriorityArgs {
  /** Name of the stack's namespace: a priority class belongs to none, so its name begins with it. */
  namespace: string;
  /** Priority of pods of the class. Pods without a class have 0. */
  value: number;
}

/** Kubernetes keeps names that begin with `system-` for itself (pkg/apis/scheduling/validation `ValidatePriorityClass`). */
const priorityClassName = (namespace: string, value: number): string =>
  `${namespace.startsWith("system-") ? "thanos-stack-" : ""}${namespace}-data-${value}`;

/**
 * The priority of pods that hold samples which are nowhere else. Their volume says on which node, or in which zone, they can be: when one
 * comes back and pods that could be anywhere have taken its room, those go elsewhere
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption).
 */
export class DataPriority extends pulumi.ComponentResource {
  /** Name of the class, known when it exists. */
  readonly className: pulumi.Output<string>;

  constructor(name: string, { namespace, value }: DataPriorityArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("DataPriority"), name, {}, opts);
    const priority = new scheduling.PriorityClass(
      name,
      {
        metadata: {
          // A class never changes its value: another one is another class, made before the pods are moved to it and the old one goes.
          name: priorityClassName(namespace, value),
          labels: commonLabels({ app: namespace, component: "data-priority" }),
        },
        value,
        description: `Pods of ${namespace} whose samples are nowhere else, on the one node or in the one zone that has their volume.`,
      },
      { parent: this },
    );
    this.className = priority.metadata.name;
    this.registerOutputs({ className: this.className });
  }
}
