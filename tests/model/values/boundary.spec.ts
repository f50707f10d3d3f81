import assert from "node:assert/strict";
import * as fc from "fast-check";
import { boundary } from "../../../model/values/boundary";

describe("the boundary of a condition", () => {
  const BOUNDS = { start: 1, most: 1e6, exact: 1e-3 };

  it("is found as exactly as it is asked for, with the last number of which it holds below it", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e5, noNaN: true }), (end) => {
        const { last, beyond } = boundary((of) => of <= end, BOUNDS);
        assert.ok(last <= end && end < beyond && beyond - last <= 1e-3 * last, `${last} ${beyond}`);
      }),
    );
  });

  it("is sought no further than that, where it never ends", () => {
    const { last, beyond } = boundary(() => true, BOUNDS);
    assert.ok(last < beyond && beyond < 4e6);
  });
});
