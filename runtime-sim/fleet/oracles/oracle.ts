/**
 * The interface between the fleet and its oracles: what an oracle may look at, and when it is told of what. Oracles
 * change nothing.
 */
import type {
  ClientAnswer,
  ClusterEvent,
  ClusterState,
  Command,
  HostAction,
  Job,
  Machine,
  NodeState,
} from "../../../core/index.ts";
import type { Moment } from "../../world/index.ts";
import type { ProbeResult, RunningMachine } from "../hypervisor.ts";
import type { RunningJob } from "../jobs.ts";
import type { FleetCall } from "../requests.ts";
import type { Placements } from "./placements.ts";

/** A worker as it truly is, whatever it reports. */
export interface WorkerView {
  readonly id: number;
  /** A fault has done something to it that its VMs may suffer from. */
  readonly wasDisturbed: boolean;
  /** A fault has had it show what is not so. */
  readonly hasMisreported: boolean;
  /** It is off, and how often it has gone down: then nothing is left on it, and its clock begins anew. */
  readonly isDown: boolean;
  /** Its agent has stood still for a while at some time. */
  readonly wasPaused: boolean;
  /** Counts the processes of its agent. */
  readonly process: number;
  /** The servers that its agent knows; null while it does not run. */
  readonly servers: readonly number[] | null;
  /** The process of one of those servers runs. One that knows that it has left sends the worker on. */
  readonly asksRunningServer: boolean;
  /** One of those servers is no honest one: a lie may have named it. */
  readonly mayHaveBeenMisled: boolean;
  readonly downs: number;
  /**
   * By its own monotonic clock: now; when its agent sent the newest report of which it has heard that it was granted a
   * lease; when its switch falls, or fell. -Infinity: not since it came up.
   */
  readonly nowMs: number;
  readonly leasedAtMs: number;
  readonly switchAtMs: number;
  readonly hypervisor: {
    running(): readonly RunningMachine[];
    machines(): readonly Machine[];
    jobs(): readonly Job[];
    readonly runningJobs: readonly RunningJob[];
  };
}

/** What the leader knows beyond the replicated state. */
export type LeadingOrchestrator = Pick<NonNullable<NodeState["reports"]["orchestrator"]>, "proposals" | "room">;

/** By what a leader may have decided on an entry. */
export interface Decision {
  /** It was decided in one of these, or in one between two of them. In order; the last is that before the entry. */
  readonly states: readonly ClusterState[];
  /** What the entries before it asked for that may have been in flight by then. */
  readonly commands: readonly Command[];
}

/** What all oracles of one fleet share. */
export interface FleetContext {
  readonly workers: readonly WorkerView[];
  findWorker(id: number): WorkerView | null;
  /** Virtual time. */
  nowMs(): number;
  /** For facts that a message may tell of later. */
  now(): Moment;
  /** The newest state that any replica has; null before the first entry is applied. */
  state(): ClusterState | null;
  /** The state right after that entry; null: it is not committed, or too old to be remembered. */
  stateAt(index: number): ClusterState | null;
  commitIndex(): number;
  /** Where each VM was before the event that is told now. */
  readonly placements: Placements;
  /** Faults hit single hosts, and nothing else. */
  readonly faultsAreLocal: boolean;
  /** VMs and workers that somebody has asked something of. */
  readonly touched: ReadonlySet<string>;
  readonly disturbed: ReadonlySet<number>;
  /** What the orchestrator of the leader knows, as plain data; null: nobody leads with one. Costs as much as it is. */
  orchestrator(): LeadingOrchestrator | null;
  /**
   * Whether the worker, by the simulator's records alone, can be served at the moment: it and a server are connected
   * both ways, and that server is, or is connected both ways to, a leader that can commit.
   */
  isServable(worker: WorkerView): boolean;
  /** Names the present leadership: another number is another leader, or another process or term of it. */
  leadership(): number;
  /** Whether it can commit at the moment, and has not fallen behind with it: by the simulator's records. */
  canCommit(): boolean;
  /** By what a leader may have decided on the entry of an event that is told now; null: that is not known. */
  decisionOf(event: Pick<ClusterEvent, "index" | "term">): Decision | null;
  violate(message: () => string): void;
  /**
   * For a rule that rests on leases, and so on clocks: where the scenario has lying clocks the violation is counted,
   * and the run goes on.
   */
  violateLease(message: () => string): void;
}

/** The entry that an event is of. */
export interface EntryContext {
  /** The state right before it. */
  readonly before: ClusterState;
  /** What it asked for; null: it changed the membership. */
  readonly command: Command | null;
}

/**
 * One rule. `began`, `ended` and their like come right after the fact, and `happened` once for each event of the
 * replicated state, in the order of the log: constant time, no text. `audit` looks at everything, now and then.
 */
export interface FleetOracle {
  readonly name: string;
  /** One line for a report: what it checks. */
  readonly summary: string;
  /** How often it compared something. */
  checks: number;
  /** The guest of a machine executes there from now on. */
  began?(worker: WorkerView, machine: RunningMachine): void;
  ended?(worker: WorkerView, machine: RunningMachine): void;
  jobBegan?(worker: WorkerView, job: RunningJob): void;
  jobEnded?(worker: WorkerView, job: RunningJob): void;
  /** The host's agent has it do something; told before it is done. */
  acted?(worker: WorkerView, action: HostAction): void;
  /** A health check of a machine has ended, and its agent is told. */
  probed?(worker: WorkerView, result: ProbeResult): void;
  /** A server answers a report of it by a lease; `sentAtMs`: when it had sent the report, by its own clock. */
  granted?(worker: WorkerView, sentAtMs: number): void;
  /** A report of its agent has come to a server, from the worker or passed on by another server. */
  reported?(worker: WorkerView): void;
  /** `state` is that right after the entry that the event is of. */
  happened?(event: ClusterEvent, state: ClusterState, entry: EntryContext): void;
  /** Somebody is about to send a request. */
  called?(call: FleetCall): void;
  /** And is answered. */
  answered?(call: FleetCall, answer: ClientAnswer): void;
  audit?(state: ClusterState): void;
  /** About four times in a second while somebody leads. */
  looked?(): void;
  /** After the faults: what is not yet as it has to be in the end; null: nothing. */
  missing?(state: ClusterState): string | null;
  /** How far that has come which takes as long as there is of it: the bound counts from when this last grew. */
  progress?(state: ClusterState): number;
}

export type FleetOracleFactory = (context: FleetContext) => FleetOracle;
