/**
 * Real-time order by log index: whatever is called after an answer came is served at or after the index of that answer
 * (thesis 6.4). Sees at once, over all keys together and without a search, most of what linearizability must find.
 *
 * Checks every applied write, and every read that was asked to be linearizable or served under a lease, against the
 * highest index that any client had been answered when it was called. Does not check: stale reads; what the answer
 * says (linearizability does).
 */

import { askedText } from "../workload/index.ts";
import { type Moment, momentText } from "../world/index.ts";
import type { OracleContext } from "./context.ts";
import type { Oracle } from "./oracle.ts";

/** What a client was told. */
interface Answered {
  readonly index: number;
  readonly operation: number;
  readonly at: Moment;
}

export function readFreshness({ violate, now }: OracleContext): Oracle {
  const name = "read-freshness";
  let highest: Answered | null = null;
  /** For each operation under way: the highest index that was answered before it was called. */
  const floors = new Map<number, Answered | null>();

  return {
    name,
    summary: "nothing is served from before what was answered before it was asked",
    checks: 0,
    invoked({ id, asked }) {
      if (asked.kind === "write" || asked.consistency !== "stale") floors.set(id, highest);
    },
    completed({ id, client, asked, answer }) {
      const floor = floors.get(id) ?? null;
      const isJudged = floors.has(id);
      floors.delete(id);
      if (!isJudged || answer === null || (answer.kind !== "applied" && answer.kind !== "read")) return;
      this.checks += 1;
      const { index } = answer;
      if (floor !== null && index < floor.index) {
        violate(
          name,
          () =>
            `operation ${id} of client ${client} (${askedText(asked)}) was served at index ${index}; ${floor.index} had ` +
            `been answered to operation ${floor.operation} at ${momentText(floor.at)}, before it was called`,
        );
      }
      if (highest === null || index > highest.index) highest = { index, operation: id, at: now() };
    },
  };
}
