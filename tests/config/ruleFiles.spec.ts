import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parse } from "yaml";
import { PROJECT_DIRECTORY } from "../../commands/program";
import { GATEWAY } from "../components/plans";
import { load, objects, rejection, run } from "../harness";

const RULES = "groups: [{ name: g, rules: [{ alert: A, expr: vector(1) }, { record: a:b, expr: vector(1) }] }]\n";

describe("config: rule files", () => {
  let directory: string;
  beforeEach(() => {
    // Within the repository, in a directory that is never committed.
    mkdirSync(join(PROJECT_DIRECTORY, "out"), { recursive: true });
    directory = mkdtempSync(join(PROJECT_DIRECTORY, "out", "rules-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const write = (name: string, text: string = RULES) => writeFileSync(join(directory, name), text);
  const withFolder = () => ({ prometheus: { ruleFolder: relative(PROJECT_DIRECTORY, directory) } });

  /** Lines about the directory, by the value that each is about. */
  async function refusals(): Promise<Record<string, string>> {
    const { problems } = await rejection("dev", withFolder());
    return Object.fromEntries(
      problems.map((line) => {
        const [, name = "", rest = ""] = /^ {2}- prometheus\.ruleFolder = "(.*?)": (.*)$/s.exec(line) ?? [];
        return [name, rest];
      }),
    );
  }

  it("are read by name, *.yaml and *.yml", async () => {
    write("b.yaml");
    write("a.yml", "groups: [] # first\n");
    write("a.yaml", "groups: [] # another\n");
    write("README.md", "not rules");
    write(".hidden", "not rules");
    const { rules, ruleCount } = await load("dev", withFolder());
    assert.deepEqual(rules, { "a.yaml": "groups: [] # another\n", "a.yml": "groups: [] # first\n", "b.yaml": RULES });
    assert.deepEqual(Object.keys(rules), ["a.yaml", "a.yml", "b.yaml"]);
    assert.equal(ruleCount, 2);
  });

  it("of the stack's own, those of the gateway are for environments that have one; a directory of one's own is taken whole", async () => {
    const own = "gateway.yaml";
    assert.ok(!(own in (await load("dev")).rules));
    assert.ok(own in (await load(GATEWAY.stack, GATEWAY.overrides)).rules);
    const absent = "gateway-absent.yaml";
    assert.ok(absent in (await load(GATEWAY.stack, GATEWAY.overrides)).rules);
    // A shard has the gateway's targets or not; rulers see all of them.
    const sharded = { ...GATEWAY.overrides, prometheus: { shards: 2 } };
    assert.ok(!(absent in (await load(GATEWAY.stack, sharded)).rules));
    assert.ok(absent in (await load(GATEWAY.stack, { ...sharded, ruler: {} })).rules);
    write(own);
    assert.deepEqual(Object.keys((await load("dev", withFolder())).rules), [own]);
  });

  it("are loaded by whoever evaluates them, whatever their ending", async () => {
    const server = objects(await run("dev"), "ConfigMap").find(({ data }) => data["prometheus.yml"] !== undefined);
    const { rule_files } = parse(server?.data["prometheus.yml"] ?? "") as { rule_files: string[] };
    assert.deepEqual(rule_files, ["/etc/prometheus/rules/*.yaml", "/etc/prometheus/rules/*.yml"]);
    const ruler = objects(await run("dev", { ruler: { replicas: 1, antiAffinity: "soft" } }), "StatefulSet");
    const args = ruler.find(({ metadata }) => metadata.name === "thanos-ruler")?.spec.template.spec.containers[0]?.args ?? [];
    assert.deepEqual(
      args.filter((arg) => arg.startsWith("--rule-file=")),
      ["--rule-file=/etc/thanos/rules/*.yaml", "--rule-file=/etc/thanos/rules/*.yml"],
    );
  });

  it("none is left out in silence: whatever else is there is refused by name", async () => {
    write("a.yaml");
    write("D.YAML");
    write("rules.txt");
    write("b.yml.bak");
    write("OWNERS", "me");
    write("with space.yaml");
    mkdirSync(join(directory, "sub"));
    write("sub/c.yaml");
    symlinkSync(join(directory, "nothing"), join(directory, "dangling.yaml"));
    const found = await refusals();
    assert.deepEqual(Object.keys(found).sort(), ["D.YAML", "OWNERS", "b.yml.bak", "dangling.yaml", "rules.txt", "sub", "with space.yaml"]);
    assert.match(found["D.YAML"] ?? "", /only files that end in \.yaml or \.yml.*left out/);
    assert.match(found.sub ?? "", /a directory within the directory.*in the directory itself/);
    assert.match(found["with space.yaml"] ?? "", /key of a ConfigMap/);
    assert.match(found["dangling.yaml"] ?? "", /can't be read/);
  });

  it("are refused where they are not YAML, or not rule files, each by name and without a word of what is in them", async () => {
    write("broken.yaml", "a: secret-line\ngroups: [");
    write("empty.yaml", "");
    write("other.yaml", "rules: []\n");
    write("tests.yml", "rule_files: [a.yaml]\ntests: []\n");
    const found = await refusals();
    assert.deepEqual(Object.keys(found).sort(), ["broken.yaml", "empty.yaml", "other.yaml", "tests.yml"]);
    assert.match(found["broken.yaml"] ?? "", /^not YAML \(line \d/);
    assert.doesNotMatch(JSON.stringify(found), /secret-line/);
    write("operator.yaml", `kind: PrometheusRule\nspec:\n${RULES.replaceAll(/^/gm, "  ")}`);
    assert.match((await refusals())["operator.yaml"] ?? "", /Accepted: what is below `spec`, as a file of its own/);
    for (const name of ["empty.yaml", "other.yaml", "tests.yml"]) assert.match(found[name] ?? "", /^a rule file has `groups`/);
  });

  it("are so whatever they are called, and in UTF-8", async () => {
    write("README.yaml");
    write("none.yaml", "groups:\n");
    const { rules, ruleCount } = await load("dev", withFolder());
    assert.deepEqual(Object.keys(rules), ["README.yaml", "none.yaml"]);
    assert.equal(ruleCount, 2);
    write("Readme.YML");
    writeFileSync(join(directory, "latin.yaml"), Buffer.from(RULES.replace("A", "caf\xe9"), "latin1"));
    const found = await refusals();
    assert.deepEqual(Object.keys(found).sort(), ["Readme.YML", "latin.yaml"]);
    assert.match(found["latin.yaml"] ?? "", /not UTF-8.* Accepted: the file in UTF-8/);
  });

  it("have no characters that Prometheus' reader of YAML refuses a whole file for, in comments either", async () => {
    // By promtool 3.14: each of the first is "control characters are not allowed", the others are taken.
    const refused = { nul: "\0", bell: "\x07", vt: "\v", esc: "\x1b", del: "\x7f", c1: "\x81", fffe: "\ufffe", ffff: "\uffff" };
    const taken = { nel: "\x85", ls: "\u2028", bom: "\ufeff", astral: "\u{1f600}", nonchar: "\u{1ffff}", tab: "\t", cr: "\r" };
    for (const [name, character] of Object.entries({ ...refused, ...taken })) write(`${name}.yaml`, `# a ${character}\n${RULES}`);
    const found = await refusals();
    assert.deepEqual(
      Object.keys(found).sort(),
      Object.keys(refused)
        .map((name) => `${name}.yaml`)
        .sort(),
    );
    assert.match(found["esc.yaml"] ?? "", /^.*refuse.* U\+001B \(line 1\).* Accepted: the file without it/);
  });

  it("have names that a ConfigMap's key may have, no longer either", async () => {
    const name = `${"a".repeat(249)}.yaml`;
    write(name);
    assert.match((await refusals())[name] ?? "", /key of a ConfigMap.* Accepted: at most 253 letters/);
  });

  it("are within this repository, by whatever way they are named", async () => {
    const outside = mkdtempSync(join(tmpdir(), "rules-"));
    writeFileSync(join(outside, "far.yaml"), RULES);
    try {
      symlinkSync(join(outside, "far.yaml"), join(directory, "near.yaml"));
      assert.match((await refusals())["near.yaml"] ?? "", /not in this repository/);
      symlinkSync(outside, join(directory, "link"));
      const { message } = await rejection("dev", { prometheus: { ruleFolder: `${relative(PROJECT_DIRECTORY, directory)}/link` } });
      assert.match(message, /link": the directory is not in this repository/);
      for (const ruleFolder of [outside, relative(PROJECT_DIRECTORY, outside), "rules/../..", "a\\b", ""]) {
        assert.match(
          (await rejection("dev", { prometheus: { ruleFolder } })).message,
          /a directory of this repository, relative to it/,
          ruleFolder,
        );
      }
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it("may be links to others of this repository", async () => {
    symlinkSync(join(PROJECT_DIRECTORY, "rules", "thanos-stack.yaml"), join(directory, "own.yaml"));
    assert.ok("own.yaml" in (await load("dev", withFolder())).rules);
  });

  it("a directory without a rule is a warning, where rules are evaluated", async () => {
    write("a.yaml", "groups: []\n");
    const warned = (made: { messages: string[] }) => made.messages.filter((message) => /there is no rule in out\/rules-/.test(message));
    assert.equal(warned(await run("dev", withFolder())).length, 1);
    assert.equal(warned(await run("dev", { ...withFolder(), ruler: { replicas: 1, antiAffinity: "soft" } })).length, 1);
    write("b.yaml");
    assert.deepEqual(warned(await run("prod", withFolder())), []);
  });

  it("of this repository are the ones that Prometheus gets", async () => {
    const { rules } = await load("prod");
    assert.ok("thanos-stack.yaml" in rules);
  });
});
