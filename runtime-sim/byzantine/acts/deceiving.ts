/**
 * Lies to clients that ask the liar. A client asks any member and believes the answer: nothing in it is signed, and
 * nobody else is asked.
 */
import { type ApplyResult, type ClusterState, type Command, query, type RequestRefusal } from "../../../core/index.ts";
import type { Act } from "../lie.ts";

/** Between two states that it keeps, to show them later as today's; and how many it keeps. */
const KEPT_EVERY_MS = 1500;
const KEPT_MAX = 8;

export const clientRead: Act = (speaker) => {
  const { rng, self } = speaker;
  const kept: ClusterState[] = [];
  let keptAtMs = Number.NEGATIVE_INFINITY;
  return {
    replies({ state, appliedIndex }, request) {
      if (self.nowMs() >= keptAtMs + KEPT_EVERY_MS) {
        keptAtMs = self.nowMs();
        kept.push(state);
        if (kept.length > KEPT_MAX) kept.shift();
      }
      if (request.kind !== "read" || request.query.kind === "listEvents" || !speaker.tempted()) return null;
      const { query: asked, consistency } = request;
      const truth = query(state, asked);
      const old = rng.pick(kept);
      const shown = query(old, asked);
      if (JSON.stringify(shown) !== JSON.stringify(truth)) {
        // As of its own index it is what a stale read may be told.
        const index = consistency === "stale" || rng.chance(0.5) ? appliedIndex : old.appliedIndex;
        return { answer: { kind: "read", index, result: shown }, isCarriedOut: false };
      }
      if (truth.kind !== "vm" || truth.vm === null) return null;
      return { answer: { kind: "read", index: appliedIndex, result: { kind: "vm", vm: null } }, isCarriedOut: false };
    },
  };
};

export const clientWrite: Act = (speaker) => ({
  replies(node, request) {
    if (request.kind !== "propose") return null;
    const result = successOf(node.state, request.request.command);
    if (result === null || !speaker.tempted()) return null;
    // Where its own entry would be, if it led and had made one.
    const index = node.log.lastIndex + 1;
    return { answer: { kind: "applied", index, term: node.term, result }, isCarriedOut: false };
  },
});

/** What a client hopes for; null: it asks for something else. */
function successOf({ appliedIndex }: ClusterState, command: Command): ApplyResult | null {
  switch (command.kind) {
    case "createVm":
      return { ok: true, kind: "vmCreated", generation: 1 };
    case "updateVm":
      return { ok: true, kind: "vmUpdated", generation: command.expectedGeneration + 1 };
    case "deleteVm":
      return { ok: true, kind: "vmDeleted", generation: command.expectedGeneration ?? 1 };
    case "setVmDesired":
      return { ok: true, kind: "vmChanged" };
    case "openSession":
      return { ok: true, kind: "sessionOpened", sessionId: appliedIndex + 1 };
    default:
      return null;
  }
}

/** Each promises that the request had and will have no effect. */
export const clientRefusal: Act = (speaker) => {
  const { rng } = speaker;
  const refusals: readonly RequestRefusal[] = [
    { kind: "invalidRequest", field: "command", reason: "is not known" },
    { kind: "noLeader" },
    { kind: "tooManyPending", limit: 1 },
  ];
  return {
    replies(_node, request) {
      if (request.kind !== "propose" || request.request.command.kind === "openSession" || !speaker.tempted())
        return null;
      return { answer: { kind: "refused", refusal: rng.pick(refusals) }, isCarriedOut: true };
    },
  };
};

export const clientHint: Act = (speaker) => {
  const { rng, self } = speaker;
  return {
    replies(node, request) {
      if ((request.kind !== "propose" && request.kind !== "read") || !speaker.tempted()) return null;
      const others = node.configuration.members.map(({ id }) => id).filter((id) => id !== node.leaderId);
      const leader = rng.pick([self.ghost.id, ...others]);
      return { answer: { kind: "refused", refusal: { kind: "notLeader", leader } }, isCarriedOut: false };
    },
  };
};

export const clientEvents: Act = (speaker) => {
  const { rng } = speaker;
  return {
    replies({ state, appliedIndex }, request) {
      if (request.kind !== "read" || request.query.kind !== "listEvents" || !speaker.tempted()) return null;
      const page = query<"listEvents">(state, request.query);
      const { events } = page;
      const at = events.length === 0 ? 0 : rng.integer(0, events.length - 1);
      const [before, one, after] = [events.slice(0, at), events.slice(at, at + 1), events.slice(at + 1)];
      // Whoever goes on from an index that is too high misses what comes up to there.
      const result =
        one.length === 0
          ? { ...page, lastIndex: page.lastIndex + rng.integer(1, 20) }
          : { ...page, events: rng.chance(0.5) ? [...before, ...after] : [...before, ...one, ...one, ...after] };
      return { answer: { kind: "read", index: appliedIndex, result }, isCarriedOut: false };
    },
  };
};
