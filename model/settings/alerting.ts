import { z } from "zod";
import { alertmanagerUrl } from "./addressForms";
import { freeForm } from "./forms";

/** Where alerts are sent: its schema. */
export const alertingSettings = z
  .strictObject({
    alertmanagers: z
      .array(alertmanagerUrl)
      .refine((urls) => new Set(urls).size === urls.length, {
        error: "each Alertmanager once",
        params: { rule: "whoever is in the list twice gets every alert twice" },
      })
      .meta({ uniqueItems: true })
      .default([])
      .describe(
        "Each Alertmanager, such as `http://alertmanager-0.alertmanager.monitoring.svc:9093` or `https://alerts.example/alertmanager`: of a " +
          "cluster of them every one is told, as they expect. Or a name that leads to all of them, looked up every 30 s: " +
          "`dnssrv+http://_web._tcp.alertmanager-operated.monitoring.svc` by its SRV records, which say the ports, " +
          "`dns+http://alertmanager-operated.monitoring.svc:9093` by its addresses, at 9093 unless another port is named; with `https` the " +
          "certificate is asked for the address that was found, unless `client` names a `tls_config.server_name`. What is looked up is never reached by " +
          "`network.proxy`; one by its URL is, where it is outside. Empty: alerts are only series named `ALERTS`.",
      ),
    client: freeForm
      .default({})
      .describe(
        "How whoever sends alerts shows who it is, the same to every Alertmanager, in [Prometheus' form](#keys-with-prometheus-own-form): " +
          "`basic_auth`, `authorization` of type Bearer, `tls_config`, `proxy_url`. Credentials by file (`password_file`, `credentials_file`), of " +
          "[`credentials`](#credentials).",
      ),
  })
  .prefault({});
