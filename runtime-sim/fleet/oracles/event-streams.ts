/**
 * Who follows the events of a fleet, from any index on, is told each that happened once, in order, and the events of an
 * entry together; or is told that what it asks for is not kept any more, which is so only of what is older than the
 * number of events that the cluster keeps. The record is of the oracle's own: each event as it was told when its entry
 * was applied.
 *
 * Not checked: pages by a state that is older than what is remembered; how soon an event is told of.
 */
import type { ClusterEvent } from "../../../core/index.ts";
import { whyWrongEvents } from "../../oracles/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

export function eventStreams({ violate, stateAt }: FleetContext): FleetOracle {
  const events: ClusterEvent[] = [];
  return {
    name: "event-streams",
    summary: "a stream of events has neither gaps nor repetitions, wherever it is resumed",
    checks: 0,
    happened(event) {
      events.push(event);
    },
    answered({ asked }, answer) {
      if (asked.kind !== "read" || answer.kind !== "read" || asked.query.kind !== "listEvents") return;
      const { index, result } = answer;
      const state = stateAt(index);
      if (result.kind !== "events" || state === null) return;
      this.checks += 1;
      const record = { events, forgotten: 0, keptMin: state.limits.events };
      const why = whyWrongEvents(record, index, asked.query, result);
      if (why !== null) violate(why);
    },
  };
}
