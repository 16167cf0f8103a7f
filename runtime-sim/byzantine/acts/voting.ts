/** Lies about who was elected: two votes in a term, elections that never happened, terms that do not exist. */
import {
  type Certificate,
  type EvidenceKind,
  isQuorum,
  type Message,
  NOBODY,
  type NodeId,
  transferStatement,
  voteStatement,
} from "../../../core/index.ts";
import type { NodeView } from "../../world/index.ts";
import { type Act, type Demand, follows, header, inventedText, othersOf, type Speaker, someOthers } from "../lie.ts";

export const twoVotes: Act = (speaker) => {
  const { self, rng } = speaker;
  /** To whom it gave its first vote of a term. */
  const given = new Map<number, NodeId>();
  const answers: Message[] = [];
  /** The term for which a process holds the liar's vote. */
  const held = new WeakMap<NodeView, number>();

  /** Its core also campaigns: then its first vote goes to itself. */
  function grant(candidate: NodeId, preVote: boolean, term: number): Message {
    const kind = preVote ? "preVote" : "election";
    const signature = self.runtime.sign(voteStatement(self.clusterId, self.incarnation, kind, term, candidate));
    const message: Message = {
      type: "voteResponse",
      ...header(speaker, candidate, term),
      preVote,
      granted: true,
      signature,
      proof: null,
      wallMs: 0,
    };
    if (preVote) return message;
    const first = given.get(term);
    if (first === undefined) given.set(term, candidate);
    return first === undefined || first === candidate ? message : speaker.lie(message);
  }

  return {
    heard(_from, message) {
      if (message.type === "requestVote") answers.push(grant(message.from, message.preVote, message.term));
      return message;
    },
    instead(_node, message) {
      if (message.type === "requestVote" && !message.preVote) given.set(message.term, self.id);
      if (message.type !== "voteResponse") return message;
      // It has answered already, and granted whatever its core refuses.
      return message.granted ? null : speaker.withheld();
    },
    beside(node) {
      const said = answers.splice(0);
      if (node.role === "leader" && rng.chance(0.3) && speaker.ventures()) said.push(...duel(speaker, node));
      return said;
    },
    witness(receiver, message) {
      const { from, term } = message;
      if (message.type === "voteResponse") {
        const counts = message.granted && !message.preVote && receiver.role === "candidate" && receiver.term === term;
        if (from === self.id && counts) held.set(receiver, term);
        return null;
      }
      if (message.type !== "append" && message.type !== "snapshotChunk") return null;
      const { certificate } = message;
      if (certificate === null || certificate.kind !== "election" || certificate.candidate !== from) return null;
      if (certificate.term !== term || term !== receiver.term || held.get(receiver) !== term) return null;
      if (from === self.id || from === receiver.id || follows(receiver, message)) return null;
      return certificate.signatures.some(({ id }) => id === self.id) ? ["doubleVote"] : null;
    },
  };
};

/** Orders two followers to campaign in the same term, and lets both have the others' votes. */
function duel(speaker: Speaker, node: NodeView): Message[] {
  const { self, rng } = speaker;
  const rivals = rng.shuffle(othersOf(speaker, node)).slice(0, 2);
  return rivals.map((to) => ({
    type: "timeoutNow",
    ...header(speaker, to, node.term),
    transfer: self.runtime.sign(transferStatement(self.clusterId, self.incarnation, node.term, to)),
  }));
}

export const fakeLeader: Act = (speaker) => {
  const { rng } = speaker;
  /** An election that was won, by another. */
  let borrowed: Certificate | null = null;

  return {
    heard(_from, message) {
      if (message.type === "append" && message.certificate !== null) borrowed = message.certificate;
      return message;
    },
    beside(node) {
      if (node.role === "leader" || !speaker.ventures()) return [];
      const term = node.term + rng.integer(1, 3);
      const kind = rng.integer(0, 3);
      return someOthers(speaker, node).map((to) => {
        switch (kind) {
          case 0:
            return speaker.lie({
              type: "heartbeat",
              ...header(speaker, to, term),
              commit: node.log.lastIndex,
              round: rng.integer(1, 1000),
            });
          case 1:
            return speaker.lie(emptyAppend(speaker, node, to, term, null));
          case 2:
            if (borrowed !== null) return falselyCertified(speaker, node, to, borrowed.term, borrowed);
            break;
          default:
        }
        return falselyCertified(speaker, node, to, term, inventedElection(speaker, node, term));
      });
    },
  };
};

export function inventedElection(speaker: Speaker, node: NodeView, term: number): Certificate {
  const { self, rng } = speaker;
  const own = self.runtime.sign(voteStatement(self.clusterId, self.incarnation, "election", term, self.id));
  const signatures = node.configuration.voters.map((id) => ({
    id,
    signature: id === self.id ? own : inventedText(rng),
  }));
  return { kind: "election", term, candidate: self.id, signatures };
}

function falselyCertified(
  speaker: Speaker,
  node: NodeView,
  to: NodeId,
  term: number,
  certificate: Certificate,
): Message {
  const message = emptyAppend(speaker, node, to, term, certificate);
  return speaker.lie(message, mustConvict(message));
}

/** A certificate is looked at unless its term is over, or the liar leads that term indeed. */
export function mustConvict(message: Message): Demand {
  return (receiver) => (message.term >= receiver.term && !follows(receiver, message) ? ["forgedCertificate"] : null);
}

function emptyAppend(
  speaker: Speaker,
  { log }: NodeView,
  to: NodeId,
  term: number,
  certificate: Certificate | null,
): Message {
  return {
    type: "append",
    ...header(speaker, to, term),
    prevIndex: log.lastIndex,
    prevTerm: log.termAt(log.lastIndex) ?? 0,
    prevChain: log.chainAt(log.lastIndex) ?? "",
    entries: [],
    commit: log.lastIndex,
    certificate,
  };
}

export const wrongTerm: Act = (speaker) => {
  const { rng } = speaker;
  let known: Certificate | null = null;

  function inflated(term: number): number {
    return term + rng.integer(1, rng.chance(0.5) ? 3 : 1_000_000);
  }

  /** The proof of another term, when there is one at hand. */
  function proofFor(term: number): Certificate | null {
    return known !== null && known.term !== term && rng.chance(0.3) ? known : null;
  }

  return {
    heard(_from, message) {
      if (message.type === "append" && message.certificate !== null) known = message.certificate;
      return message;
    },
    instead(_node, message) {
      switch (message.type) {
        case "appendResponse":
        case "heartbeatResponse":
        case "snapshotResponse": {
          if (!speaker.tempted()) return message;
          const term = inflated(message.term);
          return liedResponse({ ...message, term, proof: proofFor(term) });
        }
        case "voteResponse": {
          if (message.granted || !speaker.tempted()) return message;
          const term = inflated(message.term);
          return liedResponse({ ...message, term, proof: proofFor(term) });
        }
        case "heartbeat":
          return speaker.tempted() ? speaker.lie({ ...message, term: inflated(message.term) }) : message;
        default:
          return message;
      }
    },
    beside(node) {
      if (!rng.chance(0.2) || !speaker.ventures()) return [];
      const term = inflated(node.term);
      const preVote = rng.chance(0.5);
      const { lastIndex } = node.log;
      const lastTerm = node.log.termAt(lastIndex) ?? 0;
      const certificate = preVote ? null : proofFor(term);
      return someOthers(speaker, node).map((to) =>
        speaker.lie({
          type: "requestVote",
          ...header(speaker, to, term),
          preVote,
          lastIndex,
          lastTerm,
          certificate,
          transfer: "",
        }),
      );
    },
  };

  function liedResponse(message: Message & { readonly proof: Certificate | null }): Message {
    const demand = (receiver: NodeView): readonly EvidenceKind[] | null =>
      message.proof !== null && message.term > receiver.term ? ["forgedCertificate"] : null;
    return speaker.lie(message, demand);
  }
};

/** How far the liar would move the term. A few such leaps would use up all terms. */
const LEAP = 1_000_000_000;
/** For so long a leader says nothing: then nobody refuses candidates for its sake, and few campaign yet. */
const HUSH_MS = 1400;

export const termRush: Act = (speaker) => {
  const { self } = speaker;
  /** Signed pre-votes for the term to come. */
  const signatures = new Map<NodeId, string>();
  let term = 0;
  let hushUntilMs = 0;
  /** Somebody campaigns: others have not heard a leader for a while. */
  let isElection = false;

  function ask(node: NodeView): Message[] {
    if (term !== node.term + LEAP) {
      term = node.term + LEAP;
      signatures.clear();
      const own = self.runtime.sign(voteStatement(self.clusterId, self.incarnation, "preVote", term, self.id));
      signatures.set(self.id, own);
    }
    const isProven = isQuorum(node.configuration, (id) => signatures.has(id));
    const { lastIndex } = node.log;
    const lastTerm = node.log.termAt(lastIndex) ?? 0;
    const certificate: Certificate | null = isProven
      ? {
          kind: "preVote",
          term,
          candidate: self.id,
          signatures: [...signatures].map(([id, signature]) => ({ id, signature })),
        }
      : null;
    return othersOf(speaker, node).map((to) => {
      const request: Message = {
        type: "requestVote",
        ...header(speaker, to, term),
        preVote: !isProven,
        lastIndex,
        lastTerm,
        certificate,
        transfer: "",
      };
      // Whoever follows somebody refuses every candidate. Whoever follows nobody must look at the term.
      return speaker.lie(request, ({ role, leaderId, log }) => {
        const isUpToDate = lastTerm > (log.termAt(log.lastIndex) ?? 0) || lastIndex >= log.lastIndex;
        return role !== "leader" && leaderId === NOBODY && isUpToDate ? ["refusal"] : null;
      });
    });
  }

  return {
    heard(_from, message) {
      if (message.type === "requestVote" && message.preVote) isElection = true;
      if (message.type !== "voteResponse" || !message.granted || message.term !== term) return message;
      if (message.preVote) signatures.set(message.from, message.signature);
      return null;
    },
    instead(node, message) {
      const isHushed = node.role === "leader" && self.nowMs() < hushUntilMs;
      return isHushed && (message.type === "append" || message.type === "heartbeat") ? speaker.withheld() : message;
    },
    beside(node) {
      const isOccasion = isElection;
      isElection = false;
      if (node.role !== "leader") return isOccasion || speaker.ventures() ? ask(node) : [];
      if (self.nowMs() >= hushUntilMs + HUSH_MS) {
        if (speaker.tempted()) hushUntilMs = self.nowMs() + HUSH_MS;
        return [];
      }
      // Near the end of the hush.
      return self.nowMs() >= hushUntilMs - HUSH_MS / 4 && speaker.ventures() ? ask(node) : [];
    },
  };
};
