/**
 * Readers for values of unknown shape, as they come out of a decoder or from a caller. Each returns the typed value or throws `InvalidField`.
 * They are the only place where a limit is checked, so that encoding and decoding cannot disagree.
 */
import { InvalidField, within } from "../schema/index.ts";
import { CLUSTER_LIMITS } from "./limits.ts";

/** An integer in [minimum, maximum]. */
export function integer(value: unknown, field: string, minimum: number, maximum: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value))
    throw new InvalidField(field, null, "must be an integer");
  if (value < minimum) throw new InvalidField(field, minimum, `must be at least ${minimum}`);
  if (value > maximum) throw new InvalidField(field, maximum, `must be at most ${maximum}`);
  // Negative zero and zero are one value here, and must be one encoding.
  return value + 0;
}

export function boolean(value: unknown, field: string): boolean {
  if (typeof value !== "boolean") throw new InvalidField(field, null, "must be true or false");
  return value;
}

/** Text of at most `lengthMax` UTF-16 code units that survives UTF-8: no lone surrogate, no byte order mark in front (decoders drop it). */
export function text(value: unknown, field: string, lengthMin: number, lengthMax: number): string {
  if (typeof value !== "string") throw new InvalidField(field, null, "must be text");
  if (value.length < lengthMin) throw new InvalidField(field, lengthMin, `must have at least ${lengthMin} characters`);
  if (value.length > lengthMax) throw new InvalidField(field, lengthMax, `must have at most ${lengthMax} characters`);
  if (!value.isWellFormed()) throw new InvalidField(field, null, "must be well-formed Unicode");
  if (value.charCodeAt(0) === 0xfeff) throw new InvalidField(field, null, "must not begin with a byte order mark");
  return value;
}

const labelPattern = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** A lower-case RFC 1123 label: 1 to 63 letters, digits and inner hyphens. */
export function label(value: unknown, field: string): string {
  const read = text(value, field, 1, CLUSTER_LIMITS.labelLength);
  if (!labelPattern.test(read))
    throw new InvalidField(field, null, "must be lower-case letters, digits and inner hyphens (an RFC 1123 label)");
  return read;
}

/** Text that matches `pattern`, which says how long it may be; `rule` tells the pattern in words. */
export function matching(value: unknown, field: string, pattern: RegExp, rule: string): string {
  if (typeof value !== "string" || !pattern.test(value)) throw new InvalidField(field, null, rule);
  return value;
}

/** One of `choices`, encoded as its position there. */
export function choice<T extends string>(value: unknown, field: string, choices: readonly T[]): T {
  const chosen = typeof value === "number" ? choices[value] : undefined;
  if (chosen === undefined) throw new InvalidField(field, null, `must be one of ${choices.join(", ")}`);
  return chosen;
}

/** An array of exactly `length` values: a record in its positional encoding. */
export function tuple(value: unknown, field: string, length: number): readonly unknown[] {
  const read = array(value, field);
  if (read.length !== length) throw new InvalidField(field, length, `must have ${length} parts`);
  return read;
}

/** A list of at most `lengthMax` items, each read by `item`. */
export function list<T>(
  value: unknown,
  field: string,
  lengthMax: number,
  item: (value: unknown, field: string) => T,
): readonly T[] {
  const read = array(value, field);
  if (read.length > lengthMax) throw new InvalidField(field, lengthMax, `must have at most ${lengthMax} items`);
  if (read.length === 0) return none;
  const items: T[] = [];
  for (let i = 0; i < read.length; i++) {
    try {
      items.push(item(read[i], ""));
    } catch (error) {
      throw within(`${field}[${i}]`, error);
    }
  }
  return Object.freeze(items);
}

const none: readonly never[] = Object.freeze([]);

export function array(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new InvalidField(field, null, "must be a list");
  return value;
}

/** Null, or what `read` makes of it. */
export function nullable<T>(value: unknown, field: string, read: (value: unknown, field: string) => T): T | null {
  return value === null ? null : read(value, field);
}

/** Refuses two items of one key. */
export function distinct<T>(items: readonly T[], field: string, keyOf: (item: T) => string): readonly T[] {
  const seen = new Set<string>();
  for (const item of items) {
    const key = keyOf(item);
    if (seen.has(key)) throw new InvalidField(field, null, "must not name the same thing twice");
    seen.add(key);
  }
  return items;
}
