import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { BucketAccess } from "../bucket";
import { run, StepFailed } from "../command";
import { type Paths, paths } from "../paths";
import { ensureTool } from "../tools";

/** A block in a bucket, as its meta.json tells of it. */
export interface BucketBlock {
  readonly ulid: string;
  /** External labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Its first moment and the first after it, in milliseconds since 1970. */
  readonly minTime: number;
  readonly maxTime: number;
  /** Milliseconds between two samples: 0 for raw ones, 300 000, 3 600 000. */
  readonly resolution: number;
  /** 1 for a block as it was uploaded, more for one that is made of others. */
  readonly level: number;
  /** Who uploaded or made it: `sidecar`, `receive`, `ruler`, `compactor`, `bucket.upload`. */
  readonly source: string;
  /** Samples in it; those of a downsampled block are aggregates, several for each of its times. */
  readonly samples: number;
  readonly series: number;
  /** Whether it was replaced and waits for its deletion. */
  readonly markedForDeletion: boolean;
}

/** A directory of this host that is a bucket. */
export interface BucketDirectory {
  readonly directory: string;
}

/** The file with which a Thanos program reaches a bucket, as YAML. It holds the secret key, where there is one. */
export function objectStoreConfig(access: BucketAccess | BucketDirectory, prefix?: string): string {
  if ("directory" in access) return stringify({ type: "FILESYSTEM", config: access, ...(prefix === undefined ? {} : { prefix }) });
  const { bucket, endpoint, region, caFile, accessKey, secretKey } = access;
  const http = { tls_config: { ca_file: caFile } };
  return stringify({
    type: "S3",
    config: { bucket, endpoint, region, access_key: accessKey, secret_key: secretKey, http_config: http, bucket_lookup_type: "path" },
    // Beside `config`, for every provider alike (objstore client/factory.go).
    ...(prefix === undefined ? {} : { prefix }),
  });
}

/** Runs `thanos tools bucket`, with the bucket's configuration in a file that only this user reads. */
async function bucketTool(
  args: readonly string[],
  bucket: BucketAccess | BucketDirectory,
  prefix: string | undefined,
  where: Paths,
  report: (text: string) => void,
): Promise<string> {
  const { thanos } = await ensureTool("thanos", where, report);
  if (thanos === undefined) throw new StepFailed("thanos was not built");
  const folder = mkdtempSync(join(tmpdir(), "thanos-stack-bucket-"));
  try {
    const file = join(folder, "bucket.yaml");
    writeFileSync(file, objectStoreConfig(bucket, prefix), { mode: 0o600 });
    const all = ["tools", "bucket", ...args, `--objstore.config-file=${file}`, "--log.level=warn"];
    return await run(thanos.path, all, { timeout: 900_000 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The blocks that {@link uploadBlocks} uploads, and where to. */
export interface Upload {
  /** The blocks' directory. */
  readonly folder: string;
  /** External labels for all of them: at least one, as Thanos wants it. */
  readonly labels: Readonly<Record<string, string>>;
  readonly bucket: BucketAccess | BucketDirectory;
  /** Prefix within the bucket. Default: none. */
  readonly prefix?: string;
}

/**
 * Brings blocks into a bucket, as a sidecar would, with `thanos tools bucket upload-blocks`. Those that are there already are left.
 *
 * @returns how many of the directory's blocks are in the bucket now
 * @throws {StepFailed} with what Thanos said, or if blocks are there with other labels: a bucket knows a block by its ULID, and the second
 * replica's would be left out in silence
 */
export async function uploadBlocks(
  { folder, labels, bucket, prefix }: Upload,
  where: Paths = paths(),
  report: (text: string) => void = () => {},
): Promise<number> {
  const own = new Set(blockNames(folder));
  const wanted = labelText(labels);
  const others = (await listBlocks(bucket, prefix, where)).filter((block) => own.has(block.ulid) && labelText(block.labels) !== wanted);
  if (others.length > 0) {
    throw new StepFailed(
      `${others.length} blocks of ${folder} are in the bucket ${"directory" in bucket ? bucket.directory : bucket.bucket} already, with the labels ${labelText(others[0]?.labels ?? {})} instead of ${wanted}; make blocks of their own for each set of labels`,
    );
  }
  // The shipper believes this file of an earlier upload more than the bucket, which may be another one now.
  rmSync(join(folder, "thanos.shipper.json"), { force: true });
  report(`${own.size} blocks`);
  // Go's strconv.Unquote reads the value; JSON's escapes are among Go's.
  const flags = Object.entries(labels).map(([name, value]) => `--label=${name}=${JSON.stringify(value)}`);
  await bucketTool(["upload-blocks", `--path=${folder}`, ...flags], bucket, prefix, where, report);
  return own.size;
}

/** The names of a directory's blocks. */
export function blockNames(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(name));
}

/** Labels as one text, the same for the same labels. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return `{${Object.keys(labels)
    .sort()
    .map((name) => `${name}=${JSON.stringify(labels[name])}`)
    .join(", ")}}`;
}

/**
 * The complete blocks of a bucket, read through its server by `thanos tools bucket ls`, as store gateway and compactor see them.
 *
 * @param prefix within the bucket. Default: none
 * @returns them by time, then by resolution; those that wait for their deletion too
 * @throws {StepFailed} with what Thanos said, such as when the server doesn't answer
 */
export async function listBlocks(bucket: BucketAccess | BucketDirectory, prefix?: string, where: Paths = paths()): Promise<BucketBlock[]> {
  const list = (...more: string[]) => bucketTool(["ls", "--output=json", ...more], bucket, prefix, where, () => {});
  // A block that is marked between the two lists counts as marked, and is: so the first one asked is that of all blocks.
  const all = await list();
  return parseBlockList(all, await list("--exclude-delete"));
}

/** The part of a meta.json that a {@link BucketBlock} tells. */
interface ListedMeta {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly stats?: { readonly numSamples?: number; readonly numSeries?: number };
  readonly compaction: { readonly level: number };
  readonly thanos: {
    readonly labels: Record<string, string> | null;
    readonly downsample: { readonly resolution: number };
    readonly source: string;
  };
}

/**
 * Blocks from the output of `thanos tools bucket ls --output=json`: indented objects, one after the other.
 *
 * @param kept the same, without the blocks that are marked for deletion
 */
export function parseBlockList(all: string, kept: string): BucketBlock[] {
  const keptOnes = new Set(metas(kept).map(({ ulid }) => ulid));
  return metas(all)
    .map(({ ulid, minTime, maxTime, stats, compaction, thanos }) => ({
      ulid,
      labels: thanos.labels ?? {},
      minTime,
      maxTime,
      resolution: thanos.downsample.resolution,
      level: compaction.level,
      source: thanos.source,
      samples: stats?.numSamples ?? 0,
      series: stats?.numSeries ?? 0,
      markedForDeletion: !keptOnes.has(ulid),
    }))
    .sort((a, b) => a.minTime - b.minTime || a.resolution - b.resolution || a.maxTime - b.maxTime || (a.ulid < b.ulid ? -1 : 1));
}

function metas(output: string): ListedMeta[] {
  // Only the end of a whole object is at the beginning of a line.
  return output
    .split(/(?<=^\})\n/m)
    .filter((part) => part.trim() !== "")
    .map((part) => JSON.parse(part) as ListedMeta);
}
