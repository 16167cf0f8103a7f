/** Lies of a follower: about what it has stored, and answers that nobody asked it for. */
import type { Digest, Message, NodeId } from "../../../core/index.ts";
import { type Act, header, inventedText, someOthers } from "../lie.ts";

export const lyingAcknowledgement: Act = (speaker) => {
  const { rng } = speaker;
  return {
    instead(node, message) {
      if (message.type !== "appendResponse" || message.outcome === "staleTerm" || !speaker.tempted()) return message;
      const matchIndex = node.log.lastIndex + rng.integer(1, rng.chance(0.5) ? 3 : 1_000_000);
      const lie: Message = {
        ...message,
        outcome: "matched",
        matchIndex,
        matchChain: inventedText(rng),
        endorsement: null,
      };
      return speaker.lie(lie, ({ role, term, log }) => {
        if (role !== "leader" || term !== lie.term) return null;
        // What the leader has compacted away it can no longer compare.
        return matchIndex > log.lastIndex || log.chainAt(matchIndex) !== null ? ["lyingAcknowledgement"] : null;
      });
    },
  };
};

export const unstoredAcknowledgement: Act = (speaker) => {
  /** The end of what a leader has sent in this term, and what is claimed to be stored. */
  let seen: { readonly leader: NodeId; readonly term: number; readonly index: number; readonly chain: Digest } | null =
    null;
  return {
    heard(_from, message) {
      if (message.type !== "append") return message;
      const last = message.entries.at(-1);
      if (last === undefined) return message;
      const { from: leader, term } = message;
      if (seen === null || term > seen.term || (term === seen.term && last.index > seen.index)) {
        seen = { leader, term, index: last.index, chain: last.chain };
      }
      // Its core hears that the leader is alive, and nothing else.
      return { ...message, entries: [] };
    },
    instead(node, message) {
      if (message.type !== "appendResponse" || seen === null) return message;
      if (message.to !== seen.leader || message.term !== seen.term) return message;
      if (message.outcome !== "matched" && message.outcome !== "mismatch") return message;
      const { index: matchIndex, chain: matchChain } = seen;
      if (node.log.chainAt(matchIndex) === matchChain) return message;
      return speaker.lie({ ...message, outcome: "matched", matchIndex, matchChain, hintIndex: 0, hintTerm: 0 });
    },
  };
};

/** How many consecutive numbers are tried at a time. */
const GUESSES = 24;
/** How far a member's numbers may have advanced since its last message. */
const GUESS_AHEAD_MAX = 120;

export const falseAnswer: Act = (speaker) => {
  const { rng } = speaker;
  /** The latest number of each member's requests, from when they were asked of the liar as leader. They count up. */
  const numbers = new Map<NodeId, number>();
  return {
    heard(_from, message) {
      if (message.type === "forward" || message.type === "readIndex") numbers.set(message.from, message.requestId);
      return message;
    },
    beside(node) {
      if (node.role === "leader" || !speaker.ventures()) return [];
      const outcome = { kind: "appended", index: node.commitIndex + rng.integer(1, 3), term: node.term } as const;
      const isRead = rng.chance(0.5);
      const [to] = someOthers(speaker, node);
      const known = to === undefined ? undefined : numbers.get(to);
      if (to === undefined || known === undefined) return [];
      const first = known + rng.integer(0, GUESS_AHEAD_MAX);
      return Array.from({ length: GUESSES }, (_, at) => {
        const common = { ...header(speaker, to, node.term), requestId: first + at };
        return speaker.lie(
          isRead ? { type: "readIndexResponse", ...common, index: 0 } : { type: "forwardResponse", ...common, outcome },
        );
      });
    },
  };
};

export const falseLeaderAnswer: Act = (speaker) => {
  const asked: Message[] = [];
  return {
    heard(_from, message) {
      if (message.type !== "readIndex" && message.type !== "forward") return message;
      if (!speaker.tempted()) return message;
      asked.push(message);
      return null;
    },
    beside(node) {
      const said: Message[] = [];
      for (const message of asked.splice(0)) {
        const common = header(speaker, message.from, node.term);
        if (message.type === "readIndex") {
          const { requestId } = message;
          said.push(speaker.lie({ type: "readIndexResponse", ...common, requestId, index: 0 }));
        } else if (message.type === "forward") {
          // Whoever is next in the log: the follower waits for that entry, as if it were its own.
          const outcome = { kind: "appended", index: node.log.lastIndex + 1, term: node.term } as const;
          const { requestId } = message;
          said.push(speaker.lie({ type: "forwardResponse", ...common, requestId, outcome }));
        }
      }
      return node.role === "leader" ? said : [];
    },
  };
};
