/**
 * Those who ask a fleet what there is, while things are placed, moved and lost: they list by pages, look at single VMs,
 * workers and tasks, have placements explained and planned, and follow the events. They ask any honest member, and
 * change nothing. What they know is what they were told. A question without an answer is not asked again.
 */
import { type ClientAnswer, type ClusterQuery, type ReadConsistency, vmSpec } from "../../core/index.ts";
import { drawRange, type Stream } from "../random/index.ts";
import type { Caller, World } from "../world/index.ts";
import { FIRST_WORKER_ID, type Fleet } from "./fleet.ts";
import type { FleetCall, Requests } from "./requests.ts";

/** Share of questions that any member may answer from what it has. */
const STALE = 0.15;
/** Share of pages that begin anew, wherever the last one ended. */
const FROM_THE_START = 0.2;

const QUESTIONS = [
  { kind: "getVm", weight: 5 },
  { kind: "listVms", weight: 5 },
  { kind: "explainVm", weight: 3 },
  { kind: "planVm", weight: 2 },
  { kind: "planRebalance", weight: 1 },
  { kind: "getWorker", weight: 3 },
  { kind: "listWorkers", weight: 2 },
  { kind: "getTask", weight: 2 },
  { kind: "listTasks", weight: 2 },
  { kind: "listTenants", weight: 2 },
  { kind: "listPools", weight: 1 },
  { kind: "listNodes", weight: 1 },
  { kind: "getScheduler", weight: 1 },
  { kind: "listEvents", weight: 3 },
  { kind: "followEvents", weight: 8 },
] as const;

export class Askers {
  readonly #askers: readonly Asker[];

  constructor(world: World, fleet: Fleet, requests: Requests) {
    this.#askers = Array.from({ length: fleet.shape.askers }, (_, at) => {
      return new Asker(world, fleet, requests, world.streams.stream(`asker/${at + 1}`));
    });
  }

  /** Nothing more is asked. */
  stop(): void {
    for (const asker of this.#askers) asker.stop();
  }
}

class Asker implements Caller {
  readonly #world: World;
  readonly #fleet: Fleet;
  readonly #requests: Requests;
  readonly #rng: Stream;
  readonly #meanUs: number;
  readonly #asked = new Map<number, FleetCall>();
  #attempts = 0;
  #stopped = false;
  /** On the last pages that it was shown. */
  #vms: readonly string[] = [];
  #tasks: readonly string[] = [];
  /** Where they ended; null: at the end of the list. */
  #afterVm: string | null = null;
  #afterTask: string | null = null;
  /** How far it has followed the events, and the number of the question that goes on from there; 0: none. */
  #followed = 0;
  #following = 0;

  constructor(world: World, fleet: Fleet, requests: Requests, rng: Stream) {
    this.#world = world;
    this.#fleet = fleet;
    this.#requests = requests;
    this.#rng = rng;
    this.#meanUs = drawRange(fleet.shape.questionEveryMs, rng, false) * 1000;
    this.#askLater();
  }

  stop(): void {
    this.#stopped = true;
  }

  #askLater(): void {
    this.#world.loop.after(this.#rng.exponential(this.#meanUs), () => {
      if (this.#stopped) return;
      this.#ask();
      this.#askLater();
    });
  }

  #ask(): void {
    this.#attempts += 1;
    const attempt = this.#attempts;
    const query = this.#question(attempt);
    const consistency: ReadConsistency = this.#rng.chance(STALE) ? "stale" : "linearizable";
    const call: FleetCall = { by: "askers", asked: { kind: "read", query, consistency } };
    this.#asked.set(attempt, call);
    this.#requests.begun(call);
    const host = this.#fleet.honestMember(this.#rng);
    this.#world.gateway.request(host, { kind: "read", query, consistency }, this, attempt);
  }

  answered(attempt: number, answer: ClientAnswer | null): void {
    const call = this.#asked.get(attempt);
    if (call === undefined) return;
    this.#asked.delete(attempt);
    const isFollowing = attempt === this.#following;
    if (isFollowing) this.#following = 0;
    if (answer?.kind === "read") this.#learn(answer, isFollowing);
    this.#requests.ended(call, answer);
  }

  #question(attempt: number): ClusterQuery {
    const rng = this.#rng;
    const { shape } = this.#fleet;
    const { kind } = rng.pickWeighted(QUESTIONS);
    switch (kind) {
      case "getVm":
      case "explainVm":
        return { kind, name: this.#someVm() };
      case "listVms":
        return {
          kind,
          afterName: rng.chance(FROM_THE_START) ? null : this.#afterVm,
          limit: this.#limit(),
          tenant: rng.chance(0.2) ? this.#tenant() : null,
        };
      case "planVm": {
        const spec = vmSpec({ vcpus: rng.integer(1, 8), memoryMiB: 1024, diskGiB: 5, tenant: this.#tenant() });
        return { kind, name: rng.chance(0.9) ? "planned" : this.#someVm(), spec };
      }
      case "planRebalance":
        return { kind, movesMax: rng.integer(1, 5) };
      case "getWorker":
        // Now and then one that there never was.
        return { kind, id: FIRST_WORKER_ID + rng.integer(0, shape.workers) };
      case "getTask":
        return { kind, id: this.#tasks.length > 0 ? rng.pick(this.#tasks) : "task-1" };
      case "listTasks":
        return { kind, afterId: rng.chance(FROM_THE_START) ? null : this.#afterTask, limit: this.#limit() };
      case "listWorkers":
      case "listTenants":
      case "listPools":
      case "listNodes":
      case "getScheduler":
        return { kind };
      case "listEvents":
        // From anywhere that it has heard of, and from a little beyond.
        return { kind, afterIndex: rng.integer(0, this.#followed + 10), limit: this.#limit() };
      case "followEvents":
        if (this.#following !== 0) return { kind: "listTenants" };
        this.#following = attempt;
        return { kind: "listEvents", afterIndex: this.#followed, limit: this.#limit() };
    }
  }

  #learn({ result }: Extract<ClientAnswer, { readonly kind: "read" }>, isFollowing: boolean): void {
    switch (result.kind) {
      case "vms":
        this.#vms = result.vms.map(({ name }) => name);
        this.#afterVm = result.nextAfterName;
        return;
      case "tasks":
        this.#tasks = result.tasks.map(({ id }) => id);
        this.#afterTask = result.nextAfterId;
        return;
      case "events":
        // A member that is behind knows less than was shown already.
        if (isFollowing) this.#followed = Math.max(this.#followed, result.events.at(-1)?.index ?? result.lastIndex);
        return;
      default:
    }
  }

  #someVm(): string {
    return this.#vms.length > 0 ? this.#rng.pick(this.#vms) : "vm-1";
  }

  #tenant(): string {
    return `tenant-${this.#rng.integer(1, Math.max(1, this.#fleet.shape.tenants))}`;
  }

  #limit(): number {
    return this.#rng.pick([1, 2, 5, 20, 1000]);
  }
}
