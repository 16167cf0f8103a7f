/** Definitions as plain data: what interpreters walk (describe.ts, generate.ts, codecs of other formats). */

/**
 * What is said about a value in one place: the same schema may be a field twice, with other words and another
 * default.
 */
export interface Traits {
  /** For people: one or two sentences without the field's name. */
  readonly doc: string;
  readonly example: unknown;
  /** What it is where it is left out; undefined: it must be given. */
  readonly fallback: unknown;
  /** The version of what holds it in which this field came; 0: it was always there. */
  readonly since: number;
}

/** What stands within another definition. */
export interface Part {
  readonly definition: Definition;
  readonly traits: Traits;
}

export interface Field extends Part {
  readonly name: string;
}

/** One of several shapes of a `variants`. */
export interface VariantShape {
  readonly kind: string;
  /**
   * Where it stands in the encoding: one number, or two for one that is nested in another's. A number that was ever
   * in use is never given to another.
   */
  readonly number: number | readonly [number, number];
  readonly fields: readonly Field[];
}

export type Definition =
  | { readonly kind: "integer"; readonly minimum: number; readonly maximum: number }
  /**
   * A number with two decimal places. Encoded as hundredths: MessagePack knows several doubles for one number, and
   * integers have one.
   */
  | { readonly kind: "hundredths"; readonly minimum: number; readonly maximum: number }
  | { readonly kind: "flag" }
  /** Lengths in UTF-16 code units. */
  | {
      readonly kind: "text";
      readonly lengthMin: number;
      readonly lengthMax: number;
      /** Printable: ASCII from space to tilde alone. */
      readonly charset: "unicode" | "printable";
      readonly pattern: Pattern | null;
    }
  | { readonly kind: "bytes"; readonly lengthMax: number }
  /** Encoded by position: new choices go to the end. */
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  /** Null and nothing else. */
  | { readonly kind: "nothing" }
  | { readonly kind: "nullable"; readonly of: Part }
  | {
      readonly kind: "list";
      readonly of: Part;
      readonly lengthMin: number;
      readonly lengthMax: number;
      /** No two items have the same value of this field. */
      readonly distinctBy: string | null;
    }
  /** A map of text to text. Encoded as pairs, sorted by key. */
  | { readonly kind: "map"; readonly key: Part; readonly value: Part; readonly countMax: number }
  /** Encoded as its fields by position: new fields go to the end. */
  | { readonly kind: "record"; readonly fields: readonly Field[] }
  /** Told apart by `kind`. Encoded as the number of its kind, then its fields. */
  | { readonly kind: "variants"; readonly shapes: readonly VariantShape[] }
  /** The first that has all fields of the value, and they fit. It has no encoding of its own. */
  | { readonly kind: "either"; readonly options: readonly Part[] }
  /** With a rule between its fields. */
  | {
      readonly kind: "ruled";
      readonly of: Part;
      readonly rule: string;
      /** @throws InvalidField with a path that starts below the value. */
      check(value: unknown): void;
      repair(value: unknown): unknown;
    };

export interface Pattern {
  readonly expression: RegExp;
  /** The same in words: "must be ...". */
  readonly rule: string;
  /** A text of about this length that matches, for tests. */
  sample(length: number, random: Random): string;
}

/** A uniform integer from 0 to `bound` - 1; `bound` is 1 to 2^32. */
export type Random = (bound: number) => number;
