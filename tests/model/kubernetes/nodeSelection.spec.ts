import assert from "node:assert/strict";
import { canBeOn, type NodeTerm, namedNodes, namedZones, type Requirement, ZONE, zonesFor } from "../../../model/kubernetes/nodeSelection";

const required = (...nodeSelectorTerms: NodeTerm[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const asks = (key: string, operator: string, ...values: string[]): Requirement => ({ key, operator, values });
const all = (...matchExpressions: Requirement[]): NodeTerm => ({ matchExpressions });
const HOST = "kubernetes.io/hostname";
const ZONES = ["z1", "z2", "z3"];

describe("node selection", () => {
  it("can be satisfied unless it contradicts itself in every alternative", () => {
    for (const possible of [
      {},
      { nodeSelector: { pool: "a" } },
      required(all(asks("pool", "In", "a", "b"), asks("pool", "NotIn", "a"))),
      required(all(asks("pool", "In", "a"), asks("pool", "In", "b")), all(asks("pool", "Exists"))),
      required(all(asks("cores", "Gt", "7"), asks("cores", "Lt", "9"))),
      required(all(asks("pool", "DoesNotExist"), asks("pool", "NotIn", "a"))),
    ])
      assert.equal(canBeOn(possible), true, JSON.stringify(possible));
    for (const impossible of [
      { nodeSelector: { pool: "a" }, ...required(all(asks("pool", "In", "b"))) },
      { nodeSelector: { pool: "a" }, ...required(all(asks("pool", "NotIn", "a")), all(asks("pool", "DoesNotExist"))) },
      required(all(asks("cores", "Gt", "7"), asks("cores", "Lt", "8"))),
      required(all(asks("pool", "DoesNotExist"), asks("pool", "Exists"))),
      required({ matchFields: [asks("metadata.name", "In", "a"), asks("metadata.name", "NotIn", "a")] }),
    ])
      assert.equal(canBeOn(impossible), false, JSON.stringify(impossible));
  });

  it("is for nodes with Linux", () => {
    assert.equal(canBeOn({ nodeSelector: { "kubernetes.io/os": "windows" } }), false);
    assert.equal(canBeOn({ nodeSelector: { "kubernetes.io/os": "windows" } }, {}, "any"), true);
    assert.equal(canBeOn(required(all(asks("kubernetes.io/os", "NotIn", "windows")))), true);
  });

  it("leaves the zones that it says nothing against", () => {
    assert.deepEqual(zonesFor({ nodeSelector: { pool: "a" } }, ZONES), ZONES);
    assert.deepEqual(zonesFor({ nodeSelector: { [ZONE]: "z2" } }, ZONES), ["z2"]);
    assert.deepEqual(zonesFor(required(all(asks(ZONE, "In", "z1", "z2"), asks(ZONE, "NotIn", "z1"))), ZONES), ["z2"]);
    assert.deepEqual(zonesFor(required(all(asks(ZONE, "In", "z1")), all(asks(ZONE, "In", "z3"))), ZONES), ["z1", "z3"]);
    assert.deepEqual(zonesFor(required(all(asks(ZONE, "In", "z1")), all(asks("pool", "Exists"))), ZONES), ZONES);
    assert.deepEqual(zonesFor(required(all(asks(ZONE, "DoesNotExist"))), ZONES), []);
    assert.deepEqual(namedZones({ nodeSelector: { [ZONE]: "z9" }, ...required(all(asks(ZONE, "NotIn", "z8"))) }), ["z9"]);
  });

  it("names nodes where no alternative leaves others", () => {
    assert.equal(namedNodes({ nodeSelector: { pool: "a" } }), undefined);
    assert.deepEqual(namedNodes({ nodeSelector: { [HOST]: "n1" } }), ["n1"]);
    assert.deepEqual(namedNodes(required(all(asks(HOST, "In", "n1", "n2")), all(asks(HOST, "In", "n2", "n3")))), ["n1", "n2", "n3"]);
    assert.equal(namedNodes(required(all(asks(HOST, "In", "n1")), all(asks("pool", "Exists")))), undefined);
    assert.deepEqual(namedNodes({ ...required({ matchFields: [asks("metadata.name", "In", "n1")] }) }), ["n1"]);
    assert.deepEqual(namedNodes(required(all(asks(HOST, "In", "n1")), all(asks("kubernetes.io/os", "In", "windows")))), ["n1"]);
  });
});
