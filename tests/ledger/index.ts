/** The loss counter: send with a ledger, do something to the cluster, read back, and know what was lost. */
export { type AcknowledgedBatch, acknowledgedSamples, type Ledger, labelsOfSeries, type SendCounts } from "./ledger";
export { type Queries, type QueriesOptions, type QueryCounts, startQueries } from "./queries";
export { type ReadBackOptions, type Reading, type ReplicaCount, readBack, type SampleReference } from "./readBack";
export { type Sender, type SenderOptions, startSender } from "./sender";
