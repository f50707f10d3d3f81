import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  DiscoveryV1Api,
  KubeConfig,
  RbacAuthorizationV1Api,
  SchedulingV1Api,
} from "@kubernetes/client-node";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type EngineEvent, LocalWorkspace, type PulumiFn, type Stack } from "@pulumi/pulumi/automation";
import * as random from "@pulumi/random";
import "../../sandbox/engineConnections";
import { installPlugins } from "../../sandbox/plugins/install";

/**
 * The stand-in providers under the real engine against a real API server. No container has to run: pods are made
 * unschedulable on purpose, and where one has to be ready, the test says so in its status.
 */

function needed(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} has to be set`);
  return value;
}

const noNode = { "thanos-stack.test/nowhere": "true" };
const labels = { app: "trial" };

interface Run {
  output: string;
  events: EngineEvent[];
}

describe("stand-in providers", function () {
  this.timeout(300_000);

  let directory: string;
  let kubeconfig: string;
  let context: string;
  let core: CoreV1Api;
  let apps: AppsV1Api;
  let discovery: DiscoveryV1Api;
  let rbac: RbacAuthorizationV1Api;
  let scheduling: SchedulingV1Api;
  let namespace: string;
  let stacks: Stack[];

  before(() => {
    kubeconfig = needed("THANOS_STACK_KUBECONFIG");
    context = needed("THANOS_STACK_CONTEXT");
    installPlugins(needed("PULUMI_HOME"));
    directory = mkdtempSync(join(tmpdir(), "thanos-stack-plugins-"));
    mkdirSync(join(directory, "state"));
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    config.setCurrentContext(context);
    core = config.makeApiClient(CoreV1Api);
    apps = config.makeApiClient(AppsV1Api);
    discovery = config.makeApiClient(DiscoveryV1Api);
    rbac = config.makeApiClient(RbacAuthorizationV1Api);
    scheduling = config.makeApiClient(SchedulingV1Api);
  });

  beforeEach(() => {
    namespace = `plugins-${randomBytes(4).toString("hex")}`;
    stacks = [];
  });

  afterEach(async () => {
    for (const stack of stacks) {
      await stack.destroy({ color: "never" });
    }
    await core.deleteNamespace({ name: namespace }).catch(absent);
  });

  after(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  function absent(error: unknown): void {
    assert.ok(error instanceof ApiException && error.code === 404, String(error));
  }

  async function isAbsent(read: Promise<unknown>): Promise<boolean> {
    return read.then(
      () => false,
      (error: unknown) => {
        absent(error);
        return true;
      },
    );
  }

  async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = Date.now() + 30_000;
    while (Date.now() < deadline) {
      const found = await look();
      if (found !== undefined) {
        return found;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${what}: not within 30 s`);
  }

  /** A stack whose program is given at each operation. */
  async function stackOf(name: string) {
    const backend = `file://${join(directory, "state")}`;
    let program: PulumiFn = async () => {};
    const stack = await LocalWorkspace.createOrSelectStack(
      { stackName: name, projectName: "plugins", program: () => program() },
      {
        envVars: {
          PULUMI_BACKEND_URL: backend,
          PULUMI_CONFIG_PASSPHRASE: "passphrase",
          PULUMI_SKIP_UPDATE_CHECK: "true",
          PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        },
      },
    );
    stacks.push(stack);
    const watched = () => {
      const run: Run = { output: "", events: [] };
      const options = {
        color: "never" as const,
        onOutput: (text: string) => {
          run.output += text;
        },
        onEvent: (event: EngineEvent) => {
          run.events.push(event);
        },
      };
      return { run, options };
    };
    return {
      stack,
      async preview(next: PulumiFn) {
        program = next;
        const { run, options } = watched();
        const { changeSummary } = await stack.preview(options);
        return { ...run, changes: changeSummary };
      },
      async up(next: PulumiFn) {
        program = next;
        const { run, options } = watched();
        const { outputs, summary } = await stack.up(options);
        return { ...run, outputs, changes: summary.resourceChanges ?? {} };
      },
      /** The text of an operation that has to fail. */
      async refusal(operation: "preview" | "up", next: PulumiFn, signal?: AbortSignal): Promise<string> {
        program = next;
        const { run, options } = watched();
        await assert.rejects(operation === "preview" ? stack.preview(options) : stack.up({ ...options, ...(signal ? { signal } : {}) }));
        return run.output;
      },
      async refresh() {
        const { run, options } = watched();
        const { summary } = await stack.refresh(options);
        return { ...run, changes: summary.resourceChanges ?? {} };
      },
      async destroy() {
        await stack.destroy({ color: "never" });
      },
    };
  }

  function provider(args: Partial<k8s.ProviderArgs> = {}): pulumi.CustomResourceOptions {
    return { provider: new k8s.Provider("cluster", { kubeconfig, context, enableConfigMapMutable: true, ...args }) };
  }

  /** A program with the provider and the namespace that most need. */
  function inNamespace(
    fill: (options: pulumi.CustomResourceOptions, namespace: pulumi.Output<string>) => Record<string, unknown> | undefined,
  ): PulumiFn {
    return async () => {
      const options = provider();
      const made = new k8s.core.v1.Namespace("namespace", { metadata: { name: namespace } }, options);
      return fill(options, made.metadata.name) ?? {};
    };
  }

  function operations(events: readonly EngineEvent[], name: string): string[] {
    return events.flatMap(({ resourcePreEvent }) =>
      resourcePreEvent?.metadata.urn.endsWith(`::${name}`) && resourcePreEvent.metadata.op !== "same" ? [resourcePreEvent.metadata.op] : [],
    );
  }

  function differences(events: readonly EngineEvent[], name: string): Record<string, string> {
    // Of the several steps of a replacement, only one carries the difference.
    const found = events.flatMap(({ resourcePreEvent }) =>
      resourcePreEvent?.metadata.urn.endsWith(`::${name}`) ? Object.entries(resourcePreEvent.metadata.detailedDiff ?? {}) : [],
    );
    return Object.fromEntries(found.map(([path, { diffKind }]) => [path, diffKind]));
  }

  function podTemplate(image = "registry.invalid/none:1") {
    return { metadata: { labels }, spec: { nodeSelector: noNode, containers: [{ name: "main", image }] } };
  }

  async function makePodsReady(): Promise<void> {
    const pods = await until("pods", async () => {
      const { items } = await core.listNamespacedPod({ namespace });
      return items.length > 0 ? items : undefined;
    });
    const since = new Date();
    for (const { metadata } of pods) {
      await core.patchNamespacedPodStatus({
        namespace,
        name: metadata?.name ?? "",
        body: [
          { op: "replace", path: "/status/phase", value: "Running" },
          { op: "add", path: "/status/conditions", value: [{ type: "Ready", status: "True", lastTransitionTime: since }] },
        ],
      });
    }
  }

  it("creates every kind the program uses, changes nothing when nothing changed, and leaves nothing behind", async () => {
    const trial = await stackOf(`all-${namespace}`);
    const program = inNamespace((options, inside) => {
      const account = new k8s.core.v1.ServiceAccount("account", { metadata: { namespace: inside } }, options);
      const role = new k8s.rbac.v1.Role(
        "role",
        { metadata: { namespace: inside }, rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
        options,
      );
      new k8s.rbac.v1.RoleBinding(
        "binding",
        {
          metadata: { namespace: inside },
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
          subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace: inside }],
        },
        options,
      );
      new k8s.rbac.v1.ClusterRole("cluster-role", { rules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["get"] }] }, options);
      const config = new k8s.core.v1.ConfigMap(
        "config",
        { metadata: { namespace: inside }, immutable: true, data: { key: "value" } },
        options,
      );
      const headless = new k8s.core.v1.Service(
        "headless",
        { metadata: { namespace: inside, name: "headless" }, spec: { clusterIP: "None", selector: labels, ports: [{ port: 80 }] } },
        options,
      );
      const set = new k8s.apps.v1.StatefulSet(
        "set",
        {
          metadata: { namespace: inside, name: "set" },
          spec: {
            replicas: 0,
            serviceName: headless.metadata.name,
            selector: { matchLabels: labels },
            template: podTemplate(),
            volumeClaimTemplates: [
              { metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
            ],
          },
        },
        options,
      );
      new k8s.apps.v1.Deployment(
        "deployment",
        { metadata: { namespace: inside }, spec: { replicas: 0, selector: { matchLabels: labels }, template: podTemplate() } },
        options,
      );
      new k8s.policy.v1.PodDisruptionBudget(
        "budget",
        { metadata: { namespace: inside }, spec: { minAvailable: 1, selector: { matchLabels: labels } } },
        options,
      );
      new k8s.networking.v1.NetworkPolicy(
        "policy",
        { metadata: { namespace: inside }, spec: { podSelector: {}, policyTypes: ["Ingress"] } },
        options,
      );
      return { config: config.metadata.name, uid: set.metadata.uid, status: set.status.replicas, account: account.id };
    });

    const created = await trial.up(program);
    assert.equal(created.changes.create, 13);
    const set = await apps.readNamespacedStatefulSet({ namespace, name: "set" });
    assert.equal(created.outputs.uid?.value, set.metadata?.uid);
    assert.equal(created.outputs.status?.value, 0);
    const config = String(created.outputs.config?.value);
    assert.match(config, /^config-[0-9a-f]{8}$/);
    assert.deepEqual((await core.readNamespacedConfigMap({ namespace, name: config })).data, { key: "value" });
    assert.match(String(created.outputs.account?.value), new RegExp(`^${namespace}/account-[0-9a-f]{8}$`));

    assert.deepEqual((await trial.preview(program)).changes, { same: 13 });
    const again = await trial.up(program);
    assert.deepEqual(again.changes, { same: 13 });
    assert.equal(again.outputs.config?.value, config);

    await trial.destroy();
    assert.ok(await isAbsent(core.readNamespace({ name: namespace })));
  });

  it("updates in place what can be, and takes away what the program no longer says", async () => {
    const trial = await stackOf(`update-${namespace}`);
    const program = (data: Record<string, string>, image: string) =>
      inNamespace((options, inside) => {
        new k8s.core.v1.ConfigMap("fixed", { metadata: { namespace: inside, name: "fixed" }, data }, options);
        new k8s.apps.v1.Deployment(
          "deployment",
          {
            metadata: { namespace: inside, name: "deployment" },
            spec: { replicas: 0, selector: { matchLabels: labels }, template: podTemplate(image) },
          },
          options,
        );
        return {};
      });
    await trial.up(program({ ring: "one", old: "gone" }, "registry.invalid/none:1"));
    const before = await core.readNamespacedConfigMap({ namespace, name: "fixed" });
    const managers = ({ metadata }: typeof before) => metadata?.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`);
    assert.deepEqual(managers(before), ["pulumi-kubernetes Update"]);

    const changed = program({ ring: "two" }, "registry.invalid/none:2");
    const preview = await trial.preview(changed);
    assert.deepEqual(preview.changes, { same: 3, update: 2 });
    assert.deepEqual(differences(preview.events, "fixed"), { "data.ring": "update", "data.old": "delete" });
    assert.deepEqual(differences(preview.events, "deployment"), { "spec.template.spec.containers[0].image": "update" });
    assert.deepEqual((await core.readNamespacedConfigMap({ namespace, name: "fixed" })).data, { ring: "one", old: "gone" });

    await trial.up(changed);
    const after = await core.readNamespacedConfigMap({ namespace, name: "fixed" });
    assert.deepEqual(after.data, { ring: "two" });
    assert.equal(after.metadata?.uid, before.metadata?.uid);
    assert.match(managers(after)?.join() ?? "", /^pulumi-kubernetes-[0-9a-f]{8} Apply$/);
    const deployment = await apps.readNamespacedDeployment({ namespace, name: "deployment" });
    assert.equal(deployment.spec?.template.spec?.containers[0]?.image, "registry.invalid/none:2");
  });

  it("replaces an autonamed object by creating first, a named one by deleting first", async () => {
    const trial = await stackOf(`replace-${namespace}`);
    const program = (value: string) =>
      inNamespace((options, inside) => {
        const config = new k8s.core.v1.ConfigMap(
          "config",
          { metadata: { namespace: inside }, immutable: true, data: { key: value } },
          options,
        );
        new k8s.apps.v1.StatefulSet(
          "set",
          {
            metadata: { namespace: inside, name: "set" },
            spec: { replicas: 0, serviceName: value, selector: { matchLabels: labels }, template: podTemplate() },
          },
          options,
        );
        return { config: config.metadata.name };
      });
    const first = await trial.up(program("one"));
    const preview = await trial.preview(program("two"));
    assert.deepEqual(preview.changes, { same: 3, replace: 2 });
    assert.deepEqual(differences(preview.events, "set"), { "spec.serviceName": "update-replace" });
    const second = await trial.up(program("two"));
    assert.deepEqual(operations(second.events, "config"), ["create-replacement", "replace", "delete-replaced"]);
    assert.deepEqual(operations(second.events, "set"), ["delete-replaced", "replace", "create-replacement"]);
    assert.notEqual(second.outputs.config?.value, first.outputs.config?.value);
    assert.ok(await isAbsent(core.readNamespacedConfigMap({ namespace, name: String(first.outputs.config?.value) })));
    assert.equal((await apps.readNamespacedStatefulSet({ namespace, name: "set" })).spec?.serviceName, "two");
  });

  it("replaces where the API server says that a field cannot change, without a rule of its own", async () => {
    const trial = await stackOf(`immutable-${namespace}`);
    const name = `priority-${namespace}`;
    const program =
      (value: number, description: string): PulumiFn =>
      async () => {
        new k8s.scheduling.v1.PriorityClass("priority", { metadata: { name }, value, description }, provider());
      };
    await trial.up(program(10, "first"));
    assert.deepEqual((await trial.preview(program(10, "second"))).changes, { same: 2, update: 1 });
    const preview = await trial.preview(program(20, "first"));
    assert.deepEqual(differences(preview.events, "priority"), { value: "update-replace" });
    await trial.up(program(20, "first"));
    assert.equal((await scheduling.readPriorityClass({ name })).value, 20);
  });

  it("keeps a ConfigMap's data as a reason to replace where the mutable mode is off", async () => {
    const trial = await stackOf(`modes-${namespace}`);
    const program =
      (value: string): PulumiFn =>
      async () => {
        const options = provider({ enableConfigMapMutable: false });
        const made = new k8s.core.v1.Namespace("namespace", { metadata: { name: namespace } }, options);
        new k8s.core.v1.ConfigMap("config", { metadata: { namespace: made.metadata.name }, data: { key: value } }, options);
      };
    await trial.up(program("one"));
    assert.deepEqual(differences((await trial.preview(program("two"))).events, "config"), { "data.key": "update-replace" });
  });

  it("refuses at preview what the API server would refuse, before anything exists", async () => {
    const trial = await stackOf(`invalid-${namespace}`);
    const invalid = await trial.refusal(
      "preview",
      inNamespace((options, inside) => {
        new k8s.core.v1.Service(
          "service",
          { metadata: { namespace: inside, name: "service" }, spec: { ports: [{ port: 70_000 }] } },
          options,
        );
        return {};
      }),
    );
    assert.match(invalid, /spec\.ports\[0\]\.port: Invalid value/);
    const misspelt = await trial.refusal(
      "preview",
      inNamespace((options, inside) => {
        const spec = { podSelector: {}, policyTypes: ["Ingress"], misspelt: true };
        new k8s.networking.v1.NetworkPolicy("policy", { metadata: { namespace: inside, name: "policy" }, spec }, options);
        return {};
      }),
    );
    assert.match(misspelt, /unknown field "spec\.misspelt"/);
    assert.ok(await isAbsent(core.readNamespace({ name: namespace })));
  });

  it("refuses kinds that are not served, and parts of the official provider it does not have", async () => {
    const trial = await stackOf(`kinds-${namespace}`);
    const unserved = await trial.refusal("preview", async () => {
      new k8s.apiextensions.CustomResource(
        "wrong",
        { apiVersion: "apps/v1", kind: "Statefulset", metadata: { name: "wrong" } },
        provider(),
      );
    });
    assert.match(unserved, /does not serve apps\/v1 Statefulset/);
    const text = await trial.refusal("preview", async () => {
      new k8s.core.v1.NamespacePatch("patch", { metadata: { name: "default" } }, provider());
    });
    assert.match(text, /NamespacePatch is not offered/);
  });

  it("shows the API server's warnings, and pods that break Pod Security, at preview", async () => {
    const trial = await stackOf(`warn-${namespace}`);
    const program =
      (replicas: number): PulumiFn =>
      async () => {
        const options = provider();
        const secured = { name: namespace, labels: { "pod-security.kubernetes.io/warn": "restricted" } };
        const made = new k8s.core.v1.Namespace("namespace", { metadata: secured }, options);
        const spec = { replicas, selector: { matchLabels: labels }, template: podTemplate() };
        new k8s.apps.v1.Deployment(
          "deployment",
          { metadata: { namespace: made.metadata.name, annotations: { "pulumi.com/skipAwait": "true" } }, spec },
          options,
        );
      };
    await trial.up(program(0));
    assert.match((await trial.preview(program(1))).output, /would violate PodSecurity "restricted:latest"/);
  });

  it("refuses to take over an object that exists, when it would create it", async () => {
    await core.createNamespace({ body: { metadata: { name: namespace } } });
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "taken" }, data: { key: "theirs" } } });
    const trial = await stackOf(`exists-${namespace}`);
    const program: PulumiFn = async () => {
      new k8s.core.v1.ConfigMap("taken", { metadata: { namespace, name: "taken" }, data: { key: "ours" } }, provider());
    };
    assert.equal((await trial.preview(program)).changes.create, 3);
    assert.match(await trial.refusal("up", program), new RegExp(`ConfigMap ${namespace}/taken already exists`));
    assert.deepEqual((await core.readNamespacedConfigMap({ namespace, name: "taken" })).data, { key: "theirs" });
  });

  it("imports an existing object and manages it from then on", async () => {
    await core.createNamespace({ body: { metadata: { name: namespace } } });
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "theirs" }, data: { key: "value" } } });
    const trial = await stackOf(`import-${namespace}`);
    const program: PulumiFn = async () => {
      new k8s.core.v1.ConfigMap(
        "imported",
        { metadata: { namespace, name: "theirs" }, data: { key: "value" } },
        { ...provider(), import: `${namespace}/theirs` },
      );
    };
    const { changes } = await trial.up(program);
    assert.equal(changes.import, 1);
    assert.deepEqual((await trial.preview(program)).changes, { same: 3 });
  });

  it("reads an object that is nobody's business here", async () => {
    const trial = await stackOf(`get-${namespace}`);
    const { outputs } = await trial.up(async () => {
      const system = k8s.core.v1.Namespace.get("system", "kube-system", provider());
      return { phase: system.status.phase };
    });
    assert.equal(outputs.phase?.value, "Active");
  });

  it("tells why a workload does not become ready, keeps it in the state, and resumes", async () => {
    const trial = await stackOf(`await-${namespace}`);
    const program = (seconds: string) =>
      inNamespace((options, inside) => {
        new k8s.apps.v1.StatefulSet(
          "set",
          {
            metadata: { namespace: inside, name: "set", annotations: { "pulumi.com/timeoutSeconds": seconds } },
            spec: { replicas: 1, serviceName: "none", selector: { matchLabels: labels }, template: podTemplate() },
          },
          options,
        );
        return {};
      });
    const text = await trial.refusal("up", program("4"));
    assert.match(text, new RegExp(`StatefulSet ${namespace}/set: not ready within 4 s: 0 of 1 pods are ready`));
    assert.match(text, /pod set-0: Unschedulable: .*nodes? (?:are )?available|pod set-0: Unschedulable: no nodes available/);

    const { deployment } = await trial.stack.exportStack();
    assert.match(JSON.stringify(deployment.resources), /initErrors/);

    const resumed = trial.up(program("60"));
    await makePodsReady();
    assert.equal((await resumed).changes.update, 1);
    assert.doesNotMatch(JSON.stringify((await trial.stack.exportStack()).deployment.resources), /initErrors/);
  });

  it("waits until a Service answers, and until a stated condition holds", async () => {
    const trial = await stackOf(`service-${namespace}`);
    const running = trial.up(
      inNamespace((options, inside) => {
        new k8s.apps.v1.Deployment(
          "deployment",
          {
            metadata: {
              namespace: inside,
              name: "deployment",
              annotations: { "pulumi.com/waitFor": "jsonpath={.status.conditions[?(@.type=='Available')].status}=True" },
            },
            spec: { selector: { matchLabels: labels }, template: podTemplate() },
          },
          options,
        );
        const service = new k8s.core.v1.Service(
          "service",
          { metadata: { namespace: inside, name: "service" }, spec: { selector: { app: "elsewhere" }, ports: [{ port: 80 }] } },
          options,
        );
        const alias = { metadata: { namespace: inside, name: "alias" }, spec: { type: "ExternalName", externalName: "example.invalid" } };
        new k8s.core.v1.Service("alias", alias, options);
        return { service: service.metadata.name };
      }),
    );
    await makePodsReady();
    await discovery.createNamespacedEndpointSlice({
      namespace,
      body: {
        metadata: { name: "by-hand", labels: { "kubernetes.io/service-name": "service" } },
        addressType: "IPv4",
        endpoints: [{ addresses: ["192.0.2.1"], conditions: { ready: true } }],
      },
    });
    const { outputs } = await running;
    assert.equal(outputs.service?.value, "service");
    assert.equal((await apps.readNamespacedDeployment({ namespace, name: "deployment" })).status?.availableReplicas, 1);
  });

  it("keeps what it was waiting for when the operation is cancelled", async () => {
    const trial = await stackOf(`cancel-${namespace}`);
    const program = inNamespace((options, inside) => {
      const spec = { replicas: 1, serviceName: "none", selector: { matchLabels: labels }, template: podTemplate() };
      new k8s.apps.v1.StatefulSet("set", { metadata: { namespace: inside, name: "set" }, spec }, options);
      return {};
    });
    const cancelling = new AbortController();
    const running = trial.refusal("up", program, cancelling.signal);
    await until("the pod", async () => (await core.listNamespacedPod({ namespace })).items[0]);
    cancelling.abort();
    assert.match(await running, /StatefulSet .*: cancelled while waiting: /);
    const { deployment } = await trial.stack.exportStack();
    assert.match(JSON.stringify(deployment.resources), /"initErrors":\["StatefulSet .*cancelled while waiting/);
    assert.deepEqual(deployment.pending_operations ?? [], []);
  });

  it("never writes a secret into the state in the clear, and keeps generated values", async () => {
    const trial = await stackOf(`secret-${namespace}`);
    const program = (keeper: string, note: string) =>
      inNamespace((options, inside) => {
        const password = new random.RandomPassword("password", { length: 32, special: false, keepers: { keeper } });
        const id = new random.RandomId("id", { byteLength: 4 });
        const plain = pulumi.secret("a-very-plain-text");
        const secret = new k8s.core.v1.Secret(
          "secret",
          { metadata: { namespace: inside }, stringData: { password: password.result } },
          options,
        );
        new k8s.core.v1.ConfigMap("config", { metadata: { namespace: inside, name: "config" }, data: { plain, note } }, options);
        new k8s.core.v1.Secret(
          "unmarked",
          { metadata: { namespace: inside }, data: { key: Buffer.from("not-marked-at-all").toString("base64") } },
          options,
        );
        return { password: password.result, id: id.hex, name: secret.metadata.name };
      });
    const first = await trial.up(program("one", "first"));
    const password = String(first.outputs.password?.value);
    assert.match(password, /^[A-Za-z0-9]{32}$/);
    assert.equal(first.outputs.password?.secret, true);
    const read = await core.readNamespacedSecret({ namespace, name: String(first.outputs.name?.value) });
    assert.equal(Buffer.from(read.data?.password ?? "", "base64").toString(), password);

    const second = await trial.up(program("one", "second"));
    assert.equal(second.outputs.password?.value, password);
    assert.equal(second.outputs.id?.value, first.outputs.id?.value);
    const third = await trial.up(program("two", "second"));
    assert.notEqual(third.outputs.password?.value, password);

    await trial.refresh();
    const files = (where: string): string[] =>
      readdirSync(where).flatMap((entry) =>
        statSync(join(where, entry)).isDirectory() ? files(join(where, entry)) : [join(where, entry)],
      );
    const state = files(join(directory, "state"))
      .filter((path) => path.includes(`secret-${namespace}`))
      .map((path) => readFileSync(path, "utf8"))
      .join("\n");
    assert.match(state, /kubernetes:core\/v1:Secret/);
    for (const secret of [password, String(third.outputs.password?.value), "a-very-plain-text", "not-marked-at-all"]) {
      assert.ok(!state.includes(secret), "a secret is in the state");
      assert.ok(!state.includes(Buffer.from(secret).toString("base64")), "a secret is in the state in base64");
    }
  });

  it("shows no secret in a refusal", async () => {
    const trial = await stackOf(`redact-${namespace}`);
    const text = await trial.refusal(
      "preview",
      inNamespace((options, inside) => {
        const type = pulumi.secret("Such A Secret");
        new k8s.core.v1.Service(
          "service",
          { metadata: { namespace: inside, name: "service" }, spec: { type, ports: [{ port: 80 }] } },
          options,
        );
        return {};
      }),
    );
    assert.match(text, /Unsupported value/);
    assert.doesNotMatch(text, /Such A Secret/);
  });

  it("finds by refresh what others changed or deleted, and puts it right", async () => {
    const trial = await stackOf(`drift-${namespace}`);
    const program = inNamespace((options, inside) => {
      new k8s.core.v1.ConfigMap(
        "kept",
        {
          metadata: { namespace: inside, name: "kept", annotations: { "pulumi.com/patchForce": "true" } },
          data: { key: "ours", other: "same" },
        },
        options,
      );
      new k8s.core.v1.ConfigMap("lost", { metadata: { namespace: inside, name: "lost" }, data: { key: "ours" } }, options);
      new k8s.core.v1.ResourceQuota(
        "quota",
        { metadata: { namespace: inside, name: "quota" }, spec: { hard: { "requests.cpu": "100000m" } } },
        options,
      );
      return {};
    });
    await trial.up(program);
    assert.deepEqual((await trial.refresh()).changes, { same: 6 });
    assert.deepEqual((await trial.preview(program)).changes, { same: 6 });

    await core.patchNamespacedConfigMap({ namespace, name: "kept", body: [{ op: "replace", path: "/data/key", value: "theirs" }] });
    await core.deleteNamespacedConfigMap({ namespace, name: "lost" });
    const refreshed = await trial.refresh();
    assert.equal(refreshed.changes.update, 1);
    assert.equal(refreshed.changes.delete, 1);
    const preview = await trial.preview(program);
    assert.deepEqual(preview.changes, { same: 4, create: 1, update: 1 });
    assert.deepEqual(differences(preview.events, "kept"), { "data.key": "update" });
    await trial.up(program);
    assert.deepEqual((await core.readNamespacedConfigMap({ namespace, name: "kept" })).data, { key: "ours", other: "same" });
    assert.deepEqual((await core.readNamespacedConfigMap({ namespace, name: "lost" })).data, { key: "ours" });
  });

  it("names the field and its owner when another manager owns what a change sets", async () => {
    const trial = await stackOf(`conflict-${namespace}`);
    const program = (data: string, force: boolean) =>
      inNamespace((options, inside) => {
        const annotations: Record<string, string> = force ? { "pulumi.com/patchForce": "true" } : {};
        new k8s.core.v1.ConfigMap("config", { metadata: { namespace: inside, name: "config", annotations }, data: { key: data } }, options);
        return {};
      });
    // Of what was only created a preview says no conflict, as the official provider's doesn't: the update
    // takes the creation's fields over first.
    await trial.up(program("zero", false));
    await trial.up(program("one", false));
    await core.patchNamespacedConfigMap({
      namespace,
      name: "config",
      fieldManager: "somebody",
      body: [{ op: "replace", path: "/data/key", value: "theirs" }],
    });
    for (const operation of ["preview", "up"] as const) {
      assert.match(await trial.refusal(operation, program("two", false)), /\.data\.key is managed by "somebody"/);
    }
    await trial.up(program("two", true));
    assert.deepEqual((await core.readNamespacedConfigMap({ namespace, name: "config" })).data, { key: "two" });
  });

  it("leaves a field to another manager where the program ignores its changes", async () => {
    const trial = await stackOf(`ignore-${namespace}`);
    const program = (more: string) =>
      inNamespace((options, inside) => {
        const metadata = { namespace: inside, name: "config" };
        const ignoring = { ...options, ignoreChanges: ["data.key"] };
        new k8s.core.v1.ConfigMap("config", { metadata, data: { key: "ours", more } }, ignoring);
        return {};
      });
    await trial.up(program("one"));
    const body = [{ op: "replace", path: "/data/key", value: "theirs" }];
    await core.patchNamespacedConfigMap({ namespace, name: "config", fieldManager: "somebody", body });
    await trial.preview(program("two"));
    await trial.up(program("two"));
    assert.deepEqual((await core.readNamespacedConfigMap({ namespace, name: "config" })).data, { key: "theirs", more: "two" });
  });

  it("waits for a deletion, and says what holds it up", async () => {
    const trial = await stackOf(`finalizer-${namespace}`);
    await trial.up(
      inNamespace((options, inside) => {
        const metadata = {
          namespace: inside,
          name: "held",
          finalizers: ["thanos-stack.test/hold"],
          annotations: { "pulumi.com/timeoutSeconds": "2" },
        };
        new k8s.core.v1.ConfigMap("held", { metadata, data: {} }, options);
        return {};
      }),
    );
    await assert.rejects(trial.stack.destroy({ color: "never" }), /not deleted within 2 s: finalizers .*thanos-stack\.test\/hold/);
    await core.patchNamespacedConfigMap({ namespace, name: "held", body: [{ op: "remove", path: "/metadata/finalizers" }] });
    await until("deletion", async () => ((await isAbsent(core.readNamespacedConfigMap({ namespace, name: "held" }))) ? true : undefined));
    await trial.destroy();
  });

  it("leaves an object alone that took the place of the one it made", async () => {
    await core.createNamespace({ body: { metadata: { name: namespace } } });
    const trial = await stackOf(`uid-${namespace}`);
    await trial.up(async () => {
      new k8s.core.v1.ConfigMap("config", { metadata: { namespace, name: "config" }, data: { key: "ours" } }, provider());
    });
    await core.deleteNamespacedConfigMap({ namespace, name: "config" });
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "config" }, data: { key: "theirs" } } });
    await trial.destroy();
    assert.deepEqual((await core.readNamespacedConfigMap({ namespace, name: "config" })).data, { key: "theirs" });
  });

  it("defines a kind and uses it in one go", async () => {
    const trial = await stackOf(`crd-${namespace}`);
    const group = `${namespace}.thanos-stack.test`;
    const program: PulumiFn = async () => {
      const options = provider();
      const made = new k8s.core.v1.Namespace("namespace", { metadata: { name: namespace } }, options);
      const definition = new k8s.apiextensions.v1.CustomResourceDefinition(
        "definition",
        {
          metadata: { name: `trials.${group}` },
          spec: {
            group,
            names: { kind: "Trial", plural: "trials" },
            scope: "Namespaced",
            versions: [
              {
                name: "v1",
                served: true,
                storage: true,
                schema: {
                  openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: { size: { type: "integer" } } } } },
                },
              },
            ],
          },
        },
        options,
      );
      const spec = { metadata: { namespace: made.metadata.name }, spec: { size: 3 } };
      const trialed = new k8s.apiextensions.CustomResource(
        "trial",
        { apiVersion: `${group}/v1`, kind: "Trial", ...spec },
        { ...options, dependsOn: definition },
      );
      return { id: trialed.id };
    };
    assert.match((await trial.preview(program)).output, /does not serve .* Trial .*; it is not validated/);
    const { outputs } = await trial.up(program);
    assert.match(String(outputs.id?.value), new RegExp(`^${namespace}/trial-[0-9a-f]{8}$`));
    assert.deepEqual((await trial.preview(program)).changes, { same: 5 });
  });

  it("replaces what depends on a replaced object's place, and previews that", async () => {
    const trial = await stackOf(`cascade-${namespace}`);
    const program = (clusterIP: string) =>
      inNamespace((options, inside) => {
        const spec = { clusterIP, selector: labels, ports: [{ port: 80 }] };
        const annotations = { "pulumi.com/skipAwait": "true" };
        const service = new k8s.core.v1.Service(
          "service",
          { metadata: { namespace: inside, name: "service", annotations }, spec },
          options,
        );
        new k8s.apps.v1.StatefulSet(
          "set",
          {
            metadata: { namespace: inside, name: "set" },
            spec: { replicas: 0, serviceName: service.metadata.name, selector: { matchLabels: labels }, template: podTemplate() },
          },
          options,
        );
        return {};
      });
    await trial.up(program("None"));
    const before = await apps.readNamespacedStatefulSet({ namespace, name: "set" });
    assert.equal((await trial.preview(program(""))).changes.replace, 2);
    const { events } = await trial.up(program(""));
    assert.deepEqual(operations(events, "service"), ["delete-replaced", "replace", "create-replacement"]);
    assert.notEqual((await apps.readNamespacedStatefulSet({ namespace, name: "set" })).metadata?.uid, before.metadata?.uid);
    assert.notEqual((await core.readNamespacedService({ namespace, name: "service" })).spec?.clusterIP, "None");
  });

  it("changes objects without server-side apply where the program wants that", async () => {
    const trial = await stackOf(`client-${namespace}`);
    const program =
      (data: Record<string, string>): PulumiFn =>
      async () => {
        const options = provider({ enableServerSideApply: false });
        const made = new k8s.core.v1.Namespace("namespace", { metadata: { name: namespace } }, options);
        new k8s.core.v1.ConfigMap("config", { metadata: { namespace: made.metadata.name, name: "config" }, data }, options);
      };
    await trial.up(program({ a: "1", b: "1" }));
    await core.patchNamespacedConfigMap({ namespace, name: "config", body: [{ op: "add", path: "/data/theirs", value: "x" }] });
    await trial.up(program({ a: "2" }));
    assert.deepEqual((await core.readNamespacedConfigMap({ namespace, name: "config" })).data, { a: "2", theirs: "x" });
  });

  it("takes an existing object over where the program wants that", async () => {
    await core.createNamespace({ body: { metadata: { name: namespace } } });
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "taken" }, data: { theirs: "x" } } });
    const trial = await stackOf(`upsert-${namespace}`);
    const program: PulumiFn = async () => {
      const options = provider({ upsertExistingObjects: true });
      new k8s.core.v1.ConfigMap("taken", { metadata: { namespace, name: "taken" }, data: { ours: "y" } }, options);
    };
    await trial.preview(program);
    await trial.up(program);
    assert.deepEqual((await core.readNamespacedConfigMap({ namespace, name: "taken" })).data, { theirs: "x", ours: "y" });
  });

  it("previews for a user who may only read, saying nothing of what is not validated", async () => {
    const trial = await stackOf(`reader-${namespace}`);
    const program =
      (choice: Partial<k8s.ProviderArgs>, value: string, more: boolean): PulumiFn =>
      async () => {
        const options = provider(choice);
        const made = new k8s.core.v1.Namespace("namespace", { metadata: { name: namespace } }, options);
        const metadata = { namespace: made.metadata.name, name: "config" };
        new k8s.core.v1.ConfigMap("config", { metadata, data: { key: value } }, options);
        if (more) {
          new k8s.core.v1.ConfigMap("more", { metadata: { namespace: made.metadata.name, name: "more" }, data: {} }, options);
        }
      };
    await trial.up(program({}, "one", false));
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name: "reader" } } });
    await rbac.createNamespacedRole({
      namespace,
      body: { metadata: { name: "reader" }, rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list", "watch"] }] },
    });
    await rbac.createNamespacedRoleBinding({
      namespace,
      body: {
        metadata: { name: "reader" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
        subjects: [{ kind: "ServiceAccount", name: "reader", namespace }],
      },
    });
    const { status } = await core.createNamespacedServiceAccountToken({
      namespace,
      name: "reader",
      body: { spec: { audiences: [], expirationSeconds: 600 } },
    });
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    config.setCurrentContext(context);
    const reading = new KubeConfig();
    const cluster = config.getCurrentCluster();
    assert.ok(cluster);
    reading.loadFromClusterAndUser(cluster, { name: "reader", token: status?.token ?? "" });
    const { output, changes } = await trial.preview(
      program({ kubeconfig: reading.exportConfig(), context: "loaded-context" }, "two", true),
    );
    assert.doesNotMatch(output, /forbidden|cannot (?:patch|create)/);
    assert.equal(changes.create, 1);
  });

  it("says which contexts there are when the wanted one does not exist, and when the cluster does not answer", async () => {
    const trial = await stackOf(`context-${namespace}`);
    const wrong = await trial.refusal("preview", async () => {
      new k8s.core.v1.Namespace("namespace", { metadata: { name: namespace } }, provider({ context: "nowhere" }));
    });
    assert.match(wrong, new RegExp(`no context "nowhere"; its contexts are: .*${context}`));
    const closed = JSON.stringify({
      "current-context": "closed",
      contexts: [{ name: "closed", context: { cluster: "closed", user: "none" } }],
      clusters: [{ name: "closed", cluster: { server: "https://127.0.0.1:1" } }],
      users: [],
    });
    const unreachable = await trial.refusal("preview", async () => {
      new k8s.core.v1.Namespace("namespace", { metadata: { name: namespace } }, provider({ kubeconfig: closed, context: "closed" }));
    });
    assert.match(unreachable, /context "closed" cannot be used, so nothing can be previewed or changed: .*ECONNREFUSED/);
  });
});
