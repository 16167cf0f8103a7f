/**
 * The machines of the host: what it shows of them, what it is asked to do so that they become as assigned, and what is
 * reported of them.
 */
import { mark } from "../marks.ts";
import type { HealthMonitor } from "./health.ts";
import { ASK_AGAIN_MS, HostRequests, type HostRequestsState } from "./host-requests.ts";
import type { VersionedInventory } from "./inventory.ts";
import type { KnownDetails } from "./known-details.ts";
import { type AssignedVm, type Assignment, HOST_LIMITS, type ReportedMachine } from "./protocol.ts";
import { atMost, isReportable, withBoundedReason } from "./report-bounds.ts";
import type { Step } from "./step.ts";
import type { AgentSettings, Machine } from "./types.ts";

/** Asking again shortens nobody's time to power off. */
const STOP_AGAIN_MS = 2 * ASK_AGAIN_MS;

const NOT_BUILT = "was not built in time";
const NOT_BOOTED = "did not boot";
const NO_REASON = "has failed, and its host gives no reason";

/** Other parts of the agent that its machines depend on. */
export interface MachinesParts {
  readonly settings: AgentSettings;
  readonly step: Step;
  readonly details: KnownDetails;
  readonly health: HealthMonitor;
  readonly inventory: VersionedInventory;
}

interface InPhase {
  readonly epoch: number;
  readonly phase: Machine["phase"];
  readonly atMs: number;
}

interface GivenUp {
  readonly epoch: number;
  readonly reason: string;
}

/** All state, in the order of the maps: what is reported depends on it where two are of one name. */
export interface MachinesState {
  readonly shown: readonly Machine[];
  readonly isAssignmentNew: boolean;
  readonly since: readonly (readonly [string, InPhase])[];
  readonly requests: HostRequestsState;
  readonly begun: readonly (readonly [string, number])[];
  readonly givenUp: readonly (readonly [string, GivenUp])[];
  readonly hasUnwanted: boolean;
}

export class Machines {
  readonly #settings: AgentSettings;
  readonly #step: Step;
  readonly #details: KnownDetails;
  readonly #health: HealthMonitor;
  readonly #inventory: VersionedInventory;
  /** What the host shows, by name. */
  #shown: ReadonlyMap<string, Machine> = new Map();
  /** The assignment is another one than when the host was last looked at. */
  #isAssignmentNew = false;
  /** Since when each machine is in its phase. */
  readonly #since = new Map<string, InPhase>();
  /** By name of the machine. */
  readonly #requests: HostRequests;
  /** The last run of each VM of which there was a machine, by name: none of it is made a second time. */
  readonly #begun = new Map<string, number>();
  /** Machines that were never built or never came up, by name: they are ended for that, and have failed. */
  readonly #givenUp = new Map<string, GivenUp>();
  #hasUnwanted = false;

  constructor({ settings, step, details, health, inventory }: MachinesParts) {
    this.#settings = settings;
    this.#step = step;
    this.#details = details;
    this.#health = health;
    this.#inventory = inventory;
    this.#requests = new HostRequests(step);
  }

  /** There is none, and none has been asked for. */
  get isEmpty(): boolean {
    return this.#shown.size === 0 && this.#requests.size === 0;
  }

  /** There is one that it ends once the leader has seen it. */
  get hasUnwanted(): boolean {
    return this.#hasUnwanted;
  }

  /** When time alone may next change what is to be done or told; Infinity: never. */
  get nextChangeMs(): number {
    const step = this.#step;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [name, { kind, sinceMs, atMs }] of this.#requests) {
      nextMs = Math.min(nextMs, step.ifLater(atMs + (kind === "stop" ? STOP_AGAIN_MS : ASK_AGAIN_MS)));
      if (kind === "start") nextMs = Math.min(nextMs, step.ifLater(sinceMs + this.#details.bootTimeoutMsOf(name)));
      if (kind === "build") nextMs = Math.min(nextMs, step.ifLater(sinceMs + this.#settings.buildTimeoutMs));
    }
    for (const [name, { phase, atMs }] of this.#since) {
      if (phase === "building") nextMs = Math.min(nextMs, step.ifLater(atMs + this.#settings.buildTimeoutMs));
      if (phase === "starting") nextMs = Math.min(nextMs, step.ifLater(atMs + this.#details.bootTimeoutMsOf(name)));
      if (phase === "stopping") nextMs = Math.min(nextMs, step.ifLater(atMs + STOP_AGAIN_MS));
    }
    return nextMs;
  }

  /** What the host shows of that name. */
  shown(name: string): Machine | undefined {
    return this.#shown.get(name);
  }

  // ---- What the host shows

  assignmentChanged(): void {
    this.#isAssignmentNew = true;
  }

  show(machines: readonly Machine[], assignment: Assignment | null): void {
    const before = this.#shown;
    const now = new Map<string, Machine>();
    for (const machine of machines) {
      // Most machines have not changed since the last look, and were checked then.
      const isChecked = machine.reason === "" && isSame(machine, before.get(machine.name));
      if (isChecked || isReportable(machine)) now.set(machine.name, withBoundedReason(machine, machines.length));
    }
    this.#shown = now;
    for (const name of this.#since.keys()) if (!now.has(name)) this.#since.delete(name);
    const assigned = new Map(assignment?.vms.map(({ name, epoch }) => [name, epoch]));
    for (const machine of now.values()) {
      // An unchanged machine under an unchanged assignment has had its effect already.
      if (!this.#isAssignmentNew && isSame(machine, before.get(machine.name))) continue;
      this.#noteBegun(machine, assigned.get(machine.name));
      this.#notePhase(machine);
    }
    this.#isAssignmentNew = false;
    for (const [name, { kind }] of this.#requests) {
      if (kind !== "build" && !now.has(name)) this.#requests.delete(name);
    }
  }

  #noteBegun({ name, epoch }: Machine, assignedEpoch: number | undefined): void {
    // A machine of a later epoch than the assigned one has the name of a VM, and is none of its runs.
    const newest = assignedEpoch ?? Number.POSITIVE_INFINITY;
    const begun = this.#begun.get(name) ?? 0;
    if (epoch <= newest && (epoch > begun || begun > newest)) this.#begun.set(name, epoch);
  }

  #notePhase(machine: Machine): void {
    const { name, epoch, phase } = machine;
    const since = this.#since.get(name);
    if (since?.epoch !== epoch || since.phase !== phase)
      this.#since.set(name, { epoch, phase, atMs: this.#step.nowMs });
    const request = this.#requests.get(name);
    if (request === undefined) return;
    const { kind, run } = request;
    const isDone =
      (kind === "build" && run <= epoch) ||
      (kind === "start" && run === epoch && phase !== "built") ||
      (kind === "stop" && run === epoch && !isBusy(machine));
    if (isDone) this.#requests.delete(name);
  }

  // ---- What the host shall do

  /** @param wanted the epochs of `vms`, by name. */
  act(vms: readonly AssignedVm[], wanted: ReadonlyMap<string, number>, isRemoved: boolean): void {
    this.#hasUnwanted = false;
    for (const vm of vms) this.#actOn(vm, this.#shown.get(vm.name) ?? null, isRemoved);
    for (const machine of this.#shown.values()) if (!wanted.has(machine.name)) this.#endUnwanted(machine, isRemoved);
    this.#forgetOthers(wanted);
  }

  /** What was asked for long ago, of machines that are neither there nor wanted. */
  #forgetOthers(wanted: ReadonlyMap<string, number>): void {
    for (const name of this.#begun.keys()) if (!wanted.has(name)) this.#begun.delete(name);
    for (const [name, { epoch }] of this.#givenUp) if (wanted.get(name) !== epoch) this.#givenUp.delete(name);
    for (const [name, { atMs }] of this.#requests) {
      if (!wanted.has(name) && !this.#shown.has(name) && this.#step.nowMs >= atMs + ASK_AGAIN_MS)
        this.#requests.delete(name);
    }
  }

  #actOn(vm: AssignedVm, machine: Machine | null, isRemoved: boolean): void {
    if (machine !== null && machine.epoch > vm.epoch) {
      mark("agent/machine-of-a-later-run");
      // It has the name of a VM, and is none of its runs.
      this.#endUnwanted(machine, isRemoved);
      return;
    }
    switch (vm.intent) {
      case "run":
        this.#run(vm, machine);
        return;
      case "stop":
        // Whatever it was ended for, it is stopped when it has ended.
        this.#givenUp.delete(vm.name);
        if (machine === null) return;
        // One that was built and never started is no machine to keep.
        if (machine.phase === "built") this.#delete(machine);
        else this.#stop(machine);
        return;
      case "gone":
        this.#givenUp.delete(vm.name);
        if (machine !== null) this.#remove(machine);
        return;
    }
  }

  #run(vm: AssignedVm, machine: Machine | null): void {
    if (this.#settings.facts.driver === null) return;
    const { name, epoch, isBegun } = vm;
    if (machine === null) {
      // One that was there and is gone is not made again: the cluster hears of it, and decides on another run.
      if (!isBegun && this.#begun.get(name) !== epoch) this.#build(vm);
    } else if (machine.epoch < epoch) {
      mark("agent/machine-of-an-earlier-run");
      // Its disk is that of the next run. A machine that was there and is gone is not made again, as above.
      if (isBusy(machine)) this.#stop(machine);
      else if (!isBegun) this.#build(vm);
    } else if (machine.phase === "building") {
      if (this.#inPhaseForMs(machine) >= this.#settings.buildTimeoutMs) {
        mark("agent/build-hangs");
        this.#givenUp.set(name, { epoch, reason: NOT_BUILT });
        this.#stop(machine);
      }
    } else if (machine.phase === "built") {
      if (this.#hasIgnored("start", name, epoch, this.#details.bootTimeoutMsOf(name)))
        this.#givenUp.set(name, { epoch, reason: NOT_BOOTED });
      else if (this.#givenUp.get(name)?.epoch !== epoch)
        this.#requests.ask(name, epoch, { kind: "start", name, epoch });
    } else if (machine.phase === "starting" && this.#inPhaseForMs(machine) >= this.#details.bootTimeoutMsOf(name)) {
      mark("agent/boot-hangs");
      this.#givenUp.set(name, { epoch, reason: NOT_BOOTED });
      this.#stop(machine);
    } else if (machine.phase === "stopping" && this.#inPhaseForMs(machine) >= STOP_AGAIN_MS) {
      mark("agent/stop-repeated-before-next-run");
      // It was told to stop before it was wanted again, and has not: the next run begins when this one has ended.
      this.#stop(machine);
    }
  }

  #build(vm: AssignedVm): void {
    const { name, epoch } = vm;
    if (this.#hasIgnored("build", name, epoch, this.#settings.buildTimeoutMs)) {
      mark("agent/build-ignored");
      this.#givenUp.set(name, { epoch, reason: NOT_BUILT });
      return;
    }
    const detail = this.#details.detailOf(vm);
    if (detail === null) return;
    const { spec, interfaces } = detail;
    this.#requests.ask(name, epoch, { kind: "build", name, epoch, spec, interfaces });
  }

  /** Whether the host has been asked for that so long ago, and shows no result. */
  #hasIgnored(kind: "build" | "start", name: string, epoch: number, limitMs: number): boolean {
    const request = this.#requests.get(name);
    return request?.kind === kind && request.run === epoch && this.#step.nowMs - request.sinceMs >= limitMs;
  }

  #inPhaseForMs({ name }: Machine): number {
    return this.#step.nowMs - (this.#since.get(name)?.atMs ?? this.#step.nowMs);
  }

  #stop(machine: Machine): void {
    const { name, epoch } = machine;
    if (!isBusy(machine)) return;
    this.#requests.ask(name, epoch, { kind: "stop", name, epoch }, STOP_AGAIN_MS);
  }

  #delete({ name, epoch }: Machine): void {
    this.#requests.ask(name, epoch, { kind: "delete", name, epoch });
  }

  #remove(machine: Machine): void {
    if (isLive(machine)) this.#stop(machine);
    else this.#delete(machine);
  }

  /** It is reported first: only if the leader has seen it, and still does not ask for it, it is ended. */
  #endUnwanted(machine: Machine, isRemoved: boolean): void {
    if (isRemoved) {
      this.#remove(machine);
      return;
    }
    this.#hasUnwanted = true;
    if (!this.#inventory.hasHeardOf(machine)) return;
    mark("agent/unwanted-machine-ended");
    this.#remove(machine);
  }

  /** Has the host run the health checks that are due. */
  probe(vms: readonly AssignedVm[]): void {
    const { nowMs } = this.#step;
    const watched = new Set<string>();
    for (const vm of vms) {
      const { name, epoch, intent } = vm;
      const machine = this.#shown.get(name);
      if (intent !== "run" || machine?.epoch !== epoch || machine.phase !== "running") continue;
      const checks = this.#details.healthChecksOf(vm);
      if (checks.length === 0) continue;
      watched.add(name);
      const runningSinceMs = this.#since.get(name)?.atMs ?? nowMs;
      for (const { name: check, probe, timeoutMs } of this.#health.due(name, epoch, checks, runningSinceMs, nowMs))
        this.#step.act({ kind: "probe", name, epoch, check, probe, timeoutMs });
    }
    this.#health.keepOnly(watched);
  }

  // ---- What is reported

  /** As many as a report holds, sorted by name. */
  report(assignment: Assignment | null): readonly ReportedMachine[] {
    const machines: ReportedMachine[] = [];
    for (const machine of this.#shown.values()) machines.push(this.#reported(machine));
    for (const [name, { epoch, reason }] of this.#givenUp) {
      if (!this.#shown.has(name)) machines.push({ name, epoch, phase: "failed", reason, isUnhealthy: false });
    }
    for (const [name, { kind, run, atMs }] of this.#requests) {
      // It has been asked for and does not show yet: to say that it is not there would soon be wrong.
      if (kind === "build" && !this.#isKnown(name) && this.#step.nowMs < atMs + ASK_AGAIN_MS)
        machines.push({ name, epoch: run, phase: "building", reason: "", isUnhealthy: false });
    }
    for (const { name, epoch, intent } of assignment?.vms ?? []) {
      if (intent === "run" && this.#begun.get(name) === epoch && !this.#isKnown(name))
        machines.push({
          name,
          epoch,
          phase: "failed",
          reason: "the machine is gone from its host",
          isUnhealthy: false,
        });
    }
    const isAssigned = ({ name }: ReportedMachine) => assignment?.vms.some((vm) => vm.name === name) === true;
    return [...atMost(machines, HOST_LIMITS.machines, isAssigned)].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Whether there is a machine of that name, or one that was never made has failed. */
  #isKnown(name: string): boolean {
    return this.#shown.has(name) || this.#givenUp.has(name);
  }

  #reported(machine: Machine): ReportedMachine {
    const { name, epoch, phase } = machine;
    const givenUp = this.#givenUp.get(name);
    if (givenUp !== undefined && (givenUp.epoch > epoch || (givenUp.epoch === epoch && phase !== "failed")))
      return { name, ...givenUp, phase: "failed", isUnhealthy: false };
    const complaint = phase === "running" ? this.#health.complaint(name, epoch) : "";
    if (complaint !== "") return { name, epoch, phase, reason: complaint, isUnhealthy: true };
    // Whoever reads that a VM has failed reads why, as far as anybody knows.
    const reason = phase === "failed" && machine.reason === "" ? NO_REASON : machine.reason;
    return { name, epoch, phase, reason, isUnhealthy: false };
  }

  capture(): MachinesState {
    return {
      shown: [...this.#shown.values()],
      isAssignmentNew: this.#isAssignmentNew,
      since: [...this.#since],
      requests: this.#requests.capture(),
      begun: [...this.#begun],
      givenUp: [...this.#givenUp],
      hasUnwanted: this.#hasUnwanted,
    };
  }

  restore({ shown, isAssignmentNew, since, requests, begun, givenUp, hasUnwanted }: MachinesState): void {
    this.#shown = new Map(shown.map((machine) => [machine.name, machine]));
    this.#isAssignmentNew = isAssignmentNew;
    for (const [name, one] of since) this.#since.set(name, one);
    this.#requests.restore(requests);
    for (const [name, epoch] of begun) this.#begun.set(name, epoch);
    for (const [name, one] of givenUp) this.#givenUp.set(name, one);
    this.#hasUnwanted = hasUnwanted;
  }
}

/** Hosts may show an unchanged machine as the same object. Nothing but speed depends on it. */
function isSame(a: Machine, b: Machine | undefined): boolean {
  if (a === b) return true;
  return a.name === b?.name && a.epoch === b.epoch && a.phase === b.phase && a.reason === b.reason;
}

/** It executes, or is about to. */
function isLive({ phase }: Machine): boolean {
  return phase === "starting" || phase === "running" || phase === "stopping";
}

/** It executes, or its builder is at work. */
function isBusy(machine: Machine): boolean {
  return machine.phase === "building" || isLive(machine);
}
