import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import * as ts from "typescript";

/** The arrows of the design: which part may import which. Imports are read from the syntax tree, so text and comments do not count. */

const ROOT = resolve(__dirname, "..");
/** Directories of the product, as far as they exist. */
const PRODUCT = ["config", "components", "objects", "model", "gates", "outputs", "clients", "commands", "policy"].filter((directory) =>
  existsSync(join(ROOT, directory)),
);

/** The files that join the rooms of the model: everything of a stack. */
const ON_TOP = [
  "acceptedRisks",
  "availabilityPlan",
  "capacityPlan",
  "nameRules",
  "objectSizes",
  "outputs",
  "plan",
  "podVolumes",
  "rules",
  "sizing",
  "warnings",
];
/** The rooms of the model, from the ground up: each with those that it imports, types among them. */
const ROOMS: Record<string, string[]> = {
  values: [],
  settings: ["values"],
  kubernetes: ["settings", "values"],
  tls: ["kubernetes", "settings", "values"],
  commandLine: ["kubernetes", "settings", "values"],
  telemetry: ["kubernetes", "settings", "values"],
  reads: ["settings", "values"],
  retention: ["settings", "values"],
  bucket: ["kubernetes", "reads", "retention", "settings", "telemetry", "tls", "values"],
  ring: ["bucket", "kubernetes", "reads", "retention", "settings", "telemetry", "tls", "values"],
  query: ["kubernetes", "reads", "settings", "telemetry", "tls", "values"],
  prometheus: ["bucket", "kubernetes", "reads", "settings", "telemetry", "tls", "values"],
  credentials: ["commandLine", "prometheus", "settings", "values"],
  ruler: ["bucket", "kubernetes", "prometheus", "reads", "retention", "settings", "telemetry", "tls", "values"],
  gateway: ["kubernetes", "ring", "settings", "tls", "values"],
  network: ["bucket", "kubernetes", "prometheus", "ring", "settings", "values"],
  availability: ["ring", "settings", "values"],
  capacity: ["kubernetes", "reads", "settings", "values"],
};

interface Import {
  /** Path from the project's directory for own files, without extension; the package or builtin otherwise. */
  target: string;
  /** The import as it is written. */
  name: string;
  own: boolean;
  typeOnly: boolean;
  /** Whether it is loaded when a function of the file asks for it, and not with the file. */
  lazy: boolean;
}

interface SourceFile {
  path: string;
  syntax: ts.SourceFile;
  imports: Import[];
}

function parseText(path: string, text: string): SourceFile {
  const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const imports: Import[] = [];
  const add = (specifier: ts.Expression | undefined, typeOnly: boolean, lazy = false) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const { text: name } = specifier;
    const own = name.startsWith(".");
    const target = own ? relative(ROOT, resolve(ROOT, dirname(path), name)).replace(/\.ts$/, "") : packageOf(name);
    imports.push({ target: own && isDirectory(target) ? `${target}/index` : target, name, own, typeOnly, lazy });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, importsTypesOnly(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal as ts.Expression, true);
    else if (ts.isCallExpression(node)) {
      const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword;
      const isRequire = ts.isIdentifier(node.expression) && node.expression.text === "require";
      if (isImport || isRequire) add(node.arguments[0], false, ts.findAncestor(node, ts.isFunctionLike) !== undefined);
    }
    ts.forEachChild(node, visit);
  };
  visit(syntax);
  return { path, syntax, imports };
}

function importsTypesOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.isTypeOnly) return true;
  const { name, namedBindings } = importClause;
  return (
    name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.length > 0 &&
    namedBindings.elements.every((element) => element.isTypeOnly)
  );
}

const packageOf = (name: string): string =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
const isDirectory = (path: string): boolean => existsSync(join(ROOT, path, "index.ts"));

function filesIn(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

const manifest = () =>
  JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { main: string; dependencies: Record<string, string> };
const read = (path: string): SourceFile => parseText(path, readFileSync(join(ROOT, path), "utf8"));
const product = [...PRODUCT.flatMap(filesIn), "index.ts"].map(read);
const inDirectory = (directory: string) => product.filter(({ path }) => path.startsWith(`${directory}/`));
const isBuiltin = (name: string) => name.startsWith("node:") || builtinModules.includes(name);

/** How many components a file defines. */
const componentsIn = ({ syntax }: SourceFile): number =>
  syntax.statements.filter(
    (statement) =>
      ts.isClassDeclaration(statement) &&
      statement.heritageClauses?.some(({ types }) =>
        types.some(({ expression }) => expression.getText(syntax) === "pulumi.ComponentResource"),
      ),
  ).length;

/** Imports of a file that a rule does not allow, as sentences. */
const forbidden = (file: SourceFile, allowed: (each: Import) => boolean): string[] =>
  file.imports.filter((each) => !allowed(each)).map((each) => `${file.path} imports ${each.target}${each.typeOnly ? " (types)" : ""}`);

/** Where a file reads what only the configuration may: the environment, the engine's configuration. */
function ambient(file: SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) {
      const text = node.getText(file.syntax);
      if (/^process\.(env|cwd|argv)$/.test(text) || /^pulumi\.(Config|runtime)$/.test(text)) found.push(`${file.path} reads ${text}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file.syntax);
  return found;
}

/** The room of a file or of what it imports; undefined for what joins the rooms. */
const roomOf = (path: string): string | undefined => /^model\/([^/]+)\//.exec(path)?.[1];

/** Each room with the rooms that it imports; what joins the rooms counts as `top`. */
function arrowsBetweenRooms(): Record<string, string[]> {
  const arrows = new Map<string, Set<string>>();
  for (const { path, imports } of inDirectory("model")) {
    const from = roomOf(path);
    if (from === undefined) continue;
    const to = arrows.get(from) ?? new Set();
    arrows.set(from, to);
    for (const { target } of imports.filter(({ own }) => own)) if (roomOf(target) !== from) to.add(roomOf(target) ?? "top");
  }
  return Object.fromEntries([...arrows].map(([room, rooms]) => [room, [...rooms].sort()]));
}

const MACHINE = ["node:fs", "node:fs/promises", "node:os", "node:child_process", "node:net", "node:http", "node:https", "fs", "os"];
const touchesMachine = (each: Import) => MACHINE.includes(each.target);

describe("architecture", () => {
  it("model: nothing of Pulumi, only other model files, builtins, zod and yaml", () => {
    const allowed = ({ target, own, typeOnly }: Import) =>
      !target.startsWith("@pulumi/") &&
      (own ? target.startsWith("model/") : typeOnly || isBuiltin(target) || target === "zod" || target === "yaml");
    assert.deepEqual(
      inDirectory("model").flatMap((file) => forbidden(file, allowed)),
      [],
    );
    assert.ok(inDirectory("model").length > 10);
  });

  it("model: a room imports those that are written here, all of them below it, and never what joins them on top", () => {
    assert.deepEqual(arrowsBetweenRooms(), ROOMS);
    const rooms = Object.keys(ROOMS);
    assert.deepEqual(
      rooms.flatMap((room) => ROOMS[room]?.filter((below) => rooms.indexOf(below) >= rooms.indexOf(room)) ?? []),
      [],
    );
    assert.deepEqual(
      inDirectory("model").flatMap(({ path }) => (roomOf(path) === undefined ? [path] : [])),
      ON_TOP.map((name) => `model/${name}.ts`),
    );
  });

  it("model: the rooms are those of docs/architecture.md, in its order", () => {
    const page = readFileSync(join(ROOT, "docs/architecture.md"), "utf8").replace(/\s+/g, " ");
    const [, listed = ""] = /from the ground up: (.*?)\. A domain has/.exec(page) ?? [];
    const rooms = listed
      .replace(/ \([^)]*\)/g, "")
      .replace("command line", "commandLine")
      .split(/, | and /);
    assert.deepEqual(rooms, Object.keys(ROOMS));
  });

  it("model: directories import each other in no circle, those within a room too", () => {
    const arrows = new Map<string, Set<string>>();
    for (const { path, imports } of inDirectory("model"))
      for (const { target } of imports.filter(({ own }) => own))
        if (dirname(target) !== dirname(path)) arrows.set(dirname(path), (arrows.get(dirname(path)) ?? new Set()).add(dirname(target)));
    const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
      [...(arrows.get(from) ?? [])].some((next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))));
    assert.ok(arrows.size > Object.keys(ROOMS).length, "the check sees no directories within rooms");
    assert.deepEqual(
      [...arrows.keys()].filter((directory) => reaches(directory, directory)),
      [],
    );
  });

  it("components: one component a file, of model, objects, Pulumi and yaml; of other components only types", () => {
    const allowed = ({ target, own, typeOnly }: Import) =>
      own
        ? target.startsWith("model/") || target.startsWith("objects/") || (typeOnly && /^(components|gates)\//.test(target))
        : target.startsWith("@pulumi/") || target === "yaml";
    const files = inDirectory("components");
    assert.deepEqual(
      files.flatMap((file) => forbidden(file, allowed)),
      [],
    );
    assert.deepEqual(
      files.filter((file) => componentsIn(file) !== 1).map(({ path }) => path),
      [],
    );
    assert.ok(files.length > 5);
  });

  it("objects: model, Pulumi, what makes certificates, and types of gates", () => {
    const allowed = ({ target, own, typeOnly }: Import) =>
      own
        ? /^(objects|model)\//.test(target) || (typeOnly && target.startsWith("gates/"))
        : target.startsWith("@pulumi/") || ["node:crypto", "reflect-metadata", "@peculiar/x509"].includes(target);
    const files = inDirectory("objects");
    assert.deepEqual(
      files.flatMap((file) => forbidden(file, allowed)),
      [],
    );
    assert.ok(files.length > 1);
  });

  it("config: model, Pulumi, builtins, zod and yaml", () => {
    const allowed = ({ target, own }: Import) =>
      own ? /^(config|model)\//.test(target) : target === "@pulumi/pulumi" || isBuiltin(target) || target === "zod" || target === "yaml";
    assert.deepEqual(
      inDirectory("config").flatMap((file) => forbidden(file, allowed)),
      [],
    );
  });

  it("config alone reads the engine's configuration, the environment and files", () => {
    const others = [...inDirectory("components"), ...inDirectory("objects"), ...inDirectory("model"), read("index.ts")];
    assert.deepEqual(
      others.flatMap((file) => [...ambient(file), ...forbidden(file, (each) => !touchesMachine(each))]),
      [],
    );
    const config = inDirectory("config");
    assert.ok(config.flatMap(ambient).length > 0, "the check sees no environment");
    assert.ok(
      config.some(({ imports }) => imports.some(touchesMachine)),
      "the check sees no files",
    );
  });

  it("index.ts alone imports both the configuration and components", () => {
    const both = product.filter(({ imports }) => {
      const components = imports.filter(({ own, target }) => own && target.startsWith("components/"));
      return components.length > 0 && imports.some(({ own, target }) => own && target.startsWith("config/"));
    });
    assert.deepEqual(
      both.map(({ path }) => path),
      ["index.ts"],
    );
  });

  it("index.ts is imported by nobody, and run by start/ and by commands/program.ts", () => {
    const importers = product.filter(({ imports }) => imports.some(({ own, target }) => own && target === "index"));
    assert.deepEqual(
      importers.map(({ path }) => path),
      [],
    );
  });

  it("the product imports neither the sandbox nor tests, examples or what makes documents", () => {
    const allowed = ({ own, target }: Import) => !own || !/^(sandbox|tests|examples|docs)\b/.test(target);
    assert.deepEqual(
      product.flatMap((file) => forbidden(file, allowed)),
      [],
    );
  });

  it("outputs imports nothing but @pulumi/pulumi, so that it can be copied alone", () => {
    const allowed = ({ own, target }: Import) => !own && target === "@pulumi/pulumi";
    assert.deepEqual(
      inDirectory("outputs").flatMap((file) => forbidden(file, allowed)),
      [],
    );
  });

  it("start: swc, the SDK and builtins, which are loaded before the program; what Pulumi runs is start/index.cjs", () => {
    const files = readdirSync(join(ROOT, "start"))
      .filter((name) => name.endsWith(".cjs"))
      .map((name) => read(`start/${name}`));
    const allowed = ({ own, target }: Import) =>
      own ? target.startsWith("start/") : isBuiltin(target) || ["@swc/core", "@pulumi/pulumi"].includes(target);
    assert.deepEqual(
      files.flatMap((file) => forbidden(file, allowed)),
      ["start/index.cjs imports index"],
    );
    const { main, dependencies } = manifest();
    assert.equal(main, "start/index.cjs");
    for (const name of ["@swc/core", "@pulumi/pulumi"]) assert.ok(name in dependencies, `${name} is no dependency`);
  });

  it("the product needs at run time only packages of dependencies", () => {
    const { dependencies } = manifest();
    const deployed = product.filter(({ path }) => /^(index\.ts|config|components|objects|model|gates|outputs)/.test(path));
    const reached = reachable(deployed);
    const allowed = ({ own, typeOnly, target }: Import) => own || typeOnly || isBuiltin(target) || target in dependencies;
    assert.deepEqual(
      reached.flatMap((file) => forbidden(file, allowed)),
      [],
    );
  });

  it("the program loads no client of Kubernetes by itself, which takes nearly a second of every preview", () => {
    const clients = ["@kubernetes/client-node", "ws"];
    const loaded = reachable([read("index.ts")], ({ lazy }) => !lazy);
    assert.deepEqual(
      loaded.flatMap((file) => forbidden(file, ({ target, typeOnly, lazy }) => typeOnly || lazy || !clients.includes(target))),
      [],
    );
    const asked = reachable([read("index.ts")]).flatMap(({ imports }) => imports.map(({ target }) => target));
    assert.ok(
      clients.every((name) => asked.includes(name)),
      "the check sees no client",
    );
  });

  it("the program loads the kinds of Kubernetes that it uses, and not all of @pulumi/kubernetes", () => {
    const ofKubernetes = reachable([read("index.ts")]).flatMap((file) =>
      file.imports
        .filter(({ target, typeOnly }) => target === "@pulumi/kubernetes" && !typeOnly)
        .map(({ name }) => `${file.path}: ${name}`),
    );
    assert.deepEqual(
      ofKubernetes.filter((each) => each.endsWith(": @pulumi/kubernetes")),
      [],
    );
    assert.ok(ofKubernetes.length > 10, "the check sees no kinds");
  });

  it("own files import each other in no circle", () => {
    const byPath = new Map(product.map((file) => [file.path.replace(/\.ts$/, ""), file]));
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) return void circles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
      if (done.has(path)) return;
      for (const each of byPath.get(path)?.imports ?? []) if (each.own && !each.typeOnly) visit(each.target, [...trail, path]);
      done.add(path);
    };
    for (const path of byPath.keys()) visit(path, []);
    assert.deepEqual(circles, []);
  });
});

/** The files and everything of the product that they import at run time, by the imports that are followed. Default: all. */
function reachable(files: readonly SourceFile[], follows: (each: Import) => boolean = () => true): SourceFile[] {
  const all = new Map(product.map((file) => [file.path.replace(/\.ts$/, ""), file]));
  const found = new Set<SourceFile>();
  const visit = (file: SourceFile): void => {
    if (found.has(file)) return;
    found.add(file);
    for (const each of file.imports) {
      const next = each.own && !each.typeOnly && follows(each) ? all.get(each.target) : undefined;
      if (next !== undefined) visit(next);
    }
  };
  for (const file of files) visit(file);
  return [...found];
}

describe("architecture: how imports are read", () => {
  const importsOf = (text: string) => parseText("components/example.ts", text).imports;
  const cases: { text: string; target: string; typeOnly: boolean }[] = [
    { text: 'import * as k8s from "@pulumi/kubernetes/core/v1";', target: "@pulumi/kubernetes", typeOnly: false },
    { text: 'import type { A } from "../model/plan";', target: "model/plan", typeOnly: true },
    { text: 'import { type A, type B } from "../model/plan";', target: "model/plan", typeOnly: true },
    { text: 'import { type A, b } from "../model/plan";', target: "model/plan", typeOnly: false },
    { text: 'import "./config";', target: "components/config", typeOnly: false },
    { text: 'export { a } from "./config";', target: "components/config", typeOnly: false },
    { text: 'export type { A } from "./config";', target: "components/config", typeOnly: true },
    { text: 'const a = require("node:fs");', target: "node:fs", typeOnly: false },
    { text: 'const a = await import("../sandbox/up");', target: "sandbox/up", typeOnly: false },
    { text: 'let a: import("../sandbox/up").Up;', target: "sandbox/up", typeOnly: true },
    { text: 'import { readOutputs } from "../outputs";', target: "outputs/index", typeOnly: false },
  ];
  for (const { text, target, typeOnly } of cases) {
    it(text, () =>
      assert.deepEqual(
        importsOf(text).map((each) => [each.target, each.typeOnly]),
        [[target, typeOnly]],
      ),
    );
  }

  it("neither in texts nor in comments", () => {
    assert.deepEqual(importsOf('// import "a";\nconst text = \'import "b"\';\n/** require("c") */'), []);
  });

  it("the environment, wherever it is read", () => {
    assert.equal(ambient(parseText("model/a.ts", "const a = process.env.HOME ?? process.env['B'];")).length, 2);
    assert.equal(ambient(parseText("model/a.ts", "const a = new pulumi.Config(); pulumi.runtime.allConfig();")).length, 2);
    assert.deepEqual(ambient(parseText("model/a.ts", "// process.env\nconst a = 'process.env';")), []);
  });
});
