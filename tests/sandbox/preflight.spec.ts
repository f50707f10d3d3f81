import assert from "node:assert/strict";
import { type MachineFiles, missingPackages, REQUIREMENTS } from "../../sandbox/packages";
import { paths } from "../../sandbox/paths";
import {
  type Facts,
  goIsNewEnough,
  LEAST_CACHE,
  LEAST_MEMORY,
  LEAST_STATE,
  obstacle,
  overlaps,
  routedNetworks,
} from "../../sandbox/preflight";

const GOOD: Facts = {
  platform: "linux",
  uid: 0,
  freeState: LEAST_STATE,
  freeCache: LEAST_CACHE,
  memory: LEAST_MEMORY,
  go: "go1.26.8",
  missingPackages: ["containerd"],
  hasApt: true,
  networks: ["192.0.2.0/24"],
  hasCgroups: true,
  missingControllers: [],
  isPrivileged: true,
  unfitFileSystem: undefined,
};

describe("sandbox preflight", () => {
  it("lets a machine pass that has just enough", () => assert.equal(obstacle(GOOD), undefined));

  const cases: readonly [string, Partial<Facts>, RegExp][] = [
    ["another system", { platform: "darwin", uid: 501 }, /needs Linux .*this is darwin/],
    ["another user", { uid: 1000 }, /needs root/],
    ["no control groups", { hasCgroups: false }, /control groups/],
    ["no memory controller", { missingControllers: ["memory"] }, /offers no memory \(the kernel's parameters `cgroup_enable=memory`/],
    ["an unprivileged container", { isPrivileged: false }, /as an unprivileged container does/],
    ["a file system without overlays", { unfitFileSystem: "overlay" }, /would be on overlay \(THANOS_STACK_HOME moves it\)/],
    ["too little memory", { memory: 4 * 2 ** 30 }, /5\.5 GiB of memory, and this machine has 4\.0 GiB/],
    ["too little disk for the nodes", { freeState: 2 ** 30 }, /THANOS_STACK_HOME moves them\), and there are 1\.0 GiB/],
    ["too little disk for the cache", { freeCache: 2 ** 30 }, /XDG_CACHE_HOME moves them/],
    ["a route into the sandbox's networks", { networks: ["10.0.0.0/8"] }, /route to 10\.0\.0\.0\/8/],
    ["no Go", { go: undefined }, /no `go` on PATH/],
    ["an old Go", { go: "go1.25.3" }, /`go` is go1\.25\.3/],
    ["no apt", { hasApt: false }, /needs Debian's packages containerd, .* with apt-get and dpkg, which aren't here/],
  ];
  for (const [name, change, message] of cases) {
    it(`stops at ${name}, and names the alternative`, () => {
      const said = obstacle({ ...GOOD, ...change });
      assert.match(said ?? "", message);
      assert.match(said ?? "", /run `pulumi up`\.$/);
    });
  }

  it("needs no apt where nothing is missing", () => assert.equal(obstacle({ ...GOOD, hasApt: false, missingPackages: [] }), undefined));

  it("compares Go releases by number", () => {
    assert.deepEqual(["go1.9", "go1.25.9", "go1.26", "go1.26rc1", "go1.100.1", "go2.0", "devel"].map(goIsNewEnough), [
      false,
      false,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it("finds overlapping networks in both directions", () => {
    assert.ok(overlaps("10.244.0.0/16", "10.244.3.7"));
    assert.ok(overlaps("10.244.3.0/24", "10.0.0.0/8"));
    assert.ok(!overlaps("10.89.0.0/24", "10.89.1.0/24"));
    assert.ok(!overlaps("192.168.0.0/16", "10.0.0.0/8"));
  });

  it("lists the networks of other links' routes only", () => {
    const routes = [
      "default via 192.0.2.1 dev eth0 ",
      "192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.2 ",
      "10.244.1.0/24 via 10.89.0.11 dev tstack0 ",
      "unreachable 10.1.0.0/16 ",
      "172.17.0.1 dev docker0",
    ];
    assert.deepEqual(routedNetworks(routes.join("\n")), ["192.0.2.0/24", "10.1.0.0/16", "172.17.0.1"]);
  });
});

describe("sandbox packages", () => {
  const full: MachineFiles = { hasCommand: () => true, hasFile: () => true, isStatic: () => true };

  it("installs nothing on a machine that has everything, from whatever package", () => assert.deepEqual(missingPackages(full), []));
  it("installs everything on a bare machine, in order", () => {
    const bare: MachineFiles = { hasCommand: () => false, hasFile: () => false, isStatic: () => false };
    assert.deepEqual(
      missingPackages(bare),
      REQUIREMENTS.map((requirement) => requirement.package),
    );
  });
  it("wants every command of a package", () =>
    assert.deepEqual(missingPackages({ ...full, hasCommand: (name) => name !== "ctr" }), ["containerd"]));
  it("finds network plugins in any of their directories", () => {
    const elsewhere: MachineFiles = { ...full, hasFile: (path) => !path.startsWith("/usr/lib/cni/") };
    assert.deepEqual(missingPackages(elsewhere), []);
  });
  it("takes no dynamic program for an image", () => {
    assert.deepEqual(missingPackages({ ...full, isStatic: () => false }), ["tini"]);
  });
  it("installs nothing that conflicts with a package which most installations have", () => {
    assert.ok(!REQUIREMENTS.some((requirement) => requirement.package === "busybox-static"));
  });
  it("lets a machine sold with 6 GiB pass, which shows 5.8", () => assert.equal(obstacle({ ...GOOD, memory: 5.8 * 2 ** 30 }), undefined));
});

describe("sandbox paths", () => {
  it("keeps state and cache apart", () => {
    const where = paths({ HOME: "/root" });
    assert.equal(where.home, "/var/lib/thanos-stack");
    assert.equal(where.cache, "/root/.cache/thanos-stack");
    assert.equal(paths({ XDG_CACHE_HOME: "/c" }).cache, "/c/thanos-stack");
    assert.equal(paths({ THANOS_STACK_HOME: "/mnt/x/" }).kubeconfig, "/mnt/x/kubeconfig");
  });
  it("refuses a home that down could not remove safely, or that sockets don't fit in", () => {
    for (const home of ["relative/x", "/", "/home", "/srv/../", `/srv/${"x".repeat(60)}`]) {
      assert.throws(() => paths({ THANOS_STACK_HOME: home }), /THANOS_STACK_HOME/, home);
    }
  });
});
