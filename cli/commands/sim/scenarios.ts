/** Scenarios by name. */
import type { Scenario } from "../../../runtime-sim/index.ts";
import { SCENARIOS } from "../../../scenarios/index.ts";
import { nearest, UsageError } from "../../frame/index.ts";

const SUBCOMMANDS = ["list", "sweep", "check-history"];

/** Throws a UsageError that names the nearest one. */
export function scenarioNamed(name: string): Scenario {
  const scenario = SCENARIOS.find((known) => known.name === name);
  if (scenario !== undefined) return scenario;
  const near = nearest(name, [...SCENARIOS.map((known) => known.name), ...SUBCOMMANDS]);
  throw new UsageError(
    `there is no scenario ${JSON.stringify(name)}`,
    near === null ? "blixard sim list names them all" : `did you mean ${near}? blixard sim list names them all`,
  );
}

/** Those named, in the order named and each once; all when none is. */
export function scenariosNamed(names: readonly string[]): readonly Scenario[] {
  return names.length === 0 ? SCENARIOS : [...new Set(names)].map(scenarioNamed);
}
