import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IMAGES as STACK_IMAGES } from "../../model/values/versions";
import { IMAGES, type Image, imageConfig, layerEntries, PAUSE_IMAGE, parseLdd, writeImage } from "../../sandbox/images";
import { SANDBOX_STACK_IMAGES } from "../../sandbox/stackImages";
import { tarHeader, writeTar } from "../../sandbox/tar";

const SOURCES = { programs: { thanos: process.execPath }, busybox: process.execPath, commands: ["busybox", "sh"], libraries: {} };
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

function imageNamed(name: string): Image {
  const image = IMAGES.find((candidate) => candidate.name === name);
  assert.ok(image, name);
  return image;
}

describe("sandbox images", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "images-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("has each image that the stack names, once", () => {
    const names = IMAGES.map((image) => image.name);
    assert.equal(new Set(names).size, names.length);
    for (const name of Object.values(SANDBOX_STACK_IMAGES)) assert.ok(names.includes(name), name);
  });

  it("gives its own images no digest of others", () => {
    assert.deepEqual(Object.keys(SANDBOX_STACK_IMAGES), Object.keys(STACK_IMAGES));
    for (const name of Object.values(SANDBOX_STACK_IMAGES)) assert.doesNotMatch(name, /@/);
    assert.ok(STACK_IMAGES.thanos.startsWith(`${SANDBOX_STACK_IMAGES.thanos}@`));
    assert.ok(STACK_IMAGES.prometheus.startsWith(`${SANDBOX_STACK_IMAGES.prometheus}@`));
    assert.equal(SANDBOX_STACK_IMAGES.promLabelProxy, STACK_IMAGES.promLabelProxy);
  });

  it("runs Thanos as 1001, Prometheus as 65534 in its own directory", () => {
    assert.equal(imageNamed(SANDBOX_STACK_IMAGES.thanos).user.id, 1001);
    const prometheus = imageNamed(SANDBOX_STACK_IMAGES.prometheus);
    assert.equal(prometheus.user.id, 65534);
    assert.equal(prometheus.workingDirectory, "/prometheus");
    const own = layerEntries(prometheus, { ...SOURCES, programs: {} }).find((entry) => entry.path === "prometheus");
    assert.deepEqual([own?.kind, own?.uid, own?.gid], ["directory", 65534, 65534]);
  });

  it("lets HAProxy end its requests, as the original does", () => {
    const haproxy = imageNamed(SANDBOX_STACK_IMAGES.haproxy);
    assert.equal(haproxy.user.id, 99);
    const { config } = imageConfig(haproxy, "0") as { config: { StopSignal?: string } };
    assert.equal(config.StopSignal, "SIGUSR1");
    const { config: other } = imageConfig(imageNamed(SANDBOX_STACK_IMAGES.thanos), "0") as { config: object };
    assert.ok(!("StopSignal" in other));
  });

  it("puts each directory before what is in it, each path once", () => {
    for (const image of IMAGES) {
      const seen = new Set<string>();
      for (const { path } of layerEntries(image, SOURCES)) {
        assert.ok(!seen.has(path), `${image.name} has ${path} twice`);
        const parent = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : undefined;
        assert.ok(parent === undefined || seen.has(parent), `${image.name} has ${path} before ${parent}`);
        seen.add(path);
      }
      for (const path of ["etc/passwd", "etc/group", "etc/ssl/certs/ca-certificates.crt", "tmp"])
        assert.ok(seen.has(path), `${image.name} lacks ${path}`);
    }
  });

  it("writes an archive whose digests are those of its parts", () => {
    const source = join(directory, "program");
    writeFileSync(source, Buffer.alloc(3_000_000, 7));
    const image: Image = { ...imageNamed(SANDBOX_STACK_IMAGES.thanos), shell: false };
    const entries = [
      { path: "bin", kind: "directory" as const },
      { path: "bin/thanos", kind: "file" as const, mode: 0o755, content: { from: source } },
      { path: "bin/t", kind: "symlink" as const, target: "thanos" },
    ];
    writeImage(join(directory, "image.tar"), join(directory, "layer"), image, entries);
    const unpacked = join(directory, "unpacked");
    mkdirSync(unpacked);
    execFileSync("tar", ["-xf", join(directory, "image.tar"), "-C", unpacked]);
    const [manifest] = JSON.parse(readFileSync(join(unpacked, "manifest.json"), "utf8"));
    assert.deepEqual(manifest.RepoTags, [image.name]);
    const config = readFileSync(join(unpacked, manifest.Config));
    assert.equal(manifest.Config, `${sha256(config)}.json`);
    const layer = readFileSync(join(unpacked, manifest.Layers[0]));
    assert.deepEqual(JSON.parse(config.toString()).rootfs.diff_ids, [`sha256:${sha256(layer)}`]);
    const listing = execFileSync("tar", ["-tvf", join(unpacked, manifest.Layers[0])], { encoding: "utf8" });
    assert.match(listing, /^drwxr-xr-x 0\/0 .* bin\/\n-rwxr-xr-x 0\/0 +3000000 .* bin\/thanos\nlrwxrwxrwx 0\/0 .* bin\/t -> thanos\n$/);
  });

  it("gives equal contents equal archives", () => {
    const entries = [{ path: "a", kind: "file" as const, content: Buffer.from("x") }];
    assert.equal(writeTar(join(directory, "1"), entries), writeTar(join(directory, "2"), entries));
    assert.equal(sha256(readFileSync(join(directory, "1"))), writeTar(join(directory, "2"), entries));
  });

  it("splits long paths where tar can join them, and refuses those that can't be", () => {
    const path = `${"d".repeat(90)}/${"e".repeat(60)}/${"f".repeat(80)}`;
    writeTar(join(directory, "long"), [{ path, kind: "file", content: Buffer.from("x") }]);
    assert.equal(execFileSync("tar", ["-tf", join(directory, "long")], { encoding: "utf8" }), `${path}\n`);
    assert.throws(() => tarHeader({ path: "x".repeat(120), kind: "file" }, 0), RangeError);
  });

  it("finds a program's libraries and loader in ldd's words", () => {
    const output = [
      "\tlinux-vdso.so.1 (0x00007f14)",
      "\tlibevent-2.1.so.7 => /tmp/root/usr/lib/libevent-2.1.so.7 (0x00007f14)",
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f145e1c4000)",
    ].join("\n");
    assert.deepEqual(parseLdd(output), {
      "lib/libevent-2.1.so.7": "/tmp/root/usr/lib/libevent-2.1.so.7",
      "lib64/ld-linux-x86-64.so.2": "/lib64/ld-linux-x86-64.so.2",
    });
  });

  it("doesn't let the pause image be named by a manifest", () => assert.match(PAUSE_IMAGE, /^localhost\//));
});
