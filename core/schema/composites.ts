/** Schemas made of others. */
import type { Field, VariantShape } from "./definition.ts";
import { InvalidField, within } from "./invalid.ts";
import { type Codec, type Infer, type Input, isAsItIs, type Schema, schemaOf } from "./schema.ts";

/** Null, or what `of` says. */
export function nullable<Out, In>(of: Schema<Out, In>): Schema<Out | null, In | null> {
  return schemaOf<Out | null, In | null>(
    { kind: "nullable", of },
    {
      write: (value) => (value === null ? null : of.write(value)),
      read: (encoded, version) => (encoded === null ? null : of.read(encoded, version)),
    },
  );
}

const NONE: readonly never[] = Object.freeze([]);

export interface ListBounds {
  readonly lengthMin?: number;
  readonly lengthMax: number;
  /** No two items have the same value of this field; "" where the items themselves must differ. */
  readonly distinctBy?: string;
}

export function list<Out, In>(
  of: Schema<Out, In>,
  { lengthMin = 0, lengthMax, distinctBy }: ListBounds,
): Schema<readonly Out[], readonly In[]> {
  const keyOf = distinctBy === undefined ? null : (item: Out) => valueAt(item, distinctBy);
  return schemaOf<readonly Out[], readonly In[]>(
    { kind: "list", of, lengthMin, lengthMax, distinctBy: distinctBy ?? null },
    {
      write(values) {
        if (!Array.isArray(values)) return undefined;
        if (values.length === 0) return NONE;
        return isAsItIs(of) ? values : values.map((value: Out) => of.write(value));
      },
      read(encoded, version) {
        const parts = readArray(encoded);
        if (parts.length > lengthMax) throw new InvalidField("", lengthMax, `must have at most ${lengthMax} items`);
        if (parts.length < lengthMin) throw new InvalidField("", lengthMin, `must have at least ${lengthMin} items`);
        if (parts.length === 0) return NONE;
        const items: Out[] = [];
        let at = 0;
        try {
          for (; at < parts.length; at++) items.push(of.read(parts[at], version));
        } catch (error) {
          throw within(`[${at}]`, error);
        }
        if (keyOf !== null && new Set(items.map(keyOf)).size < items.length)
          throw new InvalidField("", null, "must not name the same thing twice");
        return Object.freeze(items);
      },
    },
  );
}

function valueAt(item: unknown, field: string): unknown {
  if (field === "" || typeof item !== "object" || item === null) return item;
  return Reflect.get(item, field);
}

function readArray(encoded: unknown): readonly unknown[] {
  if (!Array.isArray(encoded)) throw new InvalidField("", null, "must be a list");
  return encoded;
}

/** An array of exactly `length` values. */
function readTuple(encoded: unknown, length: number): readonly unknown[] {
  const parts = readArray(encoded);
  if (parts.length !== length) throw new InvalidField("", length, `must have ${length} parts`);
  return parts;
}

const NO_PAIRS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * A map of text to text.
 * @throws RangeError where "__proto__" may be a key: as a property it is not a pair, but names the prototype.
 */
export function map(
  key: Schema<string>,
  value: Schema<string>,
  countMax: number,
): Schema<Readonly<Record<string, string>>> {
  if (accepts(key, "__proto__")) throw new RangeError("__proto__ cannot be the key of a map");
  return schemaOf<Readonly<Record<string, string>>>(
    { kind: "map", key, value, countMax },
    {
      write(pairs) {
        if (!isObject(pairs)) return undefined;
        const names = Object.keys(pairs);
        return names.length === 0 ? NONE : names.sort().map((name) => [name, pairs[name]]);
      },
      read(encoded, version) {
        const pairs = readArray(encoded);
        if (pairs.length === 0) return NO_PAIRS;
        if (pairs.length > countMax) throw new InvalidField("", countMax, `must have at most ${countMax} pairs`);
        const read: Record<string, string> = {};
        let previous = "";
        for (let at = 0; at < pairs.length; at++) {
          let part = "";
          try {
            const pair = readTuple(pairs[at], 2);
            part = ".key";
            const name = key.read(pair[0], version);
            if (at > 0 && name <= previous) throw new InvalidField("", null, "must come in order, each key once");
            part = ".value";
            read[name] = value.read(pair[1], version);
            previous = name;
          } catch (error) {
            throw within(`[${at}]${part}`, error);
          }
        }
        return Object.freeze(read);
      },
    },
  );
}

function accepts(schema: Schema<string>, encoded: string): boolean {
  try {
    schema.read(encoded, null);
    return true;
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Fields by name, in the order in which they are encoded. */
export type Shape = Readonly<Record<string, Schema<unknown>>>;

/** Shows the fields of a computed type one by one. */
type Flat<T> = T extends object ? { [K in keyof T]: T[K] } : T;

export type InferShape<S extends Shape> = { readonly [K in keyof S]: Infer<S[K]> };
export type InputShape<S extends Shape> = Flat<
  { readonly [K in keyof S as undefined extends Input<S[K]> ? never : K]: Input<S[K]> } & {
    readonly [K in keyof S as undefined extends Input<S[K]> ? K : never]?: Input<S[K]>;
  }
>;

/** Encoded as its fields by position: new ones go to the end, with `since` and a default. */
export function record<const S extends Shape>(shape: S): Schema<InferShape<S>, InputShape<S>>;
export function record(shape: Shape): Schema<Readonly<Record<string, unknown>>> {
  const fields = fieldsOf(shape);
  const codec = fieldsCodec(shape, {}, []);
  return schemaOf<Readonly<Record<string, unknown>>>(
    { kind: "record", fields },
    {
      write: (value) => (isObject(value) ? codec.write(value) : undefined),
      read: (encoded, version) => codec.read(readArray(encoded), version),
    },
  );
}

function fieldsOf(shape: Shape): Field[] {
  return Object.entries(shape).map(([name, { definition, traits }]) => ({ name, definition, traits }));
}

/** In place of the encoding of a default that is none: no part is ever identical with it. */
const NO_FALLBACK = {};

/** The fields of a record, or of a variant behind its number. */
interface FieldsCodec<Head> {
  write(value: Readonly<Record<string, unknown>>): unknown[];
  read(parts: readonly unknown[], version: number | null): Readonly<Head & Record<string, unknown>>;
}

/**
 * @param head what stands in front of the fields in the value, and is not encoded among them.
 * @param numbers what stands in front of them in the encoding.
 */
function fieldsCodec<Head extends object>(shape: Shape, head: Head, numbers: readonly number[]): FieldsCodec<Head> {
  const names = Object.keys(shape);
  const schemas = Object.values(shape);
  const count = names.length;
  const first = numbers.length;
  // A copy of it takes its size at once.
  const blank: readonly unknown[] = [...numbers, ...names.map(() => null)];
  const counts = fieldCounts(shape);
  const latest = schemas.at(-1)?.traits.since ?? 0;
  const fallbacks = schemas.map(({ traits }) => traits.fallback);
  const encodedFallbacks = schemas.map((schema, at) =>
    fallbacks[at] === undefined ? NO_FALLBACK : schema.write(fallbacks[at]),
  );
  // A copy of an object that has all its properties is faster than one that gets them one by one. With many shapes
  // `Object.assign` copies twice as fast as a spread does.
  const template = {
    ...head,
    ...Object.fromEntries(names.map((name, at) => [name, fallbacks[at]])),
  };
  const writers = schemas.map((schema) => (isAsItIs(schema) ? null : schema));
  return {
    write(value) {
      const parts = blank.slice();
      for (let at = 0; at < count; at++) {
        const part = value[names[at] ?? ""];
        const writer = writers[at];
        parts[first + at] = writer == null ? part : writer.write(part);
      }
      return parts;
    },
    read(parts, version) {
      const given = parts.length - first;
      const wanted = version === null || version >= latest ? count : countAt(schemas, version);
      if (given !== wanted && !(version === null && counts.has(given)))
        throw new InvalidField("", first + wanted, `must have ${first + wanted} parts`);
      const made = Object.assign({}, template);
      readInto(made, parts, given, version);
      return Object.freeze(made);
    },
  };

  function readInto(
    made: Record<string, unknown>,
    parts: readonly unknown[],
    given: number,
    version: number | null,
  ): void {
    let at = 0;
    try {
      for (; at < given; at++) {
        const part = parts[first + at];
        // The default was checked when it was defined, and is in `made` already.
        if (part !== encodedFallbacks[at]) made[names[at] ?? ""] = schemas[at]?.read(part, version);
      }
    } catch (error) {
      throw within(`.${names[at]}`, error);
    }
  }
}

/**
 * How many fields there were in each earlier version. @throws RangeError when a field came later and stands before an
 * older one, or has no default.
 */
function fieldCounts(shape: Shape): ReadonlySet<number> {
  const counts = new Set<number>();
  let before = 0;
  for (const [at, [name, { traits }]] of Object.entries(shape).entries()) {
    const { since, fallback } = traits;
    if (since < before)
      throw new RangeError(`${name} came in version ${since}, and stands behind a field of ${before}`);
    if (since > before) {
      if (fallback === undefined) throw new RangeError(`${name} came in version ${since}, and has no default`);
      counts.add(at);
    }
    before = since;
  }
  return counts;
}

function countAt(schemas: readonly Schema<unknown>[], version: number): number {
  let count = 0;
  for (const { traits } of schemas) if (traits.since <= version) count++;
  return count;
}

export type Shapes = Readonly<Record<string, Shape>>;

type InferVariants<S extends Shapes> = {
  [K in keyof S]: Flat<{ readonly kind: K } & InferShape<S[K]>>;
}[keyof S];
type InputVariants<S extends Shapes> = {
  [K in keyof S]: Flat<{ readonly kind: K } & InputShape<S[K]>>;
}[keyof S];

/**
 * One of several shapes, told apart by `kind`. Encoded as the number of its kind, then its fields.
 *
 * @param numbers of the kinds where they are not their positions. Two numbers: the encoding is nested, [first,
 *   [second, ...fields]].
 */
export function variants<const S extends Shapes>(
  shapes: S,
  numbers?: Readonly<Partial<Record<Extract<keyof S, string>, VariantShape["number"]>>>,
): Schema<InferVariants<S>, InputVariants<S>>;
export function variants(
  shapes: Shapes,
  numbers: Readonly<Partial<Record<string, VariantShape["number"]>>> = {},
): Schema<Readonly<Record<string, unknown>> & { readonly kind: string }> {
  const kinds = Object.keys(shapes);
  const numberOf = (kind: string, at: number) => numbers[kind] ?? at;
  const known = kinds.map((kind, at): [string, VariantCodec] => {
    const number = numberOf(kind, at);
    if (Object.hasOwn(shapes[kind] ?? {}, "kind")) throw new RangeError(`${kind} has a field that is named kind`);
    const innermost = typeof number === "number" ? number : number[1];
    return [kind, { kind, number, codec: fieldsCodec(shapes[kind] ?? {}, { kind }, [innermost]) }];
  });
  const byKind = new Map(known);
  const byNumber = new Map<number, VariantCodec | Map<number, VariantCodec>>();
  for (const [, variant] of known) addByNumber(byNumber, variant);
  const unknownKind = () => new InvalidField(".kind", null, `must be one of ${kinds.join(", ")}`);
  const codec: Codec<Readonly<Record<string, unknown>> & { readonly kind: string }> = {
    write(value) {
      const variant = isObject(value) ? byKind.get(value.kind) : undefined;
      if (variant === undefined) return [-1];
      const { number, codec: fields } = variant;
      const parts = fields.write(value);
      return typeof number === "number" ? parts : [number[0], parts];
    },
    read(encoded, version) {
      let parts = readArray(encoded);
      let found = typeof parts[0] === "number" ? byNumber.get(parts[0]) : undefined;
      if (found instanceof Map) {
        parts = readArray(readTuple(parts, 2)[1]);
        found = typeof parts[0] === "number" ? found.get(parts[0]) : undefined;
      }
      if (found === undefined) throw unknownKind();
      return found.codec.read(parts, version);
    },
  };
  return schemaOf<Readonly<Record<string, unknown>> & { readonly kind: string }>(
    {
      kind: "variants",
      shapes: kinds.map((kind, at) => ({ kind, number: numberOf(kind, at), fields: fieldsOf(shapes[kind] ?? {}) })),
    },
    codec,
  );
}

interface VariantCodec {
  readonly kind: string;
  readonly number: VariantShape["number"];
  readonly codec: FieldsCodec<{ readonly kind: string }>;
}

/** @throws RangeError when a number stands for two kinds. */
function addByNumber(byNumber: Map<number, VariantCodec | Map<number, VariantCodec>>, variant: VariantCodec): void {
  const { kind, number } = variant;
  const [outer, inner] = typeof number === "number" ? [number, null] : number;
  const held = byNumber.get(outer);
  if (inner === null) {
    if (held !== undefined) throw new RangeError(`${kind} has a number that is taken: ${outer}`);
    byNumber.set(outer, variant);
    return;
  }
  const nested = held ?? new Map<number, VariantCodec>();
  if (!(nested instanceof Map) || nested.has(inner))
    throw new RangeError(`${kind} has a number that is taken: ${outer}, ${inner}`);
  nested.set(inner, variant);
  byNumber.set(outer, nested);
}

/**
 * One of several records without a `kind`, told apart by their fields. How it is encoded has to be said.
 * The API takes the first option that fits.
 */
export function either<A, AIn, B, BIn>(
  options: readonly [Schema<A, AIn>, Schema<B, BIn>],
  codec: Codec<A | B>,
): Schema<A | B, AIn | BIn> {
  return schemaOf<A | B, AIn | BIn>({ kind: "either", options }, codec);
}

/** A record whose fields all have defaults, with some replaced. Nothing is checked here: encoding does. */
export function filled<Out extends object>(schema: Schema<Out, unknown>, given: Partial<Out>): Out;
export function filled({ definition }: Schema<object, unknown>, given: object): object {
  return { ...defaultsOf(definition), ...given };
}

/** A frozen record of the defaults of all fields that have one. */
export function defaults<Out extends object>(schema: Schema<Out, unknown>): Out;
export function defaults({ definition }: Schema<object, unknown>): object {
  return Object.freeze(defaultsOf(definition));
}

function defaultsOf(definition: Field["definition"]): Record<string, unknown> {
  if (definition.kind === "ruled") return defaultsOf(definition.of.definition);
  if (definition.kind !== "record") throw new RangeError(`a ${definition.kind} has no fields with defaults`);
  const made: Record<string, unknown> = {};
  for (const { name, traits } of definition.fields) {
    if (traits.fallback === undefined) throw new RangeError(`${name} has no default`);
    made[name] = traits.fallback;
  }
  return made;
}

/** What `encoded` holds. @throws InvalidField with the whole path, `name` in front. */
export function decoded<Out>(schema: Codec<Out>, encoded: unknown, name: string, version: number | null = null): Out {
  try {
    return schema.read(encoded, version);
  } catch (error) {
    throw within(name, error);
  }
}
