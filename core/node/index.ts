/** The door of one node: input in, effects out; and what its durable writes come to. */
export { AddressBook, type Announcement, type MemberPlace } from "./address-book.ts";
export type { AppliedEntry } from "./applier.ts";
export { DurableState, HARD_STATE, type RecordPlace, SNAPSHOT } from "./durable-state.ts";
export { type MemberStatus, Node, type NodeState } from "./node.ts";
export { decodeNodeState, encodeNodeState } from "./node-state.ts";
export { isReplicated, replicatedEntry } from "./replicated-entry.ts";
export { decodeValue, encodeValue } from "./value-bytes.ts";
