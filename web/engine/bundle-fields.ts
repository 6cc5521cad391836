/** Taking the fields of a `bundle.json` strictly: what is unknown, missing or out of bounds is refused. */
import { brief, EngineError } from "./errors";
import { Real, type Json } from "./strict-json";

export function refusal(given: string, allowed: string, remedy = "copy the whole bundle again"): EngineError {
  return new EngineError("bundle", given, allowed, remedy);
}

export function shown(value: Json | undefined): string {
  if (value === undefined) return "missing";
  if (value instanceof Map) return "an object";
  return brief(value instanceof Real ? value.value : JSON.stringify(value));
}

/** The fields of one object: each is taken once, and `end` refuses what nobody took. */
export class Fields {
  private readonly fields: Map<string, Json>;
  private readonly taken = new Set<string>();

  constructor(
    json: Json | undefined,
    private readonly where: string,
  ) {
    if (!(json instanceof Map)) throw refusal(`${where} is ${shown(json)}`, "an object with named fields");
    this.fields = json;
  }

  isNull(name: string): boolean {
    this.taken.add(name);
    return (this.fields.get(name) ?? null) === null;
  }

  take(name: string): Json | undefined {
    this.taken.add(name);
    return this.fields.get(name);
  }

  /** A field of one type; the default where it is absent. */
  private typed<T extends Json>(
    name: string,
    right: (value: Json) => value is T,
    word: string,
    otherwise?: T,
  ): T {
    const value = this.take(name);
    if (value === undefined && otherwise !== undefined) return otherwise;
    if (value === undefined || !right(value)) throw refusal(`${this.where}: ${name} is ${shown(value)}`, word);
    return value;
  }

  text(name: string, otherwise?: string): string {
    return this.typed(name, (value) => typeof value === "string", "text", otherwise);
  }

  truth(name: string, otherwise: boolean): boolean {
    return this.typed(name, (value) => typeof value === "boolean", "true or false", otherwise);
  }

  integer(name: string, otherwise: number): number {
    return this.typed(name, isInteger, "a whole number", otherwise);
  }

  real(name: string, otherwise: number, low: number, high: number): number {
    const value = this.take(name) ?? otherwise;
    const number = value instanceof Real ? value.value : value;
    const fits = typeof number === "number" && number >= low && number <= high;
    if (!fits || this.fields.get(name) === null) {
      throw refusal(`${this.where}: ${name} is ${shown(this.fields.get(name))}`, `${low} to ${high}`);
    }
    return number;
  }

  oneOf<T extends string>(name: string, values: readonly T[], otherwise?: T): T {
    const right = (value: Json): value is T => values.some((one) => one === value);
    return this.typed(name, right, values.join(", "), otherwise);
  }

  pair(name: string, otherwise: [number, number]): [number, number] {
    const right = (value: Json): value is [number, number] =>
      Array.isArray(value) && value.length === 2 && value.every(isInteger);
    return this.typed(name, right, "two whole numbers", otherwise);
  }

  /** So many real numbers, each within the bounds. */
  reals(name: string, otherwise: readonly number[], low: number, high: number): number[] {
    const value = this.take(name) ?? [...otherwise];
    const found = Array.isArray(value) ? value.map((one) => (one instanceof Real ? one.value : one)) : [];
    const right = (one: Json): one is number => typeof one === "number" && one >= low && one <= high;
    if (found.length !== otherwise.length || !found.every(right)) {
      throw refusal(`${this.where}: ${name} is ${shown(this.fields.get(name))}`, `${otherwise.length} numbers, ${low} to ${high}`);
    }
    return found;
  }

  triple(name: string, otherwise: readonly number[], isWhole: boolean, low: number, high: number): [number, number, number] {
    const given = this.fields.get(name);
    const found = this.reals(name, otherwise, low, high);
    if (isWhole && Array.isArray(given) && !given.every(isInteger)) {
      throw refusal(`${this.where}: ${name} is ${shown(given)}`, "three whole numbers");
    }
    return found as [number, number, number];
  }

  texts(name: string): string[] {
    const right = (value: Json): value is string[] =>
      Array.isArray(value) && value.every((item) => typeof item === "string");
    return this.typed(name, right, "a list of texts", []);
  }

  mapping(name: string): void {
    const right = (value: Json): value is Map<string, Json> => value instanceof Map;
    this.typed(name, right, "an object", new Map<string, Json>());
  }

  part(name: string): Fields {
    return new Fields(this.take(name) ?? new Map<string, Json>(), `${this.where}: ${name}`);
  }

  /** A list of objects; empty where it is absent. */
  each<T>(name: string, read: (fields: Fields) => T): T[] {
    const right = (value: Json): value is Json[] => Array.isArray(value);
    return this.typed(name, right, "a list of objects", []).map((item, index) => {
      const part = new Fields(item, `${this.where}: ${name}[${index}]`);
      const found = read(part);
      part.end();
      return found;
    });
  }

  optional<T>(name: string, read: (fields: Fields) => T): T | null {
    return this.isNull(name) ? null : read(this.part(name));
  }

  end(): void {
    for (const name of this.fields.keys()) {
      if (!this.taken.has(name)) {
        throw refusal(
          `${this.where}: unknown field ${shown(name)}`,
          `only ${[...this.taken].join(", ")}`,
          "put what is your own under 'extensions', or update the app if a newer version wrote it",
        );
      }
    }
  }
}

function isInteger(value: Json): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}
