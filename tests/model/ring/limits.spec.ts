import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { defaultRequestLimits, limitsActiveSeries, receiveLimitsFile } from "../../../model/ring/limits";
import { ringSettings, settingsOf } from "../../harness";

interface LimitsFile {
  write: {
    global: { max_concurrency: number; meta_monitoring_url?: string; meta_monitoring_limit_query?: string };
    default: object;
    tenants: Record<string, object>;
  };
}

const chosen = (limits: object, receive: object = {}, others: object = {}) =>
  settingsOf("prod", { receive: { limits, ...receive }, ...others });
const settings = (limits: object, receive: object = {}) => ringSettings(chosen(limits, receive));
const textOf = (limits: object, receive: object = {}) => {
  const all = chosen(limits, receive);
  return receiveLimitsFile(ringSettings(all), all, "http://querier");
};
const fileOf = (limits: object, receive: object = {}) => parse(textOf(limits, receive)) as LimitsFile;
/** Those of prod, whose routers have 256Mi and whose Prometheus sends 5,000 samples at once. */
const OWN = { size_bytes_limit: 20_480_000, series_limit: 32_768, samples_limit: 524_288 };

describe("receive limits", () => {
  it("leave out of a tenant what is not limited for it: a zero there would be a limit of its own", () => {
    assert.deepEqual(fileOf({ tenants: { a: {}, b: { request: {} } } }).write.tenants, { a: {}, b: {} });
  });

  it("keep a zero that is written: it lifts the default's limit for one tenant", () => {
    const { write } = fileOf({ default: { headSeries: 10 }, tenants: { a: { headSeries: 0, request: { series: 0 } } } });
    assert.deepEqual(write, {
      global: write.global,
      default: { request: OWN, head_series_limit: 10 },
      tenants: { a: { request: { series_limit: 0 }, head_series_limit: 0 }, "default-tenant": { head_series_limit: 0 } },
    });
  });

  describe("of a request, where none is chosen", () => {
    const defaults = (overrides: { routers?: string; receivers?: string; batch?: number; mode?: string }) => {
      const { routers = "256Mi", receivers = "2Gi", batch = 5_000, mode = "split" } = overrides;
      const all = chosen(
        {},
        { mode, resources: { memory: receivers }, routers: { resources: { memory: routers } } },
        { prometheus: { remoteWrite: { maxSamplesPerSend: batch, capacity: 200_000 } } },
      );
      return defaultRequestLimits(ringSettings(all), all);
    };
    const MIB = 2 ** 20;

    it("are a sixteenth of the memory of whatever takes requests", () => {
      assert.deepEqual(defaults({ routers: "1Gi" }), { sizeBytes: 64 * MIB, series: 131_072, samples: 2_097_152 });
      assert.deepEqual(defaults({ mode: "router-ingester" }), { sizeBytes: 128 * MIB, series: 262_144, samples: 4_194_304 });
      assert.deepEqual(defaults({ routers: "4Gi", receivers: "1Gi" }), defaults({ routers: "1Gi" }), "the smaller of two that hold it");
    });

    it("are never below what this stack's own senders send at once, and a request of that size fits the memory", () => {
      fc.assert(
        fc.property(fc.integer({ min: 100, max: 50_000 }), fc.integer({ min: 64, max: 16_384 }), (batch, memory) => {
          const { sizeBytes, series, samples } = defaults({ batch, routers: `${memory}Mi`, receivers: "32Gi" });
          // Each sample of a batch may be of another series. Text of 4 KiB is what a sample has on average at most.
          assert.ok(series >= batch && samples >= batch && sizeBytes >= batch * 4_096);
          if (batch * 4_096 <= (memory * MIB) / 16) assert.ok(sizeBytes <= (memory * MIB) / 16);
          assert.ok(Number.isInteger(sizeBytes) && Number.isInteger(series) && Number.isInteger(samples));
        }),
      );
    });

    it("are laid under those that are chosen, one by one; a zero lifts one", () => {
      const request = (of: object) => (fileOf({ default: { request: of } }).write.default as { request: object }).request;
      assert.deepEqual(request({}), OWN);
      assert.deepEqual(request({ series: 7 }), { ...OWN, series_limit: 7 });
      assert.deepEqual(request({ sizeBytes: 0 }), { ...OWN, size_bytes_limit: 0 });
    });
  });

  it("of active series leave out the tenant whose samples they are counted from", () => {
    assert.deepEqual(fileOf({ default: { headSeries: 5 } }).write.tenants, { "default-tenant": { head_series_limit: 0 } });
    const own = { "default-tenant": { request: { series: 9 } } };
    assert.deepEqual(fileOf({ default: { headSeries: 5 }, tenants: own }).write.tenants, {
      "default-tenant": { request: { series_limit: 9 }, head_series_limit: 0 },
    });
    assert.deepEqual(fileOf({ default: { headSeries: 0 } }).write.tenants, {});
  });

  const cases: { title: string; limits: object; expected: boolean }[] = [
    { title: "none", limits: {}, expected: false },
    { title: "requests only", limits: { default: { request: { series: 5 } } }, expected: false },
    { title: "zero", limits: { default: { headSeries: 0 } }, expected: false },
    { title: "by default", limits: { default: { headSeries: 5 } }, expected: true },
    { title: "of one tenant", limits: { tenants: { a: { headSeries: 5 } } }, expected: true },
  ];
  for (const { title, limits, expected } of cases) {
    it(`active series, ${title}: the querier is ${expected ? "" : "not "}asked`, () => {
      assert.equal(limitsActiveSeries(settings(limits)), expected);
      assert.equal(fileOf(limits).write.global.meta_monitoring_url, expected ? "http://querier" : undefined);
    });
  }

  it("of active series count a series once, however many copies there are", () => {
    for (const replicationFactor of [3, 5]) {
      const { write } = fileOf({ default: { headSeries: 5 } }, { replicationFactor, replicas: 6 });
      assert.match(write.global.meta_monitoring_limit_query ?? "", new RegExp(`/ ${replicationFactor}$`));
    }
  });

  it("have the same bytes in whatever order tenants are written", () => {
    const tenants = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9._-]{0,6}$/), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(tenants, (names) => {
        const text = (order: string[]) => textOf({ tenants: Object.fromEntries(order.map((name) => [name, { headSeries: name.length }])) });
        assert.equal(text(names), text([...names].reverse()));
      }),
    );
  });
});
