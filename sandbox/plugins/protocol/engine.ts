import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** Where a provider tells the user something. */
export interface Log {
  /** A line that stays in the engine's output, at the resource's row. */
  message(severity: "debug" | "info" | "warning" | "error", text: string, urn: string): Promise<void>;
  /** The current state of a resource; the next status takes its place. A warning is one that somebody should know of meanwhile. */
  status(text: string, urn: string, severity?: "info" | "warning"): void;
}

const severities = {
  debug: LogSeverity.DEBUG,
  info: LogSeverity.INFO,
  warning: LogSeverity.WARNING,
  error: LogSeverity.ERROR,
} as const;

/** The log of the engine that started this plugin. A message that cannot be delivered is dropped: it must not fail an operation. */
export class EngineLog implements Log {
  private readonly client: EngineClient;

  constructor(address: string) {
    this.client = new EngineClient(address, credentials.createInsecure());
  }

  message(severity: keyof typeof severities, text: string, urn: string): Promise<void> {
    return this.send(severity, text, urn, false);
  }

  status(text: string, urn: string, severity: "info" | "warning" = "info"): void {
    void this.send(severity, text, urn, true);
  }

  private send(severity: keyof typeof severities, text: string, urn: string, ephemeral: boolean): Promise<void> {
    const request = new LogRequest();
    request.setSeverity(severities[severity]);
    request.setMessage(text);
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    return new Promise((resolve) => this.client.log(request, () => resolve()));
  }
}
