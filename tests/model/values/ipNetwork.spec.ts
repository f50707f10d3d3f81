import assert from "node:assert/strict";
import { isNetwork } from "../../../model/values/ipNetwork";

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
