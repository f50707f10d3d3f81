/**
 * A pure function that works each result out once, for callers that do not know of one another: what is judged before the first object is
 * what objects are made of.
 *
 * @param work Gives the same result for the same values, and nobody changes the result or the object it is of.
 * @returns the same function; it knows an object again, and compares everything else by its text.
 */
export function once<Of extends object, Rest extends readonly unknown[], Result>(
  work: (of: Of, ...rest: Rest) => Result,
): (of: Of, ...rest: Rest) => Result {
  const results = new WeakMap<Of, Map<string, Result>>();
  return (of, ...rest) => {
    const known = results.get(of) ?? new Map<string, Result>();
    results.set(of, known);
    const key = JSON.stringify(rest);
    const result = known.has(key) ? (known.get(key) as Result) : work(of, ...rest);
    known.set(key, result);
    return result;
  };
}
