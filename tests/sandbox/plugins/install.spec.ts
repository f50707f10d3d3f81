import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials, type ServiceError, status } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { CheckRequest, type CheckResponse, CreateRequest, type CreateResponse, InvokeRequest } from "@pulumi/pulumi/proto/provider_pb";
import { installPlugins } from "../../../sandbox/plugins/install";
import { fromStruct, Secret, toStruct } from "../../../sandbox/plugins/protocol/values";

describe("installed plugins", () => {
  let home: string;
  const processes: ChildProcess[] = [];

  before(() => {
    home = mkdtempSync(join(tmpdir(), "pulumi-home-"));
    installPlugins(home);
  });
  after(() => {
    for (const child of processes) {
      child.kill();
    }
    rmSync(home, { recursive: true });
  });

  const version = (name: string): string => (require(`@pulumi/${name}/package.json`) as { version: string }).version;
  const executable = (name: string) => join(home, "plugins", `resource-${name}-v${version(name)}`, `pulumi-resource-${name}`);

  async function start(name: string): Promise<ResourceProviderClient> {
    const child = spawn(executable(name), ["127.0.0.1:1"], { cwd: tmpdir(), stdio: ["ignore", "pipe", "inherit"] });
    processes.push(child);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    assert.match(String(line), /^\d+\n$/);
    return new ResourceProviderClient(`127.0.0.1:${String(line).trim()}`, credentials.createInsecure());
  }

  it("are where the engine looks for the versions in this checkout", () => {
    assert.deepEqual(readdirSync(join(home, "plugins")).sort(), [
      `resource-kubernetes-v${version("kubernetes")}`,
      `resource-random-v${version("random")}`,
    ]);
    for (const name of ["kubernetes", "random"]) {
      assert.equal(statSync(executable(name)).mode & 0o111, 0o111);
    }
  });

  it("are installed once", () => {
    const compiled = join(executable("kubernetes"), "..", "compiled", "kubernetes", "main.js");
    const before = [readFileSync(executable("kubernetes"), "utf8"), statSync(compiled).mtimeMs, statSync(executable("kubernetes")).mtimeMs];
    installPlugins(home);
    assert.deepEqual(
      [readFileSync(executable("kubernetes"), "utf8"), statSync(compiled).mtimeMs, statSync(executable("kubernetes")).mtimeMs],
      before,
    );
  });

  it("answer the engine from any directory", async () => {
    const client = await start("random");
    const urn = "urn:pulumi:dev::p::random:index/randomPassword:RandomPassword::x";
    const request = new CreateRequest();
    request.setUrn(urn);
    request.setProperties(toStruct({ length: 12, keepers: { a: new Secret("b") } }));
    const created = await new Promise<CreateResponse>((resolve, reject) =>
      client.create(request, (error: ServiceError | null, response: CreateResponse) => (error ? reject(error) : resolve(response))),
    );
    const outputs = fromStruct(created.getProperties());
    assert.ok(outputs.result instanceof Secret);
    assert.deepEqual(outputs.keepers, { a: new Secret("b") });
    client.close();
  });

  it("refuse what they do not offer, and to work unconfigured", async () => {
    const client = await start("kubernetes");
    const invoke = new InvokeRequest();
    invoke.setTok("kubernetes:yaml:decode");
    const refused = await new Promise<ServiceError | null>((resolve) =>
      client.invoke(invoke, (error: ServiceError | null) => resolve(error)),
    );
    assert.equal(refused?.code, status.UNIMPLEMENTED);
    const check = new CheckRequest();
    check.setUrn("urn:pulumi:dev::p::kubernetes:core/v1:Secret::x");
    check.setNews(toStruct({}));
    const unconfigured = await new Promise<ServiceError | null>((resolve) =>
      client.check(check, (error: ServiceError | null, _: CheckResponse) => resolve(error)),
    );
    assert.match(unconfigured?.details ?? "", /not been configured/);
    client.close();
  });
});
