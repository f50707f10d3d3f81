import assert from "node:assert/strict";
import type { ProgramRun, RegisteredResource } from "../../commands/program";
import { resource, run } from "../harness";
import { DEV, FILESYSTEM, HOST_PATH, PROD } from "./plans";

/** Kinds of objects that are ready a while after they were made, by the last part of their type. */
const WAITED_FOR = ["StatefulSet", "Deployment", "Job"];

/** The last part of a type: `StatefulSet` of kubernetes:apps/v1:StatefulSet. */
const kindOf = (type: string): string => type.slice(type.lastIndexOf(":") + 1);

interface Metadata {
  namespace?: string;
}

/** The resource that a URN of a run means. */
function meant(made: ProgramRun, urn: string): RegisteredResource | undefined {
  const [type = "", name = ""] = urn.split("::").slice(-2);
  return made.resources.find((each) => each.name === name && each.type === type.slice(type.lastIndexOf("$") + 1));
}

/** Resources that each workload waits for, of those that are ready a while after they were made, by logical names. */
function waits(made: ProgramRun): Record<string, string[]> {
  const workloads = made.resources.filter(({ type }) => WAITED_FOR.includes(kindOf(type)));
  return Object.fromEntries(
    workloads.map(({ name, options }) => {
      const others = options.dependsOn.map((urn) => meant(made, urn)).filter((each) => each !== undefined);
      return [name, others.filter(({ type }) => WAITED_FOR.includes(kindOf(type))).map((each) => each.name)];
    }),
  );
}

describe("order of a creation and of an update", () => {
  it("in dev is directories, then receivers beside Prometheus, then queriers, whose first look finds the receivers", async () => {
    assert.deepEqual(waits(await run(DEV.stack, DEV.overrides)), {
      "hostpath-dev-1": [],
      "thanos-receive": ["hostpath-dev-1"],
      prometheus: ["hostpath-dev-1"],
      querier: ["thanos-receive"],
    });
  });

  it("in prod is one zone after the other, then routers and queriers; nobody else waits for receivers", async () => {
    const found = waits(await run(PROD.stack, PROD.overrides));
    const behind = Object.entries(found).filter(([, others]) => others.some((name) => name.startsWith("thanos-receive")));
    const zones = Object.keys(found).filter((name) => /^thanos-receive-(?!router)/.test(name));
    const [first = "", second = "", third = ""] = zones;
    assert.deepEqual(Object.fromEntries(behind), { [second]: [first], [third]: [second], "receive-router": zones, querier: zones });
  });

  it("of a creation is the graph's alone, and gates hold back updates", async () => {
    for (const { stack, overrides } of [DEV, PROD]) {
      const made = await run(stack, overrides);
      const objects = made.resources.filter(({ type }) => type.startsWith("kubernetes:"));
      for (const { name, options } of objects) assert.deepEqual(options.beforeCreate, ["kubernetes-is-new-enough"], name);
      const ring = resource(made, "kubernetes:core/v1:ConfigMap", "receive-hashrings").options;
      assert.ok(ring.beforeUpdate.includes("ring-waits-for-new-receivers"));
      for (const { name, options } of objects.filter((each) => /^thanos-receive/.test(each.name) && kindOf(each.type) === "StatefulSet"))
        assert.ok(options.beforeUpdate.includes(`${name}-waits-for-the-smaller-ring`), name);
    }
  });

  for (const { title, stack, overrides } of [DEV, HOST_PATH, FILESYSTEM]) {
    it(`begins with what makes directories, which takes longest: ${title}`, async () => {
      const made = await run(stack, overrides);
      const namespace = made.resources.indexOf(resource(made, "kubernetes:core/v1:Namespace", "namespace"));
      const jobs = made.resources.filter(({ type }) => kindOf(type) === "Job");
      const needed = jobs.flatMap(({ options }) => options.dependsOn.map((urn) => meant(made, urn)));
      assert.ok(needed.length >= 2 * jobs.length, "jobs wait for their namespace and for their account");
      assert.ok(needed.every((each) => each !== undefined && made.resources.indexOf(each) < namespace));
      const inside = made.resources.filter(({ inputs }) => (inputs.metadata as Metadata | undefined)?.namespace === "thanos-dev");
      assert.ok(inside.length > 20);
      for (const each of inside) assert.ok(made.resources.indexOf(each) > namespace, each.name);
    });

    it(`leaves nothing out of a preview: ${title}`, async () => {
      const namesOf = async (preview: boolean) =>
        (await run(stack, overrides, { preview })).resources.map(({ type, name }) => `${type} ${name}`).sort();
      assert.deepEqual(await namesOf(true), await namesOf(false));
    });

    it(`lets the stack's namespace be removed without waiting for that of the directories: ${title}`, async () => {
      const made = await run(stack, overrides);
      assert.deepEqual(resource(made, "kubernetes:core/v1:Namespace", "namespace").options.dependsOn, []);
    });
  }
});
