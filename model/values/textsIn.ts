/**
 * Every text within a value, at whatever depth, with its place below a key: `[["job.files[0]", "a.json"]]`.
 *
 * @param key Key of the value itself.
 */
export function textsIn(value: unknown, key: string): [string, string][] {
  if (typeof value === "string") return [[key, value]];
  if (Array.isArray(value)) return value.flatMap((each, index) => textsIn(each, `${key}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => textsIn(each, `${key}.${name}`));
}
