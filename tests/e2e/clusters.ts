/** Files that run on one cluster: lanes beside each other, each a sequence of files; `last` alone, when all lanes are through. */
export interface SharedCluster {
  lanes: readonly (readonly string[])[];
  last?: string;
}

/**
 * How this tier's files share clusters. Two files beside each other have no stack, no namespace and no bucket in common, and lose no node:
 * what kills nodes has a cluster of its own. They gain by it where one of them mostly waits (`ringBucket` and `switch`: until an outage is
 * over, and until samples are past); one that keeps both cores busy by itself and measures under load (`schemes`) has nothing beside it: with
 * `switch` both failed, at a load of 30. What stops the object storage (`ringBucket`) is beside files that have none.
 */
export const CLUSTERS: readonly SharedCluster[] = [
  { lanes: [["ringBucket"], ["toolchain", "directoryBucket", "appStack"]] },
  { lanes: [["prod"]] },
  { lanes: [["schemes"]] },
  // `walkthrough` removes the whole sandbox at its end.
  {
    lanes: [
      ["dev", "preview"],
      ["plugins", "switch"],
    ],
    last: "walkthrough",
  },
];

/** The files of a cluster. */
export const filesOf = ({ lanes, last }: SharedCluster): string[] => [...lanes.flat(), ...(last === undefined ? [] : [last])];

/** A named selection of files, each with a cluster of its own. */
export const alone = (files: readonly string[]): SharedCluster[] => files.map((file) => ({ lanes: [[file]] }));
