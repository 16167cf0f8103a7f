/** Tokens, and nodes that want to be let in with them. The nodes never become members. */
import type { Command } from "../../../core/index.ts";
import type { BelievedToken } from "../belief.ts";
import { type Aim, type Draft, pick, read, write } from "./aim.ts";

/** No member has an id from here on. */
const GUESTS_FROM = 1_000_000;
const GUESTS = 8;
const BRIEF_MS = [1, 3000] as const;

/** Ids end with a digit. */
const secretOf = (id: string): string => id.slice(-1).repeat(64);
const peerOf = (nodeId: number): string => `guest-${nodeId}`;
const guest = ({ rng }: Draft): number => GUESTS_FROM + rng.integer(1, GUESTS);

export function createToken(
  draft: Draft,
  fields: Partial<Extract<Command, { readonly kind: "createToken" }>> = {},
): Command {
  const id = String(draft.next()).padStart(10, "0");
  return {
    kind: "createToken",
    id,
    secretHash: secretOf(id),
    purpose: "join",
    ttlMs: 3_600_000,
    nodeId: null,
    ...fields,
  };
}

function known({ rng, belief }: Draft, fits: (token: BelievedToken) => boolean): BelievedToken | null {
  return pick(rng, [...belief.tokens.values()].filter(fits));
}

const isFresh =
  ({ nowMs }: Draft) =>
  (token: BelievedToken): boolean =>
    token.purpose === "join" && token.usedBy === null && !token.isRevoked && token.expiresAtMs > nowMs;

function admit(draft: Draft, token: BelievedToken | null, nodeId: number, peerId = peerOf(nodeId)): Command | null {
  if (token === null) return null;
  const addresses = [`10.9.0.${draft.rng.integer(1, 3)}:7000`];
  return { kind: "admitNode", tokenId: token.id, secretHash: token.secretHash, nodeId, peerId, addresses };
}

function announce(draft: Draft, nodeId: number, peerId: string): Command {
  return { kind: "announceNode", nodeId, peerId, addresses: [`10.9.1.${draft.rng.integer(1, 3)}:7000`] };
}

export const tokenAims: readonly Aim[] = [
  read(2, ({ rng, belief }) => ({ kind: "getToken", id: pick(rng, belief.tokens.keys()) ?? "nosuchtoken" })),
  read(2, ({ rng, belief }) => {
    const afterId = rng.chance(0.3) ? null : (belief.pages.get("listTokens") ?? null);
    return { kind: "listTokens", afterId, limit: rng.pick([1, 2, 5, 1000]) };
  }),
  read(1, () => ({ kind: "listNodes" })),
  read(1, (draft) => {
    const command = admit(
      draft,
      known(draft, () => true),
      guest(draft),
    );
    if (command?.kind !== "admitNode") return null;
    return { ...command, kind: "tryAdmission" };
  }),

  write("ok", 4, (draft) => createToken(draft)),
  write("ok", 1, (draft) => createToken(draft, { purpose: "api" })),
  write("ok", 1, (draft) => createToken(draft, { nodeId: guest(draft) })),
  write("ok", 1, (draft) => createToken(draft, { ttlMs: draft.rng.integer(...BRIEF_MS) })),
  write("ok", 2, (draft) => {
    const token = known(draft, () => true);
    return token && { kind: "revokeToken", id: token.id };
  }),
  write("ok", 3, (draft) => {
    const token = known(draft, isFresh(draft));
    return admit(draft, token, token?.nodeId ?? guest(draft));
  }),
  write("ok", 1, (draft) => {
    const token = known(draft, ({ usedBy }) => usedBy !== null);
    return token?.usedBy == null ? null : admit(draft, token, token.usedBy);
  }),
  write("ok", 2, (draft) => {
    const nodeId = guest(draft);
    return announce(draft, nodeId, draft.belief.nodes.get(nodeId) ?? peerOf(nodeId));
  }),

  write("tokenExists", 1, (draft) => {
    const token = known(draft, () => true);
    return token && createToken(draft, { id: token.id });
  }),
  write("tokenNotFound", 1, (draft) => {
    if (draft.rng.chance(0.4)) return { kind: "revokeToken", id: "nosuchtoken" };
    const token = known(draft, isFresh(draft));
    return token && admit(draft, { ...token, secretHash: "f".repeat(64) }, guest(draft));
  }),
  write("tokenNotForJoining", 1, (draft) =>
    admit(
      draft,
      known(draft, ({ purpose }) => purpose === "api"),
      guest(draft),
    ),
  ),
  write("tokenUsed", 1, (draft) => {
    const token = known(draft, ({ usedBy }) => usedBy !== null);
    return admit(draft, token, 1 + (token?.usedBy ?? guest(draft)));
  }),
  write("tokenRevoked", 1, (draft) =>
    admit(
      draft,
      known(draft, ({ isRevoked, usedBy }) => isRevoked && usedBy === null),
      guest(draft),
    ),
  ),
  write("tokenExpired", 1, (draft) => {
    const isOver = ({ expiresAtMs, usedBy, isRevoked }: BelievedToken): boolean =>
      expiresAtMs < draft.nowMs && usedBy === null && !isRevoked;
    return admit(draft, known(draft, isOver), guest(draft));
  }),
  write("tokenForAnotherNode", 1, (draft) => {
    const token = known(draft, (candidate) => isFresh(draft)(candidate) && candidate.nodeId !== null);
    return admit(draft, token, 1 + (token?.nodeId ?? 0));
  }),
  write("nodeIdTaken", 1, (draft) => {
    const nodeId = draft.rng.chance(0.5) ? 1 : pick(draft.rng, draft.belief.nodes.keys());
    if (nodeId === null) return null;
    const another = `other-${draft.rng.integer(1, 9)}`;
    if (draft.rng.chance(0.5)) return announce(draft, nodeId, another);
    return admit(
      draft,
      known(draft, (token) => isFresh(draft)(token) && token.nodeId === null),
      nodeId,
      another,
    );
  }),
  write("peerIdTaken", 1, (draft) => {
    const nodeId = pick(draft.rng, draft.belief.nodes.keys());
    const peerId = nodeId === null ? undefined : draft.belief.nodes.get(nodeId);
    if (peerId === undefined) return null;
    const another = GUESTS_FROM + 100 + draft.next();
    if (draft.rng.chance(0.5)) return announce(draft, another, peerId);
    return admit(
      draft,
      known(draft, (token) => isFresh(draft)(token) && token.nodeId === null),
      another,
      peerId,
    );
  }),
  // The workload's clusters have no workers.
  write("workerNotFound", 1, (draft) => {
    const workerId = draft.rng.integer(1, 9);
    switch (draft.rng.integer(1, 3)) {
      case 1:
        return { kind: "confirmWorkerDead", workerId };
      case 2:
        return { kind: "removeWorker", workerId };
      default:
        return { kind: "setAvailability", workerId, availability: draft.rng.pick(["online", "cordoned", "draining"]) };
    }
  }),
  read(1, () => ({ kind: "listWorkers" })),
  read(1, ({ rng }) => ({ kind: "getWorker", id: rng.integer(1, 9) })),
];
