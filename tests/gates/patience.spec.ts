import assert from "node:assert/strict";
import { ForbiddenError } from "../../clients/transport";
import { type Patience, until, waitingTime } from "../../gates/patience";
import { quickClock } from "./quickClock";

const PATIENCE: Patience = { timeoutSeconds: 60, pollSeconds: 0.001, quietSeconds: 0, clock: quickClock() };
const MAY_NOT = "the account may not create pods/portforward in namespace ns";

describe("gates: patience", () => {
  /** Waits with what each poll finds, the last one again and again; how many polls it took. */
  async function looks(found: readonly (string[] | Error)[]): Promise<number> {
    let count = 0;
    const missing = async (): Promise<string[]> => {
      const now = found[Math.min(count++, found.length - 1)] ?? [];
      if (now instanceof Error) throw now;
      return now;
    };
    await until("something", missing, PATIENCE, "Advice");
    return count;
  }
  const many = <T>(each: T): T[] => Array.from({ length: 30 }, () => each);

  it("waits while anything is missing, and while it can't be asked for", async () => {
    assert.equal(await looks([...many(["a"]), ...many(new Error("reset")), []]), 61);
  });

  it("says in words how long it has waited", async () => {
    assert.deepEqual([1_800, 60, 90, 15, 1, 0.3].map(waitingTime), [
      "30 minutes",
      "1 minute",
      "90 seconds",
      "15 seconds",
      "1 second",
      "0.3 seconds",
    ]);
    await assert.rejects(
      until("something", async () => ["a", "b"], { ...PATIENCE, timeoutSeconds: 0.002 }, "Advice"),
      /^Error: gave up after 0\.002 seconds of waiting for something; still missing: a, b\. Advice$/,
    );
  });

  it("waits for a right that was given just now, but not for one that nobody gives", async () => {
    const forbidden = new ForbiddenError(MAY_NOT);
    assert.equal(await looks([forbidden, forbidden, ["a"], forbidden, []]), 5);
    const nine = Array.from({ length: 9 }, () => forbidden);
    assert.equal(await looks([...nine, []]), 10, "a role takes a second or two, of looks a second apart");
    await assert.rejects(looks([...nine, forbidden, []]), forbidden);
    assert.equal(await looks([...many([forbidden, ["a"]]).flat(), []]), 61);
    await assert.rejects(looks([["a"], forbidden]), forbidden);
  });
});
