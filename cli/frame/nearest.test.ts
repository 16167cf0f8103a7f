import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, nearest } from "./nearest.ts";

const names = ["calm", "flaky-network", "partitions", "partial-partition", "byzantine", "swarm", "sweep", "list"];

test.each([
  ["byzantin", "byzantine"],
  ["bizantine", "byzantine"],
  ["byzantnie", "byzantine"],
  ["Swarm", "swarm"],
  ["swep", "sweep"],
  ["parti", "partitions"],
  ["partition", "partitions"],
  ["flaky", "flaky-network"],
])("%s is nearly %s", (word, expected) => expect(nearest(word, names)).toBe(expected));

test.each(["", "x", "kubernetes", "127.0.0.1"])("nothing is near %j", (word) => {
  expect(nearest(word, names)).toBeNull();
});

test("the distance is a distance", () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, (from, to) => {
      const distance = editDistance(from, to);
      expect(distance).toBe(editDistance(to, from));
      expect(distance === 0).toBe(from === to);
      expect(distance).toBeGreaterThanOrEqual(Math.abs(from.length - to.length));
      expect(distance).toBeLessThanOrEqual(Math.max(from.length, to.length));
    }),
  );
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("ab", "ba")).toBe(1);
});
