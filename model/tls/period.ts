/** For how long the program's own certificates are: times of the quarter in which they are made, so that two previews are the same. */

/** Quarters for which a leaf is valid: whoever updates once in half a year never sees one end. */
const LEAF_QUARTERS = 3;
/** How far clocks may differ where a certificate begins. */
export const EARLIER_MS = 24 * 3_600_000;

/** When a certificate of the program's begins and ends. */
export interface Period {
  /** Its name, such as `2026-4`: another one means other keys. */
  name: string;
  begin: Date;
  end: Date;
}

/**
 * The period of leaves that are made on a day.
 *
 * @param day In UTC.
 */
export function leafPeriod(day: Date): Period {
  const year = day.getUTCFullYear();
  const quarter = Math.floor(day.getUTCMonth() / 3);
  return {
    name: `${year}-${quarter + 1}`,
    begin: new Date(Date.UTC(year, quarter * 3, 1) - EARLIER_MS),
    end: new Date(Date.UTC(year, (quarter + LEAF_QUARTERS) * 3, 1)),
  };
}
