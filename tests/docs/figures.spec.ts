import assert from "node:assert/strict";
import type { ProgramRun } from "../../commands/program";
import { cuttingEveryMinute } from "../../gates/upload";
import { leastHandoverSeconds } from "../../model/retention/handover";
import { prometheusRetentionTime } from "../../model/retention/prometheus";
import { receiveRetentionTime } from "../../model/retention/receivers";
import { defaultRequestLimits } from "../../model/ring/limits";
import type { Settings } from "../../model/settings/schema";
import { durationSeconds } from "../../model/values/quantity";
import { HISTORY, HOST_PATH } from "../components/plans";
import { container, objects, prometheusSets, receiverSets, resource, ringSettings, run, settingsOf } from "../harness";
import { readDocument } from "./documents";

/**
 * Figures that documents promise and no key of the stack file holds: each is taken from what is made, and
 * looked for in the sentence that names it.
 */

const pageOf = (path: string): string => readDocument(path).text.replace(/\s+/g, " ");
const OPERATIONS = pageOf("docs/operations.md");
const MIGRATION = pageOf("docs/migration.md");
const DECISIONS = pageOf("docs/decisions.md");
const CONFIGURATION = pageOf("docs/configuration.md");

const says = (page: string, sentence: string) => assert.ok(page.includes(sentence), `no longer said: ${sentence}`);
/** `four hours`, `an hour`. */
const hours = (duration: string): string => {
  const count = durationSeconds(duration) / 3_600;
  return count === 1 ? "an hour" : `${["no", "one", "two", "three", "four", "five", "six"][count]} hours`;
};

describe("figures of docs/operations.md and docs/migration.md", () => {
  let prod: ProgramRun;
  before(async () => {
    prod = await run("prod");
  });

  it("how long the engine waits for restarts", () => {
    const timeouts = ["thanos-receive-z1", "prometheus"].map((name) => {
      const { create, update } = resource(prod, "kubernetes:apps/v1:StatefulSet", name).options.timeouts;
      assert.equal(create, update);
      return hours(update);
    });
    says(OPERATIONS, `That may take up to ${timeouts[0]} before Pulumi gives up`);
    says(DECISIONS, `${timeouts[0]} for receivers, ${timeouts[1]} for Prometheus`);
  });

  it("how long a start may take, and how often readiness is asked for", () => {
    for (const set of [...receiverSets(prod), ...prometheusSets(prod)]) {
      const { startupProbe, readinessProbe } = container(set);
      const minutes = ((startupProbe?.periodSeconds ?? 10) * (startupProbe?.failureThreshold ?? 3)) / 60;
      says(MIGRATION, `startup up to ${minutes} minutes, readiness every ${readinessProbe?.periodSeconds} s`);
      says(OPERATIONS, `it has ${minutes} minutes before Kubernetes restarts it`);
    }
  });

  it("how long a receiver may take to end", () => {
    for (const set of receiverSets(prod)) {
      says(MIGRATION, `\`receive.rollout.gracePeriodSeconds\`, ${set.spec.template.spec.terminationGracePeriodSeconds} `);
    }
  });

  it("whose the directories of nodes are, and what their volumes are said to hold", async () => {
    const made = await run(HOST_PATH.stack, HOST_PATH.overrides);
    const [thanos, prometheus] = [receiverSets(made), prometheusSets(made)].map(
      ([set]) => set?.spec.template.spec.securityContext?.runAsUser,
    );
    says(OPERATIONS, `owned by the pod's user (${thanos} for Thanos, ${prometheus} for Prometheus)`);
    const sizes = new Set(objects(made, "PersistentVolume").map(({ spec }) => spec.capacity.storage));
    assert.equal(sizes.size, 1);
    says(OPERATIONS, `the ${[...sizes][0]} of the volume objects means nothing`);
  });

  it("how much of its log a container may keep", () => {
    for (const set of receiverSets(prod)) {
      says(OPERATIONS, `its kubelet keeps more than ${container(set).resources.limits["ephemeral-storage"]} of one container's log`);
    }
  });

  it("which argument lets leaving receivers cut their heads", () => {
    const containers = [{ name: "thanos-receive", args: ["receive"] }];
    const applied = { metadata: { name: "a" }, spec: { replicas: 2, template: { spec: { containers } } } };
    const cutting = cuttingEveryMinute(applied as unknown as Parameters<typeof cuttingEveryMinute>[0], 1);
    const [, argument = ""] = cutting.spec.template.spec.containers[0]?.args ?? [];
    assert.match(argument, /=1m$/);
    says(OPERATIONS, `a partitioned update of the StatefulSet with \`${argument}\``);
    says(OPERATIONS, "with blocks of a minute instead of two hours");
  });

  it("how long the article's ring and this one stand side by side", () => {
    const settings = settingsOf("dev");
    says(
      MIGRATION,
      `when \`receive.retention.time\` has passed (${receiveRetentionTime(ringSettings(settings), settings).replace("d", " d")})`,
    );
  });
});

describe("figures of docs/configuration.md", () => {
  const withBucket = settingsOf("prod", HISTORY.overrides);
  const without: Settings = { ...withBucket, objectStorage: undefined };

  it("how long samples stay with those who keep them themselves, where nothing is said of it", () => {
    const receive = { ...ringSettings(withBucket), retention: {} };
    const [ring, ringWithBucket] = [without, withBucket].map((settings) => receiveRetentionTime(receive, settings));
    says(CONFIGURATION, `Left out: ${ring}, or beside a bucket ${ringWithBucket},`);
    const prometheus = (settings: Settings, ingestion: Settings["ingestion"]) =>
      prometheusRetentionTime({ ...settings, ingestion, prometheus: { ...settings.prometheus, retention: {} } });
    says(CONFIGURATION, `Left out: ${prometheus(without, "receive")} behind a ring;`);
    says(CONFIGURATION, `with sidecars ${prometheus(withBucket, "sidecar")} beside a bucket,`);
    says(CONFIGURATION, `and ${prometheus(without, "sidecar")} without one.`);
  });

  it("the least age at which a bucket surely has a sample", () => {
    assert.ok(withBucket.objectStorage !== undefined);
    const { storeGateway } = withBucket.objectStorage;
    const least = (syncInterval: string) => leastHandoverSeconds({ storeGateway: { ...storeGateway, syncInterval } });
    const each = least("1h") - least("0s");
    says(
      CONFIGURATION,
      `${least("0s") / 3_600}h and ${["no", "one", "two", "three", "four"][each / 3_600]} times \`objectStorage.storeGateway.syncInterval\``,
    );
  });

  it("what one request may hold, where nothing is said of it", () => {
    const bytes = 2 ** 40;
    const receive = { ...ringSettings(withBucket), mode: "router-ingester" as const };
    const large = defaultRequestLimits({ ...receive, resources: { ...receive.resources, memory: "1Ti" } }, withBucket);
    assert.equal(bytes / large.sizeBytes, 16);
    says(CONFIGURATION, "a sixteenth of the memory of whatever takes requests");
    says(CONFIGURATION, `one for each ${bytes / large.series / 1_024} KiB of that memory`);
    const small = defaultRequestLimits({ ...receive, resources: { ...receive.resources, memory: "64Mi" } }, withBucket);
    const { maxSamplesPerSend } = withBucket.prometheus.remoteWrite;
    says(
      CONFIGURATION,
      `at least ${small.sizeBytes / maxSamplesPerSend / 1_024} KiB for each of \`prometheus.remoteWrite.maxSamplesPerSend\``,
    );
    says(CONFIGURATION, `Left out: ${large.samples / large.series} for each series`);
  });
});
