import * as pulumi from "@pulumi/pulumi";
import { awaitStackOutputs, type ReceiveOutputs, receiveOutputs } from "../../outputs";
import { readSender, type Sender } from "./sender";

/**
 * The platform's outputs, before anything is registered.
 *
 * @param stack the platform's stack in full
 * @throws {Error} naming every output that is missing, or why the platform takes no remote write of this program
 */
export async function platformOutputs(stack: string): Promise<ReceiveOutputs> {
  const outputs = receiveOutputs(await awaitStackOutputs(new pulumi.StackReference("platform", { name: stack })));
  if (outputs.tls === undefined) return outputs;
  throw new Error(
    `${stack} takes writes from senders with a certificate only (its key tls), and this example has none: give its agent one of the platform's ` +
      "tls.clients (tlsClient of outputs/), as docs/operations.md#others-with-a-certificate says",
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
