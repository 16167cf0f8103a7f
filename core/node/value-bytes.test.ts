import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeValue, encodeValue } from "./value-bytes.ts";

const constants = [Object.freeze([]), Object.freeze({ a: 1 })];

function through(value: unknown): unknown {
  return decodeValue(encodeValue(value, constants), constants);
}

test("any plain value comes back as it was", () => {
  const leaf = fc.oneof(
    fc.constantFrom(null, undefined, true, false),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.string({ unit: "binary" }),
    fc.uint8Array(),
    fc.float64Array(),
  );
  // That one key is refused: see below.
  const key = fc.string().filter((text) => text !== "__proto__");
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("value")),
      fc.dictionary(key, tie("value"), { noNullPrototype: true }),
      fc.array(fc.tuple(leaf, tie("value"))).map((pairs) => new Map(pairs)),
      fc.array(tie("value")).map((items) => new Set(items)),
    ),
  }));
  fc.assert(
    fc.property(value, (given) => {
      expect(through(given)).toStrictEqual(structuredClone(given));
    }),
  );
});

test("numbers that are nearly the same stay apart", () => {
  const numbers = [0, -0, 223, 224, 2 ** 31, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 53, 0.1, Number.NaN, -1];
  const infinite = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  expect(through([...numbers, ...infinite])).toStrictEqual([...numbers, ...infinite]);
});

test("half of a surrogate pair stays what it is", () => {
  expect(through("\ud800 é €")).toBe("\ud800 é €");
});

test("what was one object is one object again, and a circle is a circle", () => {
  const shared = { bytes: new Uint8Array([1, 2]) };
  const circle: { self?: unknown; one: unknown; other: unknown } = { one: shared, other: [shared, shared.bytes] };
  circle.self = circle;
  const back = through(circle);
  expect(back).toHaveProperty("self", back);
  expect(Reflect.get(Object(back), "one")).toBe(Reflect.get(Object(back), "other")[0]);
  expect(Reflect.get(Object(back), "one").bytes).toBe(Reflect.get(Object(back), "other")[1]);
});

test("a constant is itself again", () => {
  expect(through({ constant: constants[1] })).toSatisfy(
    (value) => Reflect.get(Object(value), "constant") === constants[1],
  );
});

test("the order of keys is kept, and a key called __proto__ is refused", () => {
  expect(Object.keys(Object(through({ b: 1, a: 2, 7: 3 })))).toEqual(["7", "b", "a"]);
  expect(() => encodeValue(JSON.parse('{ "__proto__": 1 }'))).toThrow("no plain value");
});

test("what is no plain value is refused", () => {
  class Thing {}
  for (const value of [new Thing(), () => 1, Symbol("a"), 1n, [new Date(0)]])
    expect(() => encodeValue(value)).toThrow("no plain value");
});

test("damaged bytes are refused, not read on for ever", () => {
  const bytes = encodeValue({ name: "a", list: [1, 2, { name: "b" }], bytes: new Uint8Array(9) });
  for (let length = 0; length < bytes.length; length++)
    expect(() => decodeValue(bytes.subarray(0, length)), `${length} bytes`).toThrow();
  expect(() => decodeValue(new Uint8Array([...bytes, 0]))).toThrow("after the value");
  expect(() => decodeValue(new Uint8Array([31]))).toThrow("begins with 31");
});
