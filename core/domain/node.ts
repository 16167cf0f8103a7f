/** A node: an id and an identity, bound to each other for ever, and where it listens. */
import { choice, type Infer, record } from "../schema/index.ts";
import { knownAddressesSchema, nodeIdSchema, peerIdSchema } from "./identity.ts";

/**
 * none: not yet a member, or no longer one. removed: an operator has removed its worker; the node is not heard any
 * more, and its id and identity never come back.
 *
 * Encoded by position: new ones go to the end.
 */
export const NODE_ROLES = ["none", "learner", "voter", "removed"] as const;
export type NodeRole = (typeof NODE_ROLES)[number];

export const nodeSchema = record({
  id: nodeIdSchema,
  peerId: peerIdSchema,
  addresses: knownAddressesSchema,
  role: choice(NODE_ROLES),
});
/** Immutable. */
export type NodeRecord = Infer<typeof nodeSchema>;

/** Who takes part from an entry on: a final configuration of consensus, as plain values. */
export interface Membership {
  readonly voters: readonly number[];
  readonly learners: readonly number[];
  readonly members: readonly { readonly id: number; readonly peerId: string }[];
}
