import assert from "node:assert/strict";
import { tlsWarnings } from "../../../model/tls/warnings";
import { GATEWAY, GATEWAY_SENDERS } from "../../components/plans";
import { AUTHORITIES, CERTIFICATE, type Overrides, settingsOf, together } from "../../harness";

describe("warnings of encryption", () => {
  const of = (overrides: Overrides, base: Overrides = {}) => tlsWarnings(settingsOf("prod", together(base, overrides))).join("\n");
  const clients = (lists: object, more: Overrides = {}) => of({ tls: { certificates: "program", clients: lists }, ...more });

  it("are certificates for whom the network policies let in nowhere", () => {
    assert.equal(clients({}), "");
    assert.match(clients({ write: ["shop"] }), /^tls\.clients\.write has shop, and access\.senders is \[\]: .*lets nobody remote-write/);
    assert.match(clients({ query: ["above"] }), /^tls\.clients\.query has above, and access\.federation is \[\]: .*ask the queriers/);
    assert.equal(clients({ write: ["shop"] }, { access: { senders: ["shop"] } }), "");
    assert.equal(clients({ write: ["shop"] }, { access: { senders: undefined }, accepts: ["open-doors"] }), "");
    assert.equal(clients({ query: ["above"] }, { access: { federation: ["10.0.0.0/8"] } }), "");
  });

  it("are none of those whom a connection of one's own lets in", () => {
    const edge = (component: string, port: number) => ({ network: { edges: [{ component, from: ["shop"], ports: [port] }] } });
    assert.equal(clients({ write: ["shop"] }, edge("receive-router", 19291)), "");
    assert.equal(clients({ query: ["above"] }, edge("querier", 10901)), "");
    assert.notEqual(clients({ write: ["shop"] }, edge("receive-router", 10902)), "");
  });

  it("are senders that are no tenant of the gateway", () => {
    const senders = (write: string[], certificates: string[]) =>
      of({ tls: { clients: { write } }, gateway: { tenants: { edge: { certificates } } } }, GATEWAY_SENDERS.overrides);
    assert.equal(senders(["shop"], ["thanos-client-shop"]), "");
    assert.match(
      senders(["shop", "till"], ["thanos-client-shop"]),
      /^tls\.clients\.write has till, and no tenant of the gateway has thanos-client-till, the common name of that certificate: .* 401$/,
    );
  });

  it("are names of holders in place of common names, where an issuer may have signed for both", () => {
    const issued = (payments: string[], edge: string[]) =>
      of(
        {
          tls: {
            certificates: {
              certManager: {
                issuer: { name: "inside" },
                authority: CERTIFICATE,
                clients: { write: { issuer: { name: "senders" }, authority: AUTHORITIES.senders } },
              },
            },
            clients: { write: ["shop"] },
          },
          gateway: { senderAuthority: "tls", tenants: { payments: { certificates: payments }, edge: { certificates: edge } } },
        },
        GATEWAY.overrides,
      );
    assert.match(issued([], ["shop"]), /answered 401\. gateway\.tenants\.edge\.certificates has shop, which is another certificate's/);
    assert.match(
      issued(["shop"], ["thanos-client-shop"]),
      /^gateway\.tenants\.payments\.certificates has shop, and gateway\.tenants\.edge\.certificates has thanos-client-shop, .*write as two tenants$/,
    );
    // As while senders go over from one to the other.
    assert.equal(issued([], ["shop", "thanos-client-shop"]), "");
  });
});
