import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { manifestsOf } from "../../commands/manifests";
import { PROJECT_DIRECTORY } from "../../commands/program";
import { requestRows, requestsOf } from "../../commands/report/requests";
import { KUBERNETES_MINIMUM } from "../../model/kubernetes/version";
import { run, STACKS } from "../harness";
import { documents, inlineCode, readDocument, section, tableRows } from "./documents";

const read = (path: string): string => readFileSync(join(PROJECT_DIRECTORY, path), "utf8");
const json = <T>(path: string): T => JSON.parse(read(path)) as T;
const README = readDocument("README.md");

describe("README.md: requirements", () => {
  const row = (what: string) => tableRows(section(README.text, "Your own cluster")).find(([first]) => first === what)?.[1] ?? "";
  /** `3.182` of `>=3.182.0`. */
  const least = (range: string) => range.replace(/^>=/, "").split(".").slice(0, 2).join(".");

  it("are those of the program", () => {
    const { requiredPulumiVersion } = parse(read("Pulumi.yaml")) as { requiredPulumiVersion: string };
    const { engines } = json<{ engines: { node: string } }>("package.json");
    assert.match(row("Kubernetes"), new RegExp(`^${KUBERNETES_MINIMUM} or later`));
    assert.match(row("Pulumi CLI"), new RegExp(`^${least(requiredPulumiVersion)} or later`));
    assert.match(row("Node.js"), new RegExp(`^${least(engines.node)} or later`));
    const { text } = readDocument("docs/operations.md");
    assert.ok(text.includes(`**Kubernetes ${KUBERNETES_MINIMUM} or later**`));
    assert.ok(text.includes(`**Pulumi CLI ${least(requiredPulumiVersion)} or later**`));
  });

  it("are what a report of dev and prod says", async () => {
    const rows = tableRows(section(README.text, "Your own cluster")).filter((cells) => cells.length === 3);
    const documented = new Map(rows.map(([what = "", dev, prod]) => [what, [dev, prod]]));
    const said: string[][] = [];
    for (const stack of STACKS) {
      const resources = (await run(stack)).resources.filter(({ custom }) => custom);
      const requests = requestsOf(resources.map(({ type, name, inputs, options }) => ({ type, name, inputs, protect: options.protect })));
      // A row that a report leaves out is none.
      said.push([...documented.keys()].map((what) => requestRows(requests).find((each) => each.what === what)?.after ?? "none"));
      assert.equal(requestRows(requests).filter(({ what }) => documented.has(what)).length, requestRows(requests).length);
    }
    const figures = [...documented].filter(([what]) => what !== "these are").map(([, cells]) => cells);
    assert.deepEqual(
      figures,
      figures.map((_, index) => [said[0]?.[index], said[1]?.[index]]),
    );
    assert.ok(figures.length >= 5 && manifestsOf((await run("prod")).resources).length > 20);
  });
});

describe("documents: paths", () => {
  const ROOMS = new Set(
    readdirSync(PROJECT_DIRECTORY, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])),
  );
  /** A path of this repository in inline code: its first part is a directory of the repository, and nothing of it is left open. */
  const isPath = (code: string) => /^[\w.-]+(\/[\w.-]+)*\/?$/.test(code) && code.includes("/") && ROOMS.has(code.split("/")[0] ?? "");

  for (const document of documents()) {
    it(`${document.path}: every file and directory that it names exists`, () => {
      // `out` holds what commands write.
      const named = inlineCode(document.text).filter(
        (code) => isPath(code) && !code.startsWith("out/") && !code.startsWith("node_modules/"),
      );
      assert.deepEqual(
        named.filter((path) => !existsSync(join(PROJECT_DIRECTORY, path))),
        [],
      );
    });
  }
});

describe("CHANGELOG.md", () => {
  it("begins with what is unreleased, and then with the version of package.json, dated", () => {
    const releases = [...readDocument("CHANGELOG.md").text.matchAll(/^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$/gm)];
    const { version } = json<{ version: string }>("package.json");
    assert.equal(json<{ version: string }>("package-lock.json").version, version);
    assert.deepEqual(
      releases.slice(0, 2).map(([, name]) => name),
      ["Unreleased", version],
    );
    for (const [, name, date] of releases.slice(1)) assert.ok(date !== undefined, name);
  });
});

describe("docs/decisions.md", () => {
  const { text } = readDocument("docs/decisions.md");
  const decisions = [...text.matchAll(/^## (.+)\n\n(.*)$/gm)].map(([, heading = "", line = ""]) => ({ heading, line }));

  it("numbers decisions in the order in which they came, each with its date", () => {
    const dates = decisions.map(({ heading, line }, index) => {
      const [, number, date = ""] = /^_Decision (\d+), (\d{4}-\d{2}-\d{2})(?:; .+)?_$/.exec(line) ?? [];
      assert.equal(Number(number), index + 1, heading);
      return date;
    });
    assert.ok(dates.length > 40);
    assert.deepEqual(dates, [...dates].sort());
  });

  it("lists every decision by number", () => {
    const listed = [...text.matchAll(/^- (\d+): \[(.+)\]\(#/gm)].map(([, number, heading]) => `${number} ${heading}`);
    assert.deepEqual(listed.sort(), decisions.map(({ heading }, index) => `${index + 1} ${heading}`).sort());
  });
});

describe(".editorconfig", () => {
  it("says what Biome does", () => {
    const sections = new Map<string, Record<string, string>>();
    let name = "";
    for (const line of read(".editorconfig").split("\n")) {
      const [, heading] = /^\[(.+)\]$/.exec(line) ?? [];
      const [, key, value] = /^(\w+) = (.+)$/.exec(line) ?? [];
      if (heading !== undefined) name = heading;
      else if (key !== undefined) sections.set(name, { ...sections.get(name), [key]: value ?? "" });
    }
    const { formatter } = json<{ formatter: { indentStyle: string; indentWidth: number; lineWidth: number } }>("biome.json");
    assert.equal(sections.get("*")?.indent_style, formatter.indentStyle);
    assert.equal(sections.get("*")?.indent_size, String(formatter.indentWidth));
    assert.equal(sections.get("*.{ts,cjs,json}")?.max_line_length, String(formatter.lineWidth));
  });
});

describe(".github", () => {
  const FORMS = ".github/ISSUE_TEMPLATE";
  const forms = readdirSync(join(PROJECT_DIRECTORY, FORMS)).filter((name) => name !== "config.yml");

  it("has issue forms that GitHub takes", () => {
    assert.ok(forms.length > 1);
    for (const form of forms) {
      const { name, description, body } = parse(read(`${FORMS}/${form}`)) as {
        name?: string;
        description?: string;
        body: { type: string; id?: string; attributes: { label?: string; value?: string } }[];
      };
      assert.ok(name && description, form);
      const asked = body.filter(({ type }) => type !== "markdown");
      for (const { type, id, attributes } of asked) {
        assert.ok(["input", "textarea", "dropdown", "checkboxes"].includes(type), `${form}: ${type}`);
        assert.match(id ?? "", /^[\w-]+$/, form);
        assert.ok(attributes.label, form);
      }
      assert.equal(new Set(asked.map(({ id }) => id)).size, asked.length, form);
      for (const { attributes } of body.filter(({ type }) => type === "markdown")) assert.ok(attributes.value, form);
    }
  });

  it("gives owners to paths that exist, those that the documents rely on among them", () => {
    const owned = read(".github/CODEOWNERS")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const [path = "", ...owners] = line.split(/\s+/);
        assert.ok(owners.length > 0 && owners.every((owner) => owner.startsWith("@")), line);
        return path;
      });
    for (const path of owned) assert.ok(path.startsWith("/") && existsSync(join(PROJECT_DIRECTORY, path)), path);
    for (const path of ["/policy/exceptions.ts", "/.github/"]) assert.ok(owned.includes(path), path);
  });
});
