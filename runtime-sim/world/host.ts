/**
 * A simulated machine: a clock and a number in the network. At most one member lives on it, with a process that may be
 * paused or slow. When a disk is lost the host gets another member, with another identity.
 */
import type { HostClock } from "../hardware/index.ts";
import type { SimEvent } from "./event.ts";
import type { SimMember } from "./member.ts";

export class SimHost {
  /** From 0; its number in the network. */
  readonly index: number;
  readonly clock: HostClock;
  readonly baseRate: number;
  member: SimMember | null = null;
  /** Identities issued here so far. */
  identitiesIssued = 0;
  pauses = 0;
  /** How long each input takes, of every slowness under way. */
  readonly slowness: number[] = [];
  /** Inputs that wait for the process. */
  inbox: SimEvent[] = [];
  draining = false;
  /** How often its clock was changed: its time, or its rate. */
  clockChanges = 0;
  /** How often it has been given another address. */
  moves = 0;
  readonly drifts: { readonly factor: number }[] = [];
  readonly writeTraps = new Set<() => void>();

  constructor(index: number, clock: HostClock, baseRate: number) {
    this.index = index;
    this.clock = clock;
    this.baseRate = baseRate;
  }

  get inputUs(): number {
    let longest = 0;
    for (const inputUs of this.slowness) longest = Math.max(longest, inputUs);
    return longest;
  }
}
