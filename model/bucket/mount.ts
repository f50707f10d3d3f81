/** How the bucket's configuration gets into the pods that use the bucket. */

/** Where the bucket's configuration is mounted, in every pod that uses the bucket. */
export const OBJECT_STORE_DIRECTORY = "/etc/thanos/objectstore";
/** Name of the bucket's configuration. */
export const OBJECT_STORE_FILE = "objstore.yaml";
/** Name of the file with the authorities by which its server is known. */
export const CA_FILE = "ca.crt";
/** Name of the file with the key of SSE-C. */
export const ENCRYPTION_KEY_FILE = "sse-c.key";
/** The flag that names the bucket's configuration, the same for receivers, sidecars, rulers, store gateways and compactor. */
export const OBJECT_STORE_FLAG = `--objstore.config-file=${OBJECT_STORE_DIRECTORY}/${OBJECT_STORE_FILE}`;
