/** Where each VM is placed, by the events of the replicated state alone: to be compared with everything else. */
import type { ClusterEvent, VmState } from "../../../core/index.ts";
import type { Moment } from "../../world/index.ts";

export interface Placement {
  readonly state: VmState;
  readonly epoch: number;
  readonly workerId: number | null;
  /** The entry by which it is so, and when that was first seen. */
  readonly index: number;
  readonly since: Moment;
}

export class Placements {
  readonly #vms = new Map<string, Placement>();

  of(name: string): Placement | null {
    return this.#vms.get(name) ?? null;
  }

  tell(event: ClusterEvent, since: Moment): void {
    switch (event.kind) {
      case "vmCreated":
        this.#vms.set(event.name, { state: "Pending", epoch: 0, workerId: null, index: event.index, since });
        return;
      case "vmState": {
        const { name, state, epoch, workerId, index } = event;
        this.#vms.set(name, { state, epoch, workerId, index, since });
        return;
      }
      case "vmDeleted":
        this.#vms.delete(event.name);
        return;
      default:
        return;
    }
  }
}
