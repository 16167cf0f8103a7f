/** Options of one node. Every member of a cluster should use the same values; safety does not depend on it. */
export interface RaftOptions {
  /**
   * Shortest silence after which a follower campaigns; each wait is drawn anew from [this, 2 × this). Also how long a
   * leader leads without hearing a quorum, and how long a follower refuses other candidates after hearing its leader.
   * Keep it ten times `heartbeatMs` or more.
   */
  readonly electionTimeoutMs: number;
  /** How often a leader sends heartbeats. */
  readonly heartbeatMs: number;
  /** Appends in flight to one follower. */
  readonly maxInflightMessages: number;
  /** Bytes of entries in flight to one follower. At least one append is always allowed. */
  readonly maxInflightBytes: number;
  /** Bytes of entries in one append; one entry always fits. */
  readonly maxAppendBytes: number;
  /** Bytes of entries that a leader holds uncommitted before it refuses more. Bounds memory when a quorum is gone. */
  readonly maxUncommittedBytes: number;
  /** Largest command a client may propose, in bytes. */
  readonly maxRequestBytes: number;
  /** Requests a node keeps waiting at a time. */
  readonly maxPendingRequests: number;
  /**
   * A batch of proposals is appended when it reaches this many, or `batchBytes`, or `batchMs` of age, or at once when
   * the disk is idle.
   */
  readonly batchEntries: number;
  readonly batchBytes: number;
  readonly batchMs: number;
  /** How long a request waits for its outcome before it is answered `outcomeUnknown` or `readTimedOut`. */
  readonly requestTimeoutMs: number;
  /**
   * Applied entries before the first snapshot, and the least number of them between later ones. A later snapshot also
   * waits until the entries since the last one are as long as that snapshot: so the cost of snapshots stays in
   * proportion to what is written, however large the state is.
   */
  readonly snapshotAfterEntries: number;
  readonly snapshotEveryEntries: number;
  /** Entries kept behind a snapshot, so that a follower a little behind needs no snapshot. */
  readonly snapshotTrailingEntries: number;
  readonly snapshotChunkBytes: number;
  /**
   * Whether `lease` reads are served without a round to the quorum (thesis 6.4.1). They trust `clockDriftBound`; the
   * default read does not.
   */
  readonly leaseReads: boolean;
  /** Largest relative rate error between any two monotonic clocks, as a fraction. Only leases trust it. */
  readonly clockDriftBound: number;
}

export const DEFAULT_RAFT_OPTIONS: RaftOptions = {
  electionTimeoutMs: 1000,
  heartbeatMs: 100,
  maxInflightMessages: 64,
  maxInflightBytes: 4 * 1024 * 1024,
  maxAppendBytes: 256 * 1024,
  maxUncommittedBytes: 16 * 1024 * 1024,
  maxRequestBytes: 1024 * 1024,
  maxPendingRequests: 4096,
  batchEntries: 100,
  batchBytes: 1024 * 1024,
  batchMs: 10,
  requestTimeoutMs: 5000,
  snapshotAfterEntries: 1000,
  snapshotEveryEntries: 500,
  snapshotTrailingEntries: 100,
  snapshotChunkBytes: 64 * 1024,
  leaseReads: false,
  clockDriftBound: 0.05,
};

/**
 * Refuses options with which a node could not work.
 *
 * @throws RangeError that names the option and what it must be.
 */
export function checkRaftOptions(options: RaftOptions): void {
  const { electionTimeoutMs, heartbeatMs, clockDriftBound, maxRequestBytes, maxUncommittedBytes } = options;
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === "number" && !(value >= 0 && Number.isFinite(value))) {
      throw new RangeError(`${name} must be a finite number and not negative, not ${value}`);
    }
  }
  if (heartbeatMs <= 0) throw new RangeError("heartbeatMs must be more than 0");
  if (electionTimeoutMs < 2 * heartbeatMs) {
    throw new RangeError(
      `electionTimeoutMs must be at least twice heartbeatMs, ${2 * heartbeatMs}, not ${electionTimeoutMs}`,
    );
  }
  if (clockDriftBound >= 0.5) throw new RangeError(`clockDriftBound must be below 0.5, not ${clockDriftBound}`);
  if (maxRequestBytes > maxUncommittedBytes) {
    throw new RangeError(
      `maxRequestBytes must not exceed maxUncommittedBytes, ${maxUncommittedBytes}, but is ${maxRequestBytes}`,
    );
  }
}
