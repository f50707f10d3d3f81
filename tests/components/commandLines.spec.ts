import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_DIRECTORY } from "../../commands/program";
import { type Command, flagOf, isDeprecated, mistakes, newFlags } from "../../model/commandLine/flags";
import { PROMETHEUS_VERSION, THANOS_VERSION } from "../../model/values/versions";
import { containers, run, type Workload, workloads } from "../harness";
import { HISTORY, PLANS, PROD, SIDECAR } from "./plans";

/**
 * Mistakes of a command line by the flags that the program knows; empty where it would start. The program spells none that is deprecated.
 */
function mistakesOf(command: string, args: readonly string[]): string[] {
  const known = command as Command;
  const version = command === "prometheus" ? PROMETHEUS_VERSION : THANOS_VERSION;
  return [
    ...mistakes(known, args, version).map(({ index, rule }) => `${args[index]}: ${rule}`),
    ...args.flatMap((arg) => {
      const { name = "" } = flagOf(arg) ?? {};
      if (isDeprecated(known, name)) return [`${arg}: --${name} is deprecated`];
      // Kubernetes starts the process without a shell, so quotes would be part of the value: right for a text of Go's and for JSON.
      return /["' ]/.test(arg) && !["label", "selector.relabel-config"].includes(name) ? [`${arg}: quotes or spaces`] : [];
    }),
  ];
}

/** The programs that the containers of a pod run, and their flags. */
function commandLines(workload: Workload): { command: string; args: string[] }[] {
  if (workload.kind === "Job") return [];
  return containers(workload).flatMap(({ image, args = [] }) => {
    if (image.includes("/prometheus/")) return [{ command: "prometheus", args }];
    const [subcommand = "", ...flags] = args;
    return image.includes("/thanos/") ? [{ command: `thanos ${subcommand}`, args: flags }] : [];
  });
}

describe("command lines", () => {
  for (const { title, stack, overrides } of PLANS) {
    it(`${title}: every flag is one that Thanos ${THANOS_VERSION} and Prometheus ${PROMETHEUS_VERSION} know`, async () => {
      const lines = workloads(await run(stack, overrides)).flatMap(commandLines);
      assert.ok(lines.length >= 3);
      for (const { command, args } of lines) {
        assert.deepEqual(mistakesOf(command, args), []);
        const unknownBefore = args.filter((arg) => newFlags(command as Command).includes(flagOf(arg)?.name ?? arg));
        assert.deepEqual(unknownBefore, [], `${command} of Thanos 0.41, where an upgrade begins`);
      }
    });
  }

  it("the check finds what is removed, deprecated, misspelt, quoted or incomplete", () => {
    const cases: [string, string[], RegExp][] = [
      ["thanos query", ["--store=dnssrv+_grpc._tcp.stores"], /has no flag --store/],
      ["thanos query", ["--endpoint=a:10901"], /deprecated/],
      ["thanos receive", ["--shipper.ignore-unequal-block-size"], /has no flag/],
      ["thanos receive", ["--tsdb.enable-native-histograms"], /deprecated/],
      ["thanos receive", ["--tsdb.path"], /takes a value/],
      ["thanos receive", ["--tsdb.path="], /takes a value/],
      ["thanos receive", ["--enable-auto-gomemlimit=true"], /takes no value/],
      ["thanos receive", ['--receive.local-endpoint="a:10901"'], /quotes/],
      ["thanos receive", ["--tsdb.path=/a", "--tsdb.path=/b"], /given twice/],
      ["prometheus", ["--storage.tsdb.paths=/a"], /has no flag/],
    ];
    for (const [command, args, expected] of cases) assert.match(mistakesOf(command, args).join("\n"), expected);
    assert.deepEqual(mistakesOf("thanos receive", ['--label=a="b"', '--label=c="d"']), []);
  });

  it("the list of flags is that of the pinned versions", () => {
    assert.match(
      readFileSync(join(PROJECT_DIRECTORY, "model/commandLine/README.md"), "utf8"),
      new RegExp(`Thanos ${THANOS_VERSION.replaceAll(".", "\\.")} and Prometheus ${PROMETHEUS_VERSION.replaceAll(".", "\\.")} `),
    );
  });

  it("processes keep below their memory limit by themselves", async () => {
    for (const { stack, overrides } of [PROD, HISTORY, SIDECAR]) {
      for (const { command, args } of workloads(await run(stack, overrides)).flatMap(commandLines)) {
        const flag = command === "prometheus" ? "--auto-gomemlimit.ratio=0.9" : "--enable-auto-gomemlimit";
        assert.ok(args.includes(flag), command);
      }
    }
  });
});
