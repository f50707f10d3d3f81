/**
 * Gives each update of this process connections of its own. The SDK's share a pool by address: an engine that is given the port of an
 * earlier one would be met with that one's failure, without being asked (grpc-js, pick_first over a subchannel that has failed before). To
 * be imported by whatever runs several updates in one process.
 */
const { grpcClientOptions } = require("@pulumi/pulumi/runtime/settings") as { grpcClientOptions: Record<string, unknown> };
grpcClientOptions["grpc.use_local_subchannel_pool"] = 1;

export {};
