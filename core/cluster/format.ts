/**
 * Formats: how a value becomes an array of plain values for MessagePack, and comes back checked and frozen. One definition gives both directions, so that
 * they cannot disagree. Positions are the format: a new field goes to the end, under a new version of what holds it.
 */

import { array, boolean, choice, integer, label, list, nullable, text, tuple } from "../domain/index.ts";
import { InvalidField, within } from "../schema/index.ts";
import { InvalidCommand } from "./invalid.ts";
import { pack, unpack } from "./msgpack.ts";

export interface Format<T> {
  write(value: T): unknown;
  /** @throws InvalidField that names the field. */
  read(value: unknown, field: string): T;
}

/** What a reader accepts is written as it is. */
function asItIs<T>(read: (value: unknown, field: string) => T): Format<T> {
  return { write: (value) => value, read };
}

export const aLabel: Format<string> = asItIs(label);
export const aFlag: Format<boolean> = asItIs(boolean);

export function anInteger(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): Format<number> {
  return asItIs((value, field) => integer(value, field, minimum, maximum));
}

export function aText(lengthMin: number, lengthMax: number): Format<string> {
  return asItIs((value, field) => text(value, field, lengthMin, lengthMax));
}

/** For readers that exist already. */
export function aValue<T>(read: (value: unknown, field: string) => T, write: (value: T) => unknown = same): Format<T> {
  return { write, read };
}

function same(value: unknown): unknown {
  return value;
}

/** Encoded as its position. New choices go to the end. */
export function oneOf<T extends string>(choices: readonly T[]): Format<T> {
  return {
    write: (value) => choices.indexOf(value),
    read: (value, field) => choice(value, field, choices),
  };
}

export function orNull<T>(format: Format<T>): Format<T | null> {
  return {
    write: (value) => (value === null ? null : format.write(value)),
    read: (value, field) => nullable(value, field, format.read),
  };
}

export function listOf<T>(format: Format<T>, lengthMax: number): Format<readonly T[]> {
  return {
    write: (values) => values.map(format.write),
    read: (value, field) => list(value, field, lengthMax, format.read),
  };
}

/** The fields of a shape in the order in which they are named. */
interface Fields {
  readonly names: readonly string[];
  readonly formats: readonly Format<unknown>[];
}

function fieldsOf(shape: Readonly<Record<string, Format<unknown>>>): Fields {
  return { names: Object.keys(shape), formats: Object.values(shape) };
}

export function record<T extends object>(fields: { readonly [K in keyof T]-?: Format<T[K]> }): Format<T>;
export function record(shape: Readonly<Record<string, Format<unknown>>>): Format<Readonly<Record<string, unknown>>> {
  const fields = fieldsOf(shape);
  return {
    write: (value) => writeFields(fields, value, []),
    read: (value, field) => readFields(fields, tuple(value, field, fields.names.length), 0, field, {}),
  };
}

/** The shape of that kind, also where several kinds have one. */
type OfKind<T, K> = T extends { readonly kind: infer Kinds } ? (K extends Kinds ? T : never) : never;

/** One of several shapes told apart by `kind`; encoded as the position of its kind, then its fields. New kinds go to the end. */
export function variants<T extends { readonly kind: string }>(
  shapes: {
    readonly [K in T["kind"]]: {
      readonly [F in Exclude<keyof OfKind<T, K>, "kind">]-?: Format<OfKind<T, K>[F]>;
    };
  },
): Format<T>;
export function variants(
  shapes: Readonly<Record<string, Readonly<Record<string, Format<unknown>>>>>,
): Format<Readonly<Record<string, unknown>> & { readonly kind: string }> {
  const kinds = Object.keys(shapes);
  const byKind = new Map(kinds.map((kind) => [kind, fieldsOf(shapes[kind] ?? {})]));
  return {
    write: (value) => writeFields(byKind.get(value.kind) ?? NO_FIELDS, value, [kinds.indexOf(value.kind)]),
    read(value, field) {
      const kind = choice(array(value, field)[0], `${field}.kind`, kinds);
      const fields = byKind.get(kind) ?? NO_FIELDS;
      const made = { kind };
      readFields(fields, tuple(value, field, fields.names.length + 1), 1, field, made);
      return made;
    },
  };
}

const NO_FIELDS: Fields = { names: [], formats: [] };

function writeFields({ names, formats }: Fields, value: Readonly<Record<string, unknown>>, to: unknown[]): unknown[] {
  for (let at = 0; at < names.length; at++) to.push(formats[at]?.write(value[names[at] ?? ""]));
  return to;
}

function readFields(
  { names, formats }: Fields,
  parts: readonly unknown[],
  first: number,
  field: string,
  made: Record<string, unknown>,
): Readonly<Record<string, unknown>> {
  for (let at = 0; at < names.length; at++) {
    const name = names[at] ?? "";
    try {
      made[name] = formats[at]?.read(parts[first + at], "");
    } catch (error) {
      throw within(`${field}.${name}`, error);
    }
  }
  return Object.freeze(made);
}

export function packed<T>(format: Format<T>, value: T): Uint8Array<ArrayBuffer> {
  return pack([format.write(value)]);
}

/** @throws InvalidCommand, and nothing else, whatever the bytes are. */
export function unpacked<T>(format: Format<T>, bytes: Uint8Array, name: string): T {
  try {
    return format.read(tuple(unpack(bytes, name), name, 1)[0], name);
  } catch (error) {
    if (error instanceof InvalidField) throw new InvalidCommand(error.field, error.limit, error.message);
    throw error;
  }
}
