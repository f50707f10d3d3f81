import assert from "node:assert/strict";
import fc from "fast-check";
import { planStack } from "../../../model/plan";
import { joining } from "../../../model/ring/change";
import { DEFAULT_RING, hashrings, hashringsFile, hashringsHash } from "../../../model/ring/hashring";
import { ketamaRing, replicasOf } from "../../../model/ring/ketama";
import { tenancySchema, tenantName } from "../../../model/settings/tenancy";
import { tenancyProblems } from "../../../model/settings/tenancyRules";
import { type Overrides, rejection, ringPlan, settingsOf } from "../../harness";

interface FileRing {
  hashring: string;
  tenants?: string[];
  tenant_matcher_type?: string;
  endpoints: { address: string }[];
}

const fileOf = (overrides: Overrides = {}): FileRing[] => JSON.parse(ringPlan(planStack(settingsOf("dev", overrides))).hashringsFile);
const keysOf = (overrides: Overrides) => tenancyProblems(settingsOf("dev", overrides)).map(({ key }) => key);
const ANY = { accepts: ["replicas-on-one-node", "any-tenant"], tenancy: { tenants: undefined } };
const PAYMENTS = { name: "payments", tenants: ["cards"], replicas: 3 };

/** The ring that takes a tenant, as Thanos looks for it: the first that matches (pkg/receive/hashring.go `multiHashring.GetN`). */
function ringOf(rings: readonly FileRing[], tenant: string): string | undefined {
  return rings.find(({ tenants = [], tenant_matcher_type: type }) => {
    if (tenants.length === 0) return true;
    // Go's Match differs from this in nothing that is used here.
    return tenants.some((pattern) => (type === "glob" ? /^[^./][^/]*$/.test(tenant) && pattern === "[^.]*" : pattern === tenant));
  })?.hashring;
}

const NEVER = ["", ".", "..", "../x", "a/b", ".hidden"];

describe("tenancy: the ring of each tenant", () => {
  it("is closed: the default tenant, those that are named, and nobody else", () => {
    const rings = fileOf({ tenancy: { tenants: ["shop", "billing"] }, receive: { hashrings: [PAYMENTS] } });
    assert.deepEqual(
      ["default-tenant", "shop", "billing", "cards", "stranger", "Shop", "sho", ...NEVER].map((tenant) => ringOf(rings, tenant)),
      [DEFAULT_RING, DEFAULT_RING, DEFAULT_RING, "payments", ...Array(3 + NEVER.length).fill(undefined)],
    );
  });

  it("is closed without a list too, where nobody else may write", () => {
    const [ring] = fileOf({ access: { senders: [] }, tenancy: { tenants: undefined } });
    assert.deepEqual(ring?.tenants, ["default-tenant"]);
  });

  it("takes any tenant where that is accepted, but none that leaves its directory", () => {
    const rings = fileOf({ ...ANY, receive: { hashrings: [PAYMENTS] } });
    assert.deepEqual(rings.at(-1)?.tenants, ["[^.]*"]);
    assert.equal(rings.at(-1)?.tenant_matcher_type, "glob");
    for (const tenant of ["stranger", "default-tenant", "a.b", "-"]) assert.equal(ringOf(rings, tenant), DEFAULT_RING, tenant);
    for (const tenant of NEVER) assert.equal(ringOf(rings, tenant), undefined, tenant);
    assert.equal(ringOf(rings, "cards"), "payments");
  });

  it("is never one without a list, which would take `.` too", () => {
    for (const overrides of [{}, ANY, { receive: { hashrings: [PAYMENTS] } }]) {
      for (const { hashring, tenants } of fileOf(overrides)) assert.ok((tenants ?? []).length > 0, hashring);
    }
  });

  it("has the default tenant once, wherever it is named, and not where another ring has it", () => {
    const tenants = (overrides: Overrides) => fileOf(overrides).map((ring) => ring.tenants);
    assert.deepEqual(tenants({ tenancy: { tenants: ["shop", "default-tenant"] } }), [["default-tenant", "shop"]]);
    assert.deepEqual(tenants({ tenancy: { defaultTenant: "own", tenants: [] } }), [["own"]]);
    assert.deepEqual(tenants({ tenancy: { tenants: ["shop"] }, receive: { hashrings: [{ ...PAYMENTS, tenants: ["default-tenant"] }] } }), [
      ["default-tenant"],
      ["shop"],
    ]);
  });

  describe("when an open ring is closed", () => {
    const place = { namespace: "thanos", peerService: "peers", clusterDomain: "cluster.local" };
    const both = (members: number, zones: string[], tenants: string[]) => {
      const plan = { name: DEFAULT_RING, replicas: members, zones };
      return { open: hashrings([plan], place), closed: hashrings([{ ...plan, tenants }], place) };
    };

    it("has the same members in the same order: no receiver joins or leaves", () => {
      const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 9 }), fc.constantFrom<string[]>([], ["a", "b", "c"]), names, (each, zones, tenants) => {
          const { open, closed } = both(each * 3, zones, tenants);
          assert.deepEqual(
            closed.map(({ members }) => members),
            open.map(({ members }) => members),
          );
          assert.deepEqual(joining(hashringsFile(open), hashringsFile(closed)), []);
          assert.deepEqual(joining(hashringsFile(closed), hashringsFile(open)), []);
          assert.notEqual(
            hashringsHash(hashringsFile(open)),
            hashringsHash(hashringsFile(closed)),
            "receivers are asked whether they have read it",
          );
        }),
      );
    });

    it("moves no series, which the ring finds by tenant, labels and members", () => {
      const { open, closed } = both(6, ["a", "b", "c"], ["shop"]);
      const [before, after] = [open, closed].map(([ring]) => ketamaRing(ring?.members ?? [], 3));
      assert.ok(before !== undefined && after !== undefined);
      for (let series = 0; series < 1_000; series++) {
        const labels = { __name__: "m", series: String(series) };
        assert.deepEqual(replicasOf(after, "shop", labels), replicasOf(before, "shop", labels));
      }
    });
  });
});

describe("tenancy: rules", () => {
  const cases: { title: string; overrides: Overrides; keys: string[] }[] = [
    { title: "a list where others may write", overrides: { tenancy: { tenants: ["shop"] } }, keys: [] },
    { title: "an empty list: the default tenant alone", overrides: { tenancy: { tenants: [] } }, keys: [] },
    { title: "no list where others may write", overrides: { tenancy: { tenants: undefined } }, keys: ["tenancy.tenants"] },
    {
      title: "no list where anybody may write",
      overrides: { tenancy: { tenants: undefined }, access: { senders: undefined }, accepts: ["replicas-on-one-node", "open-doors"] },
      keys: ["tenancy.tenants"],
    },
    { title: "no list where nobody else may write", overrides: { tenancy: { tenants: undefined }, access: { senders: [] } }, keys: [] },
    { title: "no list where any tenant is accepted", overrides: ANY, keys: [] },
    { title: "a list that any tenant makes void", overrides: { ...ANY, tenancy: { tenants: ["shop"] } }, keys: ["tenancy.tenants"] },
    {
      title: "a tenant that another ring has",
      overrides: { tenancy: { tenants: ["shop", "cards"] }, receive: { hashrings: [PAYMENTS] } },
      keys: ["tenancy.tenants[1]"],
    },
    {
      title: "a default ring without tenants, which would take any",
      overrides: { tenancy: { defaultTenant: "cards", tenants: [] }, receive: { hashrings: [PAYMENTS] } },
      keys: ["tenancy.defaultTenant"],
    },
    {
      title: "limits of nobody",
      overrides: { receive: { hashrings: [PAYMENTS], limits: { tenants: { cards: {}, greeter: {}, gretter: { headSeries: 5 } } } } },
      keys: ["receive.limits.tenants.gretter"],
    },
    { title: "limits of anybody", overrides: { ...ANY, receive: { limits: { tenants: { noisy: {} } } } }, keys: [] },
    {
      title: "a limit of active series for those who count them",
      overrides: { receive: { limits: { tenants: { "default-tenant": { headSeries: 5 } } } } },
      keys: ["receive.limits.tenants.default-tenant.headSeries"],
    },
    { title: "no ring", overrides: { ingestion: "sidecar", tenancy: { tenants: undefined } }, keys: [] },
  ];
  for (const { title, overrides, keys } of cases) {
    it(`${title}: ${keys.length === 0 ? "accepted" : "refused"}`, () => assert.deepEqual(keysOf(overrides), keys));
  }

  it("are those of the preview", async () => {
    const { problems } = await rejection("dev", { tenancy: { tenants: undefined } });
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(
      problems[0] ?? "",
      /tenancy\.tenants = \(not set\): a ring for any tenant: .* Accepted: \[\] for the default tenant alone, .*"any-tenant" in accepts\.$/,
    );
  });
});

describe("tenancy: names", () => {
  for (const name of [...NEVER, "..a", "-a", "a b", "a\n", "*", "[a]", "a".repeat(256)]) {
    it(`refuse the tenant ${JSON.stringify(name.slice(0, 20))}`, () => {
      assert.ok(!tenantName.safeParse(name).success);
      assert.ok(!tenancySchema.safeParse({ tenants: [name] }).success);
    });
  }

  it("refuse a tenant twice", () => assert.ok(!tenancySchema.safeParse({ tenants: ["a", "a"] }).success));

  it("of headers are tokens of HTTP, as Node.js sends them, and none that a sender can't choose", () => {
    for (const header of ["THANOS-TENANT", "X-Scope-OrgID", "x_tenant", "a!#$%&'*+-.^_`|~9"]) {
      assert.ok(tenancySchema.safeParse({ header }).success, header);
      assert.doesNotThrow(() => new Headers({ [header]: "x" }));
    }
    for (const header of ["", "X-A\nX-B: c", "X A", "$(POD_NAME)", "<script>", "X:A", "Ä", "a\u0000"]) {
      assert.ok(!tenancySchema.safeParse({ header }).success, header);
      assert.throws(() => new Headers({ [header]: "x" }));
    }
    for (const header of ["Host", "content-length", "Authorization", "Connection", "Thanos-Replica", "X-Gateway-Tenants"])
      assert.ok(!tenancySchema.safeParse({ header }).success, header);
  });
});
