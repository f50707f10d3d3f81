import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROM_LABEL_PROXY_VERSION, PROMETHEUS_VERSION, THANOS_VERSION } from "../../model/values/versions";
import { isStaticElf } from "../../sandbox/elf";
import { buildArguments, buildKey, enginePrelude, GO_VERSION, TOOLS, type Tool, toolDirectory } from "../../sandbox/tools";

const INPUTS = { tool: TOOLS.thanos as Tool, sources: { "go.mod": "module a\n", "go.sum": "x\n" }, go: "go1.26.0\nlinux\namd64" };

describe("sandbox tools", () => {
  for (const tool of Object.values<Tool>(TOOLS)) {
    it(`${tool.name}: go.mod requires the version of the table, and no newer Go`, () => {
      const module = readFileSync(join(toolDirectory(tool), "go.mod"), "utf8");
      const required = new RegExp(`^(?:require )?\\s*${tool.module.replace(/\./g, "\\.")} (v\\S+)`, "m").exec(module)?.[1];
      assert.equal(required, tool.version);
      const [, major, minor] = /^go (\d+)\.(\d+)/m.exec(module) ?? [];
      assert.ok(Number(major) === GO_VERSION.major && Number(minor) <= GO_VERSION.minor, `go ${major}.${minor}`);
    });
  }

  it("builds the versions that the stack's images are named by", () => {
    assert.equal(TOOLS.thanos.version, `v${THANOS_VERSION}`);
    assert.ok(Object.values(TOOLS.thanos.variables).includes(THANOS_VERSION));
    assert.ok(Object.values(TOOLS.prometheus.variables).includes(PROMETHEUS_VERSION));
    assert.equal(TOOLS.promLabelProxy.version, `v${PROM_LABEL_PROXY_VERSION}`);
    const [major, minor, patch] = PROMETHEUS_VERSION.split(".");
    assert.equal(TOOLS.prometheus.version, `v0.${major}${minor?.padStart(2, "0")}.${patch}`);
  });

  it("passes tags and linker variables to the build", () => {
    assert.deepEqual(buildArguments(TOOLS.etcd), ["-trimpath", "-ldflags", "-s -w"]);
    assert.deepEqual(buildArguments(TOOLS.thanos), [
      ...["-trimpath", "-tags", "netgo,slicelabels"],
      ...["-ldflags", "-s -w -X github.com/prometheus/common/version.Version=0.42.4"],
    ]);
  });

  it("takes a PATH program only in the table's version", () => {
    const accepts = (tool: Tool, answer: string): boolean => tool.onPath?.version.test(answer) ?? false;
    assert.ok(accepts(TOOLS.thanos, "thanos, version 0.42.4 (branch: , revision: unknown)"));
    assert.ok(!accepts(TOOLS.thanos, "thanos, version 0.42.40 (branch: )"));
    assert.ok(accepts(TOOLS.pulumi, "v3.259.0"));
    assert.ok(!accepts(TOOLS.pulumi, "v3.24.0"));
    assert.ok(accepts(TOOLS.etcd, "etcd Version: 3.6.14\nGit SHA: x"));
    assert.ok(!accepts(TOOLS.etcd, "etcd Version: 3.5.21"));
  });

  it("gives equal inputs equal keys, in whatever order", () => {
    const reversed = Object.fromEntries(Object.entries(INPUTS.sources).reverse());
    assert.equal(buildKey({ ...INPUTS, sources: reversed }), buildKey(INPUTS));
    assert.match(buildKey(INPUTS), /^[0-9a-f]{16}$/);
  });

  it("gives every change of an input another key", () => {
    const keys = [
      INPUTS,
      { ...INPUTS, go: "go1.26.1\nlinux\namd64" },
      { ...INPUTS, sources: { ...INPUTS.sources, "go.sum": "y\n" } },
      { ...INPUTS, sources: { ...INPUTS.sources, "main.go": "" } },
      { ...INPUTS, sources: { "go.mod": "module a\nx\n", "go.sum": "" } },
      { ...INPUTS, tool: { ...INPUTS.tool, tags: ["netgo"] } },
      { ...INPUTS, tool: { ...INPUTS.tool, variables: {} } },
      { ...INPUTS, tool: { ...INPUTS.tool, programs: { thanos: "other" } } },
    ].map(buildKey);
    assert.equal(new Set(keys).size, keys.length);
  });

  it("lets the engine join groups that may be gone", () => {
    const script = enginePrelude("/cache/pulumi", ["/sys/fs/cgroup/a"]);
    assert.equal(
      script,
      '#!/bin/sh\ntest ! -d /sys/fs/cgroup/a || echo $$ > /sys/fs/cgroup/a/cgroup.procs || exit 1\nexec /cache/pulumi "$@"\n',
    );
  });
});

describe("sandbox ELF check", () => {
  function elf(types: readonly number[]): Buffer {
    const header = Buffer.alloc(64 + types.length * 56);
    header.write("\x7fELF", "latin1");
    header[4] = 2;
    header[5] = 1;
    header.writeBigUInt64LE(64n, 32);
    header.writeUInt16LE(56, 54);
    header.writeUInt16LE(types.length, 56);
    for (const [index, type] of types.entries()) header.writeUInt32LE(type, 64 + index * 56);
    return header;
  }

  it("calls a program without an interpreter static", () => assert.equal(isStaticElf(elf([1, 2])), true));
  it("calls a program with an interpreter dynamic", () => assert.equal(isStaticElf(elf([6, 3, 1])), false));
  it("calls nothing else static", () => {
    assert.equal(isStaticElf(Buffer.from("#!/bin/sh\n")), false);
    assert.equal(isStaticElf(elf([])), false);
    assert.equal(isStaticElf(elf([1]).subarray(0, 64)), false);
  });
});
