import { type CreateRequest, ProviderError } from "../protocol/provider";
import { containsUnknown, type JsonObject, textAt, type ValueMap } from "../protocol/values";
import { annotation, annotations } from "./annotations";
import { ApiError } from "./api";
import { apply, create, isAsCreated } from "./apply";
import { apiVersionOf, type Kind, pathOf } from "./discovery";
import { documentOf, outputsOf, previewOfCreation, withSecretData } from "./document";
import { idOf, newFieldManager, suffix } from "./naming";
import { textField } from "./readiness";
import { isUnauthorised, kindFor, type Session, type Target, timeoutOf, withPlace } from "./session";
import { untilGone, type Wait } from "./wait";

/** Makes objects, and rehearses it. */

/** @throws {InitializationFailed} when the object is there and does not become ready */
export async function createObject(session: Session, request: CreateRequest): Promise<{ id: string; outputs: ValueMap }> {
  const { inputs, preview } = request;
  const kind = kindFor(request.type, inputs);
  if (preview) {
    return session.explained(kind, inputs, async () => ({ id: "", outputs: await previewCreate(session, request, kind) }));
  }
  return session.explained(kind, inputs, async () => {
    const target = await session.target(kind, true);
    const { served } = target;
    const { api } = session;
    const timeout = timeoutOf(inputs, request.timeout);
    const deadline = Date.now() + timeout * 1000;
    const namespace = served.namespaced ? textAt(inputs, "metadata", "namespace") : undefined;
    const fieldManager = annotation(inputs, annotations.patchFieldManager) ?? newFieldManager();
    const document = documentOf(kind, inputs);
    const common = { served, namespace, document, dryRun: false, deadline, signal: session.signal };
    let object: JsonObject;
    try {
      const response = await create(api, common);
      await session.warnings(request.urn, response, inputs);
      object = response.object;
    } catch (error) {
      const wanted = textAt(inputs, "metadata", "name") ?? "";
      const gone = await endingIsOver(error, session.wait(request.urn, target, namespace, wanted, timeout));
      object = gone ? (await create(api, common)).object : await existing(error, target, { ...common, fieldManager }, wanted);
    }
    const name = textField(object, "metadata", "name");
    const id = idOf(namespace, name);
    const outputs = await session.awaited(request.urn, target, inputs, object, id, fieldManager, apiVersionOf(kind), timeout);
    return { id, outputs };
  });
}

async function previewCreate(session: Session, { urn, inputs }: CreateRequest, kind: Kind): Promise<ValueMap> {
  const fieldManager = "";
  const initial = apiVersionOf(kind);
  const asAsked = () => previewOfCreation(kind, withSecretData(kind, inputs), inputs);
  const served = await session.discovery.find(kind);
  if (containsUnknown(inputs) || served === undefined) {
    return asAsked();
  }
  const namespace = served.namespaced ? textAt(inputs, "metadata", "namespace") : undefined;
  const name = textAt(inputs, "metadata", "name") ?? "";
  const document = documentOf(kind, inputs);
  const rehearse = (where: string | undefined, what: JsonObject) =>
    create(session.api, {
      served,
      namespace: where,
      document: what,
      dryRun: true,
      deadline: Date.now() + 10_000,
      signal: session.signal,
    });
  try {
    const response = await rehearse(namespace, document);
    await session.warnings(urn, response, inputs);
    return previewOfCreation(kind, outputsOf(kind, response.object, inputs, fieldManager, initial), inputs);
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    if (error.code === 409 && error.reason === "AlreadyExists") {
      // It may go before its successor comes, and if it doesn't, the update says so. Try the successor under another name.
      const other = `${name.slice(0, 40).replace(/[^a-z0-9]+$/, "")}-${suffix(new Uint8Array())}`;
      await onlyValidation(() => rehearse(namespace, withPlace(document, namespace, other)));
      return asAsked();
    }
    if (error.code === 404 && namespace !== undefined) {
      // The namespace is part of the same program; the object's own validity does not depend on it.
      const elsewhere = session.cluster.namespace === namespace ? "default" : session.cluster.namespace;
      await onlyValidation(() => rehearse(elsewhere, withPlace(document, elsewhere, name)));
      return asAsked();
    }
    if (isUnauthorised(error)) {
      return asAsked();
    }
    throw error;
  }
}

/** Lets only those refusals through that are about the object's own fields. */
async function onlyValidation(rehearse: () => Promise<unknown>): Promise<void> {
  try {
    await rehearse();
  } catch (error) {
    const aboutFields =
      error instanceof ApiError && (error.code === 400 || error.causes.some(({ reason }) => reason.startsWith("FieldValue")));
    if (aboutFields) {
      throw error;
    }
  }
}

/** Whether a creation was refused only because the object of that name was still being deleted, which is waited for. */
async function endingIsOver(error: unknown, wait: Wait): Promise<boolean> {
  if (!(error instanceof ApiError) || error.code !== 409 || error.reason !== "AlreadyExists") {
    return false;
  }
  const live = await wait.api.get(pathOf(wait.served, wait.namespace, wait.name), wait.signal).catch(() => undefined);
  if (live === undefined) {
    return true;
  }
  if (textAt(live, "metadata", "deletionTimestamp") === undefined) {
    return false;
  }
  return (await untilGone(wait, live)).reasons.length === 0;
}

/**
 * The object after a refused creation, when the answer to a first attempt was lost or the program wants to take it over; throws otherwise.
 */
async function existing(
  error: unknown,
  { session, kind }: Target,
  common: Parameters<typeof create>[1] & { fieldManager: string },
  name: string,
): Promise<JsonObject> {
  if (!(error instanceof ApiError) || error.code !== 409 || error.reason !== "AlreadyExists") {
    throw error;
  }
  if (session.settings.upsertExistingObjects) {
    const document = withPlace(common.document, common.namespace, name);
    return (await apply(session.api, { ...common, document, name, force: session.settings.enablePatchForce })).object;
  }
  if (error.afterLostAnswer) {
    const live = await session.api.get(pathOf(common.served, common.namespace, name), common.signal);
    if (isAsCreated(live)) {
      return live;
    }
  }
  throw new ProviderError(alreadyExists(kind, common.namespace, name));
}

function alreadyExists(kind: Kind, namespace: string | undefined, name: string): string {
  return (
    `${kind.kind} ${idOf(namespace, name)} already exists and is not in this stack's state: import it (\`pulumi import\`), delete it or choose another name. ` +
    "If a resource of this stack was renamed, give it an alias"
  );
}
