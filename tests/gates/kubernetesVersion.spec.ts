import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { ConnectionError, ForbiddenError } from "../../clients/transport";
import { newEnoughKubernetes } from "../../gates/kubernetesVersion";
import { PLANS } from "../components/plans";
import { run } from "../harness";

const BEFORE_CHANGES = "kubernetes-is-new-enough";
const AT_PREVIEW = `${BEFORE_CHANGES}-at-preview`;
const PROVIDER = "pulumi:providers:kubernetes";

describe("the cluster's Kubernetes", () => {
  let warnings: string[];
  const { warn } = pulumi.log;
  beforeEach(() => {
    warnings = [];
    Object.assign(pulumi.log, { warn: async (text: string) => void warnings.push(text) });
  });
  afterEach(() => Object.assign(pulumi.log, { warn }));

  /** A run of the program: what the engine has it do before it makes or changes a resource. */
  function program(kubernetesVersion: () => Promise<string>) {
    let asked = 0;
    const bind = newEnoughKubernetes("prod", {
      kubernetesVersion: () => {
        asked++;
        return kubernetesVersion();
      },
    });
    const engine = async (phase: "preview" | "update", type: string, when: "beforeCreate" | "beforeUpdate" = "beforeCreate") => {
      const bound = bind({ type, name: "x", props: {}, opts: {}, resource: undefined as unknown as pulumi.Resource });
      for (const hook of (bound?.opts.hooks?.[when] ?? []) as pulumi.ResourceHook[]) {
        if (phase === "update" || hook.opts?.onDryRun === true) await hook.callback({} as pulumi.ResourceHookArgs);
      }
    };
    return { engine, asked: () => asked };
  }
  const says = (version: string) => program(async () => version);
  const fails = (error: Error) => program(() => Promise.reject(error));
  const away = new ConnectionError("GET https://10.0.0.1:6443/version", new Error("connect ECONNREFUSED"));

  it("is asked once, before whatever is changed", async () => {
    const { engine, asked } = says("v1.36.3");
    for (const when of ["beforeCreate", "beforeUpdate"] as const)
      for (const type of [PROVIDER, "kubernetes:core/v1:Namespace", "kubernetes:apps/v1:StatefulSet"]) await engine("update", type, when);
    assert.equal(asked(), 1);
    assert.deepEqual(warnings, []);
  });

  it("is refused where it is too old, at the first preview and at every update", async () => {
    const refusal =
      /^cluster\.context = "prod": its API server is Kubernetes v1\.29\.4, which ignores .* Accepted: a cluster of Kubernetes 1\.30 or later\. Nothing was changed\.$/;
    const { engine } = says("v1.29.4");
    await assert.rejects(engine("preview", PROVIDER), { message: refusal });
    await assert.rejects(engine("update", PROVIDER), { message: refusal });
    await assert.rejects(engine("update", "kubernetes:apps/v1:StatefulSet", "beforeUpdate"), { message: refusal });
  });

  it("is not asked by a preview of a stack that runs, which would load a client for it", async () => {
    const { engine, asked } = says("v1.29.4");
    await engine("preview", "kubernetes:apps/v1:StatefulSet", "beforeUpdate");
    assert.equal(asked(), 0);
  });

  it("is warned of at preview where the cluster can't be reached, and refuses the update", async () => {
    const { engine } = fails(away);
    await engine("preview", PROVIDER);
    assert.deepEqual(warnings, [
      'whether Kubernetes of context "prod" is 1.30 or later is not known: GET https://10.0.0.1:6443/version: connect ECONNREFUSED',
    ]);
    await assert.rejects(engine("update", PROVIDER), {
      message:
        'cluster.context = "prod": its API server does not say its version (GET https://10.0.0.1:6443/version: connect ECONNREFUSED). ' +
        "Accepted: a cluster that answers, of Kubernetes 1.30 or later. Nothing was changed.",
    });
  });

  it("is warned of, once, where the account may not ask: it may still deploy", async () => {
    const { engine } = fails(new ForbiddenError("API server https://10.0.0.1:6443 answered 403 to /version"));
    for (const type of [PROVIDER, "kubernetes:core/v1:Namespace", "kubernetes:core/v1:Service"]) await engine("update", type);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /answered 403 to \/version$/);
  });

  it("concerns no component and no other provider's resource", () => {
    const bind = newEnoughKubernetes("prod", { kubernetesVersion: () => assert.fail("asked") });
    for (const type of ["thanos-stack:index:Receive", "random:index/randomPassword:RandomPassword"]) {
      assert.equal(bind({ type, name: "x", props: {}, opts: {}, resource: undefined as unknown as pulumi.Resource }), undefined);
    }
  });

  it("keeps the hooks that a resource has, and comes before them", () => {
    const bind = newEnoughKubernetes("prod", { kubernetesVersion: async () => "v1.36.3" });
    const own = () => undefined;
    const opts = { hooks: { beforeCreate: [own], beforeUpdate: [own], afterUpdate: [own] } };
    const { beforeCreate, beforeUpdate, afterUpdate } =
      bind({ type: "kubernetes:core/v1:Service", name: "x", props: {}, opts, resource: undefined as unknown as pulumi.Resource })?.opts
        .hooks ?? {};
    for (const hooks of [beforeCreate, beforeUpdate]) assert.deepEqual([hooks?.length, hooks?.[1]], [2, own]);
    assert.deepEqual(afterUpdate, [own]);
  });

  for (const { title, stack, overrides } of PLANS) {
    it(`is asked before everything that is made or changed: ${title}`, async () => {
      const { resources } = await run(stack, overrides);
      // A resource that is in no cluster, such as a seed, asks none.
      for (const { type, name, options } of resources.filter((each) => each.custom && !each.type.startsWith("random:"))) {
        const expected = type === PROVIDER ? [BEFORE_CHANGES, AT_PREVIEW] : [BEFORE_CHANGES];
        for (const hooks of [options.beforeCreate, options.beforeUpdate]) {
          assert.deepEqual(
            hooks.filter((hook) => hook.startsWith(BEFORE_CHANGES)),
            expected,
            `${type} ${name}`,
          );
          // A hook that only refuses may come before it; none that changes the cluster.
          assert.ok(hooks.indexOf(BEFORE_CHANGES) <= 1, `${type} ${name}: ${hooks.join(", ")}`);
        }
      }
    });
  }
});
