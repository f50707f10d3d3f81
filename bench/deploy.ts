import { setTimeout as delay } from "node:timers/promises";
import { connectCluster } from "../clients/cluster";
import { PrometheusClient } from "../clients/prometheus";
import { readOutputs } from "../outputs";
import { openStack } from "../sandbox/engine";
import { paths } from "../sandbox/paths";
import { CONTEXT } from "../sandbox/topology";

/**
 * `npm run bench:deploy -- [runs]`: on the sandbox's running cluster, from the start of `pulumi up` of dev to the first sample that the
 * querier answers, and to the end of the update; then an unchanged preview. Each run begins with nothing.
 */
async function main(): Promise<void> {
  const runs = Number(process.argv[2] ?? "3");
  const namespace = "thanos-dev";
  const cluster = connectCluster({ kubeconfig: paths().kubeconfig, context: CONTEXT });
  for (let run = 1; run <= runs; run++) {
    const stack = await openStack("dev");
    await stack.destroy();
    // What an earlier run has stored on the nodes would be answered too.
    const before = Date.now();
    const querier = new PrometheusClient(cluster.service(`http://thanos-querier.${namespace}.svc:9090`));
    let answered: number | undefined;
    let ended = false;
    const asking = (async () => {
      while (answered === undefined && !(ended && Date.now() - before > 600_000)) {
        const fresh = await querier.instant(`timestamp(up) > ${before / 1_000}`).catch(() => undefined);
        if ((fresh?.vector.length ?? 0) > 0) answered = Date.now();
        else await delay(100);
      }
    })();
    const result = await stack.up();
    const up = Date.now();
    ended = true;
    await asking;
    const outputs = readOutputs(Object.fromEntries(Object.entries(result.outputs).map(([name, { value }]) => [name, value])));
    const again = Date.now();
    await stack.preview();
    const seconds = (from: number, to: number | undefined) => (to === undefined ? "never" : ((to - from) / 1_000).toFixed(1));
    console.log(
      `run ${run}: first sample after ${seconds(before, answered)} s, update ended after ${seconds(before, up)} s, unchanged preview ${seconds(again, Date.now())} s, ` +
        `${Object.values(result.summary.resourceChanges ?? {}).reduce((sum, count) => sum + count, 0)} resources, queries at ${outputs.queryUrl}`,
    );
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
