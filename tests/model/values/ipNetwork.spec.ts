import assert from "node:assert/strict";
import { BlockList } from "node:net";
import fc from "fast-check";
import { alone, isNetwork, isWithin } from "../../../model/values/ipNetwork";

describe("isNetwork", () => {
  for (const text of [
    "10.89.0.1/32",
    "10.0.0.0/8",
    "0.0.0.0/0",
    "192.168.128.0/17",
    "fd00:ec2::23/128",
    "fd00:ec2::/32",
    "::/0",
    "::1/128",
    "2001:db8:1::/48",
  ]) {
    it(`takes ${text}`, () => assert.ok(isNetwork(text)));
  }
  for (const [text, why] of [
    ["10.89.0.1", "no prefix length"],
    ["10.89.0.1/24", "bits behind the prefix"],
    ["10.89.0.1/33", "longer than an address"],
    ["10.89.0.1/-1", "negative"],
    ["10.89.0.0/024", "a leading zero"],
    ["10.89.00.0/24", "a leading zero"],
    ["10.89.0/24", "three parts"],
    ["256.0.0.0/8", "no byte"],
    ["fd00:ec2::1/64", "bits behind the prefix"],
    ["fd00:0ec2::/64", "another spelling"],
    ["FD00:ec2::/64", "another spelling"],
    ["fd00::/129", "longer than an address"],
    ["fe80::%eth0/64", "a zone"],
    ["kube-system", "no address"],
    ["", "nothing"],
  ] as const) {
    it(`refuses ${text}: ${why}`, () => assert.ok(!isNetwork(text)));
  }
});

describe("an address", () => {
  for (const [text, network] of [
    ["10.0.0.7", "10.0.0.7/32"],
    ["fd00::7", "fd00::7/128"],
    ["::", "::/128"],
    ["10.0.0", undefined],
    ["fd00::7%eth0", undefined],
    ["[fd00::7]", undefined],
    ["a.example", undefined],
    ["", undefined],
  ] as const) {
    it(`alone: ${JSON.stringify(text)} is ${network}`, () => assert.equal(alone(text), network));
  }

  it("is in a network exactly where Node.js finds it there", () => {
    const bytes = (length: number) => fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length });
    const v4 = bytes(4).map((parts) => parts.join("."));
    const v6 = bytes(16).map((parts) => {
      const groups = parts.flatMap((byte, index) => (index % 2 === 0 ? [(byte * 256 + (parts[index + 1] ?? 0)).toString(16)] : []));
      return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
    });
    for (const [addresses, bits, family] of [
      [v4, 32, "ipv4"],
      [v6, 128, "ipv6"],
    ] as const) {
      fc.assert(
        fc.property(
          addresses,
          addresses,
          fc.integer({ min: 0, max: bits }),
          fc.integer({ min: 0, max: bits }),
          (one, other, few, prefix) => {
            // Two addresses share their first bits more often than by chance.
            const address = few > bits / 2 ? one : other;
            const list = new BlockList();
            list.addSubnet(one, prefix, family);
            if (alone(one) === undefined || alone(address) === undefined) return;
            assert.equal(isWithin(address, `${one}/${prefix}`), list.check(address, family), `${address} in ${one}/${prefix}`);
          },
        ),
      );
    }
    assert.ok(!isWithin("10.0.0.7", "::/0"));
    assert.ok(!isWithin("fd00::7", "0.0.0.0/0"));
    assert.ok(!isWithin("a.example", "0.0.0.0/0"));
  });
});
