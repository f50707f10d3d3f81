import assert from "node:assert/strict";
import type { ProgramRun } from "../../commands/program";
import { RESTARTED_AT } from "../../model/settings/rollout";
import { type Overrides, objects, rejection, run, together, type Workload } from "../harness";
import { PLANS, PROD } from "./plans";

const WHEN = "2026-07-01T12:00:00Z";

const workloadsOf = (made: ProgramRun): Workload[] => [...objects(made, "StatefulSet"), ...objects(made, "Deployment")] as Workload[];

/** The components whose pods say that they were restarted. */
async function restarted(overrides: Overrides): Promise<string[]> {
  const found = workloadsOf(await run("prod", together(PROD.overrides, { ruler: {}, queryFrontend: {} }, overrides))).filter(
    ({ spec }) => (spec.template.metadata as { annotations?: Record<string, string> }).annotations?.[RESTARTED_AT] === WHEN,
  );
  return [...new Set(found.map(({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] ?? ""))];
}

describe("restarts that are asked for", () => {
  const rollout = { restartedAt: WHEN };
  const keys: [string, Overrides, string][] = [
    ["receive", { receive: { rollout } }, "receive"],
    ["receive.routers", { receive: { routers: { rollout } } }, "receive-router"],
    ["querier", { querier: { rollout } }, "querier"],
    ["queryFrontend", { queryFrontend: { rollout } }, "query-frontend"],
    ["prometheus", { prometheus: { rollout } }, "prometheus"],
    ["ruler", { ruler: { rollout } }, "ruler"],
    ["objectStorage.storeGateway", { objectStorage: { storeGateway: { rollout } } }, "store-gateway"],
    ["objectStorage.compactor", { objectStorage: { compactor: { rollout } } }, "compactor"],
  ];
  for (const [key, overrides, component] of keys) {
    it(`${key}.rollout.restartedAt restarts these pods and no others`, async () => {
      assert.deepEqual(await restarted(overrides), [component]);
    });
  }

  it("are none by default", async () => {
    assert.deepEqual(await restarted({}), []);
  });

  it("restart the receivers of one zone after the other", async () => {
    const made = await run("prod", { receive: { rollout } });
    const sets = made.resources.filter(({ type, name }) => type === "kubernetes:apps/v1:StatefulSet" && name.startsWith("thanos-receive"));
    assert.equal(sets.length, 3);
    const waitsFor = sets.map(({ options }) => sets.filter(({ name }) => options.dependsOn.some((urn) => urn.endsWith(`::${name}`))));
    assert.deepEqual(
      waitsFor.map((each) => each.length),
      [0, 1, 1],
    );
  });

  it("are refused where the text is none that an object may carry", async () => {
    for (const text of ["", "last tuesday", "x".repeat(64), "-"]) {
      const { problems } = await rejection("prod", { receive: { rollout: { restartedAt: text } } });
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", /receive\.rollout\.restartedAt .*names the restart, such as '2026-07-01T12:00:00Z'/);
    }
  });
});

describe("Services", () => {
  for (const { title, stack, overrides } of PLANS) {
    it(`are ready when they are there, since their pods' workloads are waited for: ${title}`, async () => {
      const made = await run(stack, overrides);
      const workloads = workloadsOf(made);
      const services = objects(made, "Service");
      assert.ok(services.length > 3);
      for (const { metadata, spec } of services) {
        assert.equal((metadata as { annotations?: Record<string, string> }).annotations?.["pulumi.com/skipAwait"], "true", metadata.name);
        const selector = Object.entries(spec.selector as unknown as Record<string, string>);
        const behind = workloads.filter((each) => selector.every(([key, value]) => each.spec.template.metadata.labels?.[key] === value));
        assert.ok(behind.length > 0, `${metadata.name} leads to pods of this stack`);
        for (const each of behind) assert.ok(!JSON.stringify(each.metadata).includes("skipAwait"), each.metadata.name);
      }
    });
  }
});
