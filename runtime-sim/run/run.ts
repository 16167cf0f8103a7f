/**
 * One run of a scenario: safety under faults, then liveness. It advances in steps, so that the caller can show
 * progress and stop.
 */
import {
  type CoreWatch,
  countMarks,
  DEFAULT_COUNT_LIMITS,
  DEFAULT_RAFT_OPTIONS,
  type Evidence,
  type Mark,
} from "../../core/index.ts";
import { BYZANTINE_VERDICT, ByzantinePeer, Judge, verdictOf } from "../byzantine/index.ts";
import { FaultAtlas, faultNamed, Injector } from "../faults/index.ts";
import { FleetSimulation } from "../fleet/index.ts";
import { type CommittedLedger, ORACLES, Oracles } from "../oracles/index.ts";
import { drawSchedule, type FaultSchedule, SCHEDULE_LIMITS, type Scenario, settled } from "../scenario/index.ts";
import { Recorder, type TraceEvent, type Transition } from "../trace/index.ts";
import { type ClientOperation, Doorkeeper, Operator, Workload, type WorkloadListener } from "../workload/index.ts";
import { type LiarSettings, type SimMember, World, type WorldListener } from "../world/index.ts";
import { FaultView } from "./fault-view.ts";
import { QuietPhase } from "./quiet.ts";
import type { RunReport, Violation } from "./report.ts";
import { RUNAWAY, RunawayGuard } from "./runaway.ts";

export interface RunOptions {
  /** Any safe integer. */
  readonly seed: number;
  /** First members, 1 to 7, in place of the scenario's. */
  readonly nodes?: number;
  /** How long faults happen, in place of the scenario's. */
  readonly durationMs?: number;
  /**
   * What goes wrong, in place of what the seed draws. Its `nodes`, `durationMs` and `base` count too, unless given
   * above.
   */
  readonly faults?: FaultSchedule;
  /** False: nothing is checked but liveness. For benchmarks. */
  readonly oracles?: boolean;
  readonly onTransition?: (transition: Transition) => void;
  readonly trace?: (event: TraceEvent) => void;
  /** Is told of what clients ask, and of what comes of it. */
  readonly history?: WorkloadListener;
  /** Sees what the cores are told and what they want. */
  readonly watch?: CoreWatch;
  /** Counts the marks of the core that the run passes. */
  readonly coverage?: boolean;
}

/** One defect leads to many violations: the first few are enough. */
const VIOLATIONS_MAX = 16;

export class Run implements WorldListener {
  /** Drawn or given: what to save for a replay. */
  readonly schedule: FaultSchedule;
  readonly #scenario: Scenario;
  readonly #options: RunOptions;
  readonly #world: World;
  readonly #oracles: Oracles | null;
  readonly #recorder: Recorder | null;
  readonly #atlas = new FaultAtlas();
  readonly #injector: Injector;
  readonly #faults: FaultView;
  readonly #operator: Operator;
  readonly #workload: Workload;
  readonly #doorkeeper: Doorkeeper | null;
  readonly #fleet: FleetSimulation | null;
  /** Null while nobody lies: a liar may join late. */
  #judge: Judge | null = null;
  /** Oracles that have found harm that a liar was expected to do. The run goes on: what follows is judged too. */
  readonly #harmFoundBy = new Set<string>();
  readonly #violations: Violation[] = [];
  readonly #evidence = new Map<string, number>();
  readonly #fireEndUs: number;
  readonly #runaway: RunawayGuard;
  /** Null: nobody wants to know. */
  readonly #marks: Map<Mark, number> | null;
  #quiet: QuietPhase | null = null;
  #finished = false;

  constructor(unsettled: Scenario, options: RunOptions) {
    const { seed } = options;
    const scenario = settled(unsettled, seed);
    this.#scenario = scenario;
    this.#options = options;
    this.#marks = options.coverage === true ? new Map() : null;
    const schedule = this.#scheduleFor(scenario, options);
    this.schedule = schedule;
    this.#fireEndUs = Math.round(schedule.durationMs * 1000);

    let oracles: Oracles | null = null;
    let byzantine: ByzantinePeer | null = null;
    let started: World | null = null;
    let membersSoFar: readonly SimMember[] = [];
    const violate = (oracle: string, message: () => string): void => this.#violate(oracle, message);
    const { liar: plan } = schedule;
    const liar: LiarSettings | null = plan && {
      hostIndex: plan.host - 1,
      create: (parts) => {
        const peer = new ByzantinePeer(plan, parts);
        byzantine = peer;
        this.#judge = new Judge({ verdict: verdictOf(plan.act), peer, members: membersSoFar, violate });
        if (started !== null) started.watchers.witness = this.#judge;
        return peer;
      },
    };
    const raft = { ...DEFAULT_RAFT_OPTIONS, ...scenario.raft };
    const limits = { ...DEFAULT_COUNT_LIMITS, ...scenario.limits };
    const settings = {
      seed,
      base: schedule.base,
      raft,
      limits,
      nodes: schedule.nodes,
      workers: scenario.fleet?.workers ?? 0,
      liar,
      level: scenario.level,
      watch: options.watch ?? null,
    };
    const world = new World(settings, this, (members, conditions) => {
      membersSoFar = members;
      if (options.oracles === false) return null;
      oracles = new Oracles({ members, conditions, raft, limits, violate }, ORACLES);
      return oracles;
    });
    this.#world = world;
    this.#oracles = oracles;
    started = world;
    world.watchers.witness = this.#judge;
    const { onTransition, trace } = options;
    this.#recorder =
      onTransition === undefined && trace === undefined
        ? null
        : new Recorder(world, onTransition ?? null, trace ?? null);
    world.watchers.recorder = this.#recorder;
    this.#runaway = new RunawayGuard(world, schedule.base.clocks.length, () => byzantine);

    this.#operator = new Operator(world, this.#atlas, scenario.operator, (text) =>
      this.#recorder?.tell("operator", null, text),
    );
    this.#fleet =
      scenario.fleet === null
        ? null
        : new FleetSimulation(world, scenario.fleet, raft.clockDriftBound, violate, this.#ledger);
    const fleet = this.#fleet?.fleet ?? null;
    this.#faults = new FaultView(world, this.#atlas, this.#operator, scenario.mayLoseQuorum, fleet, {
      faultBegan: (kind, fault, hosts) => this.#recorder?.fault("fault", kind, fault, hosts),
      faultEnded: (kind, fault) => this.#recorder?.fault("healed", kind, fault, null),
    });
    this.#injector = new Injector(this.#faults);
    for (const fault of schedule.faults) {
      const kind = faultNamed(fault.kind);
      if (kind === null) throw new RangeError(`there is no fault ${fault.kind}`);
      this.#injector.plan(kind, fault);
    }
    this.#doorkeeper =
      scenario.door === null ? null : new Doorkeeper(world, scenario.door, (call) => this.#oracles?.admission(call));
    this.#workload = new Workload(world, scenario.workload, {
      invoked: (operation) => {
        this.#oracles?.invoked(operation);
        options.history?.invoked(operation);
      },
      completed: (operation) => this.#completed(operation),
      took: (answer) => this.#judge?.took(answer),
    });
  }

  #scheduleFor(scenario: Scenario, { seed, nodes, durationMs, faults }: RunOptions): FaultSchedule {
    if (nodes !== undefined && !(Number.isSafeInteger(nodes) && nodes >= 1 && nodes <= SCHEDULE_LIMITS.nodes)) {
      throw new RangeError(`nodes must be a whole number from 1 to ${SCHEDULE_LIMITS.nodes}, not ${nodes}`);
    }
    if (durationMs !== undefined && !(durationMs >= 0 && durationMs <= SCHEDULE_LIMITS.durationMs)) {
      throw new RangeError(`durationMs must be from 0 to ${SCHEDULE_LIMITS.durationMs}, not ${durationMs}`);
    }
    const shape = { seed, nodes: nodes ?? null, durationMs: durationMs ?? null };
    if (faults === undefined) return drawSchedule(scenario, shape);
    const workers = scenario.fleet?.workers ?? 0;
    const members = nodes ?? faults.nodes;
    if (members + workers > faults.base.clocks.length) {
      const hosts = workers === 0 ? "" : ` and ${workers} hosts that run machines`;
      throw new RangeError(
        `the fault schedule is for ${faults.base.clocks.length} hosts, not for ${members} nodes${hosts}`,
      );
    }
    return { ...faults, nodes: nodes ?? faults.nodes, durationMs: durationMs ?? faults.durationMs };
  }

  /** Null: no oracle is asked. */
  get #ledger(): CommittedLedger | null {
    return this.#oracles?.ledger ?? null;
  }

  /**
   * Carries out up to `maxEvents` events. True when the run is over: at the first violation at the latest, and at the
   * latest when it exceeds the bound of events in a virtual second.
   */
  advance(maxEvents: number): boolean {
    // Several runs may take turns in one thread.
    countMarks(this.#marks);
    try {
      return this.#advance(maxEvents);
    } finally {
      countMarks(null);
    }
  }

  #advance(maxEvents: number): boolean {
    const world = this.#world;
    const lastEvent = world.loop.events + maxEvents;
    while (!this.#finished && world.loop.events < lastEvent) {
      if (this.#quiet === null) {
        if (!world.advance(this.#fireEndUs)) this.#goQuiet();
      } else {
        world.advance(Infinity);
        this.#lookAtQuiet(this.#quiet);
      }
      const runaway = this.#runaway.look();
      if (runaway !== null) this.#violate(RUNAWAY, () => runaway);
      if (this.#violations.length > 0) this.#finished = true;
    }
    return this.#finished;
  }

  /**
   * For a caller whose own limit is exceeded: ends the run as a runaway, after a few more events, which tell the cause,
   * or at once.
   */
  giveUp(reason: string, atOnce: boolean): void {
    this.#runaway.end(reason);
    if (!atOnce || this.#finished) return;
    this.#violate(RUNAWAY, () => this.#runaway.cause());
    this.#finished = true;
  }

  /** Share of the virtual time that has passed, 0 to 1. The phase after the faults counts as its bound. */
  get progress(): number {
    if (this.#finished) return 1;
    const endUs = this.#fireEndUs + this.#scenario.livenessBoundMs * 1000;
    return Math.min(1, this.#world.loop.nowUs / Math.max(1, endUs));
  }

  #goQuiet(): void {
    this.#recorder?.tell("quiet", null, "faults have ended");
    this.#doorkeeper?.stop();
    this.#quiet = new QuietPhase({
      world: this.#world,
      injector: this.#injector,
      faults: this.#faults,
      operator: this.#operator,
      workload: this.#workload,
      fleet: this.#fleet,
      boundMs: this.#scenario.livenessBoundMs,
    });
    this.#oracles?.quiet();
  }

  #lookAtQuiet({ outcome }: QuietPhase): void {
    switch (outcome.kind) {
      case "waiting":
        return;
      case "stuck":
        this.#violate(outcome.oracle, () => outcome.reason);
        break;
      case "live":
      case "excused":
        this.#recorder?.tell(
          "live",
          null,
          outcome.kind === "live" ? "the cluster is live" : `excused: ${outcome.reason}`,
        );
        break;
    }
    this.#oracles?.finished();
    this.#fleet?.finished();
    this.#judge?.finished();
    this.#finished = true;
  }

  #nowMs(): number {
    return this.#world.loop.nowUs / 1000;
  }

  /** The text is made here, while everything is as the oracle saw it, and only if somebody will read it. */
  #violate(oracle: string, text: () => string): void {
    if (this.#violations.length >= VIOLATIONS_MAX) return;
    if (this.#judge?.finds(oracle) === true) {
      // What follows from one lie is found again and again.
      if (this.#harmFoundBy.has(oracle)) return;
      this.#harmFoundBy.add(oracle);
      this.#recorder?.tell("violation", null, `expected of the liar: ${oracle}: ${text()}`);
      return;
    }
    const message = text();
    const { seed, nodes, durationMs } = this.#options;
    const replay = [
      `npm run sim -- --seed ${seed}`,
      ...(nodes === undefined ? [] : [`--nodes ${nodes}`]),
      ...(durationMs === undefined ? [] : [`--duration ${durationMs}ms`]),
      this.#scenario.name,
    ].join(" ");
    this.#recorder?.tell("violation", null, `${oracle}: ${message}`);
    this.#violations.push({ oracle, event: this.#world.loop.events, atMs: this.#nowMs(), message, replay });
  }

  #completed(operation: ClientOperation): void {
    this.#oracles?.completed(operation);
    this.#recorder?.answered(operation);
    this.#options.history?.completed(operation);
  }

  // ---- News from the world

  booted(member: SimMember): void {
    this.#recorder?.booted(member);
  }

  crashed(member: SimMember, lost: number, torn: boolean): void {
    this.#recorder?.crashed(member, lost, torn);
  }

  unreadable(member: SimMember, reason: string, forGood: boolean): void {
    this.#recorder?.tell("disk", member, reason);
    if (forGood) this.#operator.foundDamaged(member);
  }

  evidence(member: SimMember, evidence: Evidence): void {
    this.#countEvidence(evidence);
    this.#recorder?.evidence(member, evidence);
  }

  halted(member: SimMember, reason: string, evidence: Evidence | null): void {
    if (evidence !== null) this.#countEvidence(evidence);
    this.#recorder?.tell("halt", member, reason);
    this.#operator.halted(member);
  }

  strayAnswer(member: SimMember, requestId: number): void {
    if (member.honest)
      this.#violate(
        "answers-once",
        () => `node ${member.id} answers request ${requestId}, which it was not asked or has answered already`,
      );
  }

  #countEvidence({ kind }: Evidence): void {
    this.#evidence.set(kind, (this.#evidence.get(kind) ?? 0) + 1);
  }

  // ---- Report

  /** Also valid before the end: then it is marked as interrupted. */
  report(): RunReport {
    const world = this.#world;
    const { counters } = world.network;
    const { delivered, dropped, asBytes } = world.transport.counters;
    const outcome = this.#quiet?.outcome ?? null;
    return {
      scenario: this.#scenario.name,
      seed: this.#options.seed,
      ok: this.#violations.length === 0,
      traceHash: world.loop.hash.hex(),
      nodes: this.schedule.nodes,
      virtualMs: this.#nowMs(),
      events: world.loop.events,
      elections: world.progress.elections,
      commits: world.progress.commitIndex,
      operations: this.#workload.report(),
      messages: {
        sent: counters.sent,
        delivered,
        lost: counters.lost + counters.blocked + dropped,
        duplicated: counters.duplicated,
        asBytes,
      },
      faults: this.#faultCounts(),
      oracles: {
        ...this.#oracles?.checks,
        ...this.#fleet?.checks,
        ...(this.#judge === null ? {} : { [BYZANTINE_VERDICT]: this.#judge.checks }),
      },
      requests: this.#fleet?.requests ?? {},
      refusals: this.#oracles?.refusals ?? {},
      shown: this.#fleet?.shown ?? {},
      verdicts: this.#judge === null ? [] : [this.#judge.report()],
      evidence: Object.fromEntries(this.#evidence),
      marks: Object.fromEntries(this.#marks ?? []),
      violations: this.#violations,
      expectedUntil: this.#expectedUntil(),
      excused: outcome?.kind === "excused" ? outcome.reason : null,
      interrupted: !this.#finished,
    };
  }

  #expectedUntil(): string | null {
    const { expectedToFail } = this.#scenario;
    // The run ends at the event of the first one; what others see in the same event follows from it.
    return expectedToFail !== null && this.#violations[0]?.oracle === expectedToFail.oracle
      ? expectedToFail.until
      : null;
  }

  #faultCounts(): Readonly<Record<string, number>> {
    const { lostWrites, tornWrites } = this.#world.processes.counters;
    const { damagedFrames } = this.#world.transport.counters;
    const byCrash = { "lost-write": lostWrites, "torn-write": tornWrites, "damaged-frame": damagedFrames };
    const counts: [string, number][] = [...this.#injector.counts, ...Object.entries(byCrash)];
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }
}
