/**
 * What the files of the protocol may read of the state. Each adds to it only what it changes: see the type at the head
 * of each file.
 */
import type { Leadership } from "./leadership.ts";
import type { RaftLog } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import type { Roster } from "./roster.ts";
import type { SignatureSet } from "./signature-set.ts";
import type { RaftState } from "./state.ts";

/** A log, to be read. */
export type LogView = Pick<
  RaftLog,
  "firstIndex" | "lastIndex" | "lastTerm" | "stableIndex" | "termAt" | "chainAt" | "entryAt" | "slice" | "take"
> &
  Pick<RaftLog, "follows" | "lastAtOrBefore" | "isUpToDate">;

type RosterView = Pick<
  Roster,
  "configurations" | "configuration" | "latest" | "lineage" | "introduced" | "promotable" | "peerOf" | "boundPeerOf"
>;

type LeadershipView = Pick<
  Leadership,
  "progress" | "round" | "sentMsOf" | "termStartIndex" | "transferring" | "leaseBlocked"
>;

/** The whole state, to be read. */
export interface StateView
  extends Pick<RaftState, "id" | "clusterId" | "incarnation" | "options" | "environment" | "nowMs">,
    Pick<RaftState, "term" | "votedFor" | "proof" | "role" | "leaderId" | "recognized" | "transferOrder">,
    Pick<RaftState, "lastLeaderContactMs" | "commitIndex" | "matchedIndex" | "snapshot"> {
  readonly log: LogView;
  readonly roster: RosterView;
  readonly leadership: LeadershipView;
  readonly votes: Pick<SignatureSet, "has" | typeof Symbol.iterator>;
}

/** May send messages that promise nothing. */
export interface Sender extends StateView {
  readonly outbox: Pick<Outbox, "send">;
}
