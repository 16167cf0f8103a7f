/** What consensus needs from its node and hands to it: the machine's services, stored state, and effects. */
import type { Evidence } from "./evidence.ts";
import type { Message } from "./messages.ts";
import type { Digest, Entry, HardState, PeerId, Signature, Snapshot } from "./records.ts";

/** What is offered synchronously. Everything else is an effect. */
export interface RaftEnvironment {
  /** The identity this node proves to others: the transport authenticates it, and `sign` signs for it. */
  readonly peerId: PeerId;
  /** A uniform integer in [0, 2^32). Seeded in the simulator. Used for time-outs alone, never inside `apply`. */
  randomUint32(): number;
  /** Ed25519 in the real world. The bytes are valid only during the call. */
  sign(statement: Uint8Array): Signature;
  /** Whether `signature` is `signer`'s over `statement`. Never throws, whatever the strings hold. */
  verify(signer: PeerId, statement: Uint8Array, signature: Signature): boolean;
  /** SHA-256 in the real world, printable ASCII, at most 64 characters. The bytes are valid only during the call. */
  digest(bytes: Uint8Array): Digest;
}

/** What every input carries: the node's own clocks when it happened. */
export interface Stamp {
  /** Monotonic milliseconds since an arbitrary origin; never goes back within one process. Drives every deadline. */
  readonly nowMs: number;
  /** Wall clock, milliseconds since 1970. May jump either way. Leaders are told: see `PeerClocks`. */
  readonly wallMs: number;
}

/**
 * One atomic storage change. The storage applies writes in the order issued: all of one becomes durable, or none of
 * it. Within one write: first `snapshot`, then `entries`, then `hardState`.
 */
export interface Write {
  /** Rises by one with each write of a process. */
  readonly id: number;
  /** Replaces the hard state. */
  readonly hardState: HardState | null;
  /**
   * Consecutive entries. Any stored entry at or after the first one's index is removed before they are put. Never
   * empty.
   */
  readonly entries: readonly Entry[] | null;
  /** Replaces the snapshot; stored entries up to `keepAfter` are removed, or all of them when it is null. */
  readonly snapshot: { readonly snapshot: Snapshot; readonly keepAfter: number | null } | null;
}

/** What a storage holds when a node starts. */
export interface Restored {
  readonly hardState: HardState | null;
  readonly snapshot: Snapshot;
  readonly entries: readonly Entry[];
}

/** What consensus wants done. Fire and forget: what comes of it returns as an input. */
export type RaftEffect =
  | { readonly kind: "send"; readonly to: PeerId; readonly message: Message }
  | { readonly kind: "write"; readonly write: Write }
  /** Something a peer did that no honest peer does. For the operator's log; the node has already acted on it. */
  | { readonly kind: "evidence"; readonly evidence: Evidence };
