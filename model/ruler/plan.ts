import { type Identity, RULER_APP, RULER_IDENTITY } from "../kubernetes/identities";
import { THANOS_USER } from "../kubernetes/pod";
import { directoriesOf, type HostPathVolume } from "../kubernetes/storage";
import type { RulerSettings, Settings, StorageSettings } from "../settings/schema";

/**
 * The ruler evaluates the rules over everything that the querier serves. Stateless, it remote-writes what comes of them into the
 * ring, up to 15 seconds later (its log tells nobody of what was written, so prometheus tsdb/wlog `Watcher` polls by itself);
 * stateful, it keeps, serves and uploads it.
 */

/** The rulers of an environment. */
export interface RulerPlan {
  settings: RulerSettings;
  /** Name of the StatefulSet. */
  name: string;
  replicas: number;
  identity: Identity;
  /**
   * Whether the rulers keep samples, so that the querier must ask them. A stateless one has the Rules API only (rule.go `tsdbDB != nil`).
   */
  stores: boolean;
  /** Storage of a ruler that keeps samples; a stateless one has nothing to keep. */
  storage?: StorageSettings;
  hostPathVolumes: HostPathVolume[];
}

/** The rulers; undefined where each Prometheus evaluates the rules itself. */
export function planRuler(settings: Settings): RulerPlan | undefined {
  const { ruler, namespace } = settings;
  if (ruler === undefined) return undefined;
  const storage = ruler.mode === "stateful" ? ruler.storage : undefined;
  return {
    settings: ruler,
    name: RULER_APP,
    replicas: ruler.replicas,
    identity: RULER_IDENTITY,
    stores: ruler.mode === "stateful",
    ...(storage === undefined ? {} : { storage }),
    hostPathVolumes: directoriesOf(
      { name: RULER_APP, replicas: ruler.replicas, identity: RULER_IDENTITY },
      storage,
      namespace,
      THANOS_USER,
    ),
  };
}
