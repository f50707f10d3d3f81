import assert from "node:assert/strict";
import { waitForRule } from "../../../../sandbox/plugins/kubernetes/waitFor";

const object = {
  status: {
    phase: "Running",
    replicas: 3,
    "odd.key": "x",
    list: [{ name: "a" }, { name: "b" }],
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Stalled", status: "False" },
    ],
  },
};

function holds(stated: string): boolean {
  return waitForRule(stated)(object, []).ready;
}

describe("the waitFor annotation", () => {
  const met = [
    "condition=Ready",
    "condition=Ready=true",
    "condition=Stalled=False",
    "jsonpath={.status.phase}",
    "jsonpath={.status.phase}=Running",
    'jsonpath={.status.phase}="Running"',
    "jsonpath=.status.replicas=3",
    "jsonpath={.status.list[0].name}=a",
    "jsonpath={.status.list[-1].name}=b",
    "jsonpath={.status['odd.key']}=x",
    "jsonpath={.status.odd\\.key}=x",
    "jsonpath={.status.list[*].name}",
    `jsonpath={.status.conditions[?(@.type=="Ready")].status}=True`,
    `jsonpath={.status.conditions[?(@.type=='Stalled')].status}=False`,
    '["condition=Ready", "jsonpath={.status.replicas}=3"]',
  ];
  const open = [
    "condition=Stalled",
    "condition=Absent",
    "jsonpath={.status.absent}",
    "jsonpath={.status.phase}=Pending",
    "jsonpath={.status.list[5].name}",
    "jsonpath={.status.list[*].name}=a",
    `jsonpath={.status.conditions[?(@.type=="Ready")].status}=False`,
    '["condition=Ready", "condition=Stalled"]',
  ];
  const wrong = ["Ready", "jsonpath={.status[}", "[]", "[not json", "jsonpath={.a b}"];

  for (const stated of met) {
    it(`is met: ${stated}`, () => assert.equal(holds(stated), true));
  }
  for (const stated of open) {
    it(`is not met: ${stated}`, () => assert.equal(holds(stated), false));
  }
  for (const stated of wrong) {
    it(`is refused: ${stated}`, () => assert.throws(() => waitForRule(stated)));
  }

  it("says what is still open", () => {
    const { message } = waitForRule('["condition=Ready", "condition=Stalled"]')(object, []);
    assert.equal(message, "waiting for condition=Stalled");
  });
});
