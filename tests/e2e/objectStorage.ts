/** Object storage as small as tests on one machine need it. */

/** `objectStorage.s3` of a bucket of the sandbox: where it is says the sandbox's overlay. */
export const bucketOf = (bucket: string) => ({ bucket });

/** A component with a volume. */
export const SMALL = { storage: { pvc: { size: "1Gi" } }, resources: { cpu: "20m", memory: "256Mi" } };

/** A store gateway that finds blocks as often as a test can wait for, and has its caches in itself. */
export const SMALL_STORE_GATEWAY = {
  ...SMALL,
  replicas: 1,
  antiAffinity: "soft",
  syncInterval: "15s",
  indexCache: { inMemory: { size: "64Mi" } },
  chunkCache: { inMemory: { size: "64Mi" } },
};
