/**
 * A simulated hypervisor, by the contract of core/agent: it carries out actions and answers none of them; what has
 * come of them shows in the inventory. Building, booting and powering off take time, guests crash, and reports may be
 * wrong.
 *
 * The world drives it: after each call that changes something, and after each `advance`, it calls `advance` at
 * `nextUs`. An action does not look at the clock for what is overdue. Times are whole microseconds of true virtual
 * time.
 *
 * Whether a machine was started in an epoch is remembered after its deletion, but not after a reboot, which leaves
 * nothing. The agent must not ask for the same start before and after a reboot; an oracle checks that.
 */
import {
  DEFAULT_VM_SPEC,
  type HostAction,
  type Interface,
  type Job,
  MACHINE_PHASES,
  type Machine,
  type MachinePhase,
  type VmSpec,
} from "../../core/index.ts";
import type { Stream } from "../random/index.ts";
import { Agenda } from "./agenda.ts";
import { type HypervisorConditions, type HypervisorFaults, noHypervisorFaults } from "./hypervisor-faults.ts";
import { Jobs, type RunningJob } from "./jobs.ts";

export interface ProbeResult {
  readonly name: string;
  readonly epoch: number;
  readonly check: string;
  readonly healthy: boolean;
}

/** A machine whose guest executes; `spec` is null for one that nobody asked for. */
export interface RunningMachine {
  readonly name: string;
  readonly epoch: number;
  readonly spec: VmSpec | null;
  /** By what its host has set up it answers to these. */
  readonly interfaces: readonly Interface[];
}

const PROBE_MEAN_MS = 20;

const NO_PROBE_RESULTS: readonly ProbeResult[] = [];

interface Guest {
  /** What is true of it now; replaced, never changed. */
  machine: Machine;
  readonly truth: RunningMachine;
  /** It has ignored a stop. */
  zombie: boolean;
}

export class Hypervisor {
  faults: HypervisorFaults = noHypervisorFaults();
  readonly #conditions: HypervisorConditions;
  readonly #rng: Stream;
  readonly #agenda = new Agenda();
  readonly #jobs: Jobs;
  readonly #guests = new Map<string, Guest>();
  /** Epoch and name of all that was ever started here since the last reboot. */
  readonly #started = new Set<string>();
  readonly #fence = {};
  #probeResults: ProbeResult[] = [];
  /** Counts changes of what can be seen. */
  #changes = 0;
  /** Made when somebody looks, and kept until something changes. */
  #sorted: readonly Guest[] | null = null;
  #inventory: readonly Machine[] | null = null;
  #running: readonly RunningMachine[] | null = null;

  /** `rng`: decides how long things take, and which faults happen. */
  constructor(conditions: HypervisorConditions, rng: Stream) {
    this.#conditions = conditions;
    this.#rng = rng;
    this.#jobs = new Jobs(this.#agenda, rng, conditions.jobMeanMs);
  }

  /**
   * Carries out all actions but `fenceAt`, whose time is of the host's clock: the world turns it into true time for
   * `setFence`.
   */
  perform(action: HostAction, nowUs: number): void {
    switch (action.kind) {
      case "build":
        this.#build(action, nowUs);
        break;
      case "start":
        this.#start(action.name, action.epoch, nowUs);
        break;
      case "stop":
        this.#stop(action.name, action.epoch, nowUs);
        break;
      case "delete":
        this.#delete(action.name, action.epoch);
        break;
      case "probe":
        this.#probe(action, nowUs);
        break;
      case "runJob":
        this.#jobs.run(action, nowUs);
        break;
      case "endJob":
        this.#jobs.end(action.id, action.attempt, "ended");
        break;
      case "forgetJob":
        this.#jobs.forget(action.id, action.attempt);
        break;
      case "fenceAt":
        // To ignore it would mean a fence that never falls.
        throw new Error("a hypervisor does not know its host's clock: call setFence with true time");
    }
  }

  /** Sets the dead man's switch anew. Infinity: it never falls; a time that has passed: at the next `advance`. */
  setFence(atUs: number): void {
    this.#agenda.cancel(this.#fence);
    this.#agenda.plan(this.#fence, atUs, () => this.#fall());
  }

  /** When `advance` has something to do; Infinity: nothing is to come. */
  get nextUs(): number {
    return this.#agenda.nextUs;
  }

  /**
   * Lets happen what is due by `nowUs`. Returns whether the machines or the jobs that an agent sees have changed by
   * it; look for probe results too.
   */
  advance(nowUs: number): boolean {
    const before = this.#changes + this.#jobs.changes;
    this.#agenda.advance(nowUs);
    return this.#changes + this.#jobs.changes !== before;
  }

  /**
   * The machines as an agent that looks now sees them, sorted by name; the same array until something changes, wrong
   * reports excepted. Each call may draw random numbers: for agents only. Oracles have `running`.
   */
  inventory(): readonly Machine[] {
    const truth = this.machines();
    if (truth.length === 0 || !this.#rng.chance(this.faults.wrongReportChance)) return truth;
    const victim = this.#rng.integer(0, truth.length - 1);
    return truth.map((machine, index) => (index === victim ? this.#misreported(machine) : machine));
  }

  /** Sorted by id, then by attempt; the same array until something changes. */
  jobs(): readonly Job[] {
    return this.#jobs.all;
  }

  /** The results of probes since the last call, oldest first. */
  takeProbeResults(): readonly ProbeResult[] {
    if (this.#probeResults.length === 0) return NO_PROBE_RESULTS;
    const results = this.#probeResults;
    this.#probeResults = [];
    return results;
  }

  /**
   * The whole host goes down and comes back with nothing on it: no machine, disk, job or probe, and no fence. Faults
   * stay.
   */
  reboot(): void {
    if (this.#guests.size > 0) this.#machinesChanged(true);
    this.#jobs.clear();
    this.#agenda.clear();
    this.#guests.clear();
    this.#sorted = null;
    this.#started.clear();
    this.#probeResults = [];
  }

  /** A running machine is there that nobody asked for. Not if there is a machine of that name already. */
  plantOrphan(name: string, epoch: number, nowUs: number): void {
    if (this.#guests.has(name)) return;
    const guest = this.#add({ name, epoch, spec: null, interfaces: [] }, "starting");
    this.#started.add(key(epoch, name));
    this.#run(guest, nowUs);
  }

  /** The truth, for oracles: every machine, sorted by name; the same array until something changes. */
  machines(): readonly Machine[] {
    this.#inventory ??= this.#sortedGuests().map(({ machine }) => machine);
    return this.#inventory;
  }

  /**
   * The truth, for oracles: the machines whose guest executes, zombies and those that hang in their boot too. Sorted
   * by name; the same array until something changes.
   */
  running(): readonly RunningMachine[] {
    this.#running ??= this.#sortedGuests()
      .filter(({ machine }) => executes(machine.phase))
      .map(({ truth }) => truth);
    return this.#running;
  }

  /** The jobs that run, sorted by id, then by attempt; the same array until something changes. */
  get runningJobs(): readonly RunningJob[] {
    return this.#jobs.running;
  }

  #build({ name, epoch, spec, interfaces }: BuildAction, nowUs: number): void {
    const present = this.#guests.get(name);
    if (present !== undefined) {
      const { machine } = present;
      // One that is being built counts as alive: its builder is still at work on the disk.
      if (machine.epoch >= epoch || machine.phase === "building" || executes(machine.phase)) return;
    }
    const guest = this.#add({ name, epoch, spec, interfaces }, "building");
    if (this.#rng.chance(this.faults.buildHangChance)) return;
    const fails = this.#rng.chance(this.faults.buildFailChance);
    const isSlow = this.faults.buildSlowFactor > 1;
    const readyUs = this.#laterUs(this.#conditions.buildMeanMs * this.faults.buildSlowFactor, nowUs);
    const finish = (): void => {
      if (fails) this.#enter(guest, "failed", "build failed");
      else this.#enter(guest, "built", "");
    };
    // Who waits long is told how far it is.
    if (!isSlow) this.#agenda.plan(guest, readyUs, finish);
    else
      this.#agenda.plan(guest, nowUs + Math.floor((readyUs - nowUs) / 2), () => {
        this.#enter(guest, "building", "half built");
        this.#agenda.plan(guest, readyUs, finish);
      });
  }

  #start(name: string, epoch: number, nowUs: number): void {
    const guest = this.#guests.get(name);
    if (guest?.machine.epoch !== epoch || guest.machine.phase !== "built") return;
    // It may have been deleted and built again since.
    if (this.#started.has(key(epoch, name))) return;
    this.#started.add(key(epoch, name));
    this.#enter(guest, "starting", "");
    if (this.#rng.chance(this.faults.bootHangChance)) return;
    this.#agenda.plan(guest, this.#laterUs(this.#conditions.bootMeanMs, nowUs), (atUs) => this.#run(guest, atUs));
  }

  #run(guest: Guest, nowUs: number): void {
    this.#enter(guest, "running", "");
    const { crashMeanMs } = this.faults;
    if (crashMeanMs === Infinity) return;
    this.#agenda.plan(guest, this.#laterUs(crashMeanMs, nowUs), () => this.#enter(guest, "failed", "crashed"));
  }

  #stop(name: string, epoch: number, nowUs: number): void {
    const guest = this.#guests.get(name);
    if (guest?.machine.epoch !== epoch) return;
    const { phase } = guest.machine;
    if (phase === "building") {
      this.#agenda.cancel(guest);
      this.#enter(guest, "failed", "the build was ended");
      return;
    }
    if (phase === "starting" || phase === "running") {
      this.#agenda.cancel(guest);
      this.#enter(guest, "stopping", "");
      guest.zombie = this.#rng.chance(this.faults.zombieChance);
      if (guest.zombie) return;
    } else if (guest.zombie) guest.zombie = false;
    else return;
    const offUs = this.#laterUs(this.#conditions.stopMeanMs, nowUs);
    const { stopTimeoutMs } = guest.truth.spec ?? DEFAULT_VM_SPEC;
    const graceEndsUs = nowUs + Math.ceil(1000 * stopTimeoutMs);
    const reason = offUs <= graceEndsUs ? "powered off" : "ended: it had not powered off in time";
    this.#agenda.plan(guest, Math.min(offUs, graceEndsUs), () => this.#enter(guest, "stopped", reason));
  }

  #delete(name: string, epoch: number): void {
    const guest = this.#guests.get(name);
    if (guest === undefined || guest.machine.epoch > epoch || executes(guest.machine.phase)) return;
    this.#agenda.cancel(guest);
    this.#guests.delete(name);
    this.#sorted = null;
    this.#machinesChanged(false);
  }

  #probe(action: ProbeAction, nowUs: number): void {
    const { name, epoch, check, timeoutMs } = action;
    const answerUs = this.#laterUs(PROBE_MEAN_MS, nowUs);
    const timeoutUs = nowUs + Math.ceil(1000 * timeoutMs);
    const passes = this.#runs(name, epoch) && answerUs < timeoutUs && !this.#rng.chance(this.faults.unhealthyChance);
    this.#agenda.plan({}, Math.min(answerUs, timeoutUs), () => {
      // A guest that has gone meanwhile does not answer.
      this.#probeResults.push({ name, epoch, check, healthy: passes && this.#runs(name, epoch) });
    });
  }

  /** The dead man's switch. What is being built goes on: no guest executes in it. */
  #fall(): void {
    for (const guest of this.#guests.values()) {
      if (!executes(guest.machine.phase)) continue;
      this.#agenda.cancel(guest);
      this.#enter(guest, "failed", "fenced");
    }
    this.#jobs.endAll("fenced");
  }

  /** In place of what had the name before, if anything. */
  #add(truth: RunningMachine, phase: MachinePhase): Guest {
    const { name, epoch } = truth;
    const guest = { machine: { name, epoch, phase, reason: "" }, truth, zombie: false };
    this.#guests.set(name, guest);
    this.#sorted = null;
    this.#machinesChanged(executes(phase));
    return guest;
  }

  #enter(guest: Guest, phase: MachinePhase, reason: string): void {
    const { name, epoch } = guest.machine;
    const executed = executes(guest.machine.phase);
    guest.machine = { name, epoch, phase, reason };
    if (!executes(phase)) guest.zombie = false;
    this.#machinesChanged(executed !== executes(phase));
  }

  #runs(name: string, epoch: number): boolean {
    const machine = this.#guests.get(name)?.machine;
    return machine?.epoch === epoch && machine.phase === "running";
  }

  #misreported(machine: Machine): Machine {
    if (this.#rng.chance(0.5)) return { ...machine, reason: "misreported" };
    return { ...machine, phase: this.#rng.pick(MACHINE_PHASES.filter((phase) => phase !== machine.phase)) };
  }

  #laterUs(meanMs: number, nowUs: number): number {
    return nowUs + Math.ceil(1000 * this.#rng.exponential(meanMs));
  }

  #machinesChanged(runningToo: boolean): void {
    this.#changes += 1;
    this.#inventory = null;
    if (runningToo) this.#running = null;
  }

  #sortedGuests(): readonly Guest[] {
    this.#sorted ??= [...this.#guests.values()].sort((a, b) => byName(a.machine, b.machine));
    return this.#sorted;
  }
}

type BuildAction = Extract<HostAction, { readonly kind: "build" }>;
type ProbeAction = Extract<HostAction, { readonly kind: "probe" }>;

function executes(phase: MachinePhase): boolean {
  return phase === "starting" || phase === "running" || phase === "stopping";
}

/** The number comes first: a name may hold anything. */
function key(number: number, name: string): string {
  return `${number} ${name}`;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
