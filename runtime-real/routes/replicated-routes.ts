/**
 * The routes to guests that follow from replicated state, kept up to date by what has changed in it. It numbers its
 * changes, so that a worker which holds no state is told of each once.
 */
import {
  type ClusterState,
  differences,
  emptyState,
  interfaceOf,
  type NodeId,
  poolOf,
  type VmRecord,
} from "../../core/index.ts";
import { GuestRoutes, type RouteChange } from "./guest-routes.ts";

/** Changes that are kept. Who has missed more is told all. */
const CHANGES_KEPT = 8192;

export interface RouteNews {
  /** Of the last of the changes. */
  readonly version: number;
  /** Whether the changes are all that there is, and nothing else is true any more. */
  readonly isWhole: boolean;
  readonly changes: readonly RouteChange[];
}

export class ReplicatedRoutes {
  readonly #routes = new GuestRoutes();
  #state: ClusterState = emptyState();
  /** The last changes, oldest first. The number of the last one is the version. */
  #log: RouteChange[] = [];
  #version = 0;

  get version(): number {
    return this.#version;
  }

  update(state: ClusterState): void {
    const before = this.#state;
    this.#state = state;
    if (state.workers !== before.workers)
      for (const { before: earlier, after } of differences(before.workers, state.workers)) {
        if (after !== null) this.#note({ kind: "via", workerId: after.id, via: after.guestsVia });
        else if (earlier !== null) this.#note({ kind: "via", workerId: earlier.id, via: null });
      }
    if (state.vms === before.vms) return;
    const held = new Map<string, NodeId | null>();
    const moved = [...differences(before.vms, state.vms)];
    // First what is given up: another VM may have the address now.
    for (const { before: earlier } of moved)
      if (earlier !== null) for (const address of addressesOf(before, earlier)) held.set(address, null);
    for (const { after } of moved)
      if (after !== null) for (const address of addressesOf(state, after)) held.set(address, after.workerId);
    for (const [address, workerId] of held) this.#note({ kind: "held", address, workerId });
  }

  nextHops(self: NodeId): ReadonlyMap<string, string> {
    return this.#routes.nextHops(self);
  }

  /** For somebody who knows all until that version; null: who knows nothing. */
  newsSince(version: number | null): RouteNews {
    const missed = version === null ? Number.POSITIVE_INFINITY : this.#version - version;
    if (missed > this.#log.length)
      return { version: this.#version, isWhole: true, changes: [...this.#routes.changes()] };
    return { version: this.#version, isWhole: false, changes: this.#log.slice(this.#log.length - missed) };
  }

  #note(change: RouteChange): void {
    if (!this.#routes.apply(change)) return;
    this.#version++;
    this.#log.push(change);
    if (this.#log.length > 2 * CHANGES_KEPT) this.#log = this.#log.slice(-CHANGES_KEPT);
  }
}

function addressesOf(state: ClusterState, { addresses }: VmRecord): readonly string[] {
  return addresses.flatMap(({ pool: name, index }) => {
    const pool = poolOf(state, name);
    return pool === null ? [] : [interfaceOf(pool, index).address];
  });
}
