import assert from "node:assert/strict";
import { parse } from "yaml";
import { annotatedTargetRules } from "../../../model/prometheus/annotatedTargets";
import { prometheusConfig } from "../../../model/prometheus/config";
import { type Overrides, settingsOf } from "../../harness";

interface Relabel {
  action: string;
  regex: string;
  replacement?: string;
}

/**
 * A sample's labels after Prometheus' relabelling: every step over the labels that the one before left, expressions
 * anchored (model/relabel/relabel.go).
 */
function relabelled(labels: Record<string, string>, steps: readonly Relabel[]): Record<string, string> {
  let result = { ...labels };
  for (const { action, regex, replacement = "" } of steps) {
    const pattern = new RegExp(`^(?:${regex})$`);
    const matching = Object.keys(result).filter((name) => pattern.test(name));
    if (action === "labelmap") for (const name of matching) result[name.replace(pattern, replacement)] = result[name] ?? "";
    else if (action === "labeldrop") result = Object.fromEntries(Object.entries(result).filter(([name]) => !matching.includes(name)));
    else assert.fail(action);
  }
  return result;
}

const jobs = (overrides: Overrides = {}) =>
  (
    parse(prometheusConfig(settingsOf("dev", overrides), { shard: 0, remoteWriteUrl: undefined, retention: "15d" })) as {
      scrape_configs: Record<string, unknown>[];
    }
  ).scrape_configs;
const ANNOTATED = ["kubernetes-services", "kubernetes-pods"];

describe("annotated targets", () => {
  it("are bounded, and not followed elsewhere; the stack's own jobs are as they were", () => {
    for (const job of jobs()) {
      const isAnnotated = ANNOTATED.includes(String(job.job_name));
      const bounds = [
        "sample_limit",
        "label_limit",
        "label_name_length_limit",
        "label_value_length_limit",
        "body_size_limit",
        "target_limit",
      ];
      assert.deepEqual(
        bounds.filter((bound) => bound in job),
        isAnnotated ? bounds : [],
        String(job.job_name),
      );
      assert.equal(job.follow_redirects, isAnnotated ? false : undefined);
    }
  });

  it("have the bounds that are chosen; 0 is none to Prometheus", () => {
    const annotated = {
      sampleLimit: 7,
      labelLimit: 6,
      labelNameLengthLimit: 5,
      labelValueLengthLimit: 4,
      bodySizeLimit: "1MiB",
      targetLimit: 0,
    };
    const [job] = jobs({ prometheus: { annotated } }).filter((each) => each.job_name === ANNOTATED[1]);
    assert.deepEqual(
      [
        job?.sample_limit,
        job?.label_limit,
        job?.label_name_length_limit,
        job?.label_value_length_limit,
        job?.body_size_limit,
        job?.target_limit,
      ],
      [7, 6, 5, 4, "1MiB", 0],
    );
  });

  it("can't claim to be another cluster's, replica's, tenant's or region's: what they say is kept under another name", () => {
    const settings = settingsOf("dev", { tenancy: { label: "owner" }, prometheus: { externalLabels: { region: "eu" } } });
    const steps = annotatedTargetRules(settings).metric_relabel_configs as Relabel[];
    const claimed = ["cluster", "prometheus_replica", "receive_replica", "rule_replica", "owner", "region"];
    const sample = {
      __name__: "m",
      clusters: "own",
      my_region: "own",
      ...Object.fromEntries(claimed.map((name) => [name, `claims ${name}`])),
    };
    assert.deepEqual(relabelled(sample, steps), {
      __name__: "m",
      clusters: "own",
      my_region: "own",
      ...Object.fromEntries(claimed.map((name) => [`exported_${name}`, `claims ${name}`])),
    });
  });

  it("that differ in a claimed label alone stay two series", () => {
    const steps = annotatedTargetRules(settingsOf("dev")).metric_relabel_configs as Relabel[];
    const [one, two] = ["a", "b"].map((cluster) => JSON.stringify(relabelled({ __name__: "m", cluster }, steps)));
    assert.notEqual(one, two);
  });
});
