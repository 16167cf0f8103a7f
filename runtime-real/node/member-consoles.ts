/** The consoles that a member shows: where the hosts of VMs are, by its replicated state and configuration. */
import { type Node, type NodeId, nodeOf, type PeerId } from "../../core/index.ts";
import { ConsoleHost, Consoles, type ConsolesParts } from "../consoles/index.ts";
import type { Driver } from "../worker/index.ts";

/** A worker that hears nothing of its server goes to another one within a second or two. */
const PATIENCE_MS = 3000;

export interface MemberConsolesParts extends Pick<ConsolesParts, "open"> {
  readonly nodeId: NodeId;
  readonly node: Pick<Node, "configuration" | "state">;
  driver(): Driver | null;
}

export function memberConsoles({ nodeId, node, driver, open }: MemberConsolesParts): Consoles {
  return new Consoles({
    workerId: nodeId,
    host: new ConsoleHost({ workerId: nodeId, driver }),
    open,
    peerIdOf: (id) => memberOf(node, id) ?? workerOf(node, id),
    patienceMs: PATIENCE_MS,
    members: () => node.configuration.members.flatMap(({ id, peerId }) => (id === nodeId ? [] : [peerId])),
  });
}

function memberOf({ configuration }: Pick<Node, "configuration">, id: NodeId): PeerId | null {
  return configuration.members.find((member) => member.id === id)?.peerId ?? null;
}

/** Null: it was removed, or never admitted. */
function workerOf({ state }: Pick<Node, "state">, id: NodeId): PeerId | null {
  const record = nodeOf(state, id);
  return record?.role === "none" ? record.peerId : null;
}
