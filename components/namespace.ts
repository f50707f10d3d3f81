import * as core from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels } from "../model/kubernetes/labels";
import type { Settings } from "../model/settings/schema";
import { componentType } from "../objects/componentType";

/** Arguments of {@link Namespace}. */
export interface NamespaceArgs {
  /** Name of the namespace. */
  name: string;
  /** Whether somebody else made it: it is read, and neither changed nor removed. */
  exists: boolean;
  /** Labels and annotations of a namespace that is made. */
  marks: Settings["namespaceMetadata"];
  /**
   * Settled when the engine has been asked for the resources that come before the namespace and everything in it; no dependency, which
   * would also be an order of removal. Default: nothing comes before.
   */
  after?: Promise<void> | undefined;
}

/**
 * The environment's namespace. Where the stack makes it, every pod in it satisfies Pod Security `restricted`, and the
 * API server refuses one that does not.
 */
export class Namespace extends pulumi.ComponentResource {
  /** Name of the namespace, known when it exists. */
  readonly name: pulumi.Output<string>;

  constructor(name: string, args: NamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Namespace"), name, { name: args.name }, opts);
    if (args.exists) {
      // To the engine a resource that is read is somebody else's. Without it, it would remove a namespace that this stack made until now.
      core.Namespace.get(name, args.name, { parent: this });
      this.name = nameOf(args);
    } else {
      this.name = this.made(name, args).metadata.name;
    }
    this.registerOutputs({ name: this.name });
  }

  private made(name: string, args: NamespaceArgs): core.Namespace {
    const { name: namespace, marks } = args;
    const { labels: more, annotations } = marks;
    const labels = {
      ...more,
      ...commonLabels({ app: namespace, component: "namespace" }),
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/enforce-version": "latest",
      "pod-security.kubernetes.io/warn": "restricted",
      "pod-security.kubernetes.io/audit": "restricted",
    };
    return new core.Namespace(
      name,
      { metadata: { name: nameOf(args), labels, ...(annotations === undefined ? {} : { annotations }) } },
      { parent: this },
    );
  }
}

/** The name, known when its turn has come. */
const nameOf = ({ name, after }: NamespaceArgs): pulumi.Output<string> => pulumi.output((after ?? Promise.resolve()).then(() => name));
