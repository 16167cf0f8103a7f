/**
 * The agent of one host. Its inputs are what the host shows and what the cluster wants, its effects what the host is
 * to do. It keeps nothing on disk: a process that starts anew looks at its host, asks the cluster, and goes on.
 *
 * It acts on VMs only while it holds a lease. When the lease runs out it need not do anything: the host's fence,
 * which it sets again with each lease, ends everything by itself, also when this process hangs. An agent whose worker
 * was removed by an operator needs no lease to end what is there: nobody else has a right to it.
 *
 * The work is done by its parts: `ReportChannel` talks to the cluster, `Machines` and `Tasks` bring the host to what
 * is assigned, `KnownDetails` and `VersionedInventory` keep what was told and what is to be told. This class keeps the
 * lease and the assignment, and calls the parts in order.
 */
import { assert } from "../domain/index.ts";
import { mark } from "../marks.ts";
import { HealthMonitor, type HealthState } from "./health.ts";
import { checkAction, type Grounds } from "./invariants.ts";
import { VersionedInventory, type VersionedInventoryState } from "./inventory.ts";
import { KnownDetails, type KnownDetailsState } from "./known-details.ts";
import { Machines, type MachinesState } from "./machines.ts";
import type { Assignment } from "./protocol.ts";
import { type Order, type Pending, ReportChannel, type ReportChannelState } from "./report-channel.ts";
import { Step } from "./step.ts";
import { Tasks, type TasksState } from "./tasks.ts";
import type { AgentEffect, AgentInput, AgentSettings } from "./types.ts";

/** The agent does nothing any more when the lease is so short. */
const LEASE_MARGIN_MS = 500;

/**
 * An agent's whole state between two steps, as plain data. Nothing else that it has outlives a step, but for its
 * settings.
 */
export interface AgentState {
  readonly nowMs: number;
  readonly channel: ReportChannelState;
  readonly details: KnownDetailsState;
  readonly health: HealthState;
  readonly inventory: VersionedInventoryState;
  readonly machines: MachinesState;
  readonly tasks: TasksState;
  readonly hasLooked: boolean;
  readonly isRemoved: boolean;
  readonly hasEnded: boolean;
  readonly isHalted: boolean;
  readonly leaseUntilMs: number;
  readonly assignment: Assignment | null;
  readonly actedIndex: number;
  readonly isAtRest: boolean;
  readonly restUntilMs: number;
  readonly wakeAtMs: number;
}

export class Agent {
  readonly #step = new Step();
  readonly #channel: ReportChannel;
  readonly #details = new KnownDetails();
  readonly #health = new HealthMonitor();
  readonly #inventory = new VersionedInventory();
  readonly #machines: Machines;
  readonly #tasks: Tasks;
  /** The host has been looked at. Before that nothing can be said of it. */
  #hasLooked = false;
  #isRemoved = false;
  #hasEnded = false;
  #isHalted = false;
  #leaseUntilMs = Number.NEGATIVE_INFINITY;
  #assignment: Assignment | null = null;
  /** Log index of the newest assignment that it has acted by; 0: none. */
  #actedIndex = 0;
  /** Everything is done and told: until there is news, or until `#restUntilMs`, there is no need to look again. */
  #isAtRest = false;
  #restUntilMs = Number.POSITIVE_INFINITY;
  /** When it will be woken, as it has asked for; Infinity: never. */
  #wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(settings: AgentSettings) {
    this.#channel = new ReportChannel(settings, this.#step);
    this.#machines = new Machines({
      settings,
      step: this.#step,
      details: this.#details,
      health: this.#health,
      inventory: this.#inventory,
    });
    this.#tasks = new Tasks(this.#step, this.#details);
  }

  get holdsLease(): boolean {
    return this.#step.nowMs < this.#leaseUntilMs;
  }

  get leaseUntilMs(): number {
    return this.#leaseUntilMs;
  }

  /** Where it reports: what it was told last. */
  get servers(): readonly number[] {
    return this.#channel.servers;
  }

  /** Never throws: a failed assertion becomes the effect `halt`. */
  step(input: AgentInput): readonly AgentEffect[] {
    if (this.#isHalted) return NO_EFFECTS;
    try {
      this.#step.begin(input.nowMs);
      this.#take(input);
      if (this.#hasLooked) this.#go();
      for (const effect of this.#step.effects) if (effect.kind === "act") checkAction(effect.action, this.#grounds);
      return this.#step.end();
    } catch (error) {
      return this.#halt(error);
    }
  }

  #go(): void {
    if (!this.#isAtRest || !this.#mayAct || this.#step.nowMs >= this.#restUntilMs) this.#work();
    if (this.#isRemoved) this.#end();
    else this.#report();
    this.#announceWake();
  }

  /** Nothing else of the present step leaves the agent. */
  #halt(error: unknown): readonly AgentEffect[] {
    this.#isHalted = true;
    this.#step.end();
    return [{ kind: "halt", reason: error instanceof Error ? error.message : String(error) }];
  }

  get #grounds(): Grounds {
    return {
      nowMs: this.#step.nowMs,
      beginUntilMs: this.#leaseUntilMs - LEASE_MARGIN_MS,
      leaseUntilMs: this.#leaseUntilMs,
      assignment: this.#assignment,
      machine: (name) => this.#machines.shown(name),
    };
  }

  #take(input: AgentInput): void {
    switch (input.kind) {
      case "wake":
        this.#wakeAtMs = Number.POSITIVE_INFINITY;
        return;
      case "inventory":
        this.#isAtRest = false;
        this.#hasLooked = true;
        this.#machines.show(input.machines, this.#assignment);
        this.#tasks.show(input.jobs);
        return;
      case "probed":
        this.#isAtRest = false;
        this.#health.probed(input.name, input.epoch, input.check, input.isHealthy);
        return;
      case "answered":
        if (!this.#isRemoved) this.#obey(this.#channel.answered(input.sequence, input.directive));
        return;
      case "removed":
        this.#removed();
        return;
    }
  }

  #obey(directive: Order | null): void {
    if (directive === null || directive.kind === "register") return;
    if (directive.kind === "removed") {
      this.#removed();
      return;
    }
    const { assignment, details, servers, leaseTtlMs, inventoryVersion } = directive;
    if (details.vms.length + details.tasks.length > 0) this.#isAtRest = false;
    this.#details.learn(details);
    // Leaders that follow one another may answer out of order: the log knows which is newer.
    if (assignment !== null && assignment.index >= (this.#assignment?.index ?? 0)) this.#assign(assignment);
    if (assignment !== null) this.#isAtRest = false;
    if (this.#machines.hasUnwanted && inventoryVersion !== this.#inventory.heardVersion) this.#isAtRest = false;
    this.#inventory.heard(inventoryVersion);
    this.#channel.useServers(servers);
    const untilMs = this.#channel.sentAtMs + leaseTtlMs;
    if (untilMs <= this.#leaseUntilMs || this.#assignment === null) return;
    if (!this.holdsLease) mark(this.#leaseUntilMs > 0 ? "lease/taken-anew" : "lease/first-taken");
    this.#leaseUntilMs = untilMs;
    this.#step.act({ kind: "fenceAt", atMs: untilMs });
  }

  /** From now on it reports nothing, and ends all that there is. */
  #removed(): void {
    mark("agent/removed");
    this.#isRemoved = true;
    this.#isAtRest = false;
    this.#assign({ index: this.#assignment?.index ?? 0, vms: [], tasks: [] });
  }

  #assign(assignment: Assignment): void {
    this.#assignment = assignment;
    this.#machines.assignmentChanged();
  }

  #end(): void {
    if (this.#hasEnded || !this.#machines.isEmpty || !this.#tasks.isEmpty) return;
    this.#hasEnded = true;
    this.#step.push({ kind: "ended" });
  }

  get #mayAct(): boolean {
    return this.#isRemoved || this.#step.nowMs < this.#leaseUntilMs - LEASE_MARGIN_MS;
  }

  /** Has the host do what is to be done, and looks at what there is to tell. */
  #work(): void {
    this.#act();
    this.#inventory.update(this.#machines.report(this.#assignment), this.#tasks.report(this.#assignment));
    this.#isAtRest = this.#mayAct;
    this.#restUntilMs = Math.min(this.#health.nextDueMs, this.#machines.nextChangeMs, this.#tasks.nextChangeMs);
  }

  #act(): void {
    const assignment = this.#assignment;
    if (assignment === null) return;
    if (!this.#mayAct) {
      mark("lease/agent-waits-for-lease");
      return;
    }
    const { index, vms, tasks } = assignment;
    assert(index >= this.#actedIndex, "no assignment is followed by an older one", this.#actedIndex, index);
    this.#actedIndex = index;
    this.#details.forgetLacks();
    const wanted = new Map(vms.map(({ name, epoch }) => [name, epoch]));
    this.#machines.act(vms, wanted, this.#isRemoved);
    this.#tasks.act(tasks);
    this.#machines.probe(vms);
    this.#details.keepOnly(wanted, new Set(tasks.map(({ id }) => id)));
  }

  #report(): void {
    if (!this.#channel.isDue(this.#pending)) return;
    const { version, isHeard, current } = this.#inventory;
    this.#channel.send({
      assignedIndex: this.#actedIndex,
      inventoryVersion: version,
      inventory: isHeard && this.#channel.isRegistered ? null : current,
      lacks: this.#details.lacks,
    });
  }

  get #pending(): Pending {
    return {
      hasQuestions: this.#details.lacksAny,
      hasNews: !this.#inventory.isHeard,
      holdsLease: this.holdsLease,
    };
  }

  #announceWake(): void {
    let atMs = this.#isRemoved ? this.#restUntilMs : this.#channel.nextMs(this.#pending);
    // Without a lease nothing is probed.
    if (this.#mayAct) atMs = Math.min(atMs, this.#health.nextDueMs);
    if (atMs >= this.#wakeAtMs) return;
    this.#wakeAtMs = atMs;
    this.#step.push({ kind: "wakeAt", atMs });
  }

  // ---- Its state as a value

  capture(): AgentState {
    return {
      nowMs: this.#step.nowMs,
      channel: this.#channel.capture(),
      details: this.#details.capture(),
      health: this.#health.capture(),
      inventory: this.#inventory.capture(),
      machines: this.#machines.capture(),
      tasks: this.#tasks.capture(),
      hasLooked: this.#hasLooked,
      isRemoved: this.#isRemoved,
      hasEnded: this.#hasEnded,
      isHalted: this.#isHalted,
      leaseUntilMs: this.#leaseUntilMs,
      assignment: this.#assignment,
      actedIndex: this.#actedIndex,
      isAtRest: this.#isAtRest,
      restUntilMs: this.#restUntilMs,
      wakeAtMs: this.#wakeAtMs,
    };
  }

  /** An agent that goes on as the captured one would. The settings are those of that one. */
  static restore(settings: AgentSettings, state: AgentState): Agent {
    const agent = new Agent(settings);
    agent.#step.begin(state.nowMs);
    agent.#channel.restore(state.channel);
    agent.#details.restore(state.details);
    agent.#health.restore(state.health);
    agent.#inventory.restore(state.inventory);
    agent.#machines.restore(state.machines);
    agent.#tasks.restore(state.tasks);
    agent.#hasLooked = state.hasLooked;
    agent.#isRemoved = state.isRemoved;
    agent.#hasEnded = state.hasEnded;
    agent.#isHalted = state.isHalted;
    agent.#leaseUntilMs = state.leaseUntilMs;
    agent.#assignment = state.assignment;
    agent.#actedIndex = state.actedIndex;
    agent.#isAtRest = state.isAtRest;
    agent.#restUntilMs = state.restUntilMs;
    agent.#wakeAtMs = state.wakeAtMs;
    return agent;
  }
}

const NO_EFFECTS: readonly AgentEffect[] = [];
