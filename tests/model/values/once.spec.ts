import assert from "node:assert/strict";
import { once } from "../../../model/values/once";

describe("model: once", () => {
  it("works a result out once for the same object and equal values beside it, and anew for others", () => {
    const worked: string[] = [];
    const text = once(({ name }: { name: string }, { shard }: { shard: number | undefined }) => {
      worked.push(name);
      return `${name}-${shard}`;
    });
    const [one, other] = [{ name: "one" }, { name: "other" }];
    assert.deepEqual(
      [text(one, { shard: 0 }), text(one, { shard: 0 }), text(one, { shard: 1 }), text(other, { shard: 0 })],
      ["one-0", "one-0", "one-1", "other-0"],
    );
    assert.deepEqual(worked, ["one", "one", "other"]);
  });

  it("remembers that there is no result, too", () => {
    let calls = 0;
    const nothing = once((_: object): undefined => {
      calls++;
    });
    const of = {};
    assert.deepEqual([nothing(of), nothing(of), calls], [undefined, undefined, 1]);
  });
});
