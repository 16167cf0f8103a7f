/** Whether a majority of the voters can be reached. */
import type { NodeId } from "../../core/index.ts";
import type { AnswerOf } from "./procedures.ts";
import type { Served } from "./served.ts";

/** By the connections of this node. In a joint configuration: of the half that has lost its quorum, if one has. */
export function quorumOf(served: Served): AnswerOf<"cluster.status">["quorum"] {
  const { voters, outgoing } = served.node.configuration;
  const isJoint = outgoing.length > 0;
  const connected = new Set(served.peerStatus().flatMap((peer) => (peer.connected ? [peer.id] : [])));
  connected.add(served.node.id);
  const half = (ids: readonly NodeId[]) => {
    const missing = ids.filter((id) => !connected.has(id));
    const needed = Math.floor(ids.length / 2) + 1;
    const present = ids.length - missing.length;
    return { has: present >= needed, needed, connected: present, missing, isJoint };
  };
  const incoming = half(voters);
  if (!incoming.has || !isJoint) return incoming;
  const leaving = half(outgoing);
  return leaving.has ? incoming : leaving;
}
