/** Files that run on one cluster: lanes beside each other, each a sequence of files; `last` alone, when all lanes are through. */
export interface SharedCluster {
  lanes: readonly (readonly string[])[];
  last?: string;
}

/**
 * How this tier's files share clusters. Two files beside each other have no stack, no namespace and no bucket in common, and lose no node:
 * what kills nodes has a cluster of its own. They gain by it where one of them mostly waits (`switch`: until samples are past); one that
 * keeps both cores busy by itself and measures under load (`schemes`) has nothing beside it. With `switch` both failed, at a load of 30; so
 * did its outage of the object storage, as a file of its own, beside files without any load: five queries a second over half a million
 * samples each take a core by themselves.
 */
export const CLUSTERS: readonly SharedCluster[] = [
  { lanes: [["dev", "toolchain"], ["switch"]] },
  { lanes: [["prod"]] },
  { lanes: [["schemes"]] },
  {
    lanes: [
      ["plugins", "tls"],
      ["directoryBucket", "preview", "appStack", "gateway"],
    ],
    // It removes the whole sandbox at its end.
    last: "walkthrough",
  },
];

/** The files of a cluster. */
export const filesOf = ({ lanes, last }: SharedCluster): string[] => [...lanes.flat(), ...(last === undefined ? [] : [last])];

/** A named selection of files, each with a cluster of its own. */
export const alone = (files: readonly string[]): SharedCluster[] => files.map((file) => ({ lanes: [[file]] }));
