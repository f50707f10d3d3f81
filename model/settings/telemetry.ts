import { z } from "zod";
import { hostAndPort } from "./addressForms";
import { certificates, dataKey, form, objectName } from "./forms";

/** Schemas of logging and tracing. */

const level = z.enum(["debug", "info", "warn", "error"]);
const format = z.enum(["logfmt", "json"]);
const requests = z.enum(["none", "failed", "all"]);

/** Schema of `logging`, of the whole stack. */
export const loggingSettings = z
  .strictObject({
    level: level.default("info").describe("Least severity of a line."),
    format: format.default("logfmt").describe("Form of a line: `key=value`, or JSON."),
    requests: requests
      .default("none")
      .describe(
        "Which requests of Thanos' HTTP and gRPC servers are lines of their own. `failed`: those that ended with a server's error (HTTP 5xx, gRPC " +
          "Unknown, Internal, Unimplemented, DataLoss). `all`: every one when it ends; Thanos logs those that went well at `debug`, so the level has to be that.",
      ),
  })
  .prefault({})
  .describe("Logs of the stack's processes, but memcached's.");

const own = {
  level: level.optional().describe("Left out: that of the stack."),
  format: format.optional().describe("Left out: that of the stack."),
};

const description = "Its logs, where they differ from those of the whole stack.";

/** Logging of a component that serves requests of Thanos' own protocols. */
export const logging = z
  .strictObject({ ...own, requests: requests.optional().describe("Left out: that of the stack.") })
  .prefault({})
  .meta({ shared: "logging", description });

/** Logging of Prometheus and of the compactor, which log no requests. */
export const plainLogging = z.strictObject(own).prefault({}).meta({ shared: "plainLogging", description });

/** The name of a header that a collector asks for. */
const headerName = form((text) => /^[A-Za-z0-9-]+$/.test(text), "a header's name: letters, digits and -");

/** Headers with where their values are; one that is written down is refused for what it is. */
const headers = z.preprocess(
  (given, context) => {
    if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
    const texts = Object.entries(given).filter(([, value]) => typeof value === "string");
    for (const [name] of texts)
      context.addIssue({
        code: "custom",
        path: [name],
        message: "a map of secret and key: a Secret in the stack's namespace, and its key with the value",
        params: { rule: "a header's value is what shows who sends, and would stand in a ConfigMap in plain text" },
      });
    return Object.fromEntries(Object.entries(given).filter(([name]) => texts.every(([text]) => text !== name)));
  },
  z
    .record(
      headerName,
      z.strictObject({
        secret: objectName.describe("It exists already, in the stack's namespace."),
        key: dataKey.describe("Its key with the header's value."),
      }),
    )
    .refine(
      (given) => new Set(Object.keys(given).map((name) => name.toLowerCase())).size === Object.keys(given).length,
      "every header once, whatever its case",
    ),
);

/** Schema of `tracing`. */
export const tracingSettings = z
  .strictObject({
    endpoint: hostAndPort
      .refine((endpoint) => /:\d+$/.test(endpoint), "host:port")
      .describe(
        "The collector, such as `otel-collector.observability.svc:4317`. Never by `network.proxy`: with a proxy it is in the cluster, or in " +
          "`network.proxy.noProxy`.",
      ),
    protocol: z
      .enum(["grpc", "http"])
      .default("grpc")
      .describe("OTLP over gRPC (usually port 4317), or over HTTP (4318) with the path `/v1/traces`."),
    insecure: z.boolean().default(false).describe("Whether the collector is reached without TLS."),
    ca: certificates
      .optional()
      .describe(
        "Certificates of the authorities by which the collector is known, as PEM. Left out: those of the image, which are the public ones. Not with " +
          "`insecure`.",
      ),
    headers: headers
      .default({})
      .describe(
        "Headers by which the collector knows the sender, such as `Authorization`, each from a Secret that somebody else makes. Prometheus has no place " +
          "for such a header but its configuration in plain text, so with headers it sends no traces.",
      ),
    samplingFraction: z
      .number()
      .min(0.0001)
      .max(1)
      .default(0.01)
      .describe(
        "Which part of the requests is traced; 1 is all of them. Whoever takes a request first decides for everybody it asks, so that traces are whole.",
      ),
  })
  .refine(({ ca, insecure }) => ca === undefined || !insecure, "ca without insecure: there is no certificate without TLS")
  .optional()
  .describe(
    "Where traces are sent, by OTLP: from the query frontend down to receivers and store gateways, and of Prometheus. Left out: there are none.",
  );

/** A component's logging, as far as it differs from the stack's. */
export type ComponentLogging = z.output<typeof logging>;
/** Where traces are sent. */
export type TracingSettings = NonNullable<z.output<typeof tracingSettings>>;
