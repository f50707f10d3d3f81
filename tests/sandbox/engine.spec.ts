import assert from "node:assert/strict";
import { type ClientOptions, credentials, Server, ServerCredentials, type ServiceDefinition, type ServiceError } from "@grpc/grpc-js";
import type { EngineEvent } from "@pulumi/pulumi/automation";
import { EngineClient, EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { environment, environmentConfig, shellExports, UpdateProgress } from "../../sandbox/engine";
import { paths } from "../../sandbox/paths";

const where = paths({ HOME: "/root" });
const URN = "urn:pulumi:dev::thanos-stack::thanos:index:Receive$kubernetes:apps/v1:StatefulSet::receive";

function step(kind: "resourcePreEvent" | "resOutputsEvent" | "resOpFailedEvent", op: string): EngineEvent {
  return {
    sequence: 1,
    timestamp: 1,
    [kind]: { metadata: { op, urn: URN, type: "kubernetes:apps/v1:StatefulSet", provider: "" }, status: 0, steps: 0 },
  } as EngineEvent;
}

function message(severity: string, text: string): EngineEvent {
  return { sequence: 1, timestamp: 1, diagnosticEvent: { urn: URN, message: text, severity, color: "never" } } as EngineEvent;
}

describe("sandbox engine", () => {
  it("connects anew where an earlier update's engine had the same port", async () => {
    const serve = (port: number) =>
      new Promise<{ server: Server; port: number }>((resolve, reject) => {
        const server = new Server();
        server.addService(EngineService as unknown as ServiceDefinition, {
          log: (_: unknown, answer: (error: null, value: Empty) => void) => answer(null, new Empty()),
          getRootResource: () => {},
          setRootResource: () => {},
          startDebugging: () => {},
          requirePulumiVersion: () => {},
        });
        server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
          error === null ? resolve({ server, port: bound }) : reject(error),
        );
      });
    const { grpcClientOptions } = require("@pulumi/pulumi/runtime/settings") as { grpcClientOptions: ClientOptions };
    const connect = (port: number) => new EngineClient(`127.0.0.1:${port}`, credentials.createInsecure(), grpcClientOptions);
    const log = (client: EngineClient) =>
      new Promise<ServiceError | null>((resolve) => client.log(new LogRequest(), (error: ServiceError | null) => resolve(error)));
    const first = await serve(0);
    const left = connect(first.port);
    assert.equal(await log(left), null);
    first.server.forceShutdown();
    while ((await log(left)) === null);
    const second = await serve(first.port);
    const client = connect(first.port);
    assert.equal(await log(client), null);
    for (const each of [left, client]) each.close();
    second.server.forceShutdown();
  });

  it("points programs at the sandbox's engine and cluster", () => {
    const env = environment(where);
    assert.equal(env.PULUMI_HOME, "/var/lib/thanos-stack/pulumi/home");
    assert.equal(env.PULUMI_BACKEND_URL, "file:///var/lib/thanos-stack/pulumi/backend");
    assert.equal(env.KUBECONFIG, "/var/lib/thanos-stack/kubeconfig");
    assert.equal(env.THANOS_STACK_CONTEXT, "sandbox");
    assert.ok(env.PATH?.startsWith("/var/lib/thanos-stack/bin:"));
  });

  it("prints lines that a shell takes as they are", () => {
    const lines = shellExports(where).split("\n");
    assert.ok(lines.includes("export KUBECONFIG='/var/lib/thanos-stack/kubeconfig'"));
    assert.equal(lines.at(-1), `export PATH='${where.bin}:${where.toolchain}/bin':"$PATH"`);
  });

  it("reads the environments' own stack files, and no other file", () => {
    for (const env of ["dev", "prod"]) assert.ok("thanos-stack:cluster" in environmentConfig(env));
    assert.throws(() => environmentConfig("nowhere"), /no environment "nowhere"/);
    assert.throws(() => environmentConfig("../x"), /no environment/);
  });

  it("tells what an update is doing", () => {
    const progress = new UpdateProgress();
    assert.equal(progress.line(step("resourcePreEvent", "create")), "0 resources done, 0 of them changed: create StatefulSet receive");
    assert.equal(progress.line(message("info", "<{%fg 1%}>waiting for pods<{%reset%}>\n")), "receive: waiting for pods");
    assert.equal(progress.line(step("resOutputsEvent", "create")), "1 resources done, 1 of them changed");
    assert.equal(progress.line(step("resourcePreEvent", "same")), undefined);
    assert.equal(progress.line(step("resOutputsEvent", "same")), "2 resources done, 1 of them changed");
    assert.equal(progress.line(step("resOpFailedEvent", "update")), "failed: update StatefulSet receive");
  });

  it("keeps errors whole and leaves out the engine's debugging", () => {
    const progress = new UpdateProgress();
    assert.equal(progress.line(message("debug", "Registering resource")), undefined);
    assert.equal(progress.line(message("error", "first\nsecond\n")), "receive: first");
    assert.deepEqual(progress.errors, ["receive: first\nsecond"]);
  });
});
