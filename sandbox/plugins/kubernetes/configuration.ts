import type { Failure } from "../protocol/provider";
import { at, containsUnknown, isMap, Unknown, type ValueMap } from "../protocol/values";
import { activeCluster, type KubeconfigChoice } from "./kubeconfig";

/** Settings in the provider resource's inputs. */
export interface Settings extends KubeconfigChoice {
  clusterIdentifier: string | undefined;
  enableConfigMapMutable: boolean;
  enableSecretMutable: boolean;
  enableServerSideApply: boolean;
  enablePatchForce: boolean;
  upsertExistingObjects: boolean;
  suppressDeprecationWarnings: boolean;
}

const texts = ["kubeconfig", "context", "cluster", "namespace", "clusterIdentifier"] as const;
const defaults = {
  enableConfigMapMutable: false,
  enableSecretMutable: false,
  enableServerSideApply: true,
  enablePatchForce: false,
  upsertExistingObjects: false,
  suppressDeprecationWarnings: false,
} as const;
type Flag = keyof typeof defaults;
const isFlag = (key: string): key is Flag => key in defaults;
const isText = (key: string): key is (typeof texts)[number] => (texts as readonly string[]).includes(key);

// Inputs of the official provider that change nothing this one does.
const without = new Set(["version", "pluginDownloadURL", "suppressHelmHookWarnings", "helmReleaseSettings", "kubeClientSettings"]);

/** A boolean arrives as itself or as its JSON text. */
function flagOf(value: unknown): boolean | undefined {
  return value === true || value === "true" ? true : value === false || value === "false" ? false : undefined;
}

/** Reads the provider's inputs; null, absent and the empty text mean the default. */
export function readSettings(inputs: ValueMap): { settings: Settings; failures: Failure[] } {
  const settings: Settings = {
    kubeconfig: undefined,
    context: undefined,
    cluster: undefined,
    namespace: undefined,
    clusterIdentifier: undefined,
    ...defaults,
  };
  const failures: Failure[] = [];
  for (const key of Object.keys(inputs)) {
    const value = at(inputs, key) ?? "";
    if (value === "" || value instanceof Unknown || without.has(key)) {
      continue;
    }
    if (isFlag(key)) {
      const flag = flagOf(value);
      if (flag === undefined) {
        failures.push({ property: key, reason: "must be true or false" });
      } else {
        settings[key] = flag;
      }
    } else if (isText(key)) {
      if (typeof value === "string") {
        settings[key] = value;
      } else if (key === "kubeconfig" && isMap(value)) {
        settings.kubeconfig = JSON.stringify(value);
      } else {
        failures.push({ property: key, reason: "must be a string" });
      }
    } else if (flagOf(value) !== false) {
      failures.push({ property: key, reason: "is not offered by this stand-in provider; leave it out, or use the official provider" });
    }
  }
  return { settings, failures };
}

/** Inputs whose change may mean another cluster. */
const identifying = ["kubeconfig", "context", "cluster"];

function identity(inputs: ValueMap): string | undefined {
  if (containsUnknown(inputs)) {
    return undefined;
  }
  try {
    const { server, authority } = activeCluster(readSettings(inputs).settings);
    return JSON.stringify([server, authority]);
  } catch {
    return undefined;
  }
}

/**
 * Whether new provider inputs mean another cluster, whose objects would all have to be made anew. As in the official
 * provider: `clusterIdentifier` decides where both name one; else the active cluster's address and authority do, where both
 * can be read.
 */
export function isOtherCluster(oldInputs: ValueMap, newInputs: ValueMap): boolean {
  const old = readSettings(oldInputs).settings;
  const now = readSettings(newInputs).settings;
  if (old.clusterIdentifier !== undefined && now.clusterIdentifier !== undefined) {
    return old.clusterIdentifier !== now.clusterIdentifier;
  }
  const before = identity(oldInputs);
  const after = identity(newInputs);
  return before !== undefined && after !== undefined && before !== after;
}

/** Whether a changed input is one of those that name the cluster. */
export function namesCluster(key: string): boolean {
  return identifying.includes(key) || key === "clusterIdentifier";
}
