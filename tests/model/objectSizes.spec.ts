import assert from "node:assert/strict";
import { objectProblems } from "../../model/objectSizes";
import { formatProblem } from "../../model/values/problem";
import { PLANS } from "../components/plans";
import { type Overrides, STACKS, settingsOf } from "../harness";

const MEBIBYTE = 1_048_576;
const told = (overrides: Overrides, rules: Record<string, string> = {}, stack: "dev" | "prod" = "dev") =>
  objectProblems(settingsOf(stack, overrides), rules).map(formatProblem);

describe("objects that the API server would refuse", () => {
  it("are none of the environments'", () => {
    for (const stack of STACKS) assert.deepEqual(told({}, { "a.yaml": "groups: []" }, stack), []);
    for (const { stack, overrides } of PLANS) assert.deepEqual(told(overrides, {}, stack), []);
  });

  it("who is who at the gateway", () => {
    const of = (tenants: number) => ({
      access: { senders: undefined, readers: [] },
      tenancy: { tenants: ["team-*"] },
      gateway: {
        certificate: { secret: "gateway-tls" },
        tenants: Object.fromEntries(Array.from({ length: tenants }, (_, index) => [`team-${index}`, {}])),
      },
    });
    assert.deepEqual(told(of(3_000)), []);
    assert.match(told(of(8_000)).join(), /^gateway\.tenants = "\d+ KiB": it is kept in one Secret, of which Kubernetes takes 1024 KiB/);
  });

  it("rule files, to the byte, in bytes and not letters", () => {
    assert.deepEqual(told({}, { "a.yaml": "x".repeat(MEBIBYTE - 1), "b.yaml": "y" }), []);
    const lines = told({}, { "a.yaml": "x".repeat(MEBIBYTE), "b.yaml": "y" });
    assert.deepEqual(lines.length, 1);
    assert.match(
      lines[0] ?? "",
      /^prometheus\.ruleFolder = "1025 KiB": .*one ConfigMap, of which Kubernetes takes 1024 KiB\. Accepted: at most 1048576 bytes/,
    );
    assert.equal(told({}, { "a.yaml": "ü".repeat(MEBIBYTE / 2 + 1) }).length, 1);
  });

  it("rule files count for a ruler too, and not where nobody evaluates them", () => {
    const rules = { "a.yaml": "x".repeat(MEBIBYTE + 1) };
    assert.equal(told({ prometheus: { mode: "agent" } }, rules).length, 0);
    assert.equal(told({ prometheus: { mode: "agent" }, ruler: { replicas: 1 } }, rules).length, 1);
  });

  it("scrape configs", () => {
    const scrapeConfigs = Array.from({ length: 200 }, (_, job) => ({
      job_name: `job-${job}`,
      static_configs: [{ targets: Array.from({ length: 200 }, (_, target) => `exporter-${job}-${target}.example.org:9100`) }],
    }));
    assert.match(told({ prometheus: { scrapeConfigs } })[0] ?? "", /^prometheus\.scrapeConfigs = "\d+ KiB"/);
    assert.deepEqual(told({ prometheus: { scrapeConfigs: scrapeConfigs.slice(0, 50) } }), []);
  });

  it("limits of tenants, tenants of rings, and relabelling", () => {
    const names = Array.from({ length: 9_000 }, (_, tenant) => `${"tenant".repeat(20)}-${tenant}`);
    const tenants = Object.fromEntries(names.map((name) => [name, { headSeries: 1 }]));
    assert.match(told({ receive: { limits: { tenants } } })[0] ?? "", /^receive\.limits\.tenants = /);
    assert.match(told({ receive: { hashrings: [{ name: "own", tenants: names, replicas: 3 }] } })[0] ?? "", /^receive\.hashrings = /);
    const relabel = names.map((name) => ({ regex: name, action: "labeldrop" }));
    assert.match(told({ receive: { relabel } })[0] ?? "", /^receive\.relabel = /);
  });

  it("names of rule files that are no keys of a ConfigMap", () => {
    for (const name of ["with space.yaml", "ü.yaml", "..a.yaml", `${"a".repeat(250)}.yaml`]) {
      assert.match(told({}, { [name]: "groups: []" })[0] ?? "", /^prometheus\.ruleFolder = ".*": the file is a key of a ConfigMap/, name);
    }
    assert.deepEqual(told({}, { "A-b_c.1.yaml": "groups: []" }), []);
  });

  it("annotations that are chosen, the whole stack's and a component's together", () => {
    const half = "x".repeat(130_000);
    for (const kind of ["annotations", "serviceAccountAnnotations"]) {
      const both = told({ pods: { [kind]: { a: half } }, querier: { pods: { [kind]: { b: half } } } });
      assert.equal(both.length, 1, both.join());
      assert.match(both[0] ?? "", new RegExp(`^querier\\.pods\\.${kind} = "254 KiB"`));
      assert.deepEqual(told({ pods: { [kind]: { a: half } }, querier: { pods: { [kind]: { a: half } } } }), []);
    }
    const whole = { annotations: { a: "x".repeat(300_000) } };
    for (const key of ["services", "namespaceMetadata"]) assert.match(told({ [key]: whole })[0] ?? "", new RegExp(`^${key}\\.annotations`));
  });

  it("annotations of service accounts", () => {
    const annotated = (serviceAccountAnnotations: Record<string, string>) =>
      told({ objectStorage: { serviceAccountAnnotations } }, {}, "prod");
    assert.deepEqual(annotated({ "eks.amazonaws.com/role-arn": "arn:aws:iam::012345678901:role/thanos", "Plain.Name_1": "" }), []);
    for (const name of ["a b", "/role", "a/b/c", "-a", `a/${"b".repeat(64)}`, `${"a".repeat(254)}/b`, "a..b/c"]) {
      assert.throws(() => annotated({ [name]: "x" }), /an annotation's name/, name);
    }
    assert.match(annotated({ a: "x".repeat(258_048) })[0] ?? "", /^objectStorage\.serviceAccountAnnotations = "253 KiB"/);
    assert.deepEqual(annotated({ a: "x".repeat(258_047) }), []);
  });
});
