import { isJsonObject, type Json, type JsonObject } from "../protocol/values";
import { type Api, ApiError, type ApiRequest, type ApiResponse } from "./api";
import { pathOf, type Served } from "./discovery";
import { listField, textField } from "./readiness";

/** A write of one object. */
export interface Write {
  served: Served;
  namespace: string | undefined;
  name: string;
  document: JsonObject;
  fieldManager: string;
  dryRun: boolean;
  /** Take fields over from other managers instead of failing. */
  force: boolean;
  deadline: number;
  signal: AbortSignal;
}

function interruptible({ dryRun, signal }: Pick<Write, "dryRun" | "signal">): Pick<ApiRequest, "signal" | "patience"> {
  return dryRun ? { signal } : { patience: signal };
}

export function create(api: Api, write: Omit<Write, "name" | "force">): Promise<ApiResponse> {
  return api.request({
    method: "POST",
    path: pathOf(write.served, write.namespace),
    query: { fieldManager: write.fieldManager, fieldValidation: "Strict", dryRun: write.dryRun ? "All" : undefined },
    body: write.document,
    deadline: write.deadline,
    ...interruptible(write),
  });
}

/** Server-side apply: the document's fields become the manager's, those it had before and leaves out now are removed. */
export function apply(api: Api, write: Write): Promise<ApiResponse> {
  return api.request({
    method: "PATCH",
    path: pathOf(write.served, write.namespace, write.name),
    query: {
      fieldManager: write.fieldManager,
      force: String(write.force),
      fieldValidation: "Strict",
      dryRun: write.dryRun ? "All" : undefined,
    },
    // JSON is YAML.
    contentType: "application/apply-patch+yaml",
    body: write.document,
    deadline: write.deadline,
    ...interruptible(write),
  });
}

/** The JSON merge patch (RFC 7396) that leads from one document to another. */
export function mergePatch(before: JsonObject, after: JsonObject): JsonObject {
  const patch: JsonObject = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = before[key];
    const now: Json | undefined = after[key];
    if (now === undefined) {
      patch[key] = null;
    } else if (isJsonObject(old) && isJsonObject(now)) {
      const inner = mergePatch(old, now);
      if (Object.keys(inner).length > 0) {
        patch[key] = inner;
      }
    } else if (JSON.stringify(old) !== JSON.stringify(now)) {
      patch[key] = now;
    }
  }
  return patch;
}

/** Client-side apply, for providers with server-side apply switched off: changes what differs from the last inputs. */
export function patch(api: Api, write: Write, last: JsonObject): Promise<ApiResponse> {
  return api.request({
    method: "PATCH",
    path: pathOf(write.served, write.namespace, write.name),
    query: { fieldManager: write.fieldManager, fieldValidation: "Strict", dryRun: write.dryRun ? "All" : undefined },
    contentType: "application/merge-patch+json",
    body: mergePatch(last, write.document),
    deadline: write.deadline,
    ...interruptible(write),
  });
}

function isCreation(entry: JsonObject, fieldManager: string): boolean {
  return entry.manager === fieldManager && entry.operation === "Update" && entry.subresource === undefined;
}

/** Whether the fields set at creation still count as an ordinary update of the manager, not as applied by it. */
export function ownsByCreation(live: JsonObject, fieldManager: string): boolean {
  return listField(live, "metadata", "managedFields").some((entry) => isCreation(entry, fieldManager));
}

/**
 * Makes the fields a manager set when it created the object count as applied by it (as client-go's csaupgrade does). Without
 * this, its first apply conflicts with itself, and a field it leaves out later stays.
 */
export async function adoptCreation(
  api: Api,
  target: Pick<Write, "served" | "namespace" | "name" | "fieldManager" | "deadline" | "signal">,
  created: JsonObject,
): Promise<JsonObject> {
  let live = created;
  for (;;) {
    if (!ownsByCreation(live, target.fieldManager)) {
      return live;
    }
    const managedFields = listField(live, "metadata", "managedFields").map((entry) =>
      isCreation(entry, target.fieldManager) ? { ...entry, operation: "Apply" } : entry,
    );
    try {
      const { object } = await api.request({
        method: "PATCH",
        path: pathOf(target.served, target.namespace, target.name),
        contentType: "application/json-patch+json",
        body: [
          { op: "replace", path: "/metadata/managedFields", value: managedFields },
          { op: "replace", path: "/metadata/resourceVersion", value: textField(live, "metadata", "resourceVersion") },
        ],
        deadline: target.deadline,
        patience: target.signal,
      });
      return object;
    } catch (error) {
      // A controller was quicker: look again.
      if (!(error instanceof ApiError && error.code === 409)) {
        throw error;
      }
      live = await api.get(pathOf(target.served, target.namespace, target.name));
    }
  }
}

/** A conflict of field managers in the terms of who owns what; undefined for any other refusal. */
export function describeConflict(error: ApiError): string | undefined {
  const conflicts = error.causes.filter(({ reason }) => reason === "FieldManagerConflict");
  if (conflicts.length === 0) {
    return undefined;
  }
  const listed = conflicts.map(({ field, message }) => `${field} is managed by ${/"(.*?)"(?= |$)/.exec(message)?.[0] ?? message}`);
  return (
    `another field manager owns what this change sets: ${listed.join("; ")}. ` +
    'Leave the field out (or ignoreChanges), or take it over with the annotation pulumi.com/patchForce: "true"'
  );
}
