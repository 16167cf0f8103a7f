/**
 * With clocks outside their bound a VM does run twice, and the oracles see it. Otherwise it would mean nothing that
 * they see none within the bound.
 */
import { expect, test } from "vitest";
import { Run } from "../runtime-sim/index.ts";
import lyingClocks from "./lying-clocks.ts";
import splitBrainVm from "./split-brain-vm.ts";

function reportOf(scenario: typeof lyingClocks, seed: number) {
  const run = new Run(scenario, { seed });
  while (!run.advance(100_000));
  return run.report();
}

test("a VM runs twice, is counted, and the cluster comes to rest", () => {
  const reports = [1, 2, 3, 4, 5].map((seed) => reportOf(lyingClocks, seed));
  for (const { violations } of reports) expect(violations).toEqual([]);
  expect(reports.some(({ shown }) => (shown["one-place"] ?? 0) > 0)).toBe(true);
});

test("where clocks keep to it nothing is shown", () => {
  expect(reportOf(splitBrainVm, 1).shown).toEqual({});
});
