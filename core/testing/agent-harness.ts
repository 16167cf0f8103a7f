/** An agent between a host that does exactly what types.ts says and a leader that the test plays. */

import {
  Agent,
  type AgentEffect,
  type AgentInput,
  type AgentSettings,
  type AssignedTask,
  type AssignedVm,
  type Assignment,
  BUILD_TIMEOUT_MS,
  type Details,
  type Directive,
  decodeReport,
  encodeDirective,
  type HostAction,
  type HostFacts,
  type Job,
  LEASE_TTL_MS,
  type Machine,
  type Report,
  type TaskDetail,
  type VmDetail,
} from "../agent/index.ts";
import { DEFAULT_VM_SPEC, type Intent, type VmSpec, vmSpec } from "../domain/index.ts";

const FACTS: HostFacts = {
  capacity: { vcpus: 8, memoryMiB: 8192, diskGiB: 100 },
  features: [],
  topology: { datacenter: "dc", zone: "zone", rack: "rack" },
  costPerHour: 0,
  driver: "test",
  guestsVia: [],
};

/** A report under way. */
export interface Sent {
  readonly to: number;
  readonly sentAtMs: number;
  readonly report: Report;
}

export class AgentHarness {
  nowMs = 1000;
  agent: Agent;
  /** What the host has. */
  readonly machines = new Map<string, Machine>();
  jobs: readonly Job[] = [];
  /** Every action that the host was asked for, and those since the last `takeActs`. */
  readonly acts: HostAction[] = [];
  #fresh: HostAction[] = [];
  readonly sent: Sent[] = [];
  /** What the cluster wants of this host. */
  assignment: Assignment = { index: 1, vms: [], tasks: [] };
  /** How it is to be done. */
  details: Details = { vms: [], tasks: [] };
  /** Until when the leader counts on the host, at most: what it has granted. */
  leaseUntilMs = Number.NEGATIVE_INFINITY;
  fenceAtMs = Number.NEGATIVE_INFINITY;
  wakeAtMs = Number.POSITIVE_INFINITY;
  /** The agent has nothing more to do, for ever. */
  hasEnded = false;
  /** Whether the host does at once what it is asked. */
  obeys = true;
  /** Sees every step of the agent before its effects are carried out. */
  witness: (input: AgentInput, effects: readonly AgentEffect[]) => void = () => {};
  /** Sees every action before the host does. */
  watch: (action: HostAction) => void = () => {};
  #bootId = 0;
  readonly #facts: HostFacts;
  readonly #workerId: number;

  constructor(facts: Partial<HostFacts> = {}, workerId = 7) {
    this.#facts = { ...FACTS, ...facts };
    this.#workerId = workerId;
    this.agent = this.boot();
  }

  // ---- The process

  boot(): Agent {
    this.#bootId += 1;
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    this.hasEnded = false;
    this.agent = new Agent(this.settings);
    return this.agent;
  }

  /** Of the present process. */
  get settings(): AgentSettings {
    return {
      workerId: this.#workerId,
      bootId: this.#bootId,
      facts: this.#facts,
      buildTimeoutMs: BUILD_TIMEOUT_MS,
      servers: [1, 2, 3],
    };
  }

  step(input: AgentInput extends infer One ? (One extends AgentInput ? Omit<One, "nowMs"> : never) : never): void {
    const stamped = { ...input, nowMs: this.nowMs };
    const effects = this.agent.step(stamped);
    this.witness(stamped, effects);
    for (const effect of effects) this.#carryOut(effect);
  }

  look(): void {
    const machines = [...this.machines.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.step({ kind: "inventory", machines, jobs: this.jobs });
  }

  #carryOut(effect: AgentEffect): void {
    switch (effect.kind) {
      case "ended":
        this.hasEnded = true;
        return;
      case "halt":
        throw new Error(`the agent has halted: ${effect.reason}`);
      case "wakeAt":
        this.wakeAtMs = effect.atMs;
        return;
      case "report": {
        const report = decodeReport(effect.report);
        if (report === null) throw new Error("the leader would not understand this report");
        this.sent.push({ to: effect.to, sentAtMs: this.nowMs, report });
        return;
      }
      case "act":
        this.watch(effect.action);
        this.acts.push(effect.action);
        this.#fresh.push(effect.action);
        if (effect.action.kind === "fenceAt") this.fenceAtMs = effect.action.atMs;
        else if (this.obeys) this.perform(effect.action);
        return;
    }
  }

  /** What was asked of the host since this was called last, without the switch and probes. */
  takeActs(): string[] {
    const acts = this.#fresh.flatMap((action) => {
      if (action.kind === "fenceAt" || action.kind === "probe") return [];
      return "name" in action
        ? [`${action.kind} ${action.name}/${action.epoch}`]
        : [`${action.kind} ${action.id}/${action.attempt}`];
    });
    this.#fresh = [];
    return acts;
  }

  // ---- The host

  perform(action: HostAction): void {
    switch (action.kind) {
      case "build": {
        const present = this.machines.get(action.name);
        if (present !== undefined && (present.epoch >= action.epoch || isBusy(present))) return;
        this.put(action.name, action.epoch, "building");
        return;
      }
      case "start":
        if (this.#is(action, "built")) this.put(action.name, action.epoch, "starting");
        return;
      case "stop":
        if (this.#is(action, "starting") || this.#is(action, "running"))
          this.put(action.name, action.epoch, "stopping");
        else if (this.#is(action, "building")) this.put(action.name, action.epoch, "failed", "the build was ended");
        return;
      case "delete": {
        const present = this.machines.get(action.name);
        if (present !== undefined && present.epoch <= action.epoch && !isLive(present))
          this.machines.delete(action.name);
        return;
      }
      case "runJob":
        this.jobs = [
          ...this.jobs,
          { id: action.id, attempt: action.attempt, phase: "running", exitCode: 0, output: "" } as const,
        ].sort((a, b) => (a.id < b.id ? -1 : 1));
        return;
      case "endJob":
        this.endJob(action.id, action.attempt, "failed", "ended");
        return;
      case "forgetJob":
        this.jobs = this.jobs.filter(({ id, attempt }) => id !== action.id || attempt !== action.attempt);
        return;
      case "probe":
      case "fenceAt":
        return;
    }
  }

  #is({ name, epoch }: { readonly name: string; readonly epoch: number }, phase: Machine["phase"]): boolean {
    const present = this.machines.get(name);
    return present?.epoch === epoch && present.phase === phase;
  }

  put(name: string, epoch: number, phase: Machine["phase"], reason = ""): void {
    this.machines.set(name, { name, epoch, phase, reason });
  }

  endJob(id: string, attempt: number, phase: Job["phase"], output: string, exitCode = 0): void {
    this.jobs = this.jobs.map((job) =>
      job.id === id && job.attempt === attempt && job.phase === "running" ? { ...job, phase, output, exitCode } : job,
    );
  }

  /** Everything that is under way on the host comes to its end. */
  finish(): void {
    for (const { name, epoch, phase } of [...this.machines.values()]) {
      if (phase === "building") this.put(name, epoch, "built");
      else if (phase === "starting") this.put(name, epoch, "running");
      else if (phase === "stopping") this.put(name, epoch, "stopped");
    }
  }

  // ---- The leader

  get lastSent(): Sent {
    const sent = this.sent.at(-1);
    if (sent === undefined) throw new Error("it has not reported yet");
    return sent;
  }

  /** What the leader says to a report when it has heard it. */
  directiveFor({ report }: Sent, fields: Partial<Extract<Directive, { kind: "granted" }>> = {}): Directive {
    const { workerId, bootId, sequence, assignedIndex, inventoryVersion } = report;
    return {
      kind: "granted",
      workerId,
      bootId,
      sequence,
      leaseTtlMs: LEASE_TTL_MS,
      assignment: assignedIndex === this.assignment.index ? null : this.assignment,
      details: this.details,
      inventoryVersion,
      servers: [1, 2, 3],
      ...fields,
    };
  }

  deliver(sent: Sent, directive: Directive): void {
    if (directive.kind === "granted")
      this.leaseUntilMs = Math.max(this.leaseUntilMs, sent.sentAtMs + directive.leaseTtlMs);
    this.step({ kind: "answered", sequence: sent.report.sequence, directive: encodeDirective(directive) });
  }

  /** The last report is answered at once. */
  grant(fields: Partial<Extract<Directive, { kind: "granted" }>> = {}): void {
    this.deliver(this.lastSent, this.directiveFor(this.lastSent, fields));
  }

  /** The cluster wants something else from now on. */
  wants(vms: readonly WantedVm[], tasks: readonly WantedTask[] = []): void {
    this.assignment = { index: this.assignment.index + 1, vms, tasks };
    this.details = { vms, tasks };
  }

  /** Time passes; the agent is woken when it wants to be, sees its host, and every report is answered at once. */
  pass(forMs: number): void {
    const untilMs = this.nowMs + forMs;
    for (let steps = 0; ; steps++) {
      if (steps > 10_000) throw new Error("the agent never sleeps");
      const before = this.sent.length;
      this.look();
      if (this.sent.length > before) this.grant();
      if (this.nowMs >= untilMs) return;
      this.nowMs = Math.min(untilMs, Math.max(this.nowMs + 1, this.wakeAtMs));
      this.wakeAtMs = Number.POSITIVE_INFINITY;
      this.step({ kind: "wake" });
      if (this.sent.length > before) this.grant();
    }
  }
}

export type WantedVm = AssignedVm & VmDetail;
export type WantedTask = AssignedTask & TaskDetail;

/** As it was created, or as it was last changed. */
export function wantedVm(name: string, epoch: number, intent: Intent, isBegun = false, spec: VmSpec = PLAIN): WantedVm {
  return { name, epoch, intent, isBegun, createdIndex: 1, generation: spec === PLAIN ? 1 : 2, spec, interfaces: [] };
}

export function wantedTask(id: string, attempt: number, isCancelled = false, isBegun = false): WantedTask {
  return { id, attempt, isBegun, isCancelled, command: "true", args: [], timeoutMs: 1000 };
}

const PLAIN = vmSpec(DEFAULT_VM_SPEC);

function isLive({ phase }: Machine): boolean {
  return phase === "starting" || phase === "running" || phase === "stopping";
}

function isBusy(machine: Machine): boolean {
  return machine.phase === "building" || isLive(machine);
}
