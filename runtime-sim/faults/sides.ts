/** Which hosts a cut puts on which side. Both draw from the stream of the fault. */
import type { Injection } from "./kind.ts";
import type { FaultWorld } from "./world.ts";

/**
 * Each host's side: 0 for `first`, 1 for everyone else. A host that runs machines may be on either: on the side of a
 * deposed leader it reports to somebody who leads no more.
 */
export function sides(world: FaultWorld, fault: Injection, first: readonly number[]): number[] {
  return Array.from({ length: world.network.hostCount }, (_, host) => {
    if (world.workerAt(host) !== null) return fault.rng.integer(0, 1);
    return first.includes(host) ? 0 : 1;
  });
}

/** The first of these hosts, with as many of the others as leave it short of a majority. */
export function minorityOf(world: FaultWorld, fault: Injection, hosts: readonly number[]): number[] {
  const participants = world.participants();
  const others = fault.rng.shuffle(participants.filter((other) => !hosts.includes(other)));
  return [...hosts.slice(0, 1), ...others.slice(0, Math.max(0, Math.ceil(participants.length / 2) - 2))];
}
