import assert from "node:assert/strict";
import fc from "fast-check";
import { anyOf, counted, percent } from "../../../model/availability/words";

describe("availability: words", () => {
  it("say of a share neither none nor all unless it is", () => {
    assert.deepEqual([0, 0.0004, 0.1234, 0.9996, 1].map(percent), ["0 %", "< 0.1 %", "12.3 %", "> 99.9 %", "100 %"]);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => {
        assert.equal(percent(share) === "0 %", share === 0);
        assert.equal(percent(share) === "100 %", share === 1);
      }),
    );
  });

  it("count, and name only what there is any of", () => {
    assert.deepEqual(
      [0, 1, 2].map((count) => counted(count, "nodes")),
      ["0 nodes", "1 node", "2 nodes"],
    );
    assert.deepEqual(anyOf({ nodes: 2, zones: 1 }), ["any 2 nodes", "any 1 zone"]);
    assert.deepEqual(anyOf({ nodes: 0, zones: 0 }), []);
  });
});
