/**
 * Tells the oracles of a fleet what concerns them: what begins and ends on the hosts, right after it happened; the
 * events of the replicated state, each once and in the order of the log, as soon as the first replica has applied it,
 * with the states right before and right after its entry; and at intervals the whole state.
 */
import {
  applyEntries,
  type ClientAnswer,
  type ClusterEvent,
  type ClusterState,
  type Command,
  decodeEntryData,
  type Entry,
  emptyState,
  type HostAction,
  isReplicated,
  replicatedEntry,
} from "../../core/index.ts";
import { type Hooked, having, type Violate } from "../oracles/index.ts";
import type { Moment } from "../world/index.ts";
import type { StateListener } from "./entry-states.ts";
import type { ProbeResult, RunningMachine } from "./hypervisor.ts";
import type { RunningJob } from "./jobs.ts";
import {
  type Decision,
  type FleetOracle,
  type FleetOracleFactory,
  type LeadingOrchestrator,
  Placements,
  type WorkerView,
} from "./oracles/index.ts";
import type { CallListener, FleetCall } from "./requests.ts";

/** The fleet as far as the oracles need it. */
export interface AuditedFleet {
  readonly workers: readonly WorkerView[];
  readonly shape: { readonly faultsAreLocal: boolean; readonly clocksLie: boolean };
  readonly touched: ReadonlySet<string>;
  readonly disturbed: ReadonlySet<number>;
  readonly violate: Violate;
  /** Virtual time. */
  nowMs(): number;
  now(): Moment;
  /** See `FleetContext`. */
  orchestrator(): LeadingOrchestrator | null;
  isServable(worker: WorkerView): boolean;
  leadership(): number;
  canCommit(): boolean;
  /** How much the leader had applied at least when it decided on an entry; null: that is not known. */
  appliedBefore(index: number, term: number): number | null;
  /** A committed entry; null: it is older than what is remembered. */
  entryAt(index: number): Entry | null;
  commitIndex(): number;
}

/** What a fleet still lacks, and whose rule that is. */
export interface Missing {
  readonly oracle: string;
  readonly what: string;
  /** See `FleetOracle`. */
  readonly progress?: number | undefined;
}

interface Seen {
  readonly machines: readonly RunningMachine[];
  readonly jobs: readonly RunningJob[];
}

const NOTHING: Seen = { machines: [], jobs: [] };

/** Newest states that are remembered. */
const STATES_MAX = 256;

type With<Hook extends keyof FleetOracle> = Hooked<FleetOracle, Hook>;

export class FleetAudit implements StateListener, CallListener {
  /** In the order in which they are asked. */
  readonly all: readonly FleetOracle[];
  /** By oracle, what would be a violation if clocks did not lie. */
  readonly #shown = new Map<string, number>();
  readonly #placements = new Placements();
  readonly #seen = new Map<WorkerView, Seen>();
  #state: ClusterState | null = null;
  /** The newest ones, in order, ending with `#state`. */
  readonly #states: ClusterState[] = [];
  readonly #fleet: AuditedFleet;
  /** The history is not known any more, and nothing can be judged by it. */
  #hasLostTrack = false;

  readonly #onBegan: readonly With<"began">[];
  readonly #onEnded: readonly With<"ended">[];
  readonly #onJobBegan: readonly With<"jobBegan">[];
  readonly #onJobEnded: readonly With<"jobEnded">[];
  readonly #onActed: readonly With<"acted">[];
  readonly #onProbed: readonly With<"probed">[];
  readonly #onGranted: readonly With<"granted">[];
  readonly #onReported: readonly With<"reported">[];
  readonly #onHappened: readonly With<"happened">[];
  readonly #onCalled: readonly With<"called">[];
  readonly #onAnswered: readonly With<"answered">[];
  readonly #onAudit: readonly With<"audit">[];
  readonly #onLooked: readonly With<"looked">[];
  readonly #onMissing: readonly With<"missing">[];

  constructor(fleet: AuditedFleet, factories: readonly FleetOracleFactory[]) {
    const { workers, shape, touched, disturbed, violate } = fleet;
    this.#fleet = fleet;
    const byId = new Map(workers.map((worker) => [worker.id, worker]));
    this.all = factories.map((factory) => {
      const oracle: FleetOracle = factory({
        workers,
        findWorker: (id) => byId.get(id) ?? null,
        nowMs: () => fleet.nowMs(),
        now: () => fleet.now(),
        state: () => this.#state,
        stateAt: (index) => this.#stateAt(index),
        commitIndex: () => fleet.commitIndex(),
        placements: this.#placements,
        orchestrator: () => fleet.orchestrator(),
        isServable: (worker) => fleet.isServable(worker),
        leadership: () => fleet.leadership(),
        canCommit: () => fleet.canCommit(),
        decisionOf: (event) => this.#decisionOf(event.index, event.term),
        faultsAreLocal: shape.faultsAreLocal,
        touched,
        disturbed,
        violate: (message) => violate(oracle.name, message),
        violateLease: (message) => {
          if (shape.clocksLie) this.#shown.set(oracle.name, (this.#shown.get(oracle.name) ?? 0) + 1);
          else violate(oracle.name, message);
        },
      });
      return oracle;
    });
    this.#onBegan = having(this.all, "began");
    this.#onEnded = having(this.all, "ended");
    this.#onJobBegan = having(this.all, "jobBegan");
    this.#onJobEnded = having(this.all, "jobEnded");
    this.#onActed = having(this.all, "acted");
    this.#onProbed = having(this.all, "probed");
    this.#onGranted = having(this.all, "granted");
    this.#onReported = having(this.all, "reported");
    this.#onHappened = having(this.all, "happened");
    this.#onCalled = having(this.all, "called");
    this.#onAnswered = having(this.all, "answered");
    this.#onAudit = having(this.all, "audit");
    this.#onLooked = having(this.all, "looked");
    this.#onMissing = having(this.all, "missing");
  }

  /** Name to how often it checked. */
  get checks(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.all.map(({ name, checks }) => [name, checks]));
  }

  get shown(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#shown);
  }

  /** What executes on a host has changed. */
  changed(worker: WorkerView): void {
    if (this.#hasLostTrack) return;
    const before = this.#seen.get(worker) ?? NOTHING;
    const machines = worker.hypervisor.running();
    const jobs = worker.hypervisor.runningJobs;
    this.#seen.set(worker, { machines, jobs });
    if (machines !== before.machines) {
      for (const machine of gone(before.machines, machines))
        for (const oracle of this.#onEnded) oracle.ended(worker, machine);
      for (const machine of gone(machines, before.machines))
        for (const oracle of this.#onBegan) oracle.began(worker, machine);
    }
    if (jobs !== before.jobs) {
      for (const job of gone(before.jobs, jobs)) for (const oracle of this.#onJobEnded) oracle.jobEnded(worker, job);
      for (const job of gone(jobs, before.jobs)) for (const oracle of this.#onJobBegan) oracle.jobBegan(worker, job);
    }
  }

  /** Told before it is done. */
  acted(worker: WorkerView, action: HostAction): void {
    if (this.#hasLostTrack) return;
    for (const oracle of this.#onActed) oracle.acted(worker, action);
  }

  /** See `FleetOracle`. */
  probed(worker: WorkerView, result: ProbeResult): void {
    if (this.#hasLostTrack) return;
    for (const oracle of this.#onProbed) oracle.probed(worker, result);
  }

  /** See `FleetOracle`. */
  granted(worker: WorkerView, sentAtMs: number): void {
    if (this.#hasLostTrack) return;
    for (const oracle of this.#onGranted) oracle.granted(worker, sentAtMs);
  }

  /** See `FleetOracle`. */
  reported(worker: WorkerView): void {
    if (this.#hasLostTrack) return;
    for (const oracle of this.#onReported) oracle.reported(worker);
  }

  /** See `StateListener`: a state comes as soon as some replica has come so far. */
  applied(state: ClusterState, entry: Entry | null): void {
    const before = this.#state ?? emptyState();
    this.#state = state;
    this.#states.push(state);
    if (this.#states.length > STATES_MAX) this.#states.shift();
    if (entry === null || state.events === before.events) return;
    const context = { before, command: commandOf(entry) };
    for (const event of eventsOfEntry(state, entry.index)) {
      for (const oracle of this.#onHappened) oracle.happened(event, state, context);
      this.#placements.tell(event, this.#fleet.now());
    }
  }

  /** See `FleetOracle`. */
  called(call: FleetCall): void {
    if (this.#hasLostTrack) return;
    for (const oracle of this.#onCalled) oracle.called(call);
  }

  /** See `FleetOracle`. */
  answered(call: FleetCall, answer: ClientAnswer): void {
    if (this.#hasLostTrack) return;
    for (const oracle of this.#onAnswered) oracle.answered(call, answer);
  }

  /** One that replica has reached, or what stands between two of them. */
  #stateAt(index: number): ClusterState | null {
    const from = this.#states.findLast(({ appliedIndex }) => appliedIndex <= index);
    if (from === undefined) return null;
    const entries: Entry[] = [];
    for (let at = from.appliedIndex + 1; at <= index; at++) {
      const entry = this.#fleet.entryAt(at);
      if (entry === null) return null;
      if (isReplicated(entry)) entries.push(entry);
    }
    return entries.length === 0 ? from : applyEntries(from, entries.map(replicatedEntry)).state;
  }

  #decisionOf(index: number, term: number): Decision | null {
    const appliedIndex = this.#fleet.appliedBefore(index, term);
    if (appliedIndex === null || (this.#states[0]?.appliedIndex ?? index) > appliedIndex) return null;
    const from = this.#states.findLastIndex((state) => state.appliedIndex <= appliedIndex);
    const states = this.#states.slice(from).filter((state) => state.appliedIndex < index);
    const commands: Command[] = [];
    for (let at = appliedIndex + 1; at < index; at++) {
      const entry = this.#fleet.entryAt(at);
      if (entry === null) return null;
      const command = commandOf(entry);
      if (command !== null) commands.push(command);
    }
    return { states, commands };
  }

  lostTrack(): void {
    this.#hasLostTrack = true;
  }

  audit(): void {
    if (this.#state === null || this.#hasLostTrack) return;
    for (const oracle of this.#onAudit) oracle.audit(this.#state);
  }

  look(): void {
    if (this.#hasLostTrack) return;
    for (const oracle of this.#onLooked) oracle.looked();
  }

  /** What the fleet still lacks to be at rest; null: nothing. */
  missing(state: ClusterState): Missing | null {
    for (const oracle of this.#onMissing) {
      const what = oracle.missing(state);
      if (what !== null) return { oracle: oracle.name, what, progress: oracle.progress?.(state) };
    }
    return null;
  }
}

function commandOf({ kind, data }: Entry): Command | null {
  return kind === "command" ? (decodeEntryData(data).request?.command ?? null) : null;
}

/** The last events of the state, which are those of the last entry that has any. */
function eventsOfEntry({ events: { chunks } }: ClusterState, index: number): readonly ClusterEvent[] {
  const events: ClusterEvent[] = [];
  for (let at = chunks.length - 1; at >= 0; at -= 1) {
    const chunk = chunks[at] ?? [];
    const first = chunk.findIndex((event) => event.index === index);
    if (first < 0) break;
    events.unshift(...chunk.slice(first));
    if (first > 0) break;
  }
  return events;
}

/** What is in `before` and not in `after`: they are the same objects as long as they last. */
function* gone<T>(before: readonly T[], after: readonly T[]): Generator<T, void, undefined> {
  if (before.length === 0) return;
  const there = new Set(after);
  for (const one of before) if (!there.has(one)) yield one;
}
