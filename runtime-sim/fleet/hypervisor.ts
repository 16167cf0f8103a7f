/**
 * A host that runs machines and jobs, as the contract in core/agent has it: it is asked and answers nothing; what comes of it shows in the inventory.
 * Building, booting and powering off take time, guests crash, and what the host reports need not be so.
 *
 * The world drives it: after each call that changes something, and after each `advance`, it calls `advance` at `nextUs`. An action does not look at the
 * clock for what is overdue. Times are whole microseconds of true virtual time.
 *
 * Whether a machine was started in an epoch is remembered beyond its deletion, but not beyond a reboot, which leaves nothing: that nobody asks for the
 * same start on both sides of one is for the agent to see to, and for an oracle to check.
 */
import {
  type HostAction,
  type Job,
  MACHINE_PHASES,
  type Machine,
  type MachinePhase,
  type VmSpec,
} from "../../core/index.ts";
import type { Stream } from "../random/index.ts";

/** Means of exponentially distributed times, in milliseconds. */
export interface HypervisorConditions {
  readonly buildMeanMs: number;
  readonly bootMeanMs: number;
  readonly stopMeanMs: number;
  readonly jobMeanMs: number;
}

/** Faults under way, set and cleared by whoever injects them. Each counts for what begins while it is set: chances are from 0 to 1. */
export interface HypervisorFaults {
  /** Builds take that many times as long; 1: no fault. */
  buildSlowFactor: number;
  buildFailChance: number;
  /** That a build never ends by itself. */
  buildHangChance: number;
  /** That a machine never gets from starting to running. */
  bootHangChance: number;
  /** A machine that begins to run crashes after an exponentially distributed time of this mean; Infinity: it does not. */
  crashMeanMs: number;
  /** That a stop is ignored: the machine runs on as `stopping` until it is asked again. */
  zombieChance: number;
  /** That a reading of the inventory shows a wrong phase or reason for one machine. */
  wrongReportChance: number;
  /** That a probe of a running machine says it is unhealthy. */
  unhealthyChance: number;
}

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
}

export interface RunningJob {
  readonly id: string;
  readonly attempt: number;
}

const PROBE_MEAN_MS = 20;
const JOB_FAILURE_CHANCE = 0.1;
/** What the contract allows for a job's output. */
const OUTPUT_MAX = 4096;

const NO_PROBE_RESULTS: readonly ProbeResult[] = [];

interface Guest {
  /** What is true of it now; replaced, never changed. */
  machine: Machine;
  readonly truth: RunningMachine;
  /** It has ignored a stop. */
  zombie: boolean;
}

interface Attempt {
  job: Job;
}

interface Happening {
  readonly atUs: number;
  /** What it happens to; at most one is to come for each. */
  readonly to: object;
  readonly happen: (atUs: number) => void;
}

export function noHypervisorFaults(): HypervisorFaults {
  return {
    buildSlowFactor: 1,
    buildFailChance: 0,
    buildHangChance: 0,
    bootHangChance: 0,
    crashMeanMs: Infinity,
    zombieChance: 0,
    wrongReportChance: 0,
    unhealthyChance: 0,
  };
}

export class Hypervisor {
  faults: HypervisorFaults = noHypervisorFaults();
  readonly #conditions: HypervisorConditions;
  readonly #rng: Stream;
  /** What is to come, soonest first; ties in the order in which they were planned. A few dozen at most. */
  readonly #agenda: Happening[] = [];
  readonly #guests = new Map<string, Guest>();
  /** Epoch and name of all that was ever started here, and attempt and id of all that was ever run, since the last reboot. */
  readonly #started = new Set<string>();
  readonly #attempts = new Map<string, Attempt>();
  readonly #ran = new Set<string>();
  readonly #fence = {};
  #probeResults: ProbeResult[] = [];
  /** Counts changes of what can be seen. */
  #changes = 0;
  /** Made when somebody looks, and kept until something changes. */
  #sorted: readonly Guest[] | null = null;
  #inventory: readonly Machine[] | null = null;
  #jobs: readonly Job[] | null = null;
  #running: readonly RunningMachine[] | null = null;
  #runningJobs: readonly RunningJob[] | null = null;

  /** `rng`: decides how long things take, and which faults happen. */
  constructor(conditions: HypervisorConditions, rng: Stream) {
    this.#conditions = conditions;
    this.#rng = rng;
  }

  /** Carries out all actions but `fenceAt`, whose time is of the host's clock: the world turns it into true time for `setFence`. */
  perform(action: HostAction, nowUs: number): void {
    switch (action.kind) {
      case "build":
        this.#build(action.name, action.epoch, action.spec, nowUs);
        break;
      case "start":
        this.#start(action.name, action.epoch, nowUs);
        break;
      case "stop":
        this.#stop(action.name, action.epoch, action.graceMs, nowUs);
        break;
      case "delete":
        this.#delete(action.name, action.epoch);
        break;
      case "probe":
        this.#probe(action, nowUs);
        break;
      case "runJob":
        this.#runJob(action, nowUs);
        break;
      case "endJob": {
        const attempt = this.#attempts.get(key(action.attempt, action.id));
        if (attempt?.job.phase === "running") this.#endJob(attempt, "failed", 0, "ended");
        break;
      }
      case "forgetJob":
        this.#forgetJob(action.id, action.attempt);
        break;
      case "fenceAt":
        // Ignored, it would be a fence that never falls.
        throw new Error("a hypervisor does not know its host's clock: call setFence with true time");
    }
  }

  /** Sets the dead man's switch anew. Infinity: it never falls; a time that has passed: at the next `advance`. */
  setFence(atUs: number): void {
    this.#cancel(this.#fence);
    this.#plan(this.#fence, atUs, () => this.#fall());
  }

  /** When `advance` has something to do; Infinity: nothing is to come. */
  get nextUs(): number {
    return this.#agenda[0]?.atUs ?? Infinity;
  }

  /** Lets happen what is due by `nowUs`. Returns whether the machines or the jobs that an agent sees have changed by it; look for probe results too. */
  advance(nowUs: number): boolean {
    const before = this.#changes;
    for (let next = this.#agenda[0]; next !== undefined && next.atUs <= nowUs; next = this.#agenda[0]) {
      this.#agenda.shift();
      // At its own time: what follows from it may be due as well.
      next.happen(next.atUs);
    }
    return this.#changes !== before;
  }

  /**
   * The machines as an agent that looks now sees them, sorted by name; the same array until something changes, wrong reports excepted. Each call may
   * draw random numbers: for agents only. Oracles have `running`.
   */
  inventory(): readonly Machine[] {
    const truth = this.machines();
    if (truth.length === 0 || !this.#rng.chance(this.faults.wrongReportChance)) return truth;
    const victim = this.#rng.integer(0, truth.length - 1);
    return truth.map((machine, index) => (index === victim ? this.#misreported(machine) : machine));
  }

  /** Sorted by id, then by attempt; the same array until something changes. */
  jobs(): readonly Job[] {
    this.#jobs ??= [...this.#attempts.values()].map(({ job }) => job).sort(byId);
    return this.#jobs;
  }

  /** The results of probes since the last call, oldest first. */
  takeProbeResults(): readonly ProbeResult[] {
    if (this.#probeResults.length === 0) return NO_PROBE_RESULTS;
    const results = this.#probeResults;
    this.#probeResults = [];
    return results;
  }

  /** The whole host goes down and comes back with nothing on it: no machine, disk, job or probe, and no fence. Faults stay. */
  reboot(): void {
    if (this.#guests.size > 0) this.#machinesChanged(true);
    if (this.#attempts.size > 0) this.#jobsChanged();
    this.#agenda.length = 0;
    this.#guests.clear();
    this.#sorted = null;
    this.#started.clear();
    this.#attempts.clear();
    this.#ran.clear();
    this.#probeResults = [];
  }

  /** A running machine is there that nobody asked for. Not if there is a machine of that name already. */
  plantOrphan(name: string, epoch: number, nowUs: number): void {
    if (this.#guests.has(name)) return;
    const guest = this.#add(name, epoch, null, "starting");
    this.#started.add(key(epoch, name));
    this.#run(guest, nowUs);
  }

  /** The truth, for oracles: every machine, sorted by name; the same array until something changes. */
  machines(): readonly Machine[] {
    this.#inventory ??= this.#sortedGuests().map(({ machine }) => machine);
    return this.#inventory;
  }

  /** The truth, for oracles: the machines whose guest executes, zombies and those that hang in their boot too. Sorted by name; the same array until something changes. */
  running(): readonly RunningMachine[] {
    this.#running ??= this.#sortedGuests()
      .filter(({ machine }) => executes(machine.phase))
      .map(({ truth }) => truth);
    return this.#running;
  }

  /** The jobs that run, sorted by id, then by attempt; the same array until something changes. */
  get runningJobs(): readonly RunningJob[] {
    this.#runningJobs ??= this.jobs().filter(({ phase }) => phase === "running");
    return this.#runningJobs;
  }

  #build(name: string, epoch: number, spec: VmSpec, nowUs: number): void {
    const present = this.#guests.get(name);
    if (present !== undefined) {
      const { machine } = present;
      // One that is being built counts as alive: its builder is still at work on the disk.
      if (machine.epoch >= epoch || machine.phase === "building" || executes(machine.phase)) return;
    }
    const guest = this.#add(name, epoch, spec, "building");
    if (this.#rng.chance(this.faults.buildHangChance)) return;
    const fails = this.#rng.chance(this.faults.buildFailChance);
    const buildMeanMs = this.#conditions.buildMeanMs * this.faults.buildSlowFactor;
    this.#plan(guest, this.#laterUs(buildMeanMs, nowUs), () => {
      if (fails) this.#enter(guest, "failed", "build failed");
      else this.#enter(guest, "built", "");
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
    this.#plan(guest, this.#laterUs(this.#conditions.bootMeanMs, nowUs), (atUs) => this.#run(guest, atUs));
  }

  #run(guest: Guest, nowUs: number): void {
    this.#enter(guest, "running", "");
    const { crashMeanMs } = this.faults;
    if (crashMeanMs === Infinity) return;
    this.#plan(guest, this.#laterUs(crashMeanMs, nowUs), () => this.#enter(guest, "failed", "crashed"));
  }

  #stop(name: string, epoch: number, graceMs: number, nowUs: number): void {
    const guest = this.#guests.get(name);
    if (guest?.machine.epoch !== epoch) return;
    const { phase } = guest.machine;
    if (phase === "building") {
      this.#cancel(guest);
      this.#enter(guest, "failed", "the build was ended");
      return;
    }
    if (phase === "starting" || phase === "running") {
      this.#cancel(guest);
      this.#enter(guest, "stopping", "");
      guest.zombie = this.#rng.chance(this.faults.zombieChance);
      if (guest.zombie) return;
    } else if (guest.zombie) guest.zombie = false;
    else return;
    const offUs = this.#laterUs(this.#conditions.stopMeanMs, nowUs);
    const graceEndsUs = nowUs + Math.ceil(1000 * graceMs);
    const reason = offUs <= graceEndsUs ? "powered off" : "ended: it had not powered off in time";
    this.#plan(guest, Math.min(offUs, graceEndsUs), () => this.#enter(guest, "stopped", reason));
  }

  #delete(name: string, epoch: number): void {
    const guest = this.#guests.get(name);
    if (guest === undefined || guest.machine.epoch > epoch || executes(guest.machine.phase)) return;
    this.#cancel(guest);
    this.#guests.delete(name);
    this.#sorted = null;
    this.#machinesChanged(false);
  }

  #probe(action: ProbeAction, nowUs: number): void {
    const { name, epoch, check, timeoutMs } = action;
    const answerUs = this.#laterUs(PROBE_MEAN_MS, nowUs);
    const timeoutUs = nowUs + Math.ceil(1000 * timeoutMs);
    const passes = this.#runs(name, epoch) && answerUs < timeoutUs && !this.#rng.chance(this.faults.unhealthyChance);
    this.#plan({}, Math.min(answerUs, timeoutUs), () => {
      // A guest that has gone meanwhile does not answer.
      this.#probeResults.push({ name, epoch, check, healthy: passes && this.#runs(name, epoch) });
    });
  }

  #runJob(action: RunJobAction, nowUs: number): void {
    const { id, attempt: number, command, timeoutMs } = action;
    if (this.#ran.has(key(number, id))) return;
    this.#ran.add(key(number, id));
    const attempt: Attempt = { job: { id, attempt: number, phase: "running", exitCode: 0, output: "" } };
    this.#attempts.set(key(number, id), attempt);
    this.#jobsChanged();
    const exitCode = this.#rng.chance(JOB_FAILURE_CHANCE) ? this.#rng.integer(1, 255) : 0;
    const exitUs = this.#laterUs(this.#conditions.jobMeanMs, nowUs);
    const timeoutUs = nowUs + Math.ceil(1000 * timeoutMs);
    this.#plan(attempt, Math.min(exitUs, timeoutUs), () => {
      if (exitUs < timeoutUs) this.#endJob(attempt, "exited", exitCode, `output of ${command}`.slice(-OUTPUT_MAX));
      else this.#endJob(attempt, "failed", 0, "timed out");
    });
  }

  #endJob(attempt: Attempt, phase: Job["phase"], exitCode: number, output: string): void {
    this.#cancel(attempt);
    attempt.job = { ...attempt.job, phase, exitCode, output };
    this.#jobsChanged();
  }

  #forgetJob(id: string, number: number): void {
    const attempt = this.#attempts.get(key(number, id));
    if (attempt === undefined || attempt.job.phase === "running") return;
    this.#attempts.delete(key(number, id));
    this.#jobsChanged();
  }

  /** The dead man's switch. What is being built goes on: no guest executes in it. */
  #fall(): void {
    for (const guest of this.#guests.values()) {
      if (!executes(guest.machine.phase)) continue;
      this.#cancel(guest);
      this.#enter(guest, "failed", "fenced");
    }
    for (const attempt of this.#attempts.values()) {
      if (attempt.job.phase === "running") this.#endJob(attempt, "failed", 0, "fenced");
    }
  }

  /** In place of what had the name before, if anything. */
  #add(name: string, epoch: number, spec: VmSpec | null, phase: MachinePhase): Guest {
    const guest = { machine: { name, epoch, phase, reason: "" }, truth: { name, epoch, spec }, zombie: false };
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

  #plan(to: object, atUs: number, happen: (atUs: number) => void): void {
    if (atUs === Infinity) return;
    let place = this.#agenda.length;
    while (place > 0 && (this.#agenda[place - 1]?.atUs ?? 0) > atUs) place -= 1;
    this.#agenda.splice(place, 0, { atUs, to, happen });
  }

  #cancel(to: object): void {
    const place = this.#agenda.findIndex((happening) => happening.to === to);
    if (place !== -1) this.#agenda.splice(place, 1);
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

  #jobsChanged(): void {
    this.#changes += 1;
    this.#jobs = null;
    this.#runningJobs = null;
  }
}

type ProbeAction = Extract<HostAction, { readonly kind: "probe" }>;
type RunJobAction = Extract<HostAction, { readonly kind: "runJob" }>;

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

function byId(a: Job, b: Job): number {
  if (a.id === b.id) return a.attempt - b.attempt;
  return a.id < b.id ? -1 : 1;
}
