/**
 * The pure part of `bench/coefficients.ts`: which loads are measured, how coefficients are fitted to two thirds of them, and how the rest
 * judges the model. It knows nothing of a cluster.
 */

/** A load that is measured. */
export interface Point {
  /** Its name, which `--only` selects by and its file is named after: `50k-rf3-l100-churn`. */
  name: string;
  series: number;
  replicationFactor: 1 | 3;
  /** Mean bytes of a series' labels. */
  labelBytes: number;
  /** Time between two samples of a series. It differs by size, so that samples and series can be told apart. */
  intervalSeconds: number;
  kind: "steady" | "churn" | "late" | "queries";
}

/** Sizes of loads, each with the time between two samples. */
const INTERVALS: ReadonlyMap<number, number> = new Map([
  [50_000, 5],
  [100_000, 5],
  [200_000, 15],
]);
export const SERIES = [...INTERVALS.keys()];
export const REPLICATION_FACTORS = [1, 3] as const;
/** Bytes of labels: those of the sender without more, about, and those of Kubernetes' own series. */
export const LABEL_BYTES = [100, 400] as const;

type Own = Omit<Point, "name" | "intervalSeconds">;

const nameOf = ({ series, replicationFactor, labelBytes, kind }: Own): string =>
  [`${series / 1_000}k`, `rf${replicationFactor}`, `l${labelBytes}`, ...(kind === "steady" ? [] : [kind])].join("-");

const point = (own: Own): Point => ({ name: nameOf(own), intervalSeconds: INTERVALS.get(own.series) ?? 1, ...own });

/** Every load: each size with each replication factor and each size of labels; and of the middle one what else a head may have to do. */
export const POINTS: readonly Point[] = [
  ...SERIES.flatMap((series) =>
    REPLICATION_FACTORS.flatMap((replicationFactor) =>
      LABEL_BYTES.map((labelBytes) => point({ series, replicationFactor, labelBytes, kind: "steady" })),
    ),
  ),
  ...(["churn", "late", "queries"] as const).flatMap((kind) =>
    REPLICATION_FACTORS.map((replicationFactor) => point({ series: 100_000, replicationFactor, labelBytes: 100, kind })),
  ),
];

/**
 * The points that `--only` selects: those that have each of the words of one of its alternatives, and all without. Commas part the
 * alternatives, hyphens their words, which are those of a point's name and its kind: `50k-rf3,100k-steady`.
 *
 * @throws {Error} for an alternative that no point has
 */
export function selected(only: string | undefined, points: readonly Point[] = POINTS): Point[] {
  if (only === undefined) return [...points];
  const matching = only.split(",").map((alternative) => {
    const words = alternative.split("-");
    const found = points.filter(({ name, kind }) => words.every((word) => word === kind || name.split("-").includes(word)));
    if (found.length === 0)
      throw new Error(`--only ${alternative}: no point has all of these words; points: ${points.map(({ name }) => name).join(", ")}`);
    return found;
  });
  return points.filter((each) => matching.some((found) => found.includes(each)));
}

/**
 * Whether a point judges: every third of those that are measured, in the order of {@link POINTS}. Two thirds are what coefficients are
 * fitted to, and the smallest and the largest load is on either side.
 */
export const judges = ({ name }: Pick<Point, "name">, points: readonly Point[] = POINTS): boolean =>
  points.findIndex((each) => each.name === name) % 3 === 2;

/** Keys of prod's stack file that a point changes: limits are large, and one Prometheus leaves the machine to the load. */
export const overridesOf = ({ replicationFactor }: Pick<Point, "replicationFactor">) => ({
  survives: { nodes: 0, zones: 0 },
  accepts: replicationFactor === 1 ? ["data-loss"] : [],
  receive: { replicationFactor, resources: { cpu: "250m", memory: "4Gi" }, routers: { resources: { memory: "1Gi" } } },
  prometheus: { replicas: 1 },
});

/** One measurement of a point: a resource of a component, in its neediest pod. */
export interface Measured {
  component: string;
  resource: "memory" | "cpu" | "disk";
  /** Bytes, or cores. */
  amount: number;
}

/** A point that was measured, as it is kept in a file. */
export interface Result {
  point: Point;
  /** ISO date. */
  at: string;
  /** Series in the head of the largest receiver, as it counted them. */
  headSeries: number;
  /** Mean bytes of their labels. */
  labelBytes: number;
  /** Samples that it stores in a second. */
  samplesPerSecond: number;
  measured: Measured[];
  /** For how long it had taken samples then, in seconds. */
  age: number;
  /** Part of the series that the neediest receiver stores, 0 to 1. */
  heaviest: number;
}

/**
 * Coefficients of a straight combination of columns, by least squares of the relative error: a load of 50,000 series counts as much as one
 * of 200,000. None is below 0: one that would be is left out, and the others are fitted anew.
 *
 * @param rows Columns of each measurement, as many in each.
 * @param values What was measured, above 0.
 * @throws {Error} where there are fewer measurements than columns, or columns say the same
 */
export function fitted(rows: readonly (readonly number[])[], values: readonly number[]): number[] {
  const columns = rows[0]?.length ?? 0;
  let used = Array.from({ length: columns }, (_, column) => column);
  for (;;) {
    const own = solved(
      rows.map((row, index) => used.map((column) => (row[column] ?? 0) / (values[index] ?? 1))),
      values.map(() => 1),
    );
    const least = own.reduce((most, each, index) => (each < (own[most] ?? 0) ? index : most), 0);
    if ((own[least] ?? 0) >= 0) {
      const result = new Array<number>(columns).fill(0);
      used.forEach((column, index) => {
        result[column] = own[index] ?? 0;
      });
      return result;
    }
    used = used.filter((_, index) => index !== least);
  }
}

/** Least squares by the normal equations, which Gauss' elimination with the largest pivot solves. */
function solved(rows: readonly (readonly number[])[], values: readonly number[]): number[] {
  const size = rows[0]?.length ?? 0;
  if (rows.length < size) throw new Error(`${rows.length} measurements are too few for ${size} coefficients`);
  // Columns of one size: bytes beside counts would lose the small ones.
  const scale = Array.from({ length: size }, (_, column) => Math.max(...rows.map((row) => Math.abs(row[column] ?? 0))) || 1);
  const scaled = rows.map((row) => row.map((each, column) => each / (scale[column] ?? 1)));
  const sum = (of: (row: readonly number[], index: number) => number): number =>
    scaled.reduce((all, row, index) => all + of(row, index), 0);
  const matrix = Array.from({ length: size }, (_, line) => [
    ...Array.from({ length: size }, (_each, column) => sum((row) => (row[line] ?? 0) * (row[column] ?? 0))),
    sum((row, index) => (row[line] ?? 0) * (values[index] ?? 0)),
  ]);
  for (let column = 0; column < size; column += 1) {
    const pivot = matrix
      .slice(column)
      .reduce((most, row, index, rest) => (Math.abs(row[column] ?? 0) > Math.abs(rest[most]?.[column] ?? 0) ? index : most), 0);
    const found = matrix[column + pivot] ?? [];
    if (Math.abs(found[column] ?? 0) < 1e-9) throw new Error("two columns say the same of every measurement");
    [matrix[column], matrix[column + pivot]] = [found, matrix[column] ?? []];
    matrix.forEach((row, line) => {
      if (line === column) return;
      const factor = (row[column] ?? 0) / (found[column] ?? 1);
      for (let each = column; each <= size; each += 1) row[each] = (row[each] ?? 0) - factor * (found[each] ?? 0);
    });
  }
  return matrix.map((row, line) => (row[size] ?? 0) / (row[line] ?? 1) / (scale[line] ?? 1));
}

/** Columns of the fit of each resource: a constant, series and bytes of labels in the head, and samples a second. */
const COLUMNS: Readonly<Record<Measured["resource"], readonly string[]>> = {
  memory: ["the process", "each series", "each byte of labels"],
  cpu: ["the process", "each sample a second"],
  disk: ["the process", "each series", "each sample a second"],
};

const rowOf = ({ headSeries, samplesPerSecond, labelBytes }: Result, resource: Measured["resource"]): number[] => {
  const all: Record<string, number> = {
    "the process": 1,
    "each series": headSeries,
    "each byte of labels": headSeries * labelBytes,
    "each sample a second": samplesPerSecond,
  };
  return COLUMNS[resource].map((column) => all[column] ?? 0);
};

/** A measurement beside what is said of it. */
export interface Judged {
  point: string;
  component: string;
  resource: Measured["resource"];
  measured: number;
  /** Prediction of the model, which knows none of these measurements. */
  predicted: number;
  /** Prediction of the coefficients that are fitted to two thirds of the points; absent where these are too few. */
  fit?: number;
  /** Whether it is of the third that judges. */
  judges: boolean;
}

/** Coefficients of one component's resource. */
export interface Fit {
  component: string;
  resource: Measured["resource"];
  coefficients: Record<string, number>;
}

const keyOf = ({ component, resource }: Pick<Measured, "component" | "resource">): string => `${component} ${resource}`;

/** Steady points alone are what coefficients of these columns can be fitted to: what churn, lateness and queries add has no column. */
const isSteady = ({ point: { kind } }: Result): boolean => kind === "steady";

/**
 * Fits and judges everything that was measured.
 *
 * @param predictedOf What the model says of the same load, by component and resource.
 */
export function judged(results: readonly Result[], predictedOf: (result: Result) => readonly Measured[]): { rows: Judged[]; fits: Fit[] } {
  const predicted = new Map(results.map((result) => [result, predictedOf(result)] as const));
  const kinds = new Map(results.flatMap(({ measured }) => measured.map((each) => [keyOf(each), each] as const)));
  const fits: Fit[] = [];
  const rows: Judged[] = [];
  for (const { component, resource } of kinds.values()) {
    const amountIn = (of: readonly Measured[]) => of.find((each) => each.component === component && each.resource === resource)?.amount;
    const known = results.flatMap((result) => {
      const measured = amountIn(result.measured);
      return measured === undefined || measured <= 0 ? [] : [{ result, measured, columns: rowOf(result, resource) }];
    });
    const learned = known.filter(({ result }) => isSteady(result) && !judges(result.point));
    const coefficients = attempt(() =>
      fitted(
        learned.map(({ columns }) => columns),
        learned.map(({ measured }) => measured),
      ),
    );
    if (coefficients !== undefined) {
      const named = COLUMNS[resource].map((column, index) => [column, coefficients[index] ?? 0] as const);
      fits.push({ component, resource, coefficients: Object.fromEntries(named) });
    }
    for (const { result, measured, columns } of known) {
      rows.push({
        point: result.point.name,
        component,
        resource,
        measured,
        predicted: amountIn(predicted.get(result) ?? []) ?? Number.NaN,
        ...(coefficients === undefined ? {} : { fit: columns.reduce((sum, each, index) => sum + each * (coefficients[index] ?? 0), 0) }),
        judges: judges(result.point),
      });
    }
  }
  return { rows, fits };
}

/** Nothing where the measurements are too few for a fit. */
function attempt(solve: () => number[]): number[] | undefined {
  try {
    return solve();
  } catch {
    return undefined;
  }
}

/** Largest relative error that the model may have. */
export const MOST_ERROR = 0.15;

const errorOf = (said: number, measured: number): number => said / measured - 1;

/** Cores of which nobody plans parts: what a process takes idle is as much by chance. */
const NO_CORES = 0.005;

/** Whether an amount is large enough for an error of it to mean anything. */
export const counts = ({ resource, measured, predicted }: Pick<Judged, "resource" | "measured" | "predicted">): boolean =>
  resource !== "cpu" || Math.max(measured, predicted) >= NO_CORES;

/** Of each component and resource the mean and the worst error, of the points that judge: those that no coefficient was fitted to. */
export function errors(
  rows: readonly Judged[],
): { component: string; resource: string; points: number; model: number; worst: number; fit?: number }[] {
  const groups = new Map<string, Judged[]>();
  for (const row of rows.filter((each) => each.judges && counts(each))) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return [...groups.values()].map((group) => {
    const mean = (of: (row: Judged) => number): number => group.reduce((sum, row) => sum + Math.abs(of(row)), 0) / group.length;
    const [{ component, resource }] = group as [Judged];
    const isFitted = group.every(({ fit }) => fit !== undefined);
    return {
      component,
      resource,
      points: group.length,
      model: mean(({ predicted, measured }) => errorOf(predicted, measured)),
      worst: Math.max(...group.map(({ predicted, measured }) => Math.abs(errorOf(predicted, measured)))),
      ...(isFitted ? { fit: mean(({ fit = 0, measured }) => errorOf(fit, measured)) } : {}),
    };
  });
}

const percent = (share: number): string => `${share < 0 ? "-" : "+"}${Math.abs(Math.round(100 * share))} %`;
const amount = (resource: string, value: number): string =>
  resource === "cpu" ? `${value.toPrecision(2)} cores` : `${Math.round(value / 1e6)} MB`;

/** Heads and rows of the two tables: everything that was measured, and the errors of the points that judge. */
export function tables({ rows }: { rows: readonly Judged[] }): { head: string[]; rows: string[][] }[] {
  return [
    {
      head: ["load", "component", "resource", "measured", "predicted", "difference", "fitted to two thirds", "judges"],
      rows: rows.map(({ point: name, component, resource, measured, predicted, fit, judges: is }) => [
        name,
        component,
        resource,
        amount(resource, measured),
        amount(resource, predicted),
        percent(errorOf(predicted, measured)),
        fit === undefined ? "" : `${amount(resource, fit)} (${percent(errorOf(fit, measured))})`,
        is ? "yes" : "",
      ]),
    },
    {
      head: ["component", "resource", "points that judge", "model's mean error", "worst", "error of what is fitted", "within 15 %"],
      rows: errors(rows).map(({ component, resource, points, model, worst, fit }) => [
        component,
        resource,
        String(points),
        percent(model).slice(1),
        percent(worst).slice(1),
        fit === undefined ? "" : percent(fit).slice(1),
        worst <= MOST_ERROR ? "yes" : "no",
      ]),
    },
  ];
}
