import assert from "node:assert/strict";
import { API_TOKEN } from "../../model/kubernetes/apiToken";
import { EXCEPTIONS } from "../../policy/exceptions";
import type { Container, PodSpec, PolicyResource } from "../../policy/resources";
import { RESOURCE_RULES, STACK_RULES, violationsOf } from "../../policy/rules";
import { PLANS } from "../components/plans";
import { run } from "../harness";
import {
  BOUNDED,
  broken,
  container,
  directories,
  GOOD,
  hashrings,
  NAMESPACE,
  namespace,
  networkPolicy,
  podSpec,
  resource,
  volume,
  withChanged,
  workload,
} from "./fakes";

const set = (spec: PodSpec) => withChanged(workload("StatefulSet", spec, { volumeClaimTemplates: [{}] }));
const withContainer = (changes: Partial<Container> & Record<string, unknown>) => set(podSpec({ containers: [container(changes)] }));
const bounded = (changes: Container["resources"]) => withContainer({ resources: { ...BOUNDED, ...changes } });
const configMap = (data: Record<string, string>) =>
  withChanged(resource("core/v1:ConfigMap", { metadata: { name: "settings", namespace: NAMESPACE }, data }));
const service = (spec: Record<string, unknown>) =>
  withChanged(resource("core/v1:Service", { metadata: { name: "receive", namespace: NAMESPACE }, spec }));
const leading = (kind: string, apiVersion: string, spec: Record<string, unknown>) =>
  withChanged(resource(`${apiVersion}:${kind}`, { metadata: { name: "metrics", namespace: NAMESPACE }, spec }));
const DIGEST = `sha256:${"a".repeat(64)}`;

/** Each breaks one rule and no other. */
const BROKEN: Record<string, [what: string, resources: PolicyResource[], message: RegExp, stack?: string][]> = {
  "images-are-pinned": [
    ["no tag", withContainer({ image: "quay.io/thanos/thanos" }), /StatefulSet shop\/receive: container main .* without tag or digest/],
    ["latest", withContainer({ image: "thanos:latest" }), /by the tag `latest`/],
    ["a registry's port is no tag", withContainer({ image: "localhost:5000/thanos" }), /without tag/],
    ["a digest that is cut short", withContainer({ image: "thanos@sha256:abc" }), /without tag/],
    ["no image", withContainer({ image: undefined }), /\(none\)/],
    ["an init container", set(podSpec({ initContainers: [container({ name: "first", image: "a" })] })), /container first/],
  ],
  "resources-are-bounded": [
    [
      "nothing",
      withContainer({ resources: undefined }),
      /no requests\.cpu, no requests\.memory, no requests\.ephemeral-storage, no limits\.memory, no limits\.ephemeral-storage$/,
    ],
    ["no memory limit", bounded({ limits: { cpu: "1", "ephemeral-storage": "1Gi" } }), /has no limits\.memory$/],
    ["no CPU request", bounded({ requests: { memory: "1Gi", "ephemeral-storage": "64Mi" } }), /has no requests\.cpu$/],
    ["a disk without a limit", bounded({ limits: { memory: "1Gi" } }), /has no limits\.ephemeral-storage$/],
    ["an emptyDir without a limit", set(podSpec({ volumes: [{ name: "tmp", emptyDir: {} }] })), /the emptyDir tmp has no sizeLimit/],
  ],
  "api-tokens-are-chosen": [
    ["the account's token everywhere", set(podSpec({ automountServiceAccountToken: true })), /set automountServiceAccountToken to false/],
    ["nothing said of it", set(podSpec({ automountServiceAccountToken: undefined })), /into every container/],
    [
      "one token in two containers",
      set(
        podSpec({
          volumes: [API_TOKEN.volume],
          containers: ["main", "sidecar"].map((name) => container({ name, volumeMounts: [API_TOKEN.mount] })),
        }),
      ),
      /main, sidecar mount a token/,
    ],
  ],
  "pods-are-restricted": [
    ["hostNetwork", set(podSpec({ hostNetwork: true })), /hostNetwork/],
    ["hostPID", set(podSpec({ hostPID: true })), /hostPID/],
    ["hostIPC", set(podSpec({ hostIPC: true })), /hostIPC/],
    [
      "a sysctl",
      set(podSpec({ securityContext: { ...podSpec().securityContext, sysctls: [{ name: "kernel.msgmax" }] } })),
      /kernel\.msgmax/,
    ],
    ["root", set(podSpec({ securityContext: { ...podSpec().securityContext, runAsUser: 0 } })), /runs as root/],
    ["no runAsNonRoot", set(podSpec({ securityContext: { seccompProfile: { type: "RuntimeDefault" } } })), /runAsNonRoot is not true/],
    ["no seccomp profile", set(podSpec({ securityContext: { runAsNonRoot: true } })), /no seccomp profile/],
    ["no seccomp", set(podSpec({ securityContext: { runAsNonRoot: true, seccompProfile: { type: "Unconfined" } } })), /unconfined seccomp/],
    ["an NFS volume", set(podSpec({ volumes: [{ name: "share", nfs: {} }] })), /volume share is a nfs/],
    ["privileged", withContainer({ securityContext: { ...container().securityContext, privileged: true } }), /is privileged/],
    ["escalation", withContainer({ securityContext: { capabilities: { drop: ["ALL"] } } }), /allowPrivilegeEscalation is not false/],
    ["capabilities kept", withContainer({ securityContext: { allowPrivilegeEscalation: false } }), /does not drop all capabilities/],
    [
      "a capability",
      withContainer({
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"], add: ["SYS_ADMIN", "NET_BIND_SERVICE"] } },
      }),
      /adds the capability SYS_ADMIN$/,
    ],
    ["a node's port", withContainer({ ports: [{ hostPort: 19291 }] }), /its node's port 19291/],
    ["procMount", withContainer({ securityContext: { ...container().securityContext, procMount: "Unmasked" } }), /procMount Unmasked/],
    [
      "a Windows host process",
      withContainer({ securityContext: { ...container().securityContext, windowsOptions: { hostProcess: true } } }),
      /Windows/,
    ],
    [
      "SELinux",
      withContainer({ securityContext: { ...container().securityContext, seLinuxOptions: { type: "spc_t" } } }),
      /SELinux type spc_t/,
    ],
    [
      "an SELinux role",
      withContainer({ securityContext: { ...container().securityContext, seLinuxOptions: { role: "sysadm_r" } } }),
      /user or role/,
    ],
    [
      "AppArmor",
      withContainer({ securityContext: { ...container().securityContext, appArmorProfile: { type: "Unconfined" } } }),
      /AppArmor profile Unconfined/,
    ],
    [
      "a probe of another host",
      withContainer({ livenessProbe: { httpGet: { host: "169.254.169.254" } } }),
      /livenessProbe asks another host/,
    ],
    [
      "an ephemeral container",
      set(
        podSpec({
          ephemeralContainers: [container({ name: "debug", securityContext: { ...container().securityContext, privileged: true } })],
        }),
      ),
      /container debug: is privileged/,
    ],
  ],
  "namespaces-enforce-restricted": [["baseline", withChanged(namespace(NAMESPACE, "baseline")), /Namespace shop: .* is baseline/]],
  "services-stay-inside": [
    ["NodePort", service({ type: "NodePort" }), /it is a NodePort; .* add shop\/receive to exposedServices/],
    ["LoadBalancer", service({ type: "LoadBalancer" }), /it is a LoadBalancer/],
    [
      "external addresses, of the gateway too",
      service({ type: "ClusterIP", externalIPs: ["192.0.2.1"], selector: { "app.kubernetes.io/component": "gateway" } }),
      /externalIPs/,
    ],
    [
      "an Ingress to another than the gateway",
      leading("Ingress", "networking.k8s.io/v1", { rules: [{ http: { paths: [{ backend: { service: { name: "receive" } } }] } }] }),
      /it leads to receive from outside; .* add shop\/receive to exposedServices/,
    ],
    [
      "a route to another than the gateway",
      leading("GRPCRoute", "gateway.networking.k8s.io/v1", {
        rules: [{ backendRefs: [{ name: "thanos-gateway-write" }, { name: "querier" }] }],
      }),
      /GRPCRoute shop\/metrics: it leads to querier from outside/,
    ],
    ["external addresses", service({ type: "ClusterIP", externalIPs: ["192.0.2.1"] }), /externalIPs/],
  ],
  "hostpath-is-declared": [
    ["a node's disk in an environment that names none", withChanged(volume()), /prod is none of hostPathStacks/],
    ["another pod's directory", withChanged(volume({ hostPath: { path: "/data/shop/receive-1" } })), /is not the directory/, "dev"],
    ["the root of all directories", withChanged(volume({ hostPath: { path: "/data" } })), /is not the directory/, "dev"],
    ["any node", withChanged(volume({ nodeAffinity: undefined })), /names no node/, "dev"],
  ],
  "data-is-protected": [
    ["the namespace", withChanged(namespace(NAMESPACE, "restricted", { protect: false })), /Namespace shop: it is not protected/],
    [
      "a StatefulSet with volumes",
      withChanged(workload("StatefulSet", podSpec(), { volumeClaimTemplates: [{}] }, { protect: false })),
      /StatefulSet shop\/receive: it is not protected/,
    ],
  ],
  "credentials-are-secret": [
    [
      "a password in a file",
      configMap({ "prometheus.yml": "basic_auth:\n  username: a\n  password: hunter2" }),
      /ConfigMap shop\/settings: prometheus\.yml holds a value of password/,
    ],
    ["a key in JSON", configMap({ "bucket.json": '{"secret_key": "abcdef"}' }), /a value of secret_key/],
    ["a key of the map itself", configMap({ password: "hunter2" }), /password holds a value of password/],
    ["a private key", configMap({ "tls.pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIE" }), /a private key/],
    ["an access key", configMap({ a: "id AKIAIOSFODNN7EXAMPLE" }), /an AWS access key/],
    ["a URL with a password", configMap({ a: "remote: https://user:pa55@example.org/" }), /a user and password in a URL/],
    ["a bearer token", configMap({ a: "authorization: Bearer abcdefgh12345678" }), /a bearer token/],
    ["a variable", withContainer({ env: [{ name: "AWS_SECRET_ACCESS_KEY", value: "abc" }] }), /variable AWS_SECRET_ACCESS_KEY holds/],
    ["an argument", withContainer({ args: ["--web.auth-token=abc"] }), /an argument holds a value of web\.auth-token/],
    [
      "an argument behind its name",
      withContainer({ args: ["--client-secret", "hunter2hunter2"] }),
      /an argument holds a value of client-secret/,
    ],
    [
      "a probe's command",
      withContainer({ livenessProbe: { exec: { command: ["curl", "-u", "x", "http://me:secret@host/"] } } }),
      /an argument holds a user and password/,
    ],
    [
      "a probe's header",
      withContainer({ readinessProbe: { httpGet: { httpHeaders: [{ name: "Authorization", value: "Bearer abcdefgh12345678" }] } } }),
      /the header Authorization of a probe holds a bearer token/,
    ],
    [
      "a volume's attribute",
      set(podSpec({ volumes: [{ name: "vault", csi: { driver: "a", volumeAttributes: { password: "hunter2" } } }] })),
      /volume vault: the attribute password holds a value of password/,
    ],
    ["a command", withContainer({ command: ["sh", "-c", "curl -u x http://me:secret@host/"] }), /an argument holds a user and password/],
  ],
  "ring-holds-every-copy": [
    [
      "fewer receivers than replicas",
      withChanged(hashrings(["receive-0", "receive-1"])),
      /hashring default has 2 receivers for 3 replicas/,
    ],
    [
      "a receiver that nothing makes",
      withChanged(hashrings(["receive-0", "receive-1", "receive-2", "receive-3"])),
      /names receive-3, which no StatefulSet makes/,
    ],
    [
      "fewer pods than members",
      withChanged(workload("StatefulSet", podSpec(), { replicas: 2, volumeClaimTemplates: [{}] })),
      /names receive-2/,
    ],
    [
      "a file that nobody can read",
      withChanged(
        resource("core/v1:ConfigMap", { metadata: { name: "hashrings", namespace: NAMESPACE }, data: { "hashrings.json": "[" } }),
      ),
      /\(unreadable\) has 0 receivers/,
    ],
  ],
  "network-is-closed": [
    ["no policy", GOOD.filter(({ type }) => !type.endsWith(":NetworkPolicy")), /namespace shop has no NetworkPolicy/],
    ["one direction", withChanged(networkPolicy({ podSelector: {}, policyTypes: ["Ingress"] })), /namespace shop/],
    [
      "some pods",
      withChanged(networkPolicy({ podSelector: { matchLabels: { a: "b" } }, policyTypes: ["Ingress", "Egress"] })),
      /namespace shop/,
    ],
    [
      "only the stack's pods, in a namespace of its own",
      withChanged(
        networkPolicy({ podSelector: { matchLabels: { "app.kubernetes.io/component": "receive" } }, policyTypes: ["Ingress", "Egress"] }),
      ),
      /namespace shop has no NetworkPolicy with an empty podSelector/,
    ],
    [
      "an open endpoint",
      withChanged(networkPolicy({ podSelector: {}, policyTypes: ["Ingress", "Egress"], egress: [{}] })),
      /namespace shop/,
    ],
  ],
  "exemption-is-one": [
    [
      "a namespace that belongs to none",
      [...GOOD, namespace("other-volumes", "privileged")],
      /Namespace other-volumes: it is exempt and belongs to no/,
      "dev",
    ],
  ],
};

describe("policy rules", () => {
  it("find nothing in a stack that keeps them", () => {
    assert.deepEqual(broken(GOOD), []);
    assert.deepEqual(broken([...GOOD, namespace(`${NAMESPACE}-volumes`, "privileged"), directories(), volume()], "dev"), []);
  });

  it("are each broken by something below", () => {
    const names = [...RESOURCE_RULES, ...STACK_RULES].map(({ name }) => name);
    assert.deepEqual(Object.keys(BROKEN).sort(), [...names].sort());
    assert.equal(new Set(names).size, names.length);
  });

  for (const [rule, cases] of Object.entries(BROKEN)) {
    describe(rule, () => {
      for (const [what, resources, message, stack] of cases) {
        it(`catches ${what}`, () => {
          const found = broken(resources, stack);
          assert.ok(found.length > 0, "nothing was found");
          for (const line of found) assert.ok(line.startsWith(`${rule}: `), line);
          assert.ok(
            found.some((line) => message.test(line)),
            found.join("\n"),
          );
        });
      }
    });
  }

  describe("the exemption", () => {
    const stack = (job: PolicyResource) => [...GOOD, namespace(`${NAMESPACE}-volumes`, "privileged"), job];

    it("is for the job that makes directories, in its own namespace", () => {
      assert.deepEqual(broken(stack(directories()), "dev"), []);
    });

    for (const [what, changes] of [
      ["another component", { component: "receive" }],
      ["another kind", { kind: "apps/v1:Deployment" }],
      ["another namespace", { namespace: NAMESPACE }],
    ] as const) {
      it(`is not for ${what}`, () => {
        const found = broken(stack(directories(changes)), "dev");
        for (const rule of ["pods-are-restricted", "hostpath-is-declared"]) {
          assert.ok(
            found.some((line) => line.startsWith(`${rule}: `)),
            `${rule} in ${found.join("\n")}`,
          );
        }
      });
    }

    it("is not for environments without directories", () => {
      const found = broken(stack(directories()), "prod");
      assert.ok(
        found.some((line) => line.startsWith("namespaces-enforce-restricted: Namespace shop-volumes")),
        found.join("\n"),
      );
      assert.ok(
        found.some((line) => line.startsWith("hostpath-is-declared: Job")),
        found.join("\n"),
      );
    });
  });

  describe("in a namespace that the stack does not make", () => {
    const inside = (...denials: PolicyResource[]) => [
      ...GOOD.filter(({ type }) => !type.endsWith(":Namespace") && !type.endsWith(":NetworkPolicy")),
      ...denials,
    ];
    const denial = (podSelector: object | undefined) => networkPolicy({ podSelector, policyTypes: ["Ingress", "Egress"] });
    const own = { matchLabels: { "app.kubernetes.io/component": "receive" } };

    it("a policy that denies everything to the stack's own pods is enough, or to all", () => {
      assert.deepEqual(broken(inside(denial(own))), []);
      assert.deepEqual(broken(inside(denial({}))), []);
    });

    it("it has to select each of them", () => {
      const cache = workload("Deployment", podSpec(), {}, { name: "cache" }, { component: "cache" });
      for (const resources of [
        inside(),
        inside(denial(undefined)),
        inside(denial({ matchLabels: { "app.kubernetes.io/component": "querier" } })),
        inside(denial({ ...own, matchExpressions: [{ key: "a", operator: "Exists" }] })),
        [...inside(denial(own)), cache],
      ]) {
        assert.match(
          broken(resources).join(),
          /^network-is-closed: .*: namespace shop has no NetworkPolicy with a podSelector of this stack's/,
        );
      }
    });

    it("the exempt namespace belongs to it all the same", () => {
      const exempt = [namespace(`${NAMESPACE}-volumes`, "privileged"), directories(), volume()];
      assert.deepEqual(broken([...inside(denial(own)), ...exempt], "dev"), []);
    });
  });

  it("accept what is allowed", () => {
    const exposed = service({ type: "LoadBalancer" });
    assert.deepEqual(broken(exposed, "prod", { exposedServices: ["shop/receive"] }), []);
    assert.deepEqual(broken(withContainer({ image: `thanos@${DIGEST}` })), []);
    assert.deepEqual(broken(withContainer({ image: `localhost:5000/a/thanos:v1@${DIGEST}` })), []);
    const unprotected = withChanged(namespace(NAMESPACE, "restricted", { protect: false }));
    assert.deepEqual(broken(unprotected, "dev"), []);
    // Volumes that hold only what is fetched again.
    const cache = workload(
      "StatefulSet",
      podSpec(),
      { volumeClaimTemplates: [{}] },
      { protect: false, name: "cache" },
      { component: "cache" },
    );
    assert.deepEqual(broken([...GOOD, cache]), []);
    // A StatefulSet without volumes holds no data.
    assert.deepEqual(broken(withChanged(workload("StatefulSet", podSpec(), {}, { protect: false }))), []);
  });

  it("take a token for somebody else for no token of the API server", () => {
    const vault = { name: "vault", projected: { sources: [{ serviceAccountToken: { path: "token", audience: "vault" } }] } };
    const containers = ["main", "sidecar"].map((name) => container({ name, volumeMounts: [{ name: "vault", mountPath: "/vault" }] }));
    assert.deepEqual(broken(set(podSpec({ volumes: [vault], containers }))), []);
  });

  it("take references for no credentials", () => {
    const text = [
      "password_file: /etc/secret/password",
      "password: $(PASSWORD)",
      `secret_key: "$${"{SECRET_KEY}"}"`,
      "token: <secret>",
      "credentials: /var/run/secrets/token",
      "bearer_token:",
      "http://thanos-querier.shop.svc:9090/api",
      "THANOS-TENANT: secretaries",
      "# the token of a request",
      "max_tokens: 5",
    ].join("\n");
    assert.deepEqual(broken(configMap({ "some.yml": text })), []);
    assert.deepEqual(
      broken(withContainer({ env: [{ name: "TOKEN" }, { name: "POD_NAME", value: "x" }], args: ["--config=$(TOKEN)"] })),
      [],
    );
  });

  for (const { title, stack, overrides } of PLANS.filter((plan) => plan.overrides.protect !== false)) {
    it(`are kept by ${title}`, async () => {
      const { resources } = await run(stack, overrides);
      const own = resources.filter(({ custom }) => custom).map((each) => ({ ...each, protect: each.options.protect }));
      assert.ok(own.length > 20);
      assert.deepEqual(violationsOf(own, stack), []);
    });
  }

  it("would catch the environments' own mistakes", async () => {
    const { resources } = await run("prod", { protect: false });
    const own = resources.filter(({ custom }) => custom).map((each) => ({ ...each, protect: each.options.protect }));
    const found = violationsOf(own, "prod");
    assert.deepEqual(
      found.map(({ rule, resource: what }) => `${rule} ${what}`).sort(),
      [
        "Namespace thanos-prod",
        "StatefulSet thanos-prod/prometheus",
        "StatefulSet thanos-prod/thanos-receive-z1",
        "StatefulSet thanos-prod/thanos-receive-z2",
        "StatefulSet thanos-prod/thanos-receive-z3",
      ].map((what) => `data-is-protected ${what}`),
    );
    assert.deepEqual(EXCEPTIONS.protectedStacks, ["prod"]);
    assert.deepEqual(EXCEPTIONS.refetchedComponents, ["store-gateway", "compactor"]);
  });
});
