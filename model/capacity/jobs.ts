import {
  COMPACTOR_APP,
  PROMETHEUS_APP,
  QUERIER_APP,
  QUERY_FRONTEND_APP,
  RECEIVE_APP,
  ROUTER_APP,
  RULER_APP,
  SIDECAR_CONTAINER,
  STORE_GATEWAY_APP,
} from "../kubernetes/identities";

/** By a component's name in a need. */
const JOBS: Readonly<Record<string, string>> = {
  Prometheus: PROMETHEUS_APP,
  sidecars: SIDECAR_CONTAINER,
  routers: ROUTER_APP,
  receivers: RECEIVE_APP,
  "query frontends": QUERY_FRONTEND_APP,
  queriers: QUERIER_APP,
  rulers: RULER_APP,
  "store gateways": STORE_GATEWAY_APP,
  compactor: COMPACTOR_APP,
};

/**
 * Value of the label `job` of a component's metrics, and name of its container; undefined of what is not scraped. Receivers of several
 * rings are one job, which does not tell them apart: they have none here.
 *
 * @param component Its name in a need.
 */
export const jobOf = (component: string): string | undefined => JOBS[component];
