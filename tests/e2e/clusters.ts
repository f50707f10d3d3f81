/** Files that run on one cluster: lanes beside each other, each a sequence of files; `last` alone, when all lanes are through. */
export interface SharedCluster {
  lanes: readonly (readonly string[])[];
  last?: string;
}

/**
 * How this tier's files share clusters. Two files beside each other have no stack, no namespace and no bucket in common, end no server that
 * the other uses, and lose no node: what kills nodes has a cluster of its own. They gain by it where one of them mostly waits (`switch`:
 * until samples are past; `schemes`: until an outage is over, until blocks are uploaded).
 */
export const CLUSTERS: readonly SharedCluster[] = [
  {
    lanes: [
      ["dev", "appStack"],
      ["plugins", "toolchain", "directoryBucket"],
    ],
  },
  { lanes: [["prod"]] },
  // The last removes the whole sandbox at its end.
  { lanes: [["schemes"], ["switch", "preview"]], last: "walkthrough" },
];

/** The files of a cluster. */
export const filesOf = ({ lanes, last }: SharedCluster): string[] => [...lanes.flat(), ...(last === undefined ? [] : [last])];

/** A named selection of files, each with a cluster of its own. */
export const alone = (files: readonly string[]): SharedCluster[] => files.map((file) => ({ lanes: [[file]] }));
