import assert from "node:assert/strict";
import { CLAIMS, load, type Overrides, rejection, type Stack, together } from "../harness";

/** Refusals of rings of their own shape, and of their tenants, each with what is accepted instead. */

interface Refusal {
  title: string;
  stack?: Stack;
  overrides: Overrides;
  /** Each problem, by its key. */
  says: Record<string, RegExp>;
  /** Settings that are accepted instead. */
  accepted?: Overrides;
}

const ring = (change: Record<string, unknown> = {}) => ({ name: "big", tenants: ["big"], replicas: 9, ...change });
const withRings = (...hashrings: unknown[]): Overrides => ({ receive: { hashrings } });
const OWN = "receive.hashrings[0]";

const REFUSALS: Refusal[] = [
  {
    title: "a zone that is none of the cluster's",
    stack: "prod",
    overrides: withRings(ring({ zones: ["z9"] })),
    says: { [`${OWN}.zones`]: /"z9": a ring's zones are some of those of cluster\.zones.*Accepted: some of z1, z2, z3, or \[\]\./ },
    accepted: withRings(ring({ zones: ["z1"] })),
  },
  {
    title: "fewer zones than replicas",
    stack: "prod",
    overrides: withRings(ring({ replicas: 8, zones: ["z1", "z2"] })),
    says: { [`${OWN}.zones`]: /with fewer zones than replicas \(3\).*Accepted: 3 zones, or none\./ },
  },
  {
    title: "receivers that don't divide over the ring's zones, and takes them without zones",
    stack: "prod",
    overrides: withRings(ring({ replicas: 10 })),
    says: { [`${OWN}.replicas`]: /divide evenly over the 3 zones of cluster\.zones/ },
    accepted: together(withRings(ring({ replicas: 10, zones: [] })), { survives: { zones: 0 } }),
  },
  {
    title: "soft anti-affinity of one ring, by its key",
    stack: "prod",
    overrides: withRings(ring({ antiAffinity: "soft" })),
    says: { [`${OWN}.antiAffinity`]: /"soft": soft anti-affinity.*Accepted: "hard", or "replicas-on-one-node" in accepts/ },
    accepted: { ...withRings(ring({ antiAffinity: "hard" })) },
  },
  {
    title: "retention that fills the ring's own volume, also where it is that of `receive`",
    stack: "prod",
    overrides: {
      receive: {
        storage: { pvc: { size: "500Gi" } },
        retention: { size: "400Gi" },
        hashrings: [ring({ storage: { pvc: { size: "100Gi" } } })],
      },
    },
    says: { [`${OWN}.retention.size`]: /"400Gi": of a volume of 100Gi blocks may fill 85 %/ },
    accepted: {
      receive: { hashrings: [ring({ storage: { pvc: { size: "100Gi" } }, retention: { size: "80Gi" } })] },
    },
  },
  {
    title: "fewer nodes than the ring's pods",
    overrides: together(
      CLAIMS,
      withRings(ring({ antiAffinity: "hard", replicas: 3, storage: { hostPath: { path: "/ssd", nodes: ["a", "b"] } } })),
    ),
    says: {
      [`${OWN}.storage.hostPath.nodes`]:
        /3 pods are pinned to their data and never share a node \(receive\.hashrings\[0\]\.antiAffinity is "hard"\)/,
    },
    accepted: withRings(ring({ antiAffinity: "hard", replicas: 3, storage: { hostPath: { path: "/ssd", nodes: ["a", "b", "c"] } } })),
  },
  {
    title: "directories of nodes for a ring with zones",
    stack: "prod",
    overrides: withRings(ring({ replicas: 3, storage: { hostPath: { path: "/ssd", nodes: ["a", "b", "c"] } } })),
    says: { [`${OWN}.storage.hostPath`]: /says nothing of zones.*receive\.hashrings\[0\]\.storage\.pvc, or no zones of that ring/ },
    accepted: together(withRings(ring({ replicas: 3, zones: [], storage: { hostPath: { path: "/ssd", nodes: ["a", "b", "c"] } } })), {
      survives: { zones: 0 },
    }),
  },
  {
    title: "a CPU limit below what `receive` reserves",
    stack: "prod",
    overrides: { receive: { resources: { cpu: "2" }, hashrings: [ring({ resources: { cpuLimit: "1" } })] } },
    says: { [`${OWN}.resources.cpuLimit`]: /"1": Kubernetes refuses a limit below what is reserved \(cpu 2;.*Accepted: 2 or more\./ },
    accepted: { receive: { hashrings: [ring({ resources: { cpu: "1", cpuLimit: "1" } })] } },
  },
  {
    title: "an account of the ring's own",
    stack: "prod",
    overrides: withRings(ring({ pods: { serviceAccountAnnotations: { a: "b" } } })),
    says: { [`${OWN}.pods.serviceAccountAnnotations`]: /receivers of every ring run under the receivers' service account/ },
  },
  {
    title: "a pattern that takes another ring's tenant",
    stack: "prod",
    overrides: withRings(ring(), ring({ name: "others", tenants: ["b*"] })),
    says: {
      "receive.hashrings[1].tenants":
        /"b\*": a tenant belongs to one ring, and this pattern and big of receive\.hashrings\[0\] take some in common/,
    },
    accepted: withRings(ring(), ring({ name: "others", tenants: ["b?"] })),
  },
  {
    title: "two patterns that meet, at both",
    stack: "prod",
    overrides: withRings(ring({ tenants: ["a*z"] }), ring({ name: "others", tenants: ["ab*"] })),
    says: {
      [`${OWN}.tenants`]: /this pattern and ab\* of receive\.hashrings\[1\]/,
      "receive.hashrings[1].tenants": /this pattern and a\*z of receive\.hashrings\[0\]/,
    },
    accepted: withRings(ring({ tenants: ["a*z", "az", "a*zz"] }), ring({ name: "others", tenants: ["b*"] })),
  },
  {
    title: "a pattern that takes the default tenant",
    stack: "prod",
    overrides: withRings(ring({ tenants: ["d*"] })),
    says: { [`${OWN}.tenants`]: /takes default-tenant \(tenancy\.defaultTenant\) from the default ring/ },
    accepted: withRings(ring({ tenants: ["e*"] })),
  },
  {
    title: "a pattern that takes one of the default ring's tenants",
    stack: "prod",
    overrides: { tenancy: { tenants: ["team-1"] }, ...withRings(ring({ tenants: ["team-*"] })) },
    says: { "tenancy.tenants[0]": /"team-1": these are the default ring's, and ring big has some tenants in common with this \(team-\*\)/ },
    accepted: withRings(ring({ tenants: ["team-[2-9]*"] })),
  },
  {
    title: "limits of a tenant that no pattern takes",
    stack: "prod",
    overrides: { receive: { hashrings: [ring({ tenants: ["team-?"] })], limits: { tenants: { "team-10": { headSeries: 5 } } } } },
    says: { "receive.limits.tenants.team-10": /no ring takes this tenant/ },
    accepted: withRings(ring({ tenants: ["team-*"] })),
  },
  ...["*", ".*", "?a", "[a-z]*", "a[z-a]", "a[", "a/b", "a\\*"].map(
    (pattern): Refusal => ({
      title: `the pattern ${pattern}`,
      stack: "prod",
      overrides: withRings(ring({ tenants: [pattern] })),
      says: { [`${OWN}.tenants[0]`]: /a letter or digit first, since it names a directory/ },
    }),
  ),
  {
    title: "a label of this stack's own as that of tenants",
    stack: "prod",
    overrides: { tenancy: { splitLabel: "cluster" } },
    says: { "tenancy.splitLabel": /put this label on all that they write/ },
    accepted: { tenancy: { splitLabel: "tenant_id" } },
  },
  {
    title: "a label that series have of their own as that of tenants",
    stack: "prod",
    overrides: { tenancy: { splitLabel: "namespace" } },
    says: { "tenancy.splitLabel": /series have this label of their own/ },
  },
  {
    title: "the flag of it",
    stack: "prod",
    overrides: { receive: { extra: { args: ["--receive.split-tenant-label-name=team"] } } },
    says: { "receive.extra.args[0]": /tenancy\.splitLabel/ },
  },
  {
    title: "a shard with fewer receivers than replicas",
    stack: "prod",
    overrides: withRings(ring({ shuffleSharding: { shardSize: 2 } })),
    says: { [`${OWN}.shuffleSharding.shardSize`]: /or every write of its tenant fails\. Accepted: 3 to 9, a multiple of 3\./ },
    accepted: withRings(ring({ shuffleSharding: { shardSize: 3 } })),
  },
  {
    title: "a shard larger than its ring",
    stack: "prod",
    overrides: withRings(ring({ shuffleSharding: { shardSize: 12 } })),
    says: { [`${OWN}.shuffleSharding.shardSize`]: /the ring has 9 receivers, and every receiver exits/ },
  },
  {
    title: "a shard that is not of as many receivers from each zone",
    stack: "prod",
    overrides: withRings(ring({ shuffleSharding: { shardSize: 4 } })),
    says: { [`${OWN}.shuffleSharding.shardSize`]: /from each of the ring's 3 zones, so that this shard would have 6/ },
    accepted: together(withRings(ring({ shuffleSharding: { shardSize: 4, zoneAwarenessDisabled: true } })), { survives: { zones: 0 } }),
  },
  {
    title: "shards of the default ring, by the same rules",
    stack: "prod",
    overrides: { receive: { replicas: 6, shuffleSharding: { shardSize: 9 } } },
    says: { "receive.shuffleSharding.shardSize": /the ring has 6 receivers/ },
    accepted: { receive: { shuffleSharding: { shardSize: 3 } } },
  },
  {
    title: "five replicas of shards drawn without regard to zones",
    stack: "prod",
    overrides: {
      cluster: { zones: ["z1", "z2", "z3", "z4", "z5"] },
      survives: { nodes: 0, zones: 0 },
      receive: {
        replicationFactor: 5,
        replicas: 10,
        hashrings: [ring({ replicas: 10, shuffleSharding: { shardSize: 5, zoneAwarenessDisabled: true } })],
      },
    },
    says: { [`${OWN}.shuffleSharding.zoneAwarenessDisabled`]: /searches for 5 replicas for ever/ },
    accepted: { receive: { hashrings: [ring({ replicas: 10, shuffleSharding: { shardSize: 5 } })] } },
  },
  {
    title: "a shard size for another ring's tenant, and one that an earlier one hides",
    stack: "prod",
    overrides: withRings(
      ring({
        tenants: ["big", "team-*"],
        shuffleSharding: {
          shardSize: 3,
          overrides: [
            { tenants: ["team-*"], shardSize: 6 },
            { tenants: ["team-1"], shardSize: 9 },
            { tenants: ["other"], shardSize: 6 },
          ],
        },
      }),
    ),
    says: {
      [`${OWN}.shuffleSharding.overrides[1].tenants`]: /an earlier one has team-\*\. Accepted: the narrower one first/,
      [`${OWN}.shuffleSharding.overrides[2].tenants`]: /this ring does not take this tenant. Accepted: tenants of this ring: big, team-\*/,
    },
  },
  {
    title: "raw samples of a ring beside downsampled ones of the bucket, although the first ring ends before",
    stack: "prod",
    overrides: withRings(ring({ retention: { time: "15d" } })),
    says: { [`${OWN}.retention.time`]: /"15d": the querier counts resets.*Accepted: at most 1d16h, or 36h as receive\.retention\.time/ },
    accepted: withRings(ring({ retention: { time: "40h" } })),
  },
  {
    title: "a handover that the ring with the shortest retention does not reach",
    stack: "prod",
    overrides: {
      objectStorage: { handover: "6d" },
      receive: { retention: { time: "7d" }, hashrings: [ring({ retention: { time: "4d" } })] },
    },
    says: {
      "receive.retention.time": /"7d": the querier counts resets/,
      "objectStorage.handover": /older samples may be dropped from local storage \(receive\.hashrings\[0\]\.retention\.time 4d\)/,
    },
  },
];

describe("rings of their own shape", () => {
  for (const { title, stack = "dev", overrides, says, accepted } of REFUSALS) {
    it(`refuse ${title}`, async () => {
      const { problems, message } = await rejection(stack, overrides);
      for (const [key, said] of Object.entries(says)) {
        const line = problems.find((problem) => problem.startsWith(`  - ${key} = `));
        assert.ok(line !== undefined, `no problem at ${key}:\n${message}`);
        assert.match(line, said);
      }
      assert.equal(problems.length, Object.keys(says).length, message);
      if (accepted !== undefined) await load(stack, together(overrides, accepted));
    });
  }
});
