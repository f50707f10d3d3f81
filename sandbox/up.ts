import { mkdirSync } from "node:fs";
import { ensureBucket } from "./bucket";
import { applyManifests, awaitNodes, ensureAddons } from "./cluster";
import { StepFailed } from "./command";
import { ensureControlPlane } from "./controlPlane";
import { ensureImages, IMAGES, type ImageArchive, TEST_IMAGES } from "./images";
import { ensureHostNetwork, ensureNodeNetwork, routeServicesThrough, serviceRoute } from "./network";
import { policyAgentRights } from "./networkPolicies";
import { ensureNode, nodePlanByNumber } from "./node";
import { ensurePackages } from "./packages";
import type { Paths } from "./paths";
import { ensurePki } from "./pki";
import { machineFacts, obstacle } from "./preflight";
import { FIREWALLED, hostAnswers } from "./probes";
import { runningDaemon } from "./processes";
import type { Step } from "./steps";
import { ensureTool, linkPrograms, type Program, type ToolName } from "./tools";
import { NODES } from "./topology";

/** The tools of every cluster. The S3 server is built only for environments with a bucket. */
export const CLUSTER_TOOLS: readonly ToolName[] = [
  "etcd",
  "kubernetes",
  "kubeRouter",
  "coredns",
  "thanos",
  "prometheus",
  "promLabelProxy",
  "pulumi",
];

/**
 * The steps that make a working cluster, without anything of the stack in it. Each looks at what is there first, so that running them
 * again goes on where an earlier run was interrupted. With all that the steps after these need: the S3 server for an environment with a
 * bucket, the release before for the tests.
 */
export function clusterSteps(where: Paths, { forTests = false, withBucket = false } = {}): Step[] {
  const tools: readonly ToolName[] = [
    ...CLUSTER_TOOLS,
    ...(withBucket ? (["versitygw"] as const) : []),
    ...(forTests ? (["thanosPrevious"] as const) : []),
  ];
  const images = forTests ? [...IMAGES, ...TEST_IMAGES] : IMAGES;
  let programs: Record<string, Program> = {};
  let archives: ImageArchive[] = [];
  return [
    {
      title: "Looking at this machine",
      run: async () => {
        const problem = obstacle(await machineFacts(where));
        if (problem !== undefined) throw new StepFailed(problem);
      },
    },
    { title: "Debian packages", run: (report) => ensurePackages(where, report) },
    {
      // Before anything is compiled: a firewall that closes the bridge is known within seconds.
      title: "Network and keys",
      run: async () => {
        mkdirSync(where.home, { recursive: true });
        await ensureHostNetwork(where);
        await ensureNodeNetwork(nodePlanByNumber(1));
        if (!(await hostAnswers(nodePlanByNumber(1)))) throw new StepFailed(FIREWALLED);
        await ensurePki(where);
      },
    },
    {
      title: "Programs, built from source where the cache has none",
      run: async (report) => {
        for (const [index, tool] of tools.entries()) {
          programs = { ...programs, ...(await ensureTool(tool, where, (text) => report(`${index + 1} of ${tools.length}: ${text}`))) };
        }
        linkPrograms(programs, where);
      },
    },
    {
      title: "Images",
      run: async (report) => {
        archives = await ensureImages(programs, where, report, images);
      },
    },
    {
      title: "Control plane",
      run: async (report) => {
        await ensureControlPlane(where, report);
        // A node gets no pods before its firewall can read the policies.
        await applyManifests(policyAgentRights(), where);
      },
    },
    {
      title: "Nodes",
      run: async (report) => {
        report(`starting ${NODES.map((node) => node.name).join(", ")}`);
        const before = new Date();
        const started = await Promise.all(NODES.map(async (node) => ((await ensureNode(node, archives, where)) ? [node.name] : [])));
        const through = await serviceRoute();
        if (through === undefined || runningDaemon(where.run, nodePlanByNumber(through).name) === undefined)
          await routeServicesThrough(nodePlanByNumber(1));
        await awaitNodes(started.flat(), before, where, report);
        await awaitNodes(
          NODES.map((node) => node.name),
          undefined,
          where,
          report,
        );
      },
    },
    { title: "DNS and volumes", run: (report) => ensureAddons(where, report) },
  ];
}

/** The step that makes an environment's bucket, before the update whose pods look for it; none for an environment without one. */
export function bucketSteps(bucket: string | undefined, where: Paths): Step[] {
  if (bucket === undefined) return [];
  return [{ title: `Bucket ${bucket} on the S3 server`, run: async (report) => void (await ensureBucket(bucket, where, report)) }];
}
