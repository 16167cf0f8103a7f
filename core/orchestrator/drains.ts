/**
 * The drains that are under way: which VMs of each worker are moving, that is, have left and do not run elsewhere yet,
 * and which drain is to go on. A drain goes on when something of it has changed, or when there may be room for a VM
 * that found none.
 */
import { Deadlines } from "./deadlines.ts";

/** How long a drain waits for a VM that it moved to run elsewhere, before it goes on without it. */
export const DRAIN_PATIENCE_MS = 120_000;

export class Drains {
  #moving = new Map<number, Set<string>>();
  /** By name of a moving VM, the drained worker that it has left. */
  #origins = new Map<string, number>();
  readonly #patience = new Deadlines<string>();
  /** To go on, in the order in which they came. */
  #due = new Set<number>();
  #blocked = new Set<number>();
  #roomIndex = 0;

  /**
   * A worker is to be drained, or something of one that is drained has changed.
   *
   * @param leaving the VMs that have been moved already, by this leader or an earlier one; asked when it begins anew.
   */
  begin(workerId: number, leaving: () => readonly string[], nowMs: number): void {
    if (!this.#moving.has(workerId)) {
      this.#moving.set(workerId, new Set());
      for (const name of leaving()) this.moves(workerId, name, nowMs);
    }
    this.#blocked.delete(workerId);
    this.#due.add(workerId);
  }

  end(workerId: number): void {
    for (const name of this.#moving.get(workerId) ?? []) this.#forget(name);
    this.#moving.delete(workerId);
    this.#due.delete(workerId);
    this.#blocked.delete(workerId);
  }

  /** A VM is moving. */
  moves(workerId: number, name: string, nowMs: number): void {
    this.#moving.get(workerId)?.add(name);
    this.#origins.set(name, workerId);
    this.#patience.set(name, nowMs + DRAIN_PATIENCE_MS);
  }

  movingFrom(workerId: number): number {
    return this.#moving.get(workerId)?.size ?? 0;
  }

  /** The drained worker that a moving VM has left; undefined: it is not moving. */
  originOf(name: string): number | undefined {
    return this.#origins.get(name);
  }

  /** A VM is moving no more. */
  settled(name: string): void {
    const workerId = this.#origins.get(name);
    if (workerId === undefined) return;
    this.#forget(name);
    this.#moving.get(workerId)?.delete(name);
    this.#blocked.delete(workerId);
    this.#due.add(workerId);
  }

  /** There is more to do at once. */
  again(workerId: number): void {
    this.#due.add(workerId);
  }

  /** The VMs that are left on a worker find no place. */
  blocked(workerId: number): void {
    this.#blocked.add(workerId);
  }

  /** Drains that have waited long enough for a VM go on, and if room has changed, those that found none. */
  advance(nowMs: number, roomIndex: number): void {
    for (let name = this.#patience.take(nowMs); name !== undefined; name = this.#patience.take(nowMs))
      this.settled(name);
    if (roomIndex <= this.#roomIndex) return;
    this.#roomIndex = roomIndex;
    for (const workerId of this.#blocked) this.#due.add(workerId);
    this.#blocked.clear();
  }

  /** The next drain that is to go on; null: none is. */
  next(): number | null {
    for (const workerId of this.#due) {
      this.#due.delete(workerId);
      return workerId;
    }
    return null;
  }

  get nextMs(): number {
    return this.#patience.nextMs;
  }

  #forget(name: string): void {
    this.#origins.delete(name);
    this.#patience.delete(name);
  }

  capture() {
    return {
      moving: copyOfSets(this.#moving),
      origins: new Map(this.#origins),
      patience: this.#patience.capture(),
      due: new Set(this.#due),
      blocked: new Set(this.#blocked),
      roomIndex: this.#roomIndex,
    };
  }

  restore(captured: ReturnType<Drains["capture"]>): void {
    this.#moving = copyOfSets(captured.moving);
    this.#origins = new Map(captured.origins);
    this.#patience.restore(captured.patience);
    this.#due = new Set(captured.due);
    this.#blocked = new Set(captured.blocked);
    this.#roomIndex = captured.roomIndex;
  }
}

function copyOfSets<K, V>(sets: ReadonlyMap<K, ReadonlySet<V>>): Map<K, Set<V>> {
  return new Map([...sets].map(([key, set]) => [key, new Set(set)]));
}
