/** What a fault may do to the world. Hosts are numbered from 0. Which member lives on one may change. */

import type { Disk, HostClock } from "../hardware/index.ts";
import type { Links, Network } from "../network/index.ts";
import type { LeaderMoment } from "../world/index.ts";
import type { EndFault } from "./kind.ts";

/** What a fault may do to a host that runs machines. Whatever it does, the host counts as disturbed from then on. */
export interface WorkerTarget {
  readonly hostIndex: number;
  disturb(): void;
  crashAgent(): void;
  bootAgent(): void;
  pause(): EndFault;
  powerOff(): void;
  powerOn(): void;
  /** Makes one quality of its hypervisor worse: the name of the fault says which. */
  worsen(fault: string, value: number): EndFault;
  plantOrphan(name: string, epoch: number): void;
  drift(factor: number): EndFault;
}

export interface FaultWorld {
  /** Virtual time, in whole microseconds. */
  readonly nowUs: number;
  readonly network: Network;
  readonly links: Links;
  /** Hosts of the members of the cluster, up or down; in order. */
  participants(): readonly number[];
  isUp(host: number): boolean;
  diskOf(host: number): Disk;
  clockOf(host: number): HostClock;

  /** Does something later, unless the run has ended by then. The action must check whether it is still wanted. */
  after(delayUs: number, action: () => void): void;

  /** The next process there, and all after it, are of the present build. */
  upgrade(host: number): void;
  /** Ends the process there, at once. False when none runs. */
  crash(host: number): boolean;
  /** Starts a process where none runs, as far as the disk allows. */
  restart(host: number): void;
  /**
   * Calls once when the process there next submits a write, before the disk gets it. Cancelled by calling what it
   * returns.
   */
  onNextWrite(host: number, action: () => void): EndFault;
  /**
   * Calls whenever somebody is elected, or a leader commits for the first time in its term, until what it returns is
   * called.
   */
  onLeader(moment: LeaderMoment, action: (host: number) => void): EndFault;
  /** The process neither reads nor computes until what it returns is called. Overlapping pauses add up. */
  pause(host: number): EndFault;
  /** Each input takes the process this long. Of overlapping ones the longest holds. */
  slowDown(host: number, inputUs: number): EndFault;

  /**
   * Whether the cluster will keep a record of where this host is, and, with it at another address too, a majority of
   * the voters is still where all the others know it to be.
   */
  mayMove(host: number): boolean;
  /**
   * The process there ends, and the next one is at another address. `takesOver`: at one that another host has left, if
   * there is any.
   */
  move(host: number, takesOver: boolean): void;

  /** The worker on this host; null: it runs no machines. */
  workerAt(host: number): WorkerTarget | null;

  /** Whether the fault atlas lets this host's data be destroyed. */
  mayDamage(host: number): boolean;
  /**
   * Must be called after every fault that destroyed or refused data, so that nothing relies on it. `lasting`: this
   * copy of the data counts for nothing from now on.
   */
  diskFaulted(host: number, lasting: boolean): void;
  /**
   * Removes the disk, and the member's identity with it. The operator puts a new member on the host, `absentUs` later
   * at the earliest.
   */
  loseDisk(host: number, absentUs: number): void;

  /**
   * Leaves the host an empty disk and the member's identity. Somebody has the member join again `absentUs` later at
   * the earliest, as who it was; if the cluster does not let it, it is replaced by a new member.
   */
  emptyDisk(host: number, absentUs: number): void;

  /**
   * Whether, with the wall clock of this host wrong too, a majority of the voters still has clocks that were right all
   * along.
   */
  mayMisset(host: number): boolean;
  /** Must be called after each change of a clock: deadlines come at other times now. */
  clockChanged(host: number): void;
  /** Multiplies the rate of a host's clock until what it returns is called. */
  driftClock(host: number, factor: number): EndFault;
}
