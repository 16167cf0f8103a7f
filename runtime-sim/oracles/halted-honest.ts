/**
 * No honest node stops itself without a cause.
 *
 * Checks every halt of an honest node. It is excused when there is a Byzantine peer in the run, when the world has damaged or filled
 * the node's disk or failed one of its writes, or when the node holds evidence against a node whose disk was damaged. Anything else is
 * an assertion that failed, and so a defect of the core.
 * Does not check: whether an excused halt was the right answer (the Byzantine verdicts do).
 */
import type { Oracle } from "../oracle.ts";
import { hasLiar, type OracleContext } from "./context.ts";
import { accusedBy } from "./evidence-without-liar.ts";

export function haltedHonest({ violate, hosts, hostOf }: OracleContext): Oracle {
  const name = "halted-honest";
  return {
    name,
    summary: "an honest node with a sound disk stops itself only for a liar",
    checks: 0,
    halted({ host }, _node, reason, evidence) {
      this.checks += 1;
      if (hasLiar(hosts) || host.disk.faults > 0) return;
      const accused = evidence === null ? null : hostOf(accusedBy(evidence));
      if (accused !== null && accused.disk.faults > 0) return;
      violate(name, () => `node ${host.id} stopped itself: ${reason}`);
    },
  };
}
