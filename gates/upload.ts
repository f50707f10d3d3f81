import * as pulumi from "@pulumi/pulumi";
import type { ExposedSample } from "../clients/exposition";
import { STORE_GATEWAY_APP } from "../model/kubernetes/identities";
import { type AppliedStatefulSet, type ClusterView, type StatefulSetApplying, troubled } from "./cluster";
import { PATIENCE, type Patience, until } from "./patience";

/**
 * Leaving receivers upload all that they hold before they go. A receiver cuts its head into blocks by time (Thanos
 * `pkg/receive/multitsdb.go`, startPeriodicHeadCompaction: every `--tsdb.max-block-duration`, two hours, when its oldest sample
 * is one and a half times as old, and then what came out of order too). The end of its process cuts less: it leaves the newest
 * timestamp, and everything that came out of order (flushHead). So the gate lets those that leave, and no others, start again
 * with a minute in place of two hours.
 */

/** A receiver's metrics of one tenant's samples and blocks. */
export interface TenantStorage {
  tenant: string;
  /** Chunks in the head, of samples in order and out of order. */
  chunks: number;
  /** Passes over the blocks that uploaded everything there was, since the process began; undefined when it runs without a bucket. */
  syncs?: number;
  /** Failed passes, failed uploads and unreadable blocks since the process began. */
  failures: number;
}

/** In place of two hours: what is left in a head is cut two and a half minutes after its newest sample at the latest. */
const CUT_EVERY_MINUTE = "--tsdb.max-block-duration=1m";

/** Receivers that leave, and the StatefulSet that they are of. */
export interface Leaving {
  /** Names of the pods: the set's last ones. */
  pods: readonly string[];
  /** How many of the set stay. */
  staying: number;
  /** The StatefulSet as the engine applied it last. */
  applied: AppliedStatefulSet;
  /** As whom it did. */
  fieldManager: string;
}

const ADVICE =
  "Nothing was removed, and the receivers that leave the ring go on uploading: fix the bucket, or give them time, and run the same update again. " +
  'With "history-loss" in accepts it does not wait for them';

/**
 * Before receivers go: every sample that they hold is in a block, every block in the bucket, and every store gateway knows of it. Where any
 * of them holds something in a head, they are started again, one after the other; when this gives up, the StatefulSet is again as it was.
 */
export async function receiversAreUploaded(
  cluster: ClusterView & StatefulSetApplying,
  { pods, staying, applied, fieldManager }: Leaving,
  patience: Patience = PATIENCE,
): Promise<void> {
  if (pods.length === 0) return;
  const inTheBucket = async () => {
    await uploaded(cluster, pods, patience);
    await storeGatewaysKnow(cluster, patience);
  };
  if (!(await anyHolds(cluster, pods, patience))) return inTheBucket();
  await pulumi.log.info(`${pods.join(", ")} start again, one after the other, and cut what they hold into blocks`);
  await cluster.applyStatefulSet(cuttingEveryMinute(applied, staying), fieldManager);
  try {
    await inTheBucket();
  } catch (error) {
    await cluster.applyStatefulSet(applied, fieldManager);
    throw error;
  }
}

/**
 * The StatefulSet whose pods from a number on cut their heads into blocks every minute. The others stay as they are,
 * also when they start again meanwhile.
 */
export function cuttingEveryMinute(applied: AppliedStatefulSet, from: number): AppliedStatefulSet {
  const { spec } = applied;
  const { template } = spec;
  // The component's own is the first; what an environment has put beside it may be a receiver too.
  const containers = template.spec.containers.map((container, index) =>
    index === 0 && container.args?.[0] === "receive" ? { ...container, args: [...container.args, CUT_EVERY_MINUTE] } : container,
  );
  return {
    ...applied,
    spec: {
      ...spec,
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: from } },
      template: { ...template, spec: { ...template.spec, containers } },
    },
  };
}

/** Waits until every head is empty, and every block in the bucket. */
async function uploaded(cluster: ClusterView, pods: readonly string[], patience: Patience): Promise<void> {
  const firstEmpty = new Map<string, TenantStorage>();
  await until(
    `everything that ${pods.join(", ")} hold to be in the bucket`,
    async () => {
      const missing: string[] = [];
      for (const pod of pods) {
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
            missing.push(`${pod} (${now.chunks} chunks of tenant ${now.tenant} in its head block)`);
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

/**
 * After that: every store gateway has synced with the bucket again and serves what was uploaded. Thanos counts a sync when it begins
 * (`pkg/block/fetcher.go`, Fetch), and one begins when the blocks that the last one found are loaded (`cmd/thanos/store.go`): the first may
 * have begun before the last upload, the one after that knows of it when another begins.
 */
export async function storeGatewaysKnow(cluster: ClusterView, patience: Patience = PATIENCE): Promise<void> {
  const first = new Map<string, { looks: number; failures: number }>();
  await until(
    "every store gateway to have found in the bucket what the leaving receivers have uploaded",
    async () => {
      const pods = await cluster.pods({ "app.kubernetes.io/name": STORE_GATEWAY_APP });
      if (pods.length === 0) return ["any store gateway"];
      const missing = await troubled(cluster, pods);
      if (missing.length > 0) return missing;
      for (const pod of pods) {
        const [looks, failures] = await Promise.all([
          cluster.metric(pod, "thanos_blocks_meta_syncs_total"),
          cluster.metric(pod, "thanos_blocks_meta_sync_failures_total"),
        ]);
        const before = first.get(pod);
        if (before === undefined || failures !== before.failures || looks < before.looks) {
          first.set(pod, { looks, failures });
          missing.push(pod);
        } else if (looks < before.looks + 2) {
          missing.push(pod);
        }
      }
      return missing;
    },
    patience,
    ADVICE,
  );
}

/**
 * Whether every block of `before` is in the bucket. The first pass that ended since may have begun before the
 * last block was cut; the second did not.
 */
function uploadedSince(before: TenantStorage, now: TenantStorage): boolean {
  return now.failures === before.failures && (now.syncs ?? 0) >= (before.syncs ?? 0) + 2;
}

function restartedSince(before: TenantStorage, now: TenantStorage): boolean {
  return (now.syncs ?? 0) < (before.syncs ?? 0);
}

/**
 * Whether anything is in a head of theirs; asked when all are Ready.
 *
 * @throws where one runs without the bucket
 */
async function anyHolds(cluster: ClusterView, pods: readonly string[], patience: Patience): Promise<boolean> {
  const tenants = new Map<string, TenantStorage[]>();
  await until(
    `${pods.join(", ")} to say what they hold`,
    async () => {
      const notReady = await troubled(cluster, pods);
      if (notReady.length > 0) return notReady;
      for (const pod of pods) tenants.set(pod, tenantsOf(pod, await cluster.metrics(pod)));
      return [];
    },
    patience,
    ADVICE,
  );
  for (const [pod, its] of tenants) {
    if (its.some(({ syncs }) => syncs === undefined)) {
      throw new Error(
        `${pod} runs without the bucket: give the receivers their bucket in one update and make the ring smaller in the next. Nothing was removed`,
      );
    }
  }
  return [...tenants.values()].flat().some(({ chunks }) => chunks > 0);
}

/**
 * A receiver's metrics by tenant. Names: Prometheus `tsdb/head.go` and `tsdb/wlog/wlog.go`, Thanos `pkg/shipper/shipper.go`, each
 * with the label `tenant` (startTSDB).
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
      ...(syncs === undefined ? {} : { syncs }),
      failures:
        number("thanos_shipper_dir_sync_failures_total") +
        number("thanos_shipper_upload_failures_total") +
        number("thanos_shipper_corrupted_blocks_total"),
    };
  });
}
