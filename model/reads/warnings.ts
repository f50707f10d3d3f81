import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import { imageVersion } from "../values/versions";
import { defaultReadLimits, STORES, type Store } from "./limits";

/** Limits of reads that do not protect what they are meant for. */

/**
 * Releases in which only store gateways hold to the limits: queriers ask for batches of series, which the others don't count (thanos #8964,
 * since 0.41.0; #8967 counts them, and no release up to 0.42.5 has it).
 */
const UNCOUNTED = /^0\.(?:41\.|42\.[0-5](?!\d))/;

/** Sentences, each with the key that it is about. */
export function readWarnings(settings: Settings): string[] {
  const { ingestion, objectStorage, ruler, images } = settings;
  const receive = receiveOf(settings);
  const version = imageVersion(images.thanos);
  const counting = objectStorage === undefined ? [] : [STORES.storeGateway(objectStorage)];
  const others = [
    ...(receive === undefined ? [] : [STORES.receive(receive)]),
    ...(ingestion === "sidecar" ? [STORES.sidecar(settings)] : []),
    ...(ruler === undefined ? [] : [STORES.ruler(ruler)]),
    STORES.querier(settings),
  ];
  return UNCOUNTED.test(version)
    ? [...counting.flatMap((store) => tooLarge(settings, store)), ...others.flatMap((store) => uncounted(store, version))]
    : [...counting, ...others].flatMap((store) => tooLarge(settings, store));
}

const uncounted = ({ key, own }: Store, version: string): string[] =>
  Object.values(own.storeLimits).some((limit) => limit > 0)
    ? [
        `${key}.storeLimits bounds no query of Thanos ${version}: queriers ask for series in batches, which only store gateways count (thanos #8964); ` +
          "what does bound queries is in docs/operations.md, under queries that read too much",
      ]
    : [];

function tooLarge(settings: Settings, store: Store): string[] {
  const carried = defaultReadLimits(settings, store);
  const { memory } = settings.querier.resources;
  return (["series", "samples"] as const).flatMap((limit) => {
    const chosen = store.own.storeLimits[limit] ?? 0;
    return chosen > carried[limit]
      ? [
          `${store.key}.storeLimits.${limit} is ${chosen}: querier.resources.memory of ${memory} and the component's own carry ${carried[limit]}, so that ` +
            "one query below the limit can fill them",
        ]
      : [];
  });
}
