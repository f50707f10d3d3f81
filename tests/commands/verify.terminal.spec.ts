import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { main, type VerifyReport } from "../../commands/verify";
import { resultLines } from "../../commands/verify/report";
import { OUTPUTS, startFakeCluster } from "./fakeCluster";

/** Status line that a target may answer; Prometheus and Thanos pass it on in their errors. */
const HOSTILE = "server returned HTTP status 500 \u001b]0;pwned\u0007\u001b[2J\r\n✔ stores  all is well\u202e";

describe("verify: what others say", () => {
  it("stays in its line and acts on no terminal, in text and in JSON", async () => {
    const directory = await fs.mkdtemp(path.join(tmpdir(), "verify-terminal-"));
    const cluster = await startFakeCluster({ storeError: () => HOSTILE });
    try {
      const [kubeconfig, outputs] = ["kubeconfig", "outputs.json"].map((name) => path.join(directory, name)) as [string, string];
      await fs.writeFile(kubeconfig, cluster.kubeconfig);
      await fs.writeFile(outputs, JSON.stringify(OUTPUTS));
      const printed: Record<string, string> = {};
      for (const form of ["text", "json"]) {
        const lines: string[] = [];
        const args = ["--stack", "dev", "--context", "dev", "--kubeconfig", kubeconfig, "--outputs", outputs];
        await main([...args, ...(form === "json" ? ["--json"] : [])], { timeoutMs: 50, intervalMs: 5, print: (line) => lines.push(line) });
        printed[form] = lines.join("\n");
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
        assert.doesNotMatch(printed[form], /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      }
      assert.match(
        printed.text ?? "",
        /^ {20,}\S+ \[fd00::1:\d+\]:10901: .*500 \\u001b\]0;pwned\\u0007\\u001b\[2J ✔ stores {2}all is well\\u202e$/m,
      );
      const report = JSON.parse(printed.json ?? "") as VerifyReport;
      assert.ok(report.checks.some(({ details }) => details.some((detail) => detail.endsWith(HOSTILE))));
    } finally {
      await cluster.close();
      await fs.rm(directory, { recursive: true });
    }
  });

  it("has ten lines for each check, and the number of the others", () => {
    const details = Array.from({ length: 12 }, (_, index) => `pod-${index}`);
    const lines = resultLines({ name: "pods", ok: false, seen: "0 of 12 Ready", details, seconds: 1 }, ["pods"]);
    assert.deepEqual(
      lines.slice(1).map((line) => line.trim()),
      [...details.slice(0, 10), "and 2 more"],
    );
    assert.equal(resultLines({ name: "pods", ok: false, seen: "", details: details.slice(0, 10), seconds: 1 }, ["pods"]).length, 11);
  });

  it("is shown also where it is what was seen", () => {
    const lines = resultLines({ name: "query", ok: false, seen: "a\u001b[2J\nb", details: ["c\rd"], seconds: 1 }, ["query"]);
    assert.deepEqual(lines, ["✘ query   1.0 s  a\\u001b[2J b", `${" ".repeat(17)}c\\rd`]);
  });
});
