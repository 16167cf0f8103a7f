/**
 * No honest node stops itself without a cause.
 *
 * Checks every halt of an honest node. It is excused when there is a Byzantine peer in the run; when one of the node's
 * writes failed, as its reason says, and the world did make that disk fail; or when the node holds evidence against a
 * node whose disk was damaged. Anything else is an assertion that failed, and so a defect of the core. Does not check:
 * whether an excused halt was the right answer (the Byzantine verdicts do).
 */

import { hasLiar, type OracleContext } from "./context.ts";
import { accusedBy } from "./evidence-without-liar.ts";
import type { Oracle } from "./oracle.ts";

/** How the core begins its reason when storage reported a failed write. */
const WRITE_FAILED = /^write \d+ failed/;

export function haltedHonest({ violate, members, findMember }: OracleContext): Oracle {
  const name = "halted-honest";
  return {
    name,
    summary: "an honest node with a sound disk stops itself only for a liar",
    checks: 0,
    halted({ member }, _node, reason, evidence) {
      this.checks += 1;
      if (hasLiar(members) || (member.disk.faults > 0 && WRITE_FAILED.test(reason))) return;
      const accused = evidence === null ? null : findMember(accusedBy(evidence));
      if (accused !== null && accused.disk.faults > 0) return;
      violate(name, () => `node ${member.id} stopped itself: ${reason}`);
    },
  };
}
