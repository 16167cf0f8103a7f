/** Lies about who says something, when, and whether at all: replay, forged senders, silence. */
import type { Message, MessageType, NodeId } from "../../../core/index.ts";
import type { NodeView } from "../../world/index.ts";
import { type Act, type Demand, othersOf, type Speaker, someOthers } from "../lie.ts";

const MEMORY_MAX = 64;

export const replay: Act = (speaker) => {
  const { rng, self } = speaker;
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
      if (!speaker.ventures()) return [];
      if (rng.chance(0.5)) return own.length === 0 ? [] : [speaker.lie(rng.pick(own))];
      if (others.length === 0) return [];
      const old = rng.pick(others);
      // It keeps its original receiver, which is the liar itself.
      if (rng.chance(0.2)) return someOthers(speaker, node).map((to) => speaker.lie({ ...old, to, from: self.id }));
      return someOthers(speaker, node).map((to) => saidAs(speaker, { ...old, to }, old.from));
    },
  };
};

export const identityForgery: Act = (speaker) => {
  const { rng } = speaker;
  const forged: Message[] = [];
  return {
    instead(node, message) {
      if (forged.length < 4 && speaker.tempted()) {
        const victims = othersOf(speaker, node).filter((id) => id !== message.to);
        if (victims.length > 0) forged.push(saidAs(speaker, message, rng.pick(victims)));
      }
      return message;
    },
    beside() {
      return forged.splice(0);
    },
  };
};

/** In another member's name. */
export function saidAs(speaker: Speaker, message: Message, name: NodeId): Message {
  const forged: Message = { ...message, from: name };
  return speaker.lie(forged, mustSeeThrough(forged, speaker.self.runtime.peerId));
}

/** Whoever knows the member knows that this connection is not its own. */
export function mustSeeThrough({ from, to }: Message, peerId: string): Demand {
  return (receiver: NodeView) => {
    const bound = receiver.configuration.members.find(({ id }) => id === from)?.peerId;
    return to === receiver.id && bound !== undefined && bound !== peerId ? ["impersonation"] : null;
  };
}

/** Longer than anybody waits for a leader. */
const SILENT_MS_MAX = 4000;

/** In spells, for one who never says anything is never elected, and then nobody misses it. */
export const silence: Act = (speaker) => {
  const { rng, self } = speaker;
  let untilMs = 0;
  let nextMs = 0;
  return {
    instead(node, message) {
      const nowMs = self.nowMs();
      if (nowMs >= nextMs && (node.role === "leader" || rng.chance(0.02))) {
        untilMs = nowMs + rng.integer(200, SILENT_MS_MAX);
        nextMs = untilMs + rng.integer(0, 2000);
      }
      return nowMs < untilMs ? speaker.withheld() : message;
    },
  };
};

/** What one may keep to itself and still look alive. */
const KINDS: readonly (readonly MessageType[])[] = [
  ["appendResponse", "snapshotResponse"],
  ["append", "heartbeat", "snapshotChunk"],
  ["voteResponse"],
  ["heartbeat", "append"],
  ["forwardResponse", "readIndexResponse"],
];

export const selectiveSilence: Act = (speaker) => {
  const { rng } = speaker;
  const kinds = rng.chance(0.5) ? null : rng.pick(KINDS);
  let shunned: readonly NodeId[] | null = null;
  return {
    instead(node, message) {
      shunned ??= someOthers(speaker, node);
      const isShunned = kinds === null ? shunned.includes(message.to) : kinds.includes(message.type);
      return isShunned ? speaker.withheld() : message;
    },
  };
};
