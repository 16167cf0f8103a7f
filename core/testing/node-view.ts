/** What the parts of a member see of its core, set by hand: configuration, replicated state, leader. */
import {
  applyEntries,
  type ClusterState,
  type Command,
  emptyState,
  encodeRequest,
  stampRequest,
} from "../cluster/index.ts";
import { type Configuration, type Member, NOBODY, type NodeId } from "../raft/index.ts";

export class NodeView {
  configuration: Configuration;
  state: ClusterState = emptyState();
  leaderId: NodeId = NOBODY;
  introduced: readonly Member[] = [];

  /** Members `peer-1`, `peer-2`, ... that all vote. */
  constructor(voters: readonly NodeId[]) {
    this.configuration = { voters, outgoing: [], learners: [], members: voters.map(memberOf), retired: [] };
  }

  /** Commits and applies it. @throws Error when it is refused */
  apply(command: Command): void {
    const data = stampRequest(encodeRequest({ session: null, command }), { wallMs: 0, proposer: 1 });
    const outcome = applyEntries(this.state, [{ index: this.state.appliedIndex + 1, term: 1, data }]);
    this.state = outcome.state;
    const [result] = outcome.results;
    if (result?.ok !== true) throw new Error(`refused: ${JSON.stringify(result)}`);
  }

  announce(nodeId: NodeId, ...addresses: string[]): void {
    this.apply({ kind: "announceNode", nodeId, peerId: `peer-${nodeId}`, addresses });
  }

  /** Whoever is in its configuration, and those that it has been shown with proof. */
  get peers(): ReadonlyMap<NodeId, string> {
    return new Map([...this.configuration.members, ...this.introduced].map(({ id, peerId }) => [id, peerId]));
  }

  /** As when a change of membership has taken it out. */
  retire(nodeId: NodeId): void {
    const { voters, members, retired } = this.configuration;
    this.configuration = {
      ...this.configuration,
      voters: voters.filter((id) => id !== nodeId),
      members: members.filter(({ id }) => id !== nodeId),
      retired: [...retired, memberOf(nodeId)],
    };
  }
}

function memberOf(id: NodeId): Member {
  return { id, peerId: `peer-${id}`, promote: true };
}
