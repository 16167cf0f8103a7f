/**
 * Real-time order of a fleet: whatever is asked after an answer came, is answered by the entry of that answer or by a
 * later one; and what is carried out after an answer came stands behind the entry of that answer. Tenants, operators
 * and askers are judged together, so whoever has changed something finds it changed.
 *
 * Not checked: questions that any member may answer from what it has; what the answer says (see `answers-as-applied`).
 */
import type { FleetCall } from "../requests.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

export function answersFresh({ violate }: FleetContext): FleetOracle {
  let highest = 0;
  /** What had been answered when it was asked. */
  const floors = new WeakMap<FleetCall, number>();
  return {
    name: "answers-fresh",
    summary: "nothing is answered by a state from before what was answered before",
    checks: 0,
    called(call) {
      if (call.asked.kind === "write" || call.asked.consistency !== "stale") floors.set(call, highest);
    },
    answered(call, answer) {
      if (answer.kind !== "read" && answer.kind !== "applied") return;
      const { index } = answer;
      const floor = floors.get(call);
      if (floor === undefined) return;
      this.checks += 1;
      // A command that is carried out is an entry of its own; requests without a session have no other.
      const isOld = answer.kind === "applied" ? index <= floor : index < floor;
      if (isOld) {
        const { asked } = call;
        const { kind } = asked.kind === "read" ? asked.query : asked.command;
        violate(
          () => `${kind} is answered by entry ${index}, and entry ${floor} had been answered before it was asked`,
        );
      }
      highest = Math.max(highest, index);
    },
  };
}
