/**
 * Queries over what every environment scrapes: kubelets, cAdvisor, the API server and the components of the stack. All have an answer some
 * minutes after a start. `SERIES` stands for the matchers that choose the series.
 */

/** The matchers' place in each query. */
export const SERIES = "SERIES";

/** Queries at one moment. */
export const INSTANT_QUERIES: readonly string[] = [
  "up{SERIES}",
  "count by (job) (up{SERIES})",
  "sum(up{SERIES})",
  "avg by (job) (scrape_duration_seconds{SERIES})",
  "max by (job) (scrape_samples_scraped{SERIES})",
  "sum(scrape_series_added{SERIES})",
  "topk(3, scrape_samples_post_metric_relabeling{SERIES})",
  "bottomk(2, scrape_duration_seconds{SERIES})",
  'count({SERIES, job="kubelet"})',
  'count by (__name__) ({SERIES, job="kubelet", __name__=~"kubelet_.+"})',
  "absent(nothing_has_this_name{SERIES})",
  "prometheus_tsdb_head_series{SERIES}",
  "rate(prometheus_tsdb_head_samples_appended_total{SERIES}[1m])",
  "irate(prometheus_tsdb_head_samples_appended_total{SERIES}[1m])",
  "increase(prometheus_http_requests_total{SERIES}[2m])",
  "sum by (handler) (increase(prometheus_http_requests_total{SERIES}[2m]))",
  "prometheus_build_info{SERIES}",
  "time() - process_start_time_seconds{SERIES}",
  "sum by (job) (process_resident_memory_bytes{SERIES})",
  "sum by (job) (rate(process_cpu_seconds_total{SERIES}[1m]))",
  "go_goroutines{SERIES} > 10",
  "sort_desc(go_memstats_heap_inuse_bytes{SERIES})",
  "quantile by (job) (0.5, go_goroutines{SERIES})",
  "stddev by (job) (go_goroutines{SERIES})",
  'histogram_quantile(0.9, sum by (le) (rate(apiserver_request_duration_seconds_bucket{SERIES, verb="GET"}[2m])))',
  "histogram_quantile(0.5, sum by (le, job) (rate(prometheus_http_request_duration_seconds_bucket{SERIES}[2m])))",
  'sum by (verb, code) (rate(apiserver_request_total{SERIES, job="kubernetes-apiservers"}[1m]))',
  "sum by (node) (kubelet_running_pods{SERIES})",
  "sum by (namespace) (container_memory_working_set_bytes{SERIES})",
  'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{SERIES, pod!=""}[1m]))',
  "machine_cpu_cores{SERIES}",
  "count without (instance, pod, node) (go_info{SERIES})",
  "max_over_time(go_goroutines{SERIES}[2m])",
  "min_over_time(go_goroutines{SERIES}[2m])",
  "avg_over_time(go_goroutines{SERIES}[2m])",
  "stddev_over_time(go_goroutines{SERIES}[2m])",
  "quantile_over_time(0.9, go_goroutines{SERIES}[2m])",
  "last_over_time(go_goroutines{SERIES}[2m])",
  "count_over_time(up{SERIES}[2m])",
  "changes(go_goroutines{SERIES}[2m])",
  "deriv(go_memstats_heap_inuse_bytes{SERIES}[2m])",
  "predict_linear(go_memstats_heap_inuse_bytes{SERIES}[2m], 60)",
  "delta(go_goroutines{SERIES}[2m])",
  "resets(go_memstats_last_gc_time_seconds{SERIES}[2m])",
  "timestamp(up{SERIES})",
  "up{SERIES} offset 1m",
  "max_over_time(rate(prometheus_tsdb_head_samples_appended_total{SERIES}[1m])[2m:15s])",
  'label_replace(up{SERIES}, "host", "$1", "instance", "([^:]+).*")',
  "process_open_fds{SERIES} / on (instance, job) process_max_fds{SERIES}",
  "go_goroutines{SERIES} and on (instance, job) (up{SERIES} == 1)",
  'count_values("state", up{SERIES})',
  "clamp_max(go_threads{SERIES}, 5)",
];

/** Queries over a range. */
export const RANGE_QUERIES: readonly string[] = [
  "up{SERIES}",
  "sum by (job) (up{SERIES})",
  "rate(prometheus_tsdb_head_samples_appended_total{SERIES}[1m])",
  "sum by (job) (rate(process_cpu_seconds_total{SERIES}[1m]))",
  "go_goroutines{SERIES}",
  "histogram_quantile(0.9, sum by (le) (rate(apiserver_request_duration_seconds_bucket{SERIES}[1m])))",
  "sum by (namespace) (container_memory_working_set_bytes{SERIES})",
  "max_over_time(scrape_duration_seconds{SERIES}[1m])",
];
