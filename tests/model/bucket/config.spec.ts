import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import {
  type BucketCredentials,
  bucketClashes,
  bucketCredentialProblems,
  bucketIdentity,
  bucketPort,
  credentialsSchema,
  objectStorageConfig,
} from "../../../model/bucket/config";
import { bucketClaim, bucketUser, bucketVolumes } from "../../../model/bucket/directory";
import { hostPathPersistentVolume } from "../../../model/kubernetes/storage";
import { CERTIFICATE } from "../../harness";
import { BUCKET, bucketAt, type ObjectStorageInput, objectStorageOf, settingsWith } from "./historySettings";

const S3_KEYS = { accessKey: "AKIAEXAMPLE", secretKey: "hush/hush+hush" };
/** 32 bytes. */
const OWN_KEY = Buffer.alloc(32, 7).toString("base64");
const KEY_FILE = { type: "service_account", private_key: "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n" };

const s3 = (change: object = {}, prefix?: string): ObjectStorageInput =>
  bucketAt({ s3: { bucket: "metrics", endpoint: "s3.example.org", ...change }, ...(prefix === undefined ? {} : { prefix }) });
const gcs = (bucket = "metrics"): ObjectStorageInput => bucketAt({ gcs: { bucket } });
const azure = (change: object = {}): ObjectStorageInput =>
  bucketAt({ azure: { storageAccount: "account", container: "metrics", ...change } });
const filesystem: ObjectStorageInput = bucketAt({ filesystem: { path: "/data/bucket", node: "n1" } });
const given: ObjectStorageInput = bucketAt({ secret: { name: "objstore" } });
const configOf = (input: ObjectStorageInput, credentials?: BucketCredentials) =>
  parse(objectStorageConfig(objectStorageOf(input), credentials));

describe("object storage: the configuration that Thanos reads", () => {
  const cases: { title: string; input: ObjectStorageInput; credentials?: BucketCredentials; config: object }[] = [
    {
      title: "S3 with keys",
      input: s3({ region: "eu-west-1", bucketLookup: "path", insecure: true }, "dev/a"),
      credentials: { ...S3_KEYS, sessionToken: "token" },
      config: {
        type: "S3",
        config: {
          bucket: "metrics",
          endpoint: "s3.example.org",
          region: "eu-west-1",
          insecure: true,
          bucket_lookup_type: "path",
          access_key: S3_KEYS.accessKey,
          secret_key: S3_KEYS.secretKey,
          session_token: "token",
        },
        prefix: "dev/a",
      },
    },
    {
      title: "S3 with the pods' own identity, and no key beside it",
      input: s3(),
      config: {
        type: "S3",
        config: { bucket: "metrics", endpoint: "s3.example.org", insecure: false, bucket_lookup_type: "auto", aws_sdk_auth: true },
      },
    },
    {
      title: "S3 with every option",
      input: s3({
        ca: CERTIFICATE,
        encryption: { method: "SSE-KMS", kmsKeyId: "key", kmsContext: { team: "platform" } },
        storageClass: "STANDARD_IA",
        partSize: "16Mi",
        multipart: false,
        maxRetries: 3,
        listObjects: "v1",
        signature: "v2",
        contentMd5: false,
        dualstack: false,
      }),
      credentials: S3_KEYS,
      config: {
        type: "S3",
        config: {
          bucket: "metrics",
          endpoint: "s3.example.org",
          insecure: false,
          bucket_lookup_type: "auto",
          http_config: { tls_config: { ca_file: "/etc/thanos/objectstore/ca.crt" } },
          sse_config: { type: "SSE-KMS", kms_key_id: "key", kms_encryption_context: { team: "platform" } },
          put_user_metadata: { "X-Amz-Storage-Class": "STANDARD_IA" },
          part_size: 16 * 2 ** 20,
          disable_multipart: true,
          max_retries: 3,
          list_objects_version: "v1",
          signature_version2: true,
          send_content_md5: false,
          disable_dualstack: true,
          access_key: S3_KEYS.accessKey,
          secret_key: S3_KEYS.secretKey,
        },
      },
    },
    {
      title: "S3 with the server's own key",
      input: s3({ encryption: { method: "SSE-S3" } }),
      config: {
        type: "S3",
        config: {
          ...{ bucket: "metrics", endpoint: "s3.example.org", insecure: false, bucket_lookup_type: "auto" },
          ...{ sse_config: { type: "SSE-S3" }, aws_sdk_auth: true },
        },
      },
    },
    {
      title: "S3 with a key that only the stack has",
      input: s3({ encryption: { method: "SSE-C" } }),
      credentials: { ...S3_KEYS, encryptionKey: OWN_KEY },
      config: {
        type: "S3",
        config: {
          ...{ bucket: "metrics", endpoint: "s3.example.org", insecure: false, bucket_lookup_type: "auto" },
          sse_config: { type: "SSE-C", encryption_key: "/etc/thanos/objectstore/sse-c.key" },
          ...{ access_key: S3_KEYS.accessKey, secret_key: S3_KEYS.secretKey },
        },
      },
    },
    {
      title: "Google Cloud Storage with a key file as text",
      input: gcs(),
      credentials: { serviceAccount: JSON.stringify(KEY_FILE) },
      config: { type: "GCS", config: { bucket: "metrics", service_account: JSON.stringify(KEY_FILE) } },
    },
    {
      title: "Google Cloud Storage with a key file as a map of keys",
      input: gcs(),
      credentials: { serviceAccount: KEY_FILE },
      config: { type: "GCS", config: { bucket: "metrics", service_account: JSON.stringify(KEY_FILE) } },
    },
    { title: "Google Cloud Storage with workload identity", input: gcs(), config: { type: "GCS", config: { bucket: "metrics" } } },
    {
      title: "Azure with a key",
      input: azure({ endpoint: "blob.core.chinacloudapi.cn" }),
      credentials: { storageAccountKey: "a2V5" },
      config: {
        type: "AZURE",
        config: {
          storage_account: "account",
          container: "metrics",
          storage_create_container: false,
          endpoint: "blob.core.chinacloudapi.cn",
          storage_account_key: "a2V5",
        },
      },
    },
    {
      title: "Azure with a managed identity",
      input: azure({ userAssignedId: "id" }),
      config: {
        type: "AZURE",
        config: { storage_account: "account", container: "metrics", storage_create_container: false, user_assigned_id: "id" },
      },
    },
    {
      title: "a directory, where it is mounted",
      input: filesystem,
      config: { type: "FILESYSTEM", config: { directory: "/var/thanos/bucket" } },
    },
  ];
  for (const { title, input, credentials, config } of cases) it(title, () => assert.deepEqual(configOf(input, credentials), config));

  it("keeps every key as it is, whatever it contains", () => {
    const key = fc.string({ minLength: 1 }).filter((text) => !text.includes("$("));
    fc.assert(
      fc.property(key, key, (accessKey, secretKey) => {
        const { config } = configOf(s3(), { accessKey, secretKey });
        assert.equal(config.access_key, accessKey);
        assert.equal(config.secret_key, secretKey);
      }),
    );
  });
});

describe("object storage: credentials", () => {
  const problems = (input: ObjectStorageInput | undefined, credentials: unknown) =>
    bucketCredentialProblems(settingsWith({ objectStorage: input }), credentials);

  const good: [ObjectStorageInput | undefined, unknown][] = [
    [undefined, undefined],
    [BUCKET, undefined],
    [s3(), S3_KEYS],
    [s3(), { ...S3_KEYS, sessionToken: "t" }],
    [gcs(), { serviceAccount: "{}" }],
    [gcs(), { serviceAccount: KEY_FILE }],
    [azure(), { storageAccountKey: "a2V5" }],
    [s3({ encryption: { method: "SSE-C" } }), { ...S3_KEYS, encryptionKey: OWN_KEY }],
    [filesystem, undefined],
    [given, undefined],
  ];
  it("are accepted where they are the bucket's", () => {
    for (const [input, credentials] of good) {
      assert.deepEqual(problems(input, credentials), []);
      if (credentials !== undefined) assert.deepEqual(credentialsSchema.parse(credentials), credentials);
    }
  });

  const hush = "hush-hush-hush";
  const bad: { title: string; input: ObjectStorageInput | undefined; credentials: unknown; rule: RegExp }[] = [
    { title: "without a bucket", input: undefined, credentials: { accessKey: hush, secretKey: hush }, rule: /without a bucket/ },
    { title: "of another kind", input: s3(), credentials: { storageAccountKey: hush }, rule: /not the credentials of a bucket of kind s3/ },
    { title: "of another kind", input: azure(), credentials: { accessKey: hush, secretKey: hush }, rule: /of kind azure/ },
    { title: "of two kinds", input: gcs(), credentials: { serviceAccount: hush, storageAccountKey: hush }, rule: /of kind gcs/ },
    { title: "incomplete", input: s3(), credentials: { accessKey: hush }, rule: /of kind s3/ },
    { title: "misspelt", input: s3(), credentials: { accessKey: hush, secretKey: hush, [hush]: hush }, rule: /of kind s3/ },
    { title: "empty", input: s3(), credentials: { accessKey: "", secretKey: hush }, rule: /of kind s3/ },
    { title: "no object", input: s3(), credentials: hush, rule: /holds a map of keys/ },
    { title: "for a directory", input: filesystem, credentials: { accessKey: hush, secretKey: hush }, rule: /needs no credentials/ },
    { title: "for a Secret that exists", input: given, credentials: { accessKey: hush, secretKey: hush }, rule: /kind secret needs no/ },
    {
      title: "with a key that nothing is encrypted with",
      input: s3(),
      credentials: { accessKey: hush, secretKey: hush, encryptionKey: OWN_KEY },
      rule: /the key of SSE-C alone/,
    },
    {
      title: "without the key of SSE-C",
      input: s3({ encryption: { method: "SSE-C" } }),
      credentials: { accessKey: hush, secretKey: hush },
      rule: /SSE-C encrypts with a key that the server does not keep/,
    },
    {
      title: "none at all, with SSE-C",
      input: s3({ encryption: { method: "SSE-C" } }),
      credentials: undefined,
      rule: /SSE-C encrypts with a key that the server does not keep/,
    },
    {
      title: "with a key of SSE-C that is too short",
      input: s3({ encryption: { method: "SSE-C" } }),
      credentials: { accessKey: hush, secretKey: hush, encryptionKey: "aGk=" },
      rule: /of kind s3/,
    },
    { title: "that Thanos would expand", input: s3(), credentials: { accessKey: hush, secretKey: `${hush}$(HOME)` }, rule: /environment/ },
    { title: "beside another identity", input: azure({ userAssignedId: "id" }), credentials: { storageAccountKey: hush }, rule: /at once/ },
  ];
  for (const { title, input, credentials, rule } of bad) {
    it(`are refused: ${title}, and never shown`, () => {
      const found = problems(input, credentials);
      assert.equal(found.length, 1);
      assert.match(found[0]?.rule ?? "", rule);
      assert.equal(found[0]?.key, "objectStorageCredentials");
      assert.ok(!JSON.stringify(found).includes(hush));
    });
  }
});

describe("object storage: stacks that share a bucket", () => {
  const identity = (input: ObjectStorageInput) => bucketIdentity(objectStorageOf(input));
  const clashes = (own: ObjectStorageInput, other: unknown) => bucketClashes(objectStorageOf(own), { prod: other });

  const same: [string, ObjectStorageInput, ObjectStorageInput][] = [
    ["the same", s3(), s3()],
    ["other ways to the same", s3({ region: "a", bucketLookup: "path" }), s3({ region: "b" })],
    ["the port said or not", s3({ endpoint: "s3.example.org:443" }), s3()],
    ["capitals in the host", s3({ endpoint: "S3.Example.org" }), s3()],
    ["two endpoints of AWS", s3({ endpoint: "s3.eu-west-1.amazonaws.com" }), s3({ endpoint: "s3.dualstack.eu-west-1.amazonaws.com" })],
    ["Google's by its S3 endpoint", s3({ endpoint: "storage.googleapis.com" }), gcs()],
    ["Azure's endpoint said or not", azure({ endpoint: "blob.core.windows.net" }), azure()],
    ["the same folder", s3({}, "a/b"), s3({}, "a/b")],
  ];
  for (const [title, own, other] of same) {
    it(`are refused: ${title}`, () => {
      const [problem, ...more] = clashes(own, other);
      assert.deepEqual(more, []);
      assert.equal(problem?.key, "objectStorage.prefix");
      assert.match(problem?.rule ?? "", /stack prod keeps its blocks in the same directory/);
      assert.equal(identity(own), identity(other));
    });
  }

  const apart: [string, ObjectStorageInput, ObjectStorageInput][] = [
    ["another bucket", s3({ bucket: "other" }), s3()],
    ["another server", s3({ endpoint: "s3.example.com" }), s3()],
    ["another port", s3({ endpoint: "s3.example.org:9000" }), s3()],
    ["AWS in China", s3({ endpoint: "s3.cn-north-1.amazonaws.com.cn" }), s3({ endpoint: "s3.amazonaws.com" })],
    ["a name that only ends like AWS'", s3({ endpoint: "fakeamazonaws.com" }), s3({ endpoint: "s3.amazonaws.com" })],
    ["another account", azure({ storageAccount: "other" }), azure()],
    ["another kind", gcs(), azure()],
    ["another folder", s3({}, "dev"), s3({}, "prod")],
    ["the root and a folder", s3(), s3({}, "dev")],
    ["a folder in a folder", s3({}, "dev"), s3({}, "dev/a")],
  ];
  for (const [title, own, other] of apart) {
    it(`are accepted: ${title}`, () => {
      assert.deepEqual(clashes(own, other), []);
      assert.deepEqual(clashes(other, own), []);
    });
  }

  it("directories of nodes are never one: a namespace is one stack's", () => assert.deepEqual(clashes(filesystem, filesystem), []));

  it("what another stack file holds is compared as far as it can be read", () => {
    assert.equal(clashes(BUCKET, { s3: { bucket: "metrics", endpoint: "s3.example.org" } }).length, 1);
    for (const raw of [undefined, null, "text", 7, [], { s3: { bucket: "metrics" } }, { secure: "v1:..." }]) {
      assert.deepEqual(clashes(BUCKET, raw), [], JSON.stringify(raw));
    }
    assert.deepEqual(bucketClashes(undefined, { prod: BUCKET }), []);
  });

  it("every other stack is named", () => {
    const found = bucketClashes(objectStorageOf(BUCKET), { one: BUCKET, two: gcs(), three: BUCKET });
    assert.deepEqual(
      found.map(({ rule }) => /^stack (\w+)/.exec(rule)?.[1]),
      ["one", "three"],
    );
  });
});

describe("object storage: where it is", () => {
  const cases: [string, ObjectStorageInput, number | undefined][] = [
    ["HTTPS", s3(), 443],
    ["HTTP", s3({ insecure: true }), 80],
    ["a port of its own", s3({ endpoint: "10.0.0.1:7070", insecure: true }), 7070],
    ["Google", gcs(), 443],
    ["Azure", azure(), 443],
    ["Azure, a port of its own", azure({ endpoint: "azurite:10000" }), 10000],
    ["a directory", filesystem, undefined],
    ["a Secret", given, 443],
    ["a Secret, a port of its own", bucketAt({ secret: { name: "objstore", port: 9000 } }), 9000],
  ];
  for (const [title, input, port] of cases) it(`port: ${title}`, () => assert.equal(bucketPort(objectStorageOf(input)), port));

  it("a directory is one volume on its node, of the user that uploads, and bound to one claim", () => {
    for (const [ingestion, user] of [
      ["receive", 1001],
      ["sidecar", 65534],
    ] as const) {
      const settings = settingsWith({ ingestion, objectStorage: filesystem });
      assert.equal(bucketUser(settings), user);
      const [volume, ...more] = bucketVolumes(settings);
      assert.ok(volume !== undefined && more.length === 0);
      assert.deepEqual([volume.node, volume.directory, volume.owner], ["n1", "/data/bucket/metrics/bucket", user]);
      const claim = bucketClaim(volume);
      const persistent = hostPathPersistentVolume(volume, settings.namespace);
      assert.deepEqual(persistent.claimRef.name, volume.claim);
      assert.equal(claim.volumeName, volume.name);
      assert.equal(claim.storageClassName, persistent.storageClassName);
      assert.deepEqual(claim.accessModes, persistent.accessModes);
    }
  });

  it("other buckets are no volume, and need no other user", () => {
    for (const ingestion of ["receive", "sidecar"] as const) {
      assert.deepEqual(bucketVolumes(settingsWith({ ingestion })), []);
      assert.equal(bucketUser(settingsWith({ ingestion })), 1001);
    }
  });
});
