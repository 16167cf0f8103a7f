import { expect, test } from "vitest";
import { Run } from "../../runtime-sim/index.ts";
import { SCENARIOS } from "../index.ts";
import { REGRESSIONS } from "./index.ts";

for (const { scenario: name, seed, was } of REGRESSIONS) {
  test(`${name}, seed ${seed}: ${was}`, () => {
    const scenario = SCENARIOS.find((known) => known.name === name);
    if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
    const run = new Run(scenario, { seed });
    while (!run.advance(1_000_000));
    expect(run.report().violations).toEqual([]);
  });
}
