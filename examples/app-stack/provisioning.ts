import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";

/** Grafana's provisioning files. Source: Grafana docs, "Provision Grafana". */

/** Directory under which the dashboards are mounted, each of their directories under its name. */
export const DASHBOARDS_DIRECTORY = "/etc/grafana/dashboards";
/** Identity of the only data source. */
export const DATA_SOURCE_UID = "thanos";

/** Where the data source asks, and as whom. */
export interface QueryEndpoint {
  queryUrl: string;
  tenantHeader: string;
  tenant: string;
  scrapeInterval: string;
}

/**
 * The one data source: the platform's querier, or its query frontend where it has one. Queries name the tenant, so that the platform counts
 * and limits them as this application's; they are not confined to the tenant's series, since the platform's own dashboard reads other ones.
 *
 * @param gateway What the platform's gateway is shown instead, where it has one; by the token it tells which tenants' series are seen.
 */
export function dataSources(
  { queryUrl, tenantHeader, tenant, scrapeInterval }: QueryEndpoint,
  gateway?: { token: string; ca: string | undefined },
): string {
  const [header, value] = gateway === undefined ? [tenantHeader, tenant] : ["Authorization", `Bearer ${gateway.token}`];
  const ca = gateway?.ca;
  return stringify({
    apiVersion: 1,
    prune: true,
    datasources: [
      {
        name: "Thanos",
        uid: DATA_SOURCE_UID,
        type: "prometheus",
        access: "proxy",
        url: queryUrl,
        isDefault: true,
        editable: false,
        jsonData: {
          ...{ prometheusType: "Thanos", httpMethod: "POST", timeInterval: scrapeInterval, httpHeaderName1: header },
          ...(ca === undefined ? {} : { tlsAuthWithCACert: true }),
        },
        secureJsonData: { httpHeaderValue1: value, ...(ca === undefined ? {} : { tlsCACert: ca }) },
      },
    ],
  });
}

/** One provider a folder: what is in files is what there is. */
export function dashboardProviders(folders: readonly string[]): string {
  return stringify({
    apiVersion: 1,
    providers: folders.map((folder) => ({
      name: folder,
      folder,
      type: "file",
      disableDeletion: true,
      allowUiUpdates: false,
      options: { path: `${DASHBOARDS_DIRECTORY}/${folder}` },
    })),
  });
}

/**
 * The dashboards of a directory, by file. They select by the label `cluster`, which stands for the one that names the cluster.
 *
 * @param folder relative to this program
 * @param clusterLabel name of the external label that names the cluster
 * @throws {Error} when there are none, or one is no dashboard
 */
export function readDashboards(folder: string, clusterLabel: string): Record<string, string> {
  const path = resolve(__dirname, folder);
  const files = readdirSync(path).filter((file) => file.endsWith(".json"));
  if (files.length === 0) throw new Error(`grafana.dashboards: there are no dashboards (*.json) in ${folder}`);
  return Object.fromEntries(
    files.sort().map((file) => {
      const text = readFileSync(join(path, file), "utf8");
      const { uid, panels } = JSON.parse(text) as { uid?: unknown; panels?: unknown };
      if (typeof uid !== "string" || !Array.isArray(panels))
        throw new Error(`grafana.dashboards: ${folder}/${file} has no uid or no panels`);
      return [file, withClusterLabel(text, clusterLabel)];
    }),
  );
}

/**
 * A dashboard's queries by another label than `cluster`: in selectors (`cluster="$cluster"`) and in what a
 * variable lists (`label_values(…, cluster)`).
 */
export function withClusterLabel(dashboard: string, label: string): string {
  return dashboard
    .replaceAll('cluster=\\"$cluster\\"', `${label}=\\"$cluster\\"`)
    .replaceAll(/(label_values\(.*, )cluster\)"/g, `$1${label})"`);
}
