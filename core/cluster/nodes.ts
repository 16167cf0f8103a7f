/**
 * The nodes that the cluster knows: an id and an identity bound to each other for ever, and where the node listens.
 */
import {
  announcedAddressesSchema,
  type CommandResult,
  type Membership,
  type NodeRecord,
  type NodeRole,
  nodeIdSchema,
  peerIdSchema,
  type Refusal,
  refused,
  secretHashSchema,
  tokenIdSchema,
} from "../domain/index.ts";
import type { InferShape } from "../schema/index.ts";
import { Batch } from "./batch.ts";
import { command } from "./command-definition.ts";
import type { ClusterState } from "./state.ts";

const admissionFields = {
  tokenId: tokenIdSchema,
  secretHash: secretHashSchema,
  nodeId: nodeIdSchema,
  peerId: peerIdSchema,
  addresses: announcedAddressesSchema,
};
export type Admission = InferShape<typeof admissionFields>;

function admitNode(batch: Batch, admission: Admission): CommandResult {
  const { tokenId, secretHash, nodeId, peerId, addresses } = admission;
  const token = batch.tokens.get(tokenId);
  if (token === undefined || token.secretHash !== secretHash) return refused({ kind: "tokenNotFound" });
  if (token.purpose !== "join") return refused({ kind: "tokenNotForJoining" });
  const conflict = bindingConflict(batch, nodeId, peerId);
  if (token.usedBy !== null) {
    if (token.usedBy !== nodeId || conflict !== null) return refused({ kind: "tokenUsed", nodeId: token.usedBy });
  } else {
    if (token.revokedAtMs !== null) return refused({ kind: "tokenRevoked" });
    if (token.expiresAtMs <= batch.timeMs) return refused({ kind: "tokenExpired", expiredAtMs: token.expiresAtMs });
    if (token.nodeId !== null && token.nodeId !== nodeId)
      return refused({ kind: "tokenForAnotherNode", nodeId: token.nodeId });
    if (conflict !== null) return conflict;
    if (batch.node(nodeId) === null && batch.nodeCount >= batch.limits.nodes) return tooManyNodes(batch);
    batch.changeTokens().set(tokenId, Object.freeze({ ...token, usedBy: nodeId }));
    batch.happened({ kind: "nodeAdmitted", nodeId, tokenId });
  }
  putAddresses(batch, nodeId, peerId, addresses);
  return Object.freeze({ ok: true, kind: "nodeAdmitted" });
}

/** Why a node would not be let in now; null: it would. Changes nothing. */
export function admissionRefusal(state: ClusterState, admission: Admission): Refusal | null {
  const result = admitNode(new Batch(state), admission);
  return result.ok ? null : result.refusal;
}

/** Why the cluster would not keep an address under this id now; null: it would. */
export function announcementRefusal(state: ClusterState, nodeId: number, peerId: string): Refusal | null {
  const result = announcementConflict(new Batch(state), nodeId, peerId);
  return result === null || result.ok ? null : result.refusal;
}

function announcementConflict(batch: Batch, nodeId: number, peerId: string): CommandResult | null {
  const conflict = bindingConflict(batch, nodeId, peerId);
  if (conflict !== null) return conflict;
  return batch.node(nodeId) === null && batch.nodeCount >= batch.limits.nodes ? tooManyNodes(batch) : null;
}

/**
 * Sets the roles as a committed configuration has them. A member that was never announced gets a record without
 * addresses. A member whose id or identity is bound to another gets no record: bindings are permanent, whatever
 * consensus decided.
 */
export function applyMembership(batch: Batch, { voters, learners, members }: Membership): void {
  const peerIds = new Map(members.map(({ id, peerId }) => [id, peerId]));
  for (const record of batch.nodes()) {
    if (!peerIds.has(record.id)) putRole(batch, record, "none");
  }
  for (const [id, peerId] of peerIds) {
    if (bindingConflict(batch, id, peerId) !== null) continue;
    const record = batch.node(id) ?? { id, peerId, addresses: noAddresses, role: "none" };
    putRole(batch, record, voters.includes(id) ? "voter" : "learner");
  }
  batch.happened({ kind: "membershipChanged", voters, learners });
}

const noAddresses: readonly string[] = Object.freeze([]);

/** One that was removed stays so. */
export function putRole(batch: Batch, record: NodeRecord, role: NodeRole): void {
  if (record.role === role || record.role === "removed") return;
  const { id, peerId, addresses } = record;
  batch.putNode({ id, peerId, addresses, role });
}

/** Whether that changed anything. */
function putAddresses(batch: Batch, id: number, peerId: string, addresses: readonly string[]): boolean {
  const record = batch.node(id);
  if (record !== null && sameTexts(record.addresses, addresses)) return false;
  batch.putNode({ id, peerId, addresses, role: record?.role ?? "none" });
  return true;
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, at) => text === b[at]);
}

function bindingConflict(batch: Batch, nodeId: number, peerId: string): CommandResult | null {
  const bound = batch.node(nodeId);
  if (bound !== null) {
    const isWelcome = bound.peerId === peerId && bound.role !== "removed";
    return isWelcome ? null : refused({ kind: "nodeIdTaken", nodeId });
  }
  const other = batch.nodeIdOf(peerId);
  return other === null ? null : refused({ kind: "peerIdTaken", nodeId: other });
}

function tooManyNodes({ limits }: Batch): CommandResult {
  return refused({ kind: "limitReached", limit: "nodes", maximum: limits.nodes });
}

export const nodeCommands = {
  /**
   * Binds an id to an identity, and uses the token up. What makes it a member is a configuration of consensus. Asked
   * again by the node that it let in, it lets it in again, whatever has become of the token.
   */
  admitNode: command({
    askedBy: "client",
    number: 7,
    fields: admissionFields,
    refusals: [
      "tokenNotFound",
      "tokenNotForJoining",
      "tokenUsed",
      "tokenRevoked",
      "tokenExpired",
      "tokenForAnotherNode",
      "nodeIdTaken",
      "peerIdTaken",
      "limitReached",
    ],
    audit: { number: 5, target: ({ nodeId }) => String(nodeId) },
    apply: admitNode,
  }),
  /** A node says where it listens now. */
  announceNode: command({
    askedBy: "client",
    number: 8,
    fields: { nodeId: nodeIdSchema, peerId: peerIdSchema, addresses: announcedAddressesSchema },
    refusals: ["nodeIdTaken", "peerIdTaken", "limitReached"],
    audit: { number: 6, target: ({ nodeId }) => String(nodeId) },
    apply(batch, { nodeId, peerId, addresses }) {
      const conflict = announcementConflict(batch, nodeId, peerId);
      if (conflict !== null) return conflict;
      if (putAddresses(batch, nodeId, peerId, addresses)) batch.happened({ kind: "nodeAnnounced", nodeId, addresses });
      return Object.freeze({ ok: true, kind: "nodeAnnounced" });
    },
  }),
};
