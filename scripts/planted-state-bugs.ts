/** Bugs of the replicated state that clients can see: sessions, revisions, pages, events, tokens, quotas, time. */
import type { Plant } from "./planted-bugs.ts";

const APPLY = "core/cluster/apply.ts";
const EVENTS = "core/cluster/events.ts";
const NODES = "core/cluster/nodes.ts";
const POOLS = "core/cluster/ip-pools.ts";
const QUERY = "core/cluster/query.ts";
const SESSION = "core/domain/session.ts";
const TENANTS = "core/cluster/tenants.ts";
const TOKENS = "core/cluster/tokens.ts";
const VMS = "core/cluster/vm-commands.ts";

function plant(name: string, file: string, find: string, replace: string): Plant {
  return { name, scenario: "swarm", file, edits: [{ find, replace }] };
}

export const STATE_PLANTS: readonly Plant[] = [
  plant(
    "answer-forgotten-too-early",
    SESSION,
    "Math.max(session.lowestUnacknowledged, acknowledgedBelow);",
    "Math.max(session.lowestUnacknowledged, acknowledgedBelow + 1);",
  ),
  plant("acknowledged-request-applied", APPLY, "if (sequence < lowestUnacknowledged)", "if (sequence < 0)"),
  plant("closed-session-stays-open", APPLY, "    batch.removeSession(session);\n    return", "    return"),
  plant(
    "activity-of-sessions-not-noted",
    SESSION,
    "clientToken: session.clientToken,\n    lastActiveIndex: index,",
    "clientToken: session.clientToken,\n    lastActiveIndex: session.lastActiveIndex,",
  ),
  plant(
    "deleted-whatever-the-revision",
    VMS,
    "if (expected !== null && vm.generation !== expected)",
    "if (expected !== null && vm.generation < expected)",
  ),
  plant("page-repeats-its-last", QUERY, "vm.name <= afterName) continue;", "vm.name < afterName) continue;"),
  plant(
    "last-page-not-known",
    QUERY,
    "nextAfterName: found.length > pageSize ?",
    "nextAfterName: found.length >= pageSize ?",
  ),
  plant(
    "event-told-twice",
    EVENTS,
    "if (event.index <= afterIndex) continue;",
    "if (event.index < afterIndex) continue;",
  ),
  plant(
    "page-splits-an-entry",
    EVENTS,
    "if (events.length >= size && event.index !== events.at(-1)?.index) break;",
    "if (events.length >= size) break;",
  ),
  plant(
    "gap-in-events-unsaid",
    EVENTS,
    "complete: oldest === null || afterIndex >= oldest.index ||",
    "complete: oldest === null || afterIndex >= 0 ||",
  ),
  plant(
    "token-used-twice",
    NODES,
    "batch.changeTokens().set(tokenId, Object.freeze({ ...token, usedBy: nodeId }));",
    "batch.changeTokens().set(tokenId, Object.freeze({ ...token, usedBy: null }));",
  ),
  plant("token-outlives-its-time", NODES, "if (token.expiresAtMs <= batch.timeMs)", "if (token.expiresAtMs <= 0)"),
  plant(
    "revoked-token-opens",
    NODES,
    'if (token.revokedAtMs !== null) return refused({ kind: "tokenRevoked" });',
    'if (token.revokedAtMs === 0) return refused({ kind: "tokenRevoked" });',
  ),
  plant("token-revoked-anew", TOKENS, "if (token.revokedAtMs === null) {", "if (token.revokedAtMs !== 0) {"),
  plant("quota-off-by-one", TENANTS, "wanted[resource] > quota[resource])", "wanted[resource] >= quota[resource])"),
  plant("rate-not-counted", TENANTS, "milliTokens: now - 1000, atMs", "milliTokens: now, atMs"),
  plant(
    "exists-after-quota",
    VMS,
    "      if (batch.vm(name) !== null) return VM_EXISTS;\n",
    '      if (batch.vm(name) !== null) return takeToken(batch, spec.tenant, "creates") ?? VM_EXISTS;\n',
  ),
  plant(
    "time-goes-back",
    APPLY,
    "if (stamp.wallMs > batch.timeMs) batch.timeMs = stamp.wallMs;",
    "batch.timeMs = stamp.wallMs;",
  ),
  plant(
    "address-count-not-given-back",
    POOLS,
    "Object.freeze({ ...pool, usedCount: pool.usedCount - 1 })",
    "Object.freeze({ ...pool, usedCount: Math.max(1, pool.usedCount - 1) })",
  ),
  plant(
    "overlap-across-vlans-only",
    POOLS,
    "if (other.spec.vlan === spec.vlan && poolsOverlap",
    "if (other.spec.vlan !== spec.vlan && poolsOverlap",
  ),
];
