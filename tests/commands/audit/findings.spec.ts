import assert from "node:assert/strict";
import { checkovReading, kubeScoreReading, trivyReading } from "../../../commands/audit/findings";
import type { Manifest } from "../../../commands/manifests";

/** Answers of checkov 3.3.30, kube-score 1.20.0 and trivy 0.74.0, cut to a few findings and the fields that are read. */

const CHECKOV = {
  check_type: "kubernetes",
  results: {
    failed_checks: [
      {
        check_id: "CKV_K8S_11",
        check_name: "CPU limits should be set",
        check_result: { result: "FAILED", evaluated_keys: ["spec/template/spec/containers/[1]/resources/limits/cpu"] },
        resource: "Deployment.thanos-dev.thanos-querier",
      },
      { check_id: "CKV_K8S_40", check_result: { evaluated_keys: [] }, resource: "Deployment.thanos-dev.thanos-querier" },
      { check_id: "CKV_K8S_49", check_name: "Minimize wildcard use", resource: "ClusterRole.default.thanos-dev.prometheus" },
    ],
  },
  summary: { passed: 375, failed: 3, skipped: 0, parsing_errors: 0, resource_count: 39 },
};

const LOW_USER = "The container is running with a low user ID";
const LOW_GROUP = "The container running with a low group ID";
/** Of one container both, of the other one. */
const LOW: [string, string][] = [
  ["thanos-querier", LOW_GROUP],
  ["thanos-querier", LOW_USER],
  ["thanos-querier", LOW_USER],
  ["beside", LOW_USER],
];
const kubeScoreCheck = (id: string, grade: number, skipped: boolean, ...comments: [path: string, summary: string][]) => ({
  check: { id, optional: false },
  grade,
  skipped,
  comments: comments.length === 0 ? null : comments.map(([path, summary]) => ({ path, summary })),
});
const KUBE_SCORE = [
  {
    object_name: "Deployment/apps/v1/thanos-dev/thanos-querier",
    type_meta: { kind: "Deployment", apiVersion: "apps/v1" },
    object_meta: { name: "thanos-querier", namespace: "thanos-dev" },
    checks: [
      kubeScoreCheck("stable-version", 10, false),
      kubeScoreCheck("pod-probes", 10, false),
      kubeScoreCheck("container-security-context-user-group-id", 1, false, ...LOW),
      kubeScoreCheck("deployment-replicas", 5, false, ["", "Deployment few replicas"]),
      kubeScoreCheck("container-seccomp-profile", 1, true, ["", "Skipped because container-seccomp-profile is ignored"]),
    ],
  },
];

const trivyFile = (Target: string, ...findings: { ID: string; Status: string; Message?: string }[]) => ({
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
    trivyFile(
      "2.yaml",
      { ID: "KSV-0011", Status: "FAIL", Message: "Container 'beside' of Deployment 'thanos-querier' should set 'resources.limits.cpu'" },
      {
        ID: "KSV-0125",
        Status: "FAIL",
        Message: "Container thanos-querier in deployment thanos-querier (namespace: a) uses an image from an untrusted registry.",
      },
      { ID: "KSV-0104", Status: "FAIL", Message: "container elsewhere of a pod" },
    ),
  ],
};
const object = (kind: string, name: string, ...containers: string[]): Manifest => ({
  apiVersion: "v1",
  kind,
  metadata: { name },
  ...(containers.length === 0 ? {} : { spec: { template: { spec: { containers: containers.map((each) => ({ name: each })) } } } }),
});
const OBJECTS = new Map([
  ["0.yaml", object("Namespace", "thanos-dev")],
  ["1.yaml", object("Job", "hostpath-dev-1-385f2250")],
  ["2.yaml", object("Deployment", "thanos-querier", "thanos-querier", "beside")],
]);

describe("audit: what auditors answer", () => {
  it("checkov: failed checks, by kind and name, which may have dots, and by the container of which it says where it looked", () => {
    assert.deepEqual(checkovReading(CHECKOV, OBJECTS), {
      passed: 375,
      findings: [
        { auditor: "checkov", check: "CKV_K8S_11", kind: "Deployment", name: "thanos-querier", container: "beside" },
        { auditor: "checkov", check: "CKV_K8S_40", kind: "Deployment", name: "thanos-querier" },
        { auditor: "checkov", check: "CKV_K8S_49", kind: "ClusterRole", name: "thanos-dev.prometheus" },
      ],
    });
  });

  it("kube-score: critical checks and warnings, with all that it says of each container, each once; not what it skips", () => {
    const at = { auditor: "kube-score", kind: "Deployment", name: "thanos-querier" };
    assert.deepEqual(kubeScoreReading(KUBE_SCORE, OBJECTS), {
      passed: 2,
      findings: [
        { ...at, check: `container-security-context-user-group-id: ${LOW_USER}; ${LOW_GROUP}`, container: "thanos-querier" },
        { ...at, check: `container-security-context-user-group-id: ${LOW_USER}`, container: "beside" },
        { ...at, check: "deployment-replicas: Deployment few replicas" },
      ],
    });
  });

  it("trivy: failures, each as often as trivy counts it, by the object of the file and a container of it that the message names", () => {
    const finding = { auditor: "trivy", check: "KSV-0106", kind: "Job", name: "hostpath-dev-1-385f2250" };
    const of = { auditor: "trivy", kind: "Deployment", name: "thanos-querier" };
    assert.deepEqual(trivyReading(TRIVY, OBJECTS), {
      passed: 345,
      findings: [
        finding,
        finding,
        { ...of, check: "KSV-0011", container: "beside" },
        { ...of, check: "KSV-0125", container: "thanos-querier" },
        { ...of, check: "KSV-0104" },
      ],
    });
  });

  // An auditor that read nothing finds nothing.
  const nothing: { title: string; read: () => unknown }[] = [
    { title: "checkov that knew no file", read: () => checkovReading({ passed: 0, failed: 0, parsing_errors: 0 }, OBJECTS) },
    {
      title: "checkov that passed nothing",
      read: () => checkovReading({ ...CHECKOV, summary: { ...CHECKOV.summary, passed: 0 } }, OBJECTS),
    },
    {
      title: "checkov that could not parse",
      read: () => checkovReading({ ...CHECKOV, summary: { ...CHECKOV.summary, parsing_errors: 1 } }, OBJECTS),
    },
    { title: "kube-score that saw no object", read: () => kubeScoreReading([], OBJECTS) },
    { title: "trivy that saw no file", read: () => trivyReading({ SchemaVersion: 2, Results: [] }, OBJECTS) },
    { title: "trivy that saw a file of somebody else", read: () => trivyReading({ Results: [trivyFile("3.yaml")] }, OBJECTS) },
  ];
  for (const { title, read } of nothing) it(`refuses ${title}`, () => assert.throws(read));
});
