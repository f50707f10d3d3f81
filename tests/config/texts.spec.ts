import assert from "node:assert/strict";
import { parseDocument } from "yaml";
import { changedDates } from "../../config/texts";
import { formatProblem } from "../../model/values/problem";
import { rejection } from "../harness";

describe("config: dates that are text", () => {
  /** Problems of a file, where the engine gives these values. */
  const found = (text: string, raw: Record<string, unknown>) => changedDates(parseDocument(text, { merge: true }), raw).map(formatProblem);
  const MADE = "2024-01-02 00:00:00 +0000 UTC";
  const named = (source: string) => `config:\n  thanos-stack:cluster:\n    name: ${source}\n`;

  it("are refused as the engine gives them, and as the stack's file has them", () => {
    for (const text of ["2024-01-02", "2024-1-2", "2024-01-02 03:04:05", "2024-01-02T03:04:05Z", "2024-01-02T03:04:05.5+02:00"]) {
      for (const given of [MADE, text]) {
        const [line, ...others] = found(named(text), { cluster: { name: given } });
        assert.match(line ?? "", /^cluster\.name = ".*": without quotes YAML reads a date, .* Accepted: "2024-.*" in quotes\.$/);
        assert.ok(line?.startsWith(`cluster.name = "${text}"`), line);
        assert.deepEqual(others, []);
      }
    }
  });

  it("are found at any depth, through aliases and merges", () => {
    const job = (built: string) => ({ prometheus: { scrapeConfigs: [{ static_configs: [{ labels: { built } }] }] } });
    const file = "config:\n  prometheus: { scrapeConfigs: [{ static_configs: [{ labels: { built: 2024-01-02 } }] }] }\n";
    assert.match(found(file, job(MADE))[0] ?? "", /^prometheus\.scrapeConfigs\[0\]\.static_configs\[0\]\.labels\.built = "2024-01-02": /);
    const merged = "x: &x { name: 2024-01-02 }\ny: &y 2024-01-02\nconfig:\n  cluster: { <<: *x, context: *y }\n";
    assert.equal(found(merged, { cluster: { name: MADE, context: MADE } }).length, 2);
  });

  it("are taken in quotes, and left alone where they are none or the file is another", () => {
    for (const source of ['"2024-01-02"', "'2024-01-02 00:00:00 +0000 UTC'"]) {
      assert.deepEqual(found(named(source), { cluster: { name: source.slice(1, -1) } }), []);
    }
    assert.deepEqual(found(named("2024-13-02"), { cluster: { name: "2024-13-02" } }), []);
    assert.deepEqual(found(named("prod"), { cluster: { name: MADE } }), []);
    assert.deepEqual(found("config: [", { cluster: { name: MADE } }), []);
  });
});

describe("config: control characters", () => {
  for (const character of ["\x7f", "\x80", "\x9f", "\x01", "\x1b", "\r"]) {
    const code = character.charCodeAt(0).toString(16);
    it(`are refused in a text and in a name: U+00${code.padStart(2, "0")}`, async () => {
      const { problems, message } = await rejection("dev", {
        cluster: { name: `a${character}b` },
        prometheus: { scrapeConfigs: [{ job_name: "own", params: { [`a${character}`]: ["x"] } }] },
      });
      assert.equal(problems.length, 2, message);
      assert.match(problems[0] ?? "", /cluster\.name = "a\S+b": .*refuse control characters.* Accepted: the text without them/);
      assert.match(problems[1] ?? "", /scrapeConfigs\[0\]\.params\.a\S+ = "a/);
    });
  }
});
