/**
 * The agent of one host: what the host shows and what the cluster wants in, what the host shall do out. It remembers nothing that it could not see again: a
 * process that starts anew looks at its host, asks the cluster, and goes on.
 *
 * It acts on VMs only while it holds a lease. When the lease runs out it need not do anything: the host's switch, which it set anew with each lease, ends
 * everything by itself, also when this process hangs.
 *
 * One that an operator has removed needs no lease to end what is there: nobody else has a right to it.
 */
import { HealthBook } from "./health.ts";
import { REPORT_EVERY_MS } from "./lease.ts";
import {
  type AssignedTask,
  type AssignedVm,
  type Assignment,
  type Details,
  type Directive,
  decodeDirective,
  encodeReport,
  HOST_LIMITS,
  type Inventory,
  isReportable,
  isReportableJob,
  type ReportedMachine,
  type TaskDetail,
  type VmDetail,
  withBoundedOutput,
  withBoundedReason,
} from "./protocol.ts";
import type { HostAction, HostFacts, Job, Machine } from "./types.ts";

/** Everything that an agent ever learns. `nowMs` is the host's monotonic clock. */
export type AgentInput = { readonly nowMs: number } & (
  | { readonly kind: "wake" }
  /** Everything that the host has now, sorted. */
  | { readonly kind: "inventory"; readonly machines: readonly Machine[]; readonly jobs: readonly Job[] }
  | {
      readonly kind: "probed";
      readonly name: string;
      readonly epoch: number;
      readonly check: string;
      readonly isHealthy: boolean;
    }
  /** What became of a report; null: nothing. */
  | { readonly kind: "answered"; readonly sequence: number; readonly directive: Uint8Array | null }
  /** A server does not let it report any more: it has been removed, for ever. */
  | { readonly kind: "removed" }
);

export type AgentEffect =
  | { readonly kind: "report"; readonly to: number; readonly sequence: number; readonly report: Uint8Array }
  | { readonly kind: "act"; readonly action: HostAction }
  | { readonly kind: "wakeAt"; readonly atMs: number }
  /** It has been removed, and nothing is left on its host: there is no more for it to do. */
  | { readonly kind: "ended" };

export interface AgentSettings {
  readonly workerId: number;
  /** A number that no other process of this host has had. */
  readonly bootId: number;
  readonly facts: HostFacts;
  /** A machine that has not been built by then never will be. */
  readonly buildTimeoutMs: number;
  /** Whom to ask first. At least one. */
  readonly servers: readonly number[];
}

/** How long an answer may take before another server is asked. */
const ANSWER_TIMEOUT_MS = 1000;
/** Between two reports while something is to be asked; longer while nobody answers. */
const QUESTION_GAP_MS = 50;
/** Between two reports that something has changed: what changes meanwhile is told, and written into the log, at once. */
const NEWS_GAP_MS = 200;
/** After a report that nobody took, as long as there is a lease to keep: leaders that follow one another quickly may each be there for a moment only. */
const RETRY_GAP_MS = 250;
/** When what was asked of a host does not show, it is asked again. */
const ACT_AGAIN_MS = 10_000;
/** For `AgentSettings.buildTimeoutMs`: a first build fetches all that the guest is made of. */
export const BUILD_TIMEOUT_MS = 1_800_000;
/** A guest that has not booted by then never will. */
const BOOT_TIMEOUT_MS = 120_000;
const STOP_GRACE_MS = 10_000;
/** Nothing new is started when the lease is so short. */
const LEASE_MARGIN_MS = 500;

interface GivenUp {
  readonly epoch: number;
  readonly reason: string;
}

interface Acted {
  readonly what: HostAction["kind"];
  readonly epoch: number;
  /** When it was asked for first, and last. */
  readonly sinceMs: number;
  readonly atMs: number;
}

const NOT_BUILT = "was not built in time";
const NOT_BOOTED = "did not boot";

export class Agent {
  readonly #settings: AgentSettings;
  readonly #health = new HealthBook();
  #effects: AgentEffect[] = [];
  #nowMs = 0;
  #servers: readonly number[];
  #server = 0;
  /** Reports in a row that nobody has answered. */
  #failures = 0;
  #isRegistered = false;
  #isRemoved = false;
  #hasEnded = false;
  #sequence = 0;
  /** The report that is under way; 0: none. */
  #awaited = 0;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #leaseUntilMs = Number.NEGATIVE_INFINITY;
  #assignment: Assignment | null = null;
  /** How that is to be done, by name and id. */
  readonly #specs = new Map<string, VmDetail>();
  readonly #commands = new Map<string, TaskDetail>();
  /** What it would need to know of them. */
  readonly #lacksSpec = new Set<string>();
  readonly #lacksCommand = new Set<string>();
  /** Of the newest assignment that it has acted by. */
  #actedIndex = 0;
  #machines: ReadonlyMap<string, Machine> = new Map();
  #jobs: readonly Job[] = [];
  /** The assignment there was when the host was last looked at. */
  #takenFor: Assignment | null = null;
  /** Null until the host has been looked at: before that nothing can be said of it. */
  #inventory: Inventory | null = null;
  #inventoryVersion = 0;
  /** The version that the leader has seen. */
  #heardVersion = 0;
  /** Since when each machine is in its phase. */
  readonly #since = new Map<
    string,
    { readonly epoch: number; readonly phase: Machine["phase"]; readonly atMs: number }
  >();
  /** What was asked for last, by name of the machine. */
  readonly #acted = new Map<string, Acted>();
  /** By id of the job: the attempt that was asked for last. By id and attempt: what was asked of it since. */
  readonly #asked = new Map<string, { readonly attempt: number; readonly atMs: number }>();
  readonly #actedOnJobs = new Map<string, Acted>();
  /** The last run of each VM of which there was a machine, by name: none of it is made a second time. */
  readonly #begun = new Map<string, number>();
  /** Machines that were never built or never came up, by name: they are ended for that, and have failed. */
  readonly #givenUp = new Map<string, GivenUp>();
  /** In which version of the inventory a machine first stood. */
  readonly #reportedIn = new Map<string, { readonly epoch: number; readonly version: number }>();
  /** It has done and told what there was: until there is news, or `#restUntilMs`, nothing is looked through. */
  #isAtRest = false;
  #restUntilMs = Number.POSITIVE_INFINITY;
  /** There is something that it ends once the leader has seen it. */
  #hasUnwanted = false;
  #wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(settings: AgentSettings) {
    this.#settings = settings;
    this.#servers = settings.servers;
  }

  get holdsLease(): boolean {
    return this.#nowMs < this.#leaseUntilMs;
  }

  get leaseUntilMs(): number {
    return this.#leaseUntilMs;
  }

  step(input: AgentInput): readonly AgentEffect[] {
    this.#nowMs = Math.max(this.#nowMs, input.nowMs);
    switch (input.kind) {
      case "wake":
        this.#wakeAtMs = Number.POSITIVE_INFINITY;
        break;
      case "inventory":
        this.#isAtRest = false;
        this.#take(input.machines, input.jobs);
        break;
      case "probed":
        this.#isAtRest = false;
        this.#health.probed(input.name, input.epoch, input.check, input.isHealthy);
        break;
      case "answered":
        this.#answered(input.sequence, input.directive);
        break;
      case "removed":
        this.#removed();
        break;
    }
    if (this.#inventory !== null) {
      if (!this.#isAtRest || !this.#mayAct || this.#nowMs >= this.#restUntilMs) {
        this.#act();
        this.#refreshInventory();
        this.#isAtRest = this.#mayAct;
        this.#restUntilMs = this.#nextChangeMs();
      }
      if (this.#isRemoved) this.#end();
      else this.#report();
    }
    this.#announceWake();
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** When time alone may next change what is to be done or told; Infinity: never. */
  #nextChangeMs(): number {
    let nextMs = this.#health.nextDueMs;
    const at = (ms: number): void => {
      if (ms > this.#nowMs && ms < nextMs) nextMs = ms;
    };
    for (const { what, sinceMs, atMs } of this.#acted.values()) {
      at(atMs + (what === "stop" ? STOP_GRACE_MS + ACT_AGAIN_MS : ACT_AGAIN_MS));
      if (what === "start") at(sinceMs + BOOT_TIMEOUT_MS);
      if (what === "build") at(sinceMs + this.#settings.buildTimeoutMs);
    }
    for (const { atMs } of this.#asked.values()) at(atMs + ACT_AGAIN_MS);
    for (const { atMs } of this.#actedOnJobs.values()) at(atMs + ACT_AGAIN_MS);
    for (const { phase, atMs } of this.#since.values()) {
      if (phase === "building") at(atMs + this.#settings.buildTimeoutMs);
      if (phase === "starting") at(atMs + BOOT_TIMEOUT_MS);
      if (phase === "stopping") at(atMs + STOP_GRACE_MS + ACT_AGAIN_MS);
    }
    return nextMs;
  }

  #take(machines: readonly Machine[], jobs: readonly Job[]): void {
    const before = this.#machines;
    const now = new Map<string, Machine>();
    for (const machine of machines) {
      // What is shown as it was shown before has been looked at then.
      const isSame = machine.reason === "" && before.get(machine.name) === machine;
      if (isSame || isReportable(machine)) now.set(machine.name, withBoundedReason(machine, machines.length));
    }
    this.#machines = now;
    this.#jobs = withBoundedOutput(jobs.filter(isReportableJob));
    for (const name of this.#since.keys()) if (!this.#machines.has(name)) this.#since.delete(name);
    const assigned = new Map(this.#assignment?.vms.map(({ name, epoch }) => [name, epoch]));
    const isAssignedAsBefore = this.#assignment === this.#takenFor;
    this.#takenFor = this.#assignment;
    for (const machine of this.#machines.values()) {
      const { name, epoch, phase } = machine;
      // Nothing follows from it that has not followed before.
      if (isAssignedAsBefore && before.get(name) === machine) continue;
      // One that is later than the run that is wanted bears the name of a VM, and is none of its runs.
      const newest = assigned.get(name) ?? Number.POSITIVE_INFINITY;
      const begun = this.#begun.get(name) ?? 0;
      if (epoch <= newest && (epoch > begun || begun > newest)) this.#begun.set(name, epoch);
      const since = this.#since.get(name);
      if (since?.epoch !== epoch || since.phase !== phase) this.#since.set(name, { epoch, phase, atMs: this.#nowMs });
      // What was asked for shows.
      const acted = this.#acted.get(name);
      if (acted?.what === "build" && acted.epoch <= epoch) this.#acted.delete(name);
      if (acted?.what === "start" && acted.epoch === epoch && phase !== "built") this.#acted.delete(name);
      if (acted?.what === "stop" && acted.epoch === epoch && !isBusy(machine)) this.#acted.delete(name);
    }
    for (const [name, { what }] of this.#acted) {
      if (what !== "build" && !this.#machines.has(name)) this.#acted.delete(name);
    }
    this.#inventory ??= { machines: [], jobs: [] };
  }

  #answered(sequence: number, bytes: Uint8Array | null): void {
    if (sequence !== this.#awaited || this.#isRemoved) return;
    this.#awaited = 0;
    const directive = bytes === null ? null : decodeDirective(bytes);
    const { workerId, bootId } = this.#settings;
    if (directive?.workerId !== workerId || directive.bootId !== bootId || directive.sequence !== sequence) {
      this.#askAnother();
      return;
    }
    this.#obey(directive);
  }

  #askAnother(): void {
    this.#failures += 1;
    this.#server = (this.#server + 1) % this.#servers.length;
  }

  #obey(directive: Directive): void {
    this.#failures = 0;
    if (directive.kind === "register") {
      this.#isRegistered = false;
      return;
    }
    if (directive.kind === "removed") {
      this.#removed();
      return;
    }
    this.#isRegistered = true;
    const { assignment, details, servers, leaseTtlMs, inventoryVersion } = directive;
    this.#learn(details);
    // Leaders that follow one another may answer out of order: the log knows which is newer.
    if (assignment !== null && assignment.index >= (this.#assignment?.index ?? 0)) this.#assignment = assignment;
    if (assignment !== null) this.#isAtRest = false;
    if (this.#hasUnwanted && inventoryVersion !== this.#heardVersion) this.#isAtRest = false;
    this.#heardVersion = inventoryVersion;
    if (servers.length > 0 && !sameServers(servers, this.#servers)) {
      this.#servers = servers;
      this.#server %= servers.length;
    }
    const untilMs = this.#sentAtMs + leaseTtlMs;
    if (untilMs <= this.#leaseUntilMs || this.#assignment === null) return;
    this.#leaseUntilMs = untilMs;
    this.#effects.push({ kind: "act", action: { kind: "fenceAt", atMs: untilMs } });
  }

  /** From now on it says nothing, and all that there is goes. */
  #removed(): void {
    this.#isRemoved = true;
    this.#isAtRest = false;
    this.#assignment = { index: this.#assignment?.index ?? 0, vms: [], tasks: [] };
  }

  #end(): void {
    const isEmpty = this.#machines.size === 0 && this.#jobs.length === 0 && this.#acted.size === 0;
    if (!isEmpty || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#effects.push({ kind: "ended" });
  }

  #learn({ vms, tasks }: Details): void {
    if (vms.length + tasks.length > 0) this.#isAtRest = false;
    for (const detail of vms) {
      const known = this.#specs.get(detail.name);
      if (known === undefined || isNewer(detail, known)) this.#specs.set(detail.name, detail);
    }
    for (const detail of tasks) {
      if (detail.attempt > (this.#commands.get(detail.id)?.attempt ?? 0)) this.#commands.set(detail.id, detail);
    }
  }

  // ---- What the host shall do

  get #mayAct(): boolean {
    return this.#isRemoved || this.#nowMs < this.#leaseUntilMs - LEASE_MARGIN_MS;
  }

  #act(): void {
    const assignment = this.#assignment;
    if (assignment === null || !this.#mayAct) return;
    this.#actedIndex = assignment.index;
    this.#hasUnwanted = false;
    this.#lacksSpec.clear();
    this.#lacksCommand.clear();
    const wanted = new Map<string, number>();
    for (const vm of assignment.vms) {
      wanted.set(vm.name, vm.epoch);
      this.#actOn(vm, this.#machines.get(vm.name) ?? null);
    }
    for (const machine of this.#machines.values()) if (!wanted.has(machine.name)) this.#endUnwanted(machine);
    this.#actOnTasks(assignment.tasks);
    this.#watchHealth(assignment.vms);
    this.#forgetOthers(wanted, assignment.tasks);
  }

  /** What was asked for long ago, of machines and jobs that are neither there nor wanted. */
  #forgetOthers(wanted: ReadonlyMap<string, number>, tasks: readonly AssignedTask[]): void {
    for (const name of this.#begun.keys()) if (!wanted.has(name)) this.#begun.delete(name);
    for (const [name, { epoch }] of this.#givenUp) if (wanted.get(name) !== epoch) this.#givenUp.delete(name);
    for (const name of this.#specs.keys()) if (!wanted.has(name)) this.#specs.delete(name);
    for (const [name, { atMs }] of this.#acted) {
      if (!wanted.has(name) && !this.#machines.has(name) && this.#nowMs >= atMs + ACT_AGAIN_MS)
        this.#acted.delete(name);
    }
    const kept = new Set(tasks.map(({ id }) => id));
    for (const id of this.#asked.keys()) if (!kept.has(id)) this.#asked.delete(id);
    for (const id of this.#commands.keys()) if (!kept.has(id)) this.#commands.delete(id);
    const shown = new Set(this.#jobs.map(({ id, attempt }) => jobKey(id, attempt)));
    for (const key of this.#actedOnJobs.keys()) if (!shown.has(key)) this.#actedOnJobs.delete(key);
  }

  #actOn(vm: AssignedVm, machine: Machine | null): void {
    if (machine !== null && machine.epoch > vm.epoch) {
      // It bears the name of a VM, and is none of its runs.
      this.#endUnwanted(machine);
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
        if (machine.phase === "built") this.#perform(vm.name, { kind: "delete", name: vm.name, epoch: machine.epoch });
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
      // One that was there and is gone is not made again: the cluster hears of it, and calls for another run.
      if (!isBegun && this.#begun.get(name) !== epoch) this.#build(vm);
    } else if (machine.epoch < epoch) {
      // Its disk is that of the next run.
      if (isBusy(machine)) this.#stop(machine);
      else this.#build(vm);
    } else if (machine.phase === "building") {
      if (this.#hasBeenSo(machine) >= this.#settings.buildTimeoutMs) {
        this.#givenUp.set(name, { epoch, reason: NOT_BUILT });
        this.#stop(machine);
      }
    } else if (machine.phase === "built") {
      if (this.#hasIgnored("start", name, epoch, BOOT_TIMEOUT_MS))
        this.#givenUp.set(name, { epoch, reason: NOT_BOOTED });
      else if (this.#givenUp.get(name)?.epoch !== epoch) this.#perform(name, { kind: "start", name, epoch });
    } else if (machine.phase === "starting" && this.#hasBeenSo(machine) >= BOOT_TIMEOUT_MS) {
      this.#givenUp.set(name, { epoch, reason: NOT_BOOTED });
      this.#stop(machine);
    } else if (machine.phase === "stopping" && this.#hasBeenSo(machine) >= STOP_GRACE_MS + ACT_AGAIN_MS) {
      // It was told to stop before it was wanted again, and has not: the next run begins when this one has ended.
      this.#stop(machine);
    }
  }

  #build(vm: AssignedVm): void {
    const { name, epoch } = vm;
    const detail = this.#specs.get(name);
    if (this.#hasIgnored("build", name, epoch, this.#settings.buildTimeoutMs))
      this.#givenUp.set(name, { epoch, reason: NOT_BUILT });
    else if (detail !== undefined && isOf(detail, vm))
      this.#perform(name, { kind: "build", name, epoch, spec: detail.spec });
    else this.#lacksSpec.add(name);
  }

  /** Whether the host has been asked for that so long ago, and nothing shows of it. */
  #hasIgnored(what: "build" | "start", name: string, epoch: number, limitMs: number): boolean {
    const acted = this.#acted.get(name);
    return acted?.what === what && acted.epoch === epoch && this.#nowMs - acted.sinceMs >= limitMs;
  }

  /** For how long a machine has been in its phase. */
  #hasBeenSo({ name }: Machine): number {
    return this.#nowMs - (this.#since.get(name)?.atMs ?? this.#nowMs);
  }

  #stop(machine: Machine): void {
    const { name, epoch } = machine;
    if (isBusy(machine)) this.#perform(name, { kind: "stop", name, epoch, graceMs: STOP_GRACE_MS });
  }

  #remove(machine: Machine): void {
    const { name, epoch } = machine;
    if (isLive(machine)) this.#stop(machine);
    else this.#perform(name, { kind: "delete", name, epoch });
  }

  /** What nobody wants is reported first: the leader has seen it, and still does not ask for it. */
  #endUnwanted(machine: Machine): void {
    if (this.#isRemoved) {
      this.#remove(machine);
      return;
    }
    this.#hasUnwanted = true;
    const reported = this.#reportedIn.get(machine.name);
    if (reported?.epoch === machine.epoch && reported.version <= this.#heardVersion) this.#remove(machine);
  }

  /** Asks for it, unless that was asked for lately. */
  #perform(name: string, action: Extract<HostAction, { readonly epoch: number }>): void {
    const acted = this.#acted.get(name);
    const isAgain = acted?.what === action.kind && acted.epoch === action.epoch;
    const patienceMs = action.kind === "stop" ? action.graceMs + ACT_AGAIN_MS : ACT_AGAIN_MS;
    if (isAgain && this.#nowMs < acted.atMs + patienceMs) return;
    const sinceMs = isAgain ? acted.sinceMs : this.#nowMs;
    this.#acted.set(name, { what: action.kind, epoch: action.epoch, sinceMs, atMs: this.#nowMs });
    this.#effects.push({ kind: "act", action });
  }

  #actOnTasks(tasks: readonly AssignedTask[]): void {
    const wanted = new Map(tasks.map(({ id, attempt }) => [id, attempt]));
    const running = new Set<string>();
    const shown = new Set<string>();
    for (const job of this.#jobs) {
      shown.add(job.id);
      // Also one that shows late: no two attempts run at a time.
      if (wanted.get(job.id) !== job.attempt) this.#endJob(job);
      else if (job.phase === "running") running.add(job.id);
    }
    for (const { id, attempt, isBegun, isCancelled } of tasks) {
      if (isCancelled) {
        if (running.has(id)) this.#job({ kind: "endJob", id, attempt });
      } else if (!shown.has(id) && !isBegun && this.#asked.get(id)?.attempt !== attempt) {
        // An attempt is started once: if nothing comes of it, the cluster is told so, and makes another.
        this.#runJob(id, attempt);
      }
    }
  }

  #runJob(id: string, attempt: number): void {
    const detail = this.#commands.get(id);
    if (detail?.attempt !== attempt) {
      this.#lacksCommand.add(id);
      return;
    }
    const { command, args, timeoutMs } = detail;
    this.#asked.set(id, { attempt, atMs: this.#nowMs });
    this.#effects.push({ kind: "act", action: { kind: "runJob", id, attempt, command, args, timeoutMs } });
  }

  /** Of an attempt that nobody waits for. */
  #endJob({ id, attempt, phase }: Job): void {
    this.#job({ kind: phase === "running" ? "endJob" : "forgetJob", id, attempt });
  }

  #job(action: Extract<HostAction, { readonly kind: "endJob" | "forgetJob" }>): void {
    const { kind, id, attempt } = action;
    const key = jobKey(id, attempt);
    const acted = this.#actedOnJobs.get(key);
    const isAgain = acted?.what === kind && acted.epoch === attempt;
    if (isAgain && this.#nowMs < acted.atMs + ACT_AGAIN_MS) return;
    const sinceMs = isAgain ? acted.sinceMs : this.#nowMs;
    this.#actedOnJobs.set(key, { what: kind, epoch: attempt, sinceMs, atMs: this.#nowMs });
    this.#effects.push({ kind: "act", action });
  }

  #watchHealth(vms: readonly AssignedVm[]): void {
    const watched = new Set<string>();
    for (const vm of vms) {
      const { name, epoch, intent } = vm;
      const machine = this.#machines.get(name);
      if (intent !== "run" || machine?.epoch !== epoch || machine.phase !== "running") continue;
      const detail = this.#specs.get(name);
      // The checks that it knows are better than none.
      if (detail === undefined || !isOf(detail, vm)) this.#lacksSpec.add(name);
      if (detail === undefined || detail.spec.healthChecks.length === 0) continue;
      watched.add(name);
      const runningSinceMs = this.#since.get(name)?.atMs ?? this.#nowMs;
      for (const { name: check, probe, timeoutMs } of this.#health.due(
        name,
        epoch,
        detail.spec.healthChecks,
        runningSinceMs,
        this.#nowMs,
      ))
        this.#effects.push({ kind: "act", action: { kind: "probe", name, epoch, check, probe, timeoutMs } });
    }
    this.#health.keepOnly(watched);
  }

  // ---- What the cluster is told

  #refreshInventory(): void {
    const machines: ReportedMachine[] = [];
    for (const machine of this.#machines.values()) machines.push(this.#reported(machine));
    for (const [name, { epoch, reason }] of this.#givenUp) {
      if (!this.#machines.has(name)) machines.push({ name, epoch, phase: "failed", reason, isUnhealthy: false });
    }
    for (const [name, { what, epoch, atMs }] of this.#acted) {
      // It has been asked for and does not show yet: to say that it is not there would be wrong soon.
      if (what === "build" && !this.#isShown(name) && this.#nowMs < atMs + ACT_AGAIN_MS)
        machines.push({ name, epoch, phase: "building", reason: "", isUnhealthy: false });
    }
    for (const { name, epoch, intent } of this.#assignment?.vms ?? []) {
      if (intent === "run" && this.#begun.get(name) === epoch && !this.#isShown(name))
        machines.push({
          name,
          epoch,
          phase: "failed",
          reason: "the machine is gone from its host",
          isUnhealthy: false,
        });
    }
    const assigned = this.#assignment;
    const kept = atMost(
      machines,
      HOST_LIMITS.machines,
      ({ name }) => assigned?.vms.some((vm) => vm.name === name) === true,
    );
    kept.sort((a, b) => (a.name < b.name ? -1 : 1));
    const jobs = this.#jobsWithExpected();
    const before = this.#inventory;
    const isSame = before !== null && sameJobs(before.jobs, jobs) && sameMachines(before.machines, kept);
    if (isSame && this.#inventoryVersion > 0) return;
    this.#inventory = { machines: kept, jobs };
    this.#inventoryVersion += 1;
    const names = new Set<string>();
    for (const { name, epoch } of kept) {
      names.add(name);
      if (this.#reportedIn.get(name)?.epoch !== epoch)
        this.#reportedIn.set(name, { epoch, version: this.#inventoryVersion });
    }
    for (const name of [...this.#reportedIn.keys()]) if (!names.has(name)) this.#reportedIn.delete(name);
  }

  /** Whether there is a machine of that name, or one that was never made has failed. */
  #isShown(name: string): boolean {
    return this.#machines.has(name) || this.#givenUp.has(name);
  }

  /** With those that have been asked for and do not show yet. */
  #jobsWithExpected(): readonly Job[] {
    const shown = new Set(this.#jobs.map(({ id }) => id));
    const expected: Job[] = [];
    for (const { id, attempt } of this.#assignment?.tasks ?? []) {
      const asked = this.#asked.get(id);
      const isAwaited = asked?.attempt === attempt && this.#nowMs < asked.atMs + ACT_AGAIN_MS;
      // Nor is one that it will begin when it knows how.
      if ((isAwaited || this.#lacksCommand.has(id)) && !shown.has(id))
        expected.push({ id, attempt, phase: "running", exitCode: 0, output: "" });
    }
    if (expected.length === 0 && this.#jobs.length <= HOST_LIMITS.jobs) return this.#jobs;
    const assigned = this.#assignment;
    const all = [...this.#jobs, ...expected];
    const kept = atMost(all, HOST_LIMITS.jobs, ({ id }) => assigned?.tasks.some((task) => task.id === id) === true);
    return kept.sort((a, b) => (a.id === b.id ? a.attempt - b.attempt : a.id < b.id ? -1 : 1));
  }

  #reported(machine: Machine): ReportedMachine {
    const { name, epoch, phase } = machine;
    const givenUp = this.#givenUp.get(name);
    if (givenUp !== undefined && (givenUp.epoch > epoch || (givenUp.epoch === epoch && phase !== "failed")))
      return { name, ...givenUp, phase: "failed", isUnhealthy: false };
    const sick = phase === "running" ? this.#health.complaint(name, epoch) : "";
    return { name, epoch, phase, reason: sick === "" ? machine.reason : sick, isUnhealthy: sick !== "" };
  }

  #report(): void {
    if (this.#awaited !== 0) {
      if (this.#nowMs < this.#sentAtMs + ANSWER_TIMEOUT_MS) return;
      this.#awaited = 0;
      this.#askAnother();
    }
    if (this.#nowMs < this.#reportDueMs()) return;
    const isHeard = this.#heardVersion === this.#inventoryVersion;
    const sequence = ++this.#sequence;
    const report = encodeReport({
      workerId: this.#settings.workerId,
      bootId: this.#settings.bootId,
      sequence,
      facts: this.#isRegistered ? null : this.#settings.facts,
      assignedIndex: this.#actedIndex,
      inventoryVersion: this.#inventoryVersion,
      inventory: isHeard && this.#isRegistered ? null : this.#inventory,
      lacks: {
        vms: [...this.#lacksSpec].slice(0, HOST_LIMITS.vmDetails),
        tasks: [...this.#lacksCommand].slice(0, HOST_LIMITS.taskDetails),
      },
    });
    this.#awaited = sequence;
    this.#sentAtMs = this.#nowMs;
    this.#effects.push({ kind: "report", to: this.#servers[this.#server] ?? 0, sequence, report });
  }

  #reportDueMs(): number {
    const hasQuestions = !this.#isRegistered || this.#lacksSpec.size > 0 || this.#lacksCommand.size > 0;
    if (!hasQuestions && this.#heardVersion === this.#inventoryVersion)
      return this.#sentAtMs + (this.#failures > 0 && this.holdsLease ? RETRY_GAP_MS : REPORT_EVERY_MS);
    const gapMs = hasQuestions ? QUESTION_GAP_MS : NEWS_GAP_MS;
    return this.#sentAtMs + Math.min(REPORT_EVERY_MS, gapMs * (1 + this.#failures));
  }

  #announceWake(): void {
    if (this.#inventory === null) return;
    let atMs = this.#awaited === 0 ? this.#reportDueMs() : this.#sentAtMs + ANSWER_TIMEOUT_MS;
    if (this.#isRemoved) atMs = this.#restUntilMs;
    // Without a lease nothing is probed.
    if (this.#mayAct) atMs = Math.min(atMs, this.#health.nextDueMs);
    if (atMs >= this.#wakeAtMs) return;
    this.#wakeAtMs = atMs;
    this.#effects.push({ kind: "wakeAt", atMs });
  }
}

function jobKey(id: string, attempt: number): string {
  return `${id} ${attempt}`;
}

type Version = Pick<VmDetail, "createdIndex" | "generation">;

function isOf(detail: Version, vm: Version): boolean {
  return detail.createdIndex === vm.createdIndex && detail.generation === vm.generation;
}

function isNewer(a: Version, b: Version): boolean {
  return a.createdIndex > b.createdIndex || (a.createdIndex === b.createdIndex && a.generation > b.generation);
}

/** It executes, or is about to. */
function isLive({ phase }: Machine): boolean {
  return phase === "starting" || phase === "running" || phase === "stopping";
}

/** It executes, or its builder is at work. */
function isBusy(machine: Machine): boolean {
  return machine.phase === "building" || isLive(machine);
}

/** If they are too many to tell: those that matter, and as many of the others as there is room for. The others come when these are gone. */
function atMost<T>(all: T[], countMax: number, matters: (one: T) => boolean): T[] {
  if (all.length <= countMax) return all;
  return [...all.filter(matters), ...all.filter((one) => !matters(one))].slice(0, countMax);
}

function sameServers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}

function sameJobs(a: readonly Job[], b: readonly Job[]): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every((one, at) => {
      const other = b[at];
      return one.id === other?.id && one.attempt === other.attempt && one.phase === other.phase;
    })
  );
}

function sameMachines(a: readonly ReportedMachine[], b: readonly ReportedMachine[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, at) => {
      const other = b[at];
      return (
        other !== undefined &&
        one.name === other.name &&
        one.epoch === other.epoch &&
        one.phase === other.phase &&
        one.reason === other.reason &&
        one.isUnhealthy === other.isUnhealthy
      );
    })
  );
}
