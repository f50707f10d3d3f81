import { type CapacityRow, capacityRows, type Figure, figuresOf } from "../../model/capacity/compare";
import type { Report } from "./build";

/** Capacity of a plan, row by row, for any form of text. */

/** Heading of the section. */
export const CARRIES = "What it carries";

/** Columns of the components' table. */
export const CAPACITY_COLUMNS = ["Of the neediest pod", "used", "at worst", "available"] as const;

/** Cells of a component's row: what it was before, where that was another, stands in front of an arrow. */
export interface CapacityCells {
  what: string;
  figures: readonly Figure[];
  /** When the worst is; empty where it always is. */
  when: string;
}

const cellsOf = ({ what, used, worst, available, when }: CapacityRow): CapacityCells => ({ what, figures: [used, worst, available], when });

/** Rows of the components; empty where nothing is known of a load. */
export const componentRows = ({ capacity }: Report): CapacityCells[] =>
  capacity === undefined ? [] : capacityRows(capacity.after, capacity.before).map(cellsOf);

/** Figures of the whole plan; empty where nothing is known of a load. */
export const carriedFigures = ({ capacity }: Report): Figure[] =>
  capacity === undefined ? [] : figuresOf(capacity.after, capacity.before);
