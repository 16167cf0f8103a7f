/** A simulated worker: a host that runs machines, its hypervisor, and the agent's process while there is one. */
import {
  Agent,
  type AgentEffect,
  type AgentInput,
  decodeDirective,
  type HostAction,
  type HostFacts,
  type PeerId,
} from "../../core/index.ts";
import type { Stream } from "../random/index.ts";
import type { SimHost, World } from "../world/index.ts";
import { Hypervisor, type ProbeResult } from "./hypervisor.ts";
import { faultsOf, type HypervisorConditions, type Worsening } from "./hypervisor-faults.ts";
import { ReportChannel } from "./report-channel.ts";

/** How soon an agent notices that something on its host has changed. */
const NOTICE_MEAN_US = 3000;
/** Far longer than even a slow build takes here, and short enough that a run sees what follows. */
const BUILD_TIMEOUT_MS = 60_000;

export interface SimWorkerParts {
  readonly world: World;
  readonly host: SimHost;
  readonly id: number;
  readonly peerId: PeerId;
  readonly facts: HostFacts;
  readonly conditions: HypervisorConditions;
  readonly rng: Stream;
  readonly listener: WorkerListener;
}

/** Who wants to know of what a host does. */
export interface WorkerListener {
  /** What executes there has changed. */
  changed(worker: SimWorker): void;
  /** Its agent is about to have it do something. */
  acted(worker: SimWorker, action: HostAction): void;
  /** A health check of a machine has ended. */
  probed(worker: SimWorker, result: ProbeResult): void;
  /** A server answers a report of its agent by a lease, which counts from `sentAtMs` of its clock. */
  granted(worker: SimWorker, sentAtMs: number): void;
  /** Its agent has stopped itself. */
  halted(worker: SimWorker, reason: string): void;
}

export class SimWorker {
  readonly id: number;
  readonly peerId: PeerId;
  readonly facts: HostFacts;
  readonly host: SimHost;
  readonly hypervisor: Hypervisor;
  /** Null while the process is down. */
  agent: Agent | null = null;
  /** Counts the processes of its agent. */
  process = 0;
  /** The host itself is off. */
  isDown = false;
  /** It stays off until it is plugged in again. */
  isUnplugged = false;
  #hasPower = true;
  /** Something has been done to it that its VMs may suffer from. */
  wasDisturbed = false;
  /** Its agent has stood still for a while at some time. */
  wasPaused = false;
  /** A fault has had it show what is not so. */
  hasMisreported = false;
  /** How often the host has gone down. */
  downs = 0;
  /**
   * By its own clock: when its agent sent the newest report of which it has heard that it was granted a lease, and
   * when its switch falls, or fell; -Infinity: not since it came up.
   */
  leasedAtMs = Number.NEGATIVE_INFINITY;
  switchAtMs = Number.NEGATIVE_INFINITY;
  readonly #world: World;
  readonly #rng: Stream;
  readonly #listener: WorkerListener;
  readonly #reports: ReportChannel;
  readonly #worse: Worsening[] = [];
  #inbox: AgentInput[] = [];
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #wakeNumber = 0;
  #hypervisorAtUs = Number.POSITIVE_INFINITY;
  #noticing = false;
  #running: readonly unknown[] = [];
  #runningJobs: readonly unknown[] = [];

  constructor({ world, host, id, peerId, facts, conditions, rng, listener }: SimWorkerParts) {
    this.#world = world;
    this.host = host;
    this.id = id;
    this.peerId = peerId;
    this.facts = facts;
    this.#rng = rng;
    this.#listener = listener;
    this.hypervisor = new Hypervisor(conditions, rng);
    this.#reports = new ReportChannel({
      world,
      host,
      peerId,
      directed: ({ sentAtMs, downs }, directive) => {
        if (downs === this.downs && isGrant(directive)) listener.granted(this, sentAtMs);
      },
      answered: ({ process, sequence, sentAtMs }, directive) => {
        if (process !== this.process) return;
        if (this.agent !== null && directive !== null && isGrant(directive))
          this.leasedAtMs = Math.max(this.leasedAtMs, sentAtMs);
        this.#input({ kind: "answered", nowMs: this.nowMs, sequence, directive });
      },
    });
    this.#running = this.hypervisor.running();
    this.#runningJobs = this.hypervisor.runningJobs;
  }

  get servers(): readonly number[] | null {
    return this.agent?.servers ?? null;
  }

  get asksRunningServer(): boolean {
    return this.servers?.some((server) => (this.#world.members.withId(server)?.node ?? null) !== null) === true;
  }

  get mayHaveBeenMisled(): boolean {
    return this.servers?.some((server) => this.#world.members.withId(server)?.honest !== true) === true;
  }

  get nowMs(): number {
    return this.host.clock.monotonicMs(this.#world.loop.nowUs);
  }

  // ---- Processes and power

  boot(servers: readonly number[]): void {
    if (this.agent !== null || this.isDown) return;
    this.process += 1;
    const bootId = this.#rng.integer(1, 2 ** 40);
    this.agent = new Agent({ workerId: this.id, bootId, facts: this.facts, buildTimeoutMs: BUILD_TIMEOUT_MS, servers });
    this.#look();
  }

  crashAgent(): boolean {
    if (this.agent === null) return false;
    this.agent = null;
    this.#inbox = [];
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    this.#wakeNumber += 1;
    return true;
  }

  powerOff(): void {
    this.#hasPower = false;
    this.#goDown();
  }

  powerOn(servers: readonly number[]): void {
    this.#hasPower = true;
    this.#comeUp(servers);
  }

  unplug(): void {
    this.isUnplugged = true;
    this.#goDown();
  }

  plugIn(servers: readonly number[]): void {
    this.isUnplugged = false;
    this.#comeUp(servers);
  }

  #goDown(): void {
    this.crashAgent();
    this.isDown = true;
    this.wasDisturbed = true;
    this.hypervisor.reboot();
    this.downs += 1;
    this.leasedAtMs = Number.NEGATIVE_INFINITY;
    this.switchAtMs = Number.NEGATIVE_INFINITY;
    this.#looked();
  }

  #comeUp(servers: readonly number[]): void {
    if (!this.isDown || !this.#hasPower || this.isUnplugged) return;
    this.isDown = false;
    this.host.clock.restart(this.#rng.integer(0, 1_000_000), this.#world.loop.nowUs);
    this.boot(servers);
  }

  pause(): () => void {
    this.host.pauses += 1;
    this.wasDisturbed = true;
    this.wasPaused = true;
    return () => {
      this.host.pauses -= 1;
      if (this.host.pauses > 0) return;
      const inbox = this.#inbox;
      this.#inbox = [];
      for (const input of inbox) this.#step({ ...input, nowMs: this.nowMs });
    };
  }

  /** Makes one quality of the hypervisor worse until what it returns is called. */
  worsen(fault: string, value: number): () => void {
    this.wasDisturbed = true;
    this.#worse.push({ fault, value });
    this.#setFaults();
    return () => {
      const at = this.#worse.findIndex((one) => one.fault === fault && one.value === value);
      this.#worse.splice(at, 1);
      this.#setFaults();
    };
  }

  /** Of several of one kind the last holds. */
  #setFaults(): void {
    if (this.#worse.some(({ fault }) => fault === "wrong-reports")) this.hasMisreported = true;
    this.hypervisor.faults = faultsOf(this.#worse);
    // Whatever was reported wrongly is reported once more.
    this.#noticeLater();
  }

  /** Deadlines come at other times now. */
  clockChanged(): void {
    if (this.switchAtMs !== Number.NEGATIVE_INFINITY) this.#setFence(this.switchAtMs);
    this.#armWake();
  }

  // ---- The hypervisor

  /** After anything was done to it. */
  hypervisorChanged(): void {
    this.#armHypervisor();
    this.#looked();
    this.#noticeLater();
  }

  #looked(): void {
    const running = this.hypervisor.running();
    const { runningJobs } = this.hypervisor;
    if (running === this.#running && runningJobs === this.#runningJobs) return;
    this.#running = running;
    this.#runningJobs = runningJobs;
    this.#listener.changed(this);
  }

  #armHypervisor(): void {
    const { nextUs } = this.hypervisor;
    if (nextUs >= this.#hypervisorAtUs) return;
    this.#hypervisorAtUs = nextUs;
    this.#world.loop.after(nextUs - this.#world.loop.nowUs, () => {
      if (this.#hypervisorAtUs !== nextUs) return;
      this.#hypervisorAtUs = Number.POSITIVE_INFINITY;
      if (this.hypervisor.advance(this.#world.loop.nowUs)) this.#noticeLater();
      for (const result of this.hypervisor.takeProbeResults()) {
        const { name, epoch, check, healthy } = result;
        this.#listener.probed(this, result);
        this.#input({ kind: "probed", nowMs: this.nowMs, name, epoch, check, isHealthy: healthy });
      }
      this.#looked();
      this.#armHypervisor();
    });
  }

  #noticeLater(): void {
    if (this.#noticing || this.agent === null) return;
    this.#noticing = true;
    const { noticedWithinMs } = this.hypervisor.faults;
    const delayUs =
      noticedWithinMs === 0 ? this.#rng.exponential(NOTICE_MEAN_US) : this.#rng.integer(0, 1000 * noticedWithinMs);
    this.#world.loop.after(delayUs, () => {
      this.#noticing = false;
      this.#look();
    });
  }

  #look(): void {
    if (this.agent === null) return;
    const machines = this.hypervisor.inventory();
    this.#input({ kind: "inventory", nowMs: this.nowMs, machines, jobs: this.hypervisor.jobs() });
  }

  #setFence(atMs: number): void {
    this.switchAtMs = atMs;
    this.hypervisor.setFence(this.host.clock.trueUsWhen(atMs, this.#world.loop.nowUs));
    // An earlier time than the one that is armed is armed anew; a later one is met by looking too early.
    this.#armHypervisor();
  }

  // ---- The agent

  #input(input: AgentInput): void {
    if (this.agent === null) return;
    if (this.host.pauses > 0) this.#inbox.push(input);
    else this.#step(input);
  }

  #step(input: AgentInput): void {
    const { agent } = this;
    if (agent === null) return;
    const effects = agent.step(input);
    if (input.kind === "answered" && input.directive !== null)
      this.#world.watchers.witness?.obeyed(input.directive, effects);
    this.#world.loop.hash.mix(this.id);
    this.#world.loop.hash.mix(effects.length);
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: AgentEffect): void {
    switch (effect.kind) {
      case "act":
        this.#listener.acted(this, effect.action);
        if (effect.action.kind === "fenceAt") {
          this.#setFence(effect.action.atMs);
          // An agent looks at its host now and then. What it saw is still so, unless the host shows what is not.
          if (this.hypervisor.faults.wrongReportChance > 0) this.#noticeLater();
          return;
        }
        this.hypervisor.perform(effect.action, this.#world.loop.nowUs);
        this.hypervisorChanged();
        return;
      case "report": {
        const { downs, nowMs } = this;
        this.#world.watchers.witness?.reported(this.id, effect.to);
        const sent = { process: this.process, sequence: effect.sequence, sentAtMs: nowMs, downs };
        this.#reports.send(effect.to, sent, effect.report);
        return;
      }
      case "ended":
        this.crashAgent();
        return;
      case "halt":
        this.crashAgent();
        this.#listener.halted(this, effect.reason);
        return;
      case "wakeAt":
        this.#wakeAtMs = effect.atMs;
        this.#armWake();
        return;
    }
  }

  #armWake(): void {
    if (this.#wakeAtMs === Number.POSITIVE_INFINITY || this.agent === null) return;
    const atUs = this.host.clock.trueUsWhen(this.#wakeAtMs, this.#world.loop.nowUs);
    this.#wakeNumber += 1;
    const number = this.#wakeNumber;
    if (atUs === Number.POSITIVE_INFINITY) return;
    this.#world.loop.after(atUs - this.#world.loop.nowUs, () => {
      if (number !== this.#wakeNumber) return;
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.#input({ kind: "wake", nowMs: this.nowMs });
    });
  }
}

/** Whether a directive gives a lease. */
function isGrant(directive: Uint8Array): boolean {
  return decodeDirective(directive)?.kind === "granted";
}
