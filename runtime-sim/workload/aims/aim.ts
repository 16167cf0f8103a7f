/**
 * What a client is after: an outcome, and a request that should bring it about. The outcome is drawn first, so that
 * refusals are met as often as is wanted, and not as chance has it.
 */
import type { Refusal, RequestRefusal } from "../../../core/index.ts";
import type { Stream } from "../../random/index.ts";
import type { Belief } from "../belief.ts";
import type { Asked } from "../operation.ts";

/** Success, or the kind of a refusal: by the state, or by the node that was asked. */
export type Outcome = "ok" | Refusal["kind"] | RequestRefusal["kind"];

/** What a request is made of. */
export interface Draft {
  readonly rng: Stream;
  readonly belief: Belief;
  /** Names of the VMs that all clients share. */
  readonly names: readonly string[];
  /** Virtual time. */
  readonly nowMs: number;
  /** The largest encoded request that the nodes take. */
  readonly requestBytesMax: number;
  /** Of its kind alone in the run, from 1. */
  next(): number;
}

export interface Aim {
  readonly outcome: Outcome;
  /** How often it is drawn beside others with the same outcome. */
  readonly weight: number;
  /** Null: by all that clients believe, nothing would bring it about now. */
  make(draft: Draft): Asked | null;
}

type Command = Extract<Asked, { readonly kind: "write" }>["command"];
type Query = Extract<Asked, { readonly kind: "read" }>["query"];

/** An aim at a command. */
export function write(outcome: Outcome, weight: number, make: (draft: Draft) => Command | null): Aim {
  return {
    outcome,
    weight,
    make(draft) {
      const command = make(draft);
      return command && { kind: "write", command };
    },
  };
}

/** An aim at an answer; how fresh it is to be, is decided by whoever asks. */
export function read(weight: number, make: (draft: Draft) => Query | null): Aim {
  return {
    outcome: "ok",
    weight,
    make(draft) {
      const query = make(draft);
      return query && { kind: "read", query, consistency: "linearizable" };
    },
  };
}

/** One of these, or null when there is none. */
export function pick<T extends NonNullable<unknown>>(rng: Stream, from: Iterable<T>): T | null {
  const items = [...from];
  return items.length === 0 ? null : rng.pick(items);
}
