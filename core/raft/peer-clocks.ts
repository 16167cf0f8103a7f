/**
 * What voters have said of their wall clocks, for a candidate and for a leader. Cluster time is what a quorum's clocks
 * have reached, as the commit index is what a quorum has stored: a minority of wrong clocks, the leader's own among
 * them, can neither bring it ahead nor hold it back.
 */
import { quorumValue } from "./quorum.ts";
import type { Configuration, NodeId } from "./records.ts";

interface Shown {
  readonly wallMs: number;
  /** When it was heard, on this node's monotonic clock. */
  readonly heardMs: number;
}

export class PeerClocks {
  #shown = new Map<NodeId, Shown>();

  /** Forgets all: what was heard in earlier terms may be long ago. */
  clear(): void {
    this.#shown.clear();
  }

  heard(id: NodeId, wallMs: number, nowMs: number): void {
    this.#shown.set(id, { wallMs, heardMs: nowMs });
  }

  /**
   * The latest wall time that a quorum's clocks have reached, whole milliseconds; 0 while too few are known. A clock is
   * taken to go on for `extrapolationMaxMs` after it was heard, and no further: a voter that is gone holds time back
   * rather than bring it ahead.
   */
  reachedMs(
    configuration: Configuration,
    own: { readonly id: NodeId; readonly wallMs: number },
    nowMs: number,
    extrapolationMaxMs: number,
  ): number {
    const reached = quorumValue(configuration, (id) => {
      if (id === own.id) return own.wallMs;
      const shown = this.#shown.get(id);
      return shown === undefined ? 0 : shown.wallMs + Math.min(nowMs - shown.heardMs, extrapolationMaxMs);
    });
    return Math.max(0, Math.floor(reached));
  }

  capture() {
    return { shown: new Map(this.#shown) };
  }

  restore(captured: ReturnType<PeerClocks["capture"]>): void {
    this.#shown = new Map(captured.shown);
  }
}
