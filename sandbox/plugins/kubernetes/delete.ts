import { type DeleteRequest, ProviderError } from "../protocol/provider";
import { type JsonObject, textAt, unwrapMap, type ValueMap } from "../protocol/values";
import { annotation, annotations, isAnnotated } from "./annotations";
import { ApiError } from "./api";
import { pathOf } from "./discovery";
import { textField } from "./readiness";
import { kindFor, type Session, type Target, timeoutOf } from "./session";
import { isStillThere, untilGone } from "./wait";

/** Deletes objects, and waits until they are gone. */

/** An object that was replaced outside of the stack is left alone. */
export async function deleteObject(session: Session, request: DeleteRequest): Promise<void> {
  const { inputs, outputs, id } = request;
  const kind = kindFor(request.type, Object.keys(inputs).length > 0 ? inputs : outputs);
  await session.explained(kind, inputs, async () => {
    const { discovery, api } = session;
    const served = await discovery.find(kind);
    if (served === undefined) {
      return;
    }
    const target = { session, kind, served };
    const { namespace, name } = session.place(target, id);
    const timeout = timeoutOf(inputs, request.timeout);
    const uid = textAt(outputs, "metadata", "uid");
    let answer: JsonObject;
    try {
      ({ object: answer } = await api.request({
        method: "DELETE",
        path: pathOf(served, namespace, name),
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          propagationPolicy: propagationPolicy(inputs),
          ...(uid === undefined ? {} : { preconditions: { uid } }),
        },
        deadline: Date.now() + timeout * 1000,
        patience: session.signal,
      }));
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) {
        return;
      }
      if (error instanceof ApiError && error.code === 409 && /precondition/i.test(error.message)) {
        await session.log.message(
          "warning",
          `${kind.kind} ${id} has been replaced outside of this stack; the new object is left alone`,
          request.urn,
        );
        return;
      }
      answer = await alreadyEnding(error, target, namespace, name);
    }
    if (!isStillThere(answer) || isAnnotated(inputs, annotations.skipAwait)) {
      return;
    }
    const { reasons } = await untilGone(session.wait(request.urn, target, namespace, name, timeout), answer);
    if (reasons.length > 0) {
      throw new ProviderError(`${kind.kind} ${id}: ${reasons.join("; ")}`);
    }
  });
}

/** The object whose deletion was refused because it is under way already, as a namespace's is. */
async function alreadyEnding(
  error: unknown,
  { session, served }: Target,
  namespace: string | undefined,
  name: string,
): Promise<JsonObject> {
  if (error instanceof ApiError && error.code === 409) {
    const live = await session.api.get(pathOf(served, namespace, name), session.signal);
    if (textField(live, "metadata", "deletionTimestamp") !== "") {
      return live;
    }
  }
  throw error;
}

function propagationPolicy(inputs: ValueMap): string {
  const policies = new Map([
    ["foreground", "Foreground"],
    ["background", "Background"],
    ["orphan", "Orphan"],
  ]);
  const stated = annotation(unwrapMap(inputs), annotations.deletionPropagationPolicy)?.toLowerCase() ?? "foreground";
  const policy = policies.get(stated);
  if (policy === undefined) {
    throw new ProviderError(`${annotations.deletionPropagationPolicy}: "${stated}" is none of ${[...policies.keys()].join(", ")}`);
  }
  return policy;
}
