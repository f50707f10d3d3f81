/** Components with pods, by their label `app.kubernetes.io/component`: a deployed name, which never changes. */
export const COMPONENTS = [
  ...(["receive", "receive-router", "querier", "query-frontend", "query-cache", "store-gateway"] as const),
  ...(["index-cache", "chunk-cache", "compactor", "ruler", "prometheus", "gateway"] as const),
] as const;

/** A component with pods. */
export type PodComponent = (typeof COMPONENTS)[number];
