/**
 * Labels that series have of their own, from their targets and from rules. An external label is on none of the series that have one of its
 * name already, annotated targets would lose theirs to it, and a receiver's label of a tenant overwrites it on read. So none of the three
 * labels that an environment names is one of these.
 */

/**
 * By name: what the stack's jobs set, what expositions and rules give a meaning, and the name of the application in `examples/app-stack`.
 */
export const TARGET_LABELS: readonly string[] = [
  "__name__",
  "job",
  "instance",
  "namespace",
  "pod",
  "node",
  "zone",
  "service",
  "container",
  "le",
  "quantile",
  "app",
  "alertname",
  "alertstate",
];

/** Whether series may have this label of their own. Names that begin with `__` are Prometheus' and Thanos'. */
export const isTargetLabel = (label: string): boolean => TARGET_LABELS.includes(label) || label.startsWith("__");
