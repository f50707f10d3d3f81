import { PART_OF } from "./labels";

/** Jobs that this program defines, and what each finds. `output`s name them; a stack's own scrape configs may not take these names. */
export const JOBS = {
  /** All components of this stack; the job label is the component's name. */
  stack: PART_OF,
  kubelet: "kubelet",
  cadvisor: "cadvisor",
  apiServer: "kubernetes-apiservers",
  services: "kubernetes-services",
  pods: "kubernetes-pods",
  /** The certificate that each gateway shows; only where there is one. */
  gatewayCertificate: "thanos-gateway-certificate",
} as const;
