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

/** A member's latest number, when it was seen, and how many more come in a millisecond. Numbers count up. */
interface Counter {
  readonly number: number;
  readonly atMs: number;
  readonly perMs: number;
}

/** What a member may have asked a minute ago cannot be guessed any more. */
const KNOWN_FOR_MS = 60_000;

export const falseAnswer: Act = (speaker) => {
  const { rng, self } = speaker;
  /** From when requests were asked of the liar as leader. */
  const counters = new Map<NodeId, Counter>();
  /** For the judge: what each member has asked of another leader, and has no answer to. */
  const open = new Map<NodeId, Set<number>>();

  function note(id: NodeId, number: number): void {
    const before = counters.get(id);
    const atMs = self.nowMs();
    const isContinued = before !== undefined && atMs - before.atMs > 200 && number > before.number;
    const perMs = isContinued ? (number - before.number) / (atMs - before.atMs) : (before?.perMs ?? 0.01);
    if (before === undefined || isContinued || number < before.number) counters.set(id, { number, atMs, perMs });
  }

  return {
    heard(_from, message) {
      if (message.type === "forward" || message.type === "readIndex") note(message.from, message.requestId);
      return message;
    },
    beside(node) {
      if (node.role === "leader" || !speaker.ventures()) return [];
      const outcome = { kind: "appended", index: node.commitIndex + rng.integer(1, 3), term: node.term } as const;
      const isRead = rng.chance(0.5);
      const [to] = someOthers(speaker, node);
      const known = to === undefined ? undefined : counters.get(to);
      if (to === undefined || known === undefined) return [];
      const elapsedMs = Math.min(self.nowMs() - known.atMs, KNOWN_FOR_MS);
      const first = known.number + Math.max(1, Math.floor(elapsedMs * known.perMs) - rng.integer(0, GUESSES));
      return Array.from({ length: GUESSES }, (_, at) => {
        const requestId = first + at;
        const common = { ...header(speaker, to, node.term), requestId };
        return speaker.lie(
          isRead ? { type: "readIndexResponse", ...common, index: 0 } : { type: "forwardResponse", ...common, outcome },
          (receiver) => (open.get(receiver.id)?.has(requestId) === true ? ["refusal"] : null),
        );
      });
    },
    witness(receiver, message) {
      if (message.from === self.id) return null;
      if (message.type === "forward" || message.type === "readIndex") {
        const asked = open.get(message.from) ?? new Set();
        open.set(message.from, asked.add(message.requestId));
      } else if (message.type === "forwardResponse" || message.type === "readIndexResponse") {
        open.get(receiver.id)?.delete(message.requestId);
      }
      return null;
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
