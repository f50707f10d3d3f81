/**
 * The parts of the sandbox's cluster: names, addresses, zones. Every name on the host starts with `thanos-stack` or (where the kernel
 * allows 15 characters) `tstack`, so that `down` finds what is left over without any record of it.
 */

/** The prefix of every network namespace, control group and firewall comment that the sandbox makes. */
export const NAME = "thanos-stack";
/** The bridge in the root network namespace that the nodes hang on. */
export const BRIDGE = "tstack0";
/** The prefix of the host's ends of the nodes' links. */
export const LINK_PREFIX = "tstack";
/** The host's own address on the bridge: the API server listens here. */
export const HOST_ADDRESS = "10.89.0.1";
/** The network of the host and the nodes. */
export const NODE_NETWORK = "10.89.0.0/24";
/** The network of all pods; node N has 10.244.N.0/24 of it. */
export const POD_NETWORK = "10.244.0.0/16";
/** The network of the services' cluster addresses. */
export const SERVICE_NETWORK = "10.96.0.0/16";
/** The first address of {@link SERVICE_NETWORK}: `kubernetes.default`. */
export const KUBERNETES_SERVICE = "10.96.0.1";
/** The cluster's DNS service. */
export const DNS_SERVICE = "10.96.0.10";
/** The cluster's DNS domain. */
export const CLUSTER_DOMAIN = "cluster.local";
/** The API server's port on {@link HOST_ADDRESS}. */
export const API_PORT = 6443;
/** The context of the sandbox's kubeconfig. */
export const CONTEXT = "sandbox";
/** The port of the S3 server on {@link HOST_ADDRESS}. */
export const BUCKET_PORT = 7070;

/** Directories of the host that each node sees as its own: kubelet's fixed paths, and the root of hostPath volumes. */
export const NODE_PRIVATE_DIRECTORIES = ["/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/var/log/containers", "/data"];

/** One node of the cluster. */
export interface NodePlan {
  /** 1, 2 or 3. */
  readonly number: number;
  /** Its name in Kubernetes and its host name. */
  readonly name: string;
  /** The value of its label `topology.kubernetes.io/zone`. */
  readonly zone: string;
  /** Its network namespace, by the name `ip netns` shows. */
  readonly netns: string;
  /** The host's end of its link to the bridge. */
  readonly link: string;
  /** Its address on the bridge. */
  readonly address: string;
  /** The network of its pods. */
  readonly podNetwork: string;
}

/**
 * The plan of one node.
 *
 * @param number 1 to 9
 */
export function nodePlan(number: number): NodePlan {
  if (!Number.isInteger(number) || number < 1 || number > 9) throw new RangeError(`node ${number}: nodes are numbered from 1 to 9`);
  return {
    number,
    name: `node${number}`,
    zone: `z${number}`,
    netns: `${NAME}-node${number}`,
    link: `${LINK_PREFIX}-node${number}`,
    address: `10.89.0.1${number}`,
    podNetwork: `10.244.${number}.0/24`,
  };
}

/** The nodes of the cluster, one a zone. */
export const NODES: readonly NodePlan[] = [1, 2, 3].map(nodePlan);
