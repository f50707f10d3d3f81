import { z } from "zod";
import { serverUrl } from "./values";

/** Where alerts are sent: its schema. */
export const alertingSettings = z
  .strictObject({
    /** URL of each Alertmanager, such as `http://alertmanager-0.alertmanager.monitoring.svc:9093`: of a cluster of them every one is told, as they expect. */
    alertmanagers: z.array(serverUrl).default([]),
  })
  .prefault({});
