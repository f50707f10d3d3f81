/**
 * Syntax of the regular expressions that Prometheus and Thanos compile: Go's RE2, which has neither lookaround nor backreferences and takes
 * some things that JavaScript refuses. Source: Go 1.26 regexp/syntax/parse.go with the flags `Perl`. Its bound on the size of a program is
 * left to the compiler, and a script newer than this Node.js' Unicode is refused.
 */

/** Most repetitions, those of nested ones multiplied (parse.go `maxRepeat`), and deepest nesting (`maxHeight`). */
const MOST_REPETITIONS = 1_000;
const DEEPEST = 1_000;

const POSIX_CLASS = /^\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]$/;

/** Beginnings of groups that only other dialects have, in words. */
const FOREIGN_GROUPS: readonly [string, string][] = [
  ["(?=", "a lookahead"],
  ["(?!", "a negative lookahead"],
  ["(?<=", "a lookbehind"],
  ["(?<!", "a negative lookbehind"],
  ["(?>", "an atomic group"],
  ["(?#", "a comment"],
  ["(?(", "a condition"],
];

/**
 * Whether a name is a Unicode category or script, in any case and with any signs between its words (parse.go `unicodeTable`, Go 1.25).
 * JavaScript knows the same ones by their exact names.
 */
function isUnicodeClass(name: string): boolean {
  const words = name.toLowerCase().split(/[\s_-]+/);
  const spellings = [name, words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("_"), words.join("").toUpperCase()];
  return spellings.some(
    (spelling) => ["Any", "ASCII", "Assigned"].includes(spelling) || isProperty("gc", spelling) || isProperty("sc", spelling),
  );
}

function isProperty(property: string, value: string): boolean {
  try {
    return new RegExp(`\\p{${property}=${value}}`, "u").unicode;
  } catch {
    return false;
  }
}

class Refused extends Error {}

function refuse(what: string): never {
  throw new Refused(what);
}

/** An open group: how its last operand repeats, and what it had before. */
interface Level {
  /** Product of the repetitions inside the last operand; undefined where there is no operand to repeat. */
  operand: number | undefined;
  /** Largest product of the group so far. */
  largest: number;
}

/**
 * Reason for which RE2 refuses a regular expression, in a few words; undefined where it compiles.
 *
 * @param text The expression as a relabelling rule has it: it is anchored at both ends (relabel.go `NewRegexp`).
 */
export function re2Trouble(text: string): string | undefined {
  try {
    new Scanner(`^(?s:${text})$`).all();
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

class Scanner {
  private at = 0;
  private readonly levels: Level[] = [{ operand: undefined, largest: 1 }];
  private afterRepetition = false;

  constructor(private readonly text: string) {}

  all(): void {
    while (this.at < this.text.length) {
      const repeats = this.one();
      this.afterRepetition = repeats;
    }
    if (this.levels.length > 1) refuse("a group that is not closed");
  }

  private get level(): Level {
    return this.levels[this.levels.length - 1] ?? refuse("a ) without a (");
  }

  private starts(with_: string): boolean {
    return this.text.startsWith(with_, this.at);
  }

  /** One step; says whether it was a repetition. */
  private one(): boolean {
    const char = this.text[this.at] ?? "";
    switch (char) {
      case "(":
        this.open();
        return false;
      case ")":
        this.close();
        return false;
      case "|":
        this.at += 1;
        this.level.operand = undefined;
        return false;
      case "[":
        this.characterClass();
        this.operand();
        return false;
      case "*":
      case "+":
      case "?":
        this.repetition(this.at, 1, undefined);
        return true;
      case "{":
        return this.countedRepetition();
      case "\\":
        this.escape();
        return false;
      default:
        this.at += this.width();
        this.operand();
        return false;
    }
  }

  /** Code units of the character here. */
  private width(): number {
    return (this.text.codePointAt(this.at) ?? 0) > 0xffff ? 2 : 1;
  }

  private operand(product = 1): void {
    this.level.operand = product;
    this.level.largest = Math.max(this.level.largest, product);
  }

  private open(): void {
    if (!this.starts("(?")) {
      this.at += 1;
      this.push();
      return;
    }
    const named = /^\(\?P?<([^>]*)>/.exec(this.text.slice(this.at, this.at + 200));
    if (named !== null && !this.starts("(?<=") && !this.starts("(?<!")) {
      const [whole, name = ""] = named;
      if (!/^\w+$/.test(name)) refuse(`the group name ${JSON.stringify(name)}`);
      this.at += whole.length;
      this.push();
      return;
    }
    const flags = /^\(\?([imsU]*(?:-[imsU]+)?)([:)])/.exec(this.text.slice(this.at, this.at + 200));
    if (flags === null) {
      const foreign = FOREIGN_GROUPS.find(([beginning]) => this.starts(beginning));
      refuse(foreign === undefined ? `the group ${this.text.slice(this.at, this.at + 3)}` : `${foreign[1]}, ${foreign[0]}…)`);
    }
    this.at += flags[0].length;
    if (flags[2] === ":") this.push();
  }

  private push(): void {
    this.levels.push({ operand: undefined, largest: 1 });
    if (this.levels.length > DEEPEST) refuse(`groups nested more than ${DEEPEST} deep`);
  }

  private close(): void {
    const closed = this.levels.pop();
    if (closed === undefined || this.levels.length === 0) refuse("a ) without a (");
    this.at += 1;
    this.operand(closed.largest);
  }

  private countedRepetition(): boolean {
    const counted = /^\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/.exec(this.text.slice(this.at, this.at + 40));
    if (counted === null) {
      this.at += 1;
      this.operand();
      return false;
    }
    const [whole, least = "", range, most] = counted;
    const upTo = range === undefined ? Number(least) : most === undefined ? -1 : Number(most);
    if (Number(least) > MOST_REPETITIONS || upTo > MOST_REPETITIONS || (upTo >= 0 && Number(least) > upTo)) {
      refuse(`the repetition ${whole} (at most ${MOST_REPETITIONS}, the smaller number first)`);
    }
    this.repetition(this.at, whole.length, upTo < 0 ? Number(least) : upTo);
    return true;
  }

  /** @param times Of a counted repetition: how often at most, or at least where there is no end. */
  private repetition(from: number, length: number, times: number | undefined): void {
    this.at += length;
    if (this.text[this.at] === "?") this.at += 1;
    const { operand } = this.level;
    const written = this.text.slice(from, this.at);
    if (this.afterRepetition) {
      refuse(written.startsWith("+") ? "a possessive or doubled repetition, such as a*+" : `a repetition of a repetition, ${written}`);
    }
    if (operand === undefined) refuse(`${written} with nothing to repeat`);
    const product = operand * Math.max(times ?? 1, 1);
    if (times !== undefined && times > 1 && product > MOST_REPETITIONS) {
      refuse(`nested repetitions of more than ${MOST_REPETITIONS} altogether`);
    }
    this.operand(times === 0 ? 1 : product);
  }

  private escape(): void {
    if (this.starts("\\Q")) {
      const end = this.text.indexOf("\\E", this.at + 2);
      const quoted = this.text.slice(this.at + 2, end < 0 ? undefined : end);
      this.at = end < 0 ? this.text.length : end + 2;
      if (quoted !== "") this.operand();
      return;
    }
    if (/^\\[AbBz]/.test(this.text.slice(this.at, this.at + 2))) this.at += 2;
    else if (!this.escapedClass()) this.escapedCharacter();
    this.operand();
  }

  /** `\d`, `\pL`, `\p{Greek}`; false where there is none. */
  private escapedClass(): boolean {
    const found = /^\\(?:[dDsSwW]|[pP](?:\{\^?[A-Za-z][\w -]*\}|[CLMNPSZclmnpsz]))/.exec(this.text.slice(this.at, this.at + 80));
    if (found === null) return false;
    const name = /\{\^?(.*)\}/.exec(found[0])?.[1];
    if (name !== undefined && !isUnicodeClass(name)) refuse(`the class of characters ${found[0]}`);
    this.at += found[0].length;
    return true;
  }

  /** A character behind a backslash, and which it is. */
  private escapedCharacter(): number {
    const rest = this.text.slice(this.at, this.at + 20);
    const found = /^\\(?:([1-7][0-7]{1,2}|0[0-7]{0,2})|x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,8})\}|([afnrtv])|([\0-/:-@[-`{-\x7f]))/.exec(
      rest,
    );
    if (found === null) {
      refuse(
        rest.length < 2
          ? "a backslash at the end"
          : /^\\[1-9]/.test(rest) || /^\\[kg]/.test(rest)
            ? `a backreference, ${rest.slice(0, 2)}`
            : `the escape ${rest.slice(0, 2)}`,
      );
    }
    const [whole, octal, hex, long, control, punctuation] = found;
    this.at += whole.length;
    if (octal !== undefined) return Number.parseInt(octal, 8);
    const code = hex ?? long;
    if (code !== undefined) {
      const value = Number.parseInt(code, 16);
      return value > 0x10ffff ? refuse(`the escape ${whole}`) : value;
    }
    if (control !== undefined) return "\x07\f\n\r\t\v".charCodeAt("afnrtv".indexOf(control));
    return (punctuation ?? "").charCodeAt(0);
  }

  private characterClass(): void {
    const from = this.at;
    this.at += this.starts("[^") ? 2 : 1;
    for (let first = true; first || this.text[this.at] !== "]"; first = false) {
      if (this.starts("[:")) {
        const end = this.text.indexOf(":]", this.at + 2);
        if (end >= 0) {
          const name = this.text.slice(this.at, end + 2);
          if (!POSIX_CLASS.test(name)) refuse(`the class ${name}`);
          this.at = end + 2;
          continue;
        }
      }
      if (this.escapedClass()) continue;
      const low = this.classCharacter(from);
      if (this.text[this.at] === "-" && this.at + 1 < this.text.length && this.text[this.at + 1] !== "]") {
        this.at += 1;
        if (this.classCharacter(from) < low) refuse("a range of characters whose end comes before its beginning");
      }
    }
    this.at += 1;
  }

  private classCharacter(from: number): number {
    if (this.at >= this.text.length) refuse(`a [ that is not closed: ${this.text.slice(from, from + 10).replace(/\)\$$/, "")}`);
    if (this.text[this.at] === "\\") return this.escapedCharacter();
    const code = this.text.codePointAt(this.at) ?? 0;
    this.at += this.width();
    return code;
  }
}
