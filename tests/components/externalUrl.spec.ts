import assert from "node:assert/strict";
import { type Container, containers, type Overrides, object, rejection, run, together, workloads } from "../harness";
import { HISTORY, SIDECAR } from "./plans";

/** Flags about external URLs, by container. */
async function flags(overrides: Overrides): Promise<Record<string, string[]>> {
  const made = await run("prod", overrides);
  const all: Container[] = workloads(made).flatMap(containers);
  const about = /^--(?:web\.|alert\.query-url)/;
  return Object.fromEntries(
    all.map(({ name, args = [] }) => [name, args.filter((argument) => about.test(argument) && !argument.startsWith("--web.listen"))]),
  );
}

describe("external URLs", () => {
  it("are none by default: alerts link to the address inside", async () => {
    const all = await flags(HISTORY.overrides);
    assert.deepEqual(all["thanos-querier"], []);
    assert.deepEqual(all.prometheus, []);
    assert.deepEqual(all["thanos-ruler"], ["--alert.query-url=http://thanos-query-frontend.thanos-prod.svc.cluster.local:9090"]);
  });

  it("with a path are links, and everything is served at the root still", async () => {
    const all = await flags(
      together(HISTORY.overrides, {
        queryFrontend: { externalUrl: "https://example.com/thanos/query" },
        prometheus: { externalUrl: "https://example.com/prometheus" },
        ruler: { externalUrl: "https://example.com/rules" },
      }),
    );
    const links = ["--web.external-prefix=/thanos/query", "--web.route-prefix=/"];
    assert.deepEqual(all["thanos-querier"], ["--alert.query-url=https://example.com/thanos/query", ...links]);
    assert.deepEqual(all["thanos-query-frontend"], []);
    assert.deepEqual(all["thanos-ruler"], [
      "--alert.query-url=https://example.com/thanos/query",
      "--web.external-prefix=/rules",
      "--web.route-prefix=/",
    ]);
    assert.deepEqual(all.prometheus, ["--web.external-url=https://example.com/prometheus", "--web.route-prefix=/"]);
  });

  it("of a host of its own are links alone", async () => {
    const all = await flags(
      together(SIDECAR.overrides, {
        querier: { externalUrl: "https://[2001:db8::1]:8443" },
        prometheus: { externalUrl: "https://prometheus.example" },
        ruler: { externalUrl: "https://rules.example" },
      }),
    );
    assert.deepEqual(all["thanos-querier"], ["--alert.query-url=https://[2001:db8::1]:8443"]);
    assert.deepEqual(all["thanos-ruler"], ["--alert.query-url=https://[2001:db8::1]:8443"]);
    assert.deepEqual(all.prometheus, ["--web.external-url=https://prometheus.example"]);
  });

  it("change no address, probe or port inside", async () => {
    const inside = (made: Awaited<ReturnType<typeof run>>) => ({
      outputs: { ...made.outputs, availability: undefined },
      probes: workloads(made)
        .flatMap(containers)
        .map(({ readinessProbe, livenessProbe, startupProbe, ports }) => [readinessProbe, livenessProbe, startupProbe, ports]),
      frontend: containers(object(made, "Deployment", "thanos-query-frontend")).map(({ args }) => args),
    });
    const url = { externalUrl: "https://example.com/x" };
    const without = inside(await run("prod", HISTORY.overrides));
    const overrides = together(HISTORY.overrides, { querier: url, queryFrontend: url, prometheus: url, ruler: url });
    assert.deepEqual(inside(await run("prod", overrides)), without);
  });

  for (const [url, message] of [
    ["thanos.example", /a URL of scheme, host and port/],
    ["https://example.com/", /a URL of scheme, host and port/],
    ["https://example.com/../x", /a path without/],
    ["https://user:pass@example.com", /querier\.externalUrl/],
    ["https://fd00::1/x", /querier\.externalUrl/],
  ] as [string, RegExp][]) {
    it(`refuses ${url}`, async () => assert.match((await rejection("prod", { querier: { externalUrl: url } })).message, message));
  }

  it("of queriers and query frontend have one path, since these are the same pages", async () => {
    const both = (path: string) => ({
      querier: { externalUrl: `https://query.example${path}` },
      queryFrontend: { externalUrl: "https://example.com/thanos" },
    });
    await run("prod", both("/thanos"));
    assert.match((await rejection("prod", both(""))).message, /querier\.externalUrl = "https:\/\/query\.example": .*have one path/);
  });
});
