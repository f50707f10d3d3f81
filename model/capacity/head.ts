import {
  BLOCK_SECONDS,
  CHUNK_REFERENCE_BYTES,
  CHUNK_SAMPLES,
  CUTTING,
  HEAD_SECONDS,
  HOUR,
  INDEX_CHUNK_BYTES,
  INDEX_LABELS,
  INDEX_SERIES_BYTES,
  LABEL_COPIES,
  LATE_SERIES_BYTES,
  LOG_SAMPLE_BYTES,
  LOG_SERIES_BYTES,
  OPEN_CHUNK_BYTES,
  REPLAY_SAMPLE_SECONDS,
  REPLAY_SERIES_SECONDS,
  REPLAYED,
  SAMPLE_BYTES,
  SEGMENT_BYTES,
  SERIES_BYTES,
} from "./coefficients";
import type { Parts } from "./need";
import type { Load } from "./types";

/** One TSDB: its head in memory, its log and its blocks on disk. The load is what is written into this one. */

/** Series in the head: active ones, and those that ended since the last block was cut. */
export const headSeries = ({ series, newSeriesPerHour }: Load): number => series + (newSeriesPerHour * HEAD_SECONDS) / HOUR;

/** Bytes of the head in memory. */
export function headBytes(load: Load): number {
  const chunks = (load.samplesPerSecond * HEAD_SECONDS) / CHUNK_SAMPLES;
  return headSeries(load) * (SERIES_BYTES + LABEL_COPIES * load.labelBytes + OPEN_CHUNK_BYTES) + chunks * CHUNK_REFERENCE_BYTES;
}

/** Memory of the head while it takes samples, and while its log is replayed. */
export const headMemory = (load: Load): { working: Parts; replaying: Parts } => ({
  working: {
    "series and samples of the head": headBytes(load),
    "the block that is cut": headBytes(load) * (CUTTING - 1),
    "samples out of order": load.late * load.series * LATE_SERIES_BYTES,
  },
  replaying: { "series and samples of the head": headBytes(load), "reading the log": headBytes(load) * (REPLAYED - 1) },
});

/** Bytes of the log and of the head's chunks on disk. */
export function logDisk(load: Load, outOfOrderSeconds: number): Parts {
  const samples = load.samplesPerSecond * HEAD_SECONDS;
  const log = samples * LOG_SAMPLE_BYTES + headSeries(load) * (LOG_SERIES_BYTES + load.labelBytes);
  return {
    // A segment goes when all of it may, in each tenant's database.
    "the write-ahead log": log + Math.min(log, load.tenants * SEGMENT_BYTES),
    "chunks of the head": samples * SAMPLE_BYTES,
    "the log of samples out of order": load.late * load.samplesPerSecond * (outOfOrderSeconds + BLOCK_SECONDS) * LOG_SAMPLE_BYTES,
  };
}

/** Seconds of one core for the replay of the log. */
export const replayCoreSeconds = (load: Load): number =>
  headSeries(load) * REPLAY_SERIES_SECONDS + load.samplesPerSecond * HEAD_SECONDS * REPLAY_SAMPLE_SECONDS;

/**
 * Bytes of blocks for so many seconds.
 *
 * @param blockSeconds Length of each block: each has an index of its own with every series in it.
 */
export function blockBytes(load: Load, seconds: number, blockSeconds = BLOCK_SECONDS): number {
  const blocks = seconds / blockSeconds;
  const samples = load.samplesPerSecond * seconds;
  const series = load.series + (load.newSeriesPerHour * blockSeconds) / HOUR;
  return (
    samples * (SAMPLE_BYTES + INDEX_CHUNK_BYTES / CHUNK_SAMPLES) + blocks * series * (INDEX_SERIES_BYTES + INDEX_LABELS * load.labelBytes)
  );
}
