import { randomUUID } from "node:crypto";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import {
  type GetRootResourceRequest,
  GetRootResourceResponse,
  type LogRequest,
  LogSeverity,
  SetRootResourceResponse,
} from "@pulumi/pulumi/proto/engine_pb";
import { InvokeResponse } from "@pulumi/pulumi/proto/provider_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import {
  RegisterPackageResponse,
  type RegisterResourceRequest,
  RegisterResourceResponse,
  SupportsFeatureResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

/** An engine for which nothing has changed: it answers every registration at once, with what was registered. */
export interface SilentEngine {
  /** Where a program finds it. */
  readonly address: string;
  /** Resources that programs have registered so far. */
  registered(): number;
  /** Errors that programs have logged so far. */
  errors(): readonly string[];
  /** How many messages programs have logged so far that are shown with `--debug` only. */
  debugMessages(): number;
  close(): void;
}

/** Starts one on a free port of this machine. */
export async function silentEngine(): Promise<SilentEngine> {
  const server = new Server();
  const errors: string[] = [];
  let registered = 0;
  let debugMessages = 0;
  // A program uses hooks and transforms only of an engine that has them.
  const answers =
    <Request, Response>(answer: (request: Request) => Response) =>
    ({ request }: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) =>
      done(null, answer(request));
  const nothing = answers(() => new Empty());
  server.addService(ResourceMonitorService, {
    supportsFeature: answers(() => {
      const response = new SupportsFeatureResponse();
      response.setHassupport(true);
      return response;
    }),
    registerResource: answers((request: RegisterResourceRequest) => {
      registered++;
      const response = new RegisterResourceResponse();
      response.setUrn(`urn:pulumi:bench::thanos-stack::${request.getType()}::${request.getName()}`);
      if (request.getCustom()) response.setId(randomUUID());
      response.setObject(request.getObject());
      return response;
    }),
    invoke: answers(() => new InvokeResponse()),
    registerResourceOutputs: nothing,
    registerStackTransform: nothing,
    registerStackInvokeTransform: nothing,
    registerResourceHook: nothing,
    registerErrorHook: nothing,
    registerPackage: answers(() => new RegisterPackageResponse()),
    signalAndWaitForShutdown: nothing,
  });
  server.addService(EngineService, {
    log: answers((request: LogRequest) => {
      if (request.getSeverity() === LogSeverity.ERROR) errors.push(request.getMessage());
      if (request.getSeverity() === LogSeverity.DEBUG) debugMessages++;
      return new Empty();
    }),
    getRootResource: answers((_: GetRootResourceRequest) => new GetRootResourceResponse()),
    setRootResource: answers(() => new SetRootResourceResponse()),
    startDebugging: nothing,
    requirePulumiVersion: nothing,
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return {
    address: `127.0.0.1:${port}`,
    registered: () => registered,
    errors: () => errors,
    debugMessages: () => debugMessages,
    close: () => server.forceShutdown(),
  };
}
