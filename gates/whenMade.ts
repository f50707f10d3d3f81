import * as pulumi from "@pulumi/pulumi";

/** The resources of a run, of which some may not be made: an update that is refused, or fails, ends before them. */
export interface MadeResources {
  /** Takes note of each resource that has it. */
  transformation: pulumi.ResourceTransformation;

  /**
   * Values that are there when every resource is, and never where one is not. Stack outputs need that: the engine stores what a
   * program says of them also where a resource failed, and whoever reads them, an app stack or the next preview, would take a plan
   * that was refused for what is deployed.
   */
  whenMade(values: Record<string, unknown>): Record<string, pulumi.Output<unknown>>;
}

/** Begins to take note. */
export function madeResources(): MadeResources {
  const resources: pulumi.Resource[] = [];
  return {
    transformation: ({ resource }) => {
      resources.push(resource);
      return undefined;
    },
    whenMade(values) {
      // The engine answers with a URN when the resource is made. In a preview it does so at once: nothing is unknown for its sake.
      const all = pulumi.all(resources.map(({ urn }) => urn));
      return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, pulumi.all([value, all]).apply(([made]) => made)]));
    },
  };
}
