/** When entries are committed (thesis 3.5, 3.6). */
import { mark } from "../marks.ts";
import { changeCommitted, type MembershipState } from "./membership.ts";
import { quorumValue } from "./quorum.ts";
import { confirmReads } from "./rounds.ts";
import { tellCommit } from "./sending.ts";
import type { RaftState } from "./state.ts";

/** Advances the commit index, and what follows from that. */
export interface CommitState extends MembershipState, Pick<RaftState, "commitTo"> {}

/** Commits what a quorum holds durably, if the last of it is of this term (paper 5.4.2, figure 8). */
export function advanceCommit(raft: CommitState): void {
  if (raft.role !== "leader") return;
  const reached = quorumValue(raft.roster.configuration, (id) =>
    id === raft.id ? raft.log.stableIndex : (raft.leadership.progress.get(id)?.match ?? 0),
  );
  if (reached <= raft.commitIndex) return;
  if (raft.log.termAt(reached) !== raft.term) {
    mark("commit/of-former-term-waits");
    return;
  }
  for (let index = raft.commitIndex + 1; index <= reached; index++) {
    raft.leadership.addUncommitted(-(raft.log.entryAt(index)?.data.length ?? 0));
  }
  const before = raft.commitIndex;
  raft.commitTo(reached);
  if (raft.roster.latest.index > before) changeCommitted(raft);
  confirmReads(raft);
  for (const [id, progress] of raft.leadership.progress) tellCommit(raft, id, progress);
}
