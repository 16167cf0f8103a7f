/**
 * No VM ever runs in two places: on no two hosts do guests of one name execute at once, whatever their epochs. A guest
 * that hangs in its boot executes, and so does one that ignores its stop.
 *
 * Not checked: machines that a fault put there. They have the name of a VM, and belong to none.
 */
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle, WorkerView } from "./oracle.ts";

/** A guest that executes. */
interface Guest {
  readonly epoch: number;
  readonly since: Moment;
}

export function onePlace({ violateLease, now, placements }: FleetContext): FleetOracle {
  const places = new Map<string, Map<WorkerView, Guest>>();

  function describe(name: string, guests: ReadonlyMap<WorkerView, Guest>): string {
    const all = [...guests].map(
      ([{ id }, { epoch, since }]) => `run ${epoch} on worker ${id} since ${momentText(since)}`,
    );
    const placed = placements.of(name);
    const where = placed?.workerId == null ? "nowhere" : `on worker ${placed.workerId} in run ${placed.epoch}`;
    return `VM ${name} executes in two places at once: ${all.join(", and ")}; the cluster has placed it ${where}`;
  }

  return {
    name: "one-place",
    summary: "no VM executes on two hosts at once",
    checks: 0,
    began(worker, { name, epoch, spec }) {
      if (spec === null) return;
      const guests = places.get(name) ?? new Map<WorkerView, Guest>();
      places.set(name, guests);
      guests.set(worker, { epoch, since: now() });
      this.checks += 1;
      if (guests.size > 1) violateLease(() => describe(name, guests));
    },
    ended(worker, { name, spec }) {
      if (spec === null) return;
      const guests = places.get(name);
      guests?.delete(worker);
      if (guests?.size === 0) places.delete(name);
    },
  };
}
