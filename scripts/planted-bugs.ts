/**
 * Known bugs, as edits to the core. Production code has no switch for any of them. Those in this file are real ones of
 * other systems.
 */
import { ANSWER_PLANTS } from "./planted-answer-bugs.ts";
import { BLIND_PLANTS } from "./planted-blind-bugs.ts";
import { IDENTITY_PLANTS } from "./planted-identity-bugs.ts";
import { NODE_PLANTS } from "./planted-node-bugs.ts";
import { ORCHESTRATION_PLANTS } from "./planted-orchestration-bugs.ts";
import { STATE_PLANTS } from "./planted-state-bugs.ts";

export interface Plant {
  /** Where other systems have had it: what the hazard is called there. */
  readonly name: string;
  /** Whose sweep finds it. Of several each is swept, until one does. */
  readonly scenario: string | readonly string[];
  /** Why nobody could tell: it changes nothing, or something else hides it. Then it is wrong if a sweep finds it. */
  readonly masked?: string;
  readonly file: string;
  readonly edits: readonly Edit[];
}

export interface Edit {
  /** Must occur exactly once, or the plant is stale and the script fails. */
  readonly find: string;
  readonly replace: string;
}

const RAFT_PLANTS: readonly Plant[] = [
  {
    name: "figure-eight",
    scenario: "leader-churn",
    file: "core/raft/commit.ts",
    edits: [
      {
        find: "if (raft.log.termAt(reached) !== raft.term) {",
        replace: "if (raft.log.termAt(reached) > raft.term) {",
      },
    ],
  },
  {
    name: "vote-before-durable",
    scenario: "crash-restart",
    file: "core/raft/election.ts",
    edits: [
      {
        find: `raft.resetElectionDeadline();
  raft.outbox.sendDurably({`,
        replace: `raft.resetElectionDeadline();
  raft.outbox.send({`,
      },
    ],
  },
  {
    name: "acked-but-unsynced",
    scenario: "crash-restart",
    file: "core/raft/following.ts",
    edits: [
      {
        find: 'if (outcome === "matched") raft.outbox.sendDurably(response);',
        replace: 'if (outcome === "matched") raft.outbox.send(response);',
      },
    ],
  },
  {
    name: "term-reset-on-restart",
    scenario: "crash-restart",
    file: "core/raft/state.ts",
    edits: [
      {
        find: "this.#term = hardState?.term ?? 0;",
        replace: "this.#term = hardState === null ? 0 : 0;",
      },
    ],
  },
  {
    name: "former-candidate-votes-twice",
    scenario: "swarm",
    file: "core/raft/election.ts",
    edits: [
      {
        find: "const free = raft.votedFor === NOBODY && raft.recognized === null;",
        replace: 'const free = raft.role === "follower" && raft.recognized === null;',
      },
    ],
  },
  {
    name: "single-node-loses-ack",
    scenario: "crash-restart",
    file: "core/raft/commit.ts",
    edits: [
      {
        find: "id === raft.id ? raft.log.stableIndex : (raft.leadership.progress.get(id)?.match ?? 0),",
        replace: "id === raft.id ? raft.log.lastIndex : (raft.leadership.progress.get(id)?.match ?? 0),",
      },
    ],
  },
  {
    name: "append-cuts-matching-tail",
    scenario: "flaky-network",
    file: "core/raft/following.ts",
    edits: [
      {
        find: "if (!acceptEntries(raft, message, entries, prevIndex + 1, message.prevChain)) return;",
        replace: `if (prevIndex >= raft.commitIndex && prevIndex < log.lastIndex) raft.truncateAfter(prevIndex);
  if (!acceptEntries(raft, message, entries, prevIndex + 1, message.prevChain)) return;`,
      },
    ],
  },
  {
    name: "log-id-compared-wrong",
    scenario: "leader-hunt",
    file: "core/raft/log.ts",
    edits: [
      {
        find: "return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);",
        replace: "return lastTerm >= this.lastTerm || lastIndex >= this.lastIndex;",
      },
    ],
  },
  {
    name: "follower-commits-unverified",
    scenario: "swarm",
    file: "core/raft/following.ts",
    edits: [
      {
        find: "commitAsFollower(raft, Math.min(message.commit, raft.matchedIndex));\n  }",
        replace: "commitAsFollower(raft, Math.min(message.commit + 1, raft.log.lastIndex));\n  }",
      },
    ],
  },
  {
    name: "commit-without-quorum",
    scenario: "partitions",
    file: "core/raft/quorum.ts",
    edits: [{ find: "return Math.floor(voters / 2) + 1;", replace: "return Math.max(1, Math.floor(voters / 2));" }],
  },
  {
    name: "read-without-quorum",
    scenario: "clock-skew",
    file: "core/raft/rounds.ts",
    edits: [
      {
        find: "id === raft.id ? leadership.round : (leadership.progress.get(id)?.round ?? 0),",
        replace:
          'id === raft.id || raft.role === "leader" ? leadership.round : (leadership.progress.get(id)?.round ?? 0),',
      },
    ],
  },
  {
    name: "lease-read-transfer",
    scenario: "lease-reads",
    file: "core/raft/reads.ts",
    edits: [
      {
        find: "if (raft.leadership.transferring !== null || raft.leadership.leaseBlocked) {",
        replace: "if (raft.leadership.transferring !== null && raft.leadership.transferring.to < 0) {",
      },
    ],
  },
  {
    name: "retry-applied-twice",
    scenario: "flaky-network",
    file: "core/cluster/apply.ts",
    edits: [{ find: "if (earlier !== null) {", replace: "if (earlier !== null && earlier.ok === false) {" }],
  },
];

/** All of them, those of consensus first. */
export const PLANTS: readonly Plant[] = [
  ...RAFT_PLANTS,
  ...NODE_PLANTS,
  ...STATE_PLANTS,
  ...IDENTITY_PLANTS,
  ...ORCHESTRATION_PLANTS,
  ...ANSWER_PLANTS,
  ...BLIND_PLANTS,
];
