import { expect, test } from "vitest";
import { isQuorum } from "./quorum.ts";
import { configurationOf } from "./testing/index.ts";

test("majorities of one half and of two", () => {
  const holds =
    (...ids: number[]) =>
    (id: number) =>
      ids.includes(id);
  expect(isQuorum(configurationOf([1, 2, 3]), holds(1, 2))).toBe(true);
  expect(isQuorum(configurationOf([1, 2, 3]), holds(1, 4, 5))).toBe(false);
  expect(isQuorum(configurationOf([1, 2, 3, 4]), holds(1, 2))).toBe(false);
  expect(isQuorum(configurationOf([1, 2, 3], [3, 4, 5]), holds(1, 2, 3))).toBe(false);
  expect(isQuorum(configurationOf([1, 2, 3], [3, 4, 5]), holds(2, 3, 4))).toBe(true);
});
