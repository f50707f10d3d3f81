import assert from "node:assert/strict";
import { type Manifest, manifestsOf, manifestsYaml } from "../../commands/manifests";
import type { ProgramRun } from "../../commands/program";

import { CLAIMS, containers, type Overrides, objects, rejectionByProgram, run, type Stack, together, workloads } from "../harness";

const TEXTS = { orders: "hunter2-orders", push: "hunter2-push", alerts: "hunter2-alerts", unused: "hunter2-unused" };
const path = (name: string) => `/etc/credentials/${name}`;
const login = (name: string) => ({ basic_auth: { username: "stack", password_file: path(name) } });
const FROM = {
  billing: { secret: "z-billing", key: "password" },
  "billing-ca": { secret: "z-billing", key: "ca.crt" },
  paging: { secret: "a-paging", key: "token" },
};
/** Prometheus names orders, billing, billing-ca and push; whoever sends alerts names alerts and paging. */
const NAMED: Overrides = {
  credentialsFrom: FROM,
  prometheus: {
    scrapeConfigs: [
      { job_name: "orders", ...login("orders") },
      { job_name: "billing", ...login("billing"), tls_config: { ca_file: path("billing-ca") } },
      { job_name: "orders-again", ...login("orders") },
    ],
    remoteWrite: { otherTargets: [{ url: "https://metrics.example/push", client: login("push") }] },
  },
  alerting: {
    alertmanagers: ["http://am:9093"],
    client: { basic_auth: { username: "stack", password_file: path("alerts") }, tls_config: { ca_file: path("paging") } },
  },
};

interface Projected {
  name: string;
  projected?: { sources: { secret: { name: string; items?: { key: string; path: string }[] } }[] };
}

const made = (overrides: Overrides, stack: Stack = "dev", texts: object = TEXTS): Promise<ProgramRun> =>
  run(stack, together(NAMED, overrides), { secrets: { credentials: texts } });

/** Files of credentials by container, as `<name> of <Secret>`, own Secrets by their content. */
function filesByContainer(of: ProgramRun): Record<string, string[]> {
  const secrets = new Map(objects(of, "Secret").map((secret: Manifest) => [secret.metadata.name, secret]));
  return Object.fromEntries(
    workloads(of).flatMap((workload) =>
      containers(workload).flatMap(({ name, volumeMounts = [] }): [string, string[]][] => {
        const mounts = volumeMounts.filter(({ mountPath }) => mountPath.startsWith("/etc/credentials"));
        if (mounts.length === 0) return [];
        assert.deepEqual(mounts, [{ name: "credentials", mountPath: "/etc/credentials", readOnly: true }]);
        const volume = workload.spec.template.spec.volumes?.find((each) => each.name === "credentials") as Projected | undefined;
        const files = (volume?.projected?.sources ?? []).flatMap(({ secret }) => {
          const own = secrets.get(secret.name) as (Manifest & { immutable?: boolean; stringData?: object }) | undefined;
          if (own === undefined) return (secret.items ?? []).map((item) => `${item.path} of ${secret.name}/${item.key}`);
          assert.equal(own.immutable, true);
          return Object.keys(own.stringData ?? {}).map((key) => `${key} of the map`);
        });
        return [[`${workload.metadata.name}/${name}`, files]];
      }),
    ),
  );
}

const OF_PROMETHEUS = ["orders of the map", "push of the map", "billing of z-billing/password", "billing-ca of z-billing/ca.crt"];
const OF_ALERTS = ["alerts of the map", "paging of a-paging/token"];

describe("credentials: who has which file", () => {
  const cases: { title: string; stack?: Stack; overrides: Overrides; expected: Record<string, string[]> }[] = [
    {
      title: "Prometheus alone, which sends alerts too",
      overrides: {},
      expected: {
        "prometheus/prometheus": [
          ...["alerts", "orders", "push"].map((name) => `${name} of the map`),
          "billing of z-billing/password",
          "billing-ca of z-billing/ca.crt",
          "paging of a-paging/token",
        ],
      },
    },
    {
      title: "Prometheus and a stateless ruler",
      overrides: { ruler: {} },
      expected: { "prometheus/prometheus": OF_PROMETHEUS, "thanos-ruler/thanos-ruler": OF_ALERTS },
    },
    {
      title: "every shard and a stateful ruler beside sidecars, which have none",
      stack: "prod",
      overrides: {
        ingestion: "sidecar",
        prometheus: { shards: 2 },
        ruler: { mode: "stateful", storage: { pvc: { size: "20Gi" } } },
      },
      expected: {
        "prometheus/prometheus": OF_PROMETHEUS,
        "prometheus-shard-1/prometheus": OF_PROMETHEUS,
        "thanos-ruler/thanos-ruler": OF_ALERTS,
      },
    },
    {
      title: "an agent, which sends no alerts",
      overrides: together(CLAIMS, { prometheus: { mode: "agent" } }),
      expected: { "prometheus/prometheus": OF_PROMETHEUS },
    },
  ];
  for (const { title, stack, overrides, expected } of cases) {
    it(title, async () => assert.deepEqual(filesByContainer(await made(overrides, stack)), expected));
  }

  it("nobody where nothing is named, and no Secret is made", async () => {
    const nothing = await run("dev", { ruler: {}, credentialsFrom: FROM }, { secrets: { credentials: TEXTS } });
    assert.deepEqual(filesByContainer(nothing), {});
    assert.deepEqual(objects(nothing, "Secret"), []);
    assert.equal(nothing.warnings.filter((line) => /is named by nothing/.test(line)).length, 7);
  });

  it("a Secret that exists by its directory: a rotation never reaches a subPath", async () => {
    const text = JSON.stringify(manifestsOf((await made({ ruler: {} })).resources));
    assert.ok(text.includes("a-paging") && !text.includes("subPath"));
  });

  it("each component a Secret of its own, without what it does not name", async () => {
    const of = await made({ ruler: {} });
    const contents = objects(of, "Secret").map((secret) => Object.keys((secret as Manifest & { stringData: object }).stringData).sort());
    assert.deepEqual(contents.sort(), [["alerts"], ["orders", "push"]]);
  });

  it("the same objects in whatever order jobs and texts are written", async () => {
    const backwards = (value: object) => Object.fromEntries(Object.entries(value).reverse());
    const [first, second] = await Promise.all([
      made({ ruler: {} }),
      made({ ruler: {}, credentialsFrom: backwards(FROM) }, "dev", backwards(TEXTS)),
    ]);
    assert.equal(manifestsYaml(manifestsOf(first.resources)), manifestsYaml(manifestsOf(second.resources)));
  });

  it("another Secret when a text changes, for those that name it only", async () => {
    const names = async (texts: object) =>
      objects(await made({ ruler: {} }, "dev", texts), "Secret")
        .map(({ metadata }) => metadata.name)
        .sort();
    const before = await names(TEXTS);
    const after = await names({ ...TEXTS, alerts: "another" });
    assert.deepEqual(
      before.filter((name) => after.includes(name)).map((name) => name.replace(/-[0-9a-f]+$/, "")),
      ["prometheus-credentials"],
    );
    assert.deepEqual(await names({ ...TEXTS, unused: "another" }), before);
  });
});

describe("credentials: what is shown", () => {
  it("nothing of them in a manifest, an output, a message, or a resource but their Secrets, where the engine keeps them as secrets", async () => {
    const of = await made({ ruler: {} });
    const shown = [manifestsYaml(manifestsOf(of.resources)), JSON.stringify(of.outputs), of.messages.join("\n")];
    for (const text of shown) assert.ok(!text.includes("hunter2"));
    const holders = of.resources.filter(({ inputs }) => JSON.stringify(inputs).includes("hunter2"));
    assert.deepEqual(holders.map(({ name }) => name).sort(), ["prometheus-credentials", "ruler-credentials"]);
    // Signature of a secret in the engine's protocol.
    for (const { inputs } of holders)
      assert.equal((inputs.stringData as Record<string, unknown>)["4dabf18193072939515e22adb298388d"], "1b47061264138c4ac30d75fd1eb44270");
  });

  it("nothing of them where they are refused: in plain text, of another form, named wrongly", async () => {
    for (const [overrides, secrets, says] of [
      [
        { credentials: TEXTS },
        {},
        /credentials = "\(secret\)": credentials are encrypted in the stack file\. Accepted: pulumi config set --secret --path/,
      ],
      [{}, { credentials: `${TEXTS.orders}{` }, /credentials = "\(secret\)": this key holds a map of names and texts/],
      [{}, { credentials: { ...TEXTS, [`${TEXTS.orders}/`]: "x" } }, /the name of entry 5 is no file's/],
      [
        { prometheus: { extra: { env: [{ name: "X", value: path("ordrs") }] } } },
        { credentials: TEXTS },
        /Accepted: \/etc\/credentials\/orders\./,
      ],
    ] as [Overrides, Record<string, unknown>, RegExp][]) {
      const refused = await rejectionByProgram("dev", together(NAMED, overrides), secrets);
      assert.deepEqual(refused.registered, []);
      assert.match(refused.message, says);
      assert.ok(!refused.message.includes("hunter2"), refused.message);
    }
  });
});
