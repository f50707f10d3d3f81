import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Hierarchy, HOST_GROUP, makeCgroup, missingControllers } from "../../sandbox/cgroups";
import { StepFailed } from "../../sandbox/command";
import { busyboxIn, libraryPackages, releaseOf } from "../../sandbox/debian";
import { kubeletConfig } from "../../sandbox/node";
import { paths } from "../../sandbox/paths";
import { fileSystemOf, makesCgroups, memoryLimit } from "../../sandbox/probes";
import { startDaemon } from "../../sandbox/processes";
import { NAME, NODES } from "../../sandbox/topology";

describe("machines that people have", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "machine-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** A directory with the files of a version 2 control group. */
  function group(path: string, files: Readonly<Record<string, string>>): void {
    mkdirSync(join(root, path), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, path, name), text);
  }
  const unified = (): Hierarchy[] => [{ mountPoint: root, version: 2, controllers: [] }];
  const text = (...path: string[]) => readFileSync(join(root, ...path), "utf8");

  describe("Debian packages for images", () => {
    it("takes memcached's libraries from its own Depends, as releases rename them", () => {
      assert.deepEqual(
        libraryPackages("libc6 (>= 2.34), libevent-2.1-7 (>= 2.0.10-stable), libsasl2-2, libssl3 (>= 3.0.0), adduser, lsb-base"),
        ["libevent-2.1-7", "libsasl2-2", "libssl3"],
      );
      assert.deepEqual(libraryPackages("libc6 (>= 2.38), libevent-2.1-7t64 (>= 2.1.8-stable) | libevent-2.1-8, libssl3t64:any"), [
        "libevent-2.1-7t64",
        "libssl3t64",
      ]);
      assert.deepEqual(libraryPackages(""), []);
    });

    it("keeps one release's libraries apart from another's", () => {
      assert.equal(releaseOf('PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n'), "debian-13");
      assert.equal(releaseOf('ID=ubuntu\nVERSION_ID="24.04"\n'), "ubuntu-24.04");
      assert.equal(releaseOf("ID=debian\n"), "debian-unknown");
    });

    it("finds busybox where either release puts it", () => {
      assert.throws(() => busyboxIn(root), StepFailed);
      group("bin", { busybox: "" });
      assert.equal(busyboxIn(root), join(root, "bin/busybox"));
      group("usr/bin", { busybox: "" });
      assert.equal(busyboxIn(root), join(root, "usr/bin/busybox"));
    });
  });

  describe("control groups", () => {
    const CONTROLLERS = "cpuset cpu io memory pids\n";

    it("moves a container's processes out of its root before the root hands controllers down", () => {
      group("", { "cgroup.type": "domain\n", "cgroup.procs": "41\n42\n", "cgroup.controllers": CONTROLLERS, "cgroup.subtree_control": "" });
      // The kernel makes the files of a new group.
      group(NAME, { "cgroup.controllers": CONTROLLERS, "cgroup.subtree_control": "" });
      assert.deepEqual(makeCgroup("node1", unified()), [join(root, NAME, "node1")]);
      assert.equal(text(HOST_GROUP, "cgroup.procs"), "42");
      assert.equal(text("cgroup.subtree_control"), "+pids");
    });

    it("leaves the processes of a machine's own root where they are", () => {
      group("", { "cgroup.procs": "1\n", "cgroup.controllers": CONTROLLERS, "cgroup.subtree_control": "" });
      group(NAME, { "cgroup.controllers": "", "cgroup.subtree_control": "" });
      makeCgroup("node1", unified());
      assert.ok(!existsSync(join(root, HOST_GROUP)));
    });

    it("stops where a controller that pods need can't be handed down, and goes on without another", () => {
      group("", { "cgroup.procs": "", "cgroup.controllers": "memory\n" });
      mkdirSync(join(root, "cgroup.subtree_control"));
      assert.throws(() => makeCgroup("node1", unified()), /can't hand the controller memory to the nodes/);
      writeFileSync(join(root, "cgroup.controllers"), "rdma\n");
      group(NAME, { "cgroup.controllers": "", "cgroup.subtree_control": "" });
      makeCgroup("node1", unified());
    });

    it("names the controllers that no hierarchy offers", () => {
      group("", { "cgroup.controllers": "cpuset cpu pids\n" });
      assert.deepEqual(missingControllers(unified()), ["memory"]);
      const memory: Hierarchy = { mountPoint: "/sys/fs/cgroup/memory", version: 1, controllers: ["memory"] };
      assert.deepEqual(missingControllers([...unified(), memory]), []);
      assert.deepEqual(missingControllers([]), ["cpu", "cpuset", "memory", "pids"]);
    });

    it("knows where none can be made", () => {
      assert.ok(makesCgroups(unified()));
      assert.ok(!makesCgroups([{ mountPoint: join(root, "not", "there\0"), version: 2, controllers: [] }]));
    });

    it("starts no program outside its group", async () => {
      const mark = join(root, "ran");
      const missing: Hierarchy[] = [{ mountPoint: root, version: 2, controllers: [] }];
      group("", { "cgroup.procs": "", "cgroup.controllers": "", "cgroup.subtree_control": "" });
      group(NAME, { "cgroup.controllers": "", "cgroup.subtree_control": "" });
      group(join(NAME, "x"), {});
      // Joining fails: what has that name is a directory.
      mkdirSync(join(root, NAME, "x", "cgroup.procs"));
      const daemon = { name: "x", command: ["touch", mark] as [string, string], log: join(root, "log"), cgroup: "x" };
      const record = await startDaemon(join(root, "run"), daemon, missing);
      assert.ok(record.pid > 1);
      while (existsSync(`/proc/${record.pid}/exe`)) await new Promise(setImmediate);
      assert.ok(!existsSync(mark));
    });
  });

  it("takes a container's limit for its memory, and shares that out", () => {
    group("", { "memory.max": "8589934592\n" });
    assert.equal(memoryLimit(unified()), 8 * 2 ** 30);
    group("", { "memory.max": "max\n" });
    assert.equal(memoryLimit(unified()), undefined);
    const [node] = NODES;
    assert.ok(node);
    const reserved = (usable?: number) =>
      Number.parseInt(
        (kubeletConfig(paths({}), node, 64 * 2 ** 30, usable) as { systemReserved: { memory: string } }).systemReserved.memory,
        10,
      );
    // Each node sees 64 GiB; of a limit of 8 it gets a third of half as much again as what the host leaves.
    assert.equal(64 * 1024 - reserved(8 * 2 ** 30), 2.5 * 1024);
    assert.ok(reserved() < reserved(8 * 2 ** 30));
  });

  it("names the file system of a directory: the longest mount point's, the last of several", () => {
    const mounts = [
      "overlay / overlay rw 0 0",
      "/dev/vda /var ext4 rw 0 0",
      "nfs /var/lib nfs4 rw 0 0",
      "tmpfs /var/lib tmpfs rw 0 0",
    ].join("\n");
    assert.equal(fileSystemOf("/var/lib/thanos-stack", mounts), "tmpfs");
    assert.equal(fileSystemOf("/variable", mounts), "overlay");
    assert.equal(fileSystemOf("/var/library", mounts), "ext4");
  });
});
