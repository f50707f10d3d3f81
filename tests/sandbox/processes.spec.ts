import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hierarchies } from "../../sandbox/cgroups";
import { controlPlaneEnded } from "../../sandbox/controlPlane";
import { takeLock } from "../../sandbox/lock";
import { paths } from "../../sandbox/paths";
import {
  isRunning,
  killDaemon,
  readRecord,
  recordedDaemons,
  recordOf,
  runningDaemon,
  startTime,
  writeRecord,
} from "../../sandbox/processes";

describe("sandbox processes", () => {
  let directory: string;
  let child: ChildProcess;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "processes-"));
    child = spawn("sleep", ["1000"]);
    await once(child, "spawn");
  });
  afterEach(() => {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true });
  });

  function ownRecord() {
    const record = recordOf(child.pid ?? -1);
    assert.ok(record);
    return record;
  }

  it("reads the start time behind a name with spaces and parentheses", () => {
    const fields = Array.from({ length: 50 }, (_, index) => String(index + 4));
    assert.equal(startTime(`12 (a) b (c)) S ${fields.join(" ")}`), "22");
    assert.equal(startTime(`12 (x) Z ${fields.join(" ")}`), undefined);
  });

  it("knows a running process by its record", () => assert.equal(isRunning(ownRecord()), true));

  it("doesn't take another process under the same id for it", () => {
    const record = ownRecord();
    assert.equal(isRunning({ ...record, startTime: String(Number(record.startTime) - 1) }), false);
    assert.equal(isRunning({ ...record, boot: "another" }), false);
  });

  it("tells which program of the control plane has ended, of however many", () => {
    const where = paths({ THANOS_STACK_HOME: directory });
    const programs = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
    for (const name of programs) writeRecord(join(where.run, `${name}.json`), ownRecord());
    assert.equal(controlPlaneEnded(where), undefined);
    for (const name of programs.slice(1)) {
      const path = join(where.run, `${name}.json`);
      writeRecord(path, { ...ownRecord(), startTime: "1" });
      assert.match(
        controlPlaneEnded(where) ?? "",
        new RegExp(`^${name} has ended \\(.*${name}\\.log says why\\), and .make up. starts it again$`),
      );
      writeRecord(path, ownRecord());
    }
  });

  it("kills a recorded daemon and forgets it", async () => {
    writeRecord(join(directory, "sleep.json"), ownRecord());
    assert.deepEqual(recordedDaemons(directory), ["sleep"]);
    assert.ok(runningDaemon(directory, "sleep"));
    const ended = once(child, "exit");
    await killDaemon(directory, "sleep");
    assert.deepEqual(await ended, [null, "SIGKILL"]);
    assert.deepEqual(recordedDaemons(directory), []);
  });

  it("doesn't kill what got the id of a daemon that ended", async () => {
    writeRecord(join(directory, "sleep.json"), { ...ownRecord(), startTime: "1" });
    await killDaemon(directory, "sleep");
    assert.equal(isRunning(ownRecord()), true);
  });

  it("takes a damaged record for none", () => {
    for (const text of ["", "{", "null", '{"pid":"1"}', '{"pid":1,"startTime":2,"boot":"x"}']) {
      writeFileSync(join(directory, "x.json"), text);
      assert.equal(readRecord(join(directory, "x.json")), undefined, text);
    }
  });

  it("refuses a lock that a running process holds, and names what that is doing", () => {
    const path = join(directory, "lock");
    writeFileSync(path, JSON.stringify({ ...ownRecord(), what: "make up" }));
    assert.throws(() => takeLock(path, "make down"), new RegExp(`\`make up\` is running \\(process ${child.pid}\\)`));
  });

  it("takes over the lock of a process that ended", () => {
    const path = join(directory, "lock");
    writeFileSync(path, JSON.stringify({ ...ownRecord(), startTime: "1", what: "make up" }));
    takeLock(path, "make down");
    assert.equal(JSON.parse(readFileSync(path, "utf8")).pid, process.pid);
    assert.ok(existsSync(path));
  });
});

describe("sandbox control groups", () => {
  it("finds hierarchies of both versions with their controllers", () => {
    const mounts = [
      "tmpfs /sys/fs/cgroup tmpfs rw 0 0",
      "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0",
      "cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0",
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0",
    ].join("\n");
    assert.deepEqual(hierarchies(mounts), [
      { mountPoint: "/sys/fs/cgroup/cpu,cpuacct", version: 1, controllers: ["cpu", "cpuacct"] },
      { mountPoint: "/sys/fs/cgroup/systemd", version: 1, controllers: [] },
      { mountPoint: "/sys/fs/cgroup/unified", version: 2, controllers: [] },
    ]);
  });
});
