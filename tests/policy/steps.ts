/**
 * Counts what a function of text does, where a clock would say more of the machine than of the function. V8 tells nobody how much its regular
 * expressions compare, so each is matched a second time by a plain backtracking matcher, which counts, and must find what V8 has found.
 */

/** Tries to match from a place on, and whatever comes after it. */
type Matcher = (text: string, at: number, then: (end: number) => boolean) => boolean;

interface Atom {
  match: Matcher;
  /** Whether one character matches, for what is exactly one character long. */
  isOne?: (character: string) => boolean;
}

/** Above it a function is stopped: what is exponential would not end. */
const MOST_STEPS = 2e7;
let steps = 0;

function count(more: number): void {
  steps += more;
  if (steps > MOST_STEPS) throw new Error(`more than ${MOST_STEPS} steps`);
}

/**
 * What a function costs: characters compared by regular expressions, and lengths of the texts that string methods go through.
 *
 * @throws where a regular expression has what {@link Parser} does not know, or matches otherwise there than in V8, and above {@link MOST_STEPS}
 */
export function stepsOf(run: () => void): number {
  const { exec } = RegExp.prototype;
  const methods = (["indexOf", "replace", "split", "toLowerCase", "trim"] as const).map((name) => [name, String.prototype[name]] as const);
  const matchers = new Map<string, Matcher>();
  // What counts uses expressions and texts too.
  let counts = true;
  RegExp.prototype.exec = function (this: RegExp, text: string) {
    if (!counts) return exec.call(this, text);
    counts = false;
    try {
      const key = String(this);
      const matcher = matchers.get(key) ?? new Parser(this).all();
      matchers.set(key, matcher);
      // Before V8's, which nothing stops.
      const place = search(matcher, text, this.global ? this.lastIndex : 0);
      const found = exec.call(this, text);
      const same = found === null ? place === undefined : place?.at === found.index && place.end === found.index + found[0].length;
      if (!same) throw new Error(`${key} is matched otherwise than by V8`);
      return found;
    } finally {
      counts = true;
    }
  };
  for (const [name, method] of methods) {
    Object.assign(String.prototype, {
      [name](this: string, ...args: unknown[]) {
        if (counts) count(this.length);
        return (method as (...args: unknown[]) => unknown).apply(this, args);
      },
    });
  }
  steps = 0;
  try {
    run();
    return steps;
  } finally {
    RegExp.prototype.exec = exec;
    for (const [name, method] of methods) Object.assign(String.prototype, { [name]: method });
  }
}

/** The first place from one on where a text matches. */
function search(matcher: Matcher, text: string, from: number): { at: number; end: number } | undefined {
  for (let at = from; at <= text.length; at++) {
    let end = at;
    const reached = (place: number) => {
      end = place;
      return true;
    };
    if (matcher(text, at, reached)) return { at, end };
  }
  return undefined;
}

/** Makes a matcher of a regular expression: alternatives, groups, lookahead, lookbehind of one character, classes, greedy repetitions, `^`, `$` and `\b`. */
class Parser {
  private at = 0;

  constructor(private readonly pattern: RegExp) {
    if (/[^gi]/.test(pattern.flags)) throw this.unknown();
  }

  all(): Matcher {
    const { match } = this.alternatives();
    if (this.at < this.pattern.source.length) throw this.unknown();
    return match;
  }

  private unknown(): Error {
    return new Error(`${this.pattern} has something that is not counted, at ${this.at}`);
  }

  private takes(text: string): boolean {
    const is = this.pattern.source.startsWith(text, this.at);
    if (is) this.at += text.length;
    return is;
  }

  private alternatives(): Atom {
    const all = [this.sequence()];
    while (this.takes("|")) all.push(this.sequence());
    const [only] = all;
    if (all.length === 1 && only !== undefined) return only;
    return { match: (text, at, then) => all.some(({ match }) => match(text, at, then)) };
  }

  private sequence(): Atom {
    const parts: Atom[] = [];
    while (this.at < this.pattern.source.length && !/[|)]/.test(this.pattern.source[this.at] ?? "")) parts.push(this.repeated(this.atom()));
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    const from =
      (index: number): Matcher =>
      (text, at, then) => {
        const part = parts[index];
        return part === undefined ? then(at) : part.match(text, at, (end) => from(index + 1)(text, end, then));
      };
    return { match: from(0) };
  }

  private atom(): Atom {
    for (const [opening, behind, wanted] of [
      ["(?=", false, true],
      ["(?!", false, false],
      ["(?<!", true, false],
      ["(?<=", true, true],
    ] as const) {
      if (this.takes(opening)) return this.look(behind, wanted);
    }
    if (this.takes("(?:") || this.takes("(")) {
      if (this.pattern.source[this.at] === "?") throw this.unknown();
      const inner = this.alternatives();
      if (!this.takes(")")) throw this.unknown();
      return { match: inner.match };
    }
    if (this.takes("^")) return { match: (_, at, then) => at === 0 && then(at) };
    if (this.takes("$")) return { match: (text, at, then) => at === text.length && then(at) };
    if (this.takes("\\b")) {
      const isWord = (character: string | undefined) => character !== undefined && /\w/.test(character);
      return { match: (text, at, then) => isWord(text[at - 1]) !== isWord(text[at]) && then(at) };
    }
    return this.one();
  }

  private look(behind: boolean, wanted: boolean): Atom {
    const inner = this.alternatives();
    if (!this.takes(")") || (behind && inner.isOne === undefined)) throw this.unknown();
    const place = behind ? 1 : 0;
    const found: Matcher = (text, at) => at >= place && inner.match(text, at - place, () => true);
    return { match: (text, at, then) => found(text, at, then) === wanted && then(at) };
  }

  /** A class, an escape or a letter; which characters it has, V8 says. */
  private one(): Atom {
    const [atom] = /^(?:\[(?:\\.|[^\]\\])*\]|\\[^\dkpPuxc]|[^\\[\](){}*+?])/.exec(this.pattern.source.slice(this.at)) ?? [];
    if (atom === undefined) throw this.unknown();
    this.at += atom.length;
    const form = new RegExp(`^${atom}$`, this.pattern.flags.replace("g", ""));
    const known = new Map<string, boolean>();
    const isOne = (character: string): boolean => {
      count(1);
      const is = known.get(character) ?? form.test(character);
      known.set(character, is);
      return is;
    };
    return { isOne, match: (text, at, then) => at < text.length && isOne(text[at] ?? "") && then(at + 1) };
  }

  private repeated(part: Atom): Atom {
    const [times, sign, least, most] = /^(?:([*+?])|\{(\d+)(?:,(\d*))?\})/.exec(this.pattern.source.slice(this.at)) ?? [];
    if (times === undefined) return part;
    this.at += times.length;
    if (/[?+]/.test(this.pattern.source[this.at] ?? "")) throw this.unknown();
    const [from, to] = sign === undefined ? [Number(least), bound(times, least, most)] : bounds(sign);
    return { match: part.isOne === undefined ? many(part.match, from, to) : manyOne(part.isOne, from, to) };
  }
}

const bounds = (sign: string): [number, number] => [sign === "+" ? 1 : 0, sign === "?" ? 1 : Number.POSITIVE_INFINITY];
const bound = (times: string, least: string | undefined, most: string | undefined): number =>
  times.includes(",") ? (most === "" ? Number.POSITIVE_INFINITY : Number(most)) : Number(least);

/** As many as there are, then one less each time that the rest does not match. */
const manyOne =
  (isOne: (character: string) => boolean, least: number, most: number): Matcher =>
  (text, at, then) => {
    let end = at;
    while (end - at < most && end < text.length && isOne(text[end] ?? "")) end++;
    for (; end - at >= least; end--) {
      steps++;
      if (then(end)) return true;
    }
    return false;
  };

function many(match: Matcher, least: number, most: number, done = 0): Matcher {
  return (text, at, then) =>
    (done < most && match(text, at, (end) => (end > at || done < least) && many(match, least, most, done + 1)(text, end, then))) ||
    (done >= least && then(at));
}
