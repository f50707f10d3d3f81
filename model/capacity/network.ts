import { CHUNK_SAMPLES, SAMPLE_BYTES, WIRE_LABELS, WIRE_SAMPLE_BYTES } from "./coefficients";
import { writtenSamples } from "./load";
import { chunksOfSeries, replicasRead } from "./queries";
import type { Capacity, CapacityPlan } from "./types";

/** Network traffic between nodes, and the part of it that is between zones. Every pod is taken to be on a node of its own. */

/** A sample as it is sent, with its labels. */
export const wireBytes = (labelBytes: number): number => WIRE_SAMPLE_BYTES + WIRE_LABELS * labelBytes;

/** Bytes a second: from senders, from receiver to receiver (or router), and to queriers. */
export function networkOf(plan: CapacityPlan): Capacity["network"] {
  const { receivers, queries, load, zones } = plan;
  const members = (receivers?.rings ?? []).reduce((sum, { pods }) => sum + pods.all, 0);
  const copies = receivers?.replicationFactor ?? 0;
  // Whoever routes and stores keeps its own part.
  const sentOn = receivers === undefined ? 0 : receivers.split ? copies : copies * (1 - 1 / Math.max(1, members));
  const written = writtenSamples(plan) * wireBytes(load.labelBytes);
  const read =
    queries.perSecond * queries.series * replicasRead(plan) * (load.labelBytes + chunksOfSeries(plan) * CHUNK_SAMPLES * SAMPLE_BYTES);
  const betweenNodes = written + written * sentOn + read;
  return { betweenNodes, betweenZones: zones > 1 ? betweenNodes * (1 - 1 / zones) : 0 };
}
