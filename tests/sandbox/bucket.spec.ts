import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bucketAccess, bucketRuns, bucketServer, buckets, ensureBucket, startBucket, stopBucket } from "../../sandbox/bucket";
import { paths } from "../../sandbox/paths";
import { recordOf, runningDaemon, writeRecord } from "../../sandbox/processes";
import { status } from "../../sandbox/status";
import { bucketSteps } from "../../sandbox/up";

describe("sandbox bucket", () => {
  let where = paths();
  beforeEach(() => {
    where = paths({ THANOS_STACK_HOME: mkdtempSync(join(tmpdir(), "thanos-stack-")) });
  });
  afterEach(() => rmSync(where.home, { recursive: true, force: true }));

  it("is reached at the server's one address, whatever its name", () => {
    const { credentials, ...server } = bucketServer();
    assert.deepEqual(bucketAccess("made"), { bucket: "made", ...server, ...credentials });
    assert.equal(server.endpoint, "10.89.0.1:7070");
  });

  it("has a name that S3 takes", async () => {
    for (const name of ["ab", "A-bucket", "a_b_c", "-abc", "abc.", "a/../b", "a".repeat(64)])
      await assert.rejects(ensureBucket(name, where), /no name of a bucket/, name);
  });

  it("gets a step of its own before the update, where an environment has one", () => {
    assert.deepEqual(bucketSteps(undefined, where), []);
    assert.deepEqual(
      bucketSteps("prod-history", where).map(({ title }) => title),
      ["Bucket prod-history on the S3 server"],
    );
  });

  it("can't be started where none was ever made", async () => {
    await assert.rejects(startBucket(where), /has no bucket; `sandbox cluster bucket <name>` makes one/);
  });

  it("stays when its server is killed, and is listed as stopped", async () => {
    mkdirSync(join(where.buckets, "made"), { recursive: true });
    mkdirSync(join(where.buckets, ".sgwtmp"));
    const { spawn } = await import("node:child_process");
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    try {
      const record = recordOf(child.pid ?? 0);
      assert.ok(record);
      writeRecord(join(where.run, "versitygw.json"), record);
      writeRecord(join(where.run, "etcd.json"), record);
      assert.equal(bucketRuns(where), true);
      assert.match((await status(where)).text, /^made +running +10\.89\.0\.1:7070$/m);
      await stopBucket(where);
      assert.equal(bucketRuns(where), false);
      assert.equal(runningDaemon(where.run, "etcd"), undefined, "the very process was ended");
      assert.deepEqual(buckets(where), ["made"]);
      assert.match((await status(where)).text, /^made +stopped +10\.89\.0\.1:7070$/m);
      await stopBucket(where);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
