import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { limitsActiveSeries, receiveLimitsFile } from "../../model/receiveLimits";
import { ringSettings, settingsOf } from "../harness";

interface LimitsFile {
  write: {
    global: { max_concurrency: number; meta_monitoring_url?: string; meta_monitoring_limit_query?: string };
    default: object;
    tenants: Record<string, object>;
  };
}

const settings = (limits: object, receive: object = {}) => ringSettings(settingsOf("prod", { receive: { limits, ...receive } }));
const fileOf = (limits: object, receive: object = {}) =>
  parse(receiveLimitsFile(settings(limits, receive), "http://querier")) as LimitsFile;

describe("receive limits", () => {
  it("leave out what is not limited: a zero there would be a limit of its own", () => {
    assert.deepEqual(fileOf({}).write.default, {});
    assert.deepEqual(fileOf({ tenants: { a: {}, b: { request: {} } } }).write.tenants, { a: {}, b: {} });
  });

  it("keep a zero that is written: it lifts the default's limit for one tenant", () => {
    const { write } = fileOf({ default: { headSeries: 10 }, tenants: { a: { headSeries: 0, request: { series: 0 } } } });
    assert.deepEqual(write, {
      global: write.global,
      default: { head_series_limit: 10 },
      tenants: { a: { request: { series_limit: 0 }, head_series_limit: 0 } },
    });
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
        const text = (order: string[]) =>
          receiveLimitsFile(settings({ tenants: Object.fromEntries(order.map((name) => [name, { headSeries: name.length }])) }), "u");
        assert.equal(text(names), text([...names].reverse()));
      }),
    );
  });
});
