import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineLog, type Log } from "./engine";
import {
  type Autonaming,
  type Change,
  type Checked,
  type Difference,
  InitializationFailed,
  NotOffered,
  ProviderError,
  type ProviderFactory,
  type ResourceProvider,
} from "./provider";
import { fromStruct, toStruct } from "./values";

type Handler<Request, Response> = (request: Request) => Promise<Response> | Response;

/** The gRPC error for a thrown one: its code decides whether the engine thinks the resource's state is known. */
export function toServiceError(error: unknown): Partial<ServiceError> {
  if (error instanceof InitializationFailed) {
    const detail = new rpc.ErrorResourceInitFailed();
    detail.setId(error.id);
    detail.setProperties(toStruct(error.outputs));
    detail.setInputs(toStruct(error.inputs));
    detail.setReasonsList([...error.reasons]);
    const packed = new Any();
    packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const wire = new Status();
    wire.setCode(status.UNKNOWN);
    wire.setMessage(error.message);
    wire.addDetails(packed);
    const metadata = new Metadata();
    metadata.add("grpc-status-details-bin", Buffer.from(wire.serializeBinary()));
    return { code: status.UNKNOWN, details: error.message, metadata };
  }
  if (error instanceof NotOffered) {
    return { code: status.UNIMPLEMENTED, details: error.message };
  }
  if (error instanceof ProviderError) {
    return { code: status.FAILED_PRECONDITION, details: error.message };
  }
  const thrown = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(`${thrown.stack ?? thrown.message}\n`);
  return { code: status.UNKNOWN, details: thrown.message };
}

function unary<Request, Response>(handler: Handler<Request, Response>) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    Promise.resolve()
      .then(() => handler(call.request))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(toServiceError(error)),
      );
  };
}

function checkResponse(checked: Checked): rpc.CheckResponse {
  const response = new rpc.CheckResponse();
  response.setInputs(toStruct(checked.inputs));
  response.setFailuresList(
    checked.failures.map(({ property, reason }) => {
      const failure = new rpc.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      return failure;
    }),
  );
  return response;
}

function changeKind(change: Change): rpc.PropertyDiff.Kind {
  const { Kind } = rpc.PropertyDiff;
  switch (change.kind) {
    case "add":
      return change.replaces ? Kind.ADD_REPLACE : Kind.ADD;
    case "delete":
      return change.replaces ? Kind.DELETE_REPLACE : Kind.DELETE;
    case "update":
      return change.replaces ? Kind.UPDATE_REPLACE : Kind.UPDATE;
  }
}

function diffResponse(difference: Difference): rpc.DiffResponse {
  const response = new rpc.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = rpc.DiffResponse.DiffChanges;
  response.setChanges(difference.changes.length === 0 ? DIFF_NONE : DIFF_SOME);
  response.setDeletebeforereplace(difference.deleteBeforeReplace);
  response.setHasdetaileddiff(true);
  const detailed = response.getDetaileddiffMap();
  for (const change of difference.changes) {
    const property = new rpc.PropertyDiff();
    property.setKind(changeKind(change));
    property.setInputdiff(true);
    detailed.set(change.path, property);
  }
  const topLevel = (path: string) => path.split(/[.[]/, 1)[0] ?? path;
  response.setDiffsList([...new Set(difference.changes.map(({ path }) => topLevel(path)))]);
  response.setReplacesList([...new Set(difference.changes.filter(({ replaces }) => replaces).map(({ path }) => path))]);
  return response;
}

function autonaming(options: rpc.CheckRequest.AutonamingOptions | undefined): Autonaming | undefined {
  if (options === undefined) {
    return undefined;
  }
  const { Mode } = rpc.CheckRequest.AutonamingOptions;
  const modes = { [Mode.PROPOSE]: "propose", [Mode.ENFORCE]: "enforce", [Mode.DISABLE]: "disable" } as const;
  return { mode: modes[options.getMode()], proposedName: options.getProposedName() };
}

interface Addressed {
  getUrn(): string;
  getType(): string;
  getName(): string;
}

/** Older engines send no type and name; a URN is `urn:pulumi:stack::project::parent$type::name`. */
export function resourceOf(request: Addressed): { urn: string; type: string; name: string } {
  const urn = request.getUrn();
  const [, , types = "", ...name] = urn.split("::");
  return {
    urn,
    type: request.getType() || types.slice(types.lastIndexOf("$") + 1),
    name: request.getName() || name.join("::"),
  };
}

function service(create: ProviderFactory, version: string, initialLog: Log): UntypedServiceImplementation {
  let log = initialLog;
  const forwarding: Log = {
    message: (severity, text, urn) => log.message(severity, text, urn),
    status: (text, urn) => log.status(text, urn),
  };
  const provider: ResourceProvider = create(forwarding);
  const none = () => new Empty();
  const refuse = (what: string) =>
    unary(() => {
      throw new NotOffered(`this stand-in provider offers no ${what}`);
    });

  return {
    handshake: unary((request: rpc.ProviderHandshakeRequest) => {
      if (request.getEngineAddress() !== "") {
        log = new EngineLog(request.getEngineAddress());
      }
      const response = new rpc.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      response.setAcceptResources(false);
      response.setAcceptOutputs(false);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),
    attach: unary((request: { getAddress(): string }) => {
      log = new EngineLog(request.getAddress());
      return none();
    }),
    getPluginInfo: unary(() => new PluginInfo().setVersion(version)),
    getSchema: refuse("schema"),
    getMapping: unary(() => new rpc.GetMappingResponse()),
    getMappings: unary(() => new rpc.GetMappingsResponse()),
    parameterize: refuse("parameterization"),
    invoke: unary((request: rpc.InvokeRequest) => {
      throw new NotOffered(`this stand-in provider offers no function ${request.getTok()}`);
    }),
    call: refuse("methods"),
    construct: unary((request: rpc.ConstructRequest) => {
      throw new NotOffered(`this stand-in provider offers no component ${request.getType()}; use the resources it is made of`);
    }),
    cancel: unary(() => {
      provider.cancel();
      return none();
    }),

    checkConfig: unary(async (request: rpc.CheckRequest) =>
      checkResponse(await provider.checkConfig({ urn: request.getUrn(), news: fromStruct(request.getNews()) })),
    ),
    diffConfig: unary(async (request: rpc.DiffRequest) =>
      diffResponse(
        await provider.diffConfig({
          urn: request.getUrn(),
          oldInputs: fromStruct(request.getOldInputs()),
          newInputs: fromStruct(request.getNews()),
        }),
      ),
    ),
    configure: unary(async (request: rpc.ConfigureRequest) => {
      await provider.configure(fromStruct(request.getArgs()), request.getUrn() ?? "");
      const response = new rpc.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      response.setAcceptresources(false);
      response.setAcceptoutputs(false);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),

    check: unary(async (request: rpc.CheckRequest) =>
      checkResponse(
        await provider.check({
          ...resourceOf(request),
          oldInputs: fromStruct(request.getOlds()),
          newInputs: fromStruct(request.getNews()),
          randomSeed: request.getRandomseed_asU8(),
          autonaming: autonaming(request.getAutonaming()),
        }),
      ),
    ),
    diff: unary(async (request: rpc.DiffRequest) =>
      diffResponse(
        await provider.diff({
          ...resourceOf(request),
          id: request.getId(),
          oldInputs: fromStruct(request.getOldInputs()),
          oldOutputs: fromStruct(request.getOlds()),
          newInputs: fromStruct(request.getNews()),
          ignoreChanges: request.getIgnorechangesList(),
        }),
      ),
    ),
    create: unary(async (request: rpc.CreateRequest) => {
      const created = await provider.create({
        ...resourceOf(request),
        inputs: fromStruct(request.getProperties()),
        preview: request.getPreview(),
        timeout: request.getTimeout(),
      });
      const response = new rpc.CreateResponse();
      response.setId(created.id);
      response.setProperties(toStruct(created.outputs));
      return response;
    }),
    read: unary(async (request: rpc.ReadRequest) => {
      const read = await provider.read({
        ...resourceOf(request),
        id: request.getId(),
        inputs: request.hasInputs() ? fromStruct(request.getInputs()) : undefined,
        outputs: fromStruct(request.getProperties()),
      });
      const response = new rpc.ReadResponse();
      response.setId(read.id);
      response.setProperties(toStruct(read.outputs));
      response.setInputs(toStruct(read.inputs));
      return response;
    }),
    list: (call: { emit(event: "error", error: Partial<ServiceError>): void }) => {
      call.emit("error", toServiceError(new NotOffered("this stand-in provider lists no resources")));
    },
    update: unary(async (request: rpc.UpdateRequest) => {
      const outputs = await provider.update({
        ...resourceOf(request),
        id: request.getId(),
        oldInputs: fromStruct(request.getOldInputs()),
        oldOutputs: fromStruct(request.getOlds()),
        newInputs: fromStruct(request.getNews()),
        ignoreChanges: request.getIgnorechangesList(),
        preview: request.getPreview(),
        timeout: request.getTimeout(),
      });
      const response = new rpc.UpdateResponse();
      response.setProperties(toStruct(outputs));
      return response;
    }),
    delete: unary(async (request: rpc.DeleteRequest) => {
      await provider.delete({
        ...resourceOf(request),
        id: request.getId(),
        inputs: fromStruct(request.getOldInputs()),
        outputs: fromStruct(request.getProperties()),
        timeout: request.getTimeout(),
      });
      return none();
    }),
  };
}

const silent: Log = { message: () => Promise.resolve(), status: () => undefined };

/**
 * Serves a provider as a plugin of the engine that started this process: listens on a free loopback port, writes the port as
 * the first line of standard output, and ends with the engine.
 *
 * @param args the process's arguments; the engine's address is the last one.
 */
export function serve(create: ProviderFactory, version: string, args: readonly string[]): void {
  const address = args.at(-1);
  const log = address === undefined || address.startsWith("-") ? silent : new EngineLog(address);
  const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
  const server = new Server(unlimited);
  server.addService(ResourceProviderService, service(create, version, log));
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error) {
      process.stderr.write(`${error.message}\n`);
      process.exit(1);
    }
    process.stdout.write(`${port}\n`);
  });
  // An engine that is killed cannot end its plugins.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) {
      process.exit(0);
    }
  }, 1000).unref();
}
