/** Carries the core's agent on a real host: the host's clock and everything that happens there in, reports and actions out. Decides nothing. */
import { randomInt } from "node:crypto";
import type { Logger } from "pino";
import {
  Agent,
  type AgentEffect,
  type AgentInput,
  BUILD_TIMEOUT_MS,
  type HostAction,
  type HostFacts,
  type NodeId,
} from "../../core/index.ts";
import { Deadline, monotonicMs } from "./clock.ts";
import type { Driver } from "./driver.ts";
import { Jobs } from "./jobs.ts";

export interface WorkerHostParts {
  readonly workerId: NodeId;
  readonly dataDir: string;
  readonly facts: HostFacts;
  /** Null: nothing here runs machines. */
  readonly driver: Driver | null;
  /** Whom to report to first. At least one. */
  readonly servers: readonly NodeId[];
  readonly log: Logger;
  /** Brings a report to a server, and back what it is answered with; null: nothing. Never rejects. */
  report(to: NodeId, report: Uint8Array): Promise<Uint8Array | null>;
  /** It has been removed from the cluster, for ever, and nothing of it is left here. */
  ended(): void;
}

/** Below 2^48, which is as far as the dice go: that one comes twice is not to be expected in the life of a host. */
const BOOT_IDS = { min: 1, max: 2 ** 48 - 1 } as const;

type Happening = AgentInput extends infer Kind ? (Kind extends AgentInput ? Omit<Kind, "nowMs"> : never) : never;

export class WorkerHost {
  readonly #parts: WorkerHostParts;
  readonly #agent: Agent;
  readonly #jobs: Jobs;
  readonly #wake = new Deadline(() => this.#step({ kind: "wake" }));
  #isLooking = false;
  #isStopped = false;
  #heldLease = false;

  private constructor(parts: WorkerHostParts, jobs: Jobs) {
    const { workerId, facts, servers } = parts;
    this.#parts = parts;
    this.#jobs = jobs;
    this.#agent = new Agent({
      workerId,
      bootId: randomInt(BOOT_IDS.min, BOOT_IDS.max),
      facts,
      buildTimeoutMs: BUILD_TIMEOUT_MS,
      servers,
    });
  }

  /** Resolves when nothing of this host's earlier lives runs that should not, and this one has begun to report. */
  static async start(parts: WorkerHostParts): Promise<WorkerHost> {
    let host: WorkerHost | null = null;
    const jobs = await Jobs.open(parts.dataDir, parts.log, () => host?.lookLater());
    host = new WorkerHost(parts, jobs);
    host.#begin();
    return host;
  }

  #begin(): void {
    const { driver, facts, log } = this.#parts;
    driver?.listen({
      changed: () => this.lookLater(),
      probed: (name, epoch, check, isHealthy) => this.#step({ kind: "probed", name, epoch, check, isHealthy }),
    });
    log.info({ facts }, driver === null ? "works, without a driver: it runs tasks, and no VMs" : "works");
    this.#look();
  }

  /** Something has changed on the host. What changes in one turn of the event loop is looked at once. */
  lookLater(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      this.#look();
    });
  }

  /** The cluster has removed this worker: it ends whatever is here. */
  removed(): void {
    this.#step({ kind: "removed" });
  }

  /** Its jobs end; its machines go on, until the lease that they have runs out. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake.clear();
    await this.#jobs.close();
  }

  #look(): void {
    const machines = this.#parts.driver?.inventory() ?? [];
    this.#step({ kind: "inventory", machines, jobs: this.#jobs.list() });
  }

  #step(happening: Happening): void {
    if (this.#isStopped) return;
    for (const effect of this.#agent.step({ ...happening, nowMs: monotonicMs() })) this.#perform(effect);
    this.#tellOfLease();
  }

  #tellOfLease(): void {
    const { holdsLease } = this.#agent;
    if (holdsLease === this.#heldLease) return;
    this.#heldLease = holdsLease;
    const { log } = this.#parts;
    if (holdsLease) log.info("the cluster counts on this worker");
    else log.warn("the lease of this worker has run out: no server has answered in time, and what it ran has ended");
  }

  #perform(effect: AgentEffect): void {
    switch (effect.kind) {
      case "act":
        this.#act(effect.action);
        return;
      case "wakeAt":
        this.#wake.set(effect.atMs);
        return;
      case "ended":
        this.#parts.ended();
        return;
      case "report": {
        const { to, sequence, report } = effect;
        void this.#parts.report(to, report).then((directive) => this.#step({ kind: "answered", sequence, directive }));
        return;
      }
    }
  }

  #act(action: HostAction): void {
    const { driver } = this.#parts;
    switch (action.kind) {
      case "runJob":
      case "endJob":
      case "forgetJob":
        this.#jobs.perform(action);
        return;
      case "fenceAt":
        this.#jobs.fenceAt(action.atMs);
        driver?.fenceAt(action.atMs);
        return;
      case "build":
      case "start":
      case "stop":
      case "delete":
      case "probe":
        if (driver === null)
          throw new Error(`assertion failed: ${action.kind} ${action.name} on a host without a driver`);
        driver.perform(action);
        return;
    }
  }
}
