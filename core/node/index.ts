/** The door of one node: input in, effects out; and what its durable writes come to. */
export { DurableState, HARD_STATE, type RecordPlace, SNAPSHOT } from "./durable-state.ts";
export { type AppliedEntry, isReplicated, type MemberStatus, Node, replicatedEntry } from "./node.ts";
