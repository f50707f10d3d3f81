import { cpuCores, isByteQuantity, isCpuQuantity, quantityBytes } from "../../model/values/quantity";
import { type Container, fields, isForDirectory, isLasting, list, type PolicyResource, podOf, text } from "../../policy/resources";
import { type PodCount, podCount } from "./podCount";

/** Resources of its cluster that a plan takes. */
export interface Requests {
  pods: number;
  /** Cores that the scheduler reserves. */
  cpu: number;
  /** Bytes of memory that the scheduler reserves. */
  memory: number;
  /** Bytes of persistent volumes. */
  storage: number;
  /** Directories on nodes' own disks, whose size nothing bounds. */
  directories: number;
  /** The part that is there at least, where an autoscaler may ask for more. Default: all of it. */
  least?: Pick<Requests, "pods" | "cpu" | "memory">;
}

/** The sum over everything that keeps running, of what is scaled by its load at its largest; jobs end. */
export function requestsOf(resources: readonly PolicyResource[]): Requests {
  const most = sumOf(resources, "most");
  const { pods, cpu, memory } = sumOf(resources, "least");
  return pods === most.pods ? most : { ...most, least: { pods, cpu, memory } };
}

function sumOf(resources: readonly PolicyResource[], bound: keyof PodCount): Requests {
  const sum: Requests = { pods: 0, cpu: 0, memory: 0, storage: 0, directories: 0 };
  for (const resource of resources) {
    const pod = podOf(resource);
    if (pod === undefined || !isLasting(resource)) continue;
    const spec = fields(resource.inputs, "spec");
    const replicas = podCount(resource, resources)[bound];
    sum.pods += replicas;
    const beside = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
    for (const container of [...(pod.spec.containers ?? []), ...beside]) {
      sum.cpu += replicas * coresOf(requested(container, "cpu"));
      sum.memory += replicas * bytesOf(requested(container, "memory"));
    }
    for (const template of list(spec, "volumeClaimTemplates")) {
      const claim = fields(template, "spec");
      if (isForDirectory(template)) sum.directories += replicas;
      else sum.storage += replicas * bytesOf(text(fields(fields(claim, "resources"), "requests"), "storage"));
    }
  }
  // Millicores are whole numbers; sums of fractions aren't.
  return { ...sum, cpu: Math.round(sum.cpu * 1_000) / 1_000 };
}

function requested(container: Container, name: string): string {
  const value = container.resources?.requests?.[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** Bytes of a quantity; 0 for what is none, such as a value that is not known yet. */
const bytesOf = (value: string) => (isByteQuantity(value) ? quantityBytes(value) : 0);
/** Cores of a quantity; 0 for what is none. */
const coresOf = (value: string) => (isCpuQuantity(value) ? cpuCores(value) : 0);

/** Rows of a table: what, now, and before where that is known. */
export function requestRows(after: Requests, before?: Requests): { what: string; before?: string; after: string; changed: boolean }[] {
  type Row = keyof Omit<Requests, "least">;
  const rows: [string, Row, (value: number) => string][] = [
    ["Pods", "pods", String],
    ["CPU requests", "cpu", (value) => `${value} ${value === 1 ? "core" : "cores"}`],
    ["Memory requests", "memory", bytes],
    ["Persistent volumes", "storage", bytes],
    ["Directories on nodes' disks", "directories", String],
  ];
  const said = (of: Requests, key: Row, show: (value: number) => string): string => {
    const least = (of.least as Partial<Requests> | undefined)?.[key];
    return least === undefined ? show(of[key]) : `${show(of[key])} at most, ${show(least)} at least`;
  };
  return rows
    .filter(([, key]) => key !== "directories" || after[key] > 0 || (before?.[key] ?? 0) > 0)
    .map(([what, key, show]) => {
      const [now, then] = [said(after, key, show), before === undefined ? undefined : said(before, key, show)];
      return { what, ...(then === undefined ? {} : { before: then }), after: now, changed: then !== undefined && then !== now };
    });
}

/** Bytes in the largest unit that leaves one digit or more before the point. */
export function bytes(value: number): string {
  if (value === 0) return "none";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${Number((value / 2 ** (10 * power)).toFixed(2))} ${units[power]}`;
}
