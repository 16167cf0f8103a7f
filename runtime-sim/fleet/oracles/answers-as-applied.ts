/**
 * What somebody who asks is told is what the state says: each answer to a question is what the state right after the
 * entry that it names says, read anew by a plain version of each question. So a page of a list goes on right where the
 * one before ended, has neither gaps nor repetitions as of its index, and names a next page exactly where there is
 * one; and what is said to be on a worker is what is placed there. Together with `answers-fresh`, reads are
 * linearizable.
 *
 * Checks answers of any consistency, and that the entry is committed. Not checked: events (see `event-streams`); what
 * plans and explanations say (that of a leader's own decisions `best-place` and `hard-rules` do); answers by a state
 * that is older than what is remembered; whether the state is the right one (the oracles of members do that).
 */
import { difference } from "../../oracles/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";
import { plainAnswer } from "./plain-answers.ts";

export function answersAsApplied({ violate, stateAt, commitIndex }: FleetContext): FleetOracle {
  return {
    name: "answers-as-applied",
    summary: "who asks is told what the state says, page by page",
    checks: 0,
    answered({ asked }, answer) {
      if (asked.kind !== "read" || answer.kind !== "read") return;
      const { query } = asked;
      const { index, result } = answer;
      this.checks += 1;
      if (index > commitIndex()) {
        violate(() => `${query.kind} is answered by entry ${index}, and only ${commitIndex()} is committed`);
        return;
      }
      const state = stateAt(index);
      const expected = state === null ? null : plainAnswer(state, query);
      if (expected === null) return;
      const wrong = difference(result, expected);
      if (wrong !== null) violate(() => `${JSON.stringify(query)} is answered by entry ${index}: ${wrong}`);
    },
  };
}
