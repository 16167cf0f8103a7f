/** Damaged bytes, and frames that are undamaged but make no sense. Plausible lies are in the other files. */
import { type Append, chainLink, type Entry, type Message, type VoteResponse } from "../../../core/index.ts";
import { damagedCopy } from "../../network/index.ts";
import type { NodeView } from "../../world/index.ts";
import {
  type Act,
  type Demand,
  follows,
  header,
  inventedBytes,
  inventedText,
  type Speaker,
  someOthers,
} from "../lie.ts";

const BIG = Number.MAX_SAFE_INTEGER;

export const corruptMessage: Act = (speaker) => {
  const { rng } = speaker;
  const bytesToo = rng.chance(0.7);
  return {
    damaged(frame) {
      return bytesToo && speaker.tempted() ? damagedCopy(frame, rng) : null;
    },
    instead(node, message) {
      return rng.chance(0.5) && speaker.tempted() ? nonsense(speaker, node, message) : message;
    },
    beside(node) {
      if (!rng.chance(0.1) || !speaker.ventures()) return [];
      return someOthers(speaker, node).map((to) => {
        const common = header(speaker, to, node.term);
        const requestId = rng.integer(0, BIG);
        switch (rng.integer(0, 3)) {
          case 0:
            return speaker.lie({
              type: "forward",
              ...common,
              requestId,
              data: inventedBytes(rng, rng.integer(0, 200)),
            });
          case 1:
            return speaker.lie({ type: "whoAreYou", ...common, configurationIndex: rng.integer(0, BIG) });
          case 2:
            return speaker.lie({ type: "timeoutNow", ...common, transfer: inventedText(rng) });
          default:
            return speaker.lie({ type: "readIndex", ...common, requestId });
        }
      });
    },
  };
};

function nonsense(speaker: Speaker, node: NodeView, message: Message): Message {
  const { rng } = speaker;
  switch (message.type) {
    case "append":
      return nonsenseAppend(speaker, message);
    case "appendResponse":
      if (message.outcome !== "mismatch") return message;
      return speaker.lie({
        ...message,
        matchIndex: rng.integer(0, BIG),
        hintIndex: rng.integer(0, BIG),
        hintTerm: rng.integer(0, BIG),
      });
    case "heartbeat":
      return speaker.lie({ ...message, round: rng.integer(0, BIG) });
    case "heartbeatResponse":
      return speaker.lie({ ...message, round: rng.integer(0, BIG), certified: rng.chance(0.5) });
    case "voteResponse":
      return message.granted ? badlySigned(speaker, message) : message;
    case "snapshotResponse":
      return speaker.lie({ ...message, index: rng.integer(0, BIG), nextSequence: rng.integer(0, 1000) });
    case "requestVote":
      return speaker.lie({
        ...message,
        lastIndex: 0,
        lastTerm: rng.integer(0, node.term),
        transfer: inventedText(rng),
      });
    case "readIndex":
    case "forward":
      return speaker.lie({ ...message, requestId: rng.integer(0, BIG) });
    default:
      return message;
  }
}

/** An impossible entry: with an invalid chain, of a term that was over, or with an empty configuration. */
function nonsenseAppend(speaker: Speaker, message: Append): Message {
  const { rng, self } = speaker;
  const { prevIndex, prevTerm, prevChain, term } = message;
  if (message.entries.length === 0) return message;
  const index = prevIndex + 1;
  const chained = (entryTerm: number, kind: Entry["kind"], data: Uint8Array): Entry => {
    const chain = chainLink(self.runtime, prevChain, index, entryTerm, kind, data);
    return { index, term: entryTerm, kind, data, chain };
  };
  let entry: Entry;
  switch (rng.integer(0, 2)) {
    case 0:
      if (prevTerm > 1) {
        entry = chained(prevTerm - 1, "command", inventedBytes(rng, 20));
        break;
      }
      entry = { ...chained(term, "command", inventedBytes(rng, 20)), chain: inventedText(rng) };
      break;
    case 1:
      entry = chained(term, "configuration", inventedBytes(rng, 40));
      break;
    default:
      entry = { ...chained(term, "command", inventedBytes(rng, 20)), chain: inventedText(rng) };
  }
  const lie: Append = { ...message, entries: [entry] };
  return speaker.lie(lie, mustBeMalformed(lie));
}

function mustBeMalformed(append: Append): Demand {
  return (receiver) => {
    const { prevIndex, prevTerm, prevChain } = append;
    const isNext = receiver.log.termAt(prevIndex) === prevTerm && receiver.log.chainAt(prevIndex) === prevChain;
    if (!follows(receiver, append) || !isNext) return null;
    // Over an entry of the same term, or one that is committed, it contradicts more than itself.
    return ["malformedAppend", "twoContents", "truncateCommitted"];
  };
}

function badlySigned(speaker: Speaker, message: VoteResponse): Message {
  return speaker.lie({ ...message, signature: inventedText(speaker.rng) }, ({ role, term }) => {
    const isWanted = message.preVote
      ? role === "preCandidate" && message.term === term + 1
      : role === "candidate" && message.term === term;
    return isWanted ? ["forgedSignature"] : null;
  });
}
