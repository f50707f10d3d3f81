import assert from "node:assert/strict";
import type { OutputMap, Stack } from "@pulumi/pulumi/automation";
import { type Leaf, planTls } from "../../model/tls/plan";
import { issue } from "../../objects/authority";
import { openStack } from "../../sandbox/engine";
import type { ConfigOverlay } from "../../sandbox/overlay";
import { NODE_NETWORK } from "../../sandbox/topology";
import { settingsOf } from "../harness";
import { handshakeFrom } from "./edges";
import { assertLossless, Cluster, changes, deployedStack, eventually, type Pod, previewed, remove, underLoad, verify } from "./stack";

/** A ring whose components show each other certificates of the program's, and what happens to writes and queries when these change. */

const NAME = "tls";
const NAMESPACE = "thanos-tls";
const GRPC = 10_901;
const REMOTE_WRITE = 19_291;
const SERVER_NAME = `thanos-stack.${NAMESPACE}.svc.cluster.local`;

const PLAIN: ConfigOverlay = {
  "thanos-stack:namespace": NAMESPACE,
  "thanos-stack:prometheus": { scrapeInterval: "5s", scrapeTimeout: "5s" },
  // Nobody but the stack has a certificate to write with until there is a CA of senders, so that `access` names nobody.
  "thanos-stack:access": { senders: [], readers: [NODE_NETWORK] },
  "thanos-stack:network": { edges: [{ component: "receive", from: [NODE_NETWORK], ports: [REMOTE_WRITE] }] },
};
const settings = (tls: object): ConfigOverlay => ({
  ...PLAIN,
  "thanos-stack:tls": { certificates: "program", clients: { query: ["other"] }, ...tls },
});
/** Longest time in seconds in which a Prometheus that is restarted scrapes nothing. */
const RESTART_SECONDS = 90;

/** Senders of others beside queriers, of another generation of the stack's CA and of theirs. */
const ROTATED = { generation: 2, clients: { write: ["ledger"], query: ["other"], generation: 2 } };

interface Shown {
  certificate: string;
  key: string;
}

/** Leaves of somebody else's CA of the same form. */
const STRANGER: Leaf = { name: "stranger", dnsNames: [SERVER_NAME], server: true, client: true };

describe("encryption on a real cluster", function () {
  this.timeout(20 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  const open = (tls: object = {}): Promise<Stack> => openStack("dev", settings(tls), { stack: NAME });
  const podsOf = (app: string): Promise<Pod[]> => cluster.pods(NAMESPACE, app);
  const podOf = async (app: string): Promise<Pod> => (await podsOf(app))[0] ?? assert.fail(`there is no ${app}`);

  after(() => remove("dev", settings({}), NAME));

  it("gets from plain text to TLS by the step between, in which senders wait, and loses nothing that was scraped", async () => {
    await remove("dev", settings({}), NAME);
    let stack = await openStack("dev", PLAIN, { stack: NAME });
    await stack.up();
    const scraped = async (query: string) =>
      (await (await deployedStack(cluster, stack)).querier.instant(query)).vector[0]?.sample.value ?? 0;
    const newest = () => scraped('max(timestamp(up{job="prometheus"}))');
    const since = await eventually("samples are answered", async () => (await newest()) || undefined);
    for (const tls of [{ stage: "senders" }, {}]) {
      stack = await open(tls);
      await stack.up();
    }
    assert.match(await verify(NAME), /certificates .*the first ends in \d{3} days/);
    assert.deepEqual(await previewed(await open()), [], "the same certificates again, byte for byte");
    const end = await eventually("senders catch up", async () => {
      const at = await newest();
      return at > Date.now() / 1_000 - 60 && at;
    });
    // But for the restart of Prometheus itself; one that was restarted has another address, and so is another instance.
    const between = Math.floor(end - since);
    const seconds = (await scraped(`sum(count_over_time(up{job="prometheus"}[${between}s]))`)) * 5;
    assert.ok(between - seconds <= RESTART_SECONDS, `${seconds} of ${between} s were scraped and are answered`);
  });

  /** Certificates that others have, by their names. */
  const others = async (outputs: OutputMap): Promise<Record<string, Shown>> => (outputs.tlsClients?.value ?? {}) as Record<string, Shown>;

  /** Certificate and key that the stack's own Prometheus has. */
  async function ownCertificate(): Promise<Shown> {
    const { spec } = await podOf("prometheus");
    const volumes = (spec as { volumes?: { name: string; secret?: { secretName: string } }[] }).volumes ?? [];
    const secret = volumes.find(({ name }) => name === "tls")?.secret?.secretName ?? assert.fail("Prometheus mounts no certificate");
    const { data = {} } = (await cluster.get(`/api/v1/namespaces/${NAMESPACE}/secrets/${secret}`)) ?? assert.fail(secret);
    const text = (name: string) => Buffer.from(data[name] ?? "", "base64").toString();
    return { certificate: text("tls.crt"), key: text("tls.key") };
  }

  /** Which of these certificates all servers of a component take, by their names; none takes another. */
  async function taken(from: string, app: string, port: number, ca: string, shown: Record<string, Shown | undefined>): Promise<string[]> {
    const source = await podOf(from);
    const byServer: string[][] = [];
    for (const server of await podsOf(app)) {
      const asked = { host: server.status.podIP ?? "", port, servername: SERVER_NAME, ca };
      const answers = await Promise.all(
        Object.entries(shown).map(async ([name, pair]) => {
          const answer = await handshakeFrom(source, pair === undefined ? asked : { ...asked, cert: pair.certificate, key: pair.key });
          return answer.startsWith("true") ? [name] : [];
        }),
      );
      byServer.push(answers.flat());
    }
    const [first = []] = byServer;
    for (const each of byServer) assert.deepEqual(each, first, `servers of ${app} differ`);
    return first;
  }

  it("takes nobody without a certificate of a CA that is for it, from wherever policies let connect", async () => {
    const outputs = await (await open()).outputs();
    const { ca } = (outputs.tls?.value ?? assert.fail()) as { ca: string };
    const { other, ...rest } = await others(outputs);
    assert.deepEqual(rest, {});
    assert.ok(other !== undefined && outputs.tlsClients?.secret === true && outputs.tls?.secret === false);
    const foreign = await issue("a stranger's seed", { stack: "stranger", generation: 1, day: new Date(), leaves: [STRANGER] });
    const shown = { own: await ownCertificate(), other, stranger: foreign.leaves.stranger, none: undefined };
    // A querier may connect to 10901 of a receiver, Prometheus to 19291; a pod always to itself.
    assert.deepEqual(await taken("prometheus", "thanos-receive", REMOTE_WRITE, ca, shown), ["own"]);
    assert.deepEqual(await taken("thanos-querier", "thanos-receive", GRPC, ca, shown), ["own"]);
    assert.deepEqual(await taken("thanos-querier", "thanos-querier", GRPC, ca, shown), ["own", "other"]);
    const { own } = shown;
    const asked = { port: REMOTE_WRITE, servername: SERVER_NAME, ca: foreign.trusted, cert: own.certificate, key: own.key };
    const host = (await podOf("thanos-receive")).status.podIP ?? "";
    assert.match(
      await handshakeFrom(await podOf("prometheus"), { ...asked, host }),
      /^false .*(?:certificate|issuer)/,
      "a CA of others trusted",
    );
  });

  it("gets a CA of senders, and goes to others of its own and of queriers, in one update under load that fails no send and no query", async () => {
    const before = await others(await (await open()).outputs());
    // Who writes meanwhile has one of the stack's own certificates: there is none of senders before the update.
    const load = await underLoad(await deployedStack(cluster, await open(), undefined, await ownCertificate()), {}, async () => {
      const { summary } = await (await open(ROTATED)).up();
      const leaves = planTls(settingsOf("dev", { tls: { certificates: "program" } }))?.leaves.length ?? 0;
      const { replace = 0, create = 0 } = changes(summary.resourceChanges);
      assert.equal(replace, leaves + 1, "each Secret is another, and what queriers trust");
      assert.equal(create, 1, "what receivers trust");
    });
    assertLossless(load);
    await verify(NAME);
    const outputs = await (await open(ROTATED)).outputs();
    const { ca } = (outputs.tls?.value ?? assert.fail()) as { ca: string };
    const after = await others(outputs);
    const shown = { own: await ownCertificate(), ledger: after.ledger, before: before.other, after: after.other };
    assert.notEqual(before.other?.certificate, after.other?.certificate);
    // Senders are told of their certificates when every receiver takes them.
    assert.deepEqual(await taken("prometheus", "thanos-receive", REMOTE_WRITE, ca, shown), ["own", "ledger"]);
    assert.deepEqual(await taken("thanos-querier", "thanos-receive", GRPC, ca, shown), ["own"]);
    assert.deepEqual(await taken("thanos-querier", "thanos-querier", GRPC, ca, shown), ["own", "before", "after"]);
    const { writer } = await deployedStack(cluster, await open(ROTATED));
    await writer.send([{ labels: { __name__: "by_a_certificate_of_senders" }, samples: [{ timestampMs: Date.now(), value: 1 }] }]);
  });
});
