import assert from "node:assert/strict";
import { type KubernetesEndpointSlice, parseServiceUrl, podsBehind } from "../../clients/services";

describe("clients: Services", () => {
  it("reads Service URLs and refuses others", () => {
    assert.deepEqual(parseServiceUrl("http://a.b.svc.example.org:9090/c/"), {
      scheme: "http",
      name: "a",
      namespace: "b",
      port: 9090,
      path: "/c",
    });
    assert.deepEqual(parseServiceUrl("https://a.b.svc"), { scheme: "https", name: "a", namespace: "b", port: 443, path: "" });
    for (const url of ["http://a:9090", "http://a.b:9090", "http://127.0.0.1:9090", "ftp://a.b.svc"]) {
      assert.throws(() => parseServiceUrl(url), /is not the URL of a Service/);
    }
  });

  describe("the pods behind one", () => {
    const url = parseServiceUrl("http://web.ns.svc:80");
    const named = {
      spec: {
        ports: [
          { name: "grpc", port: 90 },
          { name: "http", port: 80 },
        ],
      },
    };
    const endpoint = (name: string, ready?: boolean, kind = "Pod") => ({ conditions: { ready }, targetRef: { kind, name } });
    const behind = (slices: KubernetesEndpointSlice[], service: object = named) =>
      podsBehind(url, service, slices).map(({ name, port }) => `${name}:${port}`);

    it("are the Ready ones of every slice, each once, with the port that the Service's leads to there", () => {
      const slices = [
        {
          endpoints: [endpoint("a", true), endpoint("b", false), endpoint("c")],
          ports: [
            { name: "http", port: 9090 },
            { name: "grpc", port: 1 },
          ],
        },
        { endpoints: [endpoint("a", true)], ports: [{ name: "http", port: 9090 }] },
        // A named target port may be another number in each pod.
        { endpoints: [endpoint("d", true)], ports: [{ name: "http", port: 8080 }] },
      ];
      assert.deepEqual(behind(slices), ["a:9090", "c:9090", "d:8080"]);
    });

    it("of a Service whose one port has no name", () => {
      const service = { spec: { ports: [{ port: 80 }] } };
      assert.deepEqual(behind([{ endpoints: [endpoint("a", true)], ports: [{ name: "", port: 9090 }] }], service), ["a:9090"]);
      assert.deepEqual(behind([{ endpoints: [endpoint("a", true)], ports: [{ port: 9090 }] }], service), ["a:9090"]);
    });

    it("are none where nothing is behind it, another port is meant, or what is behind it are no pods", () => {
      assert.deepEqual(behind([{ endpoints: null, ports: null }, { ports: [{ name: "http", port: 1 }] }]), []);
      assert.deepEqual(
        behind([{ endpoints: [endpoint("a", true)], ports: [{ name: "http", port: 1 }] }], { spec: { ports: [{ port: 8080 }] } }),
        [],
      );
      assert.deepEqual(behind([{ endpoints: [endpoint("a", true, "Node"), { conditions: {} }], ports: [{ name: "http", port: 1 }] }]), []);
    });
  });
});
