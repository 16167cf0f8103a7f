/** An orchestrator that leads over a real state machine, without consensus: what it proposes is committed at once. */

import {
  type AssignedTask,
  type Assignment,
  type Directive,
  decodeDirective,
  encodeDirective,
  type Inventory,
  type Job,
  type MachinePhase,
  type Report,
  type ReportedMachine,
} from "../agent/index.ts";
import {
  applyEntries,
  type ClusterState,
  type Command,
  type CommandEntry,
  emptyState,
  encodeRequest,
  stampRequest,
  taskOf,
  vmOf,
  workerOf,
} from "../cluster/index.ts";
import {
  type ApplyResult,
  type CountLimits,
  DEFAULT_COUNT_LIMITS,
  type TaskRecord,
  type TaskSpec,
  type VmRecord,
  type VmSpec,
  vmSpec,
  type WorkerFacts,
  type WorkerRecord,
} from "../domain/index.ts";
import { Orchestrator, type Proposal } from "../orchestrator/index.ts";

const SERVERS = [1, 2, 3];
const TURNS_MAX = 10_000;
const DRIFT_BOUND = 0.05;

/** A worker of a test: what it shows, and what its agent has been told. */
interface TestWorker {
  readonly id: number;
  bootId: number;
  sequence: number;
  inventoryVersion: number;
  facts: WorkerFacts;
  machines: readonly ReportedMachine[];
  jobs: readonly Job[];
  assignment: Assignment | null;
  isRegistered: boolean;
  leaseUntilMs: number;
}

export const FACTS: WorkerFacts = {
  capacity: { vcpus: 100, memoryMiB: 100_000, diskGiB: 10_000 },
  features: [],
  topology: { datacenter: "dc", zone: "zone", rack: "rack" },
  costPerHour: 0,
  driver: "test",
  guestsVia: [],
};

const TASK: TaskSpec = {
  command: "true",
  args: [],
  resources: { vcpus: 1, memoryMiB: 1, diskGiB: 0 },
  features: [],
  tenant: "default",
  timeoutMs: 1000,
  attemptsMax: 1,
};

export class OrchestratorHarness {
  state: ClusterState;
  nowMs = 1_000_000;
  orchestrator: Orchestrator;
  /** Everything that was ever proposed. */
  readonly proposed: Proposal[] = [];
  /** Whether what is proposed gets into the log, and the state. */
  loses: (proposal: Proposal) => boolean = () => false;
  /** Sees what is committed before it is applied. */
  witness: (entries: readonly CommandEntry[]) => void = () => {};
  readonly hosts = new Map<number, TestWorker>();
  #index = 0;
  #isLeading = true;

  /** `limits`: what differs from those of a real cluster. */
  constructor(limits: Partial<CountLimits> = {}) {
    this.state = emptyState({ ...DEFAULT_COUNT_LIMITS, ...limits });
    this.orchestrator = new Orchestrator(DRIFT_BOUND, this.state, this.nowMs);
  }

  // ---- The log

  /** Commits commands as one batch, and lets the orchestrator go on. */
  commit(...commands: readonly Command[]): readonly ApplyResult[] {
    const results = this.#apply(commands);
    this.turn();
    return results;
  }

  #apply(commands: readonly Command[]): readonly ApplyResult[] {
    const entries = commands.map((command) => ({
      index: ++this.#index,
      term: 1,
      data: stampRequest(encodeRequest({ session: null, command }), { wallMs: this.nowMs, proposer: 1 }),
    }));
    this.witness(entries);
    const { state, results, touched } = applyEntries(this.state, entries);
    this.state = state;
    if (this.#isLeading) this.orchestrator.applied(state, touched, this.nowMs);
    return results;
  }

  /** Steps until it has nothing more to propose. */
  turn(): void {
    if (!this.#isLeading) return;
    for (let turns = 0; ; turns++) {
      if (turns > TURNS_MAX) throw new Error("the orchestrator never comes to rest");
      const proposals = this.orchestrator.step(this.nowMs);
      if (proposals.length === 0 && this.orchestrator.deadlineMs > this.nowMs) return;
      for (const proposal of proposals) {
        this.proposed.push(proposal);
        if (!this.loses(proposal)) this.#apply([proposal.command]);
        this.orchestrator.settled(proposal.key);
      }
    }
  }

  /** One step, and what it proposes. */
  oneTurn(): void {
    for (const { key, command } of this.orchestrator.step(this.nowMs)) {
      this.#apply([command]);
      this.orchestrator.settled(key);
    }
  }

  /** Something has changed that may make room, though it does not. */
  changeRoom(): void {
    this.#apply([{ kind: "configureScheduler", settings: this.state.scheduler, expectedGeneration: null }]);
  }

  /** Time passes, and the orchestrator is woken when it wants to be and never else. */
  pass(forMs: number): void {
    const untilMs = this.nowMs + forMs;
    for (;;) {
      const nextMs = Math.min(untilMs, this.orchestrator.deadlineMs);
      this.nowMs = Math.max(this.nowMs, nextMs);
      this.turn();
      if (nextMs >= untilMs) return;
    }
  }

  /** Time passes in which all that happens is that these workers report. */
  quiet(forMs: number, ...ids: readonly number[]): void {
    for (const untilMs = this.nowMs + forMs; this.nowMs < untilMs; ) {
      this.pass(Math.min(1000, untilMs - this.nowMs));
      for (const id of ids) this.report(id);
    }
  }

  /** From now on nobody proposes anything. */
  stopLeading(): void {
    this.#isLeading = false;
  }

  /** A leader begins in the present state. */
  startLeading(): void {
    this.#isLeading = true;
    this.orchestrator = new Orchestrator(DRIFT_BOUND, this.state, this.nowMs);
  }

  /** Another leader takes over in the same state. */
  handOver(): void {
    this.startLeading();
    this.turn();
  }

  /** What was proposed since the last time this was asked. */
  takeProposed(): readonly Proposal["command"][] {
    return this.proposed.splice(0).map(({ command }) => command);
  }

  // ---- Looking

  vm(name: string): VmRecord {
    const vm = vmOf(this.state, name);
    if (vm === null) throw new Error(`there is no VM ${name}`);
    return vm;
  }

  task(id: string): TaskRecord {
    const task = taskOf(this.state, id);
    if (task === null) throw new Error(`there is no task ${id}`);
    return task;
  }

  worker(id: number): WorkerRecord {
    const worker = workerOf(this.state, id);
    if (worker === null) throw new Error(`there is no worker ${id}`);
    return worker;
  }

  host(id: number): TestWorker {
    const host = this.hosts.get(id);
    if (host === undefined) throw new Error(`there is no host ${id}`);
    return host;
  }

  // ---- Hosts

  /** A host comes up, and registers. */
  join(id: number, facts: Partial<WorkerFacts> = {}): void {
    this.hosts.set(id, {
      id,
      bootId: 1,
      sequence: 0,
      inventoryVersion: 1,
      facts: { ...FACTS, ...facts },
      machines: [],
      jobs: [],
      assignment: null,
      isRegistered: false,
      leaseUntilMs: Number.NEGATIVE_INFINITY,
    });
    this.commit({ kind: "announceNode", nodeId: id, peerId: `peer-${id}`, addresses: [`host-${id}:7000`] });
    this.report(id);
    this.report(id);
  }

  /** The agent's process starts anew. */
  reboot(id: number): void {
    const host = this.host(id);
    host.bootId += 1;
    host.sequence = 0;
    host.inventoryVersion = 1;
    host.assignment = null;
    host.isRegistered = false;
    host.leaseUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** What the host shows from now on; told with the next report. */
  shows(id: number, inventory: Partial<Inventory>): void {
    const host = this.host(id);
    host.machines = inventory.machines ?? host.machines;
    host.jobs = inventory.jobs ?? host.jobs;
    host.inventoryVersion += 1;
  }

  /** What the agent would send now. */
  reportOf(id: number): Report {
    const host = this.host(id);
    host.sequence += 1;
    const { bootId, sequence, facts, isRegistered, inventoryVersion, machines, jobs, assignment } = host;
    return {
      workerId: id,
      bootId,
      sequence,
      facts: isRegistered ? null : facts,
      assignedIndex: assignment?.index ?? 0,
      inventoryVersion,
      inventory: { machines, jobs },
      lacks: { vms: [], tasks: [] },
    };
  }

  /** A report and its answer, with what is committed in between. */
  report(id: number): Directive | null {
    const sentAtMs = this.nowMs;
    const report = this.reportOf(id);
    this.orchestrator.hear(report, this.nowMs);
    this.turn();
    return this.answer(id, report, sentAtMs);
  }

  answer(id: number, report: Report, sentAtMs: number): Directive | null {
    const directive = this.orchestrator.directive(report, SERVERS, this.nowMs);
    if (directive !== null && decodeDirective(encodeDirective(directive)) === null)
      throw new Error("the agent would not understand its directive");
    const host = this.host(id);
    if (directive === null || host.bootId !== report.bootId) return directive;
    host.isRegistered = directive.kind === "granted";
    if (directive.kind === "granted") {
      host.assignment = directive.assignment ?? host.assignment;
      this.#beginJobs(host);
      host.leaseUntilMs = sentAtMs + directive.leaseTtlMs;
    }
    return directive;
  }

  /** As an agent would, at once. */
  #beginJobs(host: TestWorker): void {
    const begun = (host.assignment?.tasks ?? []).flatMap(({ id, attempt, isCancelled }): readonly Job[] => {
      const isThere = host.jobs.some((job) => job.id === id);
      return isCancelled || isThere ? [] : [{ id, attempt, phase: "running", exitCode: 0, output: "" }];
    });
    if (begun.length > 0) this.shows(host.id, { jobs: [...host.jobs, ...begun] });
  }

  /** Everything that these workers are told to run does run there, and they say so. */
  run(...ids: readonly number[]): void {
    for (const id of ids) {
      this.report(id);
      this.showsAll(id);
      this.report(id);
    }
  }

  /** The host has done what its agent was last told. What has begun and is not there is not made again. */
  showsAll(id: number): void {
    const { machines, assignment } = this.host(id);
    const isThere = new Set(machines.map(({ name, epoch }) => `${name} ${epoch}`));
    this.shows(id, {
      machines: (assignment?.vms ?? []).flatMap(({ name, epoch, intent, isBegun }) => {
        if (intent === "gone" || (isBegun && !isThere.has(`${name} ${epoch}`))) return [];
        return [machine(name, epoch, intent === "run" ? "running" : "stopped")];
      }),
    });
  }

  // ---- Tenants

  submit(id: string, attemptsMax = 1, spec: Partial<TaskSpec> = {}): void {
    this.commit({ kind: "submitTask", id, spec: { ...TASK, attemptsMax, ...spec } });
  }

  /** What the agent of a host was last told of a task. */
  assignedTask(workerId: number, id: string): AssignedTask {
    const task = this.host(workerId).assignment?.tasks.find((one) => one.id === id);
    if (task === undefined) throw new Error(`task ${id} is not assigned to worker ${workerId}`);
    return task;
  }

  create(name: string, spec: Partial<VmSpec> = {}): void {
    this.commit({
      kind: "createVm",
      name,
      spec: vmSpec({ vcpus: 1, memoryMiB: 100, diskGiB: 1, ...spec }),
    });
  }
}

/** An orchestrator that counts on these workers. */
export function withWorkers(...ids: readonly number[]): OrchestratorHarness {
  const harness = new OrchestratorHarness();
  for (const id of ids) harness.join(id);
  harness.takeProposed();
  return harness;
}

export function machine(name: string, epoch: number, phase: MachinePhase, isUnhealthy = false): ReportedMachine {
  return { name, epoch, phase, reason: "", isUnhealthy };
}
