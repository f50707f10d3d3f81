import assert from "node:assert/strict";
import type { Stack } from "@pulumi/pulumi/automation";
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
  "thanos-stack:access": { senders: [NODE_NETWORK], readers: [NODE_NETWORK] },
};
const settings = (tls: object): ConfigOverlay => ({
  ...PLAIN,
  "thanos-stack:tls": { certificates: "program", clients: ["ledger"], ...tls },
});
/** Longest time in seconds in which a Prometheus that is restarted scrapes nothing. */
const RESTART_SECONDS = 90;

/** Leaves of somebody else's CA of the same form. */
const STRANGER: Leaf = { name: "stranger", dnsNames: [SERVER_NAME], server: true, client: true };

describe("encryption on a real cluster", function () {
  this.timeout(20 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  const open = (tls: object = {}): Promise<Stack> => openStack("dev", settings(tls), { stack: NAME });
  const podOf = async (app: string): Promise<Pod> => (await cluster.pods(NAMESPACE, app))[0] ?? assert.fail(`there is no ${app}`);

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

  it("takes nobody without a certificate of its CA, from wherever policies let connect", async () => {
    const outputs = await (await open()).outputs();
    const { ca } = (outputs.tls?.value ?? assert.fail()) as { ca: string };
    const { ledger } = (outputs.tlsClients?.value ?? assert.fail()) as Record<string, { certificate: string; key: string }>;
    assert.ok(ledger !== undefined && outputs.tlsClients?.secret === true && outputs.tls?.secret === false);
    const foreign = await issue("a stranger's seed", { stack: "stranger", generation: 1, day: new Date(), leaves: [STRANGER] });
    const stranger = foreign.leaves.stranger ?? assert.fail();
    const receiver = await podOf("thanos-receive");
    // A querier may connect to 10901 of a receiver, Prometheus to 19291.
    for (const [app, port] of [
      ["thanos-querier", GRPC],
      ["prometheus", REMOTE_WRITE],
    ] as const) {
      const asked = { host: receiver.status.podIP ?? "", port, servername: SERVER_NAME, ca };
      const from = await podOf(app);
      assert.match(await handshakeFrom(from, { ...asked, cert: ledger.certificate, key: ledger.key }), /^true/, `${app}: its own`);
      assert.match(await handshakeFrom(from, asked), /^false/, `${app}: none`);
      assert.match(
        await handshakeFrom(from, { ...asked, cert: stranger.certificate, key: stranger.key }),
        /^false/,
        `${app}: another CA's`,
      );
      assert.match(
        await handshakeFrom(from, { ...asked, ca: foreign.trusted }),
        /^false .*(?:certificate|issuer)/,
        `${app}: another CA trusted`,
      );
    }
  });

  it("goes to another CA in one update under load, which fails no send and no query", async () => {
    const load = await underLoad(await deployedStack(cluster, await open()), {}, async () => {
      const { summary } = await (await open({ generation: 2 })).up();
      const leaves = planTls(settingsOf("dev", { tls: { certificates: "program" } }))?.leaves.length ?? 0;
      assert.equal(changes(summary.resourceChanges).replace ?? 0, leaves, "each Secret is another");
    });
    assertLossless(load);
    await verify(NAME);
  });
});
