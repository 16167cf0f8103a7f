/** When entries are committed (thesis 3.5, 3.6). */
import { changeCommitted } from "./membership.ts";
import { quorumValue } from "./quorum.ts";
import { confirmReads } from "./rounds.ts";
import { tellCommit } from "./sending.ts";
import type { RaftState } from "./state.ts";

/** Commits what a quorum holds durably, if the last of it is of this term (paper 5.4.2, figure 8). */
export function advanceCommit(raft: RaftState): void {
  if (raft.role !== "leader") return;
  const reached = quorumValue(raft.configuration, (id) =>
    id === raft.id ? raft.log.stableIndex : (raft.progress.get(id)?.match ?? 0),
  );
  if (reached <= raft.commitIndex || raft.log.termAt(reached) !== raft.term) return;
  for (let index = raft.commitIndex + 1; index <= reached; index++) {
    raft.uncommittedBytes -= raft.log.entryAt(index)?.data.length ?? 0;
  }
  const before = raft.commitIndex;
  raft.commitIndex = reached;
  raft.pruneConfigurations();
  if (raft.latest.index > before) changeCommitted(raft);
  confirmReads(raft);
  for (const [id, progress] of raft.progress) tellCommit(raft, id, progress);
}
