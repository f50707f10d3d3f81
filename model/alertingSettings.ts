import { z } from "zod";

/** Where alerts are sent: its schema. */
export const alertingSettings = z
  .strictObject({
    /** URL of each Alertmanager, such as `http://alertmanager-0.alertmanager.monitoring.svc:9093`: of a cluster of them every one is told, as they expect. */
    alertmanagers: z
      .array(z.string().regex(/^https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?$/, "a URL of scheme, host and port, without a path"))
      .default([]),
  })
  .prefault({});
