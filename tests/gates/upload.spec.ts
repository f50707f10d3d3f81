import assert from "node:assert/strict";
import type { ExposedSample } from "../../clients/exposition";
import type { AppliedStatefulSet, ClusterView, StatefulSetApplying } from "../../gates/cluster";
import type { Patience } from "../../gates/patience";
import { cuttingEveryMinute, type Leaving, receiversAreUploaded, storeGatewaysKnow, tenantsOf } from "../../gates/upload";
import { quickClock } from "./quickClock";

const QUICK: Patience = { timeoutSeconds: 0.3, pollSeconds: 0.005, quietSeconds: 0.01, clock: quickClock() };
const GATEWAY = "thanos-store-gateway-0";
const CUT = "--tsdb.max-block-duration=1m";

/** The StatefulSet that the engine applied: five receivers. */
const APPLIED = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "thanos-receive", namespace: "ns", labels: { a: "b" } },
  spec: {
    replicas: 5,
    serviceName: "peers",
    template: {
      metadata: { labels: { a: "b" } },
      spec: {
        volumes: [],
        containers: [
          { name: "thanos-receive", image: "thanos:v0.42.4", args: ["receive", "--tsdb.path=/data"], env: [] },
          { name: "other", image: "other:v1", args: ["serve"] },
          { name: "bare", image: "other:v1" },
        ],
      },
    },
  },
};

/**
 * Receivers that behave as Thanos 0.42.4 did when it was tried: the end of a process cuts what is in order but for the newest timestamp,
 * and with blocks of a minute the next minutes cut all the rest; each poll is one pass over the blocks. Their StatefulSet starts one after
 * the other again, from the last to the partition.
 */
class Ring implements StatefulSetApplying {
  readonly applied: AppliedStatefulSet[] = [];
  readonly managers = new Set<string>();
  /** Passes over the blocks fail. */
  bucketIsAway = false;
  /** Polls until a pod that was ended is Ready again. */
  startLooks = 2;
  /** Polls until a receiver with blocks of a minute has cut what is left. */
  cutLooks = 3;
  /** Why the store gateway is not Ready. */
  gatewayTrouble: string | undefined;
  private gatewayLooks = 0;
  private readonly pods: Map<
    string,
    { inOrder: number; outOfOrder: number; syncs: number; failures: number; start: number; args: readonly string[]; looks: number }
  >;

  constructor(held: Record<string, { inOrder: number; outOfOrder?: number }>) {
    this.pods = new Map(
      Object.entries(held).map(([pod, { inOrder, outOfOrder = 0 }]) => [
        pod,
        { inOrder, outOfOrder, syncs: 40, failures: 3, start: 0, args: argsOf(APPLIED), looks: 0 },
      ]),
    );
  }

  /** Pods that run with blocks of a minute. */
  get cutting(): string[] {
    return [...this.pods].filter(([, { args }]) => args.includes(CUT)).map(([pod]) => pod);
  }

  private of(pod: string) {
    const found = this.pods.get(pod);
    assert.ok(found, `the gate asked for ${pod}`);
    return found;
  }

  async podTrouble(pod: string): Promise<string | undefined> {
    if (pod === GATEWAY) return this.gatewayTrouble;
    const state = this.of(pod);
    if (state.start > 0) {
      state.start--;
    } else {
      this.roll();
    }
    return state.start === 0 ? undefined : "not Ready";
  }

  async applyStatefulSet(statefulSet: AppliedStatefulSet, fieldManager: string): Promise<void> {
    this.applied.push(statefulSet);
    this.managers.add(fieldManager);
    this.roll();
  }

  /** One step of the controller: the next pod that is not as it should be ends, when all are Ready. */
  private roll(): void {
    const wanted = this.applied.at(-1);
    if (wanted === undefined || [...this.pods.values()].some(({ start }) => start > 0)) return;
    const { partition = 0 } = (wanted.spec.updateStrategy as { rollingUpdate?: { partition?: number } } | undefined)?.rollingUpdate ?? {};
    const next = [...this.pods].reverse().find(([pod, { args }]) => number(pod) >= partition && args.join() !== argsOf(wanted).join());
    if (next === undefined) return;
    const [, state] = next;
    const left = state.inOrder > 1 ? 1 : 0;
    Object.assign(state, { inOrder: left, args: argsOf(wanted), syncs: 0, failures: 0, looks: 0, start: this.startLooks });
  }

  async metrics(pod: string): Promise<ExposedSample[]> {
    const state = this.of(pod);
    if (this.bucketIsAway) state.failures++;
    else state.syncs++;
    if (state.args.includes(CUT) && ++state.looks >= this.cutLooks) Object.assign(state, { inOrder: 0, outOfOrder: 0 });
    const sample = (name: string, value: number, labels = {}) => ({ name, value, labels: { tenant: "default-tenant", ...labels } });
    return [
      sample("prometheus_tsdb_head_chunks", (state.inOrder > 0 ? 1 : 0) + state.outOfOrder),
      sample("thanos_shipper_dir_syncs_total", state.syncs),
      sample("thanos_shipper_dir_sync_failures_total", state.failures),
      sample("thanos_shipper_upload_failures_total", 0),
      sample("thanos_shipper_corrupted_blocks_total", 0),
    ];
  }

  /** As the gate sees it. What it doesn't need, it must not ask. */
  view(other: Partial<ClusterView> = {}): ClusterView & StatefulSetApplying {
    const never = () => Promise.reject(new Error("not part of this gate"));
    return {
      podTrouble: (pod) => this.podTrouble(pod),
      metrics: (pod) => this.metrics(pod),
      applyStatefulSet: (statefulSet, fieldManager) => this.applyStatefulSet(statefulSet, fieldManager),
      pods: async () => [GATEWAY],
      metric: async (_, name) => (name.includes("failures") ? 0 : ++this.gatewayLooks),
      availableReplicas: never,
      image: never,
      configMapText: never,
      ...other,
    };
  }
}

const argsOf = ({ spec }: AppliedStatefulSet): readonly string[] => spec.template.spec.containers[0]?.args ?? [];
const number = (pod: string): number => Number(pod.slice(pod.lastIndexOf("-") + 1));

const [THIRD, FOURTH] = ["thanos-receive-3", "thanos-receive-4"] as const;
const leaving = (...pods: string[]): Leaving => ({ pods, staying: 3, applied: APPLIED, fieldManager: "pulumi-kubernetes-1234" });

describe("gates: the StatefulSet of leaving receivers", () => {
  it("differs in the receivers' arguments and in which pods get them, and in nothing else", () => {
    const before = structuredClone(APPLIED);
    const after = cuttingEveryMinute(APPLIED, 3);
    assert.deepEqual(APPLIED, before);
    const [receiver, other, bare] = after.spec.template.spec.containers;
    assert.deepEqual(receiver?.args, ["receive", "--tsdb.path=/data", CUT]);
    assert.deepEqual([other?.args, bare?.args], [["serve"], undefined]);
    assert.deepEqual(after.spec.updateStrategy, { type: "RollingUpdate", rollingUpdate: { partition: 3 } });
    const { updateStrategy: _, ...spec } = structuredClone(after.spec);
    Object.assign(spec.template.spec.containers[0] ?? {}, { args: before.spec.template.spec.containers[0]?.args });
    assert.deepEqual({ ...after, spec }, before);
  });
});

describe("gates: a receiver that an environment has put beside the stack's own", () => {
  it("keeps its arguments", () => {
    const [own, ...others] = APPLIED.spec.template.spec.containers;
    assert.ok(own !== undefined);
    const beside = { ...own, name: "beside", args: ["receive", "--label=a"] };
    const { template } = APPLIED.spec;
    const applied = { ...APPLIED, spec: { ...APPLIED.spec, template: { ...template, spec: { containers: [own, beside, ...others] } } } };
    assert.deepEqual(cuttingEveryMinute(applied, 3).spec.template.spec.containers[1], beside);
  });
});

describe("gates: uploads of leaving receivers", () => {
  it("let them start again, which cut all that they hold, and wait for two whole passes over its blocks", async () => {
    const ring = new Ring({ "thanos-receive-2": { inOrder: 500 }, [THIRD]: { inOrder: 500, outOfOrder: 2 }, [FOURTH]: { inOrder: 9 } });
    const seen: string[] = [];
    await receiversAreUploaded(
      ring.view({
        metrics: async (pod) => {
          const page = await ring.metrics(pod);
          const value = (name: string) => page.find((sample) => sample.name === name)?.value;
          if (pod === THIRD) seen.push(`${value("prometheus_tsdb_head_chunks")}/${value("thanos_shipper_dir_syncs_total")}`);
          return page;
        },
      }),
      leaving(THIRD, FOURTH),
      QUICK,
    );
    assert.equal(ring.applied.length, 1, "what the engine applies next takes it back");
    assert.deepEqual([...ring.managers], ["pulumi-kubernetes-1234"]);
    assert.deepEqual(ring.cutting, [THIRD, FOURTH]);
    // Empty at the third poll since it began again, and then two more passes.
    assert.deepEqual(seen.slice(-3), ["0/3", "0/4", "0/5"]);
    assert.ok(seen.includes("3/1"), "one of a newest timestamp, two out of order");
  });

  it("leave them alone where every head is empty, and still wait for their blocks", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 0 } });
    await receiversAreUploaded(ring.view(), leaving(THIRD), QUICK);
    const away = new Ring({ [THIRD]: { inOrder: 0 } });
    away.bucketIsAway = true;
    await assert.rejects(
      receiversAreUploaded(away.view(), leaving(THIRD), QUICK),
      /uploads of tenant default-tenant; some have failed since it began/,
    );
    assert.deepEqual([ring.applied, away.applied], [[], []]);
  });

  it("are in the bucket before a store gateway is asked whether it has found them", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 9, outOfOrder: 2 } });
    const asked: string[] = [];
    const view = ring.view();
    const cluster = ring.view({
      metrics: (pod) => {
        asked.push("receiver");
        return view.metrics(pod);
      },
      metric: (pod, name) => {
        asked.push("store gateway");
        return view.metric(pod, name);
      },
    });
    await receiversAreUploaded(cluster, leaving(THIRD), QUICK);
    assert.ok(asked.includes("store gateway"));
    assert.ok(asked.lastIndexOf("receiver") < asked.indexOf("store gateway"), asked.join());
  });

  it("of nobody ask for nothing", async () => {
    await receiversAreUploaded(new Ring({}).view(), leaving(), QUICK);
  });

  it("keep them while the bucket is away, with the StatefulSet as it was, and let them go when it is back", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 9 } });
    ring.bucketIsAway = true;
    await assert.rejects(
      receiversAreUploaded(ring.view(), leaving(THIRD), QUICK),
      /gave up after 0\.3 seconds of waiting .*in the bucket; still missing: thanos-receive-3 \(uploads of tenant default-tenant; some have failed since it began\)\. Nothing was removed/,
    );
    assert.equal(ring.applied.length, 2);
    assert.deepEqual(ring.applied.at(-1), APPLIED);
    ring.bucketIsAway = false;
    await receiversAreUploaded(ring.view(), leaving(THIRD), QUICK);
    assert.deepEqual([ring.applied.length, ring.cutting], [2, []], "nothing is left to be cut");
  });

  it("keep them while a store gateway is not Ready, with the StatefulSet as it was", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 9 } });
    ring.gatewayTrouble = "not Ready";
    await assert.rejects(
      receiversAreUploaded(ring.view(), leaving(THIRD), QUICK),
      /every store gateway .*still missing: thanos-store-gateway-0 \(not Ready\)\. Nothing was removed/,
    );
    assert.deepEqual(ring.applied.at(-1), APPLIED);
  });

  it("do not count a pass that ended before the failure after it", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 0 } });
    let looks = 0;
    const passes: string[] = [];
    await receiversAreUploaded(
      ring.view({
        metrics: (pod) => {
          ring.bucketIsAway = ++looks === 4;
          passes.push(ring.bucketIsAway ? "failed" : "passed");
          return ring.metrics(pod);
        },
      }),
      leaving(THIRD),
      QUICK,
    );
    // The first poll is the question whether it holds anything.
    assert.deepEqual(passes.slice(1), ["passed", "passed", "failed", "passed", "passed"]);
  });

  it("do not count passes among which one failed, when they were seen at once", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 0 } });
    let looks = 0;
    const metrics = async (pod: string) => {
      if (++looks === 4) {
        await ring.metrics(pod);
        ring.bucketIsAway = true;
        await ring.metrics(pod);
        ring.bucketIsAway = false;
      }
      return ring.metrics(pod);
    };
    await receiversAreUploaded(ring.view({ metrics }), leaving(THIRD), QUICK);
    assert.equal(looks, 6);
  });

  it("keep one whose head does not get empty", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 9, outOfOrder: 2 } });
    ring.cutLooks = Number.POSITIVE_INFINITY;
    await assert.rejects(
      receiversAreUploaded(ring.view(), leaving(THIRD), QUICK),
      /3 chunks of tenant default-tenant in its head block.*"history-loss" in accepts/,
    );
    assert.deepEqual(ring.applied.at(-1), APPLIED);
  });

  it("keep one that is not Ready, since nobody knows what it holds", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 9 } });
    await assert.rejects(
      receiversAreUploaded(ring.view({ podTrouble: async () => "not Ready" }), leaving(THIRD), QUICK),
      /thanos-receive-3 \(not Ready\)/,
    );
    assert.deepEqual(ring.applied, []);
    ring.startLooks = Number.POSITIVE_INFINITY;
    await assert.rejects(receiversAreUploaded(ring.view(), leaving(THIRD), QUICK), /thanos-receive-3 \(not Ready, so nobody knows\)/);
  });

  it("refuse at once where the receiver has no bucket yet", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 9 } });
    const metrics = async (pod: string) => (await ring.metrics(pod)).filter(({ name }) => !name.startsWith("thanos_shipper"));
    await assert.rejects(
      receiversAreUploaded(ring.view({ metrics }), leaving(THIRD), QUICK),
      /thanos-receive-3 runs without the bucket: .* in the next/,
    );
    assert.deepEqual(ring.applied, []);
  });
});

describe("gates: store gateways", () => {
  /** Store gateways that sync with the bucket at every second question. */
  class Gateways {
    readonly looks = new Map<string, number>();
    failures = 0;
    trouble: string | undefined;
    asked = 0;

    constructor(readonly names: readonly string[]) {}

    view(): ClusterView {
      const never = () => Promise.reject(new Error("not part of this gate"));
      return {
        podTrouble: async () => this.trouble,
        pods: async (labels) => {
          assert.deepEqual(labels, { "app.kubernetes.io/name": "thanos-store-gateway" });
          this.asked++;
          return [...this.names];
        },
        metric: async (pod, name) => {
          if (name === "thanos_blocks_meta_sync_failures_total") return this.failures;
          assert.equal(name, "thanos_blocks_meta_syncs_total");
          this.looks.set(pod, (this.looks.get(pod) ?? 9) + 0.5);
          return Math.floor(this.looks.get(pod) ?? 0);
        },
        metrics: never,
        availableReplicas: never,
        image: never,
        configMapText: never,
      };
    }
  }

  it("have looked again when a second look has begun since", async () => {
    const gateways = new Gateways(["a", "b"]);
    await storeGatewaysKnow(gateways.view(), QUICK);
    // 9, 10, 10, 11: the second sync since the first question.
    assert.equal(gateways.asked, 4);
  });

  it("have not while a look fails, one starts again, or none runs", async () => {
    const failing = new Gateways(["a"]);
    const view = failing.view();
    const metric = async (pod: string, name: string) => {
      if (name.includes("failures")) failing.failures++;
      return view.metric(pod, name);
    };
    await assert.rejects(
      storeGatewaysKnow({ ...view, metric }, QUICK),
      /every store gateway to have found .*still missing: a\. Nothing was removed/,
    );
    const away = new Gateways(["a"]);
    away.trouble = "not Ready";
    await assert.rejects(storeGatewaysKnow(away.view(), QUICK), /still missing: a \(not Ready\)/);
    await assert.rejects(storeGatewaysKnow(new Gateways([]).view(), QUICK), /still missing: any store gateway/);
    const restarting = new Gateways(["a"]);
    restarting.looks.set("a", 20);
    const pods = async () => {
      if (restarting.asked++ === 3) restarting.looks.set("a", 0);
      return ["a"];
    };
    await storeGatewaysKnow({ ...restarting.view(), pods }, QUICK);
    assert.ok((restarting.looks.get("a") ?? 99) < 5 && restarting.asked > 6, "what it looked before it began again counts for nothing");
  });
});

describe("gates: what a receiver says of its tenants", () => {
  const sample = (name: string, tenant: string, value: number) => ({ name, value, labels: { tenant } });

  it("is read by tenant", () => {
    const page = [
      sample("prometheus_tsdb_head_chunks", "a", 3),
      sample("prometheus_tsdb_head_chunks", "b", 0),
      sample("thanos_shipper_dir_syncs_total", "a", 2),
      sample("thanos_shipper_dir_sync_failures_total", "a", 1),
      sample("thanos_shipper_upload_failures_total", "a", 10),
      sample("thanos_shipper_corrupted_blocks_total", "a", 100),
    ];
    assert.deepEqual(tenantsOf("pod", page), [
      { tenant: "a", chunks: 3, syncs: 2, failures: 111 },
      { tenant: "b", chunks: 0, failures: 0 },
    ]);
  });

  it("is nothing at all on a page of something else, and that is no permission", () => {
    assert.throws(() => tenantsOf("pod", [{ name: "up", labels: {}, value: 1 }]), /pod says nothing of any tenant/);
  });
});
