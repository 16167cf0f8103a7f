/**
 * Reads what a schema describes directly from the bytes of a frame, field by field. Memory stays in proportion to the
 * frame, whatever lengths it claims. A schema's own `read` would need the whole body decoded first, and bytes from
 * anybody must not be decoded without limits.
 *
 * It reads what the schema's `write` makes. A reader consists of closures that are built once, when the module is
 * loaded. It can read integers from 0 or 1 up, printable text, bytes, flags, choices, and nullables, lists, records
 * and variants of them.
 */
import { type Definition, type Field, InvalidField, type Part, type Schema } from "../schema/index.ts";
import { InvalidFrame } from "./invalid-frame.ts";
import type { Reader } from "./reader.ts";

export type FieldReader<Out> = (reader: Reader) => Out;

/** A reader of fields that stand in a row, without a list of their own around them. */
export interface RowReader<Out> {
  readonly count: number;
  readonly read: FieldReader<Out>;
}

type Of<Kind extends Definition["kind"]> = Extract<Definition, { readonly kind: Kind }>;

const concepts = new WeakMap<Definition, string>();

/** Gives a record a name. Errors call its fields by that name (`entry.data`), wherever the record stands. */
export function named<S extends Part>(concept: string, schema: S): S {
  concepts.set(schema.definition, concept);
  return schema;
}

/**
 * A reader of one value. `field` is what errors call it, where it is no named record.
 *
 * @throws RangeError when a frame cannot hold it: a defect of the definition.
 */
export function fieldReader<Out>(schema: Schema<Out, unknown>, field?: string): FieldReader<Out>;
export function fieldReader({ definition }: Part, field = ""): FieldReader<unknown> {
  return readerOf(definition, field);
}

/** A reader of a record's fields. `head` stands first in what is made of them. */
export function rowReader<Head extends object, Out>(head: Head, schema: Schema<Out, unknown>): RowReader<Head & Out>;
export function rowReader(head: object, { definition }: Part): RowReader<unknown> {
  return rowOfDefinition(head, definition, concepts.get(definition) ?? "");
}

/** What `rowReader` reads: a record's fields as they stand in a body. */
export function rowOf<Value>(schema: Schema<Value, unknown>, value: Value): readonly unknown[] {
  const fields = schema.write(value);
  return Array.isArray(fields) ? fields : [];
}

function rowOfDefinition(head: object, definition: Definition, field: string): RowReader<unknown> {
  if (definition.kind === "record") {
    const { fields } = definition;
    return { count: fields.length, read: fieldsReader(head, fields, field) };
  }
  if (definition.kind !== "ruled") throw new RangeError(`a ${definition.kind} has no fields`);
  const { count, read } = rowOfDefinition(head, definition.of.definition, field);
  return { count, read: obeying(definition, read, field) };
}

function readerOf(definition: Definition, given: string): FieldReader<unknown> {
  const field = concepts.get(definition) ?? given;
  switch (definition.kind) {
    case "integer": {
      const { minimum, maximum } = definition;
      if (minimum === 0) return (reader) => reader.natural(field, maximum);
      if (minimum === 1) return (reader) => reader.positive(field, maximum);
      throw new RangeError(`${field}: a frame holds integers from 0 or from 1 up`);
    }
    case "flag":
      return (reader) => reader.boolean(field);
    case "text":
      return textReader(definition, field);
    case "bytes": {
      const { lengthMax } = definition;
      return (reader) => reader.binary(field, lengthMax);
    }
    case "choice": {
      const { choices } = definition;
      return (reader) => reader.choice(field, choices);
    }
    case "nullable": {
      const read = readerOf(definition.of.definition, field);
      return (reader) => (reader.nil() ? null : read(reader));
    }
    case "list":
      return listReader(definition, field);
    case "record": {
      const { count, read } = rowOfDefinition({}, definition, field);
      return (reader) => {
        reader.tuple(field, count);
        return read(reader);
      };
    }
    case "variants":
      return variantsReader(definition, field);
    case "ruled":
      return obeying(definition, readerOf(definition.of.definition, field), field);
    case "hundredths":
    case "nothing":
    case "map":
    case "either":
      throw new RangeError(`${field}: a frame holds no ${definition.kind}`);
  }
}

function textReader({ lengthMin, lengthMax, charset, pattern }: Of<"text">, field: string): FieldReader<string> {
  if (charset !== "printable" || pattern !== null || lengthMin > 1)
    throw new RangeError(`${field}: a frame holds printable text of any length up to its limit, or not empty`);
  return lengthMin === 0 ? (reader) => reader.text(field, lengthMax) : (reader) => reader.name(field, lengthMax);
}

/** `head` is copied for each value: that is several times as fast as giving an object its properties one by one. */
function fieldsReader(head: object, fields: readonly Field[], field: string): FieldReader<unknown> {
  const names = fields.map(({ name }) => name);
  const readers = fields.map(({ name, definition }) => readerOf(definition, field === "" ? name : `${field}.${name}`));
  const template: Record<string, unknown> = {
    ...head,
    ...Object.fromEntries(names.map((name) => [name, undefined])),
  };
  return (reader) => {
    const made = { ...template };
    for (let at = 0; at < names.length; at++) made[names[at] ?? ""] = readers[at]?.(reader);
    return made;
  };
}

function listReader({ of, lengthMin, lengthMax, distinctBy }: Of<"list">, field: string): FieldReader<unknown> {
  if (lengthMin > 0) throw new RangeError(`${field}: a frame holds lists of any length up to their limit`);
  const concept = concepts.get(of.definition) ?? field;
  const read = readerOf(of.definition, field);
  return (reader) => {
    const items: unknown[] = [];
    for (let left = reader.list(field, lengthMax); left > 0; left--) items.push(read(reader));
    if (distinctBy !== null) checkDistinct(items, distinctBy, `${concept}.${distinctBy}`);
    return items;
  };
}

function checkDistinct(items: readonly unknown[], key: string, field: string): void {
  const found = new Set<unknown>();
  for (const item of items) {
    const value: unknown = typeof item === "object" && item !== null ? Reflect.get(item, key) : item;
    if (found.has(value)) throw new InvalidFrame(field, `${String(value)} appears twice`);
    found.add(value);
  }
}

function variantsReader({ shapes }: Of<"variants">, field: string): FieldReader<unknown> {
  const kinds = shapes.map(({ kind }) => kind);
  for (const [at, { number }] of shapes.entries())
    if (number !== at) throw new RangeError(`${field}: a frame holds kinds by their positions`);
  const rows = shapes.map(({ kind, fields }) => fieldsReader({ kind }, fields, field));
  const countMax = Math.max(...shapes.map(({ fields }) => fields.length));
  return (reader) => {
    const count = reader.list(field, countMax + 1) - 1;
    const at = kinds.indexOf(reader.choice(`${field}.kind`, kinds));
    const wanted = shapes[at]?.fields.length ?? 0;
    if (count !== wanted) throw new InvalidFrame(field, `${count} fields instead of ${wanted} for ${kinds[at]}`);
    return rows[at]?.(reader);
  };
}

/** Checks a rule between fields, as soon as they are there. */
function obeying({ check }: Of<"ruled">, read: FieldReader<unknown>, field: string): FieldReader<unknown> {
  return (reader) => {
    const value = read(reader);
    try {
      check(value);
    } catch (error) {
      if (!(error instanceof InvalidField)) throw error;
      throw new InvalidFrame(fieldBelow(field, error.field), error.message, error.limit);
    }
    return value;
  };
}

/** A rule names a field of its value (`.digest`), or one of a named record (`entry.index`). */
function fieldBelow(field: string, path: string): string {
  if (path === "") return field;
  return path.startsWith(".") && field === "" ? path.slice(1) : path.startsWith(".") ? field + path : path;
}
