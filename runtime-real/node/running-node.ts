/** A running node, a member or a worker that is no member. */
import type { NodeId, PeerId } from "../../core/index.ts";

export interface RunningNode {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly peerId: PeerId;
  /** Where its peers reach it. */
  readonly addresses: readonly string[];
  /** Where commands on this host reach it; null: a worker that is no member has no API. */
  readonly socketPath: string | null;
  readonly apiAddress: string | null;
  /** Resolves when the node has ended by itself. It must be stopped all the same. */
  readonly ended: Promise<NodeEnd>;
  /** Hands leadership over, finishes what is under way, and closes everything, within about `limitMs`. Idempotent. */
  stop(limitMs: number): Promise<void>;
}

export type NodeEnd = { readonly kind: "removed" } | { readonly kind: "halted"; readonly reason: string };
