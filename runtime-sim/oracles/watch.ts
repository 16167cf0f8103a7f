/** What one member looked like after its last step. */
import { type Configuration, type Digest, NOBODY, type NodeId } from "../../core/index.ts";
import type { MemberView, NodeView } from "../world/index.ts";
import type { Watched } from "./oracle.ts";

const NO_CONFIGURATION: Configuration = { voters: [], outgoing: [], learners: [], members: [], retired: [] };

/** One object per process: a restarted member gets another. */
export class Watch implements Watched {
  readonly member: MemberView;
  term = 0;
  votedFor: NodeId = NOBODY;
  role: NodeView["role"] = "follower";
  commitIndex = 0;
  commitChain: Digest | null = null;
  appliedIndex = 0;
  lastIndex = 0;
  lastChain: Digest | null = null;
  configuration: Configuration = NO_CONFIGURATION;

  constructor(member: MemberView) {
    this.member = member;
  }

  /** Remembers the node as it is. */
  take(node: NodeView): void {
    const log = node.log;
    this.term = node.term;
    this.votedFor = node.votedFor;
    this.role = node.role;
    this.commitIndex = node.commitIndex;
    this.commitChain = log.chainAt(node.commitIndex);
    this.appliedIndex = node.appliedIndex;
    this.lastIndex = log.lastIndex;
    this.lastChain = log.chainAt(log.lastIndex);
    this.configuration = node.configuration;
  }
}
