import { z } from "zod";

/** Keys of `prometheus` about the jobs for the cluster's own parts. */
export const clusterJobKeys = {
  /** Whether the kubelets' serving certificates are checked against the cluster's CA. `skip` where they sign their own. */
  kubeletCertificates: z.enum(["verify", "skip"]).default("verify"),
  /** Whether every series of API server and kubelets is kept, also the buckets of histograms that no rule or dashboard of this stack or of the Kubernetes mixin asks for. */
  keepAll: z.boolean().default(false),
};
