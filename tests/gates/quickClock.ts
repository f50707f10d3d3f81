import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../gates/patience";

/** A clock that only pauses move: what a gate waits for takes no time, and as many polls on a slow machine as on a fast one. */
export function quickClock(): Clock {
  let ms = 0;
  return {
    now: () => ms,
    pause: async (more) => {
      ms += more;
      await setImmediate();
    },
  };
}
