import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { EXIT, recoverStack } from "../../commands/recover";
import { type LiveObject, type LookUp, planRecovery } from "../../commands/recover/plan";
import { type ExportedState, readState, type StateResource } from "../../commands/recover/state";

const LABELS = { "app.kubernetes.io/name": "thanos-receive", "app.kubernetes.io/part-of": "thanos-stack" };
const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:abc" };

function resource(type: string, name: string, inputs: Record<string, unknown> = {}, more: Partial<StateResource> = {}): StateResource {
  const [apiVersion = "", kind] = type.replace(/^core\//, "").split(":");
  return {
    urn: `urn:pulumi:prod::thanos-stack::kubernetes:${type}::${name}`,
    type: `kubernetes:${type}`,
    custom: true,
    inputs: { apiVersion, kind, metadata: { name, namespace: "ns", labels: LABELS }, ...inputs },
    provider: "urn:pulumi:prod::thanos-stack::pulumi:providers:kubernetes::cluster::id",
    ...more,
  };
}

const state = (pending: [string, StateResource][], resources: StateResource[] = []): ExportedState =>
  readState({
    version: 3,
    deployment: {
      manifest: { version: "v3.259.0" },
      resources,
      pending_operations: pending.map(([type, each]) => ({ type, resource: each })),
    },
  });

/** Object as the official provider's creation leaves it. */
const live = (name: string, more: LiveObject = {}): LiveObject => ({
  ...more,
  metadata: {
    name,
    namespace: "ns",
    uid: "u",
    labels: { ...LABELS, added: "by somebody" },
    managedFields: [
      { manager: "pulumi-kubernetes", operation: "Update" },
      { manager: "kube-controller-manager", operation: "Update", subresource: "status" },
    ],
    ...more.metadata,
  },
});

const cluster =
  (...objects: LiveObject[]): LookUp =>
  async ({ metadata: { name } }) =>
    objects.find(({ metadata }) => metadata?.name === name);

async function decided(before: ExportedState, lookUp: LookUp) {
  const original = JSON.stringify(before);
  const { decisions, state: after } = await planRecovery(before, lookUp);
  assert.equal(JSON.stringify(before), original, "the state that was given is not touched");
  return {
    outcomes: decisions.map(({ outcome }) => outcome),
    operations: decisions.map(({ operation }) => operation),
    open: decisions.map(({ open }) => open),
    resources: after.deployment.resources ?? [],
    pending: after.deployment.pending_operations ?? [],
    after,
  };
}

describe("recovery after an engine that was killed", () => {
  const set = resource("apps/v1:StatefulSet", "thanos-receive", { spec: { replicas: 3 } }, { protect: true });
  const service = resource("core/v1:Service", "thanos-receive");

  it("takes over what was created, so that the next update applies it and waits for it", async () => {
    const { operations, outcomes, open, resources, pending } = await decided(
      state([["creating", set]], [service]),
      cluster(live("thanos-receive", { apiVersion: "apps/v1", kind: "StatefulSet", spec: { replicas: 3, minReadySeconds: 0 } })),
    );
    assert.deepEqual(operations, ["creating StatefulSet ns/thanos-receive"]);
    assert.match(outcomes[0] ?? "", /^taken over: it exists and is this stack's own/);
    assert.deepEqual([open, pending], [[false], []]);
    const { outputs, initErrors, ...made } = resources[1] as StateResource & { initErrors: string[] };
    assert.deepEqual(made, { ...set, id: "ns/thanos-receive" }, "as the engine knew it, protection and provider too");
    assert.equal(initErrors.length, 1);
    assert.deepEqual(outputs?.spec, { replicas: 3, minReadySeconds: 0 });
    const metadata = outputs?.metadata as { uid: string; managedFields?: object };
    assert.equal(metadata.uid, "u");
    assert.equal(metadata.managedFields, undefined);
    assert.equal(outputs?.__initialApiVersion, "apps/v1");
    assert.match(String(outputs?.__fieldManager), /^pulumi-kubernetes-[0-9a-f]{8}$/);
  });

  it("forgets what was not created, and what is in the state anyway", async () => {
    const random = {
      urn: "urn:pulumi:prod::p::random:index/randomPassword:RandomPassword::p",
      type: "random:index/randomPassword:RandomPassword",
    };
    const { outcomes, open, resources, pending } = await decided(
      state(
        [
          ["creating", service],
          ["updating", set],
          ["deleting", set],
          ["creating", random],
        ],
        [set],
      ),
      cluster(),
    );
    assert.deepEqual(outcomes, [
      "forgotten: it was not made, and the next update makes it",
      "forgotten: the resource is in the state as it was, and the next update does it again",
      "forgotten: the resource is in the state as it was, and the next update does it again",
      "forgotten: it is in the state only, and the next update makes it",
    ]);
    assert.deepEqual([open.includes(true), resources, pending], [false, [set], []]);
  });

  it("leaves what somebody else has made, what has other labels, and what it can't look for", async () => {
    const strange = { urn: "urn:pulumi:prod::p::aws:s3/bucket:Bucket::b", type: "aws:s3/bucket:Bucket" };
    const other = live("other", { metadata: { managedFields: [{ manager: "helm", operation: "Update" }] } });
    const another = live("another", { metadata: { labels: { ...LABELS, "app.kubernetes.io/part-of": "thanos" } } });
    const { outcomes, open, resources, pending } = await decided(
      state([
        ["creating", resource("core/v1:Service", "other")],
        ["creating", resource("core/v1:Service", "another")],
        ["creating", strange],
      ]),
      cluster(other, another),
    );
    assert.match(outcomes[0] ?? "", /no Pulumi program has made it/);
    assert.match(outcomes[1] ?? "", /its label app\.kubernetes\.io\/part-of is not this stack's/);
    assert.match(outcomes[2] ?? "", /can't be looked for here/);
    assert.deepEqual([open, resources, pending.length], [[true, true, true], [], 3]);
  });

  it("leaves what the state has under another name", async () => {
    const renamed = { ...service, urn: `${service.urn}-before`, id: "ns/thanos-receive" };
    const { outcomes, open } = await decided(state([["creating", service]], [renamed]), cluster(live("thanos-receive")));
    assert.match(outcomes[0] ?? "", /is in the state as .*-before; an alias is missing/);
    assert.deepEqual(open, [true]);
  });

  it("never writes a secret into the state in the clear", async () => {
    const secret = resource("core/v1:Secret", "bucket", { stringData: SECRET });
    const answer = live("bucket", { kind: "Secret", data: { "bucket.yaml": "c2VjcmV0" }, type: "Opaque" });
    const { resources, after } = await decided(state([["creating", secret]]), cluster(answer));
    assert.ok(!JSON.stringify(after).includes("c2VjcmV0"));
    assert.deepEqual(resources[0]?.inputs, secret.inputs, "what is encrypted stays so");
    assert.equal(resources[0]?.outputs?.type, "Opaque");
    const nested = resource("core/v1:ConfigMap", "nested", { data: { a: "plain", b: SECRET } });
    const shown = await decided(state([["creating", nested]]), cluster(live("nested", { data: { a: "plain", b: "secret" } })));
    assert.deepEqual(shown.resources[0]?.outputs?.data, { a: "plain" });
  });

  it("takes over in place of what was deleted first, and lets one too many go where it holds nothing", async () => {
    const gone = { ...set, id: "ns/thanos-receive", pendingReplacement: true };
    const inPlace = await decided(state([["creating", set]], [gone, service]), cluster(live("thanos-receive")));
    assert.match(inPlace.outcomes[0] ?? "", /in place of/);
    assert.deepEqual(
      inPlace.resources.map(({ urn, pendingReplacement }) => [urn, pendingReplacement]),
      [
        [set.urn, undefined],
        [service.urn, undefined],
      ],
    );

    const named = (name: string) => ({
      ...resource("core/v1:ConfigMap", name),
      urn: "urn:pulumi:prod::p::kubernetes:core/v1:ConfigMap::rules",
    });
    const first = { ...named("rules-1"), id: "ns/rules-1" };
    const tooMany = await decided(state([["creating", named("rules-2")]], [first, service]), cluster(live("rules-2")));
    assert.match(tooMany.outcomes[0] ?? "", /to be deleted by the next update: the state has ns\/rules-1/);
    assert.deepEqual(
      tooMany.resources.map(({ id, delete: goes }) => [id, goes]),
      [
        ["ns/rules-1", undefined],
        ["ns/rules-2", true],
        [undefined, undefined],
      ],
    );

    const claim = {
      ...named("c-2"),
      inputs: { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "c-2", namespace: "ns" } },
    };
    const kept = await decided(state([["creating", claim]], [first]), cluster(live("c-2")));
    assert.deepEqual(kept.open, [true]);
    assert.deepEqual(kept.resources, [first]);
  });

  describe("as a command", () => {
    const run = async (write: boolean, before: ExportedState, lookUp: LookUp, imported = { code: 0, stdout: "", stderr: "" }) => {
      const lines: string[] = [];
      const calls: string[] = [];
      let written: ExportedState | undefined;
      const cli = async (args: readonly string[]) => {
        calls.push(args.slice(0, 2).join(" "));
        assert.ok(!args.includes("--show-secrets"));
        if (args[1] === "export") return { code: 0, stdout: JSON.stringify(before), stderr: "" };
        written = JSON.parse(readFileSync(args[args.indexOf("--file") + 1] ?? "", "utf8")) as ExportedState;
        return imported;
      };
      const code = await recoverStack("prod", write, { cli, lookUp, print: (line) => void lines.push(line) });
      return { code, lines, calls, written };
    };

    it("only says what it would do, unless told to do it", async () => {
      const before = state([["creating", service]]);
      const said = await run(false, before, cluster(live("thanos-receive")));
      assert.deepEqual([said.code, said.calls], [EXIT.fine, ["stack export"]]);
      assert.match(said.lines.join("\n"), /creating Service ns\/thanos-receive: taken over[\s\S]*npm run recover -- --stack prod --yes/);
      const done = await run(true, before, cluster(live("thanos-receive")));
      assert.deepEqual([done.code, done.calls], [EXIT.fine, ["stack export", "stack import"]]);
      assert.equal(done.written?.deployment.resources?.length, 1);
      assert.match(done.lines.at(-1) ?? "", /pulumi up --stack prod/);
    });

    it("writes nothing where nothing is pending, or all of it is left", async () => {
      const nothing = await run(true, state([]), cluster());
      assert.deepEqual([nothing.code, nothing.calls], [EXIT.fine, ["stack export"]]);
      const left = await run(true, state([["creating", service]]), cluster(live("thanos-receive", { metadata: { managedFields: [] } })));
      assert.deepEqual([left.code, left.calls], [EXIT.open, ["stack export"]]);
    });

    it("says how the lock of the killed engine goes away", async () => {
      const locked = { code: 255, stdout: "", stderr: "error: the stack is currently locked by 1 lock(s)" };
      await assert.rejects(
        run(true, state([["creating", service]]), cluster(), locked),
        /currently locked by 1 lock[\s\S]*`pulumi cancel --stack prod` takes the lock away/,
      );
    });

    it("says what is no state", async () => {
      await assert.rejects(
        recoverStack("prod", false, {
          cli: async () => ({ code: 0, stdout: '{"deployment": {"resources": {}}}', stderr: "" }),
          lookUp: cluster(),
          print: () => {},
        }),
        /not what `pulumi stack export` writes: deployment\.resources/,
      );
    });
  });
});
