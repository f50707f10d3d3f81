/**
 * Where a condition that holds of small numbers ends, between two numbers.
 *
 * @param start Least that is tried: it is taken to hold there.
 * @param most No larger number is tried but the first beyond it, where it is taken to have ended.
 * @param exact Most that the two are apart, as a part of the smaller.
 */
export function boundary(
  holds: (of: number) => boolean,
  { start, most, exact }: { start: number; most: number; exact: number },
): { last: number; beyond: number } {
  let [last, beyond] = [start, 2 * start];
  while (beyond < most && holds(beyond)) [last, beyond] = [beyond, 2 * beyond];
  while (beyond - last > exact * last) {
    const middle = (last + beyond) / 2;
    if (holds(middle)) last = middle;
    else beyond = middle;
  }
  return { last, beyond };
}
