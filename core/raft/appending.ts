/** A leader's own entries (thesis 3.5, 10.2.1). */
import { Progress } from "./progress.ts";
import { broadcastAppend } from "./sending.ts";
import type { RaftState } from "./state.ts";
import type { Entry, EntryKind } from "./types.ts";

/** Puts new entries into the leader's log and on their way; the leader's own disk writes them meanwhile (thesis 10.2.1). */
export function appendAsLeader(raft: RaftState, kind: EntryKind, data: readonly Uint8Array[]): Entry[] {
  const entries = data.map((bytes) => raft.log.create(raft.term, kind, bytes));
  for (const entry of entries) {
    raft.uncommittedBytes += entry.data.length;
    if (kind === "configuration") {
      raft.place(entry);
      syncProgress(raft);
    }
  }
  raft.matchedIndex = raft.log.lastIndex;
  broadcastAppend(raft);
  return entries;
}

/** Keeps one progress for each other member of the configuration. */
export function syncProgress(raft: RaftState): void {
  const { members } = raft.configuration;
  for (const { id } of members) {
    if (id !== raft.id && !raft.progress.has(id))
      raft.progress.set(id, new Progress(raft.log.lastIndex + 1, raft.nowMs));
  }
  for (const id of raft.progress.keys()) {
    if (!members.some((member) => member.id === id)) raft.progress.delete(id);
  }
}
