/**
 * Tenants and operators of a fleet: they announce the workers, set the cluster up, and then send one request after
 * another to any node. A request without a clear answer is not repeated, except those of the set-up: without it there
 * is nothing to see.
 */
import type { ClientAnswer, Command } from "../../core/index.ts";
import { drawRange, type Stream } from "../random/index.ts";
import type { Caller, World } from "../world/index.ts";
import type { Fleet } from "./fleet.ts";
import type { FleetCall, Requests } from "./requests.ts";
import { setUpCommands } from "./set-up.ts";
import type { SimWorker } from "./sim-worker.ts";
import { Wishes } from "./wishes.ts";

/**
 * Set-up requests under way at a time, more if there are more than so many VMs for each; and how long one waits before
 * it is asked again elsewhere.
 */
const SETUP_PARALLEL = 32;
const SETUP_VMS_EACH = 80;
const PATIENCE_US = 3_000_000;

export class Tenants implements Caller {
  readonly #world: World;
  readonly #fleet: Fleet;
  readonly #rng: Stream;
  readonly #everyUs: number;
  readonly wishes: Wishes;
  /** What is still to be set up, and what of it has been asked for: by attempt. */
  readonly #setup: Command[][];
  readonly #pending = new Map<number, Command>();
  /** What was asked and is not answered. */
  readonly #asked = new Map<number, FleetCall>();
  readonly #requests: Requests;
  #attempt = 0;
  /** Hosts whose death has been confirmed, and that is not known to be in the log: by attempt. */
  readonly #confirmed = new Map<number, SimWorker>();
  #stopped = false;

  constructor(world: World, fleet: Fleet, requests: Requests) {
    this.#requests = requests;
    this.#world = world;
    this.#fleet = fleet;
    this.#rng = world.streams.stream("tenants");
    const { shape } = fleet;
    this.#everyUs = shape.askEveryMs === null ? 0 : drawRange(shape.askEveryMs, this.#rng, false) * 1000;
    this.wishes = new Wishes(fleet, this.#rng);
    const vms = Array.from({ length: shape.vms }, () => this.wishes.create());
    // Settings come before the VMs that they are for.
    this.#setup = [setUpCommands(shape, fleet.workers).reverse(), vms.reverse()];
    world.loop.after(1_500_000, () => this.#proceed());
    if (this.#everyUs > 0 && !this.wishes.isEmpty) this.#askLater();
  }

  /**
   * Nothing more is asked for, but the set-up goes on. The confirmation of a death is repeated until the log has it:
   * before that the host must not come back.
   */
  stop(): void {
    this.#stopped = true;
    const workers = new Set(this.#confirmed.values());
    this.#confirmed.clear();
    for (const { id } of workers) this.#insist({ kind: "confirmWorkerDead", workerId: id });
  }

  get waitsFor(): string | null {
    let left = this.#pending.size;
    for (const step of this.#setup) left += step.length;
    return left === 0 ? null : `${left} requests that somebody insists on have not been answered`;
  }

  #proceed(): void {
    const parallel = Math.max(SETUP_PARALLEL, Math.ceil(this.#fleet.shape.vms / SETUP_VMS_EACH));
    while (this.#pending.size < parallel) {
      const command = this.#setup[0]?.pop();
      if (command !== undefined) this.#insist(command);
      else if (this.#setup.length === 0 || this.#pending.size > 0) return;
      else this.#setup.shift();
    }
  }

  #insist(command: Command): void {
    const attempt = this.#send(command);
    this.#pending.set(attempt, command);
    this.#world.loop.after(PATIENCE_US, () => this.#again(attempt));
  }

  #again(attempt: number): void {
    const command = this.#pending.get(attempt);
    if (command === undefined) return;
    this.#pending.delete(attempt);
    this.#insist(command);
  }

  #send(command: Command): number {
    const attempt = ++this.#attempt;
    const call: FleetCall = { by: "tenants", asked: { kind: "write", command } };
    this.#asked.set(attempt, call);
    this.#requests.begun(call);
    const host = this.#fleet.anyMember(this.#rng);
    this.#world.gateway.request(host, { kind: "propose", request: { session: null, command } }, this, attempt);
    return attempt;
  }

  answered(attempt: number, answer: ClientAnswer | null): void {
    const asked = this.#asked.get(attempt);
    this.#asked.delete(attempt);
    if (asked !== undefined) this.#requests.ended(asked, answer);
    const insistedOn = this.#pending.get(attempt);
    if (answer?.kind === "applied") {
      const confirmed = insistedOn?.kind === "confirmWorkerDead" ? this.#fleet.withId(insistedOn.workerId) : null;
      (confirmed ?? this.#confirmed.get(attempt))?.plugIn(this.#fleet.servers);
      this.#confirmed.delete(attempt);
      if (insistedOn !== undefined) {
        this.#pending.delete(attempt);
        this.#proceed();
      }
      return;
    }
    if (insistedOn !== undefined) this.#world.loop.after(this.#rng.exponential(100_000), () => this.#again(attempt));
  }

  #askLater(): void {
    this.#world.loop.after(this.#rng.exponential(this.#everyUs), () => {
      if (this.#stopped) return;
      const wished = this.wishes.draw();
      if (wished !== null) {
        const attempt = this.#send(wished.command);
        if (wished.confirmed !== null) this.#confirmed.set(attempt, wished.confirmed);
      }
      this.#askLater();
    });
  }
}
