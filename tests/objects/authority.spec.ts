import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { AddressInfo } from "node:net";
import * as tls from "node:tls";
import type { Leaf } from "../../model/tls/plan";
import { certificatesOf } from "../../model/values/certificates";
import { type Issued, issue } from "../../objects/authority";

const SERVER: Leaf = {
  name: "thanos-receive",
  dnsNames: ["thanos-stack.m.svc.cluster.local", "thanos-receive"],
  server: true,
  client: true,
};
const CLIENT: Leaf = { name: "prometheus", dnsNames: [], server: false, client: true };
const GATEWAY: Leaf = { name: "thanos-store-gateway", dnsNames: ["thanos-stack.m.svc.cluster.local"], server: true, client: false };
const LEAVES = [SERVER, CLIENT, GATEWAY];
const SEED = "a seed";
/** The clock of the handshakes below is this machine's own. */
const TODAY = new Date();

const issued = (generation: number, day = TODAY, seed = SEED): Promise<Issued> =>
  issue(seed, { stack: "m", generation, day, leaves: LEAVES });

const pairOf = ({ leaves }: Issued, { name }: Leaf) => {
  const pair = leaves[name];
  assert.ok(pair !== undefined, name);
  return pair;
};

const leafOf = (from: Issued, leaf: Leaf): X509Certificate => new X509Certificate(pairOf(from, leaf).certificate);

/** A client's handshake with a server that wants a certificate: the answer, or else the error, or nothing. */
async function handshake(server: [Issued, Leaf], client: [Issued, Leaf] | undefined): Promise<string> {
  const options = (from: Issued, leaf: Leaf) => {
    const { certificate, key } = pairOf(from, leaf);
    return { ca: from.trusted, cert: certificate, key, minVersion: "TLSv1.3" as const };
  };
  const listening = tls.createServer({ ...options(...server), requestCert: true, rejectUnauthorized: true }, (socket) =>
    socket.end("answer"),
  );
  // The other end is told.
  listening.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const { port } = listening.address() as AddressInfo;
  try {
    return await new Promise<string>((resolve) => {
      let answer = "";
      const mine = client === undefined ? { ca: server[0].trusted } : options(...client);
      const socket = tls.connect({ ...mine, host: "127.0.0.1", port, servername: "thanos-stack.m.svc.cluster.local" });
      socket.on("data", (bytes) => (answer += bytes.toString()));
      socket.on("error", ({ message }) => resolve(message));
      socket.on("close", () => resolve(answer));
    });
  } finally {
    listening.close();
  }
}

describe("the program's own certificates", () => {
  it("are the same, byte for byte, whenever they are made in a quarter", async () => {
    const first = await issued(1, new Date("2026-04-01T00:00:00Z"));
    assert.deepEqual(await issued(1, new Date("2026-06-30T23:59:59.999Z")), first);
    const next = await issued(1, new Date("2026-07-01T00:00:00Z"));
    for (const leaf of LEAVES) {
      assert.notEqual(pairOf(next, leaf).key, pairOf(first, leaf).key);
      assert.notEqual(leafOf(next, leaf).serialNumber, leafOf(first, leaf).serialNumber);
    }
    assert.equal(next.trusted, first.trusted, "the CA goes on");
  });

  it("are others with another seed, each with a key of its own", async () => {
    const [one, other] = [await issued(1), await issued(1, TODAY, "another seed")];
    const keys = [one, other].flatMap(({ leaves }) => Object.values(leaves).map(({ key }) => key));
    assert.equal(new Set(keys).size, 2 * LEAVES.length);
    assert.equal(await handshake([one, SERVER], [one, CLIENT]), "answer");
    assert.notEqual(await handshake([one, SERVER], [other, CLIENT]), "answer");
  });

  it("are what node and OpenSSL call valid: signed by the CA, with its own key, for its names and uses", async () => {
    const made = await issued(3);
    const authorities = certificatesOf(made.trusted);
    assert.deepEqual(
      authorities.map(({ subject, ca }) => [subject, ca]),
      [2, 3, 4].map((generation) => [`CN=thanos-stack CA ${generation}\nOU=m`, true]),
    );
    for (const authority of authorities) assert.ok(authority.verify(authority.publicKey));
    const signer = authorities[1];
    assert.ok(signer !== undefined);
    for (const leaf of LEAVES) {
      const certificate = leafOf(made, leaf);
      assert.ok(certificate.verify(signer.publicKey) && certificate.checkIssued(signer), leaf.name);
      assert.ok(certificate.checkPrivateKey(createPrivateKey(pairOf(made, leaf).key)), leaf.name);
      assert.equal(certificate.ca, false);
      assert.equal(certificate.subject, `CN=${leaf.name}`);
      assert.equal(
        certificate.subjectAltName,
        leaf.dnsNames.length === 0 ? undefined : leaf.dnsNames.map((name) => `DNS:${name}`).join(", "),
      );
      const uses = [...(leaf.server ? ["1.3.6.1.5.5.7.3.1"] : []), ...(leaf.client ? ["1.3.6.1.5.5.7.3.2"] : [])];
      assert.deepEqual(certificate.keyUsage, uses);
      assert.match(certificate.serialNumber, /^[4-7]/, "positive, and of full length");
    }
  });

  it("begin a day before the quarter and last for three, the CA's for five years more at least", async () => {
    for (const day of ["2026-01-01T00:00:00Z", "2026-12-31T23:59:59Z", "2029-12-31T12:00:00Z", "2030-01-01T00:00:00Z"].map(
      (text) => new Date(text),
    )) {
      const made = await issued(1, day);
      const leaf = leafOf(made, SERVER);
      const [from, to] = [new Date(leaf.validFrom), new Date(leaf.validTo)];
      assert.ok(day.getTime() - from.getTime() >= 24 * 3_600_000, `${day.toISOString()}: ${leaf.validFrom}`);
      assert.ok(to.getTime() - day.getTime() >= 181 * 24 * 3_600_000, `${day.toISOString()}: ${leaf.validTo}`);
      for (const { validTo } of certificatesOf(made.trusted)) {
        assert.ok(new Date(validTo).getUTCFullYear() - day.getUTCFullYear() > 5, validTo);
      }
    }
  });

  it("let nobody in without one, nor with one that is no client's", async () => {
    const made = await issued(1);
    assert.equal(await handshake([made, SERVER], [made, CLIENT]), "answer");
    assert.equal(await handshake([made, GATEWAY], [made, SERVER]), "answer");
    assert.notEqual(await handshake([made, SERVER], undefined), "answer");
    assert.notEqual(await handshake([made, SERVER], [made, GATEWAY]), "answer");
  });

  it("of one generation and the next are trusted by both, in both directions, and of the one after that by neither", async () => {
    const [first, second, third] = [await issued(1), await issued(2), await issued(3)];
    for (const [one, other] of [
      [first, second],
      [second, first],
      [second, third],
      [third, second],
    ] as const) {
      assert.equal(await handshake([one, SERVER], [other, CLIENT]), "answer");
    }
    for (const [one, other] of [
      [first, third],
      [third, first],
    ] as const) {
      assert.notEqual(await handshake([one, SERVER], [other, CLIENT]), "answer");
    }
  });

  it("of a CA that was renewed under its key are trusted by whoever has the earlier certificate of it", async () => {
    const [before, after] = [await issued(1, new Date("2029-12-31T12:00:00Z")), await issued(1, new Date("2030-01-01T00:00:00Z"))];
    assert.notEqual(before.trusted, after.trusted);
    const [earlier] = certificatesOf(before.trusted);
    assert.ok(earlier !== undefined && leafOf(after, SERVER).checkIssued(earlier) && leafOf(after, SERVER).verify(earlier.publicKey));
  });

  it("of a CA for others are signed with keys of its own, and taken by nobody who trusts another CA of the same seed", async () => {
    const order = { stack: "m", generation: 1, day: TODAY, leaves: LEAVES };
    const made = {
      stack: await issue(SEED, order),
      write: await issue(SEED, { ...order, use: "write" }),
      query: await issue(SEED, { ...order, use: "query" }),
    };
    assert.deepEqual(made.stack, await issued(1), "the stack's own, if nothing is said");
    assert.deepEqual(made.write, await issue(SEED, { ...order, use: "write" }), "byte for byte");
    const all = Object.entries(made);
    assert.equal(new Set(all.flatMap(([, { leaves }]) => Object.values(leaves).map(({ key }) => key))).size, 3 * LEAVES.length);
    assert.equal(new Set(all.flatMap(([, { trusted }]) => certificatesOf(trusted).map(({ subject }) => subject))).size, 6);
    for (const [server, one] of all) {
      for (const [client, other] of all) {
        const answer = await handshake([one, SERVER], [{ ...other, trusted: one.trusted }, CLIENT]);
        assert.equal(answer === "answer", server === client, `${client} to ${server}: ${answer}`);
      }
    }
    const bundle = { ...made.stack, trusted: made.stack.trusted + made.write.trusted };
    const at = (client: Issued) => handshake([bundle, SERVER], [{ ...client, trusted: made.stack.trusted }, CLIENT]);
    assert.deepEqual([await at(made.stack), await at(made.write)], ["answer", "answer"]);
    assert.notEqual(await at(made.query), "answer");
  });

  it("of a CA for others go on over its generations as the stack's own do", async () => {
    const at = (generation: number) => issue(SEED, { stack: "m", use: "write", generation, day: TODAY, leaves: LEAVES });
    const [first, second, third] = [await at(1), await at(2), await at(3)];
    assert.equal(await handshake([second, SERVER], [first, CLIENT]), "answer");
    assert.equal(await handshake([first, SERVER], [second, CLIENT]), "answer");
    assert.notEqual(await handshake([third, SERVER], [first, CLIENT]), "answer");
  });
});
