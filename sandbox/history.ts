/** Made history: blocks with days of samples that were never scraped, for store gateway and compactor to have work. */
export { exampleSeries, type HistoryLabels, historyLabels, historySteps, missingRanges } from "./history/environment";
export { BLOCK_DURATION, type MadeBlock, makeBlocks } from "./history/make";
export { openMetrics, type Series } from "./history/openMetrics";
export { type DataDirectory, dataDirectory, type PlacedIn, placeBlocks } from "./history/place";
export { type BucketBlock, listBlocks, objectStoreConfig, parseBlockList, uploadBlocks } from "./history/remote";
