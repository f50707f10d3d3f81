import assert from "node:assert/strict";
import { BlockList } from "node:net";
import fc from "fast-check";
import { networkEdges } from "../../../model/network/edges";
import { accessProblems, endpointsOf } from "../../../model/network/rules";
import { planStack } from "../../../model/plan";
import { accessListOf, accessSchema, isEverybody } from "../../../model/settings/access";
import { isNetwork } from "../../../model/values/ipNetwork";
import { rejection, settingsOf } from "../../harness";

const messages = (entry: string): string[] => {
  const { error } = accessSchema.safeParse({ senders: [entry] });
  return error === undefined ? [] : error.issues.map((issue) => issue.message);
};

describe("access: entries", () => {
  for (const entry of [
    "a",
    "1",
    "2-go",
    "a".repeat(63),
    "10.0.0.0/8",
    "10.0.0.1/32",
    "0.0.0.0/0",
    "::/0",
    "2001:db8::/32",
    "fe80::1/128",
  ]) {
    it(`accept ${entry}`, () => assert.deepEqual(messages(entry), []));
  }

  for (const entry of [
    "",
    "-a",
    "a-",
    "A",
    "a.b",
    "a".repeat(64),
    "10.0.0.0/33",
    "010.0.0.0/8",
    "10.0.0.0/08",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "10.0.0.0/8 ",
    "256.0.0.0/8",
    "::/129",
    "1::2::3/128",
    "fe80::1%eth0/128",
    "::ffff:10.0.0.0/104",
    "::ffff:a00:0/104",
  ]) {
    it(`refuse ${JSON.stringify(entry)}, saying what is accepted`, () => {
      assert.match(messages(entry).join(), /^a namespace, or a network such as 10\.0\.0\.0\/8/);
    });
  }

  it("refuse a network that is spelt otherwise, and say how Kubernetes writes it", () => {
    for (const [entry, usual] of [
      ["2001:DB8::/32", "2001:db8::/32"],
      ["2001:0db8::/32", "2001:db8::/32"],
      ["2001:db8:0::/48", "2001:db8::/48"],
    ] as const)
      assert.equal(messages(entry).join(), `the same as Kubernetes writes it: ${usual}`);
  });

  it("refuse an address alone, and say how to write it", () => {
    assert.equal(messages("10.0.0.1").join(), "the address as a network: 10.0.0.1/32");
    assert.equal(messages("::1").join(), "the address as a network: ::1/128");
  });

  it("refuse bits behind the prefix, which plugins read in two ways, and say how to write the address alone", () => {
    assert.match(messages("10.89.0.1/24").join(), /or the address alone: 10\.89\.0\.1\/32$/);
    assert.match(messages("2001:db8::1/64").join(), /or the address alone: 2001:db8::1\/128$/);
  });

  it("are accepted as networks exactly where no bit is behind the prefix, as Node.js counts", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 1, max: 32 }), (address, prefix) => {
        const list = new BlockList();
        list.addSubnet(address, prefix, "ipv4");
        const base = address.split(".").reduce((value, byte) => value * 256 + Number(byte), 0);
        // The address before a network's own is none of its addresses.
        const before = base === 0 ? undefined : [24, 16, 8, 0].map((shift) => Math.floor((base - 1) / 2 ** shift) % 256).join(".");
        assert.equal(isNetwork(`${address}/${prefix}`), before === undefined || !list.check(before, "ipv4"));
      }),
    );
  });

  it("stand for everybody where they are larger than any private network", () => {
    for (const entry of ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/7", "::/0", "2000::/3", "fc00::/6"])
      assert.ok(isEverybody(entry), entry);
    for (const entry of ["10.0.0.0/8", "fc00::/7", "10.89.0.1/32", "shop", "0"]) assert.ok(!isEverybody(entry), entry);
  });

  it("are told apart by their kind", () => {
    assert.deepEqual(accessListOf(["shop", "10.0.0.0/8", "1", "::1/128"]), {
      namespaces: ["shop", "1"],
      networks: ["10.0.0.0/8", "::1/128"],
    });
  });
});

describe("access: endpoints", () => {
  const access = (change: object, others: object = {}) => settingsOf("prod", { access: change, ...others });
  const OPEN = { senders: undefined, readers: undefined };

  it("without a list are refused, each by its key, and accepted by name", () => {
    const keys = (settings: ReturnType<typeof access>) => accessProblems(settings).map(({ key }) => key);
    assert.deepEqual(keys(access(OPEN)), ["access.senders", "access.readers"]);
    assert.deepEqual(keys(access(OPEN, { accepts: ["open-doors"] })), []);
    assert.deepEqual(keys(access({ senders: [], readers: ["grafana"] })), []);
    assert.deepEqual(keys(access({ senders: ["shop", "0.0.0.0/0"], federation: ["::/0"] })), ["access.senders[1]", "access.federation[0]"]);
    assert.deepEqual(keys(access({ senders: ["0.0.0.0/0"], federation: ["::/0"] }, { accepts: ["open-doors"] })), []);
  });

  it("are those of the scheme: with sidecars nobody writes", () => {
    assert.deepEqual(endpointsOf(access(OPEN, { ingestion: "sidecar" })), ["readers", "federation"]);
    assert.deepEqual(
      accessProblems(access(OPEN, { ingestion: "sidecar" })).map(({ key }) => key),
      ["access.readers"],
    );
  });

  it("are refused at preview, with what would be accepted", async () => {
    const { problems } = await rejection("dev", { access: OPEN });
    assert.match(
      problems.join("\n"),
      /access\.senders = \(not set\): an endpoint open to everybody: .* Accepted: a list of namespaces and networks, \[\] .*"open-doors" in accepts\./,
    );
    assert.match(problems.join("\n"), /access\.readers = \(not set\)/);
  });

  it("of an empty list have no edge at all: a rule without peers would be one for everybody", () => {
    const others = (settings: ReturnType<typeof access>) =>
      networkEdges(settings, planStack(settings), false).filter(({ purpose }) =>
        ["remote write of others", "queries", "queriers of other stacks"].includes(purpose),
      );
    assert.deepEqual(others(access({ senders: [], readers: [] })), []);
    assert.deepEqual(
      others(access(OPEN, { accepts: ["open-doors"] })).map(({ from }) => from),
      [{ anyone: true }, { anyone: true }],
    );
  });
});
