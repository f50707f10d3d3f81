import { DISCOVERIES } from "./discovery";
import {
  type Check,
  count,
  duration,
  type Fields,
  type Form,
  finding,
  flag,
  isSet,
  list,
  map,
  number,
  object,
  objectsOf,
  required,
  secondsOf,
  size,
  text,
  textOf,
  word,
} from "./form";
import { httpClientFields, httpClientFits } from "./httpClient";
import { legacyNames, relabelConfigs } from "./relabelling";

/**
 * A scrape config of Prometheus 3.14.0. Source: prometheus v0.314.0 config/config.go (`ScrapeConfig`, its `UnmarshalYAML` and `Validate`).
 */

const PROTOCOLS = ["PrometheusProto", "OpenMetricsText1.0.0", "OpenMetricsText0.0.1", "PrometheusText1.0.0", "PrometheusText0.0.4"];

const protocolsAreFew: Check = (value) => {
  const given = value.scrape_protocols;
  if (!Array.isArray(given)) return [];
  if (given.length === 0)
    return finding(given, "without a protocol nothing can be scraped", "a list, or the field left out", "scrape_protocols");
  const twice = given.findIndex((each, index) => given.indexOf(each) !== index);
  return twice < 0 ? [] : finding(given[twice], "every protocol once", "another protocol", "scrape_protocols", twice);
};

const targetsAreAddresses: Check = (value) =>
  isSet(value.relabel_configs)
    ? []
    : objectsOf(value, "static_configs").flatMap(([group, each]) =>
        (Array.isArray(each.targets) ? each.targets : []).flatMap((target, index) =>
          typeof target === "string" && target.includes("/")
            ? finding(
                target,
                "a target is host:port; its scheme and path are the fields scheme and metrics_path",
                "host:port",
                "static_configs",
                group,
                "targets",
                index,
              )
            : [],
        ),
      );

const namesFitTheirScheme: Check = (value) => {
  if (value.metric_name_validation_scheme !== "legacy") return [];
  return [
    ...(value.metric_name_escaping_scheme === "allow-utf-8"
      ? finding(
          "allow-utf-8",
          'names are UTF-8 or legacy, not both (metric_name_validation_scheme "legacy")',
          "underscores, dots, values",
          "metric_name_escaping_scheme",
        )
      : []),
    ...["relabel_configs", "metric_relabel_configs"].flatMap((field) =>
      objectsOf(value, field).flatMap(([index, rule]) =>
        legacyNames(rule).map((each) => ({ ...each, path: [field, index, ...each.path] })),
      ),
    ),
  ];
};

/** One scrape config by itself. */
export const scrapeConfig: Form = object(
  {
    job_name: text,
    honor_labels: flag,
    honor_timestamps: flag,
    track_timestamps_staleness: flag,
    params: map(list(text)),
    scrape_interval: duration,
    scrape_timeout: duration,
    scrape_protocols: list(word(...PROTOCOLS)),
    fallback_scrape_protocol: word(...PROTOCOLS, ""),
    scrape_native_histograms: flag,
    always_scrape_classic_histograms: flag,
    convert_classic_histograms_to_nhcb: flag,
    scrape_failure_log_file: text,
    metrics_path: text,
    scheme: text,
    enable_compression: flag,
    body_size_limit: size,
    sample_limit: count(),
    target_limit: count(),
    label_limit: count(),
    label_name_length_limit: count(),
    label_value_length_limit: count(),
    native_histogram_bucket_limit: count(),
    native_histogram_min_bucket_factor: number,
    keep_dropped_targets: count(),
    metric_name_validation_scheme: word("utf8", "legacy", ""),
    metric_name_escaping_scheme: word("allow-utf-8", "underscores", "dots", "values", ""),
    extra_scrape_metrics: flag,
    ...httpClientFields,
    relabel_configs: relabelConfigs,
    metric_relabel_configs: relabelConfigs,
    ...Object.fromEntries(Object.entries(DISCOVERIES).map(([field, form]) => [field, list(sectionOf(form))])),
  },
  required("job_name"),
  httpClientFits,
  protocolsAreFew,
  targetsAreAddresses,
  namesFitTheirScheme,
);

/** An entry without anything is refused whatever it is of (discovery/registry.go `readConfigs`). */
function sectionOf(form: Form): Form {
  return (value) => (value === null ? finding(value, "an entry without fields", "its fields, or the entry left out") : form(value));
}

/** Fault of the job's interval and timeout together, where either may be the environment's own (`ScrapeConfig.Validate`). */
export function timing(job: Fields, global: { interval: string; timeout: string }) {
  const interval = secondsOf(job.scrape_interval) || secondsOf(global.interval) || 0;
  const timeout = secondsOf(job.scrape_timeout) ?? 0;
  return timeout <= interval
    ? []
    : finding(
        job.scrape_timeout,
        `a scrape ends before the next begins (scrape_interval ${isSet(job.scrape_interval) ? textOf(job, "scrape_interval") : global.interval})`,
        "at most the interval",
        "scrape_timeout",
      );
}
