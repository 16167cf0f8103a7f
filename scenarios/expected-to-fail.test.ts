/**
 * A scenario that is marked as expected to fail does fail, and by its oracle alone. When the core no longer fails it,
 * this test says so, and the mark goes.
 */
import { expect, test } from "vitest";
import { Run, type Scenario } from "../runtime-sim/index.ts";
import calm from "./calm.ts";
import { SCENARIOS } from "./index.ts";

const SEEDS = [1, 2, 3, 4, 5];

/** What is wrong with the mark; empty when nothing is. */
function complaints(scenario: Scenario, durationMs: number): readonly string[] {
  const { name, expectedToFail } = scenario;
  const found: string[] = [];
  let failures = 0;
  for (const seed of SEEDS) {
    const run = new Run(scenario, { seed, durationMs });
    while (!run.advance(100_000));
    const { violations, expectedUntil } = run.report();
    if (violations.length === 0) continue;
    failures += 1;
    const oracles = violations.map(({ oracle }) => oracle);
    if (expectedUntil !== expectedToFail?.until) found.push(`${name} seed ${seed} fails by ${oracles.join(", ")}`);
  }
  if (failures === 0) found.push(`${name} does not fail with any of ${SEEDS.length} seeds`);
  return found;
}

test("a mark that the core does not bear out is found", () => {
  const expectedToFail = { oracle: "election-safety", until: "there is one leader in a term" };
  expect(complaints({ ...calm, expectedToFail }, 5000)).toEqual(["calm does not fail with any of 5 seeds"]);
  // Nobody is elected as quickly as that.
  const stuck: Scenario = { ...calm, expectedToFail, livenessBoundMs: 0 };
  expect(complaints(stuck, 0)[0]).toBe("calm seed 1 fails by liveness");
  expect(complaints({ ...stuck, expectedToFail: { ...expectedToFail, oracle: "liveness" } }, 0)).toEqual([]);
});

const marked = SCENARIOS.filter(({ expectedToFail }) => expectedToFail !== null);

test("every scenario that is marked fails as it says", { timeout: 300_000 }, () => {
  for (const scenario of marked) expect(complaints(scenario, scenario.durationMs)).toEqual([]);
});
