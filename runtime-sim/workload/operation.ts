/** A call of a client, as clients make it and oracles judge it. */
import type { ClientAnswer, ReadConsistency } from "../../core/index.ts";

/** Where the spec's metadata carries `ClientOperation.value`, in decimal digits. */
export const VALUE_KEY = "value";

/** One call of a client, mutable until it is completed. Completed once, also when its outcome is unknown. */
export interface ClientOperation {
  readonly id: number;
  /** The process that calls: it has at most one operation under way. */
  readonly client: number;
  readonly kind: "create" | "update" | "delete" | "get";
  readonly key: string;
  /**
   * What is written: unique in the run and positive, carried in the spec's metadata under `VALUE_KEY`. Zero for get
   * and delete.
   */
  readonly value: number;
  readonly expectedGeneration: number | null;
  readonly consistency: ReadConsistency;
  /** As answered to `openSession`; 0 for a request without a session. */
  readonly session: number;
  readonly sequence: number;
  readonly invokedAtMs: number;
  completedAtMs: number | null;
  /** ok: applied or read. refused: certainly without effect, whether the state machine or the node refused. */
  outcome: "pending" | "ok" | "refused" | "unknown";
  /** The definite answer; null while there is none. */
  answer: ClientAnswer | null;
}
