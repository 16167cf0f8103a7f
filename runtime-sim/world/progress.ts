/**
 * How far the cluster has come, as its honest members know it, and who is told of it. Updated once after every step of
 * a node.
 */
import type { ClusterState, Node, PeerId } from "../../core/index.ts";
import type { SimMember } from "./member.ts";

/** The moments of a leadership at which a fault may strike. */
export type LeaderMoment = "elected" | "commits";

export interface LeaderTrap {
  readonly moment: LeaderMoment;
  readonly spring: (member: SimMember) => void;
}

export class Progress {
  /** The highest index that any honest host has known to be committed. */
  commitIndex = 0;
  elections = 0;
  /** Called with whoever is elected, or leads and commits for the first time in its term. */
  readonly leaderTraps = new Set<LeaderTrap>();
  /** Told of each state that is newer than any before it: of committed entries there is one history only. */
  stateWatch: ((state: ClusterState) => void) | null = null;
  /** Told of each step of a leader that is honest. */
  leaderWatch: ((leader: SimMember, node: Node) => void) | null = null;
  /** Told of each report of a worker that comes to a member, from the worker or passed on: whose it is. */
  reportWatch: ((peerId: PeerId) => void) | null = null;
  #newestStateIndex = 0;

  stepped(member: SimMember, node: Node): void {
    const leads = node.role === "leader";
    if (leads !== member.wasLeader) {
      member.wasLeader = leads;
      if (leads) {
        this.elections += 1;
        this.#springTraps("elected", member);
      }
    }
    // A node that halts breaks off its step: what it has applied in it nobody else is told of either.
    const isWhole = member.honest && !node.halted;
    if (leads && isWhole) this.leaderWatch?.(member, node);
    if (this.stateWatch !== null && isWhole && node.state.appliedIndex > this.#newestStateIndex) {
      this.#newestStateIndex = node.state.appliedIndex;
      this.stateWatch(node.state);
    }
    if (node.commitIndex > this.commitIndex && member.honest) {
      this.commitIndex = node.commitIndex;
      if (leads && member.committedTerm !== node.term) {
        member.committedTerm = node.term;
        this.#springTraps("commits", member);
      }
    }
  }

  #springTraps(now: LeaderMoment, member: SimMember): void {
    for (const { moment, spring } of [...this.leaderTraps]) if (moment === now) spring(member);
  }
}
