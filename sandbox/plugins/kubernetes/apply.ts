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

/**
 * Whose an object's fields are from its creation until its first update: the official provider creates by a POST that
 * names no manager, so that the API server takes the program's name. Since every resource has the same, the first update
 * takes them over as its own (`takeOver`).
 */
export const CREATION_MANAGER = "pulumi-kubernetes";

/** Creates what must not exist yet. */
export function create(api: Api, write: Omit<Write, "name" | "force" | "fieldManager">): Promise<ApiResponse> {
  return api.request({
    method: "POST",
    path: pathOf(write.served, write.namespace),
    query: { fieldManager: CREATION_MANAGER, fieldValidation: "Strict", dryRun: write.dryRun ? "All" : undefined },
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

/** Managers whose fields an update takes over, by the beginning of their names, as the official provider does (`fixCSAFieldManagers`). */
const TAKEN_OVER: Readonly<Record<string, readonly string[]>> = {
  Update: [CREATION_MANAGER, "pulumi-resource-kubernetes", "kubectl", "before-first-apply"],
  Apply: ["kubectl"],
};

function isTakenOver({ manager, operation, subresource }: JsonObject): boolean {
  return subresource === undefined && (TAKEN_OVER[String(operation)] ?? []).some((name) => String(manager).startsWith(name));
}

/** Whether an update of the object has fields to take over. */
export function hasTakeOver(live: JsonObject): boolean {
  return listField(live, "metadata", "managedFields").some(isTakenOver);
}

/**
 * Whether the official provider rehearses an update of the object by force: it takes fields over only in the update itself (`patchForce`).
 */
export function isRehearsedByForce(live: JsonObject): boolean {
  return listField(live, "metadata", "managedFields").some(
    ({ manager, operation }) => operation === "Update" && (manager === CREATION_MANAGER || manager === "pulumi-resource-kubernetes"),
  );
}

/** Whether nobody but a creation of this provider's has set the object's fields, status apart. */
export function isAsCreated(live: JsonObject): boolean {
  const entries = listField(live, "metadata", "managedFields").filter(({ subresource }) => subresource === undefined);
  return entries.some(({ manager }) => manager === CREATION_MANAGER) && entries.every(({ operation }) => operation === "Update");
}

function union(one: Json | undefined, other: Json | undefined): Json {
  if (!isJsonObject(one) || !isJsonObject(other)) return one ?? other ?? {};
  const both: JsonObject = { ...one };
  for (const [key, value] of Object.entries(other)) both[key] = union(one[key], value);
  return both;
}

/** The entries of `managedFields` with all that is taken over in one that the manager has applied. */
export function withTakeOver(managedFields: readonly JsonObject[], fieldManager: string): JsonObject[] {
  const isOwn = (entry: JsonObject) => entry.manager === fieldManager && entry.operation === "Apply" && entry.subresource === undefined;
  const joined = managedFields.filter((entry) => isOwn(entry) || isTakenOver(entry));
  const [first] = joined;
  if (first === undefined) return [...managedFields];
  const fieldsV1 = joined.map((entry) => entry.fieldsV1).reduce<Json>((all, fields) => union(all, fields), {});
  return [
    ...managedFields.filter((entry) => !joined.includes(entry)),
    { ...(joined.find(isOwn) ?? first), manager: fieldManager, operation: "Apply", fieldsV1 },
  ];
}

/**
 * Makes the fields that were set at creation, or by somebody's `kubectl`, count as applied by a manager. Without this, its first apply
 * conflicts with the creation, and a field that it leaves out later stays.
 */
export async function takeOver(
  api: Api,
  target: Pick<Write, "served" | "namespace" | "name" | "fieldManager" | "deadline" | "signal">,
  found: JsonObject,
): Promise<JsonObject> {
  let live = found;
  while (hasTakeOver(live)) {
    try {
      const { object } = await api.request({
        method: "PATCH",
        path: pathOf(target.served, target.namespace, target.name),
        contentType: "application/json-patch+json",
        body: [
          {
            op: "replace",
            path: "/metadata/managedFields",
            value: withTakeOver(listField(live, "metadata", "managedFields"), target.fieldManager),
          },
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
  return live;
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
