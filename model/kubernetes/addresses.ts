/** Addresses inside the cluster, by name and in full. */
export interface Addresses {
  /** Absent in the sidecar scheme. */
  remoteWriteUrl?: string;
  querierUrl: string;
  /** URL for people and Grafana: of the query frontend where there is one. */
  queryUrl: string;
  queryGrpcAddress: string;
  /** SRV records of everything that serves the querier: receivers or sidecars, store gateways, rulers. */
  stores: string[];
  prometheusUrl: string;
}
