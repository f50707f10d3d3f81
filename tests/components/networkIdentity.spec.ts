import assert from "node:assert/strict";
import { type Overrides, objects, rejection, run, together } from "../harness";
import { type Outside, partsOf, passes, policiesOf } from "./networkPolicy";
import { DEV, FILESYSTEM, HISTORY, PROD, SIDECAR } from "./plans";

/** Every address and port at which some cloud tells a pod who it is. */
const PLACES: readonly [address: string, port: number][] = [
  ["169.254.169.254", 80],
  ["169.254.169.254", 8080],
  ["169.254.169.252", 987],
  ["169.254.169.252", 988],
  ["169.254.170.2", 80],
  ["169.254.170.23", 80],
  ["fd00:ec2::23", 80],
  ["fd00:ec2::254", 80],
];
const AMAZON = ["169.254.169.254 80", "169.254.170.2 80", "169.254.170.23 80", "fd00:ec2::23 80", "fd00:ec2::254 80"];
const OTHERS: readonly [address: string, port: number][] = [
  ["169.254.169.253", 80],
  ["169.254.170.24", 80],
  ["169.254.169.254", 22],
  ["203.0.113.7", 80],
];

const bucket = (kind: Overrides): Overrides => ({ objectStorage: { s3: undefined, ...kind } });
const GCS = bucket({ gcs: { bucket: "thanos-prod" } });
const AZURE = bucket({ azure: { storageAccount: "thanosprod", container: "thanos-prod" } });
const GIVEN = bucket({ secret: { name: "objstore", podIdentity: true } });
const OWN_PORT = bucket({ s3: { bucket: "thanos-prod", endpoint: "s3.example.com:9000" } });

describe("network policies: the cloud's identity service", () => {
  /**
   * Places that each component reaches, `address port` each; components that reach nothing, and Prometheus,
   * which reaches everything, are left out.
   */
  async function reached(overrides: Overrides, places: readonly [string, number][], secrets: Record<string, unknown> = {}) {
    const made = await run("prod", overrides, { secrets });
    const parts = partsOf(made, "prod");
    const policies = policiesOf(made);
    const prometheus = parts.get("prometheus")?.pod ?? assert.fail("no Prometheus");
    for (const [address, port] of places) assert.ok(passes(policies, prometheus, { address }, port), `Prometheus to ${address}:${port}`);
    const found = [...parts].flatMap(([name, { pod }]) => {
      const open = places.filter(([address, port]) => passes(policies, pod, { address } satisfies Outside, port));
      return name === "prometheus" || open.length === 0 ? [] : [[name, open.map((each) => each.join(" "))] as const];
    });
    return Object.fromEntries(found);
  }

  const of = (names: readonly string[], places: readonly string[]) => Object.fromEntries(names.map((name) => [name, places]));
  const USERS = ["receive", "store-gateway", "compactor"];

  for (const [kind, overrides, expected] of [
    ["s3", PROD.overrides, AMAZON],
    ["gcs", GCS, ["169.254.169.254 80", "169.254.169.254 8080", "169.254.169.252 987", "169.254.169.252 988"]],
    ["azure", AZURE, ["169.254.169.254 80"]],
    // Whichever cloud it is, and the bucket's own port.
    ["secret", GIVEN, PLACES.map((place) => place.join(" "))],
  ] as const) {
    it(`${kind}: is reached by whatever uses a bucket without credentials, and by nothing else`, async () => {
      assert.deepEqual(await reached(overrides, PLACES), of(USERS, expected));
      assert.deepEqual(await reached(overrides, OTHERS), {});
      // Tokens are exchanged at names of the cloud.
      assert.deepEqual(await reached(overrides, [["203.0.113.7", 443]]), of(USERS, ["203.0.113.7 443"]));
    });
  }

  it("is closed where the bucket has credentials", async () => {
    for (const [overrides, credentials] of [
      [PROD.overrides, { accessKey: "a", secretKey: "b" }],
      [GCS, { serviceAccount: "{}" }],
      [AZURE, { storageAccountKey: "a" }],
    ] as const) {
      assert.deepEqual(await reached(overrides, PLACES, { objectStorageCredentials: credentials }), {});
    }
    assert.deepEqual(await reached(bucket({ secret: { name: "objstore" } }), PLACES), {});
    const secrets = { objectStorageCredentials: { accessKey: "a", secretKey: "b" } };
    assert.deepEqual(await reached(OWN_PORT, [["203.0.113.7", 443]], secrets), {});
  });

  it("includes where tokens are exchanged, also for a bucket at another port", async () => {
    const tried: [string, number][] = [
      ["203.0.113.7", 443],
      ["203.0.113.7", 9000],
    ];
    assert.deepEqual(await reached(OWN_PORT, tried), of(USERS, ["203.0.113.7 443", "203.0.113.7 9000"]));
  });

  it("is reached by stateful rulers, and by no receiver where there is none", async () => {
    const stateful = { ruler: { mode: "stateful", storage: { pvc: { size: "10Gi" } } } };
    assert.deepEqual(await reached(stateful, PLACES), of([...USERS, "ruler"], AMAZON));
    const sidecars = Object.keys(await reached(SIDECAR.overrides, PLACES));
    assert.ok(sidecars.includes("store-gateway") && !sidecars.includes("receive"), sidecars.join());
  });

  it("is no part of an environment without a bucket, or with a directory in its place", async () => {
    for (const { stack, overrides } of [DEV, FILESYSTEM]) {
      const made = await run(stack, overrides);
      assert.ok(!JSON.stringify(policiesOf(made).filter(({ metadata }) => metadata.name !== "allow-dns")).includes("ipBlock"));
    }
  });
});

describe("network policies: name servers", () => {
  const names = (namespace: string) => ({ namespace, labels: { app: "dns" } });

  async function answering(overrides: Overrides): Promise<string[]> {
    const made = await run("prod", overrides);
    const policies = policiesOf(made);
    const querier = partsOf(made, "prod").get("querier")?.pod ?? assert.fail("no querier");
    const servers = {
      "kube-system": names("kube-system"),
      "openshift-dns": names("openshift-dns"),
      own: names("own-dns"),
      "169.254.20.10": { address: "169.254.20.10" },
      "169.254.169.254": { address: "169.254.169.254" },
      "10.96.0.10": { address: "10.96.0.10" },
    };
    return Object.entries(servers).flatMap(([name, server]) =>
      [53, 5353].flatMap((port) =>
        ["UDP", "TCP"]
          .filter((protocol) => passes(policies, querier, server, port, protocol))
          .map((protocol) => `${name} ${port} ${protocol}`),
      ),
    );
  }

  it("are by default those of clusters as they come, OpenShift's, the nodes' own caches, and Google's Cloud DNS", async () => {
    assert.deepEqual(await answering({}), [
      "kube-system 53 UDP",
      "kube-system 53 TCP",
      "openshift-dns 5353 UDP",
      "openshift-dns 5353 TCP",
      "169.254.20.10 53 UDP",
      "169.254.20.10 53 TCP",
      "169.254.169.254 53 UDP",
      "169.254.169.254 53 TCP",
    ]);
  });

  it("are those that are named, and no others", async () => {
    const dns = [{ namespace: "own-dns", port: 5353 }, { network: "10.96.0.10/32" }];
    assert.deepEqual(await answering({ network: { dns } }), ["own 5353 UDP", "own 5353 TCP", "10.96.0.10 53 UDP", "10.96.0.10 53 TCP"]);
  });

  for (const [dns, expected] of [
    [[], "network.dns = []: this key is not empty. Accepted: at least 1 entry"],
    [[{ port: 53 }], "exactly one of namespace and network"],
    [[{ namespace: "kube-system", network: "10.96.0.10/32" }], "exactly one of namespace and network"],
    [[{ network: "10.96.0.10" }], "network.dns[0].network"],
    [[{ network: "10.96.0.10/24" }], "network.dns[0].network"],
    [[{ namespace: "Kube" }], "network.dns[0].namespace"],
    [[{ namespace: "kube-system", port: 0 }], "network.dns[0].port"],
  ] as const) {
    it(`${JSON.stringify(dns)} is refused`, async () => {
      const { problems } = await rejection("prod", { network: { dns } });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.ok(problems[0]?.includes(expected), problems[0]);
    });
  }
});

describe("network policies: the namespace of the jobs that make directories", () => {
  it("is closed", async () => {
    for (const { stack, overrides } of [DEV, HISTORY]) {
      const made = await run(stack, together(overrides));
      const exempt = objects(made, "Namespace")
        .map(({ metadata }) => metadata.name)
        .filter((name) => name.endsWith("-volumes"));
      const closed = policiesOf(made).filter(({ metadata }) => metadata.namespace?.endsWith("-volumes"));
      assert.deepEqual(
        closed.map(({ metadata, spec }) => [metadata.namespace, metadata.name, spec]),
        exempt.map((name) => [name, "default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }]),
      );
    }
  });
});
