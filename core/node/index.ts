/** The door of one node: input in, effects out; and what its durable writes come to. */
export type { AppliedEntry } from "./applier.ts";
export { DurableState, HARD_STATE, type RecordPlace, SNAPSHOT } from "./durable-state.ts";
export { type MemberStatus, Node } from "./node.ts";
export { isReplicated, replicatedEntry } from "./replicated-entry.ts";
