import assert from "node:assert/strict";
import fc from "fast-check";
import { parseExposition } from "../../clients/exposition";

describe("clients: parseExposition", () => {
  it("reads samples with and without labels, and leaves comments out", () => {
    const page = [
      "# HELP a A counter.",
      "# TYPE a counter",
      'a{code="200",tenant="x"} 12',
      "",
      "b 1.5e+08 1700000000000",
      'c{le="+Inf"} +Inf',
      "d NaN",
      "e{} -1",
    ].join("\n");
    assert.deepEqual(parseExposition(page), [
      { name: "a", labels: { code: "200", tenant: "x" }, value: 12 },
      { name: "b", labels: {}, value: 150_000_000 },
      { name: "c", labels: { le: "+Inf" }, value: Number.POSITIVE_INFINITY },
      { name: "d", labels: {}, value: Number.NaN },
      { name: "e", labels: {}, value: -1 },
    ]);
  });

  it("undoes escapes in label values, whatever they hold", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/[\r\u0085\u2028\u2029]/.test(text)),
        (value) => {
          const escaped = value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
          assert.deepEqual(parseExposition(`a{x="${escaped}",y="z"} 1`), [{ name: "a", labels: { x: value, y: "z" }, value: 1 }]);
        },
      ),
    );
  });

  for (const line of ["<html>", "a", 'a{x="1" 2', "a{x=1} 2", 'a{x="1",,} 2']) {
    it(`refuses ${line}`, () => {
      assert.throws(() => parseExposition(`b 1\n${line}`), /not a line of the text exposition format/);
    });
  }
});
