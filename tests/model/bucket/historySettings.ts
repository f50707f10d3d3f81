import { type Settings, type SettingsInput, settingsSchema } from "../../../model/settings/schema";

/** Settings with a bucket, apart from any stack file. */

const storage = { pvc: { size: "10Gi" } };

/** The bucket's settings as an environment may write them. */
export type ObjectStorageInput = NonNullable<SettingsInput["objectStorage"]>;

/** A bucket with every default. */
export const BUCKET: ObjectStorageInput = {
  s3: { bucket: "metrics", endpoint: "s3.example.org" },
  storeGateway: { storage },
  compactor: { storage },
};

/** The same with another place for the blocks. */
export const bucketAt = (place: Omit<ObjectStorageInput, "storeGateway" | "compactor">): ObjectStorageInput => ({
  ...place,
  storeGateway: BUCKET.storeGateway,
  compactor: BUCKET.compactor,
});

/** Settings of an environment with that bucket, by the schema alone. Keys of `changes` replace whole keys. */
export function settingsWith(changes: Partial<SettingsInput> = {}): Settings {
  return settingsSchema.parse({
    cluster: { name: "test", context: "test" },
    namespace: "metrics",
    receive: { storage },
    prometheus: { storage },
    objectStorage: BUCKET,
    ...changes,
  });
}

/** The bucket's settings as the schema completes them. */
export function objectStorageOf(input: ObjectStorageInput): NonNullable<Settings["objectStorage"]> {
  const { objectStorage } = settingsWith({ objectStorage: input });
  if (objectStorage === undefined) throw new Error("no bucket");
  return objectStorage;
}
