/** A frame that holds what a schema writes is read as what the schema says, and nothing that the schema refuses is. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  breaches,
  bytes,
  choice,
  flag,
  hundredths,
  type Infer,
  InvalidField,
  integer,
  list,
  map,
  nothing,
  nullable,
  printable,
  type Random,
  record,
  type Schema,
  text,
  valid,
  variants,
} from "../schema/index.ts";
import { FIELDS_MAX, open, seal } from "./envelope.ts";
import { fieldReader, named, rowOf, rowReader } from "./field-reader.ts";
import { InvalidFrame } from "./invalid-frame.ts";

const part = named("part", record({ id: integer(1, 99), name: printable(1, 8) }));

/** A bit of everything that a frame can hold. */
const whole = record({
  count: integer(0),
  isLast: flag,
  color: choice(["red", "green"]),
  note: printable(0, 10),
  data: bytes(40),
  part: nullable(part),
  parts: list(part, { lengthMax: 4, distinctBy: "id" }),
  outcome: named("outcome", variants({ done: { index: integer(0) }, failed: {} })),
  range: record({ from: integer(0, 100), to: integer(0, 100) }).rule(
    "from comes before to",
    ({ from, to }) => {
      if (from > to) throw new InvalidField(".to", from, "ends before it begins");
    },
    ({ from, to }) => ({ from: Math.min(from, to), to: Math.max(from, to) }),
  ),
});
const row = rowReader({ kind: "whole" } as const, whole);

const random: fc.Arbitrary<Random> = fc.infiniteStream(fc.nat(2 ** 31 - 1)).map((numbers) => (bound) => {
  const { value } = numbers.next();
  return Number(value) % bound;
});

function read(frame: Uint8Array): { readonly kind: "whole" } & Infer<typeof whole> {
  const reader = open(frame);
  expect(reader.list("frame", FIELDS_MAX)).toBe(row.count);
  const value = row.read(reader);
  reader.finish();
  return value;
}

function refusedField(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (!(error instanceof InvalidFrame)) throw error;
    return error.field;
  }
}

function sample(): Infer<typeof whole> {
  return valid(whole, () => 0);
}

test("what a schema writes is read as what was written", () => {
  fc.assert(
    fc.property(random, (draw) => {
      const value = valid(whole, draw);
      expect(read(seal(rowOf(whole, value)))).toEqual({ kind: "whole", ...value });
    }),
  );
});

test("what breaks a bound by a little is refused", () => {
  fc.assert(
    fc.property(random, (draw) => {
      for (const { field, what, value } of breaches(whole, draw)) {
        if (field === "") continue;
        const written: unknown = whole.write(Object(value));
        if (!Array.isArray(written)) throw new Error("a record is written as its fields");
        expect(
          refusedField(() => read(seal(written))),
          `${field}, ${what}`,
        ).not.toBeNull();
      }
    }),
    { numRuns: 20 },
  );
});

describe("errors name", () => {
  const refused = (change: Partial<Infer<typeof whole>>): string | null =>
    refusedField(() => read(seal(rowOf(whole, { ...sample(), ...change }))));

  test("a field of the row by its own name", () => {
    expect(refused({ note: "\n" })).toBe("note");
  });
  test("a field of a named record by that name, wherever the record stands", () => {
    expect(refused({ part: { id: 0, name: "a" } })).toBe("part.id");
    expect(refused({ parts: [{ id: 1, name: "" }] })).toBe("part.name");
    expect(refused({ outcome: { kind: "done", index: -1 } })).toBe("outcome.index");
  });
  test("a field of another record by the path to it", () => {
    expect(refused({ range: { from: 101, to: 101 } })).toBe("range.from");
  });
  test("the field that a rule names", () => {
    expect(refused({ range: { from: 5, to: 4 } })).toBe("range.to");
  });
  test("the key that appears twice", () => {
    const twice = { id: 7, name: "a" };
    expect(refused({ parts: [twice, twice] })).toBe("part.id");
  });
});

test("what a frame cannot hold is refused when the reader is made, not when bytes arrive", () => {
  const unreadable: readonly Schema<unknown>[] = [
    integer(-1, 1),
    integer(2, 3),
    hundredths(0, 1),
    text(0, 5),
    printable(2, 5),
    nothing,
    map(printable(1, 4), printable(1, 4), 3),
    list(flag, { lengthMin: 1, lengthMax: 2 }),
    variants({ a: {}, b: {} }, { b: 7 }),
  ];
  for (const schema of unreadable) expect(() => fieldReader(schema, "field")).toThrow(RangeError);
});
