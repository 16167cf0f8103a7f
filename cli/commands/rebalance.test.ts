import { expect, test } from "vitest";
import { movedWords } from "./rebalance.ts";

test("of a rebalance it is said how many moves were made, if not all were", () => {
  expect(movedWords({ moved: 3, refused: 0 })).toBe("these moves are under way");
  expect(movedWords({ moved: null, refused: null })).toBe("these moves are under way");
  expect(movedWords({ moved: 1, refused: 2 })).toMatch(/^1 move under way, 2 could not be made any more/);
});
