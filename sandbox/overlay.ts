/** Stack configuration as YAML holds it: by full key, such as `thanos-stack:cluster`. */
export type ConfigOverlay = { readonly [key: string]: ConfigValue };
/** Any value of YAML. */
export type ConfigValue = string | number | boolean | null | readonly ConfigValue[] | { readonly [key: string]: ConfigValue };

/** The configuration namespace of the program. */
export const CONFIG_NAMESPACE = "thanos-stack";

type ConfigObject = { readonly [key: string]: ConfigValue };

function isObject(value: ConfigValue | undefined): value is ConfigObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One value over another: objects key by key, everything else (lists too) as a whole. */
export function merge(base: ConfigValue | undefined, over: ConfigValue): ConfigValue {
  if (!isObject(base) || !isObject(over)) return over;
  const result: Record<string, ConfigValue> = { ...base };
  for (const [key, value] of Object.entries(over)) result[key] = merge(base[key], value);
  return result;
}

/** Configurations one over the other, the last one on top. */
export function mergeConfig(...layers: readonly ConfigOverlay[]): ConfigOverlay {
  return layers.reduce<ConfigOverlay>((base, over) => merge(base, over) as ConfigOverlay, {});
}

/** What names the sandbox's cluster. */
export interface ClusterNames {
  readonly kubeconfig: string;
  readonly context: string;
  /** The nodes' names. */
  readonly nodes: readonly string[];
}

/**
 * What an environment's configuration needs changed to be deployed to the sandbox: the cluster's address, and the names of nodes where it
 * puts data on nodes by name. Nothing that decides what is deployed.
 *
 * @param config the environment's own configuration
 * @throws if it names more nodes than there are
 */
export function clusterOverlay(config: ConfigOverlay, cluster: ClusterNames): ConfigOverlay {
  const overlay: Record<string, ConfigValue> = {
    [`${CONFIG_NAMESPACE}:cluster`]: { kubeconfig: cluster.kubeconfig, context: cluster.context },
  };
  for (const [key, value] of Object.entries(config)) {
    const renamed = renameNodes(value, cluster.nodes, key);
    if (renamed !== undefined) overlay[key] = merge(overlay[key], renamed);
  }
  return overlay;
}

/** The part of a value that lists nodes (`hostPath.nodes`, at any depth), with the cluster's names instead; nothing if no part does. */
function renameNodes(value: ConfigValue, nodes: readonly string[], key: string): ConfigValue | undefined {
  if (!isObject(value)) return undefined;
  const result: Record<string, ConfigValue> = {};
  for (const [name, inner] of Object.entries(value)) {
    const listed = name === "hostPath" && isObject(inner) ? inner.nodes : undefined;
    if (Array.isArray(listed)) {
      if (listed.length > nodes.length) throw new Error(`${key} puts data on ${listed.length} nodes; the sandbox has ${nodes.length}`);
      result[name] = { nodes: nodes.slice(0, listed.length) };
      continue;
    }
    const renamed = renameNodes(inner, nodes, key);
    if (renamed !== undefined) result[name] = renamed;
  }
  return Object.keys(result).length > 0 ? result : undefined;
}

/**
 * Refuses what the sandbox can't read: secrets are encrypted for the environment's own secrets provider.
 *
 * @throws naming every key that holds one
 */
export function refuseSecrets(config: ConfigOverlay, file: string): void {
  const found: string[] = [];
  const visit = (value: ConfigValue, path: string): void => {
    if (Array.isArray(value)) for (const [index, inner] of value.entries()) visit(inner, `${path}[${index}]`);
    if (!isObject(value)) return;
    const keys = Object.keys(value);
    if (keys.length === 1 && keys[0] === "secure") found.push(path);
    for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
  };
  for (const [key, value] of Object.entries(config)) visit(value, key);
  if (found.length > 0) {
    throw new Error(
      `${file} holds secrets that only its own secrets provider can decrypt: ${found.join(", ")}. Give the sandbox's own values as overrides`,
    );
  }
}
