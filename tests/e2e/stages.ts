/** Files that run beside each other, as lanes: each a sequence of files. */
export type Stage = readonly (readonly string[])[];

/**
 * How this tier's files share a cluster: one stage after the other. Two files beside each other have no stack, no namespace and no bucket
 * in common, and lose no node: what kills nodes has a stage of its own. Lanes gain by each other where one mostly waits (`switch`: until
 * samples are past; `ringBucket`: for an outage to be long, and for uploads).
 */
export const STAGES: readonly Stage[] = [
  // First, since it counts what the API server exposes of everything that it was asked for.
  [["prod"]],
  [["dev", "toolchain"], ["switch"]],
  [["ringBucket"], ["schemes", "appStack", "preview"]],
  // `directoryBucket` taints a node, which everybody else's pods could need.
  [["plugins"], ["directoryBucket"]],
  [["tls"], ["gateway"]],
  // It removes the whole sandbox at its end.
  [["walkthrough"]],
];

/** The files of a stage. */
export const filesOf = (stage: Stage): string[] => stage.flat();

/** A named selection of files, one after the other. */
export const alone = (files: readonly string[]): Stage[] => files.map((file) => [[file]]);
