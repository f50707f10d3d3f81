import { GRPC_PORT, HTTP_PORT, MEMCACHED_PORT, PROMETHEUS_PORT, QUERY_HTTP_PORT, REMOTE_WRITE_PORT } from "../kubernetes/ports";
import type { ContainerExtra, Extra } from "../settings/extra";
import type { Settings } from "../settings/schema";
import type { Program } from "./ownFlags";

/** Which containers an environment may give something that the program knows nothing of. */

/** A container of the stack that may be given something. */
export interface Part {
  /** Its key with a dot behind it. */
  key: string;
  program: Program;
  image: string;
  /** Ports on which it listens. */
  ports: readonly number[];
  /** Whether it is in the plan. */
  inEffect: boolean;
  extra: ContainerExtra & Partial<Extra>;
}

const STORE_API = [GRPC_PORT, HTTP_PORT];
const RECEIVER = [...STORE_API, REMOTE_WRITE_PORT];
const CACHE = { program: "memcached", ports: [MEMCACHED_PORT] } as const;

/** Key of the container that is in Prometheus' pod. */
export const SIDECAR = "prometheus.sidecar";

/** Every container of the settings that may be given something. */
export function extraParts(settings: Settings): Part[] {
  const { receive, querier, queryFrontend, prometheus, ruler, objectStorage, images, ingestion } = settings;
  const { storeGateway, compactor } = objectStorage ?? {};
  const [hasRing, hasSidecars] = [ingestion === "receive", ingestion === "sidecar"];
  const part = (
    key: string,
    shape: Pick<Part, "program" | "ports">,
    own: { extra: Part["extra"] } | undefined,
    inEffect = true,
  ): Part[] => {
    const { program } = shape;
    const image = program === "memcached" || program === "prometheus" ? images[program] : images.thanos;
    return own === undefined ? [] : [{ key: `${key}.`, image, extra: own.extra, inEffect, ...shape }];
  };
  return [
    ...part("receive", { program: "thanos receive", ports: RECEIVER }, receive, hasRing),
    ...part("receive.routers", { program: "thanos receive", ports: RECEIVER }, receive?.routers, hasRing && receive?.mode === "split"),
    ...part("querier", { program: "thanos query", ports: [GRPC_PORT, QUERY_HTTP_PORT] }, querier),
    ...part("queryFrontend", { program: "thanos query-frontend", ports: [QUERY_HTTP_PORT] }, queryFrontend),
    ...part("queryFrontend.cache", CACHE, queryFrontend?.cache),
    ...part("prometheus", { program: "prometheus", ports: [PROMETHEUS_PORT, ...STORE_API] }, prometheus),
    ...part(SIDECAR, { program: "thanos sidecar", ports: [] }, prometheus.sidecar, hasSidecars),
    ...part("ruler", { program: "thanos rule", ports: STORE_API }, ruler),
    ...part("objectStorage.storeGateway", { program: "thanos store", ports: STORE_API }, storeGateway),
    ...part("objectStorage.storeGateway.indexCache.memcached", CACHE, storeGateway?.indexCache.memcached),
    ...part("objectStorage.storeGateway.chunkCache.memcached", CACHE, storeGateway?.chunkCache.memcached),
    ...part("objectStorage.compactor", { program: "thanos compact", ports: [HTTP_PORT] }, compactor),
  ];
}
