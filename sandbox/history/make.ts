import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run, StepFailed } from "../command";
import { type Paths, paths } from "../paths";
import { ensureTool } from "../tools";
import { openMetrics, type Sampling, type Series } from "./openMetrics";

/** Span of a block, in milliseconds: two hours from an even hour (UTC), as Prometheus cuts them. */
export const BLOCK_DURATION = 2 * 3_600_000;

/** Input of one run of promtool, in milliseconds: it reads all of it once for each block that it makes. */
const PORTION = 12 * BLOCK_DURATION;

/** A block that was made. */
export interface MadeBlock {
  readonly ulid: string;
  /** Its first moment and the first after it, in milliseconds since 1970. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly samples: number;
  readonly series: number;
}

/** The fields of a block's meta.json that are read and written here. */
interface BlockMeta {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly stats: { readonly numSamples: number; readonly numSeries: number };
}

/** The blocks that {@link makeBlocks} makes, and where. */
export interface BucketPlan extends Sampling {
  /** The blocks' directory; it is made. Only complete blocks are ever in it. */
  readonly folder: string;
  /** The first moment, in milliseconds since 1970: an even hour (UTC). */
  readonly from: number;
  /** The end, in milliseconds since 1970: an even hour (UTC). */
  readonly to: number;
  /** Whole seconds between two samples. */
  readonly resolutionSeconds: number;
  readonly series: readonly Series[];
}

/**
 * Blocks of two hours with the samples of series at any times, made by `promtool tsdb create-blocks-from openmetrics`. A stretch of two
 * hours without a sample gives none. promtool is built if it isn't there.
 *
 * Each block's meta.json spans its whole two hours, as Prometheus' own blocks do: promtool ends it at its last
 * sample (tsdb/blockwriter.go, `Flush`).
 *
 * The blocks bear no external labels: a sidecar or receiver gives them its own when it uploads them, `uploadBlocks` those that it is told.
 * Blocks for two replicas are made twice, since a bucket knows a block by its ULID.
 *
 * @returns the blocks, the oldest first
 * @throws {RangeError} on times that aren't those of blocks, and on series that {@link openMetrics} refuses
 * @throws {StepFailed} with what promtool said
 */
export async function makeBlocks(
  { folder, from, to, resolutionSeconds, series }: BucketPlan,
  where: Paths = paths(),
  report: (text: string) => void = () => {},
): Promise<MadeBlock[]> {
  for (const [name, time] of Object.entries({ from, to })) {
    if (time % BLOCK_DURATION !== 0) throw new RangeError(`${name} is ${time}: blocks begin and end at even hours (UTC)`);
  }
  if (to <= from) throw new RangeError(`to is ${to}: it must be after from, ${from}`);
  const { promtool } = await ensureTool("prometheus", where, report);
  if (promtool === undefined) throw new StepFailed("promtool was not built");
  mkdirSync(folder, { recursive: true });
  const made: MadeBlock[] = [];
  const portions = Math.ceil((to - from) / PORTION);
  for (let portion = 0; portion < portions; portion++) {
    report(`${made.length} blocks made, ${portion} of ${portions} days`);
    const start = from + portion * PORTION;
    const scratch = mkdtempSync(join(folder, ".making-"));
    try {
      const text = join(scratch, "samples.txt");
      const end = Math.min(start + PORTION, to);
      await writeFile(text, openMetrics(series, { from: start, to: end, resolutionSeconds }));
      const blocks = join(scratch, "blocks");
      mkdirSync(blocks);
      await run(promtool.path, ["tsdb", "create-blocks-from", "openmetrics", "--quiet", text, blocks], { timeout: 1_800_000 });
      made.push(...readdirSync(blocks).map((name) => finish(join(blocks, name), join(folder, name))));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
  return made.sort((a, b) => a.minTime - b.minTime);
}

/** Brings a block that promtool made to where it belongs, spanning its whole two hours. */
function finish(made: string, place: string): MadeBlock {
  const path = join(made, "meta.json");
  const meta = wholeSpan(JSON.parse(readFileSync(path, "utf8")) as BlockMeta);
  writeFileSync(path, `${JSON.stringify(meta, null, "\t")}\n`);
  renameSync(made, place);
  const { ulid, minTime, maxTime, stats } = meta;
  return { ulid, minTime, maxTime, samples: stats.numSamples, series: stats.numSeries };
}

/**
 * A block's meta with the two hours that its samples are in as its span.
 *
 * @throws {RangeError} if they are in more than two hours
 */
export function wholeSpan<M extends Pick<BlockMeta, "ulid" | "minTime" | "maxTime">>(meta: M): M {
  const minTime = Math.floor(meta.minTime / BLOCK_DURATION) * BLOCK_DURATION;
  const maxTime = minTime + BLOCK_DURATION;
  if (meta.maxTime > maxTime) throw new RangeError(`block ${meta.ulid} spans ${meta.minTime} to ${meta.maxTime}: more than its two hours`);
  return { ...meta, minTime, maxTime };
}
