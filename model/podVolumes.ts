import { compactorFiles, compactorProcess, storeGatewayProcess } from "./bucket/flags";
import { blockMerging } from "./bucket/plan";
import { sidecarProcess } from "./prometheus/sidecar";
import { ENDPOINT_TLS_VOLUME, endpointSecrets } from "./query/endpoints";
import { querierProcess, queryFrontendProcess } from "./query/flags";
import { receiverProcess } from "./ring/flags";
import { hasAlertingFile, rulerProcess } from "./ruler/flags";
import type { PodComponent } from "./settings/components";
import type { Settings } from "./settings/schema";
import type { ClientUse } from "./settings/tls";
import { type Process, telemetryFiles } from "./telemetry/files";
import { CLIENT_CA_VOLUME, TLS_VOLUME } from "./tls/flags";
import { acceptsClients, planTls } from "./tls/plan";

/**
 * Volumes of the stack's own that a component's pods have, by component: further containers may mount these. Which there are
 * follows from the settings, and a container that mounts another is refused by the API server in the middle of an update.
 */
export function podVolumes(settings: Settings): Readonly<Record<PodComponent, readonly string[]>> {
  const { receive, queryFrontend, objectStorage, ingestion, ruler } = settings;
  const when = (holds: boolean, ...names: string[]): string[] => (holds ? names : []);
  const bucket = [...when(objectStorage !== undefined, "objectstore"), ...when(objectStorage?.filesystem !== undefined, "bucket")];
  const certified = new Set(planTls(settings)?.leaves.map(({ component }) => component));
  const certificate = (component: PodComponent): string[] => when(certified.has(component), TLS_VOLUME);
  const clientCa = (use: ClientUse): string[] => when(acceptsClients(settings, use), CLIENT_CA_VOLUME);
  const routing = ["hashrings", "limits", ...when((receive?.relabel ?? []).length > 0, "relabel")];
  const telemetry = (process: Process | undefined): string[] =>
    when(process !== undefined && Object.keys(telemetryFiles(settings, process)).length > 0, "telemetry");
  return {
    receive: [
      "data",
      ...telemetry(receive && receiverProcess(receive, "ingester")),
      ...bucket,
      ...certificate("receive"),
      ...(receive?.mode === "split" ? [] : [...routing, ...clientCa("write")]),
    ],
    "receive-router": [
      ...["data", ...routing],
      ...certificate("receive-router"),
      ...clientCa("write"),
      ...telemetry(receive && receiverProcess(receive, "router")),
    ],
    querier: [
      ...["endpoints", "tmp"],
      ...certificate("querier"),
      ...clientCa("query"),
      ...when(endpointSecrets(settings).length > 0, ENDPOINT_TLS_VOLUME),
      ...telemetry(querierProcess(settings)),
    ],
    "query-frontend": ["response-cache", ...telemetry(queryFrontend && queryFrontendProcess(queryFrontend))],
    prometheus: [
      ...["api-token", "config", "data", "rules"],
      ...certificate("prometheus"),
      ...(ingestion === "sidecar" ? [...bucket, ...telemetry(sidecarProcess(settings))] : []),
    ],
    ruler: [
      "data",
      "rules",
      ...telemetry(ruler && rulerProcess(ruler)),
      ...when(hasAlertingFile(settings), "alertmanagers"),
      ...certificate("ruler"),
      ...(ruler?.mode === "stateful" ? bucket : ["remote-write"]),
    ],
    "store-gateway": [
      ...["config", "data"],
      ...bucket,
      ...certificate("store-gateway"),
      ...telemetry(objectStorage && storeGatewayProcess(objectStorage)),
    ],
    compactor: [
      "data",
      ...bucket,
      ...telemetry(objectStorage && compactorProcess(objectStorage)),
      ...when(Object.keys(compactorFiles(blockMerging(settings), objectStorage?.compactor.shards ?? 1)).length > 0, "config"),
    ],
    "query-cache": [],
    "index-cache": [],
    "chunk-cache": [],
    // Nothing can be added to its pods.
    gateway: [],
  };
}
