import assert from "node:assert/strict";
import type { Report } from "../../../commands/report/build";
import { decryptableWarning, encryptedKeys } from "../../../commands/report/decryptable";
import { htmlReport } from "../../../commands/report/html";
import { markdownReport } from "../../../commands/report/markdown";

describe("what a preview's secrets open", () => {
  const SECRET = { secure: "v1:abc:def" };

  it("is every key with an encrypted value in it, at any depth", () => {
    assert.deepEqual(
      encryptedKeys({
        "thanos-stack:objectStorageCredentials": SECRET,
        "thanos-stack:prometheus": { remoteWrite: { otherTargets: [{ url: "https://a", headers: { "X-Key": SECRET } }] } },
        "thanos-stack:namespace": "monitoring",
        "thanos-stack:cluster": { name: "prod", secure: { nothing: true } },
      }),
      ["thanos-stack:objectStorageCredentials", "thanos-stack:prometheus"],
    );
  });

  it("is said on top of the comment and of the page, and only where there is something", () => {
    assert.equal(decryptableWarning({ "thanos-stack:namespace": "monitoring" }), undefined);
    const warning = decryptableWarning({ "thanos-stack:objectStorageCredentials": SECRET });
    assert.match(warning ?? "", /decrypt thanos-stack:objectStorageCredentials: .* can read it, before anybody reviews/);
    assert.doesNotMatch(warning ?? "", /credentialsFrom/);
    const files = decryptableWarning({ "thanos-stack:credentials": { "orders-password": SECRET } });
    assert.match(files ?? "", /decrypt thanos-stack:credentials: .*credentials opens what Prometheus and rulers go to: .*credentialsFrom/);
    const report: Report = {
      stack: "prod",
      previewed: true,
      problems: [],
      violations: [],
      changes: [],
      declared: { nodes: 0, zones: 0 },
      warnings: [warning ?? ""],
      notes: [],
    };
    assert.match(markdownReport(report), /nothing changes\n\n> ⚠️ This preview's secrets decrypt thanos-stack:objectStorageCredentials/);
    assert.match(htmlReport(report), /<h2>Warning<\/h2><p class="bad">This preview&#39;s secrets decrypt/);
  });
});
