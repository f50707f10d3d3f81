import assert from "node:assert/strict";
import { unneededRisks } from "../../model/acceptedRisks";
import { settingsSchema } from "../../model/settings/schema";
import { configOf, type Overrides, type Stack } from "../harness";

const PREFIX = "thanos-stack:";

function risksOf(stack: Stack, overrides: Overrides): string[] {
  const own = Object.entries(configOf(stack, overrides)).flatMap(([key, value]) =>
    key.startsWith(PREFIX) ? [[key.slice(PREFIX.length), value]] : [],
  );
  return unneededRisks(settingsSchema.parse(Object.fromEntries(own)));
}

describe("risks that are accepted", () => {
  it("are as they are needed in the stack files", () => {
    assert.deepEqual(risksOf("dev", {}), []);
    assert.deepEqual(risksOf("prod", {}), []);
  });

  it("are told of where nothing takes them", () => {
    const told = risksOf("prod", { accepts: ["plain-caches", "no-limit", "data-loss"] });
    assert.equal(told.length, 3);
    assert.match(told[0] ?? "", /^accepts has "plain-caches", a risk that nothing here takes: left out, /);
  });

  it("are needed by what takes them, wherever it is", () => {
    const tls = { certificates: "program" };
    assert.deepEqual(risksOf("prod", { accepts: ["plain-caches"], tls }), []);
    assert.deepEqual(risksOf("dev", { accepts: ["replicas-on-one-node", "open-doors"], access: { readers: ["0.0.0.0/0"] } }), []);
    assert.deepEqual(risksOf("dev", { accepts: ["data-loss"], receive: { replicationFactor: 1 } }), []);
  });

  it("of one update, or of the cluster, are nobody's to judge here", () => {
    assert.deepEqual(risksOf("prod", { accepts: ["storage-replacement", "ending-certificates", "history-loss", "any-tenant"] }), []);
  });
});
