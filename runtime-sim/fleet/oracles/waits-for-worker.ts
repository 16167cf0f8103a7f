/**
 * A VM that shall wait for its worker when that is lost does: it keeps its place there, and runs nowhere else, until
 * its worker is back or an operator confirms that the host is dead.
 *
 * Not checked: VMs that are to move on: that they do is for `desired-runs` to see.
 */
import { vmOf, workerOf } from "../../../core/index.ts";
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

export function waitsForWorker({ now, violate }: FleetContext): FleetOracle {
  /** When each worker was seen to be lost. */
  const lostAt = new Map<number, Moment>();
  return {
    name: "waits-for-worker",
    summary: "a VM that shall wait for its lost worker keeps its place there",
    checks: 0,
    happened(event, state, { before, command }) {
      if (event.kind === "workerStatus" && workerOf(state, event.workerId)?.isOnline === false)
        lostAt.set(event.workerId, now());
      if (event.kind !== "vmState" && event.kind !== "vmDeleted") return;
      const { name, index } = event;
      const was = vmOf(before, name);
      if (was === null || was.workerId === null || workerOf(state, was.workerId)?.isOnline !== false) return;
      // It may be asked to wait no more.
      const spec = vmOf(state, name)?.spec ?? was.spec;
      if (spec.onWorkerLost !== "wait" || command?.kind === "confirmWorkerDead") return;
      this.checks += 1;
      if (event.kind === "vmDeleted" || event.workerId !== was.workerId)
        violate(() => {
          const lost = lostAt.get(was.workerId ?? 0);
          const when = lost === undefined ? "" : ` since ${momentText(lost)}`;
          return `VM ${name} leaves worker ${was.workerId} by entry ${index}, which is lost${when} and to be waited for`;
        });
    },
  };
}
