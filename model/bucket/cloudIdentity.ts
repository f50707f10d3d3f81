import type { ObjectStorageSettings } from "../settings/schema";
import { type BucketKind, bucketKind, bucketPort } from "./config";

/** Where a cloud tells a pod who it is. */
export interface IdentityService {
  /** Its addresses as networks; absent: names of the cloud, which no policy can know. */
  networks?: string[];
  /** TCP port. */
  port: number;
}

/** Where tokens of a service account are exchanged: AWS STS, Microsoft Entra ID, Google STS. */
const TOKEN_EXCHANGE: IdentityService = { port: 443 };

/** The instance's own, and those of containers, of AWS. */
const INSTANCE: readonly IdentityService[] = [
  { networks: ["169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "fd00:ec2::23/128", "fd00:ec2::254/128"], port: 80 },
];

/** Addresses and ports of GKE's metadata server, beside the instance's port 80. */
const GOOGLE: readonly IdentityService[] = [
  { networks: ["169.254.169.254/32"], port: 8080 },
  { networks: ["169.254.169.252/32"], port: 987 },
  { networks: ["169.254.169.252/32"], port: 988 },
];

/**
 * By kind of bucket. Link-local addresses, which lead to the node or the hypervisor and nowhere else.
 *
 * - s3: the AWS SDK's chain (aws-sdk-go-v2 config/resolve_credentials.go): the instance (169.254.169.254, fd00:ec2::254), EKS Pod Identity
 *   (169.254.170.23, fd00:ec2::23; EKS user guide, "EKS Pod Identity Agent"), containers elsewhere (169.254.170.2).
 * - gcs: GKE "Authenticate to Google Cloud APIs from GKE workloads", network policies: 169.254.169.254 at 80 and 8080 with Dataplane V2,
 *   169.254.169.252 at 987 and 988 otherwise.
 * - azure: managed identity asks the instance's metadata service (azidentity
 *   managed_identity_client.go); workload identity exchanges tokens.
 */
const SERVICES: Record<BucketKind, readonly IdentityService[]> = {
  s3: [...INSTANCE, TOKEN_EXCHANGE],
  gcs: [{ networks: ["169.254.169.254/32"], port: 80 }, ...GOOGLE, TOKEN_EXCHANGE],
  azure: [{ networks: ["169.254.169.254/32"], port: 80 }, TOKEN_EXCHANGE],
  filesystem: [],
  // Whichever cloud's: the provider is in the Secret.
  secret: [...INSTANCE, ...GOOGLE, TOKEN_EXCHANGE],
};

/**
 * Services that whoever uses the bucket must reach to get an identity of the cloud, beside the bucket's own
 * port; none where there are credentials.
 */
export function identityServices(objectStorage: ObjectStorageSettings, credentials: boolean): readonly IdentityService[] {
  if (credentials || objectStorage.secret?.podIdentity === false) return [];
  const reached = bucketPort(objectStorage);
  return SERVICES[bucketKind(objectStorage)].filter(({ networks, port }) => networks !== undefined || port !== reached);
}

/** Prefix of Azure's own annotations of a service account. */
const AZURE_WORKLOAD_IDENTITY = "azure.workload.identity/";

/**
 * Labels by which pods are given the identity that their service account's annotations name. Azure's webhook changes labelled pods only, so
 * without it there is no token (azure-workload-identity docs/topics/service-account-labels-and-annotations: "required in the pod template
 * spec"); the other clouds' look at the account alone.
 */
export function identityLabels(serviceAccountAnnotations: Readonly<Record<string, string>> = {}): Record<string, string> {
  const named = Object.keys(serviceAccountAnnotations).some((name) => name.startsWith(AZURE_WORKLOAD_IDENTITY));
  return named ? { [`${AZURE_WORKLOAD_IDENTITY}use`]: "true" } : {};
}
