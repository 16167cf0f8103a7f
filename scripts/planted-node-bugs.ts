/**
 * Bugs of consensus and of nodes, planted to test the oracles that ask all the time: elections, leases and reads,
 * transfers, membership, snapshots, sessions, durable writes, what is forgotten when it is done.
 */
import type { Plant } from "./planted-bugs.ts";

export const NODE_PLANTS: readonly Plant[] = [
  {
    name: "rolled-back-configuration-stays",
    scenario: "membership-churn",
    file: "core/raft/roster.ts",
    edits: [
      {
        find: "while (this.#configurations.length > 1 && this.latest.index > index) this.#configurations.pop();",
        replace: "",
      },
    ],
  },
  {
    name: "joint-decided-by-one-half",
    scenario: "membership-churn",
    file: "core/raft/quorum.ts",
    edits: [
      {
        find: "return Math.min(incoming, majorityValue(configuration.outgoing, valueFor));",
        replace: "return incoming;",
      },
    ],
  },
  {
    name: "snapshot-configuration-not-adopted",
    scenario: ["membership-churn", "wiped-disks"],
    file: "core/raft/roster.ts",
    edits: [
      {
        find: "if (trusted === undefined || trusted.index < meta.configurationIndex) {",
        replace: "if (trusted === undefined) {",
      },
    ],
  },
  {
    name: "change-before-own-commit",
    // The known bug is one of single-server changes. Here every change goes through a joint configuration, in which
    // both a change that the leader does not know of and its own need a majority of the old voters for whatever they
    // decide: the two have no disjoint quorums. A change in the leader's own log that is not committed is refused by
    // the next check. What the check saves is the time of a change that will be cut off.
    masked: "two joint configurations that follow from the same one have no disjoint quorums",
    scenario: ["membership-churn", "swarm"],
    file: "core/raft/membership.ts",
    edits: [
      {
        find: "if (raft.commitIndex < raft.leadership.termStartIndex) {",
        replace: "if (raft.commitIndex < 0) {",
      },
    ],
  },
  {
    name: "promoted-before-caught-up",
    scenario: ["membership-churn", "wiped-disks", "snapshot-catch-up"],
    file: "core/raft/membership.ts",
    edits: [
      {
        find: `if (progress?.mode !== "replicate") return false;
  // One that does not answer has not caught up, however short the log is.
  return isHeard(raft, id) && progress.match + raft.options.snapshotTrailingEntries >= raft.commitIndex;`,
        replace: "return progress !== undefined;",
      },
    ],
  },
  {
    name: "check-quorum-off",
    scenario: ["partial-partition", "partitions"],
    file: "core/raft/leading.ts",
    edits: [
      {
        find: "if (raft.nowMs - heardMs >= raft.options.electionTimeoutMs) {",
        replace: "if (raft.nowMs - heardMs >= 1e9) {",
      },
    ],
  },
  {
    name: "no-leader-stickiness",
    scenario: ["partitions", "partial-partition"],
    file: "core/raft/election.ts",
    edits: [
      {
        find: 'if (raft.role !== "leader" && raft.nowMs >= raft.lastLeaderContactMs + raft.options.electionTimeoutMs) return false;',
        replace: "if (raft.nowMs >= 0) return false;",
      },
    ],
  },
  {
    name: "read-by-the-round-before",
    scenario: ["clock-skew", "partitions", "lease-reads"],
    file: "core/raft/reads.ts",
    edits: [
      {
        find: "raft.reads.add(origin, raft.commitIndex, raft.leadership.round + 1);",
        replace: "raft.reads.add(origin, raft.commitIndex, raft.leadership.round);",
      },
    ],
  },
  {
    name: "read-served-before-applied",
    scenario: ["flaky-network", "swarm"],
    file: "core/node/client-reads.ts",
    edits: [
      {
        find: "} else if (index <= this.#replica.appliedIndex) {",
        replace: "} else if (index <= this.#replica.appliedIndex + 1) {",
      },
    ],
  },
  {
    name: "read-never-times-out",
    scenario: "partitions",
    file: "core/node/client-requests.ts",
    edits: [
      {
        find: 'if (request.kind === "read") this.reads.timedOut(ticket);',
        replace: 'if (request.kind === "read") continue;',
      },
    ],
  },
  {
    name: "time-outs-wake-nobody",
    scenario: ["partitions", "membership-churn", "swarm"],
    file: "core/node/node.ts",
    edits: [
      { find: "const atMs = Math.min(parts, this.#clients.pending.deadlineMs);", replace: "const atMs = parts;" },
    ],
  },
  {
    name: "transfer-never-given-up",
    scenario: ["transfer-storm", "lease-reads"],
    file: "core/raft/leading.ts",
    edits: [
      {
        find: "if (transferring !== null && raft.nowMs >= transferring.deadlineMs) {",
        replace: "if (transferring !== null && raft.nowMs < 0) {",
      },
    ],
  },
  {
    name: "uncommitted-bytes-never-freed",
    scenario: "flaky-network",
    file: "core/raft/commit.ts",
    edits: [
      {
        find: "raft.leadership.addUncommitted(-(raft.log.entryAt(index)?.data.length ?? 0));",
        replace: "raft.leadership.addUncommitted(0);",
      },
    ],
  },
  {
    name: "in-flight-bytes-kept",
    scenario: "flaky-network",
    file: "core/raft/progress.ts",
    edits: [
      {
        find: `this.#lastIndexes.length = 0;
    this.#sizes.length = 0;
    this.#bytes = 0;`,
        replace: `this.#lastIndexes.length = 0;
    this.#sizes.length = 0;`,
      },
    ],
  },
  {
    name: "lost-appends-not-sent-again",
    scenario: ["flaky-network", "partitions"],
    file: "core/raft/leading.ts",
    edits: [
      {
        find: "if (progress.inflight > 0 && overdue) {",
        replace: "if (progress.inflight < 0) {",
      },
    ],
  },
  {
    name: "installed-but-unsynced",
    scenario: ["snapshot-catch-up", "swarm"],
    file: "core/raft/snapshot-receiving.ts",
    edits: [
      {
        find: 'if (outcome === "installed") raft.outbox.sendDurably(response);',
        replace: 'if (outcome === "installed") raft.outbox.send(response);',
      },
    ],
  },
  {
    name: "stable-beyond-truncation",
    scenario: ["leader-churn", "swarm"],
    file: "core/raft/outbox.ts",
    edits: [
      {
        find: "write.stableIndex = Math.min(write.stableIndex, index);\n      write.messages",
        replace: "write.messages",
      },
    ],
  },
  {
    name: "acknowledges-what-was-cut",
    // The acknowledgement leaves when its write is durable, so it is true then; and it is counted by a leader of the
    // earlier term alone. Could that leader commit by it what a later leader has cut off? Whoever acknowledged the
    // entry had it in its log when it voted later. So of the later leader's voters and a quorum of acknowledgements one
    // is in both, and has not voted for a log without the entry.
    masked: "no quorum acknowledges an entry that a later leader lacks, however late the acknowledgements come",
    scenario: ["leader-churn", "swarm"],
    file: "core/raft/outbox.ts",
    edits: [
      {
        find: "write.messages = write.messages.filter((message) => !acknowledgesBeyond(message, index));",
        replace: "",
      },
    ],
  },
  {
    name: "sequence-too-old-applied",
    scenario: ["flaky-network", "crash-restart"],
    file: "core/cluster/apply.ts",
    edits: [{ find: "if (sequence < lowestUnacknowledged)", replace: "if (sequence < 0)" }],
  },
  {
    name: "check-quorum-too-early",
    scenario: ["transfer-storm", "snapshot-catch-up"],
    file: "core/raft/leading.ts",
    edits: [
      {
        find: "if (raft.nowMs - heardMs >= raft.options.electionTimeoutMs) {",
        replace: "if (raft.nowMs - heardMs >= raft.options.heartbeatMs) {",
      },
    ],
  },
  {
    name: "lease-too-long",
    scenario: "lease-reads",
    file: "core/raft/reads.ts",
    edits: [
      {
        find: "raft.options.electionTimeoutMs * (1 - 2 * raft.options.clockDriftBound);",
        replace: "raft.options.electionTimeoutMs * 2;",
      },
    ],
  },
  {
    name: "read-before-own-commit",
    scenario: ["leader-churn", "leader-hunt"],
    file: "core/raft/reads.ts",
    edits: [
      {
        find: "if (raft.commitIndex < raft.leadership.termStartIndex) {",
        replace: "if (raft.commitIndex < 0) {",
      },
    ],
  },
];
