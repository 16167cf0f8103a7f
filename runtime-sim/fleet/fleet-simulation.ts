/** The fleet of a run with all that belongs to it: workers, tenants, removals, askers and the audit. */
import type { ClusterState } from "../../core/index.ts";
import type { CommittedLedger, Violate } from "../oracles/index.ts";
import type { World } from "../world/index.ts";
import { Askers } from "./askers.ts";
import { type AuditedFleet, FleetAudit, type Missing } from "./audit.ts";
import { keptToBound } from "./clock-bound.ts";
import { Decisions } from "./decisions.ts";
import { EntryStates } from "./entry-states.ts";
import { Fleet } from "./fleet.ts";
import { FLEET_ORACLES } from "./oracles/index.ts";
import { Removals } from "./removals.ts";
import { Requests } from "./requests.ts";
import { Servable } from "./servable.ts";
import type { FleetShape } from "./shape.ts";
import { Tenants } from "./tenants.ts";

/** How often is looked at what no event tells of. */
const LOOK_EVERY_US = 250_000;

export class FleetSimulation {
  readonly fleet: Fleet;
  readonly #world: World;
  readonly #tenants: Tenants;
  readonly #removals: Removals;
  readonly #audit: FleetAudit;
  readonly #askers: Askers;
  readonly #requests: Requests;
  #nextLookUs = 0;

  /**
   * `driftBound`: the largest relative rate error of two clocks that leases allow for. `ledger`: what has been
   * committed; null: nothing is checked but that the fleet comes to rest.
   */
  constructor(world: World, shape: FleetShape, driftBound: number, violate: Violate, ledger: CommittedLedger | null) {
    const isAudited = ledger !== null;
    this.#world = world;
    this.fleet = new Fleet(world, shape, {
      changed: (worker) => {
        if (isAudited) this.#audit.changed(worker);
      },
      acted: (worker, action) => {
        if (isAudited) this.#audit.acted(worker, action);
      },
      probed: (worker, result) => {
        if (isAudited) this.#audit.probed(worker, result);
      },
      granted: (worker, sentAtMs) => {
        if (isAudited) this.#audit.granted(worker, sentAtMs);
      },
      // An agent has nobody to suspect but itself: there is no excuse as there is for members.
      halted: ({ id }, reason) => violate("halted-agent", () => `the agent of worker ${id} stopped itself: ${reason}`),
    });
    this.#requests = new Requests(
      isAudited
        ? {
            called: (call) => this.#audit.called(call),
            answered: (call, answer) => this.#audit.answered(call, answer),
          }
        : null,
    );
    this.#tenants = new Tenants(world, this.fleet, this.#requests);
    const { workers } = this.fleet;
    const { touched, disturbed } = this.#tenants.wishes;
    this.#removals = new Removals(world, this.fleet, disturbed, this.#requests);
    this.#askers = new Askers(world, this.fleet, this.#requests);
    const nowMs = (): number => world.loop.nowUs / 1000;
    const clocks = [...world.members.hosts, ...world.members.workerHosts].map(({ clock }) => clock);
    const promises = {
      faultsAreLocal: shape.faultsAreLocal,
      get clocksLie(): boolean {
        return shape.clocksLie || !keptToBound(clocks, driftBound);
      },
    };
    const decisions = new Decisions();
    const servable = new Servable(world);
    const audited: AuditedFleet = {
      workers,
      shape: promises,
      touched,
      disturbed,
      violate,
      nowMs,
      now: () => ({ event: world.loop.events, atMs: nowMs() }),
      orchestrator: () => world.members.leader()?.node?.capture().reports.orchestrator ?? null,
      isServable: ({ id }) => {
        const worker = this.fleet.withId(id);
        return worker !== null && servable.isServable(worker);
      },
      leadership: () => servable.leaderships,
      canCommit: () => servable.canCommit,
      appliedBefore: (index, term) => decisions.appliedBefore(index, term),
      entryAt: (index) => ledger?.entryAt(index) ?? null,
      commitIndex: () => ledger?.commitIndex ?? 0,
    };
    this.#audit = new FleetAudit(audited, FLEET_ORACLES);
    if (ledger === null) return;
    const states = new EntryStates(ledger, this.#audit, world.limits);
    world.progress.stateWatch = (state) => states.reached(state);
    const byPeerId = new Map(workers.map((worker) => [worker.peerId, worker]));
    world.progress.reportWatch = (peerId) => {
      const worker = byPeerId.get(peerId);
      if (worker !== undefined) this.#audit.reported(worker);
    };
    world.progress.leaderWatch = (leader, node) => {
      decisions.stepped(leader, node);
      this.#look();
    };
    this.#auditLater(shape.auditEveryMs * 1000);
  }

  get checks(): Readonly<Record<string, number>> {
    return this.#audit.checks;
  }

  /** By oracle, how often that was seen which the scenario is there to show. */
  get shown(): Readonly<Record<string, number>> {
    return this.#audit.shown;
  }

  /** What tenants and operators asked and how it ended, to how often. */
  get requests(): Readonly<Record<string, number>> {
    return this.#requests.counts;
  }

  heal(): void {
    this.#tenants.stop();
    this.#removals.stop();
    this.#askers.stop();
    this.fleet.heal();
  }

  missing(state: ClusterState): Missing | null {
    const waitsFor = this.#tenants.waitsFor ?? this.#removals.waitsFor;
    return waitsFor === null ? this.#audit.missing(state) : { oracle: "liveness", what: waitsFor };
  }

  finished(): void {
    this.#audit.audit();
  }

  /** An event of its own would make another run of it. */
  #look(): void {
    const { nowUs } = this.#world.loop;
    if (nowUs < this.#nextLookUs) return;
    this.#nextLookUs = nowUs + LOOK_EVERY_US;
    this.#audit.look();
  }

  #auditLater(everyUs: number): void {
    this.#world.loop.after(everyUs, () => {
      this.#audit.audit();
      this.#auditLater(everyUs);
    });
  }
}
