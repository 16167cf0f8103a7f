/**
 * A VM counts as unhealthy only when one of its health checks has failed as often in a row as it says, in that very
 * run. Failures are counted by what the checks really came to.
 *
 * Not checked: that whoever is unhealthy comes to count as such, and how checks of less weight add up; hosts whose
 * agent has ever stood still, for a result that comes too late counts as a failure; and VMs that somebody has asked
 * something of, whose checks may be others by now.
 */
import { vmOf } from "../../../core/index.ts";
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

interface Streak {
  now: number;
  longest: number;
  /** The last failure of the longest. */
  at: Moment | null;
}

export function unhealthyInARow({ touched, findWorker, now, violate }: FleetContext): FleetOracle {
  /** By name: the newest run of it that was probed, and by check how often it failed in a row. */
  const runs = new Map<string, { readonly epoch: number; readonly streaks: Map<string, Streak> }>();
  return {
    name: "unhealthy-in-a-row",
    summary: "a VM counts as unhealthy when a check has failed so often in a row",
    checks: 0,
    probed(_, { name, epoch, check, healthy }) {
      let run = runs.get(name);
      if (run?.epoch !== epoch) {
        run = { epoch, streaks: new Map() };
        runs.set(name, run);
      }
      const streak = run.streaks.get(check) ?? { now: 0, longest: 0, at: null };
      run.streaks.set(check, streak);
      streak.now = healthy ? 0 : streak.now + 1;
      if (streak.now <= streak.longest) return;
      streak.longest = streak.now;
      streak.at = now();
    },
    happened(event, state, { command }) {
      if (event.kind === "vmDeleted") runs.delete(event.name);
      if (event.kind !== "vmState" || event.state !== "Failed" || command?.kind !== "observe") return;
      const { name, epoch, workerId, index } = event;
      const seen = command.machines.find((machine) => machine.name === name && machine.epoch === epoch);
      const vm = vmOf(state, name);
      if (seen?.phase !== "unhealthy" || vm === null || touched.has(name) || workerId === null) return;
      const worker = findWorker(workerId);
      if (worker === null || worker.wasPaused || worker.hasMisreported) return;
      this.checks += 1;
      const run = runs.get(name);
      const streakOf = (check: string) => (run?.epoch === epoch ? run.streaks.get(check) : undefined);
      if (vm.spec.healthChecks.some((check) => (streakOf(check.name)?.longest ?? 0) >= check.failures)) return;
      violate(
        () =>
          `VM ${name} counts as unhealthy by entry ${index}, applied at ${momentText(now())}, and its checks have ` +
          "failed in a row: " +
          vm.spec.healthChecks
            .map((check) => `${check.name} ${streakText(streakOf(check.name), check.failures)}`)
            .join(", "),
      );
    },
  };
}

/** How often of how often, and when last. */
function streakText(streak: Streak | undefined, failures: number): string {
  if (streak?.at == null) return `0 of ${failures}`;
  return `${streak.longest} of ${failures}, until ${momentText(streak.at)}`;
}
