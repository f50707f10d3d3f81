import assert from "node:assert/strict";
import { serverVersion } from "../../clients/serverVersion";
import { ConnectionError, directTransport, ForbiddenError } from "../../clients/transport";
import { type CannedAnswer, refusedUrl, startLoopback } from "./loopback";

async function asked(answer: CannedAnswer): Promise<string> {
  const server = await startLoopback(({ path }) => (path === "/version" ? answer : { status: 404 }));
  try {
    return await serverVersion(directTransport(server.url));
  } finally {
    await server.close();
  }
}

describe("the version of an API server", () => {
  it("is what it says of itself", async () => {
    assert.equal(
      await asked({ body: JSON.stringify({ major: "1", minor: "30+", gitVersion: "v1.30.5-gke.1713000" }) }),
      "v1.30.5-gke.1713000",
    );
  });

  it("is told to be forbidden from everything else", async () => {
    await assert.rejects(
      asked({ status: 403 }),
      (error) => error instanceof ForbiddenError && /answered 403 to \/version$/.test(error.message),
    );
    await assert.rejects(
      asked({ status: 401 }),
      (error) => !(error instanceof ForbiddenError) && /answered 401 to \/version$/.test(String(error)),
    );
    await assert.rejects(serverVersion(directTransport(await refusedUrl())), ConnectionError);
  });

  it("is not made up from an answer of something else", async () => {
    for (const body of ["", "<html>", "{}", '{"gitVersion":7}', '{"gitVersion":"latest"}']) {
      await assert.rejects(asked({ body }), /answered 200 to \/version, without a version$/, body);
    }
  });
});
