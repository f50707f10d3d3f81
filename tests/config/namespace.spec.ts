import assert from "node:assert/strict";
import { misspeltNamespaces } from "../../config/namespace";
import { distance, isNear } from "../../model/values/near";
import { configOf, loadRaw, rejectionRaw } from "../harness";

describe("the namespace of a key", () => {
  const wrong = [
    "thanos-stak",
    "Thanos-stack",
    "thanos_stack",
    "thanosstack",
    "thanos-stacks",
    "tahnos-stack",
    "hanos-stack",
    "thanos",
    "thanos-dev",
  ];
  for (const namespace of wrong) {
    it(`${namespace} is taken for a typing error`, async () => {
      const { problems } = await rejectionRaw("dev", { ...configOf("dev"), [`${namespace}:survives`]: { nodes: 5 } });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(
        problems[0] ?? "",
        new RegExp(`^ {2}- ${namespace}:survives = .*: no program reads a key of this namespace\\. Accepted: thanos-stack:survives\\.$`),
      );
    });
  }

  it("of a provider or another program is left alone", async () => {
    await loadRaw("dev", {
      ...configOf("dev"),
      "pulumi:tags": "{",
      "kubernetes:context": "elsewhere",
      "aws:region": "eu-central-1",
      "thanos-app:greeting": "x",
      "shop:namespace": "x",
    });
  });

  it("is told beside everything else that is wrong, and no credentials with it", async () => {
    const { message, problems } = await rejectionRaw("dev", {
      ...configOf("dev"),
      "thanos-stak:objectStorageCredentials": { secretKey: "hunter2" },
      "thanos-stack:namespace": "default",
    });
    assert.equal(problems.length, 2);
    assert.ok(!message.includes("hunter2"));
  });

  it("is told once a key", () => {
    assert.equal(misspeltNamespaces({ "thanos-stak:a": 1, "thanos-stak:b": 2, "thanos-stack:c": 3 }).length, 2);
  });
});

describe("distance of words", () => {
  const cases: [string, string, number][] = [
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "abc", 0],
    ["abc", "abd", 1],
    ["abc", "ab", 1],
    ["abc", "acb", 1],
    ["ca", "abc", 3],
    ["kitten", "sitting", 3],
  ];
  for (const [left, right, expected] of cases) {
    it(`${left} and ${right}: ${expected}`, () => {
      assert.equal(distance(left, right), expected);
      assert.equal(distance(right, left), expected);
    });
  }

  it("short words are near only by one letter", () => {
    assert.ok(isNear("sise", "size"));
    assert.ok(!isNear("path", "size"));
    assert.ok(isNear("retension", "retention"));
    assert.ok(!isNear("replicas", "retention"));
  });
});
