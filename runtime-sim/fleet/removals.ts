/**
 * An operator that removes workers from the fleet for ever. Some are drained and then removed. Others are broken: they
 * are unplugged, their death is confirmed, and they are removed. Some time later they are plugged in again all the
 * same.
 */
import { type ClientAnswer, type ClusterState, type Command, nodeOf, workerOf } from "../../core/index.ts";
import { drawRange, type Stream } from "../random/index.ts";
import type { Caller, World } from "../world/index.ts";
import type { Fleet } from "./fleet.ts";
import type { FleetCall, Requests } from "./requests.ts";
import type { SimWorker } from "./sim-worker.ts";

/** Between two looks at how a removal goes. */
const LOOK_EVERY_US = 1_000_000;
/** A drain that has not ended by then is called off: the others have no room. */
const DRAIN_PATIENCE_US = 60_000_000;
/** How long a host that was removed stays unplugged. */
const PLUGGED_IN_MEAN_US = 15_000_000;
/** At most this share of all workers is ever removed. */
const SHARE_MAX = 1 / 3;

export class Removals implements Caller {
  readonly #world: World;
  readonly #fleet: Fleet;
  /** Workers that somebody has asked something of. */
  readonly #disturbed: Set<number>;
  readonly #rng: Stream;
  readonly #meanUs: number;
  readonly #begun = new Set<SimWorker>();
  #current: { readonly worker: SimWorker; readonly sinceUs: number } | null = null;
  readonly #requests: Requests;
  readonly #asked = new Map<number, FleetCall>();
  #stopped = false;
  #attempts = 0;

  constructor(world: World, fleet: Fleet, disturbed: Set<number>, requests: Requests) {
    this.#requests = requests;
    this.#world = world;
    this.#fleet = fleet;
    this.#disturbed = disturbed;
    this.#rng = world.streams.stream("removals");
    const { removeEveryMs } = fleet.shape;
    this.#meanUs = removeEveryMs === null ? 0 : drawRange(removeEveryMs, this.#rng, false) * 1000;
    if (removeEveryMs !== null) this.#beginLater();
  }

  /**
   * No more are begun. One that was unplugged is still removed: its death may have been confirmed, and then it must
   * not come back before.
   */
  stop(): void {
    this.#stopped = true;
    if (this.#current?.worker.isUnplugged === false) this.#current = null;
    for (const worker of this.#begun) if (worker !== this.#current?.worker) worker.plugIn(this.#fleet.servers);
  }

  get waitsFor(): string | null {
    return this.#current === null ? null : `worker ${this.#current.worker.id} is not removed yet`;
  }

  #beginLater(): void {
    this.#world.loop.after(this.#rng.exponential(this.#meanUs), () => {
      if (this.#stopped) return;
      this.#begin();
      this.#beginLater();
    });
  }

  #begin(): void {
    const state = this.#fleet.newestState;
    const { workers } = this.#fleet;
    const worker = this.#rng.pick(workers);
    if (this.#current !== null || this.#begun.has(worker) || this.#begun.size + 1 > workers.length * SHARE_MAX) return;
    // Who has unplugged it plugs it in again.
    if (worker.isUnplugged || state === null || workerOf(state, worker.id) === null) return;
    this.#begun.add(worker);
    this.#disturbed.add(worker.id);
    if (this.#rng.chance(0.5)) worker.unplug();
    this.#current = { worker, sinceUs: this.#world.loop.nowUs };
    this.#look();
  }

  #look(): void {
    const current = this.#current;
    if (current === null) return;
    const { worker, sinceUs } = current;
    const state = this.#fleet.newestState;
    if (state !== null && nodeOf(state, worker.id)?.role === "removed") {
      this.#current = null;
      if (this.#stopped) worker.plugIn(this.#fleet.servers);
      else this.#world.loop.after(this.#rng.exponential(PLUGGED_IN_MEAN_US), () => worker.plugIn(this.#fleet.servers));
      return;
    }
    const isOver = !worker.isUnplugged && this.#world.loop.nowUs - sinceUs >= DRAIN_PATIENCE_US;
    // Now and then the request comes too early: then it must be refused.
    const isRash = this.#rng.chance(0.1);
    const command = isOver
      ? available(worker.id, "online")
      : isRash
        ? removal(worker.id)
        : state === null
          ? null
          : nextStep(state, worker);
    if (command !== null) this.#send(command);
    if (isOver) this.#current = null;
    else this.#world.loop.after(LOOK_EVERY_US, () => this.#look());
  }

  #send(command: Command): void {
    const host = this.#fleet.anyMember(this.#rng);
    this.#attempts += 1;
    const call: FleetCall = { by: "removals", asked: { kind: "write", command } };
    this.#asked.set(this.#attempts, call);
    this.#requests.begun(call);
    this.#world.gateway.request(host, { kind: "propose", request: { session: null, command } }, this, this.#attempts);
  }

  /** The state says what has come of it. */
  answered(attempt: number, answer: ClientAnswer | null): void {
    const asked = this.#asked.get(attempt);
    this.#asked.delete(attempt);
    if (asked !== undefined) this.#requests.ended(asked, answer);
  }
}

function nextStep(state: ClusterState, { id, isUnplugged }: SimWorker): Command | null {
  const worker = workerOf(state, id);
  if (worker === null) return null;
  const isEmpty = worker.vms.length + worker.tasks.length === 0;
  if (isUnplugged && (worker.isOnline || !isEmpty)) return { kind: "confirmWorkerDead", workerId: id };
  if (!isUnplugged && worker.availability !== "draining") return available(id, "draining");
  return isEmpty ? removal(id) : null;
}

function removal(workerId: number): Command {
  return { kind: "removeWorker", workerId };
}

function available(workerId: number, availability: "online" | "draining"): Command {
  return { kind: "setAvailability", workerId, availability };
}
