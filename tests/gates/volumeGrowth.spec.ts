import assert from "node:assert/strict";
import type * as pulumi from "@pulumi/pulumi";
import { ConnectionError } from "../../clients/transport";
import type { Claim, ClaimGrowth, ClaimView, VolumeClass } from "../../gates/cluster";
import type { Patience } from "../../gates/patience";
import { growVolumes, volumeGates, volumesMayGrow } from "../../gates/volumeGrowth";
import type { Identity } from "../../model/kubernetes/identities";
import { volumeClaimTemplate, volumeSizeMetadata } from "../../model/kubernetes/storage";
import { quickClock } from "./quickClock";

const QUICK: Patience = { timeoutSeconds: 0.2, pollSeconds: 0.005, quietSeconds: 0, clock: quickClock() };
const SET = { name: "thanos-receive", key: "receive.storage.pvc.size" };
const CSI: VolumeClass = { provisioner: "ebs.csi.aws.com", allowsExpansion: true };
const LOCAL: VolumeClass = { provisioner: "kubernetes.io/no-provisioner", allowsExpansion: true };

/** Claims whose driver gives what is asked for after some polls. */
class Disks implements ClaimView, ClaimGrowth {
  readonly asked: string[] = [];
  looksUntilGrown = 2;
  private looks = 0;

  constructor(
    readonly held: Claim[],
    readonly classes: Record<string, VolumeClass> = { fast: CSI, local: LOCAL },
  ) {}

  async claims(statefulSet: string): Promise<Claim[]> {
    assert.equal(statefulSet, SET.name);
    if (this.asked.length > 0 && ++this.looks >= this.looksUntilGrown) {
      for (const claim of this.held) claim.capacity = claim.requested;
    }
    return this.held.map((claim) => ({ ...claim }));
  }

  async volumeClass(name: string): Promise<VolumeClass | undefined> {
    return this.classes[name];
  }

  async requestSize(name: string, size: string): Promise<void> {
    this.asked.push(`${name} ${size}`);
    const claim = this.held.find((each) => each.name === name);
    assert.ok(claim);
    claim.requested = size;
  }
}

const claim = (ordinal: number, changes: Partial<Claim> = {}): Claim => ({
  name: `data-thanos-receive-${ordinal}`,
  phase: "Bound",
  storageClass: "fast",
  requested: "50Gi",
  capacity: "50Gi",
  resize: [],
  ...changes,
});

describe("gates: growing volumes", () => {
  it("lets every claim ask for the size, those of pods that are gone too, and waits until their volumes have it", async () => {
    const disks = new Disks([claim(0), claim(1), claim(7)]);
    await growVolumes(disks, SET, "100Gi", 2, "", QUICK);
    assert.deepEqual(disks.asked, ["data-thanos-receive-0 100Gi", "data-thanos-receive-1 100Gi", "data-thanos-receive-7 100Gi"]);
    assert.ok(disks.held.every(({ capacity }) => capacity === "100Gi"));
  });

  it("asks nothing of claims that have it, or more by hand, in whatever unit", async () => {
    const disks = new Disks([
      claim(0, { requested: "200Gi", capacity: "200Gi" }),
      claim(1, { requested: "107374182400", capacity: "102400Mi" }),
    ]);
    await growVolumes(disks, SET, "100Gi", 2, "", QUICK);
    assert.deepEqual(disks.asked, []);
  });

  it("reads sizes as Kubernetes and others' drivers write them, parts of a byte included", async () => {
    const disks = new Disks([
      claim(0, { requested: "1209462790553600m", capacity: "1209462790553600m" }),
      claim(1, { requested: "5e10", capacity: "1Pi" }),
      claim(2, { requested: "100Gi", capacity: "22E" }),
    ]);
    await growVolumes(disks, SET, "100Gi", 3, "", QUICK);
    assert.deepEqual(disks.asked, ["data-thanos-receive-1 100Gi"]);
  });

  it("needs nothing of a driver where the volume is large enough already", async () => {
    const disks = new Disks([claim(0, { storageClass: "local", capacity: "1Ti" })]);
    disks.looksUntilGrown = Number.POSITIVE_INFINITY;
    await growVolumes(disks, SET, "100Gi", 1, "", QUICK);
    assert.deepEqual(disks.asked, ["data-thanos-receive-0 100Gi"]);
  });

  it("brings one back that asked for more than its driver could give", async () => {
    const disks = new Disks([claim(0, { requested: "1000Ti", resize: ["ControllerResizeInfeasible"] })]);
    await growVolumes(disks, SET, "100Gi", 1, "", QUICK);
    assert.deepEqual(disks.asked, ["data-thanos-receive-0 100Gi"]);
  });

  it("goes on where an earlier try stopped", async () => {
    const disks = new Disks([claim(0, { requested: "100Gi", capacity: "100Gi" }), claim(1, { requested: "100Gi" }), claim(2)]);
    await growVolumes(disks, SET, "100Gi", 3, "", QUICK);
    assert.deepEqual(disks.asked, ["data-thanos-receive-2 100Gi"]);
  });

  it("gives up naming the claims, what they have and what Kubernetes says of it", async () => {
    const disks = new Disks([claim(0, { resize: ["Resizing", "ControllerResizeError: quota exceeded"] }), claim(1)]);
    disks.looksUntilGrown = Number.POSITIVE_INFINITY;
    await assert.rejects(
      growVolumes(disks, SET, "100Gi", 2, "Do this", QUICK),
      /volumes of thanos-receive to have 100Gi; still missing: data-thanos-receive-0 \(has 50Gi; Resizing; ControllerResizeError: quota exceeded\), data-thanos-receive-1 \(has 50Gi\)\. Do this/,
    );
  });

  it("does not wait for the file system of a volume that no pod mounts, and does for one that a pod mounts", async () => {
    const pending = { resize: ["FileSystemResizePending: Waiting for user to (re-)start a pod"] };
    const unmounted = new Disks([claim(3, pending)]);
    unmounted.looksUntilGrown = Number.POSITIVE_INFINITY;
    await growVolumes(unmounted, SET, "100Gi", 3, "", QUICK);
    const mounted = new Disks([claim(2, pending)]);
    mounted.looksUntilGrown = Number.POSITIVE_INFINITY;
    await assert.rejects(growVolumes(mounted, SET, "100Gi", 3, "", QUICK), /data-thanos-receive-2 \(has 50Gi; FileSystemResizePending/);
  });
});

describe("gates: what can't grow", () => {
  const refusals: [string, Claim[], Record<string, VolumeClass> | undefined, RegExp][] = [
    [
      "a class that does not allow it",
      [claim(0)],
      { fast: { ...CSI, allowsExpansion: false } },
      /receive\.storage\.pvc\.size = "100Gi": storage class fast does not let volumes grow \(data-thanos-receive-0\)\. Accepted: the size it was, or "allowVolumeExpansion: true" on the class if its driver ebs\.csi\.aws\.com can/,
    ],
    [
      "volumes made by hand that hold less",
      [
        claim(0, { storageClass: "local", capacity: "80Gi" }),
        claim(1, { storageClass: "local", capacity: "60Gi" }),
        claim(2, { storageClass: "local", capacity: "1Ti" }),
      ],
      undefined,
      /class local are made by hand .*: data-thanos-receive-0, data-thanos-receive-1\. Accepted: at most 60Gi/,
    ],
    ["a class that is gone", [claim(0)], {}, /storage class fast of data-thanos-receive-0 does not exist/],
    [
      "a volume of no class",
      [
        ((): Claim => {
          const { storageClass: _, ...without } = claim(0);
          return without;
        })(),
      ],
      undefined,
      /data-thanos-receive-0 belongs to no storage class/,
    ],
    ["a claim without a volume", [claim(0), claim(1, { phase: "Pending" })], undefined, /data-thanos-receive-1 has no volume yet/],
  ];
  for (const [what, claims, classes, message] of refusals) {
    it(`is ${what}; nothing is asked then`, async () => {
      const disks = new Disks(claims, classes);
      await assert.rejects(volumesMayGrow(disks, SET, "100Gi"), message);
      await assert.rejects(growVolumes(disks, SET, "100Gi", 2, "", QUICK), message);
      assert.deepEqual(disks.asked, []);
    });
  }

  it("does not concern claims that need not", async () => {
    await volumesMayGrow(new Disks([claim(0, { requested: "100Gi", capacity: "100Gi" })], {}), SET, "100Gi");
  });
});

describe("gates: hooks of a StatefulSet whose volumes grow", () => {
  const identity: Identity = { app: "thanos-receive", component: "receive" };
  /** A StatefulSet's inputs: the template keeps the size that it was made with. */
  const inputs = (size: string | undefined, made: string, replicas = 2) => ({
    metadata: { name: SET.name, ...(size === undefined ? {} : volumeSizeMetadata({ pvc: { size } })) },
    spec: { replicas, volumeClaimTemplates: [volumeClaimTemplate({ pvc: { size: made } }, identity)] },
  });
  type When = "beforeUpdate" | "afterUpdate" | "afterCreate";

  /** Runs what the engine would run, at preview or at an update. */
  async function engine(disks: Disks, when: When, preview: boolean, oldInputs: object | undefined, newInputs: object): Promise<void> {
    const binding = volumeGates(disks, "receive", { pvc: { size: "100Gi" } }, QUICK)({ name: SET.name });
    for (const hook of (binding[when] ?? []) as pulumi.ResourceHook[]) {
      if (preview && hook.opts?.onDryRun !== true) continue;
      await hook.callback({ oldInputs, newInputs } as unknown as pulumi.ResourceHookArgs);
    }
  }

  it("grow existing claims before the update and change nothing at preview", async () => {
    for (const before of [inputs("50Gi", "50Gi"), inputs(undefined, "50Gi"), inputs("50Gi", "20Gi")]) {
      const disks = new Disks([claim(0), claim(1)]);
      await engine(disks, "beforeUpdate", true, before, inputs("100Gi", "50Gi"));
      assert.deepEqual(disks.asked, []);
      await engine(disks, "beforeUpdate", false, before, inputs("100Gi", "50Gi"));
      assert.equal(disks.asked.length, 2);
    }
  });

  it("refuse at preview what can't be done, before anything changes", async () => {
    const disks = new Disks([claim(0, { storageClass: "local" })]);
    await assert.rejects(engine(disks, "beforeUpdate", true, inputs("50Gi", "50Gi"), inputs("100Gi", "50Gi")), /made by hand/);
    await assert.rejects(
      engine(disks, "beforeUpdate", true, inputs("50Gi", "20Gi"), inputs("40Gi", "20Gi")),
      /receive\.storage\.pvc\.size = "40Gi": a volume never gets smaller, and these were given 50Gi\. Accepted: 50Gi or more/,
    );
    await assert.rejects(engine(disks, "beforeUpdate", true, inputs(undefined, "50Gi"), inputs("40Gi", "50Gi")), /never gets smaller/);
  });

  it("let a preview go on without the cluster, and not the update", async () => {
    const away = new Disks([]);
    away.claims = () => Promise.reject(new ConnectionError("GET https://10.0.0.1:6443", new Error("connect ECONNREFUSED")));
    await engine(away, "beforeUpdate", true, inputs("50Gi", "50Gi"), inputs("100Gi", "50Gi"));
    await assert.rejects(engine(away, "beforeUpdate", false, inputs("50Gi", "50Gi"), inputs("100Gi", "50Gi")), /ECONNREFUSED/);
    away.claims = () => Promise.reject(new Error("API server answered 403"));
    await assert.rejects(engine(away, "beforeUpdate", true, inputs("50Gi", "50Gi"), inputs("100Gi", "50Gi")), /403/);
  });

  it("do not ask the cluster when the size stays, in whatever unit", async () => {
    const unasked = new Disks([]);
    unasked.claims = () => Promise.reject(new Error("asked"));
    await engine(unasked, "beforeUpdate", false, inputs("1Gi", "1Gi"), inputs("1024Mi", "1Gi"));
    await engine(unasked, "beforeUpdate", false, inputs(undefined, "1Gi"), inputs("1Gi", "1Gi"));
    await engine(unasked, "afterUpdate", false, inputs("1Gi", "1Gi"), inputs("1Gi", "1Gi"));
    await assert.rejects(engine(unasked, "beforeUpdate", false, inputs("1Gi", "1Gi"), inputs("2Gi", "1Gi")), /asked/);
  });

  it("grow claims of new pods after the update, which got the size that the template still has", async () => {
    const disks = new Disks([claim(0, { requested: "100Gi", capacity: "100Gi" }), claim(1)]);
    await engine(disks, "afterUpdate", false, inputs("100Gi", "50Gi", 1), inputs("100Gi", "50Gi", 2));
    assert.deepEqual(disks.asked, ["data-thanos-receive-1 100Gi"]);
  });

  it("grow claims that a StatefulSet finds when it is made again", async () => {
    const disks = new Disks([claim(0)]);
    await engine(disks, "afterCreate", false, undefined, inputs("100Gi", "100Gi"));
    assert.deepEqual(disks.asked, ["data-thanos-receive-0 100Gi"]);
  });

  it("are none for directories of nodes", () => {
    assert.deepEqual(volumeGates(new Disks([]), "receive", { hostPath: { path: "/d", nodes: ["a"] } })({ name: "x" }), {});
  });
});
