import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { loadConfig } from "../../config/load";
import { otherStacks, StackFileError, stackConfig, stackName, stackNames } from "../../config/stackFiles";
import { configOf, type Overrides, type Stack } from "../harness";

/** Stack files as people leave them. */
describe("stack files", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "stacks-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const write = (stack: string, text: string) => writeFileSync(join(directory, `Pulumi.${stack}.yaml`), text);

  describe("are read as the engine reads them", () => {
    it("with anchors, aliases and merge keys, one or several, own keys first", () => {
      write(
        "a",
        `config:
  thanos-stack:querier:
    resources: &small { cpu: 100m, memory: 512Mi }
  thanos-stack:receive:
    antiAffinity: &soft soft
    resources: { <<: *small, memory: 1Gi }
  thanos-stack:ruler:
    antiAffinity: *soft
    resources: { <<: [{ cpuLimit: "2" }, *small] }
`,
      );
      assert.deepEqual(stackConfig("a", directory), {
        "thanos-stack:querier": { resources: { cpu: "100m", memory: "512Mi" } },
        "thanos-stack:receive": { antiAffinity: "soft", resources: { cpu: "100m", memory: "1Gi" } },
        "thanos-stack:ruler": { antiAffinity: "soft", resources: { cpuLimit: "2", cpu: "100m", memory: "512Mi" } },
      });
    });

    it("with the shorter and the older form of a key", () => {
      write("a", "config:\n  namespace: x\n  thanos-stack:config:protect: false\n  aws:region: eu\n");
      assert.deepEqual(stackConfig("a", directory), { "thanos-stack:namespace": "x", "thanos-stack:protect": false, "aws:region": "eu" });
    });

    it("with numbers in every form that there is, as `pulumi config --json` shows them", () => {
      const numbers: Record<string, unknown> = {
        "1_000": 1000,
        "0777": 511,
        "0089": 89,
        "012345678901": 12345678901,
        "0o17": 15,
        "0x1F": 31,
        "-0x1F": -31,
        "0b101": 5,
        "1_000.5": 1000.5,
        "1.10": 1.1,
        "123456789012345678901": 123456789012345680000,
        "1e3": 1000,
        "12e03": 12000,
        "+5": 5,
        "-0": -0,
        ".5": 0.5,
        "2.": 2,
        "1:30": "1:30",
        "1.2.3": "1.2.3",
        no: "no",
        on: "on",
        y: "y",
        True: true,
        "~": null,
        '"0777"': "0777",
      };
      const lines = Object.keys(numbers).map((text, index) => `    k${index}: ${text}`);
      write("a", `config:\n  a:b:\n${lines.join("\n")}\n`);
      const expected = Object.fromEntries(Object.values(numbers).map((value, index) => [`k${index}`, value]));
      assert.deepEqual(stackConfig("a", directory), { "a:b": expected });
    });

    it("with nothing in them", () => {
      for (const text of ["", "config:\n", "encryptionsalt: v1:x\n"]) {
        write("a", text);
        assert.deepEqual(stackConfig("a", directory), {}, text);
      }
    });
  });

  const broken: { title: string; make: (stack: string) => void; reason: RegExp }[] = [
    {
      title: "conflict markers",
      make: (stack) =>
        write(stack, "config:\n<<<<<<< HEAD\n  thanos-stack:namespace: a\n=======\n  thanos-stack:namespace: b\n>>>>>>> main\n"),
      reason: /Implicit keys|Nested mappings|at line/,
    },
    {
      title: "a key twice",
      make: (stack) => write(stack, "config:\n  thanos-stack:namespace: a\n  thanos-stack:namespace: b\n"),
      reason: /Map keys must be unique/,
    },
    { title: "a tab", make: (stack) => write(stack, "config:\n\tthanos-stack:namespace: a\n"), reason: /[Tt]abs?/ },
    { title: "an alias of nothing", make: (stack) => write(stack, "config:\n  a:b: *none\n"), reason: /none/ },
    { title: "a list", make: (stack) => write(stack, "- a\n"), reason: /no map with `config`/ },
    { title: "a text", make: (stack) => write(stack, "hello\n"), reason: /no map with `config`/ },
    { title: "a config that is a list", make: (stack) => write(stack, "config: [a]\n"), reason: /`config` is no map/ },
    { title: "a directory of such a name", make: (stack) => mkdirSync(join(directory, `Pulumi.${stack}.yaml`)), reason: /EISDIR/ },
    {
      title: "a link to nothing",
      make: (stack) => symlinkSync(join(directory, "nowhere"), join(directory, `Pulumi.${stack}.yaml`)),
      reason: /no such file/,
    },
  ];
  for (const { title, make, reason } of broken) {
    it(`${title}: an error in one line that begins with the file's name, and no hindrance for others`, () => {
      write("own", "config: {}\n");
      write("other", "config: { thanos-stack:namespace: x }\n");
      make("old");
      assert.throws(
        () => stackConfig("old", directory),
        (error: Error) => {
          assert.ok(error instanceof StackFileError);
          assert.match(error.message, /^Pulumi\.old\.yaml: [^\n]+$/);
          assert.match(error.reason, reason);
          return true;
        },
      );
      const { configs, unreadable } = otherStacks("own", directory);
      assert.deepEqual(configs, { other: { "thanos-stack:namespace": "x" } });
      assert.deepEqual(
        unreadable.map(({ file }) => file),
        ["Pulumi.old.yaml"],
      );
    });
  }

  it("no error shows what stands in the line", () => {
    write("a", "config:\n  thanos-stack:x: hunter2: hunter3\n");
    assert.throws(
      () => stackConfig("a", directory),
      (error: Error) => !error.message.includes("hunter"),
    );
  });

  it("that are not there: the stacks that are", () => {
    write("dev", "");
    write("prod-eu.1", "");
    writeFileSync(join(directory, "Pulumi.yaml"), "name: x\n");
    assert.deepEqual(stackNames(directory), ["dev", "prod-eu.1"]);
    assert.throws(
      () => stackConfig("staging", directory),
      /^StackFileError: Pulumi\.staging\.yaml: there is no such file\. Stacks with a file: dev, prod-eu\.1\.$/,
    );
  });

  it("names are taken without organization and project, and none is an error", () => {
    assert.equal(stackName("dev", directory), "dev");
    assert.equal(stackName("acme/thanos-stack/dev", directory), "dev");
    write("dev", "");
    for (const given of ["", " ", "acme/thanos-stack/"])
      assert.throws(() => stackName(given, directory), /no stack is named\. Stacks with a file: dev\./, given);
  });

  /** Reads what the engine gives of a stack, beside the files of the directory. */
  const load = (stack: Stack, overrides: Overrides = {}) => {
    pulumi.runtime.setMocks(
      { newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: ({ inputs }) => inputs },
      "thanos-stack",
      stack,
    );
    const texts = Object.entries(configOf(stack, overrides)).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    pulumi.runtime.setAllConfig(Object.fromEntries(texts));
    return loadConfig(directory);
  };

  it("tell a text that is called null from nothing, of which the engine makes the same", () => {
    const nothing = /\n {2}- namespace = null: nothing is behind this key, which holds text\./;
    assert.throws(() => load("dev", { namespace: "null" }), nothing);
    for (const written of ["", "null", "~"]) {
      write("dev", `config:\n  thanos-stack:namespace: ${written}\n`);
      assert.throws(() => load("dev", { namespace: "null" }), nothing);
    }
    write("dev", 'config:\n  thanos-stack:namespace: "null"\n');
    assert.equal(load("dev", { namespace: "null" }).settings.namespace, "null");
  });

  describe("of other environments", () => {
    const PARTS = { storeGateway: { storage: { pvc: { size: "10Gi" } } }, compactor: { storage: { pvc: { size: "10Gi" } } } };
    const bucket: Overrides = { objectStorage: { ...PARTS, s3: { bucket: "blocks", endpoint: "s3.example" } } };

    it("that can't be read stop nobody: a warning names them and says what is not compared", () => {
      write("old", "config: [");
      const { warnings } = load("dev", bucket);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? "", /^Not checked whether that stack keeps its blocks in this one's bucket, .*: Pulumi\.old\.yaml: \S/);
    });

    it("are not spoken of where there is nothing to compare", () => {
      write("old", "config: [");
      assert.deepEqual(load("dev").warnings, []);
    });

    it("that keep their blocks in the same place are found also behind a merge key", () => {
      write("b", "base: &b { bucket: blocks }\nconfig:\n  thanos-stack:objectStorage: { s3: { <<: *b, endpoint: s3.example } }\n");
      assert.throws(() => load("dev", bucket), /stack b keeps its blocks in the same directory of the same bucket/);
    });
  });
});
