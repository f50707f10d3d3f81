import assert from "node:assert/strict";
import { parse } from "yaml";
import { flagOf, isDeprecated, mistakes } from "../../../model/commandLine/flags";
import { type AlertingConfig, alertingConfig, alertmanagerPorts } from "../../../model/prometheus/alerting";
import { deduplicationFunction } from "../../../model/query/deduplication";
import { rulerAlertingConfig, rulerFlags, rulerRemoteWriteConfig } from "../../../model/ruler/flags";
import { planRuler } from "../../../model/ruler/plan";
import { rulerProblems, ruleWarnings } from "../../../model/ruler/rules";
import { type RulerSettings, type Settings, settingsSchema } from "../../../model/settings/schema";
import { THANOS_VERSION } from "../../../model/values/versions";

const PVC = { pvc: { size: "1Gi" } };
const ADDRESSES = { queryGrpcAddress: "thanos-querier-grpc.stack.svc.cluster.local:10901", queryUrl: "http://queries" };

/** Settings of a small environment with changes; keys that are objects are merged one level deep. */
function settings(ruler: object | undefined, others: { prometheus?: object; receive?: object; [key: string]: unknown } = {}): Settings {
  const { prometheus, receive, ...rest } = others;
  return settingsSchema.parse({
    cluster: { name: "here", context: "here" },
    namespace: "stack",
    receive: { storage: PVC, ...receive },
    prometheus: { storage: PVC, ...prometheus },
    ...(ruler === undefined ? {} : { ruler }),
    ...rest,
  });
}

const BUCKET = {
  s3: { bucket: "history", endpoint: "s3.example.org" },
  storeGateway: { storage: PVC },
  compactor: { storage: PVC },
};

function flagsOf(chosen: Settings): string[] {
  return rulerFlags(chosen, chosen.ruler as RulerSettings, ADDRESSES);
}
const valuesOf = (chosen: Settings, flag: string) =>
  flagsOf(chosen).flatMap((each) => (each.startsWith(`--${flag}=`) ? [each.slice(flag.length + 3)] : []));

describe("the ruler's plan", () => {
  it("is none unless it is asked for", () => {
    assert.equal(planRuler(settings(undefined)), undefined);
  });

  it("stateless: no samples of its own, so nothing for the querier and no disk", () => {
    const plan = planRuler(settings({ storage: { hostPath: { path: "/data/rule", nodes: ["n1", "n2"] } } }));
    assert.equal(plan?.stores, false);
    assert.equal(plan?.storage, undefined);
    assert.deepEqual(plan?.hostPathVolumes, []);
    assert.equal(plan?.replicas, 2);
  });

  it("stateful: a directory for each ruler, owned by Thanos' user", () => {
    const plan = planRuler(settings({ mode: "stateful", storage: { hostPath: { path: "/data/rule", nodes: ["n1", "n2"] } } }));
    assert.equal(plan?.stores, true);
    assert.deepEqual(
      plan?.hostPathVolumes.map(({ name, node, directory, claim, owner }) => ({ name, node, directory, claim, owner })),
      [
        {
          name: "stack-thanos-ruler-0",
          node: "n1",
          directory: "/data/rule/stack/thanos-ruler-0",
          claim: "data-thanos-ruler-0",
          owner: 1001,
        },
        {
          name: "stack-thanos-ruler-1",
          node: "n2",
          directory: "/data/rule/stack/thanos-ruler-1",
          claim: "data-thanos-ruler-1",
          owner: 1001,
        },
      ],
    );
  });
});

describe("the ruler's flags", () => {
  it("ask every querier by itself", () => {
    assert.deepEqual(valuesOf(settings({}), "query"), ["dns+thanos-querier-grpc.stack.svc.cluster.local:9090"]);
  });

  it("label results as Prometheus would, and each ruler's by its pod", () => {
    const chosen = settings({}, { prometheus: { externalLabels: { region: 'e"u' } } });
    assert.deepEqual(valuesOf(chosen, "label"), ['region="e\\"u"', 'cluster="here"', 'rule_replica="$(POD_NAME)"']);
  });

  it("send alerts to every Alertmanager, without the label by which rulers differ", () => {
    const alertmanagers = ["http://am-0:9093", "https://am-1:9093"];
    assert.deepEqual(valuesOf(settings({}, { alerting: { alertmanagers } }), "alertmanagers.url"), alertmanagers);
    assert.deepEqual(valuesOf(settings({}), "alertmanagers.url"), []);
    assert.deepEqual(valuesOf(settings({}), "alert.label-drop"), ["rule_replica"]);
    assert.deepEqual(valuesOf(settings({}), "alert.query-url"), ["http://queries"]);
  });

  it("spell durations as Go does, which knows no days", () => {
    const chosen = settings({ evaluationInterval: "1d", queryOffset: "1m30s" }, { querier: { discoveryInterval: "1d" } });
    assert.deepEqual(valuesOf(chosen, "eval-interval"), ["86400s"]);
    assert.deepEqual(valuesOf(chosen, "rule-query-offset"), ["90s"]);
    assert.deepEqual(valuesOf(chosen, "query.sd-dns-interval"), ["86400s"]);
  });

  it("stateless: remote write, which alone makes it so, and nothing of a store", () => {
    const chosen = settings({}, { objectStorage: BUCKET });
    assert.deepEqual(valuesOf(chosen, "remote-write.config-file"), ["/etc/thanos/remote-write/remote-write.yaml"]);
    assert.deepEqual([...valuesOf(chosen, "objstore.config-file"), ...valuesOf(chosen, "tsdb.retention")], []);
  });

  it("stateful: its own retention, blocks of two hours, and upload where there is a bucket", () => {
    const ruler = { mode: "stateful", storage: PVC, retention: "3d" };
    assert.deepEqual(valuesOf(settings(ruler), "tsdb.retention"), ["3d"]);
    assert.deepEqual(valuesOf(settings(ruler), "tsdb.block-duration"), ["2h"]);
    assert.deepEqual(valuesOf(settings(ruler), "objstore.config-file"), []);
    assert.deepEqual(valuesOf(settings(ruler), "remote-write.config-file"), []);
    assert.deepEqual(valuesOf(settings(ruler, { objectStorage: BUCKET }), "objstore.config-file"), [
      "/etc/thanos/objectstore/objstore.yaml",
    ]);
  });
});

describe("the ruler's flags, each of them", () => {
  for (const mode of ["stateless", "stateful"]) {
    it(`${mode}: is one that this Thanos knows and does not deprecate, with a value where it takes one`, () => {
      const alerting = { alertmanagers: ["http://am-0:9093"] };
      const [command, ...flags] = flagsOf(settings({ mode, storage: PVC }, { alerting, objectStorage: BUCKET }));
      assert.equal(command, "rule");
      assert.deepEqual(mistakes("thanos rule", flags, THANOS_VERSION), []);
      assert.deepEqual(
        flags.filter((flag) => isDeprecated("thanos rule", flagOf(flag)?.name ?? flag)),
        [],
      );
    });
  }
});

describe("a stateless ruler's remote write", () => {
  it("goes to the ring as its default tenant, and waits for a ring that says 429", () => {
    const chosen = settings({}, { prometheus: { remoteWrite: { maxShards: 7 } } });
    const { remote_write: targets } = parse(rulerRemoteWriteConfig(chosen, "http://ring/api/v1/receive"));
    assert.equal(targets.length, 1);
    assert.equal(targets[0].url, "http://ring/api/v1/receive");
    assert.equal(targets[0].headers, undefined);
    assert.equal(targets[0].metadata_config.send, false);
    assert.equal(targets[0].queue_config.max_shards, 7);
    assert.equal(targets[0].queue_config.retry_on_http_429, true);
  });
});

describe("the ruler's problems", () => {
  const keysOf = (chosen: Settings) => rulerProblems(chosen).map(({ key, value }) => [key, value]);
  const stateful = { mode: "stateful", storage: PVC };

  it("are none without a ruler, and for what fits", () => {
    assert.deepEqual(rulerProblems(settings(undefined)), []);
    assert.deepEqual(rulerProblems(settings({})), []);
    assert.deepEqual(rulerProblems(settings(stateful, { ingestion: "sidecar" })), []);
    assert.deepEqual(rulerProblems(settings(stateful, { objectStorage: BUCKET })), []);
  });

  it("a stateless ruler without a ring, even where the key receive stays in the file", () => {
    const [problem, ...others] = rulerProblems(settings({}, { ingestion: "sidecar" }));
    assert.deepEqual([problem?.key, problem?.value, others], ["ruler.mode", "stateless", []]);
    assert.match(problem?.rule ?? "", /ingestion is "sidecar"/);
    assert.match(problem?.remedy ?? "", /"stateful"/);
  });

  it("a stateful ruler without storage, or with too few nodes", () => {
    assert.deepEqual(keysOf(settings({ mode: "stateful" })), [["ruler.storage", undefined]]);
    const onNodes = (nodes: string[], antiAffinity: string) =>
      keysOf(settings({ mode: "stateful", antiAffinity, replicas: 3, storage: { hostPath: { path: "/data", nodes } } }));
    assert.deepEqual(onNodes(["n1", "n2"], "hard"), [["ruler.storage.hostPath.nodes", ["n1", "n2"]]]);
    assert.deepEqual(onNodes(["n1", "n2"], "soft"), [["ruler.storage.hostPath.nodes", ["n1", "n2"]]]);
    assert.deepEqual(onNodes(["n1"], "soft"), []);
    assert.deepEqual(onNodes(["n1", "n2", "n3"], "hard"), []);
  });

  it("no interval: the process would divide by it", () => {
    for (const evaluationInterval of ["0s", "999ms"])
      assert.deepEqual(keysOf(settings({ evaluationInterval })), [["ruler.evaluationInterval", evaluationInterval]]);
    assert.deepEqual(keysOf(settings({ evaluationInterval: "1s" })), []);
  });

  it("no retention would be for ever", () => {
    assert.deepEqual(keysOf(settings({ ...stateful, retention: "0s" })), [["ruler.retention", "0s"]]);
    assert.deepEqual(keysOf(settings({ ...stateful, retention: "2h" })), []);
  });

  it("a retention that ends before the bucket serves every block", () => {
    const chosen = (retention: string) => settings({ ...stateful, retention }, { objectStorage: { ...BUCKET, handover: "1d" } });
    const [problem, ...others] = rulerProblems(chosen("1d1h"));
    assert.deepEqual([problem?.key, problem?.remedy, others], ["ruler.retention", "1d2h or more", []]);
    assert.deepEqual(rulerProblems(chosen("1d2h")), []);
  });
});

describe("rules without a ruler", () => {
  it("miss what is in another shard, and everything beside an agent", () => {
    const of = (prometheus: object, ruler?: object) => ruleWarnings(settings(ruler, { prometheus }), 3);
    assert.deepEqual(of({}), []);
    assert.match(of({ shards: 3 }).join(), /^each of the 3 shards/);
    assert.match(of({ mode: "agent", shards: 3 }).join(), /no rule is evaluated$/);
    assert.deepEqual([...of({ shards: 3 }, {}), ...of({ mode: "agent" }, {})], []);
  });
});

describe("deduplication with a ruler", () => {
  for (const mode of ["stateless", "stateful"]) {
    for (const replicas of [1, 2]) {
      it(`${replicas} ${mode}: what fits Prometheus fits its results, which are copies of one another`, () => {
        const of = (prometheus: number) =>
          deduplicationFunction(settings({ mode, replicas, storage: PVC }, { prometheus: { replicas: prometheus } }));
        assert.equal(of(1), "chain");
        assert.equal(of(2), "penalty");
      });
    }
  }

  it("the sidecar scheme: Prometheus alone decides, whatever the unused ring says of other senders", () => {
    const of = (replicas: number) =>
      deduplicationFunction(settings(undefined, { ingestion: "sidecar", prometheus: { replicas }, receive: { otherSenders: "single" } }));
    assert.equal(of(1), "chain");
    assert.equal(of(2), "penalty");
    assert.equal(
      deduplicationFunction(settings(undefined, { prometheus: { replicas: 2 }, receive: { otherSenders: "single" } })),
      undefined,
      "with the ring in use, they meet",
    );
  });
});

describe("alerting of Prometheus", () => {
  it("is not there without an Alertmanager", () => {
    assert.deepEqual(alertingConfig(settings(undefined)), {});
  });

  it("tells every Alertmanager, by its scheme, without the label by which a pair differs", () => {
    const alertmanagers = ["http://am-0.monitoring.svc:9093", "https://am.example.org"];
    assert.deepEqual(alertingConfig(settings(undefined, { alerting: { alertmanagers } })), {
      alerting: {
        alert_relabel_configs: [{ regex: "prometheus_replica", action: "labeldrop" }],
        alertmanagers: [
          { scheme: "http", static_configs: [{ targets: ["am-0.monitoring.svc:9093"] }] },
          { scheme: "https", static_configs: [{ targets: ["am.example.org"] }] },
        ],
      },
    });
  });

  it("needs these ports, as a URL without one means them", () => {
    const alertmanagers = ["http://a:9093", "http://b:9093", "https://c", "http://d"];
    assert.deepEqual(alertmanagerPorts(settings(undefined, { alerting: { alertmanagers } })), [80, 443, 9093]);
    assert.deepEqual(alertmanagerPorts(settings(undefined)), []);
  });

  it("has what paths begin with, and says who sends", () => {
    const client = { authorization: { credentials_file: "/etc/extra/token" }, tls_config: { ca_file: "/etc/extra/ca" } };
    const alerting = { alertmanagers: ["https://alerts.example/team/alerts", "http://b:9093"], client };
    const { alertmanagers } = (alertingConfig(settings(undefined, { alerting })) as AlertingConfig).alerting;
    assert.deepEqual(alertmanagers, [
      { scheme: "https", path_prefix: "/team/alerts", static_configs: [{ targets: ["alerts.example"] }], ...client },
      { scheme: "http", static_configs: [{ targets: ["b:9093"] }], ...client },
    ]);
    // A ruler has a file then, in its own words, instead of flags.
    const chosen = settings({}, { alerting });
    assert.deepEqual(valuesOf(chosen, "alertmanagers.url"), []);
    assert.deepEqual(valuesOf(chosen, "alertmanagers.config-file"), ["/etc/thanos/alertmanagers/alertmanagers.yaml"]);
    const http_config = { tls_config: { ca_file: "/etc/extra/ca" }, bearer_token_file: "/etc/extra/token" };
    assert.deepEqual(parse(rulerAlertingConfig(chosen)).alertmanagers, [
      { scheme: "https", static_configs: ["alerts.example"], path_prefix: "/team/alerts", api_version: "v2", http_config },
      { scheme: "http", static_configs: ["b:9093"], api_version: "v2", http_config },
    ]);
  });

  it("is an address only: no credentials, which flags and ConfigMaps would show", () => {
    for (const address of ["http://user:secret@a:9093", "a:9093", "dns+a:9093", "dns+http://user:secret@a:9093", "http://a:9093/x?y=z"]) {
      assert.throws(() => settings(undefined, { alerting: { alertmanagers: [address] } }), /scheme, host and port/);
    }
  });
});
