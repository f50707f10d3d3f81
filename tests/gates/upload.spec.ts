import assert from "node:assert/strict";
import type { ExposedSample } from "../../clients/exposition";
import type { ClusterView, PodEnding } from "../../gates/cluster";
import type { Patience } from "../../gates/patience";
import { needsRestart, receiversAreUploaded, type TenantStorage, tenantsOf } from "../../gates/upload";

const QUICK: Patience = { timeoutSeconds: 0.3, pollSeconds: 0.005, quietSeconds: 0.01 };
const T = 1_795_377_145_014;

/**
 * Receivers that behave as Thanos 0.42.4 did when it was tried: a graceful end cuts what is in order into a block but for the newest timestamp, and that one too when it is alone;
 * samples out of order stay; each look is one pass over the blocks.
 */
class Ring implements PodEnding {
  readonly restarted: string[] = [];
  /** Passes over the blocks fail. */
  bucketIsAway = false;
  /** Looks until a pod that was ended is Ready again. */
  startLooks = 2;
  private readonly pods: Map<
    string,
    { inOrder: number; outOfOrder: number; appended: number; syncs: number; failures: number; start: number }
  >;

  constructor(held: Record<string, { inOrder: number; outOfOrder?: number; appended?: number }>) {
    this.pods = new Map(
      Object.entries(held).map(([pod, { inOrder, outOfOrder = 0, appended = inOrder }]) => [
        pod,
        { inOrder, outOfOrder, appended, syncs: 40, failures: 3, start: 0 },
      ]),
    );
  }

  private of(pod: string) {
    const found = this.pods.get(pod);
    assert.ok(found, `the gate asked for ${pod}`);
    return found;
  }

  async podTrouble(pod: string): Promise<string | undefined> {
    const state = this.of(pod);
    if (state.start > 0) state.start--;
    return state.start === 0 ? undefined : "not Ready";
  }

  async endPod(pod: string): Promise<void> {
    for (const [other, { start }] of this.pods) assert.ok(start === 0, `${pod} was ended while ${other} was not Ready`);
    this.restarted.push(pod);
    const state = this.of(pod);
    state.inOrder = state.inOrder > 1 ? 1 : 0;
    Object.assign(state, { appended: 0, syncs: 0, failures: 0, start: this.startLooks });
  }

  /** What time alone does, at one of Thanos' two-hourly looks. */
  cutOutOfOrder(pod: string): void {
    this.of(pod).outOfOrder = 0;
  }

  async metrics(pod: string): Promise<ExposedSample[]> {
    const state = this.of(pod);
    if (this.bucketIsAway) state.failures++;
    else state.syncs++;
    const sample = (name: string, value: number, labels = {}) => ({ name, value, labels: { tenant: "default-tenant", ...labels } });
    return [
      sample("prometheus_tsdb_head_chunks", (state.inOrder > 0 ? 1 : 0) + state.outOfOrder),
      sample("prometheus_tsdb_head_min_time", T - Math.max(state.inOrder - 1, 0)),
      sample("prometheus_tsdb_head_max_time", T),
      sample("prometheus_tsdb_head_samples_appended_total", state.appended, { type: "float" }),
      sample("prometheus_tsdb_head_samples_appended_total", 0, { type: "histogram" }),
      sample("prometheus_tsdb_out_of_order_wbl_storage_size_bytes", state.outOfOrder * 32_768),
      sample("thanos_shipper_dir_syncs_total", state.syncs),
      sample("thanos_shipper_dir_sync_failures_total", state.failures),
      sample("thanos_shipper_upload_failures_total", 0),
      sample("thanos_shipper_corrupted_blocks_total", 0),
    ];
  }

  /** As the gate sees it. What it doesn't need, it must not ask. */
  view(other: Partial<ClusterView> = {}): ClusterView & PodEnding {
    const never = () => Promise.reject(new Error("not part of this gate"));
    return {
      podTrouble: (pod) => this.podTrouble(pod),
      metrics: (pod) => this.metrics(pod),
      endPod: (pod) => this.endPod(pod),
      availableReplicas: never,
      pods: never,
      configMapText: never,
      metric: never,
      ...other,
    };
  }
}

const LEAVING = ["thanos-receive-3", "thanos-receive-4"];
const [THIRD, FOURTH] = ["thanos-receive-3", "thanos-receive-4"] as const;

describe("gates: uploads of leaving receivers", () => {
  it("restart each of them twice, one after the other, and wait for two whole passes over its blocks", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 500 }, [FOURTH]: { inOrder: 9 } });
    const passes: number[] = [];
    await receiversAreUploaded(
      ring.view({
        metrics: async (pod) => {
          const page = await ring.metrics(pod);
          if (pod === FOURTH) passes.push(page.find(({ name }) => name === "thanos_shipper_dir_syncs_total")?.value ?? 0);
          return page;
        },
      }),
      LEAVING,
      QUICK,
    );
    assert.deepEqual(ring.restarted, [THIRD, THIRD, FOURTH, FOURTH]);
    // Looks: before each restart, after the last, and then until two more passes are over.
    assert.deepEqual(passes, [41, 1, 1, 2, 3, 4]);
  });

  it("leave one alone whose head is empty, and still wait for its blocks", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 0 } });
    await receiversAreUploaded(ring.view(), [THIRD], QUICK);
    assert.deepEqual(ring.restarted, []);
    const away = new Ring({ [THIRD]: { inOrder: 0 } });
    away.bucketIsAway = true;
    await assert.rejects(
      receiversAreUploaded(away.view(), [THIRD], QUICK),
      /uploads of tenant default-tenant; some have failed since it began/,
    );
  });

  it("of nobody ask for nothing", async () => {
    await receiversAreUploaded(new Ring({}).view(), [], QUICK);
  });

  it("keep them while the bucket is away, and let them go when it is back", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 9 } });
    ring.bucketIsAway = true;
    await assert.rejects(
      receiversAreUploaded(ring.view(), [THIRD], QUICK),
      /gave up after 0\.3 s .*in the bucket; still missing: thanos-receive-3 \(uploads of tenant default-tenant; some have failed since it began\)\. Nothing was removed/,
    );
    const restarts = ring.restarted.length;
    ring.bucketIsAway = false;
    await receiversAreUploaded(ring.view(), [THIRD], QUICK);
    assert.equal(ring.restarted.length, restarts, "nothing is left to be cut");
  });

  it("do not count a pass that ended before the failure after it", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 0 } });
    let looks = 0;
    const passes: string[] = [];
    await receiversAreUploaded(
      ring.view({
        metrics: (pod) => {
          ring.bucketIsAway = ++looks === 3;
          passes.push(ring.bucketIsAway ? "failed" : "passed");
          return ring.metrics(pod);
        },
      }),
      [THIRD],
      QUICK,
    );
    assert.deepEqual(passes, ["passed", "passed", "failed", "passed", "passed"]);
  });

  it("do not count passes among which one failed, when they were seen at once", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 0 } });
    let looks = 0;
    const metrics = async (pod: string) => {
      if (++looks === 3) {
        await ring.metrics(pod);
        ring.bucketIsAway = true;
        await ring.metrics(pod);
        ring.bucketIsAway = false;
      }
      return ring.metrics(pod);
    };
    await receiversAreUploaded(ring.view({ metrics }), [THIRD], QUICK);
    assert.equal(looks, 5);
  });

  it("keep one that holds samples out of order, without restarting it for them, until time has cut those", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 9, outOfOrder: 2 } });
    await assert.rejects(
      receiversAreUploaded(ring.view(), [THIRD], QUICK),
      /2 chunks of tenant default-tenant in its head, of samples out of order, which it cuts into a block within 4 h 15 min.*"history-loss" in accepts/,
    );
    assert.deepEqual(ring.restarted, [THIRD, THIRD]);
    await assert.rejects(receiversAreUploaded(ring.view(), [THIRD], QUICK), /out of order/);
    assert.equal(ring.restarted.length, 2, "the same update again does not begin their waiting anew");
    ring.cutOutOfOrder(THIRD);
    await receiversAreUploaded(ring.view(), [THIRD], QUICK);
    assert.equal(ring.restarted.length, 2);
  });

  it("keep one that is not Ready, since nobody knows what it holds", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 9 } });
    await assert.rejects(
      receiversAreUploaded(ring.view({ podTrouble: async () => "not Ready" }), [THIRD], QUICK),
      /thanos-receive-3 \(not Ready\)/,
    );
    assert.deepEqual(ring.restarted, []);
    ring.startLooks = Number.POSITIVE_INFINITY;
    await assert.rejects(receiversAreUploaded(ring.view(), [THIRD], QUICK), /thanos-receive-3 \(not Ready\)/);
    assert.equal(ring.restarted.length, 1);
  });

  it("refuse at once where the receiver has no bucket yet", async () => {
    const ring = new Ring({ [THIRD]: { inOrder: 9 } });
    const metrics = async (pod: string) => (await ring.metrics(pod)).filter(({ name }) => !name.startsWith("thanos_shipper"));
    await assert.rejects(
      receiversAreUploaded(ring.view({ metrics }), [THIRD], QUICK),
      /thanos-receive-3 runs without the bucket: .* in the next/,
    );
    assert.deepEqual(ring.restarted, []);
  });
});

describe("gates: what a receiver says of its tenants", () => {
  const sample = (name: string, tenant: string, value: number, labels = {}) => ({ name, value, labels: { tenant, ...labels } });

  it("is read by tenant", () => {
    const page = [
      sample("prometheus_tsdb_head_chunks", "a", 3),
      sample("prometheus_tsdb_head_chunks", "b", 0),
      sample("prometheus_tsdb_head_min_time", "a", 5),
      sample("prometheus_tsdb_head_max_time", "a", 7),
      sample("prometheus_tsdb_head_samples_appended_total", "a", 10, { type: "float" }),
      sample("prometheus_tsdb_head_samples_appended_total", "a", 4, { type: "histogram" }),
      sample("prometheus_tsdb_out_of_order_wbl_storage_size_bytes", "a", 171),
      sample("thanos_shipper_dir_syncs_total", "a", 2),
      sample("thanos_shipper_dir_sync_failures_total", "a", 1),
      sample("thanos_shipper_upload_failures_total", "a", 10),
      sample("thanos_shipper_corrupted_blocks_total", "a", 100),
    ];
    assert.deepEqual(tenantsOf("pod", page), [
      { tenant: "a", chunks: 3, minTime: 5, maxTime: 7, appended: 14, outOfOrderBytes: 171, syncs: 2, failures: 111 },
      { tenant: "b", chunks: 0, minTime: 0, maxTime: 0, appended: 0, outOfOrderBytes: 0, failures: 0 },
    ]);
  });

  it("is nothing at all on a page of something else, and that is no permission", () => {
    assert.throws(() => tenantsOf("pod", [{ name: "up", labels: {}, value: 1 }]), /pod says nothing of any tenant/);
  });

  it("decides whether another restart cuts samples in order", () => {
    const tenant = (changes: Partial<TenantStorage>): TenantStorage => ({
      tenant: "a",
      chunks: 1,
      minTime: T,
      maxTime: T,
      appended: 0,
      outOfOrderBytes: 0,
      syncs: 1,
      failures: 0,
      ...changes,
    });
    const cases: [string, Partial<TenantStorage>, number, boolean][] = [
      ["a stretch of time", { minTime: T - 1 }, 0, true],
      ["a stretch of time after a restart", { minTime: T - 1 }, 1, true],
      ["one timestamp alone", {}, 0, true],
      ["nothing", { chunks: 0 }, 0, false],
      ["nothing, after bounds that differ", { chunks: 0, minTime: T - 1 }, 0, false],
      ["only what is out of order, as after an earlier gate", { outOfOrderBytes: 1 }, 0, false],
      ["out of order and written to since it began", { outOfOrderBytes: 1, appended: 5 }, 0, true],
      ["out of order right after the first restart", { outOfOrderBytes: 1 }, 1, true],
      ["anything after the second", { minTime: T - 1 }, 2, false],
    ];
    for (const [what, changes, restarts, expected] of cases) assert.equal(needsRestart([tenant(changes)], restarts), expected, what);
    assert.equal(needsRestart([tenant({ chunks: 0 }), tenant({})], 0), true, "one tenant is enough");
  });
});
