import { quantityBytes } from "../values/quantity";
import { type PodSettings, podsOver } from "./pods";
import type { ReceiveSettings, ResourceSettings, Settings, StorageSettings } from "./schema";
import { defaultRingTenants } from "./scheme";

/** Settings of each ring of receivers: its own, laid over those of `receive`. */

/** Name of the ring of the stack's own tenant, which comes after those that are for others alone. */
export const DEFAULT_RING = "default";

type Own = ReceiveSettings["hashrings"][number];

/**
 * One ring's settings. Each is read when it is asked for, so that a rule that asks for one of them reads that one only.
 */
export class RingSettings {
  /** @param index Of its entry in `receive.hashrings`; undefined for the default ring. */
  constructor(
    private readonly receive: ReceiveSettings,
    private readonly settings: Settings,
    private readonly index?: number,
  ) {}

  private get own(): Own | undefined {
    return this.index === undefined ? undefined : this.receive.hashrings[this.index];
  }

  get name(): string {
    return this.own?.name ?? DEFAULT_RING;
  }

  /** Its key, `receive` or such as `receive.hashrings[0]`. */
  get key(): string {
    return this.index === undefined ? "receive" : `receive.hashrings[${this.index}]`;
  }

  /** The key that decides about a part of it: its own where it says anything of that, otherwise that of `receive`. */
  keyOf(part: "antiAffinity" | "storage" | "retention" | "resources"): string {
    const own = this.own?.[part];
    const says = typeof own === "object" ? Object.keys(own).length > 0 : own !== undefined;
    return `${says ? this.key : "receive"}.${part}`;
  }

  /** Tenants, by name or by pattern; undefined for any that no other ring takes. */
  get tenants(): string[] | undefined {
    return this.own === undefined ? defaultRingTenants(this.settings) : this.own.tenants;
  }

  get replicas(): number {
    return (this.own ?? this.receive).replicas;
  }

  /** Zones over which its receivers are divided; empty for none. */
  get zones(): string[] {
    return this.own?.zones ?? this.settings.cluster.zones;
  }

  get antiAffinity(): "hard" | "soft" {
    return this.own?.antiAffinity ?? this.receive.antiAffinity;
  }

  get storage(): StorageSettings {
    return this.own?.storage ?? this.receive.storage;
  }

  /** `time` is absent where the environment names none. */
  get retention(): ReceiveSettings["retention"] {
    return { ...this.receive.retention, ...this.own?.retention };
  }

  get resources(): ResourceSettings {
    return { ...this.receive.resources, ...(this.own?.resources as Partial<ResourceSettings> | undefined) };
  }

  /** Where its pods run and what they are marked with, without the stack's own choices. */
  get pods(): PodSettings {
    return podsOver(this.receive.pods, this.own?.pods);
  }

  /** Absent where each of its tenants has the whole ring. */
  get shuffleSharding(): ReceiveSettings["shuffleSharding"] {
    return (this.own ?? this.receive).shuffleSharding;
  }
}

/** Bytes of memory of a receiver of the smallest ring: what holds for receivers of all rings fits these. */
export const smallestReceiverMemory = ({ resources, hashrings }: ReceiveSettings): number =>
  Math.min(
    ...[resources, ...hashrings.map((ring) => ring.resources)].flatMap((each) =>
      each?.memory === undefined ? [] : [quantityBytes(each.memory)],
    ),
  );

/** The rings in the order in which Thanos reads them: the default ring last, since the first match wins. */
export const ringsOf = (receive: ReceiveSettings, settings: Settings): RingSettings[] => [
  ...receive.hashrings.map((_, index) => new RingSettings(receive, settings, index)),
  new RingSettings(receive, settings),
];
