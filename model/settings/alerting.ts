import { z } from "zod";
import { freeForm, serverUrl } from "./forms";

/** Where alerts are sent: its schema. */
export const alertingSettings = z
  .strictObject({
    alertmanagers: z
      .array(serverUrl)
      .default([])
      .describe(
        "Each Alertmanager, such as `http://alertmanager-0.alertmanager.monitoring.svc:9093` or `https://alerts.example/alertmanager`: of a " +
          "cluster of them every one is told, as they expect. Empty: alerts are only series named `ALERTS`.",
      ),
    client: freeForm
      .default({})
      .describe(
        "How whoever sends alerts shows who it is, the same to every Alertmanager, in [Prometheus' form](#keys-with-prometheus-own-form): " +
          "`basic_auth`, `authorization` of type Bearer, `tls_config`, `proxy_url`. Credentials by file (`password_file`, `credentials_file`), from " +
          "a Secret that `prometheus.extra`, or with rulers `ruler.extra`, mounts.",
      ),
  })
  .prefault({});
