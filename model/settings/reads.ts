import { z } from "zod";
import { count } from "./forms";

/** Limits of what is read: their schema. */
export const storeLimits = z
  .strictObject({
    series: count(0, 1e9)
      .optional()
      .describe(
        "Most series in one answer; a store gateway counts a series once for each block that has it. Left out: of store " +
          "gateways what fits the memory of querier and component, of others none. 0: no limit, [a risk](#accepted-risks).",
      ),
    samples: count(0, 1e15)
      .optional()
      .describe(
        "Most samples in one answer. Thanos counts chunks, each as 120 samples. Left out: of store gateways what fits the memory of querier and " +
          "component, of others none. 0: no limit, [a risk](#accepted-risks).",
      ),
  })
  .prefault({})
  .meta({
    shared: "storeLimits",
    description:
      "Limits of what one selector of a query may read from each of these processes; what is above fails, and is missing in the query's answer.",
  });

/** Limits of a store, as far as an environment names them. */
export type StoreLimits = z.output<typeof storeLimits>;
