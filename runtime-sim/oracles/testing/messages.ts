/** Effects as a node would have them, for tests of the oracles. */
import type { Digest, Effect, Evidence, NodeId } from "../../../core/index.ts";

function header(from: NodeId, to: NodeId, term: number) {
  return { clusterId: "test", incarnation: 1, from, to, term };
}

/** A granted vote. */
export function grant(from: NodeId, to: NodeId, term: number, preVote = false): Effect {
  return {
    kind: "send",
    to: `peer-${to}`,
    message: {
      type: "voteResponse",
      ...header(from, to, term),
      preVote,
      granted: true,
      signature: "",
      proof: null,
      wallMs: 0,
    },
  };
}

/** A matched append. */
export function matched(from: NodeId, to: NodeId, term: number, matchIndex: number, matchChain: Digest): Effect {
  return {
    kind: "send",
    to: `peer-${to}`,
    message: {
      type: "appendResponse",
      ...header(from, to, term),
      outcome: "matched",
      matchIndex,
      matchChain,
      hintIndex: 0,
      hintTerm: 0,
      proof: null,
      endorsement: null,
    },
  };
}

/** An installed snapshot. */
export function installed(from: NodeId, to: NodeId, term: number, index: number): Effect {
  return {
    kind: "send",
    to: `peer-${to}`,
    message: {
      type: "snapshotResponse",
      ...header(from, to, term),
      index,
      nextSequence: 1,
      outcome: "installed",
      proof: null,
    },
  };
}

export function halt(reason: string, evidence: Evidence | null = null): Effect {
  return { kind: "halt", reason, evidence };
}

export function accuse(evidence: Evidence): Effect {
  return { kind: "evidence", evidence };
}
