import { expect, test } from "vitest";
import { connectedQuorum } from "./able-quorum.ts";
import { configurationOf } from "./testing/index.ts";

test("a set is found wherever there is one", () => {
  const linked = (pairs: readonly string[]) => (a: number, b: number) =>
    pairs.includes(`${a}${b}`) || pairs.includes(`${b}${a}`);
  const five = [configurationOf([1, 2, 3, 4, 5])];
  expect(connectedQuorum([1, 2, 3, 4, 5], linked(["12", "14", "24", "45", "25", "34"]), five)).toEqual([1, 2, 4]);
  expect(connectedQuorum([1, 2, 3, 4, 5], linked(["12", "23", "34", "45", "51"]), five)).toBeNull();
  expect(connectedQuorum([2, 4, 5], linked(["24", "25", "45"]), five)).toEqual([2, 4, 5]);
});
