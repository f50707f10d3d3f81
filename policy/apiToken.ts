import { containersOf, fields, list, type Pod, text } from "./resources";

/** How many containers of a pod may have a token of the API server. */
const HOLDERS = 1;

/** Every way in which a pod has the API server's token where nobody asked for it, as sentences. */
export function tokenViolations(pod: Pod): string[] {
  const automounted =
    pod.spec.automountServiceAccountToken === false
      ? []
      : [
          "it mounts its account's token into every container; set automountServiceAccountToken to false, and mount a projected token where it is used",
        ];
  const tokens = list(pod.spec, "volumes").flatMap((volume) =>
    list(fields(volume, "projected"), "sources").some(asksTheApiServer) ? [text(volume, "name")] : [],
  );
  const holders = containersOf(pod).filter(({ volumeMounts = [] }) => volumeMounts.some(({ name = "" }) => tokens.includes(name)));
  if (holders.length <= HOLDERS) return automounted;
  return [...automounted, `${holders.map(({ name }) => name).join(", ")} mount a token; ${HOLDERS} container of a pod asks the API server`];
}

/**
 * Whether a source of a volume is a token that the API server takes: one with an audience of its own is for somebody else, such as Vault.
 */
const asksTheApiServer = (source: unknown): boolean =>
  "serviceAccountToken" in (source as object) && text(fields(source, "serviceAccountToken"), "audience") === "";
