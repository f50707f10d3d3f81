import { quantityBytes } from "../values/quantity";

/** Memory of memcached beside its items: connections, hash table, threads. */
const OVERHEAD_BYTES = 64 * 2 ** 20;

/**
 * CPU and memory of a memcached server.
 *
 * @param memory Of its items, such as `256Mi`.
 */
export const memcachedResources = (memory: string): { cpu: string; memory: string } => ({
  cpu: "50m",
  memory: `${Math.ceil((quantityBytes(memory) + OVERHEAD_BYTES) / 2 ** 20)}Mi`,
});
