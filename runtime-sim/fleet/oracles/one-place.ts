/**
 * No VM ever runs in two places: on no two hosts do guests of one name execute at once, whatever their epochs. A guest
 * that hangs in its boot executes, and so does one that ignores its stop.
 *
 * Not checked: machines that a fault put there. They have the name of a VM, and belong to none.
 */
import type { FleetContext, FleetOracle, WorkerView } from "./oracle.ts";

export function onePlace({ violateLease }: FleetContext): FleetOracle {
  const places = new Map<string, Set<WorkerView>>();
  return {
    name: "one-place",
    summary: "no VM executes on two hosts at once",
    checks: 0,
    began(worker, { name, spec }) {
      if (spec === null) return;
      const workers = places.get(name) ?? new Set();
      places.set(name, workers);
      workers.add(worker);
      this.checks += 1;
      if (workers.size > 1)
        violateLease(() => `VM ${name} executes on workers ${[...workers].map(({ id }) => id).join(" and ")} at once`);
    },
    ended(worker, { name, spec }) {
      if (spec === null) return;
      const workers = places.get(name);
      workers?.delete(worker);
      if (workers?.size === 0) places.delete(name);
    },
  };
}
