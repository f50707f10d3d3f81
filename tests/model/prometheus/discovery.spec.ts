import assert from "node:assert/strict";
import { discoveryRules, type PolicyRule } from "../../../model/prometheus/discovery";
import { settingsOf } from "../../harness";

const READ = ["get", "list", "watch"];

/** Resources that may be listed and watched, as `group/resource`. */
function readable(rules: readonly PolicyRule[] = []): string[] {
  return rules
    .filter(({ verbs }) => READ.every((verb) => verbs.includes(verb)))
    .flatMap(({ apiGroups = [], resources = [] }) => apiGroups.flatMap((group) => resources.map((name) => `${group}/${name}`)))
    .sort();
}

const OWN = ["/pods", "/services", "discovery.k8s.io/endpointslices"];
const rulesFor = (discovery: object, namespaces?: string[]) =>
  discoveryRules(
    settingsOf("dev", { prometheus: { namespaces, scrapeConfigs: [{ job_name: "own", kubernetes_sd_configs: [discovery] }] } }),
  );

/**
 * Objects that each role lists and watches beside those of the stack's own jobs (prometheus v0.314.0 discovery/kubernetes/kubernetes.go).
 */
const FURTHER: readonly [object, string[], string[]][] = [
  [{ role: "pod" }, [], []],
  [{ role: "service" }, [], []],
  [{ role: "endpointslice" }, [], []],
  [{ role: "node" }, [], []],
  [{ role: "endpoints" }, ["/endpoints"], []],
  [{ role: "ingress" }, ["networking.k8s.io/ingresses"], []],
  [{ role: "pod", attach_metadata: { node: true } }, [], []],
  [{ role: "pod", attach_metadata: { deployment: true } }, ["apps/replicasets"], []],
  [{ role: "endpoints", attach_metadata: { cronjob: true } }, ["/endpoints", "batch/jobs"], []],
  [{ role: "service", attach_metadata: { namespace: true } }, [], ["/namespaces"]],
  [{ role: "endpoints", api_server: "https://elsewhere.example.org" }, [], []],
  [{ role: "ingress", kubeconfig_file: "/etc/elsewhere" }, [], []],
];

describe("what Prometheus may read follows from what its jobs find targets by", () => {
  for (const [discovery, targets, cluster] of FURTHER) {
    const text = JSON.stringify(discovery);
    it(`everywhere: ${text}`, () => {
      const { cluster: rules, namespaced } = rulesFor(discovery);
      assert.deepEqual(readable(rules), ["/nodes", ...OWN, ...targets, ...cluster].sort());
      assert.deepEqual(namespaced, {});
    });

    it(`where it looks, of the namespaces that are named: ${text}`, () => {
      const { cluster: rules, namespaced } = rulesFor({ ...discovery, namespaces: { names: ["shop"] } }, ["shop", "bank"]);
      assert.deepEqual(readable(rules), ["/nodes", ...cluster].sort());
      assert.deepEqual(readable(namespaced.shop), [...OWN, ...targets].sort());
      for (const other of ["bank", "default", "thanos-dev"]) assert.deepEqual(readable(namespaced[other]), OWN);
    });
  }

  it("in the stack's own namespace where a job names that", () => {
    const { namespaced } = rulesFor({ role: "endpoints", namespaces: { own_namespace: true } }, ["shop"]);
    assert.deepEqual(readable(namespaced["thanos-dev"]), [...OWN, "/endpoints"].sort());
    assert.deepEqual(readable(namespaced.shop), OWN);
  });

  it("no more where several jobs find targets by the same", () => {
    const job = (name: string) => ({ job_name: name, kubernetes_sd_configs: [{ role: "endpoints" }, { role: "endpoints" }] });
    const { cluster } = discoveryRules(settingsOf("dev", { prometheus: { scrapeConfigs: [job("a"), job("b")] } }));
    assert.equal(readable(cluster).filter((each) => each === "/endpoints").length, 1);
  });

  it("never a secret, a ConfigMap, or a change", () => {
    const all = { role: "endpoints", attach_metadata: { node: true, namespace: true, deployment: true, job: true, cronjob: true } };
    const rules = rulesFor(all).cluster;
    assert.ok(rules.every(({ resources = [] }) => !resources.some((name) => /secrets|configmaps|\*|proxy/.test(name))));
    assert.ok(rules.every(({ verbs }) => verbs.every((verb) => READ.includes(verb))));
  });
});
