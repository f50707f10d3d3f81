import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { parse } from "yaml";
import type { PrometheusClient } from "../../clients/prometheus";
import { openProgram, openStack } from "../../sandbox/engine";
import { type ConfigOverlay, mergeConfig } from "../../sandbox/overlay";
import { paths } from "../../sandbox/paths";
import { CONTEXT } from "../../sandbox/topology";
import { dashboards, queriesOf } from "../examples/dashboards";
import { APP_DIRECTORY } from "../examples/program";
import { Cluster, changes, deployedStack, eventually, failure, previewed } from "./stack";

const PROJECT = "thanos-app";
const NAMESPACE = "greeter-dev";
const TENANT = "greeter";
const APP = "greeter";
/** The platform: dev under names of its own, so that dev may be there too. */
const PLATFORM = "platform";
const PLATFORM_NAMESPACE = "thanos-platform";
/** Grafana's image can't be had where the sandbox runs; all else of it is deployed. */
const WITHOUT_POD = { grafana: { replicas: 0 } };

/** The platform scrapes often, so that rates have something to be taken over soon. */
const OFTEN: ConfigOverlay = {
  "thanos-stack:namespace": PLATFORM_NAMESPACE,
  "thanos-stack:prometheus": { scrapeInterval: "5s", scrapeTimeout: "4s" },
};
const WITH_FRONTEND: ConfigOverlay = {
  ...OFTEN,
  "thanos-stack:queryFrontend": {
    replicas: 1,
    antiAffinity: "soft",
    cache: { replicas: 1, memory: "64Mi" },
    resources: { cpu: "20m", memory: "128Mi" },
  },
};

const platform = (config: ConfigOverlay = OFTEN): Promise<Stack> => openStack("dev", config, { stack: PLATFORM });

/** The example's program, as if in a new process. */
async function program(): Promise<Record<string, unknown>> {
  for (const path of Object.keys(require.cache)) if (path.startsWith(APP_DIRECTORY)) delete require.cache[path];
  return (require(join(APP_DIRECTORY, "index")) as () => Promise<Record<string, unknown>>)();
}

/** A stack of the example: Pulumi.dev.yaml, the sandbox's cluster, and changes. */
function appStack(stack: string, overrides: Record<string, ConfigOverlay[string]> = {}): Promise<Stack> {
  const { config } = parse(readFileSync(join(APP_DIRECTORY, "Pulumi.dev.yaml"), "utf8")) as { config: ConfigOverlay };
  const changed = Object.fromEntries(Object.entries(overrides).map(([key, value]) => [`${PROJECT}:${key}`, value]));
  const cluster = { [`${PROJECT}:cluster`]: { kubeconfig: paths().kubeconfig, context: CONTEXT } };
  const below = { [`${PROJECT}:platform`]: `organization/thanos-stack/${PLATFORM}` };
  const agent = { [`${PROJECT}:agent`]: { scrapeInterval: "5s" } };
  return openProgram({
    project: PROJECT,
    stack,
    folder: APP_DIRECTORY,
    program,
    config: mergeConfig(config, below, cluster, agent, { [`${PROJECT}:grafana`]: WITHOUT_POD.grafana }, changed),
  });
}

/** Names of queries that have no answer, or only answers that are not numbers. */
async function unanswered(querier: PrometheusClient): Promise<string[]> {
  const values = { cluster: "dev", namespace: PLATFORM_NAMESPACE, app: APP };
  const queries = [...dashboards().values()].flatMap((dashboard) => queriesOf(dashboard, values));
  assert.ok(queries.length > 50, `${queries.length} queries`);
  const empty: string[] = [];
  for (const { dashboard, where, expr } of queries) {
    const { vector } = await querier.instant(expr, { partialResponse: false });
    if (!vector.some((each) => !Number.isNaN(each.sample.value))) empty.push(`${dashboard}: ${where}: ${expr}`);
  }
  return empty;
}

describe("an app stack beside its platform", function () {
  this.timeout(10 * 60_000);
  this.bail(true);
  const cluster = new Cluster();

  it("comes up on the platform's outputs, both from nothing", async () => {
    const stack = await appStack("dev");
    await stack.destroy();
    await (await platform()).destroy();
    await (await platform()).up();
    await stack.up();
    assert.deepEqual(changes((await stack.preview()).changeSummary), {});
    const pods = await cluster.pods(NAMESPACE);
    assert.deepEqual(pods.map((pod) => pod.metadata.labels?.["app.kubernetes.io/name"]).sort(), [APP, "prometheus-agent"]);
  });

  it("is found through the platform's querier under its own tenant, request by request", async () => {
    const { querier } = await deployedStack(cluster, await platform());
    const { serviceUrl } = await (await appStack("dev")).outputs();
    const service = await cluster.serviceAddress(String(serviceUrl?.value));
    for (let request = 0; request < 7; request++) {
      const answer = await fetch(`${service}/cgi-bin/hello`);
      assert.equal(await answer.text(), "Hello\n");
    }
    // A pod of an earlier run is answered for five more minutes.
    const [pod] = await cluster.pods(NAMESPACE, APP);
    const found = await eventually("seven greetings are counted", async () => {
      const { vector } = await querier.instant(`http_requests_total{app="${APP}",handler="hello",pod="${pod?.metadata.name}"}`);
      return vector.length === 1 && vector[0]?.sample.value === 7 && vector[0];
    });
    const { tenant_id: tenant, cluster: name, job, namespace, prometheus_replica: replica } = found.labels;
    assert.deepEqual(
      { tenant, name, job, namespace, replica },
      { tenant: TENANT, name: "dev", job: APP, namespace: NAMESPACE, replica: undefined },
    );
    // Samples of one scrape reach the ring in several requests: `up` may be a moment behind.
    const asked = (query: string, label: string) =>
      eventually(`an answer to ${query}`, async () => {
        const { vector } = await querier.instant(query);
        return vector.length > 0 && vector.map((each) => each.labels[label]);
      });
    assert.deepEqual(await asked(`count by (tenant_id) ({app="${APP}"})`, "tenant_id"), [TENANT]);
    assert.deepEqual(await asked(`count by (app) (up{tenant_id="${TENANT}"})`, "app"), [APP]);
  });

  it("has dashboards of which every query is answered", async () => {
    const { querier } = await deployedStack(cluster, await platform());
    let last: string[] = [];
    try {
      await eventually("every query of every dashboard has an answer", async () => {
        last = await unanswered(querier);
        return last.length === 0;
      });
    } finally {
      if (last.length > 0) console.log(last.map((each) => `      no answer: ${each}`).join("\n"));
    }
  });

  it("keeps Grafana's generated password in a Secret and in a secret output", async () => {
    const { grafanaAdminPassword } = await (await appStack("dev")).outputs();
    assert.equal(grafanaAdminPassword?.secret, true);
    const secrets = await cluster.list(`/api/v1/namespaces/${NAMESPACE}/secrets`);
    const [stored] = secrets.flatMap((secret) => secret.data?.["admin-password"] ?? []);
    assert.equal(Buffer.from(stored ?? "", "base64").toString(), grafanaAdminPassword?.value);
    assert.equal(String(grafanaAdminPassword?.value).length, 32);
  });

  it("refuses a second stack that would send as the first, and takes one that differs", async () => {
    const other = { namespace: "greeter-other", peers: ["organization/thanos-app/dev"] };
    const message = await failure(async () => (await appStack("other", other)).preview());
    assert.match(message, /organization\/thanos-app\/dev already sends to organization\/thanos-stack\/platform as tenant greeter/);
    assert.match(await failure(async () => (await appStack("other", other)).up()), /Change tenant, app or externalLabels/);
    assert.equal(await cluster.get("/api/v1/namespaces/greeter-other"), undefined);
    const differing = await previewed(await appStack("other", { ...other, externalLabels: { team: "other" } }));
    assert.ok(differing.includes("create StatefulSet agent"), differing.join("\n"));
    // A refused update leaves the references that it read, and nothing else.
    const stack = await appStack("other", other);
    const { deployment } = (await stack.exportStack()) as { deployment: { resources?: { type: string }[] } };
    assert.deepEqual(
      (deployment.resources ?? []).map((resource) => resource.type).filter((type) => !type.startsWith("pulumi:")),
      [],
    );
    await stack.destroy();
    await stack.workspace.removeStack("other");
  });

  it("shows exactly what an endpoint that moves changes", async () => {
    const stack = await appStack("dev");
    assert.deepEqual(await previewed(stack), []);
    const moved = await platform(WITH_FRONTEND);
    await moved.up();
    const { outputs } = await deployedStack(cluster, moved);
    assert.match(outputs.queryUrl, /thanos-query-frontend/);
    const planned = await previewed(stack);
    assert.deepEqual(
      [...new Set(planned.map((each) => each.split(" ").slice(1).join(" ")))],
      ["ConfigMap grafana-datasources", "Deployment grafana"],
    );
    assert.ok(planned.includes("update Deployment grafana"), planned.join("\n"));
    await stack.up();
    const maps = await cluster.list(`/api/v1/namespaces/${NAMESPACE}/configmaps`);
    const sources = maps.flatMap((map) => map.data?.["datasources.yaml"] ?? []);
    assert.equal(sources.length, 1);
    assert.ok(sources[0]?.includes(outputs.queryUrl), sources[0]);
    assert.deepEqual(changes((await stack.preview()).changeSummary), {});
  });

  it("is destroyed, and its platform after it, without leaving anything in the cluster", async () => {
    const app = await appStack("dev");
    await app.destroy();
    await app.workspace.removeStack("dev");
    const below = await platform(WITH_FRONTEND);
    await below.destroy();
    await below.workspace.removeStack(PLATFORM);
    for (const path of ["/api/v1/namespaces", "/api/v1/persistentvolumes", "/apis/rbac.authorization.k8s.io/v1/clusterroles"]) {
      const names = (await cluster.list(path)).map((each) => each.metadata.name);
      assert.deepEqual(
        names.filter((name) => name.startsWith(NAMESPACE) || name.startsWith(PLATFORM_NAMESPACE)),
        [],
        path,
      );
    }
  });
});
