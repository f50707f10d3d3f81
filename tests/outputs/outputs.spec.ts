import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { readOutputs, remoteWriteUrl, requireStackOutputs, StackOutputsError } from "../../outputs";

const RECEIVE: Record<string, unknown> = {
  namespace: "monitoring",
  scheme: "receive",
  remoteWriteUrl: "http://thanos-receive.monitoring.svc.cluster.local:19291/api/v1/receive",
  queryUrl: "http://thanos-query-frontend.monitoring.svc.cluster.local:9090",
  querierUrl: "http://thanos-querier.monitoring.svc.cluster.local:9090",
  queryGrpcAddress: "thanos-querier.monitoring.svc.cluster.local:10901",
  tenantHeader: "THANOS-TENANT",
  defaultTenant: "default-tenant",
  replicaLabels: ["receive_replica", "prometheus_replica"],
  clusterLabel: "cluster",
  externalLabels: { cluster: "dev" },
  ring: {
    members: [0, 1, 2].map((ordinal) => ({
      address: `thanos-receive-${ordinal}.thanos-receive-peers.monitoring.svc.cluster.local:10901`,
      zone: `z${ordinal}`,
    })),
    replicationFactor: 3,
    algorithm: "ketama",
    hash: "0d8f",
  },
  prometheus: { service: "http://prometheus.monitoring.svc.cluster.local:9090", jobs: ["prometheus"], replicas: 1, shards: 1 },
  availability: { writes: { survives: 1 } },
};

const { remoteWriteUrl: _url, ring: _ring, ...withoutRing } = RECEIVE;
const SIDECAR: Record<string, unknown> = { ...withoutRing, scheme: "sidecar" };

function problemsOf(raw: Record<string, unknown>): readonly string[] {
  try {
    readOutputs(raw);
  } catch (error) {
    assert.ok(error instanceof StackOutputsError);
    return error.problems;
  }
  assert.fail("readOutputs accepted the outputs");
}

describe("outputs: readOutputs", () => {
  it("returns the outputs of both schemes as they are", () => {
    assert.deepEqual(readOutputs(RECEIVE), RECEIVE);
    assert.deepEqual(readOutputs(SIDECAR), SIDECAR);
  });

  it("returns what the plan carries, where the stack says it", () => {
    const capacity = { carries: { series: 1_000 } };
    assert.deepEqual(readOutputs({ ...SIDECAR, capacity }), { ...SIDECAR, capacity });
    assert.match(problemsOf({ ...SIDECAR, capacity: "much" })[0] ?? "", /^capacity: expected an object/);
  });

  it("ignores outputs and fields that a later version adds", () => {
    const later = {
      ...RECEIVE,
      grafanaUrl: "http://grafana",
      ring: { ...(RECEIVE.ring as object), epoch: 4 },
      prometheus: { ...(RECEIVE.prometheus as object), retention: "2h" },
    };
    assert.deepEqual(readOutputs(later), RECEIVE);
  });

  it("returns the names of hashrings in metrics, where the stack says them", () => {
    const named = { ...RECEIVE, ring: { ...(RECEIVE.ring as object), loadedAs: ["big@0123abcd", "default"] } };
    assert.deepEqual(readOutputs(named), named);
  });

  it("returns the tenants that a ring takes, where the stack says them", () => {
    const closed = { ...RECEIVE, tenants: ["default-tenant", "shop"] };
    assert.deepEqual(readOutputs(closed), closed);
    assert.match(problemsOf({ ...RECEIVE, tenants: "shop" }).join(), /^tenants: /);
  });

  it("accepts ring members without a zone and leaves the field out", () => {
    const outputs = readOutputs({ ...RECEIVE, ring: { ...(RECEIVE.ring as object), members: [{ address: "receiver-0:10901" }] } });
    assert.ok(outputs.scheme === "receive");
    assert.deepEqual(outputs.ring.members, [{ address: "receiver-0:10901" }]);
  });

  it("returns the hashring of a ring's members, where the stack says it", () => {
    const ring = { ...(RECEIVE.ring as object), members: [{ address: "thanos-receive-big-0.peers:10901", hashring: "big" }] };
    assert.deepEqual(readOutputs({ ...RECEIVE, ring }), { ...RECEIVE, ring });
    const odd = { ...ring, members: [{ address: "receiver-0:10901", hashring: 3 }] };
    assert.match(problemsOf({ ...RECEIVE, ring: odd }).join(), /^ring\.members\[0\]\.hashring: /);
  });

  it("takes the label of a stack that says none for `cluster`", () => {
    const { clusterLabel: _, ...before } = RECEIVE;
    assert.deepEqual(readOutputs(before), RECEIVE);
  });

  for (const name of Object.keys(RECEIVE).filter((each) => each !== "clusterLabel")) {
    it(`names ${name} when it is missing`, () => {
      const { [name]: _left, ...others } = RECEIVE;
      const problems = problemsOf(others);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", new RegExp(`^${name}: missing, expected `));
    });

    it(`names ${name} and what was found when its type is another`, () => {
      assert.deepEqual(
        problemsOf({ ...RECEIVE, [name]: 7 }).map((problem) => [
          problem.startsWith(`${name}: expected `),
          problem.endsWith("found 7 (number)"),
        ]),
        [[true, true]],
      );
    });
  }

  it("names every problem at once, with the path of each", () => {
    assert.deepEqual(
      problemsOf({
        ...RECEIVE,
        namespace: "",
        queryUrl: "thanos-querier:9090",
        replicaLabels: ["receive_replica", 3],
        ring: {
          members: [{ address: "receiver-0:10901" }, { address: "receiver-1", zone: null }],
          replicationFactor: "3",
          algorithm: "hashmod",
        },
        prometheus: { service: "http://prometheus:9090", jobs: [], replicas: 0, shards: 1.5 },
      }),
      [
        'namespace: expected a non-empty string, found "" (string)',
        'queryUrl: expected an http:// or https:// URL, found "thanos-querier:9090" (string)',
        'replicaLabels: expected a list of non-empty strings, found ["receive_replica",3] (array)',
        "prometheus.replicas: expected a positive integer, found 0 (number)",
        "prometheus.shards: expected a positive integer, found 1.5 (number)",
        "ring.members[1].zone: expected a non-empty string, found null",
        'ring.members[1].address: expected host:port, found "receiver-1" (string)',
        'ring.algorithm: expected "ketama", found "hashmod" (string)',
        'ring.replicationFactor: expected a positive integer, found "3" (string)',
        "ring.hash: missing, expected a non-empty string",
      ],
    );
  });

  it("has what a stack with a bucket says of it, in both schemes, and does without it elsewhere", () => {
    const objectStorage = { storeGateways: 2, handover: "33h" };
    for (const outputs of [RECEIVE, SIDECAR]) {
      for (const told of [objectStorage, { ...objectStorage, compactors: 3 }]) {
        assert.deepEqual(readOutputs({ ...outputs, objectStorage: told }).objectStorage, told);
      }
      assert.ok(!("objectStorage" in readOutputs(outputs)));
    }
    assert.deepEqual(problemsOf({ ...SIDECAR, objectStorage: { storeGateways: 0 } }), [
      "objectStorage.storeGateways: expected a positive integer, found 0 (number)",
      "objectStorage.handover: missing, expected a non-empty string",
    ]);
    assert.deepEqual(problemsOf({ ...RECEIVE, objectStorage: "thanos-prod" }), [
      'objectStorage: expected an object, found "thanos-prod" (string)',
    ]);
  });

  it("takes nothing of a ring from a stack with sidecars", () => {
    assert.deepEqual(readOutputs({ ...RECEIVE, scheme: "sidecar" }), SIDECAR);
  });

  it("refuses a ring without members and a scheme it does not know", () => {
    assert.match(
      problemsOf({ ...RECEIVE, ring: { ...(RECEIVE.ring as object), members: [] } })[0] ?? "",
      /^ring\.members: expected a non-empty list/,
    );
    assert.match(problemsOf({ ...RECEIVE, scheme: "push" })[0] ?? "", /^scheme: expected "receive" or "sidecar", found "push"/);
  });

  it("either returns outputs or throws a StackOutputsError, whatever it is given", () => {
    const anyOutputs = fc.record(
      Object.fromEntries(
        [...Object.keys(RECEIVE), "objectStorage"].map((name) => [name, fc.oneof(fc.constant(RECEIVE[name]), fc.jsonValue())]),
      ),
      {
        requiredKeys: [],
      },
    );
    fc.assert(
      fc.property(anyOutputs, (raw) => {
        try {
          readOutputs(raw);
        } catch (error) {
          assert.ok(error instanceof StackOutputsError);
        }
      }),
    );
  });
});

describe("outputs: remoteWriteUrl", () => {
  it("is the URL of a receive stack", () => {
    assert.equal(remoteWriteUrl(readOutputs(RECEIVE)), RECEIVE.remoteWriteUrl);
  });

  it("names the scheme of a stack that has none", () => {
    assert.throws(() => remoteWriteUrl(readOutputs(SIDECAR)), /namespace monitoring uses scheme "sidecar".*no remote write/);
  });
});

describe("outputs: requireStackOutputs", () => {
  async function referenceTo(outputs: Record<string, unknown>, secretOutputNames: string[] = []): Promise<pulumi.StackReference> {
    await pulumi.runtime.setMocks({
      newResource: (args) => ({ id: args.name, state: { ...args.inputs, outputs, secretOutputNames } }),
      call: () => ({}),
    });
    return new pulumi.StackReference("organization/thanos-stack/dev");
  }

  function awaited<T>(output: pulumi.Output<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // The promise of an output is how the SDK's own tests await one; apply alone would swallow its failure.
      (output as unknown as { promise(): Promise<T> }).promise().then(resolve, reject);
    });
  }

  function isSecret(output: pulumi.Output<unknown>): Promise<boolean> {
    return pulumi.isSecret(output);
  }

  it("reads the outputs of the referenced stack", async () => {
    assert.deepEqual(await awaited(requireStackOutputs(await referenceTo({ ...RECEIVE, later: 1 }))), RECEIVE);
    assert.deepEqual(await awaited(requireStackOutputs(await referenceTo(SIDECAR))), SIDECAR);
  });

  it("stays public beside a secret output of the same stack", async () => {
    const ref = await referenceTo({ ...RECEIVE, bucketKey: pulumi.secret("k") }, ["bucketKey"]);
    assert.equal(await isSecret(ref.outputs), true);
    assert.equal(await isSecret(requireStackOutputs(ref)), false);
  });

  it("is secret when an output it reads is", async () => {
    const ref = await referenceTo(RECEIVE, ["queryUrl"]);
    assert.equal(await isSecret(requireStackOutputs(ref)), true);
  });

  it("fails naming the missing outputs", async () => {
    const { ring: _left, ...others } = RECEIVE;
    await assert.rejects(awaited(requireStackOutputs(await referenceTo(others))), /ring: missing/);
  });
});

describe("outputs: tls", () => {
  const TLS = { serverName: "thanos-stack.monitoring.svc.cluster.local", stage: "everywhere", ca: "-----BEGIN CERTIFICATE-----" };

  it("are read, with or without the CA, and absent where nothing is encrypted", () => {
    assert.deepEqual(readOutputs({ ...RECEIVE, tls: TLS }).tls, TLS);
    const { ca: _, ...others } = TLS;
    assert.deepEqual(readOutputs({ ...RECEIVE, tls: others }).tls, others);
    assert.equal(readOutputs(RECEIVE).tls, undefined);
    assert.throws(() => readOutputs({ ...RECEIVE, tls: { stage: "half" } }), /tls\.serverName: missing.*\n.*tls\.stage: expected/s);
  });
});
