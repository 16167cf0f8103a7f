import fc from "fast-check";
import { expect, test } from "vitest";
import { isQuorum, majority, quorumValue } from "./quorum.ts";
import type { Configuration } from "./records.ts";

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 7 });
const voterSets = fc.tuple(ids, fc.oneof(fc.constant<number[]>([]), ids));

function configuration(voters: readonly number[], outgoing: readonly number[]): Configuration {
  return { voters, outgoing, learners: [], members: [], retired: [] };
}

/** The slow obvious version: try every value that anyone has. */
function slowQuorumValue(shape: Configuration, values: ReadonlyMap<number, number>): number {
  const reached = [...values.values()].filter((value) => isQuorum(shape, (id) => (values.get(id) ?? 0) >= value));
  return Math.max(...reached);
}

test("the value of a quorum is the largest that a majority of each half has reached", () => {
  fc.assert(
    fc.property(voterSets, fc.array(fc.nat(20), { minLength: 9, maxLength: 9 }), ([voters, outgoing], drawn) => {
      const shape = configuration(voters, outgoing);
      const values = new Map(drawn.map((value, at) => [at + 1, value]));
      expect(quorumValue(shape, (id) => values.get(id) ?? 0)).toBe(slowQuorumValue(shape, values));
    }),
  );
});

test("any two quorums of one configuration share a voter", () => {
  fc.assert(
    fc.property(voterSets, ids, ids, ([voters, outgoing], a, b) => {
      const shape = configuration(voters, outgoing);
      const both = isQuorum(shape, (id) => a.includes(id)) && isQuorum(shape, (id) => b.includes(id));
      if (both) expect(a.some((id) => b.includes(id))).toBe(true);
    }),
  );
});

test("read quorum minus one: half of four is no majority, and nobody is no quorum", () => {
  expect([1, 2, 3, 4, 5, 6, 7].map(majority)).toEqual([1, 2, 2, 3, 3, 4, 4]);
  expect(isQuorum(configuration([1, 2, 3, 4], []), (id) => id <= 2)).toBe(false);
  expect(isQuorum(configuration([], []), () => true)).toBe(false);
});
