import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  breaches,
  choice,
  decoded,
  defaults,
  edges,
  either,
  fallbackOf,
  filled,
  flag,
  hundredths,
  type Infer,
  type Input,
  InvalidField,
  integer,
  label,
  list,
  map,
  nothing,
  nullable,
  type Random,
  record,
  type Schema,
  text,
  valid,
  variants,
} from "./index.ts";

const disk = record({
  name: label,
  sizeGiB: integer(1, 100).doc("Size").default(5),
});

const key = label.doc("A word");

/** A bit of everything. */
const machine = record({
  vcpus: integer(1, 1024).default(2),
  factor: hundredths(1, 10).default(1.1),
  isSpare: flag.default(false),
  color: choice(["red", "green"]).default("green"),
  note: nullable(text(1, 20)).default(null),
  disks: list(disk, { lengthMax: 4, distinctBy: "name" }).default([]),
  labels: map(key, text(0, 10), 3).default({}),
  source: variants(
    { none: {}, image: { image: text(1, 10) }, module: { file: text(1, 10), depth: integer(0, 9) } },
    { module: [7, 3] },
  ).default({ kind: "none" }),
  zone: nullable(label).default(null).since(3),
  rank: integer(0, 9).default(4).since(3),
  rack: integer(0, 9).default(7).since(5),
});

/** fast-check's numbers as a source of random numbers. */
const random: fc.Arbitrary<Random> = fc.infiniteStream(fc.nat(2 ** 31 - 1)).map((numbers) => (bound) => {
  const { value } = numbers.next();
  return Number(value) % bound;
});

function refusal(schema: Schema<unknown>, encoded: unknown): InvalidField {
  try {
    decoded(schema, encoded, "it");
  } catch (error) {
    if (error instanceof InvalidField) return error;
    throw error;
  }
  throw new Error(`not refused: ${JSON.stringify(encoded)}`);
}

describe("types", () => {
  test("follow from definitions: what it is, and what may be left out", () => {
    expectTypeOf<Infer<typeof disk>>().toEqualTypeOf<{ readonly name: string; readonly sizeGiB: number }>();
    expectTypeOf<Input<typeof disk>>().toEqualTypeOf<{
      readonly name: string;
      readonly sizeGiB?: number | undefined;
    }>();
    expectTypeOf<Infer<typeof machine>["color"]>().toEqualTypeOf<"red" | "green">();
    expectTypeOf<Infer<typeof machine>["source"]>().toEqualTypeOf<
      | { readonly kind: "none" }
      | { readonly kind: "image"; readonly image: string }
      | { readonly kind: "module"; readonly file: string; readonly depth: number }
    >();
  });
});

describe("encoding", () => {
  test("is by position, with choices as numbers and maps sorted", () => {
    const value = filled(machine, {
      disks: [{ name: "a", sizeGiB: 1 }],
      labels: { zeta: "1", alpha: "2" },
      source: { kind: "module", file: "f", depth: 2 },
    });
    expect(machine.write(value)).toEqual([
      2,
      110,
      false,
      1,
      null,
      [["a", 1]],
      [
        ["alpha", "2"],
        ["zeta", "1"],
      ],
      [7, [3, "f", 2]],
      null,
      4,
      7,
    ]);
  });

  test("comes back as it was, deeply frozen", () => {
    fc.assert(
      fc.property(random, (numbers) => {
        const value = valid(machine, numbers);
        const read = decoded(machine, machine.write(value), "it");
        expect(read).toEqual(value);
        expect(Object.isFrozen(read) && Object.isFrozen(read.disks) && Object.isFrozen(read.source)).toBe(true);
      }),
    );
  });

  test("negative zero is zero", () => {
    expect(Object.is(integer(0, 1).read(-0, null), 0)).toBe(true);
  });

  test("may be another where a format is older than its definition", () => {
    const named = record({ pool: label });
    const open = record({ pool: nothing.default(null), tags: list(label, { lengthMax: 2 }) });
    const network = either([named, open], {
      write: (value) => (value.pool === null ? value.tags : value.pool),
      read: (encoded, version) =>
        Array.isArray(encoded) ? open.read([null, encoded], version) : named.read([encoded], version),
    });
    expect(network.write({ pool: null, tags: ["x"] })).toEqual(["x"]);
    expect(network.read("front", null)).toEqual({ pool: "front" });
    expect(network.read(["x"], null)).toEqual({ pool: null, tags: ["x"] });
    expectTypeOf<Infer<typeof network>>().toEqualTypeOf<
      { readonly pool: string } | { readonly pool: null; readonly tags: readonly string[] }
    >();
  });
});

describe("versions", () => {
  const written = machine.write(defaults(machine));
  const parts = Array.isArray(written) ? written : [];

  test("an older one has fewer fields: the others have their defaults", () => {
    const old = parts.with(0, 9);
    expect(machine.read(old.slice(0, 8), null)).toEqual(filled(machine, { vcpus: 9 }));
    expect(machine.read(old.slice(0, 10), null)).toEqual(filled(machine, { vcpus: 9 }));
    expect(machine.read(old, null)).toEqual(filled(machine, { vcpus: 9 }));
  });

  test("no version had as many fields", () => {
    for (const count of [0, 7, 9, 12])
      expect(refusal(machine, [...parts, 0].slice(0, count))).toMatchObject({
        field: "it",
        message: "must have 11 parts",
      });
  });

  test("a version that is known has exactly its own fields", () => {
    expect(machine.read(parts.slice(0, 10), 4).rank).toBe(4);
    for (const [version, count] of [
      [2, 8],
      [3, 10],
      [4, 10],
      [5, 11],
    ] as const) {
      expect(machine.read(parts.slice(0, count), version)).toEqual(defaults(machine));
      for (const other of [8, 10, 11].filter((length) => length !== count))
        expect(() => machine.read(parts.slice(0, other), version)).toThrow(`must have ${count} parts`);
    }
  });

  test("a field that came later stands at the end and has a default", () => {
    expect(() => record({ late: flag.default(false).since(2), early: flag })).toThrow(RangeError);
    expect(() => record({ early: flag, late: flag.since(2) })).toThrow("has no default");
  });
});

describe("what is refused", () => {
  test.each<[unknown, string, string, number | null]>([
    [["a"], "it", "must have 2 parts", 2],
    [["a", 101], "it.sizeGiB", "must be at most 100", 100],
    [["A", 1], "it.name", "must be lower-case letters, digits and inner hyphens (an RFC 1123 label)", null],
    ["text", "it", "must be a list", null],
  ])("%j", (encoded, field, message, limit) => {
    expect(refusal(disk, encoded)).toMatchObject({ field, message, limit });
  });

  test("names the path within lists, maps and variants", () => {
    const encoded = (change: object) => machine.write({ ...defaults(machine), ...change });
    expect(refusal(machine, encoded({ disks: [{ name: "a", sizeGiB: 0 }] })).field).toBe("it.disks[0].sizeGiB");
    expect(refusal(machine, encoded({ labels: { "": "x" } })).field).toBe("it.labels[0].key");
    expect(refusal(machine, encoded({ source: { kind: "image", image: "" } })).field).toBe("it.source.image");
    expect(refusal(machine, encoded({ source: { kind: "tape" } })).field).toBe("it.source.kind");
    const twice = { name: "a", sizeGiB: 1 };
    expect(refusal(machine, encoded({ disks: [twice, twice] }))).toMatchObject({
      field: "it.disks",
      message: "must not name the same thing twice",
    });
  });

  test("a map that is not in order, so that equal maps have equal bytes", () => {
    const pairs = [
      ["b", ""],
      ["a", ""],
    ];
    expect(() => map(key, text(0, 1), 3).read(pairs, null)).toThrow("must come in order, each key once");
  });

  test("a map with a key twice", () => {
    const pairs = [
      ["a", "x"],
      ["a", "y"],
    ];
    expect(() => map(key, text(0, 1), 3).read(pairs, null)).toThrow("must come in order, each key once");
  });

  test("every breach that is made, at its field and nowhere else", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(random, (numbers) => {
        for (const { field, what, value } of breaches(machine, numbers)) {
          // Whatever the value is, writing it throws nothing.
          const found = refusal(machine, writeAnything(machine, value));
          expect(found.field.startsWith(`it${field}`), `${what} at ${field}, refused at ${found.field}`).toBe(true);
          seen.add(`${field}: ${what}`);
        }
      }),
      { numRuns: 20 },
    );
    for (const breach of [
      ".vcpus: below 1",
      ".vcpus: above 1024",
      ".factor: a third decimal place",
      ".disks: more than 4",
      ".disks: the same twice",
      ".disks[0].name: longer than 63",
      ".labels: more than 3",
      ".source: an unknown kind",
      ".source.depth: above 9",
    ])
      expect(seen).toContain(breach);
  });
});

test("what lies on a bound of any field is accepted", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(random, (numbers) => {
      for (const { field, what, value } of edges(machine, numbers)) {
        expect(decoded(machine, writeAnything(machine, value), "it"), `${what} at ${field}`).toEqual(value);
        seen.add(`${field}: ${what}`);
      }
    }),
    { numRuns: 20 },
  );
  for (const edge of [
    ".vcpus: highest",
    ".note: null",
    ".note: longest",
    ".disks: longest",
    ".disks[0].name: longest",
    ".labels: fullest",
    ".source: module",
    ".source.depth: lowest",
  ])
    expect(seen).toContain(edge);
});

/** For values that are none of the schema's. */
function writeAnything(schema: { write(value: never): unknown }, value: unknown): unknown {
  return Reflect.apply(schema.write, schema, [value]);
}

describe("rules between fields", () => {
  const range = record({ first: integer(0, 99), last: integer(0, 99) }).rule(
    "last is not below first",
    ({ first, last }) => {
      if (last < first) throw new InvalidField(".last", first, `must be at least ${first}`);
    },
    ({ first, last }) => ({ first: Math.min(first, last), last: Math.max(first, last) }),
  );

  test("are checked after the fields", () => {
    expect(range.read([1, 2], null)).toEqual({ first: 1, last: 2 });
    expect(refusal(range, [2, 1])).toMatchObject({ field: "it.last", limit: 2 });
    expect(refusal(range, [2, 100])).toMatchObject({ field: "it.last", limit: 99 });
  });

  test("are kept by generated values", () => {
    fc.assert(fc.property(random, (numbers) => range.read(range.write(valid(range, numbers)), null) !== null));
  });
});

describe("defaults", () => {
  test("of all fields, with some replaced", () => {
    expect(defaults(machine).vcpus).toBe(2);
    expect(filled(machine, { vcpus: 3 })).toEqual({ ...defaults(machine), vcpus: 3 });
    expect(fallbackOf(integer(0).default(3))).toBe(3);
    expect(() => fallbackOf(integer(0))).toThrow("without a default");
    expect(() => defaults(disk)).toThrow("name has no default");
  });

  test("belong to the place: the same schema may have another elsewhere", () => {
    const one = integer(0).default(1);
    expect([fallbackOf(one), fallbackOf(one.default(2)), fallbackOf(one)]).toEqual([1, 2, 1]);
  });
});

test("nonsense in place of a thing that may be absent is refused, not read as its absence", () => {
  for (const schema of [nullable(disk), nullable(list(disk, { lengthMax: 1 })), nullable(map(key, key, 1))]) {
    for (const { field, what, value } of breaches(schema, () => 0))
      expect(refusal(schema, writeAnything(schema, value)).field, what).toContain(`it${field}`);
  }
});

describe("a definition that makes no sense", () => {
  test("has bounds that nothing is within", () => expect(() => integer(5, 1)).toThrow(RangeError));
  test("has a default that it refuses", () => expect(() => integer(0, 10).default(11)).toThrow(InvalidField));
  test("has a key that is no property of an object", () =>
    expect(() => map(text(0, 20), text(0, 1), 3)).toThrow(RangeError));
  test("has a field where its kind is", () => expect(() => variants({ a: { kind: flag } })).toThrow(RangeError));
});

test("two kinds never have one number", () => {
  expect(() => variants({ a: {}, b: {} }, { b: 0 })).toThrow(RangeError);
  expect(() => variants({ a: {}, b: {}, c: {} }, { b: [3, 1], c: [3, 1] })).toThrow(RangeError);
});
