import assert from "node:assert/strict";
import { ConnectionError, type Transport } from "../../../clients/transport";
import { buildReport } from "../../../commands/report/build";
import { EXIT, exitCodeOf } from "../../../commands/report/exitCode";
import { headline } from "../../../commands/report/headline";
import { versionFinding } from "../../../commands/report/kubernetesVersion";

/** An API server of a version, or one that does not tell it. */
const cluster = (answer: () => Promise<{ status: number; body: string }>) => async () => ({
  context: "prod",
  api: { description: "API server https://10.0.0.1", send: async () => ({ headers: {}, ...(await answer()) }) } as Transport,
});
const says = (gitVersion: string) => cluster(async () => ({ status: 200, body: JSON.stringify({ gitVersion }) }));

describe("report: the cluster's Kubernetes", () => {
  it("is not mentioned where it is new enough", async () => {
    assert.deepEqual(await versionFinding(says("v1.30.0")), { problems: [], notes: [] });
  });

  it("refuses the plan where it is too old", async () => {
    const { problems, notes } = await versionFinding(says("v1.29.9-eks-1a2b3c"));
    assert.deepEqual(notes, []);
    assert.equal(problems.length, 1);
    assert.match(
      problems[0] ?? "",
      /^cluster\.context = "prod": its API server is Kubernetes v1\.29\.9-eks-1a2b3c, .* Accepted: a cluster of Kubernetes 1\.30 or later\.$/,
    );
    const report = await buildReport({ stack: "dev", problems });
    assert.deepEqual(report.problems, problems);
    assert.equal(headline(report), "refused, nothing would be deployed");
    assert.equal(exitCodeOf(report), EXIT.refused);
  });

  it("is a note where it could not be asked, whatever the reason", async () => {
    const refused = cluster(() => Promise.reject(new ConnectionError("GET https://10.0.0.1", new Error("connect ECONNREFUSED"))));
    assert.match(
      (await versionFinding(refused)).notes[0] ?? "",
      /^Whether the cluster's Kubernetes is 1\.30 or later is not known: .*ECONNREFUSED$/,
    );
    const noContext = () => Promise.reject(new Error('kubeconfig has no context "prod"'));
    assert.match((await versionFinding(noContext)).notes[0] ?? "", /no context "prod"$/);
    assert.deepEqual((await versionFinding(cluster(async () => ({ status: 403, body: "" })))).notes, [
      "Whether the cluster's Kubernetes is 1.30 or later is not known: API server https://10.0.0.1 answered 403 to /version",
    ]);
  });
});
