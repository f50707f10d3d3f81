import assert from "node:assert/strict";
import { Api, ApiError, errorOf, Unreachable, type WatchEvent, warningTexts } from "../../../../sandbox/plugins/kubernetes/api";
import type { JsonObject } from "../../../../sandbox/plugins/protocol/values";
import { FakeApi, status } from "./fakeApi";

describe("the API client", () => {
  let fake: FakeApi;
  let api: Api;

  beforeEach(async () => {
    fake = await FakeApi.start();
    api = new Api(fake.access);
  });
  afterEach(() => fake.stop());

  it("sends the query, the body, its type and the credentials", async () => {
    fake.answer = () => ({ body: { kind: "ConfigMap" }, headers: { Warning: '299 - "first", 299 - "say \\"second\\""' } });
    const answer = await api.request({
      method: "PATCH",
      path: "/api/v1/x",
      query: { dryRun: "All", force: undefined },
      body: { a: 1 },
      contentType: "application/apply-patch+yaml",
    });
    assert.deepEqual(answer, { code: 200, object: { kind: "ConfigMap" }, warnings: ["first", 'say "second"'] });
    const [request] = fake.received;
    assert.equal(request?.headers["content-type"], "application/apply-patch+yaml");
    assert.equal(request?.headers.authorization, "Bearer token");
    assert.equal(request?.query.toString(), "dryRun=All");
    assert.deepEqual(request?.body, { a: 1 });
  });

  it("tells a refusal by its parts, and does not repeat it", async () => {
    const cause = { reason: "FieldValueInvalid", message: "Invalid value", field: "spec.x" };
    fake.answer = () => ({ code: 422, body: status(422, "Invalid", "it is invalid", [cause]) });
    await assert.rejects(api.get("/x"), (error) => {
      assert.ok(error instanceof ApiError);
      assert.deepEqual([error.code, error.reason, error.message, error.causes], [422, "Invalid", "it is invalid", [cause]]);
      return true;
    });
    assert.equal(fake.received.length, 1);
  });

  it("repeats what is transient", async () => {
    const answers = [
      { code: 429, body: status(429, "TooManyRequests", "later") },
      { code: 503, body: "no JSON" },
      { code: 500, body: status(500, "ServerTimeout", "slow") },
      { cut: true },
      { body: { done: true } },
    ];
    fake.answer = () => answers[fake.received.length - 1] ?? { code: 500 };
    assert.deepEqual(await api.get("/x"), { done: true });
    assert.equal(fake.received.length, 5);
  });

  it("knows that a refusal came after an answer was lost", async () => {
    const refused = () => status(409, "AlreadyExists", "exists");
    fake.answer = () => (fake.received.length === 1 ? { cut: true } : { code: 409, body: refused() });
    await assert.rejects(
      api.request({ method: "POST", path: "/x", body: {} }),
      (error) => error instanceof ApiError && error.afterLostAnswer,
    );
    fake.answer = () => ({ code: 409, body: refused() });
    await assert.rejects(
      api.request({ method: "POST", path: "/x", body: {} }),
      (error) => error instanceof ApiError && !error.afterLostAnswer,
    );
  });

  it("gives up at the deadline, with the reason", async () => {
    fake.answer = () => ({ code: 503, body: status(503, "ServiceUnavailable", "starting") });
    await assert.rejects(api.request({ method: "GET", path: "/x", deadline: Date.now() + 300 }), /starting/);
    await fake.stop();
    await assert.rejects(
      api.request({ method: "GET", path: "/x", deadline: Date.now() + 300 }),
      (error) => error instanceof Unreachable && /ECONNREFUSED/.test(error.message),
    );
  });

  it("stops when it is told to", async () => {
    const stop = new AbortController();
    fake.answer = () => {
      stop.abort();
      return { code: 503 };
    };
    await assert.rejects(api.request({ method: "GET", path: "/x", signal: stop.signal }));
    assert.equal(fake.received.length, 1);
  });

  it("lets a write on its way be answered, but does not repeat it, when its patience ends", async () => {
    const stop = new AbortController();
    fake.answer = () => {
      stop.abort();
      return { body: { done: true } };
    };
    assert.deepEqual((await api.request({ method: "POST", path: "/x", body: {}, patience: stop.signal })).object, { done: true });
    fake.answer = () => ({ code: 503, body: status(503, "ServiceUnavailable", "starting") });
    await assert.rejects(api.request({ method: "POST", path: "/x", body: {}, patience: stop.signal }), /starting/);
    assert.equal(fake.received.length, 2);
  });

  it("follows objects through ended watches and expired versions", async () => {
    const object = (uid: string, version: string): JsonObject => ({ metadata: { uid, resourceVersion: version } });
    const script = [
      { body: { metadata: { resourceVersion: "10" }, items: [object("a", "1"), object("b", "2")] } },
      { events: [{ type: "MODIFIED", object: object("a", "11") }], end: true },
      { events: [{ type: "BOOKMARK", object: { metadata: { resourceVersion: "15" } } }], end: true },
      { events: [{ type: "ERROR", object: status(410, "Expired", "too old") }], end: true },
      { body: { metadata: { resourceVersion: "20" }, items: [object("b", "2")] } },
      { events: [{ type: "DELETED", object: object("b", "21") }] },
    ];
    fake.answer = () => script[fake.received.length - 1] ?? { code: 500 };
    const seen: string[] = [];
    const stop = new AbortController();
    let synced = 0;
    await api.watch(
      "/x",
      { fieldSelector: "f" },
      stop.signal,
      ({ type, object: { metadata } }: WatchEvent) => {
        seen.push(`${type} ${(metadata as JsonObject).uid}`);
        if (type === "DELETED" && (metadata as JsonObject).uid === "b") {
          stop.abort();
        }
      },
      () => {
        synced++;
      },
    );
    assert.deepEqual(seen, ["ADDED a", "ADDED b", "MODIFIED a", "DELETED a", "ADDED b", "DELETED b"]);
    assert.equal(synced, 2);
    const versions = fake.received.filter(({ query }) => query.get("watch") === "true").map(({ query }) => query.get("resourceVersion"));
    assert.deepEqual(versions, ["10", "11", "15", "20"]);
    assert.ok(fake.received.every(({ query }) => query.get("fieldSelector") === "f"));
  });

  it("fails a watch that is refused", async () => {
    fake.answer = () => ({ code: 403, body: status(403, "Forbidden", "you may not") });
    await assert.rejects(
      api.watch("/x", {}, new AbortController().signal, () => undefined),
      /you may not/,
    );
  });
});

describe("answers that are no Status", () => {
  it("are the message", () => {
    assert.equal(errorOf(502, "<html>bad gateway</html>", false).message, "HTTP 502: <html>bad gateway</html>");
    assert.deepEqual(warningTexts(undefined), []);
  });
});
