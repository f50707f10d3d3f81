import assert from "node:assert/strict";
import fc from "fast-check";
import { defaultReadLimits, readLimitFlags, STORES } from "../../../model/reads/limits";
import { planWarnings } from "../../../model/warnings";
import { HISTORY, SIDECAR } from "../../components/plans";
import { type Overrides, rejection, ringSettings, settingsOf, together } from "../../harness";

const GIB = 2 ** 30;
/** Memory that a querier was seen to take: 2.9 KB for a series of one chunk, 8.0 KB for one of eleven. */
const needed = (series: number, chunks: number): number => series * 2_400 + chunks * 510;

const withBucket = (overrides: Overrides = {}) => settingsOf("prod", together(HISTORY.overrides, overrides));
const gatewayOf = (overrides: Overrides = {}) => {
  const settings = withBucket(overrides);
  assert.ok(settings.objectStorage !== undefined);
  return { settings, store: STORES.storeGateway(settings.objectStorage) };
};

describe("limits of reads, where none are chosen", () => {
  it("are such that what all stores of a kind send for one selector fits the querier, and what one of them sends fits itself", () => {
    const memory = fc.integer({ min: 64, max: 65_536 });
    fc.assert(
      fc.property(memory, memory, fc.integer({ min: 3, max: 60 }), (querier, receiver, replicas) => {
        const settings = settingsOf("dev", {
          accepts: ["replicas-on-one-node"],
          querier: { resources: { memory: `${querier}Mi` } },
          receive: { replicas, resources: { memory: `${receiver}Mi` } },
        });
        const { series, samples } = defaultReadLimits(settings, STORES.receive(ringSettings(settings)));
        const bytes = needed(series, samples / 120);
        assert.ok(bytes * replicas <= querier * 2 ** 20 * 0.75, `${bytes} from each of ${replicas}`);
        assert.ok(bytes <= receiver * 2 ** 20 * 0.75);
        assert.ok(Number.isInteger(series) && Number.isInteger(samples) && samples % 120 === 0);
      }),
    );
  });

  it("count every process that answers: rings of tenants, shards by hash and by age, pairs", () => {
    const rings = settingsOf("prod", { receive: { replicas: 6, hashrings: [{ name: "a", tenants: ["a"], replicas: 3 }] } });
    assert.equal(STORES.receive(ringSettings(rings)).together, 9);
    assert.equal(gatewayOf().store.together, 4);
    const byAge = { objectStorage: { storeGateway: { partition: { hash: undefined, time: ["7d", "60d"] } } } };
    assert.equal(gatewayOf(byAge).store.together, 6);
    assert.equal(STORES.sidecar(settingsOf("prod", SIDECAR.overrides)).together, 4);
    assert.equal(STORES.querier(settingsOf("prod")).together, 1);
  });

  it("grow with the memory of the querier, until that of the store is the smaller", () => {
    const series = (querier: string, gateway: string) => {
      const { settings, store } = gatewayOf({
        querier: { resources: { memory: querier } },
        objectStorage: { storeGateway: { resources: { memory: gateway } } },
      });
      return defaultReadLimits(settings, store).series;
    };
    assert.equal(series("4Gi", "1Gi"), Math.floor((GIB * 3) / 8 / 2_560));
    assert.equal(series("8Gi", "1Gi"), series("4Gi", "1Gi"));
    assert.equal(series("2Gi", "1Gi"), Math.floor(GIB / 2 / ((8 / 3) * 2_560)));
  });

  it("are laid under those that are chosen, one by one; a zero lifts one", () => {
    const flags = (storeLimits: object) => {
      const { settings, store } = gatewayOf({ accepts: ["no-limit"], objectStorage: { storeGateway: { storeLimits } } });
      return readLimitFlags(settings, store);
    };
    const [series, samples] = flags({});
    assert.deepEqual(flags({ series: 7 }), ["--store.limits.request-series=7", samples]);
    assert.deepEqual(flags({ samples: 0 }), [series, "--store.limits.request-samples=0"]);
  });

  it("are none where Thanos counts nothing, so that no other number restarts what keeps samples", () => {
    const flags = (overrides: Overrides) => {
      const settings = settingsOf("prod", overrides);
      return readLimitFlags(settings, STORES.receive(ringSettings(settings)));
    };
    assert.deepEqual(flags({}), []);
    assert.deepEqual(flags({ receive: { replicas: 9 }, querier: { resources: { memory: "8Gi" } } }), []);
    assert.deepEqual(flags({ receive: { storeLimits: { series: 7 } } }), ["--store.limits.request-series=7"]);
  });
});

describe("limits of reads that are chosen", () => {
  it("of 0 are a risk to accept, of every component that reads", async () => {
    const none = { storeLimits: { series: 0 } };
    const { problems } = await rejection(
      "prod",
      together(HISTORY.overrides, { receive: none, querier: none, ruler: none, objectStorage: { storeGateway: none } }),
    );
    const keys = problems.map((problem) => /- (\S+) = 0: a limit of 0/.exec(problem)?.[1]);
    assert.deepEqual(
      keys.sort(),
      ["objectStorage.storeGateway", "querier", "receive", "ruler"].map((key) => `${key}.storeLimits.series`),
    );
    const sidecar = await rejection("prod", together(SIDECAR.overrides, { prometheus: { sidecar: none } }));
    assert.match(sidecar.problems.join(), /prometheus\.sidecar\.storeLimits\.series = 0/);
  });

  it("are a warning where a query below them can fill a querier", () => {
    const warnings = (series: number) => planWarnings(withBucket({ objectStorage: { storeGateway: { storeLimits: { series } } } }));
    const { settings, store } = gatewayOf();
    const carried = defaultReadLimits(settings, store).series;
    assert.deepEqual(warnings(carried), []);
    assert.match(
      warnings(carried + 1).join(),
      new RegExp(`^objectStorage\\.storeGateway\\.storeLimits\\.series is ${carried + 1}: .*carry ${carried}, `),
    );
  });

  it("are a warning where this release of Thanos does not count them", () => {
    const said = (tag: string) =>
      planWarnings(
        settingsOf("prod", { images: { thanos: `quay.io/thanos/thanos:${tag}` }, receive: { storeLimits: { series: 10 } } }),
      ).join();
    for (const tag of ["v0.41.0", "v0.42.0", "v0.42.4", "v0.42.5"]) {
      assert.match(said(tag), /^receive\.storeLimits bounds no query of Thanos 0\.4\d\.\d: /, tag);
    }
    assert.equal(said("v0.42.6"), "");
    assert.equal(said("v0.42.51"), "");
  });
});
