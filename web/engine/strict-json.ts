/**
 * JSON that keeps apart what `JSON.parse` does not: a field given twice is an error, and 1.0 is no integer.
 */

/** A number that is written with a point or an exponent. */
export class Real {
  constructor(readonly value: number) {}
}

export type Json = null | boolean | number | Real | string | Json[] | Map<string, Json>;

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\]|\\.)*"/y; // JSON.parse then looks at it closely
const SPACE = /[ \t\n\r]*/y;
const MOST_DEPTH = 100;

/**
 * Parse a whole text.
 *
 * @throws SyntaxError what is wrong and where.
 */
export function parseStrict(text: string): Json {
  const parser = new Parser(text);
  const whole = parser.value(0);
  parser.end();
  return whole;
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  value(depth: number): Json {
    if (depth > MOST_DEPTH) this.fail("lists and objects are nested too deeply");
    if (this.take("{")) return this.object(depth);
    if (this.take("[")) return this.list(depth);
    if (this.text[this.at] === '"') return this.string();
    if (this.take("true")) return true;
    if (this.take("false")) return false;
    if (this.take("null")) return null;
    const found = this.match(NUMBER) ?? this.fail("no value");
    const number = Number(found[0]);
    if (!Number.isFinite(number)) this.fail("a number that is too large");
    return found[1] || found[2] ? new Real(number) : number;
  }

  end(): void {
    this.match(SPACE);
    if (this.at < this.text.length) this.fail("something follows");
  }

  private object(depth: number): Map<string, Json> {
    const found = new Map<string, Json>();
    if (this.take("}")) return found;
    do {
      const key = this.string();
      if (found.has(key)) this.fail(`field "${key.slice(0, 60)}" is given twice`);
      if (!this.take(":")) this.fail("no colon");
      found.set(key, this.value(depth + 1));
    } while (this.take(","));
    if (!this.take("}")) this.fail("no end of an object");
    return found;
  }

  private list(depth: number): Json[] {
    const found: Json[] = [];
    if (this.take("]")) return found;
    do found.push(this.value(depth + 1));
    while (this.take(","));
    if (!this.take("]")) this.fail("no end of a list");
    return found;
  }

  private string(): string {
    this.match(SPACE);
    const found = this.match(STRING) ?? this.fail("no string");
    return JSON.parse(found[0]) as string;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  private take(sign: string): boolean {
    this.match(SPACE);
    if (!this.text.startsWith(sign, this.at)) return false;
    this.at += sign.length;
    return true;
  }

  private fail(what: string): never {
    throw new SyntaxError(`${what} at character ${this.at}`);
  }
}
