import assert from "node:assert/strict";
import fc from "fast-check";
import type { Identity } from "../../../model/kubernetes/identities";
import {
  claimName,
  hostPathPersistentVolume,
  hostPathVolumes,
  nodeOf,
  unchangedByGrowth,
  VOLUME_SIZE_ANNOTATION,
  volumeClaimTemplate,
  volumeSizeMetadata,
} from "../../../model/kubernetes/storage";

const identity: Identity = { app: "thanos-receive", component: "receive" };
const volumes = (path: string, nodes: string[], replicas: number, namespace = "ns") =>
  hostPathVolumes({ path, nodes }, namespace, "set", replicas, identity, 1001);

describe("storage: directories of nodes", () => {
  it("are one for each pod, named by namespace and pod", () => {
    assert.deepEqual(
      volumes("/data/thanos", ["a", "b"], 3).map(({ name, claim, node, directory, owner }) => [name, claim, node, directory, owner]),
      [
        ["ns-set-0", "data-set-0", "a", "/data/thanos/ns/set-0", 1001],
        ["ns-set-1", "data-set-1", "b", "/data/thanos/ns/set-1", 1001],
        ["ns-set-2", "data-set-2", "a", "/data/thanos/ns/set-2", 1001],
      ],
    );
  });

  it("are the same whether the root ends in a slash or not", () => {
    assert.deepEqual(volumes("/data/", ["a"], 2), volumes("/data", ["a"], 2));
    assert.deepEqual(volumes("/data///", ["a"], 2), volumes("/data", ["a"], 2));
  });

  it("stay where they are when pods are added", () => {
    const nodes = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,5}$/), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(nodes, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (names, few, more) => {
        const [before, after] = [volumes("/d", names, few), volumes("/d", names, few + more)];
        assert.deepEqual(after.slice(0, few), before);
        assert.equal(new Set(after.map((volume) => volume.directory)).size, few + more);
        assert.equal(new Set(after.map((volume) => volume.name)).size, few + more);
        assert.equal(new Set(after.map((volume) => volume.claim)).size, few + more);
      }),
    );
  });

  it("are spread over the nodes as evenly as their number allows", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 30 }), (count, replicas) => {
        const names = Array.from({ length: count }, (_, index) => `n${index}`);
        const loads = names.map((name) => volumes("/d", names, replicas).filter((volume) => volume.node === name).length);
        assert.ok(Math.max(...loads) - Math.min(...loads) <= 1);
      }),
    );
  });

  it("of two namespaces are never one inside the other", () => {
    const name = fc.stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/);
    fc.assert(
      fc.property(name, name, (first, second) => {
        fc.pre(first !== second);
        const [left, right] = [volumes("/d", ["n"], 3, first), volumes("/d", ["n"], 3, second)];
        for (const { directory } of left) {
          for (const other of right) {
            assert.ok(!`${directory}/`.startsWith(`${other.directory}/`) && !`${other.directory}/`.startsWith(`${directory}/`));
          }
        }
      }),
    );
  });

  it("need a node", () => assert.throws(() => nodeOf({ path: "/d", nodes: [] }, 0), /names no node/));
});

describe("storage: a directory as a volume", () => {
  const [volume] = volumes("/data", ["node-7"], 1, "thanos");

  it("belongs to one claim, is found on one node, and outlives both", () => {
    assert.ok(volume !== undefined);
    const spec = hostPathPersistentVolume(volume, "thanos");
    assert.deepEqual(spec.claimRef, { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "thanos", name: claimName("set", 0) });
    assert.deepEqual(spec.nodeAffinity.required.nodeSelectorTerms, [
      { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["node-7"] }] },
    ]);
    assert.equal(spec.persistentVolumeReclaimPolicy, "Retain");
    assert.deepEqual(spec.hostPath, { path: "/data/thanos/set-0", type: "Directory" });
  });

  it("fits the claim that the StatefulSet makes: class, access, size", () => {
    assert.ok(volume !== undefined);
    const spec = hostPathPersistentVolume(volume, "thanos");
    const claim = volumeClaimTemplate({ hostPath: { path: "/data", nodes: ["node-7"] } }, identity).spec;
    assert.equal(claim.storageClassName, spec.storageClassName);
    assert.deepEqual(claim.accessModes, spec.accessModes);
    assert.equal(claim.resources.requests.storage, spec.capacity.storage);
  });
});

describe("storage: claims", () => {
  it("ask for the cluster's default class unless one is named", () => {
    const { spec } = volumeClaimTemplate({ pvc: { size: "5Gi" } }, identity);
    assert.equal("storageClassName" in spec, false, "an empty class would mean none at all");
    assert.equal(volumeClaimTemplate({ pvc: { size: "5Gi", storageClass: "fast" } }, identity).spec.storageClassName, "fast");
    assert.equal(spec.resources.requests.storage, "5Gi");
  });

  it("say their size on the StatefulSet, and keep it in the template: the path that is kept leads to it", () => {
    const storage = { pvc: { size: "5Gi" } };
    assert.deepEqual(volumeSizeMetadata(storage), { annotations: { [VOLUME_SIZE_ANNOTATION]: "5Gi" } });
    const [path = ""] = unchangedByGrowth(storage);
    const set = { spec: { volumeClaimTemplates: [volumeClaimTemplate(storage, identity)] } };
    const found = path.split(/[.[\]]+/).reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], set);
    assert.equal(found, "5Gi");
  });

  it("of directories have no size to change", () => {
    const storage = { hostPath: { path: "/d", nodes: ["a"] } };
    assert.deepEqual(volumeSizeMetadata(storage), {});
    assert.deepEqual(unchangedByGrowth(storage), []);
  });
});
