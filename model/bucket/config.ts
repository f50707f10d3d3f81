import { z } from "zod";
import { bucketShape } from "../settings/objectStorage";
import type { ObjectStorageSettings, Settings } from "../settings/schema";
import { splitHost } from "../values/hosts";
import { thanosYaml } from "../values/literal";
import type { Problem } from "../values/problem";
import { quantityBytes } from "../values/quantity";
import { BUCKET_DIRECTORY } from "./directory";
import { CA_FILE, ENCRYPTION_KEY_FILE, OBJECT_STORE_DIRECTORY } from "./mount";

/**
 * The bucket: its configuration as Thanos reads it, the credentials that belong to it, and which stacks would share it.
 * Source: objstore 71d60df (the version in thanos v0.42.4's go.mod): client/factory.go, providers/{s3,gcs,azure,filesystem}.
 */

/** Configuration key of the bucket's credentials, a secret. */
export const BUCKET_CREDENTIALS_KEY = "objectStorageCredentials";

/** Kinds of buckets. */
export type BucketKind = keyof typeof bucketShape;

const text = z.string().min(1);
const s3Credentials = z.strictObject({
  accessKey: text.describe("Of S3: the name of the key."),
  secretKey: text.describe("Of S3: the key."),
  sessionToken: text.optional().describe("Of S3, where the two are temporary."),
  encryptionKey: z
    .string()
    .refine((key) => /^[A-Za-z0-9+/]{43}=$/.test(key), "32 bytes in base64: openssl rand -base64 32")
    .optional()
    .describe("Of S3 with `SSE-C`: the key of 32 bytes, in base64."),
});
const gcsCredentials = z.strictObject({
  serviceAccount: z
    .union([text, z.record(z.string(), z.unknown())])
    .describe("Of Google Cloud Storage: the key file of a service account, as text or as a map of keys."),
});
const azureCredentials = z.strictObject({ storageAccountKey: text.describe("Of Azure Blob Storage.") });

/** The bucket's credentials, by its kind. Default: none, the pods' own identity is used. */
export const credentialsSchema = z.union([s3Credentials, gcsCredentials, azureCredentials]);

/** The bucket's credentials. Never shown, never compared, only put into the Secret. */
export type BucketCredentials = z.output<typeof credentialsSchema>;

/** Form of the credentials of each kind, for messages. */
const CREDENTIALS_OF: Record<BucketKind, { schema: z.ZodType; form: string } | undefined> = {
  s3: {
    schema: s3Credentials,
    form: "accessKey and secretKey, sessionToken where they are temporary, and encryptionKey (32 bytes in base64) with SSE-C",
  },
  gcs: { schema: gcsCredentials, form: "serviceAccount: the key file as JSON text or as a map of keys" },
  azure: { schema: azureCredentials, form: "storageAccountKey" },
  filesystem: undefined,
  secret: undefined,
};

/** Kind of the bucket. */
export function bucketKind(objectStorage: Pick<ObjectStorageSettings, BucketKind>): BucketKind {
  const kind = (Object.keys(bucketShape) as BucketKind[]).find((each) => objectStorage[each] !== undefined);
  if (kind === undefined) throw new Error("objectStorage names no bucket");
  return kind;
}

/** Problems of the credentials for the bucket that the settings name. No message contains any of them. */
export function bucketCredentialProblems({ objectStorage }: Pick<Settings, "objectStorage">, credentials: unknown): Problem[] {
  const problem = (rule: string, remedy: string): Problem[] => [{ key: BUCKET_CREDENTIALS_KEY, value: "(secret)", rule, remedy }];
  const withOwnKey = objectStorage?.s3?.encryption?.method === "SSE-C";
  const ownKey = "objectStorageCredentials.encryptionKey, 32 bytes in base64, with accessKey and secretKey";
  if (typeof credentials === "string") return problem("this key holds a map of keys", `{"accessKey": "...", "secretKey": "..."}`);
  if (credentials === undefined) return withOwnKey ? problem("SSE-C encrypts with a key that the server does not keep", ownKey) : [];
  if (objectStorage === undefined)
    return problem("credentials without a bucket belong to nothing", "no such key, or a bucket in objectStorage");
  const kind = bucketKind(objectStorage);
  const expected = CREDENTIALS_OF[kind];
  if (expected === undefined) return problem(`a bucket of kind ${kind} needs no credentials`, "no such key");
  if (!expected.schema.safeParse(credentials).success) {
    return problem(`these are not the credentials of a bucket of kind ${kind}`, `${expected.form}, and nothing else`);
  }
  if (withOwnKey !== (s3Credentials.safeParse(credentials).data?.encryptionKey !== undefined)) {
    return withOwnKey
      ? problem("SSE-C encrypts with a key that the server does not keep", ownKey)
      : problem("an encryptionKey is the key of SSE-C alone", "objectStorage.s3.encryption.method SSE-C, or no encryptionKey");
  }
  if (JSON.stringify(credentials).includes("$(")) {
    return problem("Thanos replaces $(NAME) in its configuration by the environment's variable", "credentials without $(");
  }
  if (kind === "azure" && objectStorage.azure?.userAssignedId !== undefined) {
    return problem("a key and objectStorage.azure.userAssignedId are two identities, and Thanos refuses both at once", "one of them");
  }
  return [];
}

/** A service account's key file as text. */
const keyFile = (serviceAccount: string | Record<string, unknown>): string =>
  typeof serviceAccount === "string" ? serviceAccount : JSON.stringify(serviceAccount);

type S3 = NonNullable<ObjectStorageSettings["s3"]>;

/** Options of S3 that differ from objstore's defaults (providers/s3/s3.go `DefaultConfig`). */
function s3Options({ ca, encryption, storageClass, partSize, multipart, maxRetries, listObjects, signature, contentMd5, dualstack }: S3) {
  const where = (chosen: boolean, config: object) => (chosen ? config : {});
  return {
    ...where(ca !== undefined, { http_config: { tls_config: { ca_file: `${OBJECT_STORE_DIRECTORY}/${CA_FILE}` } } }),
    ...(encryption === undefined ? {} : { sse_config: sseConfig(encryption) }),
    // objstore takes this name out of the metadata and writes it as the storage class.
    ...where(storageClass !== undefined, { put_user_metadata: { "X-Amz-Storage-Class": storageClass } }),
    ...(partSize === undefined ? {} : { part_size: quantityBytes(partSize) }),
    ...where(!multipart, { disable_multipart: true }),
    ...where(maxRetries !== undefined, { max_retries: maxRetries }),
    ...where(listObjects !== undefined, { list_objects_version: listObjects }),
    ...where(signature === "v2", { signature_version2: true }),
    ...where(!contentMd5, { send_content_md5: false }),
    ...where(!dualstack, { disable_dualstack: true }),
  };
}

const sseConfig = ({ method, kmsKeyId, kmsContext }: NonNullable<S3["encryption"]>) => ({
  type: method,
  ...(kmsKeyId === undefined ? {} : { kms_key_id: kmsKeyId }),
  ...(kmsContext === undefined ? {} : { kms_encryption_context: kmsContext }),
  ...(method === "SSE-C" ? { encryption_key: `${OBJECT_STORE_DIRECTORY}/${ENCRYPTION_KEY_FILE}` } : {}),
});

function providerConfig(
  objectStorage: ObjectStorageSettings,
  credentials: BucketCredentials | undefined,
): { type: string; config: object } {
  const { s3, gcs, azure } = objectStorage;
  if (s3 !== undefined) {
    const keys = s3Credentials.safeParse(credentials).data;
    return {
      type: "S3",
      config: {
        bucket: s3.bucket,
        endpoint: s3.endpoint,
        ...(s3.region === undefined ? {} : { region: s3.region }),
        insecure: s3.insecure,
        bucket_lookup_type: s3.bucketLookup,
        ...s3Options(s3),
        ...(keys === undefined
          ? // The AWS SDK knows pod identities; objstore's own chain knows the environment, a file and the instance's role only.
            { aws_sdk_auth: true }
          : {
              access_key: keys.accessKey,
              secret_key: keys.secretKey,
              ...(keys.sessionToken === undefined ? {} : { session_token: keys.sessionToken }),
            }),
      },
    };
  }
  if (gcs !== undefined) {
    const account = gcsCredentials.safeParse(credentials).data;
    return {
      type: "GCS",
      config: {
        bucket: gcs.bucket,
        ...(gcs.maxRetries === undefined ? {} : { max_retries: gcs.maxRetries }),
        ...(account === undefined ? {} : { service_account: keyFile(account.serviceAccount) }),
      },
    };
  }
  if (azure !== undefined) {
    const key = azureCredentials.safeParse(credentials).data;
    return {
      type: "AZURE",
      config: {
        storage_account: azure.storageAccount,
        container: azure.container,
        // Whoever may write blocks need not be able to make containers.
        storage_create_container: false,
        ...(azure.endpoint === undefined ? {} : { endpoint: azure.endpoint }),
        ...(azure.userAssignedId === undefined ? {} : { user_assigned_id: azure.userAssignedId }),
        ...(key === undefined ? {} : { storage_account_key: key.storageAccountKey }),
      },
    };
  }
  return { type: "FILESYSTEM", config: { directory: BUCKET_DIRECTORY } };
}

/**
 * Text of the file that `--objstore.config-file` names. With credentials it is a secret.
 *
 * @param credentials Those of the bucket's kind. Default: the pods' own identity.
 */
export function objectStorageConfig(objectStorage: ObjectStorageSettings, credentials?: BucketCredentials): string {
  const { type, config } = providerConfig(objectStorage, credentials);
  return thanosYaml({ type, config, ...(objectStorage.prefix === undefined ? {} : { prefix: objectStorage.prefix }) });
}

/**
 * Files beside the configuration, to which it refers: certificates and the key of SSE-C.
 *
 * @returns texts by name, and bytes in base64 by name
 */
export function objectStorageFiles(
  { s3 }: ObjectStorageSettings,
  credentials?: BucketCredentials,
): { texts: Record<string, string>; bytes: Record<string, string> } {
  const key = s3Credentials.safeParse(credentials).data?.encryptionKey;
  return {
    texts: s3?.ca === undefined ? {} : { [CA_FILE]: s3.ca },
    bytes: key === undefined ? {} : { [ENCRYPTION_KEY_FILE]: key },
  };
}

const identityShape = z.object({ ...bucketShape, prefix: z.string().optional() });

/** The server, by whatever name it is reached: AWS and Google have several for the same buckets. */
function server(endpoint: string): string {
  const host = endpoint.toLowerCase().replace(/:(?:80|443)$/, "");
  const amazon = /(?:^|\.)(amazonaws\.com(?:\.cn)?)$/.exec(host)?.[1];
  return amazon ?? host;
}

/**
 * A text that is equal exactly where two stacks would keep their blocks in one directory of one bucket. Undefined for a directory of a
 * node: the namespace is part of its path, and only one stack can make a namespace.
 */
export function bucketIdentity(objectStorage: z.output<typeof identityShape>): string | undefined {
  const { s3, gcs, azure, prefix } = objectStorage;
  const directory = prefix === undefined ? "" : `/${prefix}`;
  if (s3 !== undefined) return `${server(s3.endpoint)}/${s3.bucket}${directory}`;
  if (gcs !== undefined) return `storage.googleapis.com/${gcs.bucket}${directory}`;
  if (azure !== undefined) return `${azure.storageAccount}.${server(azure.endpoint ?? AZURE_ENDPOINT)}/${azure.container}${directory}`;
  return undefined;
}

const AZURE_ENDPOINT = "blob.core.windows.net";

/**
 * Other stacks that keep their blocks where this one does: two compactors would merge and delete each other's (thanos
 * docs/components/compact.md "Warning: Only one compactor"). Directories within each other are apart: Thanos lists only a directory's own
 * entries, and takes only those for blocks whose names are 26 characters (block.IsBlockDir), which no prefix has.
 *
 * @param own The bucket of this stack.
 * @param others What the stack files of other stacks hold under `objectStorage`, by stack. What can't be read
 * is left to that stack's own preview.
 */
export function bucketClashes(own: ObjectStorageSettings | undefined, others: Readonly<Record<string, unknown>>): Problem[] {
  const identity = own === undefined ? undefined : bucketIdentity(own);
  if (own === undefined || identity === undefined) return [];
  return Object.entries(others).flatMap(([stack, raw]) => {
    const other = identityShape.safeParse(raw);
    if (!other.success || bucketIdentity(other.data) !== identity) return [];
    return [
      {
        key: "objectStorage.prefix",
        value: own.prefix,
        rule: `stack ${stack} keeps its blocks in the same directory of the same bucket (${identity}), and two compactors would delete each other's`,
        remedy: `a prefix that no other stack has, or another bucket`,
      },
    ];
  });
}

const portOf = (endpoint: string): number | undefined => {
  const port = /:(\d+)$/.exec(endpoint)?.[1];
  return port === undefined ? undefined : Number(port);
};

/** Hosts by which the bucket's server is reached; undefined where nobody knows, empty where there is none. */
export function bucketHosts({ s3, gcs, azure, secret }: ObjectStorageSettings): string[] | undefined {
  if (secret !== undefined) return undefined;
  const hostOf = (endpoint: string): string => splitHost(endpoint).host;
  return [
    ...(s3 === undefined ? [] : [hostOf(s3.endpoint), `${s3.bucket}.${hostOf(s3.endpoint)}`]),
    ...(gcs === undefined ? [] : ["storage.googleapis.com"]),
    ...(azure === undefined ? [] : [`${azure.storageAccount}.${hostOf(azure.endpoint ?? AZURE_ENDPOINT)}`]),
  ];
}

/** TCP port of the bucket's server; undefined where there is none. */
export function bucketPort({ s3, gcs, azure, secret }: ObjectStorageSettings): number | undefined {
  if (s3 !== undefined) return portOf(s3.endpoint) ?? (s3.insecure ? 80 : 443);
  if (gcs !== undefined) return 443;
  if (azure !== undefined) return portOf(azure.endpoint ?? "") ?? 443;
  return secret?.port;
}
