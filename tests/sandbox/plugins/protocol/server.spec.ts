import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { InitializationFailed, NotOffered, ProviderError } from "../../../../sandbox/plugins/protocol/provider";
import { resourceOf, toServiceError } from "../../../../sandbox/plugins/protocol/server";
import { fromStruct, Secret } from "../../../../sandbox/plugins/protocol/values";

describe("errors on the wire", () => {
  it("carry the state of a resource that did not become ready", () => {
    const outputs = { metadata: { name: "x" }, data: new Secret({ a: "b" }) };
    const error = toServiceError(new InitializationFailed("ns/x", outputs, { kind: "Pod" }, ["one", "two"]));
    assert.equal(error.code, status.UNKNOWN);
    const [packed] = error.metadata?.get("grpc-status-details-bin") ?? [];
    assert.ok(Buffer.isBuffer(packed));
    const [detail] = Status.deserializeBinary(packed).getDetailsList();
    assert.equal(detail?.getTypeName(), "pulumirpc.ErrorResourceInitFailed");
    const unpacked = ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
    assert.equal(unpacked.getId(), "ns/x");
    assert.deepEqual(unpacked.getReasonsList(), ["one", "two"]);
    assert.deepEqual(fromStruct(unpacked.getProperties()), outputs);
    assert.deepEqual(fromStruct(unpacked.getInputs()), { kind: "Pod" });
  });

  it("say whether the state of the resource is known", () => {
    assert.deepEqual(toServiceError(new ProviderError("refused")), { code: status.FAILED_PRECONDITION, details: "refused" });
    assert.deepEqual(toServiceError(new NotOffered("no")), { code: status.UNIMPLEMENTED, details: "no" });
  });
});

describe("the resource of a request", () => {
  const request = (type: string, name: string) => ({
    getUrn: () => "urn:pulumi:dev::project::my:component:Parent$kubernetes:core/v1:Secret::a::b",
    getType: () => type,
    getName: () => name,
  });

  it("is read from the URN where the engine does not say it", () => {
    const { type, name } = resourceOf(request("", ""));
    assert.deepEqual({ type, name }, { type: "kubernetes:core/v1:Secret", name: "a::b" });
  });

  it("is what the engine says", () => {
    const { type, name } = resourceOf(request("t", "n"));
    assert.deepEqual({ type, name }, { type: "t", name: "n" });
  });
});
