/**
 * The read/write/compare-and-set register: the object of most Jepsen histories.
 *
 * Knows nothing of keys, time or processes, and nothing of a compare-and-set that was refused: leave that out of the
 * history, as Jepsen does with what "failed".
 */

import type { Model } from "./model.ts";

/** What a register may hold. Numbers must be finite. */
export type Scalar = string | number | boolean | null;

/** A call on a register. A compare-and-set writes `to` where it finds `from`. */
export type RegisterInput =
  | { readonly f: "read" }
  | { readonly f: "write"; readonly value: Scalar }
  | { readonly f: "cas"; readonly from: Scalar; readonly to: Scalar };

/** The output is the value read. What a write or a compare-and-set answers is not looked at. */
export type RegisterModel = Model<Scalar, RegisterInput, Scalar>;

/** A register that holds `initial` (null unless told otherwise) before its first write. */
export function register(initial: Scalar = null): RegisterModel {
  return {
    initial,
    step(state, input, answer) {
      switch (input.f) {
        case "read":
          return answer === null || answer.output === state ? { ok: true, state } : { ok: false };
        case "write":
          return { ok: true, state: input.value };
        case "cas":
          return input.from === state ? { ok: true, state: input.to } : { ok: false };
      }
    },
    stateKey: scalarKey,
    kind(input) {
      switch (input.f) {
        case "read":
          return "observes";
        case "write":
          return "overwrites";
        case "cas":
          return input.from === input.to ? "observes" : "other";
      }
    },
    operationKey(input, answer) {
      switch (input.f) {
        case "read":
          return answer === null ? "r" : `r${scalarKey(answer.output)}`;
        case "write":
          return `w${scalarKey(input.value)}`;
        case "cas":
          // The length tells where the first value ends: JSON strings may hold any separator.
          return `c${String(scalarKey(input.from)).length}:${scalarKey(input.from)}${scalarKey(input.to)}`;
      }
    },
    describe(input, answer) {
      switch (input.f) {
        case "read":
          return answer === null ? "read" : `read -> ${JSON.stringify(answer.output)}`;
        case "write":
          return `write ${JSON.stringify(input.value)}`;
        case "cas":
          return `cas ${JSON.stringify(input.from)} -> ${JSON.stringify(input.to)}`;
      }
    },
    describeState: (state) => JSON.stringify(state),
  };
}

/** Numbers stand for themselves (cheapest to look up); JSON keeps the rest apart from them and from each other. */
function scalarKey(value: Scalar): string | number {
  return typeof value === "number" ? value : JSON.stringify(value);
}
