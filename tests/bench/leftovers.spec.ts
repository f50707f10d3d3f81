import assert from "node:assert/strict";
import { leftoversOf, type Standing, type Volume } from "../../bench/leftovers";

describe("bench: leftovers", () => {
  const volume = (name: string, namespace?: string): Volume => ({
    metadata: { name, uid: name, resourceVersion: "1" },
    spec: { ...(namespace === undefined ? {} : { claimRef: { namespace } }), local: { path: `/disks/${name}` } },
  });
  const THERE: Standing = {
    stacks: ["bench-capacity", "dev", "my-bench-1"],
    namespaces: ["bench-chart-rf3", "bench-ours-rf3-volumes", "default", "kube-system", "thanos-dev", "bench"],
    clusterRoles: ["bench-ours-rf3-prometheus", "cluster-admin", "thanos-dev-prometheus"],
    clusterRoleBindings: ["bench-ours-rf3-prometheus", "kube-proxy"],
    volumes: [volume("node1-disk1", "bench-collector"), volume("node1-disk2", "thanos-prod"), volume("node1-disk3")],
  };

  it("are stacks, namespaces, cluster roles and volumes of benchmarks, and nothing of an environment or of the sandbox", () => {
    const { stacks, namespaces, clusterRoles, clusterRoleBindings, volumes } = leftoversOf(THERE);
    assert.deepEqual(stacks, ["bench-capacity"]);
    assert.deepEqual(namespaces, ["bench-chart-rf3", "bench-ours-rf3-volumes"]);
    assert.deepEqual(clusterRoles, ["bench-ours-rf3-prometheus"]);
    assert.deepEqual(clusterRoleBindings, ["bench-ours-rf3-prometheus"]);
    assert.deepEqual(
      volumes.map(({ metadata }) => metadata.name),
      ["node1-disk1"],
    );
  });

  it("have directories on the nodes by the name of the stack, the namespace or the volume's claim, whichever is left", () => {
    assert.deepEqual(leftoversOf(THERE).data, ["bench-capacity", "bench-chart-rf3", "bench-collector", "bench-ours-rf3-volumes"]);
  });

  it("are never a name that leads out of the directory of the nodes' data", () => {
    const odd = { ...THERE, stacks: ["bench-/../dev", "bench-a b", "bench-", "bench-.."], namespaces: [], volumes: [] };
    assert.deepEqual(leftoversOf(odd).stacks, []);
    assert.deepEqual(leftoversOf(odd).data, []);
  });
});
