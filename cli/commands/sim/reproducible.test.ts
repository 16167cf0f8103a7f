/** The cheap part of scripts/determinism.ts, which compares longer runs and other Nodes. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Run } from "../../../runtime-sim/index.ts";
import { SCENARIOS } from "../../../scenarios/index.ts";

const SEED = 4711;
const DURATION_MS = 5000;

function traceHash(scenario: (typeof SCENARIOS)[number]): string {
  const run = new Run(scenario, { seed: SEED, durationMs: DURATION_MS });
  while (!run.advance(100_000));
  return run.report().traceHash;
}

/** Setting up a thousand hosts takes half a minute: the processes below do it twice as well. */
const SMALL = SCENARIOS.filter(({ name }) => name !== "thousand-workers");

test.each(SMALL.map((scenario) => [scenario.name, scenario] as const))(
  "%s, twice in one process",
  (_name, scenario) => {
    expect(traceHash(scenario)).toBe(traceHash(scenario));
  },
);

test("every scenario, in two processes with different time zone, language, heap and order", {
  timeout: 1_200_000,
}, () => {
  const gate = fileURLToPath(new URL("../../../scripts/determinism.ts", import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [gate, "--seeds", String(SEED), "--duration", `${DURATION_MS}ms`],
    { encoding: "utf8" },
  );
  expect(stderr).toBe("");
  expect(stdout).toBe(
    `another time zone, language, heap and order: ${SCENARIOS.length} of ${SCENARIOS.length} runs the same\n`,
  );
  expect(status).toBe(0);
});
