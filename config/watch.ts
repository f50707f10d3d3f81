import type { Judge } from "../model/values/problem";

/** Where a key is: `["cluster", "zones", 0]`. */
export type Path = readonly PropertyKey[];

const textOf = (path: Path): string => JSON.stringify(path.map(String));

/** Sees whether a rule looks at what has no value to be judged: what was taken out, or has a problem of its own. */
export class Watch {
  private readonly paths: ReadonlySet<string>;
  private readonly holders: ReadonlySet<string>;
  private seen = false;

  /** @param watched Paths of the keys. */
  constructor(watched: readonly Path[]) {
    this.paths = new Set(watched.map(textOf));
    this.holders = new Set(watched.map((path) => textOf(path.slice(0, -1))));
  }

  /** Leaves a rule's problems out where it looks at one of the keys. */
  readonly judge: Judge = (rule) => {
    this.seen = false;
    try {
      const problems = rule();
      return this.seen ? [] : problems;
    } catch (error) {
      if (this.seen) return [];
      throw error;
    }
  };

  /** The same value; whoever reads one of the keys in it, or lists those among which it is, is seen. */
  over(value: unknown, path: Path): unknown {
    if (typeof value !== "object" || value === null) return value;
    return new Proxy(value, {
      get: (target, key, receiver) => {
        if (typeof key === "symbol") return Reflect.get(target, key, receiver) as unknown;
        const inner = [...path, key];
        if (this.paths.has(textOf(inner))) this.seen = true;
        return this.over(Reflect.get(target, key) as unknown, inner);
      },
      has: (target, key) => {
        if (typeof key === "string" && this.paths.has(textOf([...path, key]))) this.seen = true;
        return Reflect.has(target, key);
      },
      ownKeys: (target) => {
        if (this.holders.has(textOf(path))) this.seen = true;
        return Reflect.ownKeys(target);
      },
    });
  }
}
