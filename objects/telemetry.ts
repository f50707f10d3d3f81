import type * as k8s from "@pulumi/kubernetes";
import type { Settings } from "../model/settings/schema";
import { type Process, TELEMETRY_DIRECTORY, telemetryFiles, telemetryVariables } from "../model/telemetry/files";
import { immutableFiles, type Mounted, together, type Workload } from "./workload";

/** Files and variables by which a container of Thanos writes its logs and sends its traces as chosen. */
export interface Telemetry extends Mounted {
  /** Variables behind the container's own; absent where there are none. */
  env?: k8s.types.input.core.v1.EnvVar[];
}

/**
 * Files and variables of a process; nothing where the environment chose nothing that needs them.
 *
 * @param name Logical name of the workload.
 * @param env The container's own variables. Default: none.
 */
export function telemetry(
  name: string,
  workload: Workload,
  settings: Settings,
  process: Process,
  env: k8s.types.input.core.v1.EnvVar[] = [],
): Telemetry {
  const files = telemetryFiles(settings, process);
  const variables = [...env, ...telemetryVariables(settings)];
  return {
    ...(Object.keys(files).length === 0 ? together() : immutableFiles(name, "telemetry", workload, TELEMETRY_DIRECTORY, files)),
    ...(variables.length === 0 ? {} : { env: variables }),
  };
}
