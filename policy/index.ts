import { type PolicyResource as EngineResource, PolicyPack, type ResourceValidationArgs } from "@pulumi/policy";
import { EXCEPTIONS } from "./exceptions";
import type { PolicyResource } from "./resources";
import { describeResource, RESOURCE_RULES, STACK_RULES } from "./rules";

/** The rules as a policy pack: `pulumi preview --policy-pack policy`. Everything that it decides is in `rules.ts`. */
new PolicyPack("thanos-stack", {
  description: "What every environment of thanos-stack keeps",
  enforcementLevel: "mandatory",
  policies: [
    ...RESOURCE_RULES.map((rule) => ({
      name: rule.name,
      description: rule.description,
      validateResource: (args: ResourceValidationArgs, report: (message: string) => void) => {
        const resource = resourceOf(args);
        for (const message of rule.check(resource, { stack: stackOf(args.urn), exceptions: EXCEPTIONS })) {
          report(`${describeResource(resource)}: ${message}`);
        }
      },
    })),
    ...STACK_RULES.map((rule) => ({
      name: rule.name,
      description: rule.description,
      validateStack: ({ resources }: { resources: EngineResource[] }, report: (message: string) => void) => {
        const [first] = resources;
        if (first === undefined) return;
        for (const { resource, message } of rule.check(resources.map(resourceOf), { stack: stackOf(first.urn), exceptions: EXCEPTIONS })) {
          report(resource === undefined ? message : `${describeResource(resource)}: ${message}`);
        }
      },
    })),
  ],
});

function resourceOf(args: ResourceValidationArgs | EngineResource): PolicyResource {
  return { type: args.type, name: args.name, inputs: args.props, protect: args.opts.protect };
}

/** The second part of `urn:pulumi:<stack>::…`. */
function stackOf(urn: string): string {
  return urn.split("::")[0]?.split(":").pop() ?? "";
}
