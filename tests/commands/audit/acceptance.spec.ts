import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type Accepted, acceptedSchema, isAccepted, unusedLines } from "../../../commands/audit/acceptance";
import { AUDITOR_NAMES, type Finding } from "../../../commands/audit/findings";
import { openLines, tableLines } from "../../../commands/audit/table";
import { PROJECT_DIRECTORY } from "../../../commands/program";

const CPU: Accepted = {
  reason: "no CPU limits",
  checks: { checkov: ["CKV_K8S_11"], trivy: ["KSV-0011"] },
  objects: ["StatefulSet/thanos-*", "Deployment/thanos-querier"],
};
const RECEIVE: Finding = { auditor: "checkov", check: "CKV_K8S_11", kind: "StatefulSet", name: "thanos-receive-z1" };
const QUERIER: Finding = { ...RECEIVE, kind: "Deployment", name: "thanos-querier" };
const BY_TRIVY: Finding = { ...RECEIVE, auditor: "trivy", check: "KSV-0011" };

describe("audit: what is accepted", () => {
  it("a finding whose check and object an entry names", () => {
    for (const finding of [RECEIVE, QUERIER, BY_TRIVY]) assert.ok(isAccepted(finding, [CPU]), JSON.stringify(finding));
  });

  const others: [string, Partial<Finding>][] = [
    ["another check", { check: "CKV_K8S_1" }],
    ["the check of another auditor", { auditor: "trivy" }],
    ["another kind", { kind: "Deployment" }],
    ["another name", { name: "prometheus" }],
  ];
  for (const [title, other] of others) it(`not ${title}`, () => assert.ok(!isAccepted({ ...RECEIVE, ...other }, [CPU])));

  it("of a container where it names that, or any characters, and not by the object's name alone", () => {
    const one: Finding = { ...QUERIER, container: "thanos-querier" };
    const by = (...objects: [string, ...string[]]) => isAccepted(one, [{ ...CPU, objects }]);
    assert.deepEqual(
      [by("Deployment/thanos-querier"), by("Deployment/thanos-querier/thanos-querier"), by("Deployment/thanos-querier/beside")],
      [false, true, false],
    );
    assert.deepEqual([by("Deployment/*"), by("Deployment/*/thanos-*")], [true, true]);
    assert.ok(!isAccepted(QUERIER, [{ ...CPU, objects: ["Deployment/thanos-querier/*"] }]), "one that names no container");
  });

  it("not by two entries of which each names a half", () => {
    const halves = [
      { ...CPU, objects: ["Job/*"] },
      { ...CPU, checks: { checkov: ["CKV_K8S_40"] } },
    ];
    assert.ok(!isAccepted(RECEIVE, halves as Accepted[]));
  });
});

describe("audit: what is accepted and not found", () => {
  it("nothing, if every check and every object is found", () => {
    assert.deepEqual(unusedLines([CPU], [RECEIVE, QUERIER, BY_TRIVY], AUDITOR_NAMES), []);
  });

  it("a check that no object fails any more", () => {
    assert.deepEqual(unusedLines([CPU], [RECEIVE, QUERIER], AUDITOR_NAMES), [
      "trivy KSV-0011, accepted at StatefulSet/thanos-*, Deployment/thanos-querier: no such finding",
    ]);
  });

  it("a check that another auditor finds under the same name", () => {
    const both: Accepted = { ...CPU, checks: { checkov: ["CKV_K8S_11"], trivy: ["CKV_K8S_11"] } };
    assert.equal(unusedLines([both], [RECEIVE, QUERIER], AUDITOR_NAMES).length, 1);
  });

  it("an object that fails none of them any more", () => {
    assert.deepEqual(unusedLines([CPU], [RECEIVE, BY_TRIVY], AUDITOR_NAMES), [
      "Deployment/thanos-querier, accepted for CKV_K8S_11, KSV-0011: no such finding",
    ]);
  });

  it("a check that only an object beside the entry's fails", () => {
    assert.equal(unusedLines([CPU], [RECEIVE, QUERIER, { ...BY_TRIVY, name: "prometheus" }], AUDITOR_NAMES).length, 1);
  });

  it("nothing of what only an auditor that was not asked may find", () => {
    assert.deepEqual(unusedLines([CPU], [RECEIVE], ["checkov", "kube-score"]), []);
    assert.equal(unusedLines([CPU], [], ["checkov", "kube-score"]).length, 1);
  });
});

describe("audit: what is printed", () => {
  const audit = (plan: string, ...findings: Finding[]) => ({ plan, auditor: "checkov 3.3.30", passed: 375, findings });
  const OPEN: Finding = { ...RECEIVE, name: "prometheus" };

  it("a row for each plan and auditor", () => {
    assert.deepEqual(tableLines([audit("dev", RECEIVE, OPEN), audit("prod+gateway")], [CPU]), [
      "plan          auditor         passed  failed  accepted  not accepted",
      "dev           checkov 3.3.30     375       2         1             1",
      "prod+gateway  checkov 3.3.30     375       0         0             0",
    ]);
  });

  it("each finding that is not accepted, once a plan", () => {
    assert.deepEqual(openLines([audit("dev", OPEN, RECEIVE, OPEN), audit("prod", OPEN)], [CPU]), [
      "dev: checkov CKV_K8S_11, at StatefulSet/prometheus",
      "prod: checkov CKV_K8S_11, at StatefulSet/prometheus",
    ]);
    assert.deepEqual(openLines([audit("dev", { ...OPEN, container: "config-reloader" })], [CPU]), [
      "dev: checkov CKV_K8S_11, at StatefulSet/prometheus/config-reloader",
    ]);
  });
});

describe("audit/accepted.yaml", () => {
  const entries = acceptedSchema.parse(parse(readFileSync(join(PROJECT_DIRECTORY, "audit", "accepted.yaml"), "utf8")));
  const decisions = readFileSync(join(PROJECT_DIRECTORY, "docs", "decisions.md"), "utf8");

  it("names decisions that there are", () => {
    const named = entries.flatMap(({ reason }) => [...reason.matchAll(/decision (\d+)/g)].map(([, number]) => number));
    assert.ok(named.length > 3);
    assert.deepEqual(
      named.filter((number) => !decisions.includes(`_Decision ${number},`)),
      [],
    );
  });

  it("names each check of an object once", () => {
    const named = entries.flatMap(({ checks, objects }) =>
      Object.values(checks).flatMap((of) => of.flatMap((check) => objects.map((name) => `${check} at ${name}`))),
    );
    assert.equal(new Set(named).size, named.length);
  });

  const refused: [string, object][] = [
    ["an entry without a reason", { ...CPU, reason: "" }],
    ["an entry without a check", { ...CPU, checks: {} }],
    ["an auditor that is not asked", { ...CPU, checks: { polaris: ["cpuLimitsMissing"] } }],
    ["an object without its kind", { ...CPU, objects: ["thanos-querier"] }],
    ["a part behind a container", { ...CPU, objects: ["Deployment/a/b/c"] }],
  ];
  for (const [title, entry] of refused) it(`may not have ${title}`, () => assert.ok(!acceptedSchema.safeParse([entry]).success));
});
