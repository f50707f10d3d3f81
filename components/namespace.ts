import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { existingNamespaceProblems } from "../model/existingNamespace";
import { commonLabels } from "../model/labels";
import { formatProblems } from "../model/problem";
import { componentType } from "./types";

/** What {@link Namespace} needs. */
export interface NamespaceArgs {
  /** Name of the namespace. */
  name: string;
  /** Whether somebody else made it: it is looked at, and neither changed nor removed. */
  exists: boolean;
}

/**
 * The environment's namespace. One of its own has no pod that does not satisfy Pod Security `restricted`: the API server refuses it.
 */
export class Namespace extends pulumi.ComponentResource {
  /** Name of the namespace, known when it exists. */
  readonly name: pulumi.Output<string>;
  /** What has everything of this stack wait until an existing namespace was looked at: resources without a namespace don't know of it otherwise. */
  readonly first: pulumi.ResourceTransformation[] = [];

  constructor(name: string, args: NamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Namespace"), name, { name: args.name }, opts);
    if (args.exists) {
      const found = this.lookedAt(name, args.name);
      this.name = found.apply(() => args.name);
      this.first.push(({ type, props, opts: own }) =>
        type.startsWith("kubernetes:") ? { props, opts: pulumi.mergeOptions(own, { dependsOn: found }) } : undefined,
      );
    } else {
      this.name = this.made(name, args.name).metadata.name;
    }
    this.registerOutputs({ name: this.name });
  }

  private made(name: string, namespace: string): k8s.core.v1.Namespace {
    const labels = {
      ...commonLabels({ app: namespace, component: "namespace" }),
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/enforce-version": "latest",
      "pod-security.kubernetes.io/warn": "restricted",
      "pod-security.kubernetes.io/audit": "restricted",
    };
    return new k8s.core.v1.Namespace(name, { metadata: { name: namespace, labels } }, { parent: this });
  }

  /** @returns the namespace, or a refusal, at preview too */
  private lookedAt(name: string, namespace: string): pulumi.Output<k8s.core.v1.Namespace> {
    const found = k8s.core.v1.Namespace.get(name, namespace, { parent: this });
    // Without an engine there is nothing to look at.
    return found.metadata.apply((metadata: k8s.types.output.meta.v1.ObjectMeta | undefined) => {
      const problems = existingNamespaceProblems(namespace, metadata ?? {});
      if (problems.length > 0) throw new pulumi.RunError(formatProblems(pulumi.getStack(), problems));
      return found;
    });
  }
}
