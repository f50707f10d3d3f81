/**
 * What one unit of load takes, in bytes and seconds of a core. Each says where it is from: a measurement of this program (bench/README.md), the
 * text of an upstream, or nothing better than a reason. None was judged on a load that it was not fitted to: no accuracy is known.
 *
 * A second of a core is one of {@link MEASURED_ON}: another processor takes another time for the same work.
 *
 * "Mimir" is the page "Planning Grafana Mimir capacity" of its documentation, whose ingesters have the same TSDB.
 */

export const HOUR = 3_600;
export const DAY = 24 * HOUR;
export const YEAR = 365 * DAY;
const MB = 1e6;
/** The machine of every measured CPU time, which shared its cores with three nodes, the whole stack and the sender. Its processor was not recorded. */
export const MEASURED_ON = "a machine of two cores for all nodes and the senders";
export const GB = 1e9;
export const GIB = 2 ** 30;
/** Second of a core, of so many microseconds. */
const MICROSECONDS = 1e-6;

/**
 * Share of a container's memory that its process may fill: GOMEMLIMIT (`--auto-gomemlimit.ratio=0.9`, which is Thanos' default as well). Above it
 * the garbage collector takes the processors from everything else.
 */
export const USABLE_MEMORY = 0.9;
/** Share of a volume that may be full (prometheus docs/storage.md "Right-Sizing Retention Size": 80-85 %). */
export const USABLE_DISK = 0.85;

/** A figure that measurements disagree about. The model counts with the most. */
export interface MeasuredRange {
  least: number;
  most: number;
}

// The head of a TSDB: receivers and Prometheus.

/**
 * Longest time of samples in the head and its log: two hours are cut when there are three (prometheus tsdb/head.go `compactable`). Series that
 * ended stay for as long.
 */
export const HEAD_SECONDS = 3 * HOUR;
/** Seconds of a block. */
export const BLOCK_SECONDS = 2 * HOUR;
/**
 * A receiver without series. Measured: bench/README.md, "capacity", least squares over 85,000 to 163,000 series in the largest receiver: 92 MB and
 * 2,530 bytes a series, which no row misses by more than a tenth. A series cost less elsewhere, 1,400 to 1,700 bytes for a replica with samples
 * of one minute (20,000 series at replication factor 3, against factor 1 and against none), and more in Receive 0.22, 3,100.
 */
export const RECEIVER_BYTES = 92 * MB;
/** Size of the labels of series that were added in that measurement, about: name, run, step, batch and series (tests/ledger/ledger.ts). */
const MEASURED_LABEL_BYTES = 70;
/**
 * Bytes of memory for each byte of labels, with garbage collection at GOGC=100. Measured: bench/README.md, "one receiver": 30,000 series with
 * 20, 230 and 1,030 bytes of labels took 2,330, 3,600 and 5,660 bytes each.
 */
export const LABEL_COPIES = 3;
/** A series in the head with its open chunk and postings, without its labels: what that measurement leaves for it. */
export const SERIES_BYTES = 2_530 - LABEL_COPIES * MEASURED_LABEL_BYTES;
/**
 * A full chunk's place in memory, with garbage collection: its samples are on disk (`memChunk` and `mmappedChunk`, prometheus tsdb/head.go). Not
 * measured: the benchmark's steps are shorter than a chunk.
 */
export const CHUNK_REFERENCE_BYTES = 80;
/** Samples of a chunk (prometheus tsdb/head_append.go `DefaultSamplesPerChunk`). */
export const CHUNK_SAMPLES = 120;
/** What an open chunk grows by after the measurement's first samples, with garbage collection: 120 samples of 1.5 bytes. */
export const OPEN_CHUNK_BYTES = 300;
/** What the cutting of a block adds to a head: its index is put together in memory. Not measured here; Receive 0.22 rose by more (13.8 to 25.9 GB). */
export const CUTTING = 1.25;
/**
 * A head while its log is replayed, against one that works: readers, and records that are decoded ahead. Not measured here (bench/notReadyPeers.ts
 * replays, and could); thanos #2107 tells of tenfold with 0.10, before logs were replayed in parallel.
 */
export const REPLAYED = 1.3;
/**
 * A series with samples out of order: its chunk of 32 samples of 16 bytes (prometheus tsdb/ooo_head.go, `OutOfOrderCapMax`) and what keeps it,
 * with garbage collection. Measured: bench/README.md, "one receiver", 10,000 series of which every second sample was late.
 */
export const LATE_SERIES_BYTES = 2_100;
/**
 * Place of an exemplar that may come: a tenant's database allocates all of them when it is opened (prometheus tsdb/exemplar.go
 * `NewCircularExemplarStorage`), which counts against GOMEMLIMIT from then on, and is resident when they are used. Measured: bench/README.md,
 * "one receiver": 100 tenants with 100,000 each had 722 MB more in their heap than without.
 */
export const EXEMPLAR_PLACE_BYTES = 72;
/** What an exemplar takes beside its place (prometheus docs/feature_flags.md: "roughly 100 bytes" in all). */
export const EXEMPLAR_BYTES = 100 - EXEMPLAR_PLACE_BYTES;
/**
 * A tenant's database with no series and no exemplars: 16,384 stripes with a map each for references and hashes (prometheus tsdb/head.go
 * `newStripeSeries`), of which 3.6 MB in the heap and 4.2 MB resident were measured over 100 tenants (bench/README.md, "one receiver"), and a
 * buffer of 4 MiB for chunks from the first full one on (chunks/head_chunks.go `DefaultWriteBufferSize`). Until the garbage collector runs as
 * much again may be resident; GOMEMLIMIT bounds that.
 */
export const TENANT_BYTES = 8.4 * MB;
/** Series that a tenant's database adds to what its receiver shows of itself. Measured: there, 24,005 of 100 tenants. */
export const TENANT_OWN_SERIES = 233;
/**
 * Core for each series in the head, for cutting blocks and for garbage collection. Derived: Receive 0.22 took 12.5 µs a sample at 80,000 samples/s
 * with 3.9 million series, against 7.7 with 20,000 series at replication factor 1; not measured here.
 */
export const CORES_PER_SERIES = 1e-7;

// The log, and its replay.

/** A sample in the write-ahead log: 13 bytes as they are written (robustperception.io "How much space does the WAL take up"), halved by compression. */
export const LOG_SAMPLE_BYTES = 6.5;
/** Bytes of a series' record beside its labels; it is in the checkpoint and in the segments, which compression halves. */
export const LOG_SERIES_BYTES = 16;
/** A segment of the log, which goes as a whole (prometheus tsdb/wlog). */
export const SEGMENT_BYTES = 128 * 2 ** 20;
/**
 * Segments that the log has beyond three hours: a new one begins with each block, and of those that are full two thirds go, rounded down
 * (prometheus tsdb/head.go `truncateWAL`).
 */
export const SPARE_SEGMENTS = 2;
/** Longest time of samples in a log of few segments: four of two hours each, of which the first two go, follow from that rounding. */
export const LOG_SECONDS = 8 * HOUR;
/** A core's time for a series of the log. Measured: bench/README.md, "notReadyPeers", 300,000 series in 66 to 106 s of a twentieth of a core. */
export const REPLAY_SERIES_SECONDS = 18 * MICROSECONDS;
/**
 * A core's time for a sample of the log. Derived of thanos #5569: five receivers with 29,000 samples/s each replayed for ten minutes (1.9 µs, on
 * an unknown number of cores) before logs were read in parallel; thanos #9004 tells of a tenth. Not measured here.
 */
export const REPLAY_SAMPLE_SECONDS = 0.5 * MICROSECONDS;

// Samples on their way.

/**
 * A core's time to take a sample and to send its replicas on, with requests of 1,000 to 5,000 samples. Measured: routers apart took 4.9 to 6.7 a
 * million (bench/README.md, "capacity", 20,000 series and more; 6.2 to 6.7 in another run of 20,000 series). Receivers that route took less: the
 * least is what 12.9 for three replicas, in requests of 5,000, leaves beside {@link STORE_SECONDS}'s least.
 */
export const ROUTE_SECONDS: MeasuredRange = { least: 3.3 * MICROSECONDS, most: 6.7 * MICROSECONDS };
/**
 * A core's time to store one replica of a sample. Measured at replication factor 3: receivers apart took 9.6 to 13.7 a million samples, 3.2 to 4.6
 * a replica (bench/README.md, "capacity", 20,000 series and more); receivers that route 16.0 with requests of 1,000 and 12.9 with 5,000, against
 * 7.7 at factor 1, which leaves 4.2 a replica. The most is 42 a million, 14 a replica: 20,000 series that were new, queries over all of them at the
 * same time, and both processors busy; how much of it is storing was not measured apart. Receive 0.22 took 12.5 at its best, taking included.
 */
export const STORE_SECONDS: MeasuredRange = { least: 3.2 * MICROSECONDS, most: 14 * MICROSECONDS };
/** A receiver's or a router's core without load. Measured: there, what rows of 2,000 and 40,000 series leave (0.07 for three). */
export const IDLE_CORES = 0.025;
/** A router without load. Measured: there. */
export const ROUTER_BYTES = 115 * MB;
/** Memory for requests in work, for each sample a second. Measured: there, a router from 1,000 to 22,800 samples/s. */
export const REQUEST_BYTES = 2_500;
/** A sample as it is sent, without labels: name and value beside what compression leaves of the labels. */
export const WIRE_SAMPLE_BYTES = 16;
/** What compression leaves of labels that are sent with each sample: about 50 bytes a sample with 200 of labels (VictoriaMetrics on remote write 1). */
export const WIRE_LABELS = 0.17;

// Blocks.

/** A sample in a chunk (prometheus docs/storage.md: 1 to 2 bytes). */
export const SAMPLE_BYTES = 1.5;
/** What a block's index has of a series for each byte of its labels: symbols are shared, references and postings are not. Not measured. */
export const INDEX_LABELS = 0.4;
/** What it has of a series besides. Not measured. */
export const INDEX_SERIES_BYTES = 16;
/** What it has of each chunk: times and a reference (prometheus tsdb/docs/format/index.md). */
export const INDEX_CHUNK_BYTES = 8;
/** Part of a compacted block that is its index header (Mimir: 0.10 %). */
export const INDEX_HEADER = 0.001;
/** The same of blocks of two hours, which are more index than samples. Not measured. */
export const YOUNG_INDEX_HEADER = 0.01;

// Queries.

/** A core's time for a query of few series, at the querier (Mimir: ten queries a second and core). */
export const QUERY_SECONDS = 0.1;
/**
 * A core's time for each replica of a series that is read, at the querier and at the store. Measured: counts over 20,000 series in three replicas
 * took 0.8 to 1.1 s at most with two cores for everything (33 µs together).
 */
export const READ_AT_QUERIER_SECONDS = 25 * MICROSECONDS;
export const READ_AT_STORE_SECONDS = 10 * MICROSECONDS;
/** A core's time for each chunk, at each of the two. Not measured. */
export const READ_CHUNK_SECONDS = 2 * MICROSECONDS;
/** A querier, a query frontend, a store gateway or a compactor without load: what `memory` in settings/forms.ts counts, and half as much again. */
export const IDLE_BYTES = 60 * MB;
/** Query frontends: queries a second of a core, and of a GB (Mimir). */
export const FRONTEND_QUERIES = 250;
/** Store gateways: queries a second of a core, and of a GB (Mimir). */
export const STORE_GATEWAY_QUERIES = 10;

// The bucket.

/** The longest block that the compactor makes (thanos docs/components/compact.md). */
export const LONGEST_BLOCK_SECONDS = 14 * DAY;
/** The compactor: memory and core for each series of what it compacts at a time (Mimir: 4 GB and a core for 20 million). */
export const COMPACTED_SERIES_BYTES = 200;
export const COMPACTED_SERIES_CORES = 1 / 20e6;
/**
 * A downsampled resolution against the raw one, at most (thanos docs/components/compact.md: two more blocks, "only slightly smaller or relatively
 * similar size", about threefold in all).
 */
export const DOWNSAMPLED = 1;
/** A downsampled point: five aggregates of four bytes. Not measured; never more than {@link DOWNSAMPLED}. */
export const POINT_BYTES = 20;
/** Age of samples whose replicas are merged at the latest: their block of two hours is uploaded, old enough, and in a block of eight. */
export const MERGED_AFTER_SECONDS = 12 * HOUR;

// Prometheus.

/** Prometheus without series. Not measured. */
export const PROMETHEUS_BYTES = 100 * MB;
/** What remote write adds to the memory of series (prometheus docs/practices/remote_write.md: about a quarter). */
export const REMOTE_WRITE = 1.25;
/** A sample that waits in a queue (prometheus storage/remote/queue_manager.go `timeSeries`). Not measured. */
export const QUEUED_SAMPLE_BYTES = 100;
/** A core's time to scrape, store and send a sample. Not measured. */
export const SCRAPE_SECONDS = 15 * MICROSECONDS;
/** The largest shard against the mean: a hash of addresses knows nothing of how much a target has. Not measured. */
export const UNEVEN_SHARDS = 1.2;
/** How long the log surely reaches back: what is cut leaves it (prometheus docs/practices/remote_write.md). */
export const LOG_SURELY_SECONDS = 2 * HOUR;
/** How long one request of a queue takes at worst. Measured: bench/README.md, "capacity", up to 40,000 samples/s. */
export const SEND_SECONDS = 0.62;
