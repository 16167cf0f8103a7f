/** Placement: filter, score, choose, explain; plans for preemption and rebalancing. Pure functions of plain values. */
export * from "./types.ts";
