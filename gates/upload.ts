import * as pulumi from "@pulumi/pulumi";
import type { ExposedSample } from "../clients/exposition";
import { type ClusterView, type PodEnding, troubled } from "./cluster";
import { PATIENCE, type Patience, until } from "./patience";

/**
 * What leaving receivers hold goes into the bucket before they do. A head is cut into a block by time (Thanos `pkg/receive/multitsdb.go`, startPeriodicHeadCompaction: every two
 * hours, when its oldest sample is three hours old) or when the process ends (`cmd/thanos/receive.go`, startTSDBAndUpload: Flush, then the final upload), so the gate restarts
 * them. A flush stops before the head's newest timestamp (flushHead: `MaxTime()-1`), and takes it too only when nothing else is left: so twice.
 * Samples that came out of order are cut by time alone (flushHead never calls CompactOOOHead).
 */

/** What a receiver says of one tenant's samples and blocks. */
export interface TenantStorage {
  tenant: string;
  /** Chunks in the head, of samples in order and out of order. */
  chunks: number;
  /** Time bounds of the samples in order. Equal when one timestamp or none is left. */
  minTime: number;
  maxTime: number;
  /** Samples that were written since the process began. */
  appended: number;
  /** Bytes of the log of samples out of order. */
  outOfOrderBytes: number;
  /** Passes over the blocks that uploaded everything there was, since the process began; undefined when it runs without a bucket. */
  syncs?: number;
  /** Failed passes, failed uploads and unreadable blocks since the process began. */
  failures: number;
}

/** Restarts after which samples in order are all in blocks. */
const RESTARTS = 2;

/** Thanos cuts samples out of order at the second of its two-hourly looks (the first comes up to 12 minutes after its start, and finds them too young). */
const OUT_OF_ORDER_CUT = "4 h 15 min";

const ADVICE =
  "Nothing was removed, and the receivers that leave the ring go on uploading: mend the bucket, or give them time, and run the same update again. " +
  'With "history-loss" in accepts it does not wait for them';

/** Before receivers go: every sample that they hold is in a block, and every block in the bucket. One restarts after the other. */
export async function receiversAreUploaded(
  cluster: ClusterView & PodEnding,
  leaving: readonly string[],
  patience: Patience = PATIENCE,
): Promise<void> {
  if (leaving.length === 0) return;
  for (const pod of leaving) await flush(cluster, pod, patience);
  const firstEmpty = new Map<string, TenantStorage>();
  await until(
    `everything that ${leaving.join(", ")} hold to be in the bucket`,
    async () => {
      const missing: string[] = [];
      for (const pod of leaving) {
        const trouble = await cluster.podTrouble(pod);
        if (trouble !== undefined) {
          missing.push(`${pod} (${trouble}, so nobody knows)`);
          continue;
        }
        for (const now of tenantsOf(pod, await cluster.metrics(pod))) {
          const key = `${pod}/${now.tenant}`;
          const before = firstEmpty.get(key);
          if (now.chunks > 0) {
            firstEmpty.delete(key);
            missing.push(`${pod} (${inItsHead(now)})`);
          } else if (before === undefined || !uploadedSince(before, now)) {
            if (before === undefined || now.failures !== before.failures || restartedSince(before, now)) firstEmpty.set(key, now);
            missing.push(`${pod} (uploads of tenant ${now.tenant}${now.failures > 0 ? "; some have failed since it began" : ""})`);
          }
        }
      }
      return missing;
    },
    patience,
    ADVICE,
  );
}

/** Whether every block of `before` is in the bucket. The first pass that ended since may have begun before the last block was cut; the second did not. */
function uploadedSince(before: TenantStorage, now: TenantStorage): boolean {
  return now.failures === before.failures && (now.syncs ?? 0) >= (before.syncs ?? 0) + 2;
}

function restartedSince(before: TenantStorage, now: TenantStorage): boolean {
  return (now.syncs ?? 0) < (before.syncs ?? 0);
}

/** Restarts a receiver as often as its samples in order need it. */
async function flush(cluster: ClusterView & PodEnding, pod: string, patience: Patience): Promise<void> {
  for (let restarts = 0; ; restarts++) {
    let tenants: TenantStorage[] = [];
    await until(
      `${pod} to say what it holds`,
      async () => {
        const notReady = await troubled(cluster, [pod]);
        if (notReady.length > 0) return notReady;
        tenants = tenantsOf(pod, await cluster.metrics(pod));
        return [];
      },
      patience,
      ADVICE,
    );
    const without = tenants.find(({ syncs }) => syncs === undefined);
    if (without !== undefined) {
      throw new Error(
        `${pod} runs without the bucket: give the receivers their bucket in one update and make the ring smaller in the next. Nothing was removed`,
      );
    }
    if (!needsRestart(tenants, restarts)) return;
    await pulumi.log.info(`restarting ${pod}, so that it cuts what it holds into blocks (${restarts + 1} of at most ${RESTARTS})`);
    await cluster.endPod(pod);
  }
}

/**
 * Whether another graceful end would cut samples in order into a block. Not for samples out of order: a restart would only begin their waiting anew.
 *
 * @param restarts how often this gate has restarted the receiver already
 */
export function needsRestart(tenants: readonly TenantStorage[], restarts: number): boolean {
  if (restarts >= RESTARTS) return false;
  return tenants.some(({ chunks, minTime, maxTime, appended, outOfOrderBytes }) => {
    if (chunks === 0) return false;
    // Once restarted, with some out of order, it can't be told whether one timestamp in order is left; right after this gate's first restart it is.
    return minTime < maxTime || appended > 0 || outOfOrderBytes === 0 || restarts === 1;
  });
}

/**
 * What a receiver's metrics say, by tenant. Names: Prometheus `tsdb/head.go` and `tsdb/wlog/wlog.go`, Thanos `pkg/shipper/shipper.go`, each with the label `tenant`
 * (startTSDB).
 *
 * @throws when they name no tenant, which every receiver has from its start (createDefautTenantTSDB)
 */
export function tenantsOf(pod: string, metrics: readonly ExposedSample[]): TenantStorage[] {
  const value = (name: string, tenant: string) => {
    const samples = metrics.filter((sample) => sample.name === name && sample.labels.tenant === tenant);
    return samples.length === 0 ? undefined : samples.reduce((sum, sample) => sum + sample.value, 0);
  };
  const tenants = metrics.flatMap(({ name, labels: { tenant } }) =>
    name === "prometheus_tsdb_head_chunks" && tenant !== undefined ? [tenant] : [],
  );
  if (tenants.length === 0) throw new Error(`${pod} says nothing of any tenant`);
  return tenants.map((tenant) => {
    const number = (name: string) => value(name, tenant) ?? 0;
    const syncs = value("thanos_shipper_dir_syncs_total", tenant);
    return {
      tenant,
      chunks: number("prometheus_tsdb_head_chunks"),
      minTime: number("prometheus_tsdb_head_min_time"),
      maxTime: number("prometheus_tsdb_head_max_time"),
      appended: number("prometheus_tsdb_head_samples_appended_total"),
      outOfOrderBytes: number("prometheus_tsdb_out_of_order_wbl_storage_size_bytes"),
      ...(syncs === undefined ? {} : { syncs }),
      failures:
        number("thanos_shipper_dir_sync_failures_total") +
        number("thanos_shipper_upload_failures_total") +
        number("thanos_shipper_corrupted_blocks_total"),
    };
  });
}

function inItsHead({ tenant, chunks, minTime, maxTime, outOfOrderBytes }: TenantStorage): string {
  const what = `${chunks} chunks of tenant ${tenant} in its head`;
  return outOfOrderBytes > 0 && minTime >= maxTime
    ? `${what}, of samples out of order, which it cuts into a block within ${OUT_OF_ORDER_CUT} of its start`
    : what;
}
