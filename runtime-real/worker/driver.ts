/** What runs machines on a host: the contract that a driver of a hypervisor carries out. */
import type { HostAction, Machine } from "../../core/index.ts";

/** See `HostAction`: fire and forget, idempotent; what comes of one shows in the inventory, and of a probe is told. */
export type MachineAction = Extract<HostAction, { readonly kind: "build" | "start" | "stop" | "delete" | "probe" }>;

export interface DriverListener {
  /** `inventory` has another answer. */
  changed(): void;
  probed(name: string, epoch: number, check: string, isHealthy: boolean): void;
}

export interface Driver {
  /** As the facts of the host tell it. */
  readonly name: string;
  /** Called once, before anything else. */
  listen(listener: DriverListener): void;
  /** Everything that the host has, whoever made it; sorted by name. Also what earlier processes of this node have left running. */
  inventory(): readonly Machine[];
  perform(action: MachineAction): void;
  /**
   * A switch outside of this process: at `atMs` of CLOCK_MONOTONIC (clock.ts) every machine is ended at once, unless it has been set anew by then. It survives the
   * death of this process. Once it has fallen, and before it was ever set, nothing is started.
   */
  fenceAt(atMs: number): void;
}
