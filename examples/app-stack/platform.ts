import * as pulumi from "@pulumi/pulumi";
import { awaitGatewayToken, awaitStackOutputs, type ReceiveOutputs, receiveOutputs } from "../../outputs";
import { readSender, type Sender } from "./sender";

/** Where the platform is written to, or asked. */
export interface Endpoint {
  url: string;
  /** What its gateway is shown, and the certificates that its own is trusted by; absent where there is no gateway. */
  gateway?: { token: pulumi.Output<string>; ca: string | undefined };
}

/** What this program needs of the platform. */
export interface Platform {
  outputs: ReceiveOutputs;
  writes: Endpoint;
  /** Absent where nobody asks. */
  queries?: Endpoint;
}

/**
 * The platform, before anything is registered. Where it has a gateway, that is the only way in: by the public URL if there is one.
 *
 * @param stack the platform's stack in full
 * @param tenant whose token writes
 * @param reader whose token asks; undefined where nobody does
 * @throws {Error} naming every output that is missing, or why the platform takes no remote write of this program
 */
export async function readPlatform(stack: string, tenant: string, reader: string | undefined): Promise<Platform> {
  const reference = new pulumi.StackReference("platform", { name: stack });
  const outputs = receiveOutputs(await awaitStackOutputs(reference));
  const endpoint = async (url: string | undefined, direct: string, kind: "tenants" | "readers", name: string): Promise<Endpoint> =>
    url === undefined
      ? { url: direct }
      : { url, gateway: { token: await awaitGatewayToken(reference, kind, name), ca: outputs.gatewayCa } };
  const writes = await endpoint(outputs.publicRemoteWriteUrl ?? outputs.gatewayRemoteWriteUrl, outputs.remoteWriteUrl, "tenants", tenant);
  if (writes.gateway !== undefined || outputs.tls === undefined) {
    if (reader === undefined) return { outputs, writes };
    const queries = await endpoint(outputs.publicQueryUrl ?? outputs.gatewayQueryUrl, outputs.queryUrl, "readers", reader);
    return { outputs, writes, queries };
  }
  throw new Error(
    `${stack} takes writes from senders with a certificate only (its key tls), and this example has none: give its agent one of the platform's ` +
      "tls.clients.write (tlsClient of outputs/), as docs/operations.md#others-with-a-certificate says, or the platform a gateway",
  );
}

/** The identities of other application stacks, by stack. One that isn't deployed has none, which is said. */
export async function peerSenders(peers: readonly string[]): Promise<Map<string, Sender>> {
  const own = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  if (peers.includes(own)) throw new Error(`peers: ${own} is this stack itself`);
  const found = await Promise.all(
    peers.map(async (stack) => [stack, await new pulumi.StackReference(stack).getOutputValue("sender")] as const),
  );
  const senders = new Map<string, Sender>();
  for (const [stack, value] of found) {
    if (value === undefined) void pulumi.log.warn(`${stack} has no output sender: it isn't deployed, or is no application stack`);
    else senders.set(stack, readSender(stack, value));
  }
  return senders;
}
