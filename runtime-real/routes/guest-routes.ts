/** Where the guests of a cluster are: which worker has which address, and where it takes what is for its guests. */
import { type IpFamily, type NodeId, parseIp } from "../../core/index.ts";

/** Null: nobody has the address; the worker is not there, or takes nothing. */
export type RouteChange =
  | { readonly kind: "held"; readonly address: string; readonly workerId: NodeId | null }
  | { readonly kind: "via"; readonly workerId: NodeId; readonly via: readonly string[] | null };

export class GuestRoutes {
  /** By address. */
  readonly #holders = new Map<string, NodeId>();
  readonly #vias = new Map<NodeId, readonly string[]>();

  /** False: it was so already. */
  apply(change: RouteChange): boolean {
    if (change.kind === "held") {
      const { address, workerId } = change;
      if (workerId === null) return this.#holders.delete(address);
      if (this.#holders.get(address) === workerId) return false;
      this.#holders.set(address, workerId);
      return true;
    }
    const { workerId, via } = change;
    if (via === null) return this.#vias.delete(workerId);
    if (this.#vias.get(workerId)?.join() === via.join()) return false;
    this.#vias.set(workerId, via);
    return true;
  }

  /** All of it, as changes of nothing. */
  *changes(): Generator<RouteChange, void, undefined> {
    for (const [workerId, via] of this.#vias) yield { kind: "via", workerId, via };
    for (const [address, workerId] of this.#holders) yield { kind: "held", address, workerId };
  }

  /**
   * By address of a guest, the address that packets for it are sent to next. Guests of `self` are not among them, nor
   * those whose worker takes nothing of their family.
   */
  nextHops(self: NodeId): ReadonlyMap<string, string> {
    const byWorker = new Map<NodeId, ReadonlyMap<IpFamily, string>>();
    const workersThemselves = new Set<string>();
    for (const [workerId, via] of this.#vias) {
      byWorker.set(workerId, new Map(via.map((address) => [parseIp(address, "").family, address])));
      for (const address of via) workersThemselves.add(address);
    }
    const hops = new Map<string, string>();
    for (const [address, workerId] of this.#holders) {
      // A route to the address of a worker would lead nowhere, and cut that worker off.
      if (workerId === self || workersThemselves.has(address)) continue;
      const hop = byWorker.get(workerId)?.get(address.includes(":") ? 6 : 4);
      if (hop !== undefined) hops.set(address, hop);
    }
    return hops;
  }
}
