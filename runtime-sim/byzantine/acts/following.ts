/** Lies of a follower: about what it has stored, and answers that nobody asked it for. */
import type { Digest, Message, NodeId } from "../../../core/index.ts";
import { type Act, header, inventedText, someOthers } from "../lie.ts";

export const lyingAcknowledgement: Act = (mouth) => {
  const { dice } = mouth;
  return {
    instead(node, message) {
      if (message.type !== "appendResponse" || message.outcome === "staleTerm" || !mouth.tempted()) return message;
      const matchIndex = node.log.lastIndex + dice.integer(1, dice.chance(0.5) ? 3 : 1_000_000);
      const lie: Message = { ...message, outcome: "matched", matchIndex, matchChain: inventedText(dice), endorsement: null };
      return mouth.lie(lie, ({ role, term, log }) => {
        if (role !== "leader" || term !== lie.term) return null;
        // What the leader has compacted away it can no longer compare.
        return matchIndex > log.lastIndex || log.chainAt(matchIndex) !== null ? ["lyingAcknowledgement"] : null;
      });
    },
  };
};

export const unstoredAcknowledgement: Act = (mouth) => {
  /** The end of what a leader has sent in this term, and what is claimed to be stored. */
  let seen: { readonly leader: NodeId; readonly term: number; readonly index: number; readonly chain: Digest } | null = null;
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
      return mouth.lie({ ...message, outcome: "matched", matchIndex, matchChain, hintIndex: 0, hintTerm: 0 });
    },
  };
};

const ANSWERS = 24;

export const falseAnswer: Act = (mouth) => {
  const { dice } = mouth;
  return {
    beside(node) {
      if (node.role === "leader" || !mouth.tempted()) return [];
      const { commitIndex, log } = node;
      const index = Math.max(1, commitIndex - dice.integer(0, 20));
      const outcome = { kind: "appended", index, term: log.termAt(index) ?? node.term } as const;
      // Numbers of requests count up from 1 in each process: one of many in a row may be under way.
      const first = dice.integer(1, 300);
      const isRead = dice.chance(0.5);
      return someOthers(mouth, node)
        .slice(0, 1)
        .flatMap((to) =>
          Array.from({ length: ANSWERS }, (_, at) => {
            const common = { ...header(mouth, to, node.term), requestId: first + at };
            return mouth.lie(
              isRead
                ? { type: "readIndexResponse", ...common, index: 0 }
                : { type: "forwardResponse", ...common, outcome },
            );
          }),
        );
    },
  };
};

export const falseLeaderAnswer: Act = (mouth) => {
  const answers: Message[] = [];
  return {
    heard(_from, message) {
      if (message.type !== "readIndex" || !mouth.tempted()) return message;
      answers.push(
        mouth.lie({ type: "readIndexResponse", ...header(mouth, message.from, message.term), requestId: message.requestId, index: 0 }),
      );
      return message;
    },
    beside: (node) => {
      const said = answers.splice(0);
      return node.role === "leader" ? said : [];
    },
  };
};
