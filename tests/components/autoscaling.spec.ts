import assert from "node:assert/strict";
import type { ProgramRun } from "../../commands/program";
import { availabilityPlan } from "../../model/availabilityPlan";
import { planStack } from "../../model/plan";
import { object, objects, resource, run, settingsOf } from "../harness";
import { AUTOSCALED, PLANS } from "./plans";

interface Autoscaler {
  metadata: { name: string; namespace: string };
  spec: {
    scaleTargetRef: { apiVersion: string; kind: string; name: string };
    minReplicas: number;
    maxReplicas: number;
    metrics: { type: string; containerResource: { name: string; container: string; target: object } }[];
    behavior?: object;
  };
}

const SCALED = ["thanos-receive-router", "thanos-querier", "thanos-query-frontend"];

describe("numbers of pods that follow the load", () => {
  let made: ProgramRun;
  before(async () => {
    made = await run(AUTOSCALED.stack, AUTOSCALED.overrides);
  });
  const autoscalers = () => objects(made, "HorizontalPodAutoscaler") as unknown as Autoscaler[];

  it("have an autoscaler each, of a Deployment that leaves the number to it", () => {
    assert.deepEqual(
      autoscalers()
        .map(({ metadata }) => metadata.name)
        .sort(),
      [...SCALED].sort(),
    );
    for (const { metadata, spec } of autoscalers()) {
      assert.deepEqual(spec.scaleTargetRef, { apiVersion: "apps/v1", kind: "Deployment", name: metadata.name });
      const deployment = object(made, "Deployment", metadata.name);
      assert.ok(!("replicas" in deployment.spec), metadata.name);
      const { containers } = deployment.spec.template.spec;
      for (const { containerResource } of spec.metrics) {
        const own = containers.find(({ name }) => name === containerResource.container);
        assert.ok(own?.resources?.requests?.[containerResource.name as "cpu"] !== undefined, "utilisation is of what is requested");
      }
    }
  });

  it("are told what was chosen, and of the component's own container alone", () => {
    const { spec } = autoscalers().find(({ metadata }) => metadata.name === "thanos-querier") ?? assert.fail();
    const of = (name: string, averageUtilization: number) => ({
      type: "ContainerResource",
      containerResource: { name, container: "thanos-querier", target: { type: "Utilization", averageUtilization } },
    });
    assert.deepEqual(
      [spec.minReplicas, spec.maxReplicas, spec.metrics, spec.behavior],
      [
        3,
        12,
        [of("cpu", 70), of("memory", 85)],
        { scaleDown: { stabilizationWindowSeconds: 900, policies: [{ type: "Pods", value: 1, periodSeconds: 300 }] } },
      ],
    );
    const frontend = autoscalers().find(({ metadata }) => metadata.name === "thanos-query-frontend");
    assert.deepEqual([frontend?.spec.metrics.length, frontend?.spec.behavior], [1, undefined]);
  });

  it("are promised with their least", () => {
    const settings = settingsOf(AUTOSCALED.stack, AUTOSCALED.overrides);
    const plan = availabilityPlan(settings, planStack(settings));
    assert.deepEqual([plan.routers?.replicas, plan.querier.replicas, plan.queryFrontend?.replicas], [2, 3, 2]);
    assert.deepEqual([plan.querier.maxUnavailable, plan.queryFrontend?.maxUnavailable], [1, 1]);
  });

  it("that may fall to one promise one, and have no budget for disruptions", async () => {
    const one = { queryFrontend: { autoscaling: { min: 1, max: 4, cpu: 80 }, antiAffinity: "soft" } };
    const settings = settingsOf("dev", one);
    assert.equal(availabilityPlan(settings, planStack(settings)).queryFrontend?.replicas, 1);
    const { metadata } = objects(await run("dev", one), "PodDisruptionBudget").find((each) => each.metadata.name === SCALED[2]) ?? {};
    assert.equal(metadata, undefined);
  });

  it("exist before what scales them, which nothing waits for", () => {
    const { dependsOn } = resource(made, "kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "querier").options;
    assert.ok(dependsOn.some((urn) => urn.endsWith("Deployment::querier")));
  });

  for (const { title, stack, overrides } of PLANS) {
    it(`change hands by hooks of every Deployment that may have them: ${title}`, async () => {
      const { resources } = await run(stack, overrides);
      const deployments = resources.filter(({ type }) => type === "kubernetes:apps/v1:Deployment");
      for (const { inputs, options } of deployments) {
        const { name } = (inputs as { metadata: { name: string } }).metadata;
        assert.equal(options.beforeUpdate.includes(`${name}-keeps-its-number`), SCALED.includes(name), name);
      }
    });
  }
});
