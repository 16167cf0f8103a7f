/** Tokens, and the nodes that are let in with them. */
import {
  CLUSTER_LIMITS,
  type CommandResult,
  type Membership,
  type NodeRecord,
  type TokenRecord,
} from "../../../core/index.ts";
import { type Rules, refused } from "./rules.ts";
import type { Tables } from "./tables.ts";

/** Of the expired tokens the one that expired first; by id where several did. */
function firstExpired(tables: Tables): TokenRecord | null {
  const expired = [...tables.tokens.now()].filter(({ expiresAtMs }) => expiresAtMs <= tables.timeMs);
  expired.sort((left, right) => left.expiresAtMs - right.expiresAtMs || (left.id < right.id ? -1 : 1));
  return expired[0] ?? null;
}

/** Why an id and an identity cannot belong together. */
function bindingConflict(tables: Tables, nodeId: number, peerId: string): CommandResult | null {
  const known = tables.nodes.get(nodeId);
  if (known !== null && (known.peerId !== peerId || known.role === "removed"))
    return refused({ kind: "nodeIdTaken", nodeId });
  for (const node of tables.nodes.now())
    if (known === null && node.peerId === peerId) return refused({ kind: "peerIdTaken", nodeId: node.id });
  return null;
}

function tooMany(tables: Tables, nodeId: number): CommandResult | null {
  if (tables.nodes.get(nodeId) !== null || tables.nodes.count < tables.limits.nodes) return null;
  return refused({ kind: "limitReached", limit: "nodes", maximum: tables.limits.nodes });
}

/** Whether it listens elsewhere than it did. */
function listen(tables: Tables, id: number, peerId: string, addresses: readonly string[]): boolean {
  const known = tables.nodes.get(id);
  if (known !== null && known.addresses.join() === addresses.join()) return false;
  tables.nodes.set(id, tables.index, { id, peerId, addresses, role: known?.role ?? "none" });
  return true;
}

/** A configuration is committed. */
export function membershipChanged(tables: Tables, { voters, learners, members }: Membership): void {
  const put = (node: NodeRecord): void => tables.nodes.set(node.id, tables.index, node);
  for (const node of [...tables.nodes.now()]) {
    const isMember = members.some(({ id }) => id === node.id);
    if (!isMember && node.role !== "removed" && node.role !== "none") put({ ...node, role: "none" });
  }
  for (const { id, peerId } of members) {
    if (bindingConflict(tables, id, peerId) !== null) continue;
    const known: NodeRecord = tables.nodes.get(id) ?? { id, peerId, addresses: [], role: "none" };
    const role = voters.includes(id) ? "voter" : "learner";
    if (known.role !== role && known.role !== "removed") put({ ...known, role });
  }
  tables.happened({ kind: "membershipChanged", voters, learners });
}

export const tokenRules = {
  createToken(tables, { id, secretHash, purpose, ttlMs, nodeId }) {
    if (tables.tokens.get(id) !== null) return refused({ kind: "tokenExists" });
    if (tables.tokens.count >= tables.limits.tokens) {
      const expired = firstExpired(tables);
      if (expired === null) return refused({ kind: "limitReached", limit: "tokens", maximum: tables.limits.tokens });
      tables.tokens.set(expired.id, tables.index, null);
    }
    const { timeMs } = tables;
    const expiresAtMs = Math.min(timeMs + ttlMs, CLUSTER_LIMITS.wallMs);
    const times = { createdAtMs: timeMs, expiresAtMs, revokedAtMs: null };
    tables.tokens.set(id, tables.index, { id, secretHash, purpose, nodeId, usedBy: null, ...times });
    tables.happened({ kind: "tokenCreated", tokenId: id, purpose });
    return { ok: true, kind: "tokenCreated", expiresAtMs };
  },
  revokeToken(tables, { id }) {
    const token = tables.tokens.get(id);
    if (token === null) return refused({ kind: "tokenNotFound" });
    if (token.revokedAtMs === null) {
      tables.tokens.set(id, tables.index, { ...token, revokedAtMs: tables.timeMs });
      tables.happened({ kind: "tokenRevoked", tokenId: id });
    }
    return { ok: true, kind: "tokenRevoked" };
  },
  admitNode(tables, { tokenId, secretHash, nodeId, peerId, addresses }) {
    const token = tables.tokens.get(tokenId);
    if (token?.secretHash !== secretHash) return refused({ kind: "tokenNotFound" });
    if (token.purpose !== "join") return refused({ kind: "tokenNotForJoining" });
    const conflict = bindingConflict(tables, nodeId, peerId);
    const isAgain = token.usedBy === nodeId && conflict === null;
    if (token.usedBy !== null && !isAgain) return refused({ kind: "tokenUsed", nodeId: token.usedBy });
    if (!isAgain) {
      if (token.revokedAtMs !== null) return refused({ kind: "tokenRevoked" });
      if (token.expiresAtMs <= tables.timeMs) return refused({ kind: "tokenExpired", expiredAtMs: token.expiresAtMs });
      if (token.nodeId !== null && token.nodeId !== nodeId)
        return refused({ kind: "tokenForAnotherNode", nodeId: token.nodeId });
      const reason = conflict ?? tooMany(tables, nodeId);
      if (reason !== null) return reason;
      tables.tokens.set(tokenId, tables.index, { ...token, usedBy: nodeId });
      tables.happened({ kind: "nodeAdmitted", nodeId, tokenId });
    }
    listen(tables, nodeId, peerId, addresses);
    return { ok: true, kind: "nodeAdmitted" };
  },
  announceNode(tables, { nodeId, peerId, addresses }) {
    const reason = bindingConflict(tables, nodeId, peerId) ?? tooMany(tables, nodeId);
    if (reason !== null) return reason;
    if (listen(tables, nodeId, peerId, addresses)) tables.happened({ kind: "nodeAnnounced", nodeId, addresses });
    return { ok: true, kind: "nodeAnnounced" };
  },
} satisfies Rules;
