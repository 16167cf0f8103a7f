/** What became of one entry: plain values, equal on every replica. */
export type ApplyResult = Applied | Refused;

export type Applied =
  | { readonly ok: true; readonly kind: "sessionOpened"; readonly sessionId: number }
  | { readonly ok: true; readonly kind: "sessionClosed"; readonly sessionId: number }
  | { readonly ok: true; readonly kind: "vmCreated" | "vmUpdated"; readonly generation: number }
  /** `generation` is the one that was deleted. */
  | { readonly ok: true; readonly kind: "vmDeleted"; readonly generation: number };

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
  | { readonly kind: "limitReached"; readonly limit: "vms"; readonly maximum: number };

/** The entry is no valid command: `field` breaks the rule told by `reason`. */
export interface InvalidCommandRefusal {
  readonly kind: "invalidCommand";
  readonly field: string;
  readonly reason: string;
}

/** Results of VM commands: what a session remembers. */
export type VmResult =
  | Extract<Applied, { readonly kind: "vmCreated" | "vmUpdated" | "vmDeleted" }>
  | {
      readonly ok: false;
      readonly refusal: Extract<
        Refusal,
        { readonly kind: "vmExists" | "vmNotFound" | "generationMismatch" | "limitReached" }
      >;
    };
