/**
 * What a person looking for a bug wants to read: one line for each change of state that matters. Made only when
 * somebody listens.
 */

export type TransitionKind =
  | "boot"
  | "crash"
  | "halt"
  | "role"
  | "term"
  | "vote"
  | "commit"
  | "truncate"
  | "snapshot"
  | "membership"
  | "evidence"
  | "fault"
  | "healed"
  | "quiet"
  | "disk"
  | "operator"
  | "client"
  | "live"
  | "violation";

export interface Transition {
  /** Virtual time. */
  readonly atMs: number;
  /** Number of the event that led to it. */
  readonly event: number;
  /** Whose state changed; null for the world's, the clients' and the operator's. */
  readonly node: number | null;
  /** Its term afterwards; null where there is none. */
  readonly term: number | null;
  readonly kind: TransitionKind;
  readonly detail: string;
}

/** One line with aligned columns: virtual time in seconds, event, node, term, what, detail. */
export function formatTransition({ atMs, event, node, term, kind, detail }: Transition): string {
  return [
    (atMs / 1000).toFixed(6).padStart(13),
    String(event).padStart(9),
    (node === null ? "-" : `n${node}`).padStart(4),
    (term === null ? "-" : `t${term}`).padStart(6),
    kind.padEnd(10),
    detail,
  ]
    .join("  ")
    .trimEnd();
}

/** One event, for a trace file. Fields that an event has no use for are left out. */
export interface TraceEvent {
  /** From 1. */
  readonly event: number;
  readonly atMs: number;
  readonly kind: "deliver" | "disk" | "wake" | "request" | "answer" | "call";
  readonly node: number | null;
  readonly from?: string;
  readonly message?: unknown;
  /** Of a message that came as bytes: how many. */
  readonly bytes?: number;
  /** Why those bytes are no message. */
  readonly undecodable?: string;
  readonly request?: unknown;
  readonly answer?: unknown;
  /** What the node was after it. */
  readonly after?: {
    readonly role: string;
    readonly term: number;
    readonly commit: number;
    readonly applied: number;
    readonly last: number;
  };
}
