import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels } from "../model/labels";
import { componentType } from "./types";

/** What {@link Namespace} needs. */
export interface NamespaceArgs {
  /** Name of the namespace. */
  name: string;
}

/**
 * The environment's namespace. Every pod in it satisfies Pod Security `restricted`, and the API server refuses one that does not.
 */
export class Namespace extends pulumi.ComponentResource {
  /** Name of the namespace, known when it exists. */
  readonly name: pulumi.Output<string>;

  constructor(name: string, args: NamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Namespace"), name, args, opts);
    const namespace = new k8s.core.v1.Namespace(
      name,
      {
        metadata: {
          name: args.name,
          labels: {
            ...commonLabels({ app: args.name, component: "namespace" }),
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/enforce-version": "latest",
            "pod-security.kubernetes.io/warn": "restricted",
            "pod-security.kubernetes.io/audit": "restricted",
          },
        },
      },
      { parent: this },
    );
    this.name = namespace.metadata.name;
    this.registerOutputs({ name: this.name });
  }
}
