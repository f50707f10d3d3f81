import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { awaitStackOutputs, receiveOutputs, StackOutputsError } from "../../outputs";
import { PLATFORM_OUTPUTS } from "../examples/program";

async function referenceTo(outputs: Record<string, unknown>, secretOutputNames: string[] = []): Promise<pulumi.StackReference> {
  await pulumi.runtime.setMocks({
    newResource: (args) => ({ id: args.name, state: { ...args.inputs, outputs, secretOutputNames } }),
    call: () => ({}),
  });
  return new pulumi.StackReference("organization/thanos-stack/dev");
}

describe("outputs: awaitStackOutputs", () => {
  it("gives plain values, and leaves out what a later version adds", async () => {
    assert.deepEqual(await awaitStackOutputs(await referenceTo({ ...PLATFORM_OUTPUTS, later: 1 })), PLATFORM_OUTPUTS);
  });

  it("fetches what only some stacks have", async () => {
    const outputs = { ...PLATFORM_OUTPUTS, objectStorage: { storeGateways: 2, handover: "33h" } };
    assert.deepEqual(await awaitStackOutputs(await referenceTo(outputs)), outputs);
  });

  it("names every output that is missing", async () => {
    const { tenantHeader: _header, ring: _ring, ...rest } = PLATFORM_OUTPUTS;
    await assert.rejects(
      async () => awaitStackOutputs(await referenceTo(rest)),
      (error) =>
        error instanceof StackOutputsError && error.problems.length === 2 && /tenantHeader: missing.*ring: missing/s.test(error.message),
    );
  });

  it("refuses outputs that are secret, and no others", async () => {
    const outputs = { ...PLATFORM_OUTPUTS, queryUrl: pulumi.secret(PLATFORM_OUTPUTS.queryUrl), bucketKey: pulumi.secret("k") };
    const reference = await referenceTo(outputs, ["queryUrl", "bucketKey"]);
    await assert.rejects(awaitStackOutputs(reference), /the stack's outputs queryUrl are secret/);
    const beside = await referenceTo({ ...PLATFORM_OUTPUTS, bucketKey: pulumi.secret("k") }, ["bucketKey"]);
    assert.deepEqual(await awaitStackOutputs(beside), PLATFORM_OUTPUTS);
  });
});

describe("outputs: receiveOutputs", () => {
  it("gives the outputs of a stack that can be written to, and refuses the others", async () => {
    const outputs = await awaitStackOutputs(await referenceTo(PLATFORM_OUTPUTS));
    assert.equal(receiveOutputs(outputs), outputs);
    const { ring: _ring, remoteWriteUrl: _url, ...rest } = PLATFORM_OUTPUTS;
    const sidecar = await awaitStackOutputs(await referenceTo({ ...rest, scheme: "sidecar" }));
    assert.throws(() => receiveOutputs(sidecar), /in namespace thanos-dev uses scheme "sidecar"/);
  });
});
