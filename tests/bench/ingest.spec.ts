import assert from "node:assert/strict";
import { wanted } from "../../bench/ingestPlans";
import { ARTICLE, chart, peerManifests } from "../../bench/peers";

describe("bench:ingest: plans", () => {
  const names = (...given: Parameters<typeof wanted>) => wanted(...given).map(({ name }) => name);

  it("are chosen by whole names or what these begin with, all without, and further ones by their keys", () => {
    assert.deepEqual(names(["ours", "article-rf2"], []), ["ours-rf3", "ours-rf1", "article-rf2"]);
    assert.equal(names([], []).length, 6);
    assert.deepEqual(names(["late", "exemplars"], []), ["late-rf3", "exemplars-rf3"]);
    const [own] = wanted([], ['collector={"receive":{"replicas":5}}']);
    assert.deepEqual(own, {
      name: "collector",
      kind: "ours",
      replicationFactor: 3,
      overlay: { "thanos-stack:receive": { replicas: 5 } },
    });
    assert.throws(() => wanted(["our"], []), /--plans our: there are ours-rf3, /);
  });
});

describe("bench:ingest: peers", () => {
  type Shape = { kind: string; metadata: { name: string }; spec: { template: { spec: { containers: [{ args: string[] }] } } } };
  const argsOf = (peer: Parameters<typeof peerManifests>[0]) =>
    new Map(
      (peerManifests(peer, "there", "thanos") as unknown as Shape[])
        .filter(({ kind }) => kind === "StatefulSet" || kind === "Deployment")
        .map(({ metadata, spec }) => [metadata.name, spec.template.spec.containers[0].args.join(" ")] as const),
    );

  it("the chart's receivers store, and its routers know the ring and how often", () => {
    const args = argsOf(chart(3));
    assert.deepEqual([...args.keys()], ["thanos-receive", "thanos-receive-router", "thanos-querier"]);
    assert.doesNotMatch(args.get("thanos-receive") ?? "", /hashrings/);
    assert.match(args.get("thanos-receive-router") ?? "", /--receive\.hashrings-algorithm=ketama --receive\.replication-factor=3$/);
    assert.doesNotMatch(args.get("thanos-receive-router") ?? "", /local-endpoint/);
  });

  it("the article's receivers route as well", () => {
    const args = argsOf(ARTICLE);
    assert.deepEqual([...args.keys()], ["thanos-receive", "thanos-querier"]);
    assert.match(
      args.get("thanos-receive") ?? "",
      /local-endpoint=\$\(POD_NAME\)\..* --receive\.hashrings-algorithm=hashmod --receive\.replication-factor=2$/,
    );
  });
});
