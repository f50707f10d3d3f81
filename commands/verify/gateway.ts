/** Whether others get in: a sample written and read through the gateway's public URLs, as a sender and a reader outside would. */
import { randomUUID } from "node:crypto";
import { PrometheusClient } from "../../clients/prometheus";
import { RemoteWriteClient } from "../../clients/remoteWrite";
import { type DirectTransportOptions, directTransport, type Transport } from "../../clients/transport";
import type { StackOutputs } from "../../outputs";
import { sampleReadBack, type Verdict, type WrittenSample, warning } from "./checks";
import type { Credentials } from "./selection";

/** The metric of the sample that is written through the gateway. */
export const GATEWAY_METRIC = "thanos_stack_verify_gateway";
const REQUEST_TIMEOUT_MS = 10_000;

/** Input of the check, beside the stack's outputs. */
export interface Outside {
  /** Tokens of the stack; undefined where whoever verifies may not see them. */
  credentials: Credentials | undefined;
  /** Called with each request that may be acknowledged; each holds one sample. */
  onWrite: () => void;
}

type PublicUrls = Pick<StackOutputs, "publicRemoteWriteUrl" | "publicQueryUrl" | "gatewayCa">;

/** Whether the stack says how it is reached from outside. */
export const isPublic = ({ publicRemoteWriteUrl, publicQueryUrl }: PublicUrls): boolean =>
  publicRemoteWriteUrl !== undefined || publicQueryUrl !== undefined;

/**
 * The judgement, with what it has written so far. It is asked until it holds: a sample is written once, and read by every reader of the
 * stack until one is answered with it, since no output says who sees which tenant.
 */
export function throughGateway(outputs: PublicUrls, { credentials, onWrite }: Outside): () => Promise<Verdict> {
  const { publicRemoteWriteUrl, publicQueryUrl, gatewayCa } = outputs;
  const tls: DirectTransportOptions = gatewayCa === undefined ? {} : { tls: { ca: gatewayCa } };
  const [writes, queries] = [publicRemoteWriteUrl, publicQueryUrl].map((url) =>
    url === undefined ? undefined : directTransport(url, tls),
  );
  const [tenant] = Object.keys(credentials?.tenants ?? {});
  const readers = Object.entries(credentials?.readers ?? {});
  const timestampMs = Date.now();
  const sample: WrittenSample = {
    labels: { __name__: GATEWAY_METRIC, run: randomUUID() },
    value: timestampMs % 1_000_000_007,
  };
  let acknowledged = false;
  return async () => {
    const closed = await asksForCredentials([writes, queries]);
    if (closed !== undefined) return closed;
    const token = tenant === undefined ? undefined : credentials?.tenants[tenant];
    const write = writes !== undefined && token !== undefined;
    if (write && !acknowledged) {
      const counted: Transport = {
        description: writes.description,
        send: (request) => {
          onWrite();
          return withToken(writes, token).send(request);
        },
      };
      await new RemoteWriteClient(counted).send([{ labels: sample.labels, samples: [{ timestampMs, value: sample.value }] }], {
        giveUpAfterMs: 0,
      });
      acknowledged = true;
    }
    if (queries === undefined || readers.length === 0) return half(write, credentials);
    const query = write ? `${GATEWAY_METRIC}{run="${sample.labels.run}"}` : "vector(1)";
    const answers = await Promise.all(
      readers.map(async ([, each]) => (await new PrometheusClient(withToken(queries, each)).instant(query)).vector),
    );
    if (!write) return { ok: true, seen: `${readers.length} readers are answered`, details: [] };
    return sampleReadBack(sample, answers.find((vector) => vector.length > 0) ?? []);
  };
}

/** A fault where somebody without a credential is answered with another status than 401. */
async function asksForCredentials(endpoints: readonly (Transport | undefined)[]): Promise<Verdict | undefined> {
  const [write, query] = endpoints;
  const asked = await Promise.all([
    write?.send({ method: "POST", path: "", body: "", timeoutMs: REQUEST_TIMEOUT_MS }),
    query?.send({ method: "GET", path: "/api/v1/query?query=vector(1)", timeoutMs: REQUEST_TIMEOUT_MS }),
  ]);
  const open = asked.flatMap((answer, index) =>
    answer === undefined || answer.status === 401
      ? []
      : [`${endpoints[index]?.description} answered ${answer.status} without a credential`],
  );
  return open.length === 0 ? undefined : { ok: false, seen: "it does not ask for credentials", details: open };
}

/** The verdict where only one side could be tried. */
function half(wrote: boolean, credentials: Credentials | undefined): Verdict {
  return {
    ok: true,
    seen: wrote ? "a sample is acknowledged" : "it asks for credentials",
    details: credentials === undefined ? [warning("no token was at hand (the secret output credentials), so nothing went through it")] : [],
  };
}

const withToken = (transport: Transport, token: string): Transport => ({
  description: transport.description,
  send: (request) => transport.send({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } }),
});
