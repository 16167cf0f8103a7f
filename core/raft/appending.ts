/** A leader's own entries (thesis 3.5, 10.2.1). */
import type { Leadership } from "./leadership.ts";
import type { RaftLog } from "./log.ts";
import type { Entry, EntryKind } from "./records.ts";
import type { Roster } from "./roster.ts";
import { broadcastAppend } from "./sending.ts";
import type { RaftState } from "./state.ts";
import type { Sender, StateView } from "./views.ts";

/** Adds entries to the log. */
export interface Appender extends Sender, Pick<RaftState, "matchTo"> {
  readonly log: StateView["log"] & Pick<RaftLog, "create">;
  readonly roster: StateView["roster"] & Pick<Roster, "place">;
  readonly leadership: StateView["leadership"] & Pick<Leadership, "addUncommitted" | "track">;
}

/**
 * Appends new entries to the leader's log and sends them. The leader's own disk writes them at the same time (thesis
 * 10.2.1).
 */
export function appendAsLeader(raft: Appender, kind: EntryKind, data: readonly Uint8Array[]): Entry[] {
  const entries = data.map((bytes) => raft.log.create(raft.term, kind, bytes));
  for (const entry of entries) {
    raft.leadership.addUncommitted(entry.data.length);
    if (kind === "configuration") {
      raft.roster.place(entry);
      raft.leadership.track(raft.roster.configuration, raft.log, raft.nowMs);
    }
  }
  raft.matchTo(raft.log.lastIndex);
  broadcastAppend(raft);
  return entries;
}
