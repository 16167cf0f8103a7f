/**
 * The loop around the core's agent on a real host. What happens on the host goes in with the time of its clock;
 * reports and actions come out and are carried out. Decides nothing.
 */
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
import { Deadline, monotonicMs } from "../processes/index.ts";
import type { Driver } from "./driver.ts";
import { Jobs } from "./jobs.ts";

export interface AgentLoopParts {
  readonly workerId: NodeId;
  readonly dataDir: string;
  readonly facts: HostFacts;
  /** Null: this host runs no machines. */
  readonly driver: Driver | null;
  /** Whom to report to first. At least one. */
  readonly servers: readonly NodeId[];
  readonly log: Logger;
  /** Sends a report to a server and resolves to the answer; null: none came. Never rejects. */
  report(to: NodeId, report: Uint8Array): Promise<Uint8Array | null>;
  /** The worker has been removed from the cluster, and nothing of it is left on this host. */
  ended(): void;
  /** Somebody on this host has started the unit of that VM, which is a request to the cluster and nothing else. */
  startedByHand(vm: string): void;
  /** The agent has stopped itself. It reports nothing any more, so its lease ends, and with that all that it runs. */
  halted(reason: string): void;
}

/** Below 2^48, the limit of `randomInt`. So many that no host is expected ever to draw one twice. */
const BOOT_IDS = { min: 1, max: 2 ** 48 - 1 } as const;

/** An input before it has its time. */
type Untimed = AgentInput extends infer Kind ? (Kind extends AgentInput ? Omit<Kind, "nowMs"> : never) : never;

export class AgentLoop {
  readonly #parts: AgentLoopParts;
  readonly #agent: Agent;
  readonly #jobs: Jobs;
  readonly #wake = new Deadline(() => this.#step({ kind: "wake" }));
  #isLooking = false;
  #isStopped = false;
  #heldLease = false;

  private constructor(parts: AgentLoopParts, jobs: Jobs) {
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

  /** Resolves when no job of an earlier process runs any more and this one has begun to report. */
  static async start(parts: AgentLoopParts): Promise<AgentLoop> {
    let loop: AgentLoop | null = null;
    const jobs = await Jobs.open(parts.dataDir, parts.log, () => loop?.lookLater());
    loop = new AgentLoop(parts, jobs);
    loop.#begin();
    return loop;
  }

  #begin(): void {
    const { driver, facts, log } = this.#parts;
    driver?.listen({
      changed: () => this.lookLater(),
      probed: (name, epoch, check, isHealthy) => this.#step({ kind: "probed", name, epoch, check, isHealthy }),
      startedByHand: (name) => this.#parts.startedByHand(name),
    });
    log.info({ facts }, driver === null ? "works, without a driver: it runs tasks, and no VMs" : "works");
    this.#look();
  }

  /**
   * Something has changed on the host. Takes the inventory once a turn of the event loop, however much has changed.
   */
  lookLater(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      this.#look();
    });
  }

  /** The cluster has removed this worker. The agent ends everything on this host. */
  removed(): void {
    this.#step({ kind: "removed" });
  }

  /** Jobs end. Machines go on until their lease runs out. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake.clear();
    this.#parts.driver?.close();
    await this.#jobs.close();
  }

  #look(): void {
    const machines = this.#parts.driver?.inventory() ?? [];
    this.#step({ kind: "inventory", machines, jobs: this.#jobs.list() });
  }

  #step(untimed: Untimed): void {
    if (this.#isStopped) return;
    for (const effect of this.#agent.step({ ...untimed, nowMs: monotonicMs() })) this.#perform(effect);
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
      case "halt":
        this.#parts.log.fatal(`the agent has halted: ${effect.reason}`);
        this.#parts.halted(effect.reason);
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
