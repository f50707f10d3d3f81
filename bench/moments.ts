import type { EngineEvent } from "@pulumi/pulumi/automation";
import { kindOf, nameOf } from "../sandbox/engine";
import { median, seconds, table } from "./figures";

/** When what happened in an update, and the same over several updates. */

/** From its being begun to its being done, in milliseconds since the update began. */
export interface Moment {
  /** Undefined for what has no beginning of its own, such as the first sample. */
  readonly begun?: number;
  readonly done: number;
}

/** Moments of one update, by what happened. */
export type Moments = ReadonlyMap<string, Moment>;

/** Takes down when each object of the cluster was begun and made, from the engine's events as they come. */
export class Creations {
  private readonly begun = new Map<string, number>();
  readonly made = new Map<string, Moment>();

  /** @param atMs When the event came, in milliseconds since the update began. */
  note({ resourcePreEvent, resOutputsEvent }: EngineEvent, atMs: number): void {
    const metadata = (resourcePreEvent ?? resOutputsEvent)?.metadata;
    if (metadata?.op !== "create" || !metadata.type.startsWith("kubernetes:")) return;
    const { type, urn } = metadata;
    if (resourcePreEvent !== undefined) this.begun.set(urn, atMs);
    else this.made.set(`${kindOf(type)} ${nameOf(urn)}`, { begun: this.begun.get(urn) ?? atMs, done: atMs });
  }
}

/** Medians of several updates as a table in Markdown, in the order in which things were done. */
export function timeline(runs: readonly Moments[]): string {
  const names = [...new Set(runs.flatMap((moments) => [...moments.keys()]))];
  const rows = names.map((name) => {
    const found = runs.flatMap((moments) => moments.get(name) ?? []);
    return {
      name,
      begun: found.flatMap(({ begun }) => begun ?? []),
      done: found.map(({ done }) => done),
    };
  });
  rows.sort((one, other) => median(one.done) - median(other.done));
  return table(
    ["what", "begun, s", "done, s", "least to most, s", "runs"],
    rows.map(({ name, begun, done }) => [
      name,
      begun.length === 0 ? "" : seconds(median(begun)),
      seconds(median(done)),
      `${seconds(Math.min(...done))} to ${seconds(Math.max(...done))}`,
      String(done.length),
    ]),
  );
}
