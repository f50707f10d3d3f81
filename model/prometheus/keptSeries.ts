/**
 * Which series of the cluster's own parts are kept. An API server and a kubelet expose histograms of everything that they do; their buckets
 * are most of what a small cluster makes, and nobody asks for most of them. What no rule and no dashboard of this repository or of the
 * Kubernetes mixin asks for is dropped before it is stored or sent: buckets, while the sum and the count of every histogram stay, and
 * with them every rate and every mean, and a few large families. A test holds this to the queries.
 */

/** Histograms whose buckets are kept whole, by the names of their families. Source: the queries in tests/model/prometheus/queries. */
const KEPT_WHOLE = [
  // Rules, alerts and dashboards of the mixin for the API server.
  "apiserver_client_certificate_expiration_seconds",
  "workqueue_queue_duration_seconds",
  "etcd_request_cache_(?:add|get)_duration_seconds",
  // Of the mixin for any client of the API server.
  "rest_client_(?:request_duration_seconds|rate_limiter_duration_seconds|request_size_bytes|response_size_bytes)",
  // Of the mixin for the kubelet.
  "kubelet_(?:runtime_operations|pod_start|pod_worker|cgroup_manager|pleg_relist)_duration_seconds",
  "kubelet_pleg_relist_interval_seconds",
  "storage_operation_duration_seconds",
] as const;

/**
 * Histograms of which some buckets are kept: those of requests to the API server, by which the mixin
 * counts slow ones and estimates quantiles.
 */
const THINNED = "apiserver_request(?:_sli|_slo)?_duration_seconds";

/**
 * Bounds of the buckets that {@link THINNED} histograms lose, as kube-prometheus-stack drops them by default
 * (prometheus-community/helm-charts, `kubeApiServer.serviceMonitor.metricRelabelings`): 0.05, 0.1, 1, 5, 10, 30, 60 and what is larger
 * are left, and below 0.05 everything.
 */
const LOST_BOUNDS =
  "(?:0\\.15|0\\.2|0\\.3|0\\.35|0\\.4|0\\.45|0\\.6|0\\.7|0\\.8|0\\.9|1\\.25|1\\.5|1\\.75|2|3|3\\.5|4|4\\.5|6|7|8|9|15|20|40|45|50)(?:\\.0)?";

/**
 * Families that are dropped whole. Of containers those that kube-prometheus-stack drops by default too
 * (`kubelet.serviceMonitor.cAdvisorMetricRelabelings`) and that are large: tasks by state and load averages, which are 0 unless cAdvisor
 * reads the scheduler's statistics, and the most threads. Of API server and kubelet the gates of features, which are a release's.
 */
const LOST_FAMILIES = "container_(?:tasks_state|threads_max|cpu_load_average_10s|cpu_load_d_average_10s)|kubernetes_feature_enabled";
/** Of page faults those of a container's cgroup with all below it, beside those of itself. */
const LOST_SCOPE = "container_memory_failures_total;hierarchy";

/** A label that is gone when relabelling ends. */
const ASKED_FOR = "__tmp_asked_for";

/** Steps of metric_relabel_configs for a job of the cluster's own parts. */
export function keptSeries() {
  return [
    { source_labels: ["__name__"], regex: LOST_FAMILIES, action: "drop" },
    { source_labels: ["__name__", "scope"], regex: LOST_SCOPE, action: "drop" },
    { source_labels: ["__name__", "le"], regex: `${THINNED}_bucket;${LOST_BOUNDS}`, action: "drop" },
    { source_labels: ["__name__"], regex: `(?:${[THINNED, ...KEPT_WHOLE].join("|")})_bucket`, target_label: ASKED_FOR, replacement: "yes" },
    { source_labels: ["__name__", ASKED_FOR], regex: ".+_bucket;", action: "drop" },
    { regex: ASKED_FOR, action: "labeldrop" },
  ];
}

const KEPT = new RegExp(`^(?:${[THINNED, ...KEPT_WHOLE].join("|")})_bucket$`);
/** Histograms that the cluster's own parts are known to have; a rule about other buckets is about somebody else's. */
const OF_THE_CLUSTER =
  /^(?:apiserver|etcd_request|kubelet|storage_operation|csi_operations|workqueue|authentication|authorization|aggregator)_/;

const FAMILY_IS_LOST = new RegExp(`^(?:${LOST_FAMILIES})$`);

/**
 * Says which rules ask for series that are dropped.
 *
 * @param files Rule files by name, as they will be evaluated.
 * @returns one sentence for each file; empty where nothing is missing
 */
export function droppedInRules(files: Readonly<Record<string, string>>): string[] {
  return Object.entries(files).flatMap(([file, text]) => {
    const names = new Set([...text.matchAll(/(?<![\w:])[a-zA-Z_:][\w:]*/g)].map(([name]) => name));
    const isDropped = (name: string) =>
      FAMILY_IS_LOST.test(name) || (name.endsWith("_bucket") && OF_THE_CLUSTER.test(name) && !KEPT.test(name));
    const dropped = [...names].filter(isDropped).sort();
    return dropped.length === 0
      ? []
      : [
          `${file} asks for ${dropped.join(", ")}, which Prometheus drops unless prometheus.keepAll is true: these rules see nothing of the API server and the kubelets`,
        ];
  });
}
