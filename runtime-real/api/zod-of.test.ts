import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { schema } from "../../core/index.ts";
import { zodOf } from "./zod-of.ts";

const { choice, flag, hundredths, integer, InvalidField, label, list, map, nothing, nullable, record, text, variants } =
  schema;

const disk = record({ name: label, sizeGiB: integer(1, 100).doc("Its size").example(20).default(5) });

const open = record({ pool: nothing.default(null), tags: list(label, { lengthMax: 2 }).default([]) });
const network = schema.either([record({ pool: label }), open], {
  write: (value) => value,
  read: () => open.read([], null),
});

const range = record({ first: integer(0, 99), last: integer(0, 99) }).rule(
  "last is not below first",
  ({ first, last }) => {
    if (last < first) throw new InvalidField(".last", first, `must be at least ${first}`);
  },
  ({ first, last }) => ({ first: Math.min(first, last), last: Math.max(first, last) }),
);

/** A bit of everything. */
const machine = record({
  vcpus: integer(1, 1024).default(2),
  factor: hundredths(1, 10).default(1.1),
  isSpare: flag.default(false),
  color: choice(["red", "green"]).default("green"),
  note: nullable(text(1, 20)).default(null),
  serial: schema.printable(0, 9).default(""),
  disks: list(disk, { lengthMax: 4, distinctBy: "name" }).default([]),
  tags: list(label, { lengthMax: 3, lengthMin: 1, distinctBy: "" }).default(["spare"]),
  labels: map(label, text(0, 10), 3).default({}),
  source: variants({ none: {}, image: { image: text(1, 10) } }).default({ kind: "none" }),
  networks: list(network, { lengthMax: 4 }).default([]),
  ports: list(range, { lengthMax: 2 }).default([]),
});

const random: fc.Arbitrary<schema.Random> = fc
  .infiniteStream(fc.nat(2 ** 31 - 1))
  .map((numbers) => (bound) => Number(numbers.next().value) % bound);

function complaint(of: schema.Schema<unknown>, value: unknown): string {
  const [issue] = zodOf(of).safeParse(value).error?.issues ?? [];
  return issue === undefined ? "none" : `${issue.path.join(".")}: ${issue.message}`;
}

test("types: what comes out, and what may be left out on the way in", () => {
  const checked = zodOf(disk);
  expectTypeOf<z.output<typeof checked>>().toEqualTypeOf<schema.Infer<typeof disk>>();
  expectTypeOf<z.input<typeof checked>>().toEqualTypeOf<schema.Input<typeof disk>>();
});

test("what is left out has its default", () => {
  expect(zodOf(machine).parse({ disks: [{ name: "a" }] })).toEqual(
    schema.filled(machine, { disks: [{ name: "a", sizeGiB: 5 }] }),
  );
});

describe("what the definition says of a value", () => {
  test("is accepted as it is, when it is valid", () => {
    fc.assert(
      fc.property(random, (numbers) => {
        const value = schema.valid(machine, numbers);
        expect(zodOf(machine).parse(value)).toEqual(value);
      }),
    );
  });

  test("is refused at that field, when it breaks one rule", () => {
    const checked = zodOf(machine);
    fc.assert(
      fc.property(random, (numbers) => {
        for (const { field, what, value } of schema.breaches(machine, numbers)) {
          const [issue] = checked.safeParse(value).error?.issues ?? [];
          expect(issue, `${what} at ${field}`).toBeDefined();
          const path = issue?.path
            .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
            .join("");
          // Pairs are told by their key here, and by their place in the core.
          expect(field.startsWith(".labels[") ? path?.startsWith(".labels.") : path?.startsWith(field)).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("what is wrong is told plainly", () => {
  const told: readonly (readonly [schema.Schema<unknown>, unknown, string])[] = [
    [machine, { vcpus: "2" }, "vcpus: must be an integer"],
    [machine, { vcpus: 1.5 }, "vcpus: must be an integer"],
    [machine, { factor: 1.005 }, "factor: must be a number with at most two decimal places"],
    [machine, { color: "blue" }, "color: must be one of red, green"],
    [machine, { disks: [{}] }, "disks.0.name: must be given"],
    [machine, { disks: [{ name: "a" }, { name: "a" }] }, "disks: must not name the same thing twice"],
    [machine, { source: { kind: "tape" } }, "source.kind: must be one of none, image"],
    [machine, { source: "image" }, "source: must be an object"],
    [machine, { networks: [{ pool: "a", tags: [] }] }, "networks.0: has no field tags"],
    [machine, { networks: [{ tags: "a" }] }, "networks.0: must have pool, or pool (null) and tags"],
    [text(0, 4), "\u{1f600}\u{1f600}x", ": must have at most 4 characters"],
    [machine, { ports: [{ first: 2, last: 1 }] }, "ports.0.last: must be at least 2"],
    [machine, { note: "\ud800" }, "note: must be well-formed Unicode"],
    [machine, { labels: { a: "1", b: "2", c: "3", d: "4" } }, "labels: must have at most 3 pairs"],
    [machine, { colour: "red" }, ": has no field colour"],
    [machine, null, ": must be an object"],
    [label, "Web", ": must be lower-case letters, digits and inner hyphens (an RFC 1123 label)"],
  ];
  test.each(told.map(([of, value, words]) => [words, of, value] as const))("%s", (words, of, value) =>
    expect(complaint(of, value)).toBe(words),
  );
});

test("bounds, defaults, words and examples are in the JSON schema", () => {
  expect(z.toJSONSchema(zodOf(disk), { io: "input", unrepresentable: "any" })).toMatchObject({
    type: "object",
    required: ["name"],
    additionalProperties: false,
    properties: {
      name: {
        type: "string",
        maxLength: 63,
        description: "lower-case letters, digits and inner hyphens (an RFC 1123 label)",
      },
      sizeGiB: { type: "integer", minimum: 1, maximum: 100, default: 5, description: "Its size", examples: [20] },
    },
  });
  const labels = z.toJSONSchema(zodOf(map(label, text(0, 10), 3)), { io: "input", unrepresentable: "any" });
  expect(labels).toMatchObject({
    maxProperties: 3,
    propertyNames: { maxLength: 63 },
    additionalProperties: { maxLength: 10 },
  });
});
