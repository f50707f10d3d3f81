import assert from "node:assert/strict";
import { checkovReading, kubeScoreReading, trivyReading } from "../../../commands/audit/findings";
import type { Manifest } from "../../../commands/manifests";

/** Answers of checkov 3.3.30, kube-score 1.20.0 and trivy 0.74.0, cut to a few findings and the fields that are read. */

const CHECKOV = {
  check_type: "kubernetes",
  results: {
    failed_checks: [
      { check_id: "CKV_K8S_11", check_name: "CPU limits should be set", resource: "Deployment.thanos-dev.thanos-querier" },
      { check_id: "CKV_K8S_49", check_name: "Minimize wildcard use", resource: "ClusterRole.default.thanos-dev.prometheus" },
    ],
  },
  summary: { passed: 375, failed: 2, skipped: 0, parsing_errors: 0, resource_count: 39 },
};

const LOW_USER = "The container is running with a low user ID";
const LOW_GROUP = "The container running with a low group ID";
const kubeScoreCheck = (id: string, grade: number, skipped: boolean, ...summaries: string[]) => ({
  check: { id, optional: false },
  grade,
  skipped,
  comments: summaries.length === 0 ? null : summaries.map((summary) => ({ path: "thanos-querier", summary })),
});
const KUBE_SCORE = [
  {
    object_name: "Deployment/apps/v1/thanos-dev/thanos-querier",
    type_meta: { kind: "Deployment", apiVersion: "apps/v1" },
    object_meta: { name: "thanos-querier", namespace: "thanos-dev" },
    checks: [
      kubeScoreCheck("stable-version", 10, false),
      kubeScoreCheck("pod-probes", 10, false),
      kubeScoreCheck("container-security-context-user-group-id", 1, false, LOW_GROUP, LOW_USER, LOW_USER),
      kubeScoreCheck("deployment-replicas", 5, false, "Deployment few replicas"),
      kubeScoreCheck("container-seccomp-profile", 1, true, "Skipped because container-seccomp-profile is ignored"),
    ],
  },
];

const trivyFile = (Target: string, ...findings: { ID: string; Status: string }[]) => ({
  Target,
  Class: "config",
  MisconfSummary: { Successes: 115, Failures: findings.length },
  ...(findings.length === 0 ? {} : { Misconfigurations: findings }),
});
const TRIVY = {
  SchemaVersion: 2,
  Results: [
    trivyFile("0.yaml"),
    trivyFile("1.yaml", { ID: "KSV-0106", Status: "FAIL" }, { ID: "KSV-0106", Status: "FAIL" }, { ID: "KSV-0011", Status: "PASS" }),
  ],
};
const object = (kind: string, name: string): Manifest => ({ apiVersion: "v1", kind, metadata: { name } });
const OBJECTS = new Map([
  ["0.yaml", object("Namespace", "thanos-dev")],
  ["1.yaml", object("Job", "hostpath-dev-1-385f2250")],
]);

describe("audit: what auditors answer", () => {
  it("checkov: failed checks, by kind and name, which may have dots", () => {
    assert.deepEqual(checkovReading(CHECKOV), {
      passed: 375,
      findings: [
        { auditor: "checkov", check: "CKV_K8S_11", kind: "Deployment", name: "thanos-querier" },
        { auditor: "checkov", check: "CKV_K8S_49", kind: "ClusterRole", name: "thanos-dev.prometheus" },
      ],
    });
  });

  it("kube-score: critical checks and warnings, with all that it says, each once; not what it skips", () => {
    const at = { auditor: "kube-score", kind: "Deployment", name: "thanos-querier" };
    assert.deepEqual(kubeScoreReading(KUBE_SCORE), {
      passed: 2,
      findings: [
        { ...at, check: `container-security-context-user-group-id: ${LOW_USER}; ${LOW_GROUP}` },
        { ...at, check: "deployment-replicas: Deployment few replicas" },
      ],
    });
  });

  it("trivy: failures, each as often as trivy counts it, by the object of the file", () => {
    const finding = { auditor: "trivy", check: "KSV-0106", kind: "Job", name: "hostpath-dev-1-385f2250" };
    assert.deepEqual(trivyReading(TRIVY, OBJECTS), { passed: 230, findings: [finding, finding] });
  });

  // An auditor that read nothing finds nothing.
  const nothing: { title: string; read: () => unknown }[] = [
    { title: "checkov that knew no file", read: () => checkovReading({ passed: 0, failed: 0, parsing_errors: 0 }) },
    { title: "checkov that passed nothing", read: () => checkovReading({ ...CHECKOV, summary: { ...CHECKOV.summary, passed: 0 } }) },
    {
      title: "checkov that could not parse",
      read: () => checkovReading({ ...CHECKOV, summary: { ...CHECKOV.summary, parsing_errors: 1 } }),
    },
    { title: "kube-score that saw no object", read: () => kubeScoreReading([]) },
    { title: "trivy that saw no file", read: () => trivyReading({ SchemaVersion: 2, Results: [] }, OBJECTS) },
    { title: "trivy that saw a file of somebody else", read: () => trivyReading({ Results: [trivyFile("2.yaml")] }, OBJECTS) },
  ];
  for (const { title, read } of nothing) it(`refuses ${title}`, () => assert.throws(read));
});
