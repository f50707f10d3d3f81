import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { madeResources } from "../../gates/whenMade";

class Thing extends pulumi.CustomResource {
  constructor(name: string, transformations: pulumi.ResourceTransformation[], parent?: pulumi.Resource) {
    super("test:index:Thing", name, {}, { transformations, ...(parent === undefined ? {} : { parent }) });
  }
}

const promised = (output: pulumi.Output<unknown>) => (output as unknown as { promise(): Promise<unknown> }).promise();

describe("a value that is there when every resource is", () => {
  let answer: (refused: boolean) => void;
  beforeEach(async () => {
    const answered = new Promise<boolean>((resolve) => {
      answer = resolve;
    });
    await pulumi.runtime.setMocks({
      newResource: async ({ name, inputs }) => {
        if (name === "late" && (await answered)) throw new Error("refused");
        return { id: name, state: inputs };
      },
      call: ({ inputs }) => inputs,
    });
  });
  afterEach(() =>
    pulumi.runtime.setMocks({ newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: ({ inputs }) => inputs }),
  );

  /** A resource that is made at once, with one in it that waits; what came of the value by then. */
  function values(): { seen: unknown[]; ended: Promise<unknown> } {
    const made = madeResources();
    const first = new Thing("first", [made.transformation]);
    new Thing("late", [], first);
    const seen: unknown[] = [];
    const { ring } = made.whenMade({ ring: "of five" });
    assert.ok(ring !== undefined);
    return { seen, ended: promised(ring).then((value) => seen.push(value)) };
  }

  it("waits for those within others too", async () => {
    const { seen, ended } = values();
    await new Promise(setImmediate);
    assert.deepEqual(seen, []);
    answer(false);
    await ended;
    assert.deepEqual(seen, ["of five"]);
  });

  it("is never there where one is refused", async () => {
    const { seen, ended } = values();
    answer(true);
    await assert.rejects(ended, /refused/);
    assert.deepEqual(seen, []);
  });
});
