/**
 * The API server's address book and a token for it, as client libraries expect them in a container. Kubernetes would mount them into every
 * container of a pod that says it wants them; as a volume of the pod they are only where it is mounted. Source: kubernetes docs "Configure
 * Service Accounts for Pods", ServiceAccount admission plugin.
 */

/** Where client libraries look. */
export const API_TOKEN_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

const NAME = "api-token";

/**
 * Seconds that a token is valid, as in the volume that Kubernetes makes itself. The kubelet renews it at 80 % of
 * them, and Prometheus reads it again.
 */
const VALID_SECONDS = 3_607;

/** The volume and its mount. */
export const API_TOKEN = {
  volume: {
    name: NAME,
    projected: {
      sources: [
        { serviceAccountToken: { path: "token", expirationSeconds: VALID_SECONDS } },
        // In every namespace since Kubernetes 1.20.
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
      ],
    },
  },
  mount: { name: NAME, mountPath: API_TOKEN_DIRECTORY, readOnly: true },
};
