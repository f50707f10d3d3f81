import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../model/settings/schema";
import { certificatesInCluster, issuedEnds, secretEnds } from "../model/tls/ends";
import { formatProblems, type Problem } from "../model/values/problem";
import { visible } from "../model/values/visibleText";
import type { CertificateView } from "./cluster";

/**
 * Looks at certificates of others in the cluster, at preview too, and before any resource is registered. Whoever previews may not read
 * Secrets, and a cluster may not be there yet: what can't be looked at is a warning, and the update looks again.
 *
 * @param day Today.
 * @throws pulumi.RunError where one of them ends soon
 */
export async function examineCertificates(settings: Settings, cluster: CertificateView, day: Date): Promise<void> {
  const { secrets, certificates } = certificatesInCluster(settings);
  const seen = await Promise.all([
    ...secrets.map((each) => looked(`Secret ${each.name}`, async () => secretEnds(each, await cluster.secret(each.name), day))),
    ...certificates.map((each) =>
      looked(`Certificate ${each.name}`, async () => issuedEnds(each, await cluster.certificate(each.name), day)),
    ),
  ]);
  const unseen = seen.filter((each) => typeof each === "string");
  if (unseen.length > 0) void pulumi.log.warn(visible(`Not checked when these end: ${unseen.join("; ")}`));
  const problems = seen.filter((each) => typeof each !== "string").flat();
  if (problems.length > 0) throw new pulumi.RunError(formatProblems(pulumi.getStack(), problems));
}

/** The problems that are found, or why nobody can say. */
async function looked(what: string, look: () => Promise<Problem[]>): Promise<Problem[] | string> {
  try {
    return await look();
  } catch (error) {
    return `${what} (${error instanceof Error ? error.message : String(error)})`;
  }
}
