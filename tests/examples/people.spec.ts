import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { PROJECT_DIRECTORY } from "../../commands/program";
import { credentialsIn } from "../../model/values/credentials";
import { GATEWAY } from "../components/plans";
import { violationsOfRestricted } from "../components/podSecurity";
import { type PodSpec, run } from "../harness";

interface Manifest {
  kind: string;
  metadata: { name: string };
  data: Record<string, string>;
  spec: { template: { metadata: { labels: object }; spec: PodSpec }; selector: { matchLabels: object } };
}
interface Alpha {
  upstreamConfig: { upstreams: { path: string; uri: string; insecureSkipTLSVerify?: boolean }[] };
  injectRequestHeaders: { name: string; preserveRequestValue: boolean; values: { secretSource: { fromFile: string } }[] }[];
  providers: { clientSecret?: string; clientSecretFile: string; allowedGroups: string[] }[];
}

describe("examples/people", () => {
  const text = readFileSync(join(PROJECT_DIRECTORY, "examples/people/oauth2-proxy.yaml"), "utf8");
  const manifests = parseAllDocuments(text).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as Manifest;
  });
  const one = (kind: string): Manifest => manifests.find((each) => each.kind === kind) ?? assert.fail(`no ${kind}`);
  const alpha = parse(one("ConfigMap").data["alpha.yaml"] ?? "") as Alpha;
  const pod = one("Deployment").spec.template.spec;

  it("shows the gateway of a stack a reader's token, whatever a browser sends", async () => {
    const [upstream] = alpha.upstreamConfig.upstreams;
    assert.equal(upstream?.uri, (await run(GATEWAY.stack, GATEWAY.overrides)).outputs.gatewayQueryUrl);
    assert.equal(upstream?.insecureSkipTLSVerify, undefined);
    const [header] = alpha.injectRequestHeaders;
    assert.deepEqual([header?.name, header?.preserveRequestValue], ["Authorization", false]);
    assert.deepEqual(header?.values, [{ secretSource: { fromFile: "/etc/people/authorization" } }]);
  });

  it("lets in groups that are named, of domains that are named", () => {
    assert.ok((alpha.providers[0]?.allowedGroups.length ?? 0) > 0);
    const args = pod.containers[0]?.args ?? [];
    assert.ok(args.some((each) => /^--email-domain=[^*]+$/.test(each)));
  });

  it("holds no secret, and has every file of one that it names", () => {
    assert.deepEqual(credentialsIn(text), []);
    assert.equal(alpha.providers[0]?.clientSecret, undefined);
    const secrets = pod.volumes?.find(({ name }) => name === "secrets")?.secret as { items: { path: string }[] } | undefined;
    const files = secrets?.items.map(({ path }) => `/etc/people/${path}`) ?? [];
    const named = [...text.matchAll(/\/etc\/people\/[\w-]+/g)].map(([path]) => path);
    assert.deepEqual([...new Set(named)].sort(), files.sort());
  });

  it("runs as Pod Security's restricted has it", () => {
    assert.deepEqual(violationsOfRestricted(pod), []);
  });
});
