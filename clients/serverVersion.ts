import { ForbiddenError, type Transport } from "./transport";

/**
 * The version that an API server says it has, such as `v1.36.3`. Every account may ask, unless somebody took that away (cluster role
 * `system:public-info-viewer`).
 *
 * @throws {ForbiddenError} when the account may not
 * @throws {Error} when there is no answer, or one without a version
 */
export async function serverVersion(api: Transport): Promise<string> {
  const { status, body } = await api.send({ method: "GET", path: "/version" });
  const version = status === 200 ? versionIn(body) : undefined;
  if (version !== undefined) return version;
  const text = `${api.description} answered ${status} to /version${status === 200 ? ", without a version" : ""}`;
  throw status === 403 ? new ForbiddenError(text) : new Error(text);
}

function versionIn(body: string): string | undefined {
  try {
    const { gitVersion } = JSON.parse(body) as { gitVersion?: unknown };
    return typeof gitVersion === "string" && /^v?\d+\.\d+/.test(gitVersion) ? gitVersion : undefined;
  } catch {
    return undefined;
  }
}
