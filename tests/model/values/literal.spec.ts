import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { inArgument, inExternalLabel, thanosYaml } from "../../../model/values/literal";

const ENVIRONMENT: Readonly<Record<string, string>> = { POD_NAME: "pod-0", USD: "" };

/** An argument after Kubernetes has expanded it (third_party/forked/golang/expansion/expand.go). */
function byKubernetes(text: string): string {
  return text.replace(/\$(?:(\$)|\(([^)]*)\))/g, (whole, dollar?: string, name?: string) => dollar ?? ENVIRONMENT[name ?? ""] ?? whole);
}

/** An external label after Prometheus has expanded it (Go's `os.Expand`, and an empty text for a variable that is not there). */
function byPrometheus(text: string): string {
  return text.replace(/\$(?:\{([^}]*)\}|([*#$@!?0-9-]|\w+))/g, (_, braced?: string, plain?: string) => {
    const name = braced ?? plain ?? "";
    return name === "$" ? "$" : (ENVIRONMENT[name] ?? "");
  });
}

/** A file after Thanos has expanded it, before it reads the YAML (extkingpin `expandEnv`). */
function byThanos(text: string): unknown {
  return parse(
    text.replace(/\$\(([a-zA-Z_0-9]+)\)/g, (_, name: string) => {
      const value = ENVIRONMENT[name];
      if (value === undefined) throw new Error(`found reference to unset environment variable ${name}`);
      return value;
    }),
  );
}

const withDollars = fc.array(
  fc.constantFrom("$", "$$", "(", ")", "{", "}", "POD_NAME", "$(POD_NAME)", `\${POD_NAME}`, "5$USD", "$1", "a", '"', "\\", " "),
  { maxLength: 8 },
);

describe("literal texts", () => {
  it("would be changed without care", () => {
    assert.equal(byKubernetes("$(POD_NAME)"), "pod-0");
    assert.equal(byPrometheus("5$USD"), "5");
    assert.deepEqual(byThanos("- $(POD_NAME)"), ["pod-0"]);
    assert.throws(() => byThanos("- $(1)"), /unset/);
  });

  it("arrive as they are: in arguments, external labels and files of Thanos", () => {
    fc.assert(
      fc.property(withDollars, (parts) => {
        const text = parts.join("");
        assert.equal(byKubernetes(inArgument(text)), text);
        assert.equal(byPrometheus(inExternalLabel(text)), text);
        assert.deepEqual(byThanos(thanosYaml([{ regex: text, action: "keep" }])), [{ regex: text, action: "keep" }]);
      }),
      { numRuns: 500 },
    );
  });

  it("leave a file as it was where nothing would be replaced", () => {
    assert.equal(thanosYaml([{ regex: "a$", replacement: "$1" }]), "- regex: a$\n  replacement: $1\n");
  });
});
