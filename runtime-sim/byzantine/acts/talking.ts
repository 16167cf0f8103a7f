/** Lies about who says something, when, and whether at all: replay, forged senders, silence. */
import type { Message, MessageType, NodeId } from "../../../core/index.ts";
import type { NodeView } from "../../world/index.ts";
import { type Act, type Demand, type Mouth, othersOf, someOthers } from "../lie.ts";

const MEMORY_MAX = 64;

export const replay: Act = (mouth) => {
  const { rng, self } = mouth;
  const own: Message[] = [];
  const others: Message[] = [];

  function remember(memory: Message[], message: Message): void {
    if (memory.length < MEMORY_MAX) memory.push(message);
    // Old and new ones side by side.
    else if (rng.chance(0.1)) memory[rng.integer(0, MEMORY_MAX - 1)] = message;
  }

  return {
    heard(_from, message) {
      remember(others, message);
      return message;
    },
    instead(_node, message) {
      remember(own, message);
      return message;
    },
    beside(node) {
      if (!mouth.tempted()) return [];
      if (rng.chance(0.5)) return own.length === 0 ? [] : [mouth.lie(rng.pick(own))];
      if (others.length === 0) return [];
      const old = rng.pick(others);
      // It keeps its original receiver, which is the liar itself.
      if (rng.chance(0.2)) return someOthers(mouth, node).map((to) => mouth.lie({ ...old, to, from: self.id }));
      return someOthers(mouth, node).map((to) => saidAs(mouth, { ...old, to }, old.from));
    },
  };
};

export const identityForgery: Act = (mouth) => {
  const { rng } = mouth;
  const forged: Message[] = [];
  return {
    instead(node, message) {
      if (forged.length < 4 && mouth.tempted()) {
        const victims = othersOf(mouth, node).filter((id) => id !== message.to);
        if (victims.length > 0) forged.push(saidAs(mouth, message, rng.pick(victims)));
      }
      return message;
    },
    beside() {
      return forged.splice(0);
    },
  };
};

/** In another member's name. */
export function saidAs(mouth: Mouth, message: Message, name: NodeId): Message {
  const forged: Message = { ...message, from: name };
  return mouth.lie(forged, mustSeeThrough(forged, mouth.self.runtime.peerId));
}

/** Whoever knows the member knows that this connection is not its own. */
export function mustSeeThrough({ from, to }: Message, peerId: string): Demand {
  return (receiver: NodeView) => {
    const bound = receiver.configuration.members.find(({ id }) => id === from)?.peerId;
    return to === receiver.id && bound !== undefined && bound !== peerId ? ["impersonation"] : null;
  };
}

export const silence: Act = (mouth) => ({ instead: () => mouth.withheld() });

/** What one may keep to itself and still look alive. */
const KINDS: readonly (readonly MessageType[])[] = [
  ["appendResponse", "snapshotResponse"],
  ["append", "snapshotChunk"],
  ["voteResponse", "requestVote"],
  ["heartbeat", "heartbeatResponse"],
  ["forwardResponse", "readIndexResponse"],
];

export const selectiveSilence: Act = (mouth) => {
  const { rng } = mouth;
  const kinds = rng.chance(0.5) ? null : rng.pick(KINDS);
  let shunned: readonly NodeId[] | null = null;
  return {
    instead(node, message) {
      shunned ??= someOthers(mouth, node);
      const isShunned = kinds === null ? shunned.includes(message.to) : kinds.includes(message.type);
      return isShunned ? mouth.withheld() : message;
    },
  };
};
