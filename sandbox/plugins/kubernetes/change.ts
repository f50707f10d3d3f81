import { fieldChanges, formatPath, parsePath } from "../protocol/changes";
import { type Change, type Difference, type DiffRequest, ProviderError, type UpdateRequest } from "../protocol/provider";
import { containsUnknown, isJsonObject, type JsonObject, textAt, type ValueMap } from "../protocol/values";
import { annotations, isAnnotated, isAutonamed } from "./annotations";
import { ApiError, type ApiResponse } from "./api";
import { apply, hasTakeOver, isRehearsedByForce, patch, takeOver } from "./apply";
import { apiVersionOf, type Kind, pathOf } from "./discovery";
import { documentOf, initialApiVersionKey, mergeMaps, outputsOf, previewOfUpdate, withLive } from "./document";
import { idOf } from "./naming";
import { immutableCauses, isForcedNew, isRefused, sharesName } from "./replacement";
import { fieldManagerOf, isUnauthorised, kindFor, type Session, type Target, timeoutOf, withPlace } from "./session";

/** Changes objects, rehearses it, and says before it which changes need a new object. */

/** Differences between the inputs of an object, and whether only a new one can have them. */
export async function difference(session: Session, request: DiffRequest): Promise<Difference> {
  const { oldInputs, newInputs } = request;
  const { settings } = session;
  const kind = kindFor(request.type, newInputs);
  const mutability = { configMaps: settings.enableConfigMapMutable, secrets: settings.enableSecretMutable };
  const found = fieldChanges(oldInputs, newInputs).map((change) => ({
    change,
    forced: isForcedNew(kind, change, oldInputs, mutability),
  }));
  let changes: Change[] = found.map(({ change, forced }) => ({ path: formatPath(change.path), kind: change.kind, replaces: forced }));
  const open = found.length > 0 && !changes.some(({ replaces }) => replaces) && !containsUnknown(newInputs);
  if (open) {
    const causes = await immutableFields(session, request, kind);
    changes = found.map(({ change }) => ({ path: formatPath(change.path), kind: change.kind, replaces: isRefused(change, causes) }));
  }
  const replaces = changes.some((change) => change.replaces);
  return { changes, deleteBeforeReplace: replaces && !isAutonamed(newInputs) && sharesName(oldInputs, newInputs) };
}

/** @throws {InitializationFailed} when the object is changed and does not become ready */
export async function changeObject(session: Session, request: UpdateRequest): Promise<ValueMap> {
  const { oldInputs, oldOutputs, newInputs, preview } = request;
  const kind = kindFor(request.type, newInputs);
  if (preview && containsUnknown(newInputs)) {
    return previewOfUpdate(mergeMaps(oldOutputs, newInputs));
  }
  return session.explained(kind, newInputs, async () => {
    const target = await session.target(kind, !preview);
    const timeout = timeoutOf(newInputs, request.timeout);
    const deadline = Date.now() + timeout * 1000;
    const { namespace, name } = session.place(target, request.id);
    const { api } = session;
    const fieldManager = fieldManagerOf(newInputs, oldOutputs);
    const live = await liveOrExplain(target, namespace, name);
    const at = { served: target.served, namespace, name, fieldManager, deadline, signal: session.signal };
    if (hasTakeOver(live) && !preview && session.settings.enableServerSideApply) {
      await takeOver(api, at, live);
    }
    let response: ApiResponse;
    try {
      response = await write(target, {
        ...at,
        live,
        ignoreChanges: request.ignoreChanges,
        oldInputs,
        newInputs,
        dryRun: preview,
        ownOnly: preview && isRehearsedByForce(live),
      });
    } catch (error) {
      if (preview && error instanceof ApiError && isUnauthorised(error)) {
        return previewOfUpdate(mergeMaps(oldOutputs, newInputs));
      }
      throw error;
    }
    await session.warnings(request.urn, response, newInputs);
    const initial = textAt(oldOutputs, initialApiVersionKey) ?? apiVersionOf(kind);
    if (preview) {
      return previewOfUpdate(outputsOf(kind, response.object, newInputs, fieldManager, initial));
    }
    return session.awaited(request.urn, target, newInputs, response.object, request.id, fieldManager, initial, timeout);
  });
}

async function liveOrExplain({ session, served, kind }: Target, namespace: string | undefined, name: string): Promise<JsonObject> {
  try {
    return await session.api.get(pathOf(served, namespace, name), session.signal);
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) {
      throw new ProviderError(
        `${kind.kind} ${idOf(namespace, name)} is no longer there; run \`pulumi refresh\` (or \`--refresh\`) so that it is created again`,
      );
    }
    throw error;
  }
}

function write(
  { session, served, kind }: Target,
  change: {
    namespace: string | undefined;
    name: string;
    fieldManager: string;
    oldInputs: ValueMap;
    newInputs: ValueMap;
    dryRun: boolean;
    deadline: number;
    /** The object as it is. */
    live: JsonObject;
    ignoreChanges: readonly string[];
    /** Managers in conflict are those that an update takes over first, which a rehearsal can't. */
    ownOnly: boolean;
  },
): Promise<ApiResponse> {
  const { settings, api } = session;
  const { namespace, name, fieldManager, dryRun, deadline, newInputs } = change;
  const asked = change.ignoreChanges.reduce<JsonObject>(
    (document, path) => {
      const kept = withLive(document, change.live, parsePath(path));
      return isJsonObject(kept) ? kept : document;
    },
    documentOf(kind, newInputs),
  );
  const document = withPlace(asked, namespace, name);
  const force = settings.enablePatchForce || isAnnotated(newInputs, annotations.patchForce) || change.ownOnly;
  const write = { served, namespace, name, document, fieldManager, dryRun, force, deadline, signal: session.signal };
  return settings.enableServerSideApply ? apply(api, write) : patch(api, write, documentOf(kind, change.oldInputs));
}

/** The fields that the API server says cannot be changed in place, asked by a dry run; none when it cannot say. */
async function immutableFields(session: Session, request: DiffRequest, kind: Kind): Promise<ReturnType<typeof immutableCauses>> {
  try {
    const target = await session.target(kind, false);
    const { namespace, name } = session.place(target, request.id);
    const live = await session.api.get(pathOf(target.served, namespace, name), session.signal);
    await write(target, {
      live,
      ignoreChanges: request.ignoreChanges,
      namespace,
      name,
      fieldManager: fieldManagerOf(request.newInputs, request.oldOutputs),
      oldInputs: request.oldInputs,
      newInputs: request.newInputs,
      dryRun: true,
      deadline: Date.now() + 10_000,
      // Conflicts are the update's to report.
      ownOnly: true,
    });
    return [];
  } catch (error) {
    return error instanceof ApiError ? immutableCauses(error) : [];
  }
}
