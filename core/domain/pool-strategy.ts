/** Encoded by position: new ones go to the end. */
export const POOL_STRATEGIES = ["least-used", "most-used", "round-robin", "topology-aware"] as const;
export type PoolStrategy = (typeof POOL_STRATEGIES)[number];

export const DEFAULT_POOL_STRATEGY: PoolStrategy = "least-used";
