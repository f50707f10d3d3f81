import assert from "node:assert/strict";
import { partsOf, passes, policiesOf } from "../components/networkPolicy";
import { EVERYTHING, HISTORY, PLANS, PROD, SIDECAR } from "../components/plans";
import { type Overrides, objects, run, type Stack, settingsOf, together } from "../harness";
import { documentedNetwork, type End, factsOf } from "./documentedEdges";

const ACCESS = {
  access: { senders: ["shop", "203.0.113.0/24"], readers: ["shop", "grafana", "fd00::/16"], federation: ["global"] },
  tenancy: { tenants: [] },
};
const CREDENTIALS = { accessKey: "a", secretKey: "b" };
const PORTS = [53, 80, 443, 987, 3128, 4317, 5353, 6443, 8080, 9090, 9093, 9999, 10250, 10901, 10902, 11211, 19291, 19391];
const OUTSIDE = [
  "169.254.169.254",
  "169.254.169.252",
  "169.254.170.2",
  "169.254.170.23",
  "169.254.20.10",
  "fd00:ec2::23",
  "fd00:9::7",
  "fd00:7::1",
  "203.0.113.7",
];

/** Every connection of an environment that the policies and the document see differently. */
async function differences(stack: Stack, overrides: Overrides, credentials: boolean): Promise<string[]> {
  const made = await run(stack, overrides, { secrets: credentials ? { objectStorageCredentials: CREDENTIALS } : {} });
  const policies = policiesOf(made);
  const parts = partsOf(made, stack);
  const namespace = `thanos-${stack}`;
  const documented = documentedNetwork(factsOf(settingsOf(stack, overrides), [...parts.keys()], credentials));
  const pods = [
    ...[...parts].map(([part, { pod }]) => ({ name: part, end: { namespace, part }, pod })),
    ...[...objects(made, "Namespace").map(({ metadata }) => metadata.name), "shop", "global", "kube-system"].map((each) => ({
      name: `a pod of ${each}`,
      end: { namespace: each },
      pod: { namespace: each, labels: { app: "any" } },
    })),
  ];
  const places = OUTSIDE.map((address) => ({ name: address, end: { address }, pod: { address } }));
  return [...pods, ...places].flatMap((from) =>
    [...pods, ...places].flatMap((to) =>
      PORTS.filter((port) => passes(policies, from.pod, to.pod, port) !== documented(from.end as End, to.end as End, port)).map(
        (port) => `${from.name} → ${to.name}:${port} is ${documented(from.end as End, to.end as End, port) ? "closed" : "open"}`,
      ),
    ),
  );
}

describe("docs/operations.md: the network", () => {
  for (const { title, stack, overrides } of PLANS) {
    it(`is what the policies make of it: ${title}`, async () => {
      assert.deepEqual(await differences(stack, overrides, false), []);
    });
  }

  for (const { title, stack, overrides } of [PROD, SIDECAR, EVERYTHING, HISTORY]) {
    it(`is what the policies make of it, with named namespaces, credentials, another name server: ${title}`, async () => {
      const network = { network: { dns: [{ namespace: "shop", port: 5353 }, { network: "203.0.113.0/24" }] } };
      assert.deepEqual(await differences(stack, together(overrides, ACCESS, network), true), []);
    });
  }

  it("is what the policies make of it with Alertmanagers whose ports DNS says", async () => {
    const { stack, overrides } = HISTORY;
    const alerting = { alertmanagers: ["http://am:9093", "dnssrv+http://_web._tcp.am.monitoring.svc"] };
    assert.deepEqual(await differences(stack, together(overrides, { alerting }), false), []);
  });

  for (const [kind, bucket] of Object.entries({
    gcs: { bucket: "thanos-prod" },
    azure: { storageAccount: "thanosprod", container: "thanos-prod" },
  })) {
    it(`is what the policies make of it with a bucket of kind ${kind}`, async () => {
      assert.deepEqual(await differences("prod", { objectStorage: { s3: undefined, [kind]: bucket } }, false), []);
    });
  }
});
