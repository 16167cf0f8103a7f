/** Placement: filter, score, choose, explain; plans for preemption and rebalancing. Pure functions of plain values. */
export { chosen, countRefusals, explain, type RefusalCount } from "./explain.ts";
export { baseScore, freeFraction, judge, promisable } from "./judge.ts";
export { PlacementIndex } from "./placement-index.ts";
export { type Candidates, candidatesOf, planPreemption } from "./preemption.ts";
export { planRebalance, type RebalancePlan, type RebalanceStep } from "./rebalance.ts";
export * from "./types.ts";
