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
  LOG_LABELS,
  LOG_SAMPLE_BYTES,
  LOG_SECONDS,
  LOG_SERIES_BYTES,
  OPEN_CHUNK_BYTES,
  REPLAY_IN_SEQUENCE,
  REPLAY_SAMPLE_SECONDS,
  REPLAY_SERIES_SECONDS,
  REPLAYED,
  SAMPLE_BYTES,
  SEGMENT_BYTES,
  SERIES_BYTES,
  SPARE_SEGMENTS,
} from "./coefficients";
import type { Parts } from "./need";
import type { Load } from "./types";

/** One TSDB: its head in memory, its log and its blocks on disk. The load is what is written into this one. */

/**
 * Series in the head: active ones, and those that ended since the last block was cut.
 *
 * @param seconds For how long it has taken samples, where that is less than it keeps them.
 */
export const headSeries = ({ series, newSeriesPerHour }: Load, seconds = HEAD_SECONDS): number =>
  series + (newSeriesPerHour * Math.min(seconds, HEAD_SECONDS)) / HOUR;

/** Bytes of the head in memory. `seconds`: as of {@link headSeries}. */
export function headBytes(load: Load, seconds = HEAD_SECONDS): number {
  const samples = load.samplesPerSecond * Math.min(seconds, HEAD_SECONDS);
  const ofSeries = load.series === 0 ? 0 : samples / load.series;
  const openChunk = OPEN_CHUNK_BYTES * Math.min(1, ofSeries / CHUNK_SAMPLES + (seconds < HEAD_SECONDS ? 0 : 1));
  return (
    headSeries(load, seconds) * (SERIES_BYTES + LABEL_COPIES * load.labelBytes + openChunk) +
    (samples / CHUNK_SAMPLES) * CHUNK_REFERENCE_BYTES
  );
}

/**
 * Memory of the head while it takes samples, and while its log is replayed: that of samples out of order follows, and leaves the same
 * chunks open (prometheus v0.314.0 tsdb/head_wal.go `loadWBL`).
 */
export function headMemory(load: Load, seconds = HEAD_SECONDS): { working: Parts; replaying: Parts } {
  const late = { "samples out of order": load.late * load.series * LATE_SERIES_BYTES };
  return {
    working: {
      "series and samples of the head": headBytes(load, seconds),
      "the block that is cut": seconds < HEAD_SECONDS ? 0 : headBytes(load) * (CUTTING - 1),
      ...late,
    },
    replaying: { "series and samples of the head": headBytes(load), "reading the log": headBytes(load) * (REPLAYED - 1), ...late },
  };
}

/** Bytes of the write-ahead log, for each second of samples in it, and what it has of series. */
const logBytes = (load: Load, seconds: number): number =>
  load.samplesPerSecond * seconds * LOG_SAMPLE_BYTES + headSeries(load, seconds) * (LOG_SERIES_BYTES + LOG_LABELS * load.labelBytes);

/** Bytes of the log beyond three hours: whole segments of each tenant's database, and no more than its longest time. */
const spareLogBytes = (load: Load): number =>
  Math.min(logBytes(load, HEAD_SECONDS) * (LOG_SECONDS / HEAD_SECONDS - 1), load.tenants * SPARE_SEGMENTS * SEGMENT_BYTES);

/** Samples in the log of those out of order, which goes when their blocks are cut. */
const lateSamples = ({ late, samplesPerSecond }: Load, outOfOrderSeconds: number, seconds = Number.POSITIVE_INFINITY): number =>
  late * samplesPerSecond * Math.min(seconds, outOfOrderSeconds + BLOCK_SECONDS);

/** Bytes of the log and of the head's chunks on disk. `seconds`: as of {@link headSeries}. */
export function logDisk(load: Load, outOfOrderSeconds: number, seconds = HEAD_SECONDS): Parts {
  const samples = load.samplesPerSecond * Math.min(seconds, HEAD_SECONDS);
  return {
    "the write-ahead log": logBytes(load, Math.min(seconds, HEAD_SECONDS)) + (seconds < HEAD_SECONDS ? 0 : spareLogBytes(load)),
    // A chunk is written when it is full.
    "chunks of the head": Math.max(0, samples - (seconds < HEAD_SECONDS ? load.series * CHUNK_SAMPLES : 0)) * SAMPLE_BYTES,
    "the log of samples out of order": lateSamples(load, outOfOrderSeconds, seconds) * LOG_SAMPLE_BYTES,
  };
}

/**
 * Seconds of one core for the replay of the logs, and how many of them one database takes one after the other, whatever there are of cores.
 */
export function replayCoreSeconds(load: Load, outOfOrderSeconds: number): { all: number; inSequence: number } {
  const { samplesPerSecond, tenants } = load;
  const spare = Math.min(samplesPerSecond * (LOG_SECONDS - HEAD_SECONDS), (tenants * SPARE_SEGMENTS * SEGMENT_BYTES) / LOG_SAMPLE_BYTES);
  const ofSeries = headSeries(load) * REPLAY_SERIES_SECONDS;
  const ofSamples = (samplesPerSecond * HEAD_SECONDS + spare + lateSamples(load, outOfOrderSeconds)) * REPLAY_SAMPLE_SECONDS;
  return { all: ofSeries + ofSamples, inSequence: ofSeries + ofSamples * REPLAY_IN_SEQUENCE };
}

/** Seconds that a replay takes with so many cores, and how many of them no further core would save. */
export const replayWith = (
  { all, inSequence }: ReturnType<typeof replayCoreSeconds>,
  cores: number,
): { seconds: number; least: number } => ({ seconds: Math.max(all / cores, inSequence), least: inSequence });

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
