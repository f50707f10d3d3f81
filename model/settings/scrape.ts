import { z } from "zod";

/** Keys of `prometheus` about the jobs for the cluster's own parts. */
export const clusterJobKeys = {
  kubeletCertificates: z
    .enum(["verify", "skip"])
    .default("verify")
    .describe(
      "Whether the kubelets' serving certificates are checked against the cluster's CA. `skip` where kubelets sign their own (kubeadm's default).",
    ),
  keepAll: z
    .boolean()
    .default(false)
    .describe(
      "Whether every series of API server and kubelets is kept. By default the buckets of histograms that no rule or dashboard of this " +
        "repository or of the Kubernetes mixin asks for are dropped, and some families of containers; sums and counts stay ([why](decisions.md#buckets-that-nobody-asks-for-are-dropped)).",
    ),
};
