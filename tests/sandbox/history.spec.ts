import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import {
  BLOCK_DURATION,
  exampleSeries,
  historyLabels,
  historySteps,
  makeBlocks,
  missingRanges,
  objectStoreConfig,
  openMetrics,
  parseBlockList,
  placeBlocks,
  type Series,
} from "../../sandbox/history";
import { wholeSpan } from "../../sandbox/history/make";
import { directoryOf } from "../../sandbox/history/place";
import { blockNames, labelText } from "../../sandbox/history/remote";
import { paths } from "../../sandbox/paths";

const where = paths({ HOME: "/root" });
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FIRST = "01M82CZ5CTWRKRXCB4K60XDGWK";
const SECOND = "01M82CZ5E8EVTSY8XAZ7T1XTYW";

const text = (series: readonly Series[], from: number, to: number, resolutionSeconds: number): string =>
  [...openMetrics(series, { from, to, resolutionSeconds })].join("");

describe("sandbox history: OpenMetrics text", () => {
  it("has a line for each sample, the end excluded, in seconds", () => {
    const series = [{ name: "up", labels: { job: "a", instance: "b" }, value: (time: number) => time / 30_000 }];
    assert.equal(text(series, 60_000, 120_000, 30), 'up{instance="b",job="a"} 2 60\nup{instance="b",job="a"} 3 90\n# EOF\n');
  });

  it("leaves gaps out, keeps samples that are no finite number, and escapes labels", () => {
    const values = [undefined, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const series = [{ name: "x", labels: { a: '1\\"2"\n' }, value: (time: number) => values[time / 1_000] }];
    const head = 'x{a="1\\\\\\"2\\"\\n"}';
    assert.equal(text(series, 0, 4_000, 1), `${head} NaN 1\n${head} +Inf 2\n${head} -Inf 3\n# EOF\n`);
  });

  it("loses no sample where a series is handed on in pieces", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6_000 }), fc.integer({ min: 1, max: 60 }), (count, resolution) => {
        const lines = text([{ name: "x", labels: {}, value: (time) => time }], 0, count * resolution * 1_000, resolution).split("\n");
        assert.equal(lines.length, count + 2);
        assert.equal(lines[count - 1], `x ${(count - 1) * resolution * 1_000} ${(count - 1) * resolution}`);
      }),
      { numRuns: 20 },
    );
  });

  it("refuses what Prometheus would not take, or take otherwise", () => {
    const value = () => 1;
    assert.throws(() => text([{ name: "a-b", labels: {}, value }], 0, 1_000, 1), /"a-b" is no name of a metric/);
    assert.throws(() => text([{ name: "a", labels: { "b-c": "" }, value }], 0, 1_000, 1), /"b-c" is no name of a label/);
    assert.throws(() => text([{ name: "a", labels: { __name__: "b" }, value }], 0, 1_000, 1), /no name of a label/);
    assert.throws(() => text([{ name: "a", labels: {}, value }], 1, 1_000, 1), /from is 1: .*whole seconds/);
    assert.throws(() => text([{ name: "a", labels: {}, value }], 0, 1_000, 0.5), /resolutionSeconds is 0\.5/);
    const same = [
      { name: "a", labels: { b: "1", c: "2" }, value },
      { name: "a", labels: { c: "2", b: "1" }, value },
    ];
    assert.throws(() => text(same, 0, 1_000, 1), /two series are a\{b="1",c="2"\}/);
  });
});

describe("sandbox history: blocks", () => {
  it("are refused before anything is made where they don't begin and end at even hours", async () => {
    const plan = { folder: "/nowhere", from: 0, to: BLOCK_DURATION, resolutionSeconds: 30, series: [] };
    await assert.rejects(makeBlocks({ ...plan, from: HOUR }, where), /from is 3600000: blocks begin and end at even hours/);
    await assert.rejects(makeBlocks({ ...plan, to: 3 * HOUR }, where), /to is 10800000/);
    await assert.rejects(makeBlocks({ ...plan, from: BLOCK_DURATION }, where), /to is 7200000: it must be after from/);
  });

  it("span their whole two hours, and never more", () => {
    const start = 500_000 * BLOCK_DURATION;
    const meta = { ulid: FIRST, minTime: start + 30_000, maxTime: start + HOUR + 1, version: 1 };
    assert.deepEqual(wholeSpan(meta), { ulid: FIRST, minTime: start, maxTime: start + BLOCK_DURATION, version: 1 });
    assert.deepEqual(wholeSpan(wholeSpan(meta)), wholeSpan(meta));
    assert.throws(() => wholeSpan({ ...meta, maxTime: start + BLOCK_DURATION + 1 }), /more than its two hours/);
  });

  it("are missing exactly where none covers their two hours", () => {
    const at = (block: number) => ({ minTime: block * BLOCK_DURATION, maxTime: (block + 1) * BLOCK_DURATION });
    assert.deepEqual(missingRanges(0, 4 * BLOCK_DURATION, []), [{ from: 0, to: 4 * BLOCK_DURATION }]);
    // A compacted block of several, and one that ends before its two hours do.
    assert.deepEqual(missingRanges(0, 4 * BLOCK_DURATION, [{ minTime: 0, maxTime: 4 * BLOCK_DURATION }]), []);
    assert.deepEqual(missingRanges(0, BLOCK_DURATION, [{ minTime: HOUR, maxTime: HOUR + 1 }]), []);
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 19 })), (there) => {
        const ranges = missingRanges(0, 20 * BLOCK_DURATION, there.map(at));
        const missing = ranges.flatMap(({ from, to }) =>
          Array.from({ length: (to - from) / BLOCK_DURATION }, (_, index) => from / BLOCK_DURATION + index),
        );
        assert.deepEqual(
          [...missing, ...there].sort((a, b) => a - b),
          [...Array(20).keys()],
        );
        for (const [index, range] of ranges.entries()) assert.ok(index === 0 || range.from > (ranges[index - 1]?.to ?? 0), "joined");
      }),
    );
  });
});

describe("sandbox history: the example", () => {
  const samples = (name: string, from: number, days: number): number[] => {
    const series = exampleSeries({}).find((each) => each.name === name);
    return Array.from({ length: (days * DAY) / 30_000 }, (_, index) => series?.value(from + index * 30_000) ?? Number.NaN);
  };

  it("has one new beginning of each counter in every ten days, and a rise otherwise", () => {
    fc.assert(
      fc.property(fc.integer({ min: 240_000, max: 260_000 }), (block) => {
        const values = samples("example_requests_total", block * BLOCK_DURATION, 10);
        const falls = values.filter((value, index) => index > 0 && value < (values[index - 1] ?? 0));
        assert.equal(falls.length, 1);
      }),
      { numRuns: 25 },
    );
  });

  it("rises and falls once a day", () => {
    const values = samples("example_temperature_celsius", 20_000 * DAY, 2);
    assert.deepEqual(values.slice(0, values.length / 2), values.slice(values.length / 2));
    assert.deepEqual([Math.min(...values), Math.max(...values)], [15, 25]);
  });

  it("bears the labels that the environment's own blocks have, in each scheme", () => {
    const config = {
      "pulumi:disable-default-providers": ["kubernetes"],
      "thanos-stack:cluster": { name: "dev", context: "dev" },
      "thanos-stack:namespace": "thanos-dev",
      "thanos-stack:tenancy": { defaultTenant: "team-a", label: "team" },
      "thanos-stack:receive": { storage: { pvc: { size: "1Gi" } } },
      "thanos-stack:prometheus": { storage: { pvc: { size: "1Gi" } }, externalLabels: { region: "eu" } },
    };
    const prometheus = { region: "eu", cluster: "dev", prometheus_replica: "prometheus-0" };
    assert.deepEqual(historyLabels(config), { external: { receive_replica: "thanos-receive-0", team: "team-a" }, series: prometheus });
    assert.deepEqual(historyLabels({ ...config, "thanos-stack:ingestion": "sidecar" }), { external: prometheus, series: {} });
  });

  it("is refused where there is no bucket, and for days or an end that are none", () => {
    const config = {
      "thanos-stack:cluster": { name: "dev", context: "dev" },
      "thanos-stack:namespace": "thanos-dev",
      "thanos-stack:prometheus": { storage: { pvc: { size: "1Gi" } } },
    };
    const plan = {
      env: "dev",
      config: { ...config, "thanos-stack:objectStorage": { s3: { bucket: "made", endpoint: "x" } } },
      days: 1,
      until: DAY,
    };
    assert.throws(() => historySteps({ ...plan, config }, where), /Pulumi\.dev\.yaml has no thanos-stack:objectStorage\.s3/);
    for (const days of [0, 1.5, Number.NaN, 401]) assert.throws(() => historySteps({ ...plan, days }, where), /days is/);
    assert.throws(() => historySteps({ ...plan, until: Number.NaN }, where), /until is no time/);
  });
});

describe("sandbox history: the bucket", () => {
  /** As `thanos tools bucket ls --output=json` of 0.42.4 prints a block. */
  const listed = (ulid: string, thanos: object, level: number, minTime: number, maxTime: number): string =>
    `${JSON.stringify({ ulid, minTime, maxTime, stats: { numSamples: 1440, numSeries: 6 }, compaction: { level, sources: [ulid] }, version: 1, thanos }, null, "\t")}\n`;
  const raw = listed(FIRST, { labels: { a: "}\n{" }, downsample: { resolution: 0 }, source: "bucket.upload" }, 1, 7_200_000, 14_400_000);
  const downsampled = listed(SECOND, { labels: { a: "b" }, downsample: { resolution: 300_000 }, source: "compactor" }, 4, 0, 14_400_000);

  it("is read block by block, the oldest first, with what waits for its deletion", () => {
    assert.deepEqual(parseBlockList("", ""), []);
    assert.deepEqual(parseBlockList(`${raw}${downsampled}`, downsampled), [
      {
        ...{ ulid: SECOND, labels: { a: "b" }, minTime: 0, maxTime: 14_400_000, resolution: 300_000, level: 4 },
        ...{ source: "compactor", samples: 1440, series: 6, markedForDeletion: false },
      },
      {
        ...{ ulid: FIRST, labels: { a: "}\n{" }, minTime: 7_200_000, maxTime: 14_400_000, resolution: 0, level: 1 },
        ...{ source: "bucket.upload", samples: 1440, series: 6, markedForDeletion: true },
      },
    ]);
  });

  it("is reached by a file in which the folder is beside the provider's own settings", () => {
    const access = {
      bucket: "made",
      endpoint: "10.89.0.1:7070",
      region: "us-east-1",
      caFile: "/pki/ca.crt",
      accessKey: "k",
      secretKey: "s",
    };
    const config = {
      ...{ bucket: "made", endpoint: "10.89.0.1:7070", region: "us-east-1" },
      ...{ access_key: "k", secret_key: "s", http_config: { tls_config: { ca_file: "/pki/ca.crt" } }, bucket_lookup_type: "path" },
    };
    assert.deepEqual(parse(objectStoreConfig(access)), { type: "S3", config });
    assert.deepEqual(parse(objectStoreConfig(access, "a/b")), { type: "S3", config, prefix: "a/b" });
    const directory = { directory: "/data/bucket" };
    assert.deepEqual(parse(objectStoreConfig(directory)), { type: "FILESYSTEM", config: directory });
    assert.deepEqual(parse(objectStoreConfig(directory, "a")), { type: "FILESYSTEM", config: directory, prefix: "a" });
  });

  it("knows labels in any order as the same", () => {
    assert.equal(labelText({ b: '"', a: "1" }), '{a="1", b="\\""}');
    assert.equal(labelText({ a: "1", b: "2" }), labelText({ b: "2", a: "1" }));
  });
});

describe("sandbox history: placing", () => {
  let base = "";
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "thanos-stack-place-"));
    for (const ulid of [FIRST, SECOND]) {
      mkdirSync(join(base, "made", ulid, "chunks"), { recursive: true });
      writeFileSync(join(base, "made", ulid, "chunks", "000001"), ulid);
      writeFileSync(join(base, "made", ulid, "meta.json"), "{}");
    }
    mkdirSync(join(base, "made", "thanos"));
    mkdirSync(join(base, "data", "default-tenant"), { recursive: true });
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  // Only root may give files away; anyone may give them to himself.
  const owner = process.getuid?.() === 0 ? { uid: 65_534, gid: 1_001 } : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

  it("brings whole blocks and nothing else, to their owner, once", () => {
    const plan = { folder: join(base, "made"), directory: join(base, "data"), owner, tenant: "default-tenant" };
    const target = join(base, "data", "default-tenant");
    // Leftovers of a copy that was interrupted.
    mkdirSync(join(target, `${FIRST}.tmp-for-creation`));
    writeFileSync(join(target, `${FIRST}.tmp-for-creation`, "part"), "");
    assert.equal(placeBlocks(plan), 2);
    assert.deepEqual(readdirSync(target).sort(), [FIRST, SECOND]);
    assert.deepEqual(readdirSync(join(target, FIRST)).sort(), ["chunks", "meta.json"]);
    for (const path of ["", "meta.json", "chunks", "chunks/000001"]) {
      const { uid, gid } = statSync(join(target, FIRST, path));
      assert.deepEqual({ uid, gid }, owner, path);
    }
    assert.equal(placeBlocks(plan), 0);
    assert.equal(placeBlocks({ ...plan, tenant: undefined }), 2);
    assert.ok(existsSync(join(base, "data", FIRST)));
  });

  it("is refused where nobody keeps data yet", () => {
    const plan = { folder: join(base, "made"), directory: join(base, "data"), owner, tenant: "other" };
    assert.throws(() => placeBlocks(plan), /data\/other isn't there/);
  });

  it("takes names for blocks only that a TSDB takes for blocks", () => {
    for (const name of ["wal", `${FIRST}.tmp`, "81M82CZ5CTWRKRXCB4K60XDGWK", FIRST.toLowerCase()]) mkdirSync(join(base, "made", name));
    assert.deepEqual(blockNames(join(base, "made")).sort(), [FIRST, SECOND]);
  });

  it("finds a node's own directory behind its path, and a local volume where it says", () => {
    const pod = {
      metadata: { namespace: "n", name: "p" },
      spec: { nodeName: "node2", containers: [], securityContext: { runAsUser: 1_001, runAsGroup: 1_002, fsGroup: 1_003 } },
    };
    const found = directoryOf(pod, { spec: { hostPath: { path: "/data/thanos/n/p" } } }, where);
    assert.deepEqual(found, {
      directory: "/var/lib/thanos-stack/nodes/node2/private/data/thanos/n/p",
      node: "node2",
      owner: { uid: 1_001, gid: 1_003 },
    });
    const disk = "/var/lib/thanos-stack/nodes/node2/disks/disk1";
    assert.equal(directoryOf(pod, { spec: { local: { path: disk } } }, where).directory, disk);
    assert.equal(directoryOf(pod, { spec: { local: { path: "/database" } } }, where).directory, "/database");
    assert.throws(() => directoryOf({ ...pod, spec: { containers: [] } }, {}, where), /n\/p is on no node/);
    assert.throws(() => directoryOf(pod, { metadata: { name: "v" }, spec: {} }, where), /the volume v of n\/p is no directory/);
  });
});
