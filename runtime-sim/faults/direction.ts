/** Which way a fault cuts links, as a parameter of the fault. */
import type { Direction } from "../network/index.ts";
import type { Injection, ParameterSpec } from "./kind.ts";

const DIRECTIONS: readonly Direction[] = ["both", "outbound", "inbound"];

export const direction: ParameterSpec = {
  meaning: "which way it cuts: all, only what the first side sends, or only what it would receive",
  choices: DIRECTIONS,
};

export function directionOf(fault: Injection): Direction {
  const chosen = fault.choice("direction");
  return DIRECTIONS.find((known) => known === chosen) ?? "both";
}
