import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { FAULTS, Run } from "../runtime-sim/index.ts";
import { SCENARIOS } from "./index.ts";

const named = SCENARIOS.map((scenario) => [scenario.name, scenario] as const);

test("every file is a scenario of its name", () => {
  const files = readdirSync(dirname(fileURLToPath(import.meta.url)))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && file !== "index.ts")
    .map((file) => file.slice(0, -3));
  expect(SCENARIOS.map(({ name }) => name).sort()).toEqual(files.sort());
});

describe.each(named)("%s", (_, scenario) => {
  test("is summed up in two sentences", () => {
    expect(scenario.summary.match(/[.?!](\s|$)/g)).toHaveLength(2);
  });

  test("mixes faults that there are", () => {
    const kinds = new Map(FAULTS.map((kind) => [kind.name, kind]));
    for (const { kind, parameters } of scenario.faults) {
      expect(kinds.has(kind)).toBe(true);
      for (const name of Object.keys(parameters ?? {}))
        expect(Object.keys(kinds.get(kind)?.parameters ?? {})).toContain(name);
    }
  });

  test("holds, and is the same run twice", () => {
    const reports = [1, 2].map(() => {
      const run = new Run(scenario, { seed: 42, durationMs: 30_000 });
      while (!run.advance(100_000));
      return run.report();
    });
    expect(reports[0]?.violations).toEqual([]);
    expect(reports[1]).toEqual(reports[0]);
  });
});

test("the swarm reaches every kind of fault within 30 seeds", () => {
  const swarm = SCENARIOS.find(({ name }) => name === "swarm");
  if (swarm === undefined) throw new Error("there is no swarm");
  const drawn = new Set<string>();
  for (let seed = 1; seed <= 30; seed += 1) {
    for (const { kind } of new Run(swarm, { seed }).schedule.faults) drawn.add(kind);
  }
  expect([...drawn].sort()).toEqual(FAULTS.map(({ name }) => name).sort());
});
