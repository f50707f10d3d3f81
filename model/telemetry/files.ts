import { stringify } from "yaml";
import type { Settings } from "../settings/schema";
import type { ComponentLogging, TracingSettings } from "../settings/telemetry";
import { logFlags, requestLogging } from "./logging";

/** Logging and tracing of a process of Thanos: its flags, files and variables. */

/** Where the files are mounted. */
export const TELEMETRY_DIRECTORY = "/etc/thanos/telemetry";
const TRACING_FILE = "tracing.yaml";
const REQUESTS_FILE = "requests.yaml";
/** Name of the file with the authorities by which the collector is known. */
export const COLLECTOR_CA_FILE = "collector-ca.crt";

/** A process of Thanos. */
export interface Process {
  /** Its name in traces, and the label `job` of its metrics. */
  name: string;
  logging: ComponentLogging;
  /** Whether it serves requests that it can log; the compactor can't. */
  serves: boolean;
}

type Chosen = Pick<Settings, "logging" | "tracing">;

/** Files by name; empty where nothing is chosen that needs one. */
export function telemetryFiles(settings: Chosen, { name, logging, serves }: Process): Record<string, string> {
  const { tracing } = settings;
  const requests = serves ? requestLogging(settings, logging) : undefined;
  return {
    ...(requests === undefined ? {} : { [REQUESTS_FILE]: stringify(requests) }),
    ...(tracing === undefined ? {} : { [TRACING_FILE]: tracingFile(tracing, name) }),
    ...(tracing?.ca === undefined ? {} : { [COLLECTOR_CA_FILE]: tracing.ca }),
  };
}

/** Arguments about logs and traces, with the files of {@link telemetryFiles}. */
export function telemetryFlags(settings: Chosen, process: Process): string[] {
  const files = telemetryFiles(settings, process);
  return [
    ...logFlags(settings, process.logging),
    ...(REQUESTS_FILE in files ? [`--request.logging-config-file=${TELEMETRY_DIRECTORY}/${REQUESTS_FILE}`] : []),
    ...(TRACING_FILE in files ? [`--tracing.config-file=${TELEMETRY_DIRECTORY}/${TRACING_FILE}`] : []),
  ];
}

/** The name of the variable that holds a header's value. */
const headerVariable = (index: number): string => `TRACING_HEADER_${index}`;

/** Variables with the headers' values, which no file of the program's has. */
export function telemetryVariables({ tracing }: Pick<Settings, "tracing">) {
  return Object.values(tracing?.headers ?? {}).map(({ secret, key }, index) => ({
    name: headerVariable(index),
    valueFrom: { secretKeyRef: { name: secret, key } },
  }));
}

/**
 * Thanos' own form of OTLP. It replaces `$(NAME)` by the variable of that name before it reads the text as YAML, so a value stands between
 * quotes. Sources: thanos v0.42.4 pkg/tracing/otlp, efficientgo/tools extkingpin `expandEnv`.
 */
function tracingFile({ endpoint, protocol, insecure, ca, headers, samplingFraction }: TracingSettings, name: string): string {
  const values = Object.keys(headers).map((header, index) => [header, `$(${headerVariable(index)})`]);
  return stringify(
    {
      type: "OTLP",
      config: {
        client_type: protocol,
        service_name: name,
        endpoint,
        insecure,
        ...(ca === undefined ? {} : { tls_config: { ca_file: `${TELEMETRY_DIRECTORY}/${COLLECTOR_CA_FILE}` } }),
        ...(values.length === 0 ? {} : { headers: Object.fromEntries(values) as Record<string, string> }),
        sampler_type: "parentbasedtraceidratiobased",
        sampler_param: String(samplingFraction),
      },
    },
    { defaultStringType: "QUOTE_SINGLE", defaultKeyType: "PLAIN" },
  );
}
