import { expect, test } from "vitest";
import { Decisions } from "./decisions.ts";

test("an entry was decided by what its leader had applied at the append before, or later", () => {
  const decisions = new Decisions();
  const leader = {};
  const step = (appliedIndex: number, lastIndex: number, term = 2): void =>
    decisions.stepped(leader, { term, appliedIndex, log: { lastIndex } });
  step(3, 10);
  step(10, 10);
  step(10, 12);
  step(12, 12);
  step(12, 13);
  expect([10, 11, 12, 13].map((index) => decisions.appliedBefore(index, 2))).toEqual([null, 3, 3, 10]);
  expect(decisions.appliedBefore(13, 3)).toBeNull();
});

test("the entries of a later leader count, those of a deposed one do not", () => {
  const decisions = new Decisions();
  const [one, two] = [{}, {}];
  decisions.stepped(one, { term: 2, appliedIndex: 1, log: { lastIndex: 4 } });
  decisions.stepped(two, { term: 3, appliedIndex: 4, log: { lastIndex: 5 } });
  decisions.stepped(two, { term: 3, appliedIndex: 5, log: { lastIndex: 6 } });
  decisions.stepped(one, { term: 2, appliedIndex: 4, log: { lastIndex: 6 } });
  expect(decisions.appliedBefore(6, 3)).toBe(4);
  expect(decisions.appliedBefore(5, 2)).toBe(1);
});
