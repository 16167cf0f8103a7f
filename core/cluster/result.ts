/** What became of one entry: plain values, equal on every replica. */
export type ApplyResult = Applied | Refused;

export type Applied =
  | { readonly ok: true; readonly kind: "sessionOpened"; readonly sessionId: number }
  | { readonly ok: true; readonly kind: "sessionClosed"; readonly sessionId: number }
  | { readonly ok: true; readonly kind: "vmCreated"; readonly generation: number }
  | { readonly ok: true; readonly kind: "vmUpdated"; readonly generation: number }
  /** `generation` is the one that was deleted. */
  | { readonly ok: true; readonly kind: "vmDeleted"; readonly generation: number }
  | { readonly ok: true; readonly kind: "tokenCreated"; readonly expiresAtMs: number }
  | { readonly ok: true; readonly kind: "tokenRevoked" }
  | { readonly ok: true; readonly kind: "nodeAdmitted" }
  | { readonly ok: true; readonly kind: "nodeAnnounced" };

export interface Refused {
  readonly ok: false;
  readonly refusal: Refusal;
}

/** Why an entry changed nothing. */
export type Refusal =
  | { readonly kind: "vmExists" }
  | { readonly kind: "vmNotFound" }
  | { readonly kind: "generationMismatch"; readonly expected: number; readonly actual: number }
  /** The session was never opened, was closed, or gave way to others. What became of its unanswered requests cannot be told any more. */
  | { readonly kind: "sessionExpired"; readonly sessionId: number }
  /** The client had acknowledged this answer already; it was forgotten. */
  | { readonly kind: "sequenceTooOld"; readonly sequence: number; readonly lowestUnacknowledged: number }
  | InvalidCommandRefusal
  | { readonly kind: "limitReached"; readonly limit: "vms" | "tokens" | "nodes"; readonly maximum: number }
  | { readonly kind: "tokenExists" | "tokenNotForJoining" | "tokenRevoked" }
  /** No token has this id, or its secret is another. */
  | { readonly kind: "tokenNotFound" }
  | { readonly kind: "tokenExpired"; readonly expiredAtMs: number }
  /** `nodeId` has joined with it. */
  | { readonly kind: "tokenUsed"; readonly nodeId: number }
  | { readonly kind: "tokenForAnotherNode"; readonly nodeId: number }
  /** The id is bound to another identity, for ever. */
  | { readonly kind: "nodeIdTaken"; readonly nodeId: number }
  /** The identity is bound to this id, for ever. */
  | { readonly kind: "peerIdTaken"; readonly nodeId: number };

/** The entry is no valid command: `field` breaks the rule told by `reason`. */
export interface InvalidCommandRefusal {
  readonly kind: "invalidCommand";
  readonly field: string;
  readonly reason: string;
}

/** What a session remembers: results of everything but session commands themselves, and of entries that hold no command. */
export type CommandResult =
  | Exclude<Applied, { readonly kind: "sessionOpened" | "sessionClosed" }>
  | {
      readonly ok: false;
      readonly refusal: Exclude<Refusal, { readonly kind: "sessionExpired" | "sequenceTooOld" | "invalidCommand" }>;
    };
