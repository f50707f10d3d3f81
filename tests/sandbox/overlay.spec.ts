import assert from "node:assert/strict";
import fc from "fast-check";
import { runProgram } from "../../commands/program";
import { environmentConfig } from "../../sandbox/engine";
import {
  bucketOf,
  type ConfigOverlay,
  type ConfigValue,
  clusterOverlay,
  merge,
  mergeConfig,
  refuseSecrets,
  replacedCredentials,
  sandboxConfig,
  withoutCredentials,
} from "../../sandbox/overlay";
import { SANDBOX_STACK_IMAGES } from "../../sandbox/stackImages";
import { CERTIFICATE, containers, workloads } from "../harness";

const CREDENTIALS = { accessKey: "key", secretKey: "very-secret" };
const SANDBOX = {
  kubeconfig: "/state/kubeconfig",
  context: "sandbox",
  nodes: ["node1", "node2", "node3"],
  machine: "10.89.0.0/24",
  objectStorage: { endpoint: "10.89.0.1:7070", region: "us-east-1", ca: CERTIFICATE, credentials: CREDENTIALS },
};
const STORAGE = "thanos-stack:objectStorage";
const SMALL = { resources: { cpu: "50m" } };
const SECRET = "thanos-stack:objectStorageCredentials";

const value: fc.Arbitrary<ConfigValue> = fc.letrec<{ value: ConfigValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const config: fc.Arbitrary<ConfigOverlay> = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), value, { maxKeys: 4, noNullPrototype: true });

describe("credentials that the sandbox replaces", () => {
  it("are said by name, with what stands in their place", () => {
    const config: ConfigOverlay = {
      "thanos-stack:prometheus": { scrapeConfigs: [{ job_name: "a", basic_auth: { password_file: "/etc/credentials/orders" } }] },
      "thanos-stack:objectStorage": { s3: { bucket: "b" } },
    };
    const [files = "", bucket = "", ...more] = replacedCredentials(config);
    assert.match(files, /\(orders; keys credentials and credentialsFrom\) are the text "sandbox" here/);
    assert.match(bucket, /objectStorageCredentials/);
    assert.deepEqual([more, replacedCredentials({})], [[], []]);
  });
});

describe("sandbox overlay", () => {
  it("merges objects key by key and replaces lists and scalars", () => {
    assert.deepEqual(merge({ a: { b: 1, c: [1, 2] }, d: "x" }, { a: { c: [3] }, d: { e: null } }), { a: { b: 1, c: [3] }, d: { e: null } });
  });

  it("keeps the upper layer's values and the lower layer's other keys, and changes neither", () => {
    fc.assert(
      fc.property(config, config, (lower, upper) => {
        const before = JSON.stringify([lower, upper]);
        const merged = mergeConfig(lower, upper);
        assert.equal(JSON.stringify([lower, upper]), before);
        assert.deepEqual(mergeConfig(merged, upper), merged);
        assert.deepEqual(new Set(Object.keys(merged)), new Set([...Object.keys(lower), ...Object.keys(upper)]));
        for (const key of Object.keys(lower)) if (!(key in upper)) assert.deepEqual(merged[key], lower[key]);
      }),
    );
  });

  it("is associative, so that layers can be combined in any grouping", () => {
    fc.assert(
      fc.property(config, config, config, (a, b, c) =>
        assert.deepEqual(mergeConfig(mergeConfig(a, b), c), mergeConfig(a, mergeConfig(b, c))),
      ),
    );
  });

  it("names the cluster and leaves its other settings", () => {
    const own = { "thanos-stack:cluster": { name: "prod", context: "prod", zones: ["z1"] }, "thanos-stack:namespace": "x" };
    assert.deepEqual(mergeConfig(own, clusterOverlay(own, SANDBOX)), {
      "thanos-stack:cluster": { name: "prod", context: "sandbox", kubeconfig: "/state/kubeconfig", zones: ["z1"] },
      "thanos-stack:namespace": "x",
    });
  });

  it("renames the nodes of host paths and nothing beside them", () => {
    const own = {
      "thanos-stack:receive": { replicas: 3, storage: { hostPath: { path: "/data", nodes: ["a-1", "a-2"] } } },
      "thanos-stack:prometheus": { storage: { pvc: { size: "1Gi" } }, nodes: ["kept"] },
    };
    const merged = mergeConfig(own, clusterOverlay(own, SANDBOX));
    assert.deepEqual(merged["thanos-stack:receive"], { replicas: 3, storage: { hostPath: { path: "/data", nodes: ["node1", "node2"] } } });
    assert.deepEqual(merged["thanos-stack:prometheus"], own["thanos-stack:prometheus"]);
  });

  it("lets this machine write and read beside whoever may, and leaves open what is open", () => {
    const access = (own: ConfigValue) => sandboxConfig({ "thanos-stack:access": own }, {}, SANDBOX).config["thanos-stack:access"];
    assert.deepEqual(access({ senders: ["shop"], readers: [], federation: ["other"] }), {
      senders: ["shop", "10.89.0.0/24"],
      readers: ["10.89.0.0/24"],
      federation: ["other"],
    });
    assert.deepEqual(access({ readers: ["10.89.0.0/24"] }), { readers: ["10.89.0.0/24"] });
    assert.deepEqual(access({}), {});
    assert.ok(!("thanos-stack:access" in sandboxConfig({}, {}, SANDBOX).config));
  });

  it("names no tenant beside the default one where an environment that nobody writes to names none", () => {
    const tenancy = (own: ConfigOverlay) => sandboxConfig(own, {}, SANDBOX).config["thanos-stack:tenancy"];
    const closed = { "thanos-stack:access": { senders: [] } };
    assert.deepEqual(tenancy(closed), { tenants: [] });
    assert.deepEqual(tenancy({ ...closed, "thanos-stack:tenancy": { header: "X-Tenant" } }), { header: "X-Tenant", tenants: [] });
    assert.deepEqual(tenancy({ ...closed, "thanos-stack:tenancy": { tenants: ["shop"] } }), { tenants: ["shop"] });
    assert.equal(tenancy({ ...closed, "thanos-stack:accepts": ["any-tenant"] }), undefined);
    assert.equal(tenancy({ "thanos-stack:access": { readers: [] } }), undefined);
  });

  it("has a text that opens nothing in place of each credential that is a file, and those of the overrides", () => {
    const job = (name: string) => ({ job_name: name, bearer_token_file: `/etc/credentials/${name}` });
    const own: ConfigOverlay = {
      "thanos-stack:prometheus": { scrapeConfigs: [job("a"), job("b"), job("c")] },
      "thanos-stack:credentials": { a: { secure: "v1:x" }, unused: { secure: "v1:x" } },
      "thanos-stack:credentialsFrom": { b: { secret: "theirs", key: "b" }, c: { secret: "theirs", key: "c" } },
    };
    const plain = sandboxConfig(own, {}, SANDBOX);
    assert.deepEqual(plain.secrets, { "thanos-stack:credentials": { a: "sandbox", b: "sandbox", c: "sandbox" } });
    assert.ok(!("thanos-stack:credentialsFrom" in plain.config));
    const from = { "thanos-stack:credentialsFrom": { b: { secret: "made", key: "b" } } };
    const given = sandboxConfig(own, { ...from, "thanos-stack:credentials": { a: "real" } }, SANDBOX);
    assert.deepEqual(given.secrets, { "thanos-stack:credentials": { a: "real", c: "sandbox" } });
    assert.deepEqual(given.config["thanos-stack:credentialsFrom"], from["thanos-stack:credentialsFrom"]);
    assert.doesNotThrow(() => refuseSecrets(withoutCredentials(own), "Pulumi.x.yaml"));
  });

  it("refuses more nodes than the sandbox has", () => {
    const own = { "thanos-stack:receive": { storage: { hostPath: { nodes: ["a", "b", "c", "d"] } } } };
    assert.throws(() => clusterOverlay(own, SANDBOX), /thanos-stack:receive puts data on 4 nodes; the sandbox has 3/);
  });

  it("refuses secrets wherever they are, by name", () => {
    const own = {
      "thanos-stack:a": { secure: "v1:x" },
      "thanos-stack:b": { list: [{ key: { secure: "v1:y" } }] },
      "thanos-stack:c": { secure: true, other: 1 },
    };
    assert.throws(
      () => refuseSecrets(own, "Pulumi.x.yaml"),
      /Pulumi\.x\.yaml holds secrets .*: thanos-stack:a, thanos-stack:b\.list\[0\]\.key\. /,
    );
    assert.doesNotThrow(() => refuseSecrets({ "thanos-stack:c": own["thanos-stack:c"] }, "Pulumi.x.yaml"));
  });

  it("renames the nodes of host paths within the object storage", () => {
    const gateway = { storage: { hostPath: { path: "/data/gateway", nodes: ["a-1", "a-2"] } } };
    const own = { [STORAGE]: { s3: { bucket: "b" }, storeGateway: gateway, compactor: { retention: { raw: "10d" } } } };
    const merged = sandboxConfig(own, {}, SANDBOX).config[STORAGE];
    assert.deepEqual(merged, {
      s3: { bucket: "b", endpoint: "10.89.0.1:7070", region: "us-east-1", ca: CERTIFICATE, bucketLookup: "path" },
      storeGateway: { ...SMALL, storage: { hostPath: { path: "/data/gateway", nodes: ["node1", "node2"] } } },
      compactor: { ...SMALL, retention: { raw: "10d" } },
    });
  });

  it("puts an environment's bucket on the sandbox's server, under its own name and folder", () => {
    const own = {
      [STORAGE]: { s3: { bucket: "b", endpoint: "s3.example.com", region: "eu-1", bucketLookup: "auto" }, prefix: "team/prod" },
    };
    const { config } = sandboxConfig(own, {}, SANDBOX);
    assert.deepEqual(config[STORAGE], {
      s3: { bucket: "b", endpoint: "10.89.0.1:7070", region: "us-east-1", ca: CERTIFICATE, bucketLookup: "path" },
      prefix: "team/prod",
      storeGateway: SMALL,
      compactor: SMALL,
    });
    assert.deepEqual(bucketOf(config), { bucket: "b", prefix: "team/prod" });
  });

  it("puts a directory that stands for a bucket on the first node, and needs no credentials and no server for it", () => {
    const own = { [STORAGE]: { filesystem: { path: "/data/bucket", node: "dev-1" } } };
    const { config, secrets } = sandboxConfig(own, {}, SANDBOX);
    assert.deepEqual(config[STORAGE], { filesystem: { path: "/data/bucket", node: "node1" }, storeGateway: SMALL, compactor: SMALL });
    assert.deepEqual(secrets, {});
    assert.equal(bucketOf(config), undefined);
    assert.equal(bucketOf({}), undefined);
  });

  it("leaves room on a node of two cores for a pod of each workload, so that one whose volume is there can come back", async () => {
    const { config, secrets } = sandboxConfig(environmentConfig("prod"), {}, SANDBOX);
    // Each node is a zone: it has the receivers of one.
    const sets = workloads(await runProgram({ config, stack: "prod", secrets })).filter(({ metadata }) => !/-z[23]$/.test(metadata.name));
    const asked = sets.flatMap(containers).map(({ resources }) => Number(/^(\d+)m$/.exec(resources?.requests?.cpu ?? "")?.[1]));
    const cluster = 2 * 20 + 100;
    const sum = asked.reduce((total, each) => total + each, cluster);
    assert.ok(sets.length === 10 && sum <= 2_000, `${sets.length} workloads ask for ${sum}m`);
  });

  it("judges nothing by the load of an environment, which asked for more CPU, but by one that is named beside it", () => {
    const load = { series: 10_000_000, interval: "15s" };
    const key = "thanos-stack:load";
    assert.ok(key in environmentConfig("prod"));
    assert.equal(sandboxConfig({ [key]: load }, {}, SANDBOX).config[key], undefined);
    const named = { series: 1_000, samplesPerSecond: 100 };
    assert.deepEqual(sandboxConfig({ [key]: load }, { [key]: named }, SANDBOX).config[key], named);
  });

  it("takes a Secret from whoever makes it", () => {
    const { config, secrets } = sandboxConfig({}, { [STORAGE]: { secret: { name: "x" } } }, SANDBOX);
    assert.deepEqual((config[STORAGE] as { secret: unknown }).secret, { name: "x" });
    assert.deepEqual(secrets, {});
  });

  for (const kind of ["gcs", "azure", "secret"]) {
    it(`refuses ${kind}, naming key, value and what would be accepted`, () => {
      const own = { [STORAGE]: { [kind]: { bucket: "x" } } };
      assert.throws(
        () => sandboxConfig(own, {}, SANDBOX),
        new RegExp(`thanos-stack:objectStorage\\.${kind} = .*: .*speaks S3.* Accepted: .*objectStorage\\.s3 or objectStorage\\.filesystem`),
      );
    });
  }

  it("gives what the overrides add its part of the overlay, and lets them have the last word", () => {
    const own = { "thanos-stack:receive": { storage: { hostPath: { path: "/data", nodes: ["a-1"] } } } };
    const added = sandboxConfig(own, { [STORAGE]: { s3: { bucket: "b" } } }, SANDBOX);
    assert.equal((added.config[STORAGE] as { s3: { endpoint: string } }).s3.endpoint, "10.89.0.1:7070");
    assert.deepEqual(added.secrets, { [SECRET]: CREDENTIALS });

    const own2 = { "thanos-stack:receive": { storage: { hostPath: { nodes: ["node2"] } } } };
    const last = sandboxConfig(own, { ...own2, [STORAGE]: { s3: { bucket: "b", endpoint: "127.0.0.1:9" } } }, SANDBOX);
    assert.equal((last.config[STORAGE] as { s3: { endpoint: string } }).s3.endpoint, "127.0.0.1:9");
    assert.deepEqual(last.config["thanos-stack:receive"], { storage: { hostPath: { path: "/data", nodes: ["node2"] } } });
  });

  it("runs its own images where the environment names none", () => {
    const { config } = sandboxConfig({ "thanos-stack:images": { thanos: "mirror.example/thanos:v0.42.3" } }, {}, SANDBOX);
    assert.deepEqual(config["thanos-stack:images"], { ...SANDBOX_STACK_IMAGES, thanos: "mirror.example/thanos:v0.42.3" });
    assert.deepEqual(sandboxConfig({}, {}, SANDBOX).config["thanos-stack:images"], SANDBOX_STACK_IMAGES);
  });

  it("keeps the credentials out of what is written plain, whoever gives them", () => {
    const bucket = { [STORAGE]: { s3: { bucket: "b" } } };
    const encrypted = { [SECRET]: { secure: "v1:of-another-provider" } };
    for (const [own, overrides, secret] of [
      [bucket, {}, CREDENTIALS],
      [{ ...bucket, ...encrypted }, {}, CREDENTIALS],
      [bucket, { [SECRET]: { accessKey: "other", secretKey: "also-secret" } }, { accessKey: "other", secretKey: "also-secret" }],
    ] as const) {
      const { config, secrets } = sandboxConfig(own, overrides, SANDBOX);
      assert.doesNotMatch(JSON.stringify(config), /very-secret|also-secret|v1:|Credentials/);
      assert.deepEqual(secrets, { [SECRET]: secret });
    }
    assert.deepEqual(sandboxConfig(encrypted, {}, SANDBOX).secrets, {}, "no bucket, no credentials");
  });

  it("runs an environment whose only secrets are its bucket's credentials", () => {
    const own = { [SECRET]: { secure: "v1:x" }, "thanos-stack:namespace": "n" };
    assert.doesNotThrow(() => refuseSecrets(withoutCredentials(own), "Pulumi.x.yaml"));
    assert.deepEqual(withoutCredentials(own), { "thanos-stack:namespace": "n" });
    assert.throws(
      () => refuseSecrets(withoutCredentials({ ...own, "thanos-stack:other": { secure: "v1:y" } }), "Pulumi.x.yaml"),
      /holds secrets .*: thanos-stack:other\. /,
    );
  });
});
