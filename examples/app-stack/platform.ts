import * as pulumi from "@pulumi/pulumi";
import { awaitGatewayToken, awaitStackOutputs, awaitTlsClient, type ReceiveOutputs, receiveOutputs, type TlsClient } from "../../outputs";
import { readSender, type Sender } from "./sender";

/** Where the platform is written to, or asked. */
export interface Endpoint {
  url: string;
  /** The token for its gateway, and the certificates that the gateway's own is trusted by; absent where there is no gateway. */
  gateway?: { token: pulumi.Output<string>; ca: string | undefined };
  /**
   * The sender's certificate for receivers that take nobody without one, and the CA and name by which it knows them; absent where they take
   * anybody, or a gateway is before them.
   */
  client?: { shown: pulumi.Output<TlsClient>; ca: string; serverName: string };
}

/** As whom this program writes and asks. */
export interface Names {
  /** Whose token writes. */
  tenant: string;
  /** Whose certificate writes, where the platform wants one and has no gateway. */
  client: string;
  /** Whose token asks; undefined where nobody does. */
  reader: string | undefined;
}

/** Outputs of the platform, and how this program writes to it and asks it. */
export interface Platform {
  outputs: ReceiveOutputs;
  writes: Endpoint;
  /** Absent where nobody asks. */
  queries?: Endpoint;
}

/**
 * The platform, before anything is registered. Where it has a gateway, that is the only way in: by the public URL if there is one. Without
 * one it may want a certificate of who writes.
 *
 * @param stack the platform's stack in full
 * @throws {Error} naming every output that is missing, or why the platform takes no remote write of this program
 */
export async function readPlatform(stack: string, { tenant, client, reader }: Names): Promise<Platform> {
  const reference = new pulumi.StackReference("platform", { name: stack });
  const outputs = receiveOutputs(await awaitStackOutputs(reference));
  const endpoint = async (url: string | undefined, direct: string, kind: "tenants" | "readers", name: string): Promise<Endpoint> =>
    url === undefined
      ? { url: direct }
      : { url, gateway: { token: await awaitGatewayToken(reference, kind, name), ca: outputs.gatewayCa } };
  const gate = await endpoint(outputs.publicRemoteWriteUrl ?? outputs.gatewayRemoteWriteUrl, outputs.remoteWriteUrl, "tenants", tenant);
  const writes = gate.gateway === undefined ? { ...gate, ...(await certificate(reference, stack, outputs, client)) } : gate;
  if (reader === undefined) return { outputs, writes };
  const queries = await endpoint(outputs.publicQueryUrl ?? outputs.gatewayQueryUrl, outputs.queryUrl, "readers", reader);
  return { outputs, writes, queries };
}

/** The sender's certificate for receivers that take nobody without one; nothing where they take anybody. */
async function certificate(
  reference: pulumi.StackReference,
  stack: string,
  { tls }: ReceiveOutputs,
  name: string,
): Promise<Pick<Endpoint, "client">> {
  if (tls === undefined) return {};
  if (tls.ca === undefined)
    throw new Error(
      `${stack} takes writes from senders with a certificate only (its key tls), and others than its program make these, so that none is in its ` +
        "outputs: give the agent a Secret with one, as docs/operations.md#others-with-a-certificate says, or the platform a gateway",
    );
  return { client: { shown: await awaitTlsClient(reference, name), ca: tls.ca, serverName: tls.serverName } };
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
