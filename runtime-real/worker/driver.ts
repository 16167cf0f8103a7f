/** The contract of what runs machines on a host, such as a driver of a hypervisor. */
import type { HostAction, Machine } from "../../core/index.ts";
import type { ConsoleRun, MachineConsole } from "./machine-console.ts";

/**
 * Fire and forget, and idempotent: see `HostAction`. Its result shows in the inventory; that of a probe is told to the
 * listener.
 */
export type MachineAction = Extract<HostAction, { readonly kind: "build" | "start" | "stop" | "delete" | "probe" }>;

export interface DriverListener {
  /** `inventory` returns something else now. */
  changed(): void;
  probed(name: string, epoch: number, check: string, isHealthy: boolean): void;
  /** Somebody on the host asks for the VM to run: its machine may not be started but by the cluster. */
  startedByHand(name: string): void;
}

export interface Driver {
  /** As in the facts of the host. */
  readonly name: string;
  /** What VMs may ask for on this host because of it. */
  readonly features: readonly string[];
  /** Called once, before anything else. */
  listen(listener: DriverListener): void;
  /**
   * Every machine on the host, sorted by name: also those that somebody else has made, and those that earlier
   * processes of this node have left running.
   */
  inventory(): readonly Machine[];
  perform(action: MachineAction): void;
  /**
   * Sets a fence outside of this process. At `atMs` of CLOCK_MONOTONIC (processes/clock.ts) it ends every machine at
   * once, unless it has been set to another time before. It survives the death of this process. After that time, and
   * before it is set for the first time, no machine is started.
   */
  fenceAt(atMs: number): void;
  /** Null: the host has no such machine, or no such run of it. */
  console(name: string, run: ConsoleRun): MachineConsole | null;
  /** This process lets go of the machines: they go on. */
  close(): void;
}
