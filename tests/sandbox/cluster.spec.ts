import assert from "node:assert/strict";
import fc from "fast-check";
import { addons, volume, volumesToMake } from "../../sandbox/addons";
import { serviceOf } from "../../sandbox/cluster";
import { StepFailed } from "../../sandbox/command";
import { ownMounts } from "../../sandbox/down";
import { cniConfig, containerdConfig, initScript, kubeletConfig, kubeProxyConfig } from "../../sandbox/node";
import { paths } from "../../sandbox/paths";
import { CERTIFICATES } from "../../sandbox/pki";
import { podRow, table } from "../../sandbox/status";
import { explain, throttled } from "../../sandbox/steps";
import { BRIDGE, KUBERNETES_SERVICE, NODES, nodePlan } from "../../sandbox/topology";

const where = paths({ HOME: "/root" });
const GIB = 2 ** 30;

describe("sandbox nodes", () => {
  it("have names of their own that down and the kernel accept", () => {
    for (const key of ["name", "zone", "netns", "link", "address", "podNetwork"] as const) {
      assert.equal(new Set(NODES.map((node) => node[key])).size, NODES.length, key);
    }
    for (const node of NODES) {
      assert.ok(node.link.length <= 15 && node.link.startsWith("tstack"), node.link);
      assert.ok(node.netns.startsWith("thanos-stack-"), node.netns);
    }
    assert.ok(BRIDGE.startsWith("tstack"));
    assert.throws(() => nodePlan(0), RangeError);
  });

  it("promise no more than one and a half times the machine's memory", () => {
    fc.assert(
      fc.property(fc.integer({ min: 6 * GIB, max: 1024 * GIB }), (memory) => {
        const { systemReserved } = kubeletConfig(where, nodePlan(1), memory) as { systemReserved: { memory: string } };
        const allocatable = memory - Number(systemReserved.memory.replace("Mi", "")) * 2 ** 20;
        assert.ok(allocatable > 0 && allocatable * NODES.length < memory * 1.5, `${allocatable}`);
      }),
    );
  });

  it("use one name in every program's configuration", () => {
    const node = nodePlan(2);
    const init = initScript(where, node);
    assert.match(init, /--hostname-override=node2 --node-ip=10\.89\.0\.12 --node-labels=topology\.kubernetes\.io\/zone=z2,/);
    assert.match(init, /^mount --make-rshared \/$/m);
    assert.ok(init.indexOf("make-rshared") > init.lastIndexOf("bind "), "binds come before sharing");
    assert.match(JSON.stringify(cniConfig(node)), /10\.244\.2\.0\/24/);
    assert.match(JSON.stringify(kubeProxyConfig(where, node)), /"hostnameOverride":"node2"/);
    assert.match(containerdConfig(where, node, "/usr/lib/cni"), /restrict_oom_score_adj = true/);
  });

  it("have certificates for each name that they are called by", () => {
    for (const node of NODES) {
      const client = CERTIFICATES.find((plan) => plan.name === `kubelet-${node.name}`);
      assert.deepEqual([client?.commonName, client?.organization], [`system:node:${node.name}`, "system:nodes"]);
      const server = CERTIFICATES.find((plan) => plan.name === `kubelet-${node.name}-server`);
      assert.ok(server?.servers?.includes(`IP:${node.address}`));
    }
    assert.ok(CERTIFICATES.find((plan) => plan.name === "kube-apiserver")?.servers?.includes(`IP:${KUBERNETES_SERVICE}`));
  });
});

describe("sandbox volumes", () => {
  it("are made up to the number wanted, never under a used name", () => {
    const phase = fc.constantFrom("Available", "Bound", "Released", "Pending", "Failed");
    const existing = fc.uniqueArray(fc.record({ index: fc.integer({ min: 1, max: 60 }), phase }), { selector: ({ index }) => index });
    fc.assert(
      fc.property(existing, fc.integer({ min: 0, max: 10 }), (volumes, spare) => {
        const made = volumesToMake(volumes, spare);
        const free = volumes.filter((each) => ["Available", "Pending"].includes(each.phase)).length;
        assert.equal(made.length, Math.max(0, spare - free));
        assert.equal(new Set([...made, ...volumes.map(({ index }) => index)]).size, made.length + volumes.length);
      }),
    );
  });

  it("stay on their node and keep their data", () => {
    const { spec } = volume(nodePlan(3), 1, "/x");
    assert.match(JSON.stringify(spec), /"values":\["node3"\]/);
    assert.match(JSON.stringify(spec), /"persistentVolumeReclaimPolicy":"Retain"/);
  });
});

describe("sandbox add-ons", () => {
  it("answer the cluster's names and nothing outside", () => {
    const config = addons().find((manifest) => manifest.kind === "ConfigMap") as { data?: { Corefile?: string } } | undefined;
    assert.match(config?.data?.Corefile ?? "", /kubernetes cluster\.local in-addr\.arpa/);
    assert.doesNotMatch(config?.data?.Corefile ?? "", /forward/);
  });
});

describe("sandbox addresses", () => {
  it("know the Service that a URL names, and leave other URLs alone", () => {
    assert.deepEqual(serviceOf("http://web.shop.svc.cluster.local:9090/x"), { name: "web", namespace: "shop" });
    for (const url of ["http://web.shop.svc.clusterxlocal", "http://a.web.shop.svc.cluster.local", "https://example.org"]) {
      assert.equal(serviceOf(url), undefined, url);
    }
  });
});

describe("sandbox down", () => {
  it("finds its own mounts only, innermost first", () => {
    const info = [
      "/",
      "/run/netns/thanos-stack-node1",
      "/run/netns/other",
      "/var/lib/thanos-stack",
      "/var/lib/thanos-stack/a\\040b",
      "/var/lib/thanos-stack2",
    ]
      .map((point, index) => `${index} 1 0:1 / ${point} rw - ext4 /dev/vda rw`)
      .join("\n");
    assert.deepEqual(ownMounts(info, "/var/lib/thanos-stack"), [
      "/var/lib/thanos-stack/a b",
      "/var/lib/thanos-stack",
      "/run/netns/thanos-stack-node1",
    ]);
  });
});

describe("sandbox reports", () => {
  describe("are held back where lines can't be replaced:", () => {
    const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

    it("one in each interval, the last of those that came meanwhile, and none twice", async () => {
      const said: string[] = [];
      const { report } = throttled((text) => said.push(text), 30);
      for (const text of ["a", "b", "c"]) report(text);
      assert.deepEqual(said, ["a"]);
      await pause(60);
      assert.deepEqual(said, ["a", "c"]);
      report("c");
      await pause(60);
      assert.deepEqual(said, ["a", "c"]);
    });

    it("but not what is urgent, nor anything after the end", async () => {
      const said: string[] = [];
      const { report, stop } = throttled((text) => said.push(text), 30);
      report("a");
      report("no node", "urgent");
      report("b");
      stop();
      await pause(60);
      assert.deepEqual(said, ["a", "no node"]);
    });
  });

  it("explains a failure with its message alone where there is no log", () => {
    assert.equal(explain(new StepFailed("it failed")), "it failed");
    assert.equal(explain(new StepFailed("it failed", "/nowhere/x.log")), "it failed\nThe whole log: /nowhere/x.log");
  });

  it("lines up columns", () =>
    assert.equal(
      table(
        ["A", "B"],
        [
          ["long", "x"],
          ["", "y"],
        ],
      ),
      "A     B\nlong  x\n      y",
    ));

  it("says why a pod waits", () => {
    const row = podRow({
      metadata: { namespace: "n", name: "p" },
      spec: { containers: [{ name: "c" }], nodeName: "node1" },
      status: {
        phase: "Pending",
        containerStatuses: [
          { name: "c", ready: false, restartCount: 2, image: "", imageID: "", state: { waiting: { reason: "ErrImagePull" } } },
        ],
      },
    });
    assert.deepEqual(row, ["n", "p", "0/1", "ErrImagePull", "2", "node1", ""]);
  });
});
