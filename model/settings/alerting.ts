import { z } from "zod";
import { serverUrl } from "./forms";

/** Where alerts are sent: its schema. */
export const alertingSettings = z
  .strictObject({
    alertmanagers: z
      .array(serverUrl)
      .default([])
      .describe(
        "Each Alertmanager, such as `http://alertmanager-0.alertmanager.monitoring.svc:9093`: of a cluster of them every one is told, as they " +
          "expect. Empty: alerts are only series named `ALERTS`.",
      ),
  })
  .prefault({});
