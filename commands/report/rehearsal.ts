import type { ClusterAddress } from "../../clients/apiServer";
import type { Transport } from "../../clients/transport";
import { mapIn } from "../engineConfig";
import { type Preview, STACK_TYPE, typeOf } from "./preview";

/**
 * Whether the API server could check what the engine plans. For a change of an object the Kubernetes provider asks for a dry run, which
 * needs the right to the write itself; without it, it silently goes by what the program says (pulumi-kubernetes
 * `provider/pkg/provider/provider.go`, Create and Update). So the API server is asked what the account may.
 */

/** A right that a dry run needs. */
interface Right {
  verb: "create" | "patch";
  group: string;
  /** Plural, as in paths. */
  resource: string;
  namespace?: string;
}

/** The writes that a change asks of the API server. */
interface Rehearsal {
  verbs: readonly Right["verb"][];
  apiVersion: string;
  kind: string;
  namespace?: string;
}

/** The cluster that a preview asked, by the configuration that it ran with; undefined where that doesn't say it. */
export function clusterOf({ config }: Preview): ClusterAddress | undefined {
  const { context, kubeconfig } = mapIn(config, "cluster");
  return typeof context === "string" ? { context, ...(typeof kubeconfig === "string" ? { kubeconfig } : {}) } : undefined;
}

/** An apply of what isn't there yet needs both; a replacement is a creation. */
const VERBS: Record<string, readonly Right["verb"][]> = {
  create: ["create", "patch"],
  replace: ["create", "patch"],
  "create-replacement": ["create", "patch"],
  update: ["patch"],
};

/** How the engine writes what is not known before the update (pulumi `sdk/go/common/resource/plugin`, UnknownStringValue). */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function rehearsalsOf(preview: Preview): Rehearsal[] {
  // A replacement has several steps.
  const byUrn = new Map<string, Rehearsal>();
  for (const step of preview.steps) {
    const verbs = VERBS[step.op];
    const type = typeOf(step);
    const { apiVersion, kind, metadata } = step.newState?.inputs ?? {};
    if (verbs === undefined || type === STACK_TYPE || !type.startsWith("kubernetes:")) continue;
    if (typeof apiVersion !== "string" || typeof kind !== "string") continue;
    const { namespace } = (metadata ?? {}) as { namespace?: unknown };
    byUrn.set(step.urn, { verbs, apiVersion, kind, ...(typeof namespace === "string" && namespace !== UNKNOWN ? { namespace } : {}) });
  }
  return [...byUrn.values()];
}

/**
 * Asks the API server which of a plan's changes this account may not rehearse.
 *
 * @returns what a reviewer should know, as notes; nothing where all of it could be checked
 */
export async function rehearsalNotes(preview: Preview, api: () => Transport | Promise<Transport>): Promise<string[]> {
  const rehearsals = rehearsalsOf(preview);
  if (rehearsals.length === 0) return [];
  try {
    const missing = await missingRights(rehearsals, await api());
    const unchecked = missing.filter((rights) => rights.length > 0).length;
    if (unchecked === 0) return [];
    const named = [
      ...new Set(
        missing.flat().map(({ verb, resource, namespace }) => `${verb} ${resource}${namespace === undefined ? "" : ` in ${namespace}`}`),
      ),
    ];
    return [
      `The API server did not check ${unchecked} of the ${rehearsals.length} changes, which are as the program has them: this account may not rehearse them (${few(named)}).`,
    ];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [`Whether the API server checked the changes is not known, since it could not be asked what this account may: ${reason}`];
  }
}

const MOST_NAMED = 4;

function few(names: readonly string[]): string {
  const further = names.length - MOST_NAMED;
  return further > 0 ? `${names.slice(0, MOST_NAMED).join(", ")} and ${further} more` : names.join(", ");
}

/** For each rehearsal, the rights that it lacks. What is asked twice is asked once. */
async function missingRights(rehearsals: readonly Rehearsal[], api: Transport): Promise<Right[][]> {
  const plurals = new Map<string, Promise<Map<string, string>>>();
  const answers = new Map<string, Promise<boolean>>();
  const once = <T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> => {
    const asked = known.get(key) ?? ask();
    known.set(key, asked);
    return asked;
  };
  return Promise.all(
    rehearsals.map(async ({ verbs, apiVersion, kind, namespace }) => {
      const resource = (await once(plurals, apiVersion, () => pluralsOf(api, apiVersion))).get(kind);
      // Not served yet: nobody can have checked it, and the engine's warning says so.
      if (resource === undefined) return [];
      const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
      const rights = verbs.map((verb): Right => ({ verb, group, resource, ...(namespace === undefined ? {} : { namespace }) }));
      const allowed = await Promise.all(rights.map((right) => once(answers, JSON.stringify(right), () => may(api, right))));
      return rights.filter((_, index) => allowed[index] !== true);
    }),
  );
}

async function pluralsOf(api: Transport, apiVersion: string): Promise<Map<string, string>> {
  const path = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const { status, body } = await api.send({ method: "GET", path });
  if (status === 404) return new Map();
  if (status >= 300) throw new Error(`${api.description} answered ${status} to ${path}`);
  const { resources } = JSON.parse(body) as { resources: { name: string; kind: string }[] };
  return new Map(resources.filter(({ name }) => !name.includes("/")).map(({ name, kind }) => [kind, name]));
}

async function may(api: Transport, resourceAttributes: Right): Promise<boolean> {
  const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const review = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } };
  const headers = { "content-type": "application/json" };
  const { status, body } = await api.send({ method: "POST", path, headers, body: JSON.stringify(review) });
  if (status >= 300) throw new Error(`${api.description} answered ${status} to ${path}`);
  return (JSON.parse(body) as { status?: { allowed?: boolean } }).status?.allowed === true;
}
