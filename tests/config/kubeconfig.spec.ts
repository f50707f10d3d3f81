import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { stringify } from "yaml";
import { selectCluster } from "../../commands/verify/selection";
import { kubeconfigOf } from "../../config/kubeconfig";

describe("the kubeconfig of several in KUBECONFIG", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  interface Parts {
    contexts?: Record<string, { cluster: string; user: string }>;
    clusters?: string[];
    users?: string[];
  }
  const write = (name: string, { contexts = {}, clusters = [], users = [] }: Parts): string => {
    const file = join(directory, name);
    const content = {
      contexts: Object.entries(contexts).map(([context, of]) => ({ name: context, context: of })),
      clusters: clusters.map((cluster) => ({ name: cluster, cluster: { server: "https://x" } })),
      users: users.map((user) => ({ name: user, user: {} })),
    };
    writeFileSync(file, stringify(content));
    return file;
  };
  const whole = (name: string, context: string) =>
    write(name, { contexts: { [context]: { cluster: `${name}-c`, user: `${name}-u` } }, clusters: [`${name}-c`], users: [`${name}-u`] });
  const chosen = (files: string[], context: string) => kubeconfigOf(undefined, context, { KUBECONFIG: files.join(delimiter) });

  it("is the one that has the context, wherever it stands, and the first of two", () => {
    const [a, b, c] = [whole("a", "dev"), whole("b", "prod"), whole("c", "prod")];
    assert.deepEqual(chosen([a, b, c], "prod"), { kubeconfig: b });
    assert.deepEqual(chosen([c, b, a], "prod"), { kubeconfig: c });
    assert.deepEqual(chosen(["", a, b], "dev"), { kubeconfig: a });
  });

  it("is found past files that are not there or are none", () => {
    const broken = join(directory, "broken");
    writeFileSync(broken, "contexts: [");
    const b = whole("b", "prod");
    assert.deepEqual(chosen([join(directory, "missing"), broken, write("empty", {}), b], "prod"), { kubeconfig: b });
  });

  it("is the first, with a warning that names them all, where none has the context", () => {
    const files = [whole("a", "dev"), whole("b", "test")];
    const { kubeconfig, warning } = chosen(files, "prod");
    assert.equal(kubeconfig, files[0]);
    assert.equal(warning, `none of the files of KUBECONFIG has the context "prod": ${files.join(", ")}`);
  });

  const split: [string, (files: { own: string; other: string }) => string[], RegExp][] = [
    ["in another file", ({ own, other }) => [own, other], /its cluster "c" first in .*other and its user "u" in none of them/],
    ["in an earlier file, too", ({ own, other }) => [other, own], /its cluster "c" first in .*other/],
  ];
  for (const [title, order, expected] of split) {
    it(`is warned of where kubectl finds the context's cluster ${title}`, () => {
      const own = write("own", { contexts: { prod: { cluster: "c", user: "u" } } });
      const other = write("other", { clusters: ["c"] });
      const { kubeconfig, warning } = chosen(order({ own, other }), "prod");
      assert.equal(kubeconfig, own);
      assert.match(warning ?? "", expected);
      assert.match(warning ?? "", /kubectl config view --flatten --minify --context "prod", to be named in cluster\.kubeconfig$/);
    });
  }

  it("is not looked for where there is one file, or one is configured", () => {
    assert.deepEqual(chosen([join(directory, "missing")], "prod"), { kubeconfig: join(directory, "missing") });
    assert.deepEqual(kubeconfigOf("~/x", "prod", { KUBECONFIG: "/a:/b" }), { kubeconfig: join(homedir(), "x") });
    assert.deepEqual(kubeconfigOf("apiVersion: v1\nkind: Config\n", "prod"), { kubeconfig: "apiVersion: v1\nkind: Config\n" });
    assert.deepEqual(kubeconfigOf(undefined, "prod", { KUBECONFIG: "~/x" }), { kubeconfig: join(homedir(), "x") });
    assert.deepEqual(kubeconfigOf("C:\\Users\\me\\.kube\\config", "prod"), { kubeconfig: "C:\\Users\\me\\.kube\\config" });
  });

  it("is the same for verify", async () => {
    const [a, b] = [whole("a", "dev"), whole("b", "prod")];
    writeFileSync(join(directory, "Pulumi.x.yaml"), stringify({ config: { "thanos-stack:cluster": { context: "prod" } } }));
    const select = (files: string[]) => selectCluster({ stack: "x" }, directory, { KUBECONFIG: files.join(delimiter) });
    assert.deepEqual(await select([a, b]), { context: "prod", kubeconfig: b });
    assert.deepEqual(await select([b]), { context: "prod" });
  });
});
