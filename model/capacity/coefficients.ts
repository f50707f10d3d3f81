/**
 * Coefficients of the capacity model: memory, storage and CPU for one unit of load, in bytes and seconds of a core. Each says where it is
 * from: a measurement of this program (bench/README.md), the text of an upstream, or nothing better than a reason. Those of "coefficients"
 * were judged there by loads that they were not fitted to.
 *
 * A second of a core is one of {@link MEASURED_ON}: another processor takes another time for the same work.
 *
 * "Mimir" is the page "Planning Grafana Mimir capacity" of its documentation, whose ingesters have the same TSDB.
 */

export const HOUR = 3_600;
export const DAY = 24 * HOUR;
export const YEAR = 365 * DAY;
const MB = 1e6;
/** The machine of every measured CPU time. Its two processors are threads of one core. */
export const MEASURED_ON = "a machine of two processors for all nodes and the senders";
export const GB = 1e9;
export const GIB = 2 ** 30;
/** Second of a core, of so many microseconds. */
const MICROSECONDS = 1e-6;

/**
 * Share of a container's memory that its process may fill: GOMEMLIMIT (`--auto-gomemlimit.ratio=0.9`, which is Thanos' default as well).
 * Above it the garbage collector takes the processors from everything else.
 */
export const USABLE_MEMORY = 0.9;
/**
 * Share of the CPU asked for that is planned with: with both processors busy a sample took 1.43 times as much as with one of them free
 * (bench/README.md, "capacity", rows of 40,000 and 80,000 series).
 */
export const USABLE_CPU = 0.7;
/** Share of a volume that may be full (prometheus docs/storage.md "Right-Sizing Retention Size": 80-85 %). */
export const USABLE_DISK = 0.85;

// The head of a TSDB: receivers and Prometheus.

/**
 * Longest time of samples in the head and its log: two hours are cut when there are three (prometheus tsdb/head.go `compactable`). Series
 * that ended stay for as long.
 */
export const HEAD_SECONDS = 3 * HOUR;
/** Seconds of a block. */
export const BLOCK_SECONDS = 2 * HOUR;
/**
 * A receiver without series, without what its tenants' databases and their exemplars take. Measured: bench/README.md, "coefficients".
 */
export const RECEIVER_BYTES = 88 * MB;
/**
 * Bytes of memory for each byte of labels, with garbage collection at GOGC=100. Measured: there; and 3.3 in "receiver", where 30,000 series
 * had 20, 230 and 1,030 bytes of labels.
 */
export const LABEL_COPIES = 2.9;
/** A series in the head with its postings, without its labels and samples. Measured: there; "capacity" agrees within a tenth. */
export const SERIES_BYTES = 1_700;
/**
 * A full chunk's place in memory, with garbage collection: its samples are on disk (`memChunk` and `mmappedChunk`, prometheus
 * tsdb/head.go). Not measured: the benchmark's steps are shorter than a chunk.
 */
export const CHUNK_REFERENCE_BYTES = 80;
/** Samples of a chunk (prometheus tsdb/head_append.go `DefaultSamplesPerChunk`). */
export const CHUNK_SAMPLES = 120;
/** Growth of an open chunk after the measurement's first samples, with garbage collection: 120 samples of 1.5 bytes. */
export const OPEN_CHUNK_BYTES = 300;
/**
 * Memory of a head while a block is cut, against that of one that only takes samples: the index of the block is put together in memory. Not
 * measured here; Receive 0.22 rose by more (13.8 to 25.9 GB).
 */
export const CUTTING = 1.25;
/**
 * A head while its log is replayed, against one that works: readers, and records that are decoded ahead. Not measured here
 * (bench/notReadyPeers.ts replays, and could); thanos #2107 tells of tenfold with 0.10, before logs were replayed in parallel.
 */
export const REPLAYED = 1.3;
/**
 * A series with samples out of order: its chunk of 32 samples of 16 bytes (prometheus tsdb/ooo_head.go, `OutOfOrderCapMax`) and what keeps
 * it, with garbage collection. Measured: bench/README.md, "one receiver", 10,000 series of which every second sample was late.
 */
export const LATE_SERIES_BYTES = 2_100;
/**
 * Place of an exemplar that may come: a tenant's database allocates all of them when it is opened (prometheus tsdb/exemplar.go
 * `NewCircularExemplarStorage`), which counts against GOMEMLIMIT from then on, and is resident when they are used. Measured:
 * bench/README.md, "one receiver": 100 tenants with 100,000 each had 722 MB more in their heap than without.
 */
export const EXEMPLAR_PLACE_BYTES = 72;
/** Bytes of an exemplar beside its place (prometheus docs/feature_flags.md: "roughly 100 bytes" in all). */
export const EXEMPLAR_BYTES = 100 - EXEMPLAR_PLACE_BYTES;
/**
 * A tenant's database with no series and no exemplars: 16,384 stripes with a map each for references and hashes (prometheus tsdb/head.go
 * `newStripeSeries`), of which 3.6 MB in the heap and 4.2 MB resident were measured over 100 tenants (bench/README.md, "one receiver"), and
 * a buffer of 4 MiB for chunks from the first full one on (chunks/head_chunks.go `DefaultWriteBufferSize`). Until the garbage collector
 * runs as much again may be resident; GOMEMLIMIT bounds that.
 */
export const TENANT_BYTES = 8.4 * MB;
/** Series that a tenant's database adds to what its receiver shows of itself. Measured: there, 24,005 of 100 tenants. */
export const TENANT_OWN_SERIES = 233;
/** Core for each series in the head, for garbage collection. Measured: bench/README.md, "coefficients". */
export const CORES_PER_SERIES = 0.13 * MICROSECONDS;

// The log, and its replay.

/** A sample in the write-ahead log, compressed. Measured: bench/README.md, "coefficients". */
export const LOG_SAMPLE_BYTES = 7;
/** A series' records, and what compression leaves of each byte of its labels, which repeat from series to series. Measured: there. */
export const LOG_SERIES_BYTES = 8;
export const LOG_LABELS = 0.05;
/** A segment of the log, which goes as a whole (prometheus tsdb/wlog). */
export const SEGMENT_BYTES = 128 * 2 ** 20;
/**
 * Segments that the log has beyond three hours: a new one begins with each block, and of those that are full two thirds go, rounded down
 * (prometheus tsdb/head.go `truncateWAL`).
 */
export const SPARE_SEGMENTS = 2;
/** Longest time of samples in a log of few segments: four of two hours each, of which the first two go, follow from that rounding. */
export const LOG_SECONDS = 8 * HOUR;
/**
 * A core's time for a series of the log. Measured: bench/README.md, "notReadyPeers", 300,000 series in 66 to 106 s of a twentieth of a
 * core.
 */
export const REPLAY_SERIES_SECONDS = 18 * MICROSECONDS;
/**
 * A core's time for a sample of the log. Derived of thanos #5569: five receivers with 29,000 samples/s each replayed for ten minutes (1.9
 * µs, on an unknown number of cores) before logs were read in parallel; thanos #9004 tells of a tenth. A log of 24 million samples of
 * 100,000 series alone took 0.2 µs a sample (Prometheus 3.14's tsdb, two processors).
 */
export const REPLAY_SAMPLE_SECONDS = 0.5 * MICROSECONDS;
/**
 * Part of that which one database does one record after the other: one goroutine decodes, and one hands over to as many others as there are
 * processors (prometheus v0.314.0 tsdb/head_wal.go `loadWAL`). Profile of that replay: 0.63 and 0.39 of 5.05 s. All of a series' time is
 * such: the goroutine that hands over makes it.
 */
export const REPLAY_IN_SEQUENCE = 0.25;

// Samples on their way.

// Figures without a source are measured: bench/README.md, "coefficients", with requests of 5,000 samples.

/** A core's time to take a sample, and what each byte of its labels adds. */
export const TAKE_SECONDS = 0.5 * MICROSECONDS;
export const TAKE_LABEL_SECONDS = 0.006 * MICROSECONDS;
/** A core's time to send one replica of a sample on. */
export const FORWARD_SECONDS = 1.06 * MICROSECONDS;
/** A core's time to store one replica of a sample of a series that is in the head, and what each byte of its labels adds. */
export const STORE_SECONDS = 2.2 * MICROSECONDS;
export const STORE_LABEL_SECONDS = 0.0034 * MICROSECONDS;
/** A core's time to make a series. */
export const CREATE_SECONDS = 13 * MICROSECONDS;
/** Cores of a receiver, a router and a querier without load. */
export const RECEIVER_CORES = 0.003;
export const ROUTER_CORES = 0.01;
export const QUERIER_CORES = 0.002;
/** Cores of anything else without load: not measured, as much as of these. */
export const IDLE_CORES = 0.005;
/** A router without load, and for each replica that it sends. */
export const ROUTER_BYTES = 67 * MB;
export const ROUTER_REPLICA_BYTES = 16 * MB;
/** Memory for requests in work, for each byte of labels that comes in a second, of a ring that answers at once. */
export const REQUEST_LABEL_BYTES = 5;
/** A sample as it is sent, without labels: name and value beside what compression leaves of the labels. */
export const WIRE_SAMPLE_BYTES = 16;
/**
 * Share of the bytes of labels that compression leaves, where labels are sent with each sample: about 50 bytes a sample with 200 of labels
 * (VictoriaMetrics on remote write 1).
 */
export const WIRE_LABELS = 0.17;

// Blocks.

/** A sample in a chunk (prometheus docs/storage.md: 1 to 2 bytes). */
export const SAMPLE_BYTES = 1.5;
/** Bytes of a block's index for each byte of a series' labels: symbols are shared, references and postings are not. Not measured. */
export const INDEX_LABELS = 0.4;
/** Bytes of a block's index for each series, beside its labels. Not measured. */
export const INDEX_SERIES_BYTES = 16;
/** Bytes of a block's index for each chunk: times and a reference (prometheus tsdb/docs/format/index.md). */
export const INDEX_CHUNK_BYTES = 8;
/** Part of a compacted block that is its index header (Mimir: 0.10 %). */
export const INDEX_HEADER = 0.001;
/** The same of blocks of two hours, which are more index than samples. Not measured. */
export const YOUNG_INDEX_HEADER = 0.01;

// Queries.

/** A core's time for a query of few series, at the querier. Measured: bench/README.md, "coefficients". */
export const QUERY_SECONDS = 6_000 * MICROSECONDS;
/** A core's time for a query of few series, at each store that is asked. Measured: there. */
export const STORE_QUERY_SECONDS = 5_000 * MICROSECONDS;
/**
 * A core's time for each replica of a series that is read, at the querier and at the store. Measured: there, counts of 900 series at
 * replication factors 1 and 3; counts over 20,000 series in three replicas took 0.8 to 1.1 s at most with two processors for everything.
 */
export const READ_AT_QUERIER_SECONDS = 2.3 * MICROSECONDS;
export const READ_AT_STORE_SECONDS = 6 * MICROSECONDS;
/** A core's time for each chunk, at each of the two. Not measured. */
export const READ_CHUNK_SECONDS = 1 * MICROSECONDS;
/** A querier without load. Measured: there. */
export const QUERIER_BYTES = 70 * MB;
/** A query frontend, a store gateway or a compactor without load: what `memory` in settings/forms.ts counts, and half as much again. */
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
 * A downsampled resolution against the raw one, at most (thanos docs/components/compact.md: two more blocks, "only slightly smaller or
 * relatively similar size", about threefold in all).
 */
export const DOWNSAMPLED = 1;
/** A downsampled point: five aggregates of four bytes. Not measured; never more than {@link DOWNSAMPLED}. */
export const POINT_BYTES = 20;
/** Age of samples whose replicas are merged at the latest: their block of two hours is uploaded, old enough, and in a block of eight. */
export const MERGED_AFTER_SECONDS = 12 * HOUR;

// Prometheus.

/** Prometheus without series. Not measured. */
export const PROMETHEUS_BYTES = 100 * MB;
/** Memory of series with remote write, against that without it (prometheus docs/practices/remote_write.md: about a quarter more). */
export const REMOTE_WRITE = 1.25;
/** A sample that waits in a queue (prometheus storage/remote/queue_manager.go `timeSeries`). Not measured. */
export const QUEUED_SAMPLE_BYTES = 100;
/**
 * Memory of a sender for each sample of its largest request, and for each byte of that one's labels: the request as structs of both
 * versions of remote write, whichever is sent (`pendingData`: 128 bytes, 48 for the sample and 64 for a label of about 25; `pendingDataV2`:
 * 176 and 64), marshalled (`pBuf`), and compressed, for which room is made as if nothing could be (`encBuf`: seven sixths). Source:
 * prometheus v0.314.0 storage/remote/queue_manager.go `runShard`, prompb/types.pb.go. Not measured.
 */
export const REQUEST_SAMPLE_BYTES = 460;
export const REQUEST_LABELS = 4.7;
/** A core's time to scrape, store and send a sample. Measured: bench/README.md, "ingest", prod's Prometheus with 924 samples/s. */
export const SCRAPE_SECONDS = 8 * MICROSECONDS;
/** The largest shard against the mean: a hash of addresses knows nothing of how much a target has. Not measured. */
export const UNEVEN_SHARDS = 1.2;
/** How long the log surely reaches back: what is cut leaves it (prometheus docs/practices/remote_write.md). */
export const LOG_SURELY_SECONDS = 2 * HOUR;
/** How long one request of a queue takes at worst. Measured: bench/README.md, "capacity", up to 40,000 samples/s. */
export const SEND_SECONDS = 0.62;
/** Samples of the largest requests that took no longer. Measured: there. */
export const SEND_SAMPLES = 5_000;
