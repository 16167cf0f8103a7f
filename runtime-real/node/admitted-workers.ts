/** Which peers are workers that are no members, by this node's replicated state and configuration. */
import { type Node, nodeIdOf, nodeOf, type PeerId, tableValues } from "../../core/index.ts";

type View = Pick<Node, "configuration" | "state">;

export class AdmittedWorkers {
  readonly #node: View;
  /** The workers in this configuration and these records. Asked for every connection and report, so it is kept. */
  #known: {
    readonly configuration: View["configuration"];
    readonly nodes: View["state"]["nodes"];
    readonly peerIds: ReadonlySet<PeerId>;
  } | null = null;

  constructor(node: View) {
    this.#node = node;
  }

  /** A worker was admitted and is no member. A node that has been a member never becomes a worker. */
  has(peerId: PeerId): boolean {
    return this.#peerIds().has(peerId);
  }

  /** Whether it was a worker and has been removed. Members that were removed are in the configuration instead. */
  isRemoved(peerId: PeerId): boolean {
    const { state } = this.#node;
    const id = nodeIdOf(state, peerId);
    return id !== null && nodeOf(state, id)?.role === "removed";
  }

  #peerIds(): ReadonlySet<PeerId> {
    const { configuration, state } = this.#node;
    const known = this.#known;
    if (known?.configuration === configuration && known.nodes === state.nodes) return known.peerIds;
    const retired = new Set(configuration.retired.map(({ peerId }) => peerId));
    const peerIds = new Set<PeerId>();
    for (const { peerId, role } of tableValues(state.nodes))
      if (role === "none" && !retired.has(peerId)) peerIds.add(peerId);
    this.#known = { configuration, nodes: state.nodes, peerIds };
    return peerIds;
  }
}
