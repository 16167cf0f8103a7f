/** The fleet of a run with all that belongs to it: hosts, those who ask, and the audit. */
import type { ClusterState } from "../../core/index.ts";
import type { Violate } from "../oracle.ts";
import type { World } from "../world.ts";
import { FleetAudit } from "./audit.ts";
import { Fleet } from "./fleet.ts";
import type { FleetShape } from "./shape.ts";
import { Tenants } from "./tenants.ts";

export class MachineRoom {
  readonly fleet: Fleet;
  readonly #world: World;
  readonly #tenants: Tenants;
  readonly #audit: FleetAudit;
  /** Why the fleet did not look settled when it was last asked, and since when it looks settled. */
  #unsettled: string | null = "nobody has looked yet";

  constructor(world: World, shape: FleetShape, violate: Violate) {
    this.#world = world;
    this.fleet = new Fleet(
      world,
      shape,
      (host) => this.#audit.changed(host, this.#newest()),
      (host, name, epoch) => this.#audit.planted(host, name, epoch),
    );
    this.#tenants = new Tenants(world, this.fleet);
    this.#audit = new FleetAudit(this.fleet, this.#tenants, violate);
    this.#auditLater(shape.auditEveryMs * 1000);
  }

  get checks(): Readonly<Record<string, number>> {
    return this.#audit.checks;
  }

  heal(): void {
    this.#tenants.stop();
    this.fleet.heal();
  }

  waitsFor(state: ClusterState): string | null {
    this.#unsettled = this.#tenants.waitsFor ?? this.#audit.unsettled(state);
    return this.#unsettled;
  }

  finished(): void {
    const state = this.#newest();
    if (state !== null) this.#audit.finished(state);
  }

  #auditLater(everyUs: number): void {
    this.#world.after(everyUs, () => {
      const state = this.#newest();
      if (state !== null) this.#audit.audit(state);
      this.#auditLater(everyUs);
    });
  }

  /** The state that has come furthest: of committed entries there is one history only. */
  #newest(): ClusterState | null {
    let best: ClusterState | null = null;
    for (const { node, honest } of this.#world.hosts) {
      if (!honest || node === null) continue;
      if (best === null || node.state.appliedIndex > best.appliedIndex) best = node.state;
    }
    return best;
  }
}
