import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import * as grpc from "@grpc/grpc-js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { RESOURCE_RULES, STACK_RULES } from "../../policy/rules";

const { AnalyzerClient } = require("@pulumi/pulumi/proto/analyzer_grpc_pb") as { AnalyzerClient: grpc.ServiceClientConstructor };
const messages = require("@pulumi/pulumi/proto/analyzer_pb") as Record<string, new () => Message>;
const { Empty } = require("google-protobuf/google/protobuf/empty_pb") as { Empty: new () => unknown };
const { Struct: StructMessage } = require("google-protobuf/google/protobuf/struct_pb") as { Struct: typeof Struct };

type Message = Record<string, (value: unknown) => void>;
interface Answer {
  toObject(): {
    policiesList?: { name: string; enforcementlevel: number }[];
    diagnosticsList?: { policyname: string; message: string; enforcementlevel: number }[];
  };
}

/** As `EnforcementLevel` of the engine's protocol has it. */
const MANDATORY = 1;
const PACK = resolve(__dirname, "..", "..", "policy");

describe("the policy pack", function () {
  this.timeout(60_000);
  let child: ChildProcess;
  let client: grpc.Client & Record<string, (request: unknown, done: (error: Error | null, answer: Answer) => void) => void>;

  const call = (method: string, request: unknown) =>
    new Promise<ReturnType<Answer["toObject"]>>((done, fail) => {
      client[method]?.(request, (error, answer) => (error === null ? done(answer.toObject()) : fail(error)));
    });

  /** Starts it as the engine does: a program that says on which port it answers. */
  before(async () => {
    const args = [require.resolve("@pulumi/pulumi/cmd/run-policy-pack"), "127.0.0.1:1", "."];
    child = spawn(process.execPath, args, { cwd: PACK, stdio: ["ignore", "pipe", "pipe"] });
    let errors = "";
    child.stderr?.on("data", (data: Buffer) => {
      errors += data.toString();
    });
    const port = await new Promise<string>((done, fail) => {
      child.stdout?.once("data", (data: Buffer) => done(data.toString().trim()));
      child.once("exit", (code) => fail(new Error(`the pack ended with ${code}: ${errors}`)));
    });
    client = new AnalyzerClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure()) as unknown as typeof client;
  });
  after(() => {
    client?.close();
    child?.kill();
  });

  function request(type: string, name: string, properties: Record<string, unknown>, protect: boolean): Message {
    const options = new (messages.AnalyzerResourceOptions ?? Object)() as Message;
    options.setProtect?.(protect);
    const made = new (messages.AnalyzeRequest ?? Object)() as Message;
    made.setType?.(type);
    made.setName?.(name);
    made.setUrn?.(`urn:pulumi:prod::thanos-stack::${type}::${name}`);
    made.setProperties?.(StructMessage.fromJavaScript(properties as Parameters<typeof Struct.fromJavaScript>[0]));
    made.setOptions?.(options);
    return made;
  }

  it("has every rule, and each is mandatory", async () => {
    const { policiesList = [] } = await call("getAnalyzerInfo", new Empty());
    assert.deepEqual(policiesList.map(({ name }) => name).sort(), [...RESOURCE_RULES, ...STACK_RULES].map(({ name }) => name).sort());
    assert.deepEqual([...new Set(policiesList.map(({ enforcementlevel }) => enforcementlevel))], [MANDATORY]);
  });

  it("reports what a rule finds, by the stack's name in the URN and the resource's options", async () => {
    const inputs = { metadata: { name: "thanos-prod", labels: { "pod-security.kubernetes.io/enforce": "restricted" } } };
    const unprotected = await call("analyze", request("kubernetes:core/v1:Namespace", "namespace", inputs, false));
    assert.deepEqual(
      (unprotected.diagnosticsList ?? []).map(({ policyname }) => policyname),
      ["data-is-protected"],
    );
    assert.match(unprotected.diagnosticsList?.[0]?.message ?? "", /Namespace thanos-prod: it is not protected/);
    const good = await call("analyze", request("kubernetes:core/v1:Namespace", "namespace", inputs, true));
    assert.deepEqual(good.diagnosticsList, []);
  });

  it("looks at all resources together", async () => {
    const type = "kubernetes:core/v1:ConfigMap";
    const file = JSON.stringify([{ hashring: "default", endpoints: [{ address: "thanos-receive-0.peers:10901" }] }]);
    const inputs = { metadata: { name: "thanos-receive-hashrings", namespace: "thanos-prod" }, data: { "hashrings.json": file } };
    const resource = new (messages.AnalyzerResource ?? Object)() as Message;
    resource.setType?.(type);
    resource.setName?.("receive-hashrings");
    resource.setUrn?.(`urn:pulumi:prod::thanos-stack::${type}::receive-hashrings`);
    resource.setProperties?.(StructMessage.fromJavaScript(inputs));
    resource.setOptions?.(new (messages.AnalyzerResourceOptions ?? Object)());
    const stack = new (messages.AnalyzeStackRequest ?? Object)() as Message;
    stack.setResourcesList?.([resource]);
    const { diagnosticsList = [] } = await call("analyzeStack", stack);
    assert.deepEqual(
      diagnosticsList.map(({ policyname }) => policyname),
      ["ring-holds-every-copy"],
    );
    assert.match(diagnosticsList[0]?.message ?? "", /names thanos-receive-0, which no StatefulSet makes/);
  });
});
