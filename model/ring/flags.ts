import { OBJECT_STORE_FLAG } from "../bucket/mount";
import { RECEIVE_APP, ROUTER_APP } from "../kubernetes/identities";
import { GRPC_PORT, HTTP_PORT, REMOTE_WRITE_PORT } from "../kubernetes/ports";
import { readLimitFlags, STORES } from "../reads/limits";
import { RECEIVE_REPLICA_LABEL } from "../settings/replicaLabels";
import type { ReceiveSettings, Settings } from "../settings/schema";
import { type Process, telemetryFlags } from "../telemetry/files";
import { forwardingFlags, grpcServerFlags, remoteWriteServerFlags } from "../tls/flags";
import { inArgument } from "../values/literal";
import { prometheusSize } from "../values/quantity";
import type { ReceiverRetention, RingPlan } from "./plan";

/**
 * Command line of receivers, spelled as Thanos v0.42.4 knows it (cmd/thanos/receive.go). Flags that are
 * deprecated or removed there are never emitted.
 */

/** Where the receivers keep their data. */
export const RECEIVE_DATA = "/var/thanos/receive";
/** Where the hashring file is mounted; a directory, never a subPath, which would not be updated. */
export const HASHRINGS_DIRECTORY = "/etc/thanos/hashrings";
/** Name of the file with the hashrings. */
export const HASHRINGS_FILE = "hashrings.json";
/** Where the limits file is mounted. */
export const LIMITS_DIRECTORY = "/etc/thanos/limits";
/** Name of the file with the limits. */
export const LIMITS_FILE = "limits.yaml";
/** Where the relabelling file is mounted. */
export const RELABEL_DIRECTORY = "/etc/thanos/relabel";
/** Name of the file with the relabelling. */
export const RELABEL_FILE = "relabel.yaml";

/**
 * How often receivers read the hashring file again although nothing told them to. The watch follows the file's inode, which a ConfigMap
 * update replaces, so this is what finds later changes.
 */
const HASHRINGS_REFRESH = "15s";

/** Role of a receiver: both parts in one process, or one of them. Thanos derives it from the flags present (`determineMode`). */
export type ReceiverRole = "router-ingester" | "ingester" | "router";

/** A receiver's process, for its logs and traces. */
export const receiverProcess = (receive: ReceiveSettings, role: ReceiverRole): Process =>
  role === "router"
    ? { name: ROUTER_APP, logging: receive.routers.logging, serves: true }
    : { name: RECEIVE_APP, logging: receive.logging, serves: true };

/** A receiver that stores: its endpoint in the ring, and how long it keeps samples. */
export interface Ingester {
  localEndpoint: string;
  retention: ReceiverRetention;
}

/**
 * Arguments of a receiver.
 *
 * @param ingester Undefined for a router.
 */
export function receiveFlags(
  { settings: receive }: Pick<RingPlan, "settings">,
  settings: Settings,
  role: ReceiverRole,
  ingester?: Ingester,
): string[] {
  const { tenancy, objectStorage } = settings;
  const routes = role !== "ingester";
  return [
    "receive",
    `--grpc-address=:${GRPC_PORT}`,
    `--http-address=:${HTTP_PORT}`,
    // Where routers are apart nobody sends here, and without a hashring file any tenant is taken
    // (cmd/thanos/receive.go `SingleNodeHashring`).
    `--remote-write.address=${routes ? "" : "127.0.0.1"}:${REMOTE_WRITE_PORT}`,
    // It is opened even if unused, without TLS or authentication (thanos #8093).
    "--receive.capnproto-address=127.0.0.1:19391",
    "--enable-auto-gomemlimit",
    `--label=${RECEIVE_REPLICA_LABEL}="$(POD_NAME)"`,
    `--receive.tenant-header=${inArgument(tenancy.header)}`,
    `--receive.default-tenant-id=${tenancy.defaultTenant}`,
    `--receive.tenant-label-name=${tenancy.label}`,
    ...(routes && tenancy.splitLabel !== undefined ? [`--receive.split-tenant-label-name=${tenancy.splitLabel}`] : []),
    ...(ingester !== undefined
      ? [
          `--tsdb.path=${RECEIVE_DATA}`,
          `--tsdb.retention=${ingester.retention.time}`,
          ...(ingester.retention.size === undefined ? [] : [`--tsdb.max-retention-bytes=${prometheusSize(ingester.retention.size)}`]),
          `--tsdb.out-of-order.time-window=${receive.outOfOrderWindow}`,
          `--tsdb.too-far-in-future.time-window=${receive.tooFarInFutureWindow}`,
          `--tsdb.max-exemplars=${receive.maxExemplars}`,
          ...readLimitFlags(settings, STORES.receive(receive)),
          ...(objectStorage === undefined ? [] : [OBJECT_STORE_FLAG]),
        ]
      : [`--tsdb.path=${RECEIVE_DATA}`]),
    ...(routes
      ? [
          `--receive.replication-factor=${receive.replicationFactor}`,
          `--receive.hashrings-file=${HASHRINGS_DIRECTORY}/${HASHRINGS_FILE}`,
          // The flag decides even where the file names the algorithm: with hashmod every change of the ring flushes every head.
          "--receive.hashrings-algorithm=ketama",
          `--receive.hashrings-file-refresh-interval=${HASHRINGS_REFRESH}`,
          // A peer that came back is tried again within a second instead of five.
          "--receive-forward-max-backoff=1s",
          `--receive.limits-config-file=${LIMITS_DIRECTORY}/${LIMITS_FILE}`,
        ]
      : []),
    ...grpcServerFlags(settings),
    ...remoteWriteServerFlags(settings, role !== "ingester"),
    ...(routes ? forwardingFlags(settings) : []),
    ...(role === "router-ingester" && ingester !== undefined ? [`--receive.local-endpoint=${ingester.localEndpoint}`] : []),
    ...(routes && receive.relabel.length > 0 ? [`--receive.relabel-config-file=${RELABEL_DIRECTORY}/${RELABEL_FILE}`] : []),
    ...telemetryFlags(settings, receiverProcess(receive, role)),
  ];
}
