import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { type ProgramRun, runProgram } from "../../commands/program";
import { Namespace } from "../../components/namespace";
import { examineNamespace } from "../../gates/existingNamespace";
import type { FoundNamespace } from "../../model/kubernetes/existingNamespace";
import { configOf, type Overrides, objects, registeredNow, run, workloads } from "../harness";
import { EVERYTHING, HISTORY, PROD } from "./plans";

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

/** The labels by which Services, budgets and pods' rules of placement select pods. */
function selectorsIn(made: ProgramRun): [where: string, labels: Record<string, string>][] {
  return [
    ...objects(made, "Service").map(({ metadata, spec }): [string, Record<string, string>] => [`Service ${metadata.name}`, spec.selector]),
    ...objects(made, "PodDisruptionBudget").map(({ metadata, spec }): [string, Record<string, string>] => [
      `budget ${metadata.name}`,
      spec.selector.matchLabels,
    ]),
    ...workloads(made).flatMap(({ metadata, spec: { template } }) => {
      const { affinity, topologySpreadConstraints = [] } = template.spec;
      const { requiredDuringSchedulingIgnoredDuringExecution: hard = [], preferredDuringSchedulingIgnoredDuringExecution: soft = [] } =
        affinity?.podAntiAffinity ?? {};
      return [...hard, ...soft.map(({ podAffinityTerm }) => podAffinityTerm), ...topologySpreadConstraints].map(
        ({ labelSelector }): [string, Record<string, string>] => [`a pod of ${metadata.name}`, labelSelector.matchLabels],
      );
    }),
  ];
}

describe("a namespace that exists already", () => {
  it("is neither made nor labelled nor protected, and what is exempt is still apart", async () => {
    const names = async (overrides: Overrides) => objects(await run("dev", overrides), "Namespace").map(({ metadata }) => metadata.name);
    assert.deepEqual(await names(SHARED), ["monitoring-volumes"]);
    assert.deepEqual(await names({ namespace: "monitoring" }), ["monitoring", "monitoring-volumes"]);
    assert.equal((await run("prod", SHARED)).outputs.namespace, "monitoring");
  });

  it("is read under the name of the one that a stack makes, so that the engine lets go of such a one instead of removing it", async () => {
    const made: { type: string; name: string; id: string | undefined }[] = [];
    for (const exists of [true, false]) {
      await pulumi.runtime.setMocks({
        newResource: ({ type, name, id, inputs }) => {
          if (type.startsWith("kubernetes:")) made.push({ type, name, id: id || undefined });
          return { id: id ?? name, state: inputs };
        },
        call: ({ inputs }) => inputs,
      });
      const { urn } = new Namespace("namespace", { name: "monitoring", exists, marks: {} });
      await new Promise((resolve) => urn.apply(resolve));
      await new Promise(setImmediate);
    }
    const resource = { type: "kubernetes:core/v1:Namespace", name: "namespace" };
    assert.deepEqual(made, [
      { ...resource, id: "monitoring" },
      { ...resource, id: undefined },
    ]);
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

  for (const { title, stack, overrides } of [PROD, EVERYTHING, HISTORY]) {
    describe(title, () => {
      const shared = () => run(stack, { ...overrides, ...SHARED });

      it("has Services, budgets and rules of placement that are about this stack's pods only, which have the label", async () => {
        const selectors = selectorsIn(await shared());
        assert.ok(selectors.length > 20);
        for (const [where, labels] of selectors) assert.equal(labels["app.kubernetes.io/part-of"], "thanos-stack", where);
        for (const { metadata, spec } of workloads(await shared())) {
          assert.equal(spec.template.metadata.labels["app.kubernetes.io/part-of"], "thanos-stack", metadata.name);
        }
      });

      it("asks for the label nowhere else: a namespace of the stack's own has no other pods", async () => {
        for (const [where, labels] of selectorsIn(await run(stack, overrides))) {
          assert.equal(labels["app.kubernetes.io/part-of"], undefined, where);
        }
      });

      it("leaves workloads' own selectors as they are, which can't be changed", async () => {
        const own = async (overrides: Overrides) =>
          workloads(await run(stack, overrides))
            .filter(({ kind }) => kind !== "Job")
            .map(({ metadata, spec }) => [metadata.name, spec.selector, spec.volumeClaimTemplates]);
        assert.deepEqual(
          await own({ ...overrides, ...SHARED, namespace: "monitoring" }),
          await own({ ...overrides, namespace: "monitoring" }),
        );
      });
    });
  }

  describe("on a cluster", () => {
    /** Runs the program where the cluster says this of the namespace. */
    const runWhere = (namespace: () => Promise<FoundNamespace | undefined>, preview: boolean) =>
      runProgram({
        config: configOf("dev", SHARED),
        stack: "dev",
        preview,
        examine: (name) => examineNamespace(name, { namespace }),
      });

    for (const [what, found] of [
      ["has no labels", {}],
      ["is another team's", { labels: { team: "platform", "app.kubernetes.io/part-of": "platform" } }],
      ["enforces nothing", { labels: { "pod-security.kubernetes.io/enforce": "privileged" } }],
      ["enforces restricted", { labels: { "pod-security.kubernetes.io/enforce": "restricted" } }],
    ] as [string, FoundNamespace][]) {
      it(`is taken where it ${what}`, async () => {
        const { resources } = await runWhere(async () => found, false);
        assert.ok(resources.length > 20);
      });
    }

    for (const [what, found, rule, remedy] of [
      ["is not there", undefined, /^the cluster has no namespace of this name/, /a namespace that exists, or existingNamespace false/],
      ["is being removed", { deletionTimestamp: "2026-01-01T00:00:00Z" }, /^this namespace is being removed/, /a namespace that stays/],
      ["is another stack's own", { labels: OURS }, /^a stack of this program made this namespace/, /this one without that label/],
    ] as [string, FoundNamespace | undefined, RegExp, RegExp][]) {
      for (const preview of [true, false]) {
        it(`is refused where it ${what}, ${preview ? "at preview" : "at an update"}, by nothing but the message, before anything is registered`, async () => {
          const error = await runWhere(async () => found, preview).then(
            () => assert.fail("accepted"),
            (reason: unknown) => reason,
          );
          assert.ok(pulumi.RunError.isInstance(error), String(error));
          const begin = 'Pulumi.dev.yaml: 1 problem, nothing was changed:\n  - namespace = "monitoring": ';
          assert.ok(error.message.startsWith(begin), error.message);
          const [said = "", accepted = ""] = error.message.slice(begin.length).split(" Accepted: ");
          assert.match(said, rule);
          assert.match(accepted, remedy);
          assert.deepEqual(registeredNow(), []);
        });
      }
    }

    it("is refused where nobody can say, with what the cluster said", async () => {
      const refused = runWhere(() => Promise.reject(new Error("https://cluster answered 403")), true);
      await assert.rejects(
        refused,
        /namespace = "monitoring": .* which failed: https:\/\/cluster answered 403\. Accepted: a cluster that answers/,
      );
    });

    it("is not asked of where the stack makes its namespace", async () => {
      await runProgram({ config: configOf("dev"), stack: "dev", examine: () => assert.fail("asked") });
    });
  });
});
