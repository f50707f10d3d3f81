import assert from "node:assert/strict";
import fc from "fast-check";
import {
  autonamed,
  isDnsLabel,
  isDnsName,
  isLabelValue,
  isQualifiedName,
  labelValue,
  shortened,
  zoneNames,
} from "../../../model/values/kubernetesNames";

describe("names of Kubernetes", () => {
  const LONG_NODE = "kubernetes-worker-01.prod.dc-1.corp.example-company.internal";

  it("a namespace's may begin with a digit and has at most 63 characters", () => {
    for (const name of ["5", "9a", "team-42", "a".repeat(63)]) assert.ok(isDnsLabel(name), name);
    for (const name of ["", "A", "a_b", "a.b", "-a", "a-", "a".repeat(64), "ä"]) assert.equal(isDnsLabel(name), false, name);
  });

  it("an object's are DNS names", () => {
    for (const name of ["a", "a.b", LONG_NODE, "ip-10-0-0-1.ec2.internal"]) assert.ok(isDnsName(name), name);
    for (const name of ["", "a..b", ".a", "a.", "../../x", "a b; rm -rf /", "<script>", `${"a".repeat(64)}.b`, `${"a.".repeat(127)}`]) {
      assert.equal(isDnsName(name), false, name);
    }
  });

  it("a label's values", () => {
    for (const value of ["PHX-AD-1", "1", "rack_2", "DC1", "eu-central-1a", "a.b"]) assert.ok(isLabelValue(value), value);
    for (const value of ["", "-a", "a_", "a b", "ä", "a/b", "a".repeat(64)]) assert.equal(isLabelValue(value), false, value);
  });

  it("names of annotations", () => {
    for (const name of ["eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "plain"]) assert.ok(isQualifiedName(name), name);
    for (const name of ["", "/a", "a/", "a/b/c", "A.example/b", "a b"]) assert.equal(isQualifiedName(name), false, name);
  });
});

describe("shortened names", () => {
  it("are the names themselves where they fit", () => {
    for (const name of ["a", "a".repeat(63), "node-1.example"]) assert.equal(shortened(name, 63), name);
  });

  it("are of the length at most, differ where the names do, and are names still", () => {
    const name = fc.string({ unit: fc.constantFrom("a", "b", "-", "."), minLength: 20, maxLength: 80 }).filter(isDnsName);
    fc.assert(
      fc.property(name, name, fc.integer({ min: 12, max: 63 }), (one, other, longest) => {
        const [short, second] = [shortened(one, longest), shortened(other, longest)];
        assert.ok(short.length <= longest && isDnsName(short), short);
        assert.equal(short === second, one === other);
      }),
    );
  });

  it("leave room for what Pulumi appends to a Job's name, which goes into a label of its pods", () => {
    const node = "kubernetes-worker-01.prod.dc-1.corp.example-company.internal";
    assert.equal(autonamed("hostpath-dev-1"), "hostpath-dev-1");
    const name = autonamed(`hostpath-${node}`);
    assert.ok(`${name}-12345678`.length <= 63, name);
    assert.match(name, /^hostpath-kubernetes-worker-01\.prod\.dc-1\.corp-[0-9a-f]{8}$/);
  });

  it("any version of an image makes a label's value", () => {
    assert.equal(labelValue("0.42.4"), "0.42.4");
    assert.equal(labelValue("_weird-"), "weird");
    fc.assert(fc.property(fc.string({ maxLength: 128 }), (version) => assert.ok(isLabelValue(labelValue(version)), version)));
  });
});

describe("zones in names", () => {
  it("are those that are DNS labels themselves", () => assert.deepEqual(zoneNames(["z1", "eu-central-1a"]), ["z1", "eu-central-1a"]));

  it("have the form of DNS, whatever clouds and people call them", () => {
    assert.deepEqual(zoneNames(["PHX-AD-1", "1", "rack_2", "DC1", "a.b"]), ["phx-ad-1", "1", "rack-2", "dc1", "a-b"]);
  });

  it("are told apart where forms are equal, and one that is its own form keeps it", () => {
    const names = zoneNames(["rack-2", "rack_2", "rack.2"]);
    assert.equal(names[0], "rack-2");
    assert.match(names[1] ?? "", /^rack-2-[0-9a-f]{8}$/);
    assert.match(names[2] ?? "", /^rack-2-[0-9a-f]{8}$/);
    assert.equal(new Set(names).size, 3);
  });

  it("are different for different zones, and parts of DNS names", () => {
    const zone = fc.string({ unit: fc.constantFrom("a", "A", "1", "-", "_", "."), minLength: 1, maxLength: 6 }).filter(isLabelValue);
    fc.assert(
      fc.property(fc.uniqueArray(zone, { maxLength: 6 }), (zones) => {
        const names = zoneNames(zones);
        assert.equal(new Set(names).size, zones.length, JSON.stringify([zones, names]));
        for (const name of names) assert.ok(isDnsLabel(name), name);
      }),
    );
  });
});
