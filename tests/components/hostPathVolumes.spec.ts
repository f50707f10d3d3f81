import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { manifestsOf } from "../../commands/manifests";
import type { ProgramRun } from "../../commands/program";
import { container, objects, podNames, resourceOf, run, settingsOf, type Workload, workloads } from "../harness";
import { DEV, FILESYSTEM, HOST_PATH, PLANS } from "./plans";

/** The claims that a StatefulSet makes, as Kubernetes names them: template, set, number. */
function claimsOf(set: Workload): string[] {
  return (set.spec.volumeClaimTemplates ?? []).flatMap((template) => podNames(set).map((pod) => `${template.metadata.name}-${pod}`));
}

/** Whether a workload's pods share a claim that is there by itself. */
const mounts = (workload: Workload, claim: string): boolean =>
  (workload.spec.template.spec.volumes ?? []).some(
    (volume) => (volume.persistentVolumeClaim as { claimName: string } | undefined)?.claimName === claim,
  );

const setsWithClaims = (made: ProgramRun) => objects(made, "StatefulSet").filter((set) => set.spec.volumeClaimTemplates !== undefined);

/** Directories that jobs are told to make: owner and directory, by node. */
function directoriesOf(made: ProgramRun): { node: string; owner: string; directory: string; roots: string[] }[] {
  return objects(made, "Job").flatMap((job) => {
    const node = job.spec.template.spec.nodeSelector?.["kubernetes.io/hostname"] ?? "";
    const roots = (job.spec.template.spec.volumes ?? []).map((volume) => volume.hostPath?.path ?? "");
    const [, , , , ...entries] = container(job).command ?? [];
    return entries.map((entry) => {
      const [owner = "", directory = ""] = entry.split(":");
      return { node, owner, directory, roots };
    });
  });
}

for (const { title, stack, overrides } of [DEV, HOST_PATH, FILESYSTEM]) {
  describe(`hostPath volumes: ${title}`, () => {
    let made: ProgramRun;
    before(async () => {
      made = await run(stack, overrides);
    });

    it("has one volume for each claim that a StatefulSet makes or that is there by itself, bound to it and to no other", () => {
      const shared = objects(made, "PersistentVolumeClaim").map((claim) => claim.metadata.name);
      const claims = [...setsWithClaims(made).flatMap(claimsOf), ...shared];
      const volumes = objects(made, "PersistentVolume");
      assert.deepEqual(volumes.map((volume) => volume.spec.claimRef.name).sort(), claims.sort());
      for (const { spec } of volumes) {
        assert.equal(spec.claimRef.namespace, "thanos-dev");
        assert.equal(spec.storageClassName, "");
        assert.equal(spec.persistentVolumeReclaimPolicy, "Retain");
        assert.equal(spec.hostPath.type, "Directory");
      }
      for (const set of setsWithClaims(made)) {
        for (const template of set.spec.volumeClaimTemplates ?? []) assert.equal(template.spec.storageClassName, "");
      }
    });

    it("has each volume on the node where its directory is made, owned by the pod's user", () => {
      const directories = directoriesOf(made);
      for (const { metadata, spec } of objects(made, "PersistentVolume")) {
        const expressions = spec.nodeAffinity.required.nodeSelectorTerms.flatMap((term) => term.matchExpressions);
        const [expression] = expressions;
        assert.ok(expression !== undefined && expressions.length === 1);
        assert.deepEqual([expression.key, expression.operator], ["kubernetes.io/hostname", "In"]);
        const made_ = directories.find((each) => each.directory === spec.hostPath.path);
        assert.deepEqual(expression.values, [made_?.node], `${metadata.name} is where no directory is made`);
        const users = workloads(made).filter((each) => claimsOf(each).includes(spec.claimRef.name) || mounts(each, spec.claimRef.name));
        assert.ok(users.length > 0, `${metadata.name} is nobody's`);
        for (const user of users)
          assert.equal(made_?.owner, String(user.spec.template.spec.securityContext?.runAsUser), user.metadata.name);
      }
      assert.equal(directories.length, objects(made, "PersistentVolume").length);
    });

    it("gives each pod a directory of its own, named by namespace and pod, and the bucket one", () => {
      const paths = objects(made, "PersistentVolume").map((volume) => volume.spec.hostPath.path);
      assert.equal(new Set(paths).size, paths.length);
      for (const { spec } of objects(made, "PersistentVolume")) {
        const pod = spec.claimRef.name.replace(/^data-/, "").replace(/^thanos-bucket$/, "bucket");
        assert.ok(spec.hostPath.path.endsWith(`/thanos-dev/${pod}`), spec.hostPath.path);
      }
      for (const { directory, roots } of directoriesOf(made)) {
        assert.ok(
          roots.some((root) => directory.startsWith(`${root}/`)),
          `${directory} is not in what the job mounts: ${roots}`,
        );
      }
    });

    it("makes volumes and directories before pods", () => {
      for (const set of setsWithClaims(made)) {
        const { dependsOn } = resourceOf(made, "StatefulSet", set.metadata.name).options;
        const waitedFor = (type: string) => dependsOn.filter((urn) => urn.includes(`kubernetes:${type}:`)).length;
        assert.equal(waitedFor("batch/v1"), objects(made, "Job").length);
        assert.equal(waitedFor("core/v1"), dependsOn.filter((urn) => urn.includes("kubernetes:core/v1:")).length);
        assert.equal(dependsOn.filter((urn) => urn.includes(":PersistentVolume::")).length, objects(made, "PersistentVolume").length);
      }
    });

    it("puts a path of the node into no pod but the job's", () => {
      for (const manifest of manifestsOf(made.resources)) {
        if (["Job", "PersistentVolume"].includes(manifest.kind)) continue;
        assert.ok(!JSON.stringify(manifest).includes("hostPath"), `${manifest.kind} ${manifest.metadata.name}`);
      }
    });
  });
}

describe("hostPath volumes: the script that makes directories", () => {
  let node: string;
  beforeEach(() => {
    node = mkdtempSync(join(tmpdir(), "node-"));
    // Another owner needs root. It says instead what there is at that moment.
    writeFileSync(join(node, "chown"), `#!/bin/sh\necho "$@"; ls "${node}/data"\n`, { mode: 0o755 });
  });
  afterEach(() => rmSync(node, { recursive: true }));

  /** Runs it for a directory of a node whose file system begins elsewhere. */
  async function make(): Promise<string> {
    const [job] = objects(await run("dev"), "Job");
    assert.ok(job !== undefined);
    const [shell = "", option = "", script = "", name = ""] = container(job).command ?? [];
    const { stdout } = await execa(shell, [option, script.replaceAll("/host", node), name, "1001:/data/pod"], {
      env: { PATH: `${node}:${process.env.PATH}` },
    });
    return stdout;
  }

  it("makes one under another name until it has its owner, closed to everybody but him and his group", async () => {
    mkdirSync(join(node, "data/pod.new/left-by-one-that-was-killed"), { recursive: true });
    assert.equal(await make(), `1001:1001 ${node}/data/pod.new\npod.new`);
    assert.deepEqual(readdirSync(join(node, "data")), ["pod"]);
    assert.deepEqual(readdirSync(join(node, "data/pod")), []);
    assert.equal(statSync(join(node, "data/pod")).mode & 0o777, 0o750);
  });

  it("leaves one that exists as it is", async () => {
    mkdirSync(join(node, "data/pod/blocks"), { recursive: true, mode: 0o700 });
    assert.equal(await make(), "");
    assert.deepEqual(readdirSync(join(node, "data/pod")), ["blocks"]);
    assert.equal(statSync(join(node, "data/pod")).mode & 0o777, 0o700);
  });
});

describe("hostPath volumes: place", () => {
  it("spreads the pods of one set over the nodes, and a pod's node does not depend on how many pods there are", async () => {
    const nodesOf = async (replicas: number) => {
      const made = await run("dev", { receive: { replicas, storage: { hostPath: { nodes: ["n1", "n2", "n3", "n4", "n5"] } } } });
      return new Map(
        objects(made, "PersistentVolume").map(({ metadata, spec }) => [
          metadata.name,
          spec.nodeAffinity.required.nodeSelectorTerms[0]?.matchExpressions[0]?.values[0],
        ]),
      );
    };
    const [three, five] = [await nodesOf(3), await nodesOf(5)];
    assert.deepEqual(
      [0, 1, 2].map((ordinal) => three.get(`thanos-dev-thanos-receive-${ordinal}`)),
      ["n1", "n2", "n3"],
    );
    for (const [name, node] of three) assert.equal(five.get(name), node, `${name} moved away from its data`);
  });

  it("two environments on one node share no directory and no name of the cluster's", async () => {
    const first = await run("dev");
    const second = await run("dev", { namespace: "thanos-dev2" });
    const directories = (made: ProgramRun) => directoriesOf(made).map((each) => each.directory);
    const shared = directories(first).filter((path) =>
      directories(second).some((other) => `${path}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${path}/`)),
    );
    assert.deepEqual(shared, []);
    const clusterWide = (made: ProgramRun) =>
      manifestsOf(made.resources)
        .filter((manifest) => manifest.metadata.namespace === undefined)
        .map((manifest) => `${manifest.kind} ${manifest.metadata.name}`);
    assert.ok(clusterWide(first).length > 5);
    assert.deepEqual(
      clusterWide(first).filter((name) => clusterWide(second).includes(name)),
      [],
    );
  });
});

describe("claims", () => {
  for (const { title, stack, overrides } of PLANS) {
    it(`${title}: whatever keeps samples, or works on blocks, does so in a claim; caches and what only sends have none`, async () => {
      const made = await run(stack, overrides);
      const rulersKeep = settingsOf(stack, overrides).ruler?.mode === "stateful";
      const keepers = ["receive", "prometheus", "store-gateway", "compactor", ...(rulersKeep ? ["ruler"] : [])];
      for (const set of objects(made, "StatefulSet")) {
        const keeps = keepers.includes(set.metadata.labels["app.kubernetes.io/component"] ?? "");
        assert.equal(set.spec.volumeClaimTemplates?.length ?? 0, keeps ? 1 : 0, set.metadata.name);
        const users = { 65534: ["prometheus"], 1001: keepers.filter((each) => each !== "prometheus") };
        const user = set.spec.template.spec.securityContext?.runAsUser;
        // Without a number whoever runs the cluster assigns one.
        if (keeps && settingsOf(stack, overrides).pods.user !== "cluster")
          assert.ok(
            users[user as keyof typeof users]?.includes(set.metadata.labels["app.kubernetes.io/component"] ?? ""),
            `${set.metadata.name} as ${user}`,
          );
      }
    });
  }

  it("ask for the size and the class that are configured", async () => {
    const made = await run("prod", { receive: { storage: { pvc: { size: "75Gi", storageClass: "fast" } } } });
    const templates = objects(made, "StatefulSet").flatMap((set) =>
      (set.spec.volumeClaimTemplates ?? []).map(({ spec }) => [set.metadata.name, spec.storageClassName, spec.resources.requests.storage]),
    );
    assert.deepEqual(templates.sort(), [
      ["prometheus", undefined, "20Gi"],
      ["thanos-compactor", undefined, "100Gi"],
      ["thanos-receive-z1", "fast", "75Gi"],
      ["thanos-receive-z2", "fast", "75Gi"],
      ["thanos-receive-z3", "fast", "75Gi"],
      ["thanos-store-gateway", undefined, "20Gi"],
    ]);
    assert.deepEqual(objects(made, "PersistentVolume"), []);
    assert.deepEqual(objects(made, "Job"), []);
  });
});
