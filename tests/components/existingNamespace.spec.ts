import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { Namespace } from "../../components/namespace";
import { existingNamespaceProblems } from "../../model/existingNamespace";
import { formatProblem } from "../../model/problem";
import { load, type Overrides, objects, rejection, run } from "../harness";

const SHARED: Overrides = { namespace: "monitoring", existingNamespace: true };
const OURS = { "app.kubernetes.io/part-of": "thanos-stack" };

interface Policy {
  metadata: { name: string };
  spec: {
    podSelector: { matchLabels?: Record<string, string> };
    ingress?: { from?: { podSelector?: { matchLabels: Record<string, string> } }[] }[];
    egress?: { to?: { podSelector?: { matchLabels: Record<string, string> } }[] }[];
  };
}

describe("a namespace that exists already", () => {
  it("is neither made nor labelled nor protected, and what is exempt is still apart", async () => {
    const names = async (overrides: Overrides) => objects(await run("dev", overrides), "Namespace").map(({ metadata }) => metadata.name);
    assert.deepEqual(await names(SHARED), ["monitoring-volumes"]);
    assert.deepEqual(await names({ namespace: "monitoring" }), ["monitoring", "monitoring-volumes"]);
    assert.equal((await run("prod", SHARED)).outputs.namespace, "monitoring");
  });

  it("has policies under names of this stack, which are about its own pods only", async () => {
    const made = await run("prod", SHARED);
    const policies = objects(made, "NetworkPolicy").filter(({ metadata }) => metadata.namespace === "monitoring") as unknown as Policy[];
    assert.ok(policies.length > 5);
    for (const { metadata, spec } of policies) {
      assert.match(metadata.name, /^thanos-stack-/);
      const peers = [...(spec.ingress ?? []).flatMap(({ from = [] }) => from), ...(spec.egress ?? []).flatMap(({ to = [] }) => to)];
      const selectors = [spec.podSelector, ...peers.flatMap(({ podSelector }) => (podSelector === undefined ? [] : [podSelector]))];
      for (const { matchLabels } of selectors) assert.equal(matchLabels?.["app.kubernetes.io/part-of"], "thanos-stack", metadata.name);
    }
    const whole = (name: string) => policies.find(({ metadata }) => metadata.name === `thanos-stack-${name}`)?.spec.podSelector;
    assert.deepEqual(whole("default-deny"), { matchLabels: OURS });
    assert.deepEqual(whole("allow-dns"), { matchLabels: OURS });
  });

  it("a namespace of its own is closed as a whole", async () => {
    const policy = objects(await run("prod"), "NetworkPolicy").find(
      ({ metadata }) => metadata.name === "default-deny",
    ) as unknown as Policy;
    assert.deepEqual(policy.spec.podSelector, {});
  });

  it("Services and budgets are about this stack's pods only, which have the label, wherever they are", async () => {
    const made = await run("prod", SHARED);
    for (const { metadata, spec } of objects(made, "Service")) {
      assert.equal(spec.selector["app.kubernetes.io/part-of"], "thanos-stack", metadata.name);
    }
    for (const { metadata, spec } of objects(made, "PodDisruptionBudget")) {
      assert.equal(spec.selector.matchLabels["app.kubernetes.io/part-of"], "thanos-stack", metadata.name);
    }
    for (const kind of ["StatefulSet", "Deployment"] as const) {
      for (const { metadata, spec } of objects(made, kind)) {
        assert.equal(spec.template.metadata.labels["app.kubernetes.io/part-of"], "thanos-stack", metadata.name);
      }
    }
  });

  it("is looked at before anything else is made, what has no namespace too", async () => {
    const made = await run("dev", { ...SHARED, dataPriority: 1_000 });
    const custom = made.resources.filter((resource) => resource.custom && resource.type.startsWith("kubernetes:"));
    assert.ok(custom.length > 20);
    for (const { type, name, options } of custom) {
      assert.ok(
        options.dependsOn.some((urn) => urn.includes("kubernetes:core/v1:Namespace::namespace")),
        `${type} ${name} waits for ${options.dependsOn.join()}`,
      );
    }
  });

  it("may be default, and Kubernetes' own and another stack's volumes it may not", async () => {
    await load("prod", { namespace: "default", existingNamespace: true });
    assert.match((await rejection("prod", { namespace: "default" })).message, /or existingNamespace true/);
    for (const namespace of ["kube-system", "thanos-volumes"]) {
      const { problems } = await rejection("prod", { namespace, existingNamespace: true });
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", /^ {2}- namespace = /);
    }
  });

  it("may enforce any level of Pod Security, but not be another stack's, or on its way out", () => {
    const lines = (found: Parameters<typeof existingNamespaceProblems>[1]) =>
      existingNamespaceProblems("monitoring", found).map(formatProblem);
    for (const level of ["privileged", "baseline", "restricted"]) {
      assert.deepEqual(lines({ labels: { "pod-security.kubernetes.io/enforce": level } }), []);
    }
    assert.deepEqual(lines({}), []);
    assert.match(lines({ labels: OURS }).join(), /namespace = "monitoring": a stack of this program made this namespace/);
    assert.match(lines({ deletionTimestamp: "2026-01-01T00:00:00Z" }).join(), /being removed/);
  });

  describe("on a cluster that says of it", () => {
    /** The component, and something that is made after it. */
    async function made(metadata: object): Promise<{ registered: string[]; failure?: unknown }> {
      const registered: string[] = [];
      await pulumi.runtime.setMocks(
        {
          newResource: ({ type, name, inputs, id }) => {
            registered.push(`${type} ${name}`);
            return { id: id ?? name, state: id === "monitoring" ? { metadata } : inputs };
          },
          call: ({ inputs }) => inputs,
        },
        "thanos-stack",
        "dev",
      );
      const namespace = new Namespace("namespace", { name: "monitoring", exists: true });
      let failure: unknown;
      const onRejection = (reason: unknown) => {
        failure ??= reason;
      };
      process.on("unhandledRejection", onRejection);
      try {
        const { PriorityClass } = await import("@pulumi/kubernetes/scheduling/v1");
        new PriorityClass("after", { value: 1 }, { transformations: namespace.first });
        await (namespace.name as unknown as { promise(): Promise<string> }).promise().catch(onRejection);
        for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
      } finally {
        process.off("unhandledRejection", onRejection);
      }
      return { registered, failure };
    }

    it("nothing against it: the rest follows", async () => {
      const { registered, failure } = await made({ name: "monitoring", labels: { team: "platform" } });
      assert.equal(failure, undefined);
      assert.ok(registered.includes("kubernetes:scheduling.k8s.io/v1:PriorityClass after"), String(registered));
    });

    it("that another stack made it: refused, and nothing is made", async () => {
      const { registered, failure } = await made({ name: "monitoring", labels: OURS });
      assert.ok(pulumi.RunError.isInstance(failure), String(failure));
      assert.match(
        failure.message,
        /^Pulumi\.dev\.yaml: 1 problem, nothing was changed:\n {2}- namespace = "monitoring": a stack of this program/,
      );
      assert.ok(!registered.some((each) => each.includes("PriorityClass")), String(registered));
    });
  });
});
