import type { ComponentName } from "./identities";

/** The key of the stack file under which a component's `antiAffinity` stands. */
export const KEY_OF_COMPONENT: Partial<Record<ComponentName, string>> = {
  receive: "receive",
  "receive-router": "receive.routers",
  querier: "querier",
  "query-frontend": "queryFrontend",
  "store-gateway": "objectStorage.storeGateway",
  ruler: "ruler",
  prometheus: "prometheus",
  gateway: "gateway",
};
