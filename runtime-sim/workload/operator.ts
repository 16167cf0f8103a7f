/**
 * The operator of the members. It puts new members, with new identities, on hosts that lost their disk; changes the
 * membership and transfers the leadership where the scenario says so; restarts processes that have stopped themselves
 * without evidence, as a supervisor would. One membership job at a time.
 */
import { type ClientAnswer, type Configuration, type NodeId, POOL_STRATEGIES } from "../../core/index.ts";
import type { FaultAtlas } from "../faults/index.ts";
import { drawRange, type Stream } from "../random/index.ts";
import type { Caller, SimMember, World } from "../world/index.ts";
import type { MembershipJob } from "./membership-job.ts";
import { MembershipPlanner } from "./membership-planner.ts";
import type { OperatorShape } from "./shape.ts";

/** Between two looks at a job that is not done. */
const LOOK_AGAIN_US = 300_000;
/** A change that does not get through in this time is given up, unless it replaces a lost member. */
const JOB_PATIENCE_US = 20_000_000;
/** An answer that does not come by then never comes. */
const ANSWER_PATIENCE_US = 6_000_000;
const SUPERVISOR_DELAY_US = [500_000, 4_000_000] as const;
/** How long damage that a start has found waits for the operator. */
const REPLACE_DELAY_US = [1_000_000, 8_000_000] as const;

/** What the operator tells whoever prints it. */
export type OperatorListener = (text: string) => void;

const NOBODY_CARES: Caller = { answered() {} };

export class Operator implements Caller {
  readonly #world: World;
  readonly #atlas: FaultAtlas;
  readonly #rng: Stream;
  readonly #tell: OperatorListener;
  readonly #replacements: SimMember[] = [];
  readonly #planner: MembershipPlanner;
  #job: MembershipJob | null = null;
  #attempt = 0;
  #askedUs = -Infinity;
  #working = false;
  #stopped = false;

  constructor(world: World, atlas: FaultAtlas, shape: OperatorShape, tell: OperatorListener) {
    this.#world = world;
    this.#atlas = atlas;
    this.#rng = world.streams.stream("operator");
    this.#tell = tell;
    this.#planner = new MembershipPlanner({ world, atlas, shape, rng: this.#rng, replacements: this.#replacements });
    const { membershipEveryMs, transferEveryMs, settingsEveryMs } = shape;
    if (membershipEveryMs !== null) {
      this.#regularly(drawRange(membershipEveryMs, this.#rng, false), () => this.#change());
    }
    if (transferEveryMs !== null) {
      this.#regularly(drawRange(transferEveryMs, this.#rng, false), () => this.#transfer());
    }
    if (settingsEveryMs !== undefined) {
      this.#regularly(drawRange(settingsEveryMs, this.#rng, false), () => this.#changeSettings());
    }
  }

  /** Starts nothing any more. What it has asked for may still happen. */
  stop(): void {
    this.#stopped = true;
    this.#job = null;
  }

  #regularly(everyMs: number, action: () => void): void {
    this.#world.loop.after(this.#rng.exponential(everyMs * 1000), () => {
      if (this.#stopped) return;
      action();
      this.#regularly(everyMs, action);
    });
  }

  // ---- For the fault atlas

  /** Every set of voters that decides, or may come to. */
  votersInPlay(): readonly (readonly NodeId[])[] {
    const sets: (readonly NodeId[])[] = [];
    const seen = new Set<Configuration>();
    for (const member of this.#world.members.all) {
      const { configuration, node, state } = member;
      // A member that has left, or is lost, decides nothing any more.
      if (configuration === null || state === "gone" || node?.removed === true || seen.has(configuration)) continue;
      seen.add(configuration);
      sets.push(...votersOf(configuration));
    }
    if (this.#job !== null) sets.push(this.#job.voters);
    return sets;
  }

  /**
   * Tells the atlas of members that hold all that is committed again: new ones that have caught up, and those whose
   * damaged records were overwritten.
   */
  markRecovered(): void {
    for (const member of this.#world.members.all) {
      const { node, storage, id } = member;
      if (!this.#atlas.isDamaged(id) || node === null || node.halted || storage.damaged || !member.honest) continue;
      if (storage.durableLastIndex >= this.#world.progress.commitIndex && node.configuration.voters.includes(id)) {
        this.#atlas.markSound(id);
      }
    }
  }

  // ---- Supervision

  /** A process has stopped itself. */
  halted(member: SimMember): void {
    if (member.failStopped) return;
    const boots = member.boots;
    this.#world.loop.after(this.#rng.integer(...SUPERVISOR_DELAY_US), () => {
      if (this.#stopped || member.boots !== boots || !this.#world.processes.crash(member)) return;
      this.#world.processes.boot(member);
    });
  }

  /** A start has found the disk damaged. */
  foundDamaged(member: SimMember): void {
    const absentUs = this.#rng.integer(...REPLACE_DELAY_US);
    this.#world.processes.retire(member);
    this.replaceLater(member, absentUs);
  }

  /** Brings a host whose member is lost back into the cluster, `absentUs` from now at the earliest. */
  replaceLater(lost: SimMember, absentUs: number): void {
    this.#world.loop.after(absentUs, () => {
      if (this.#stopped) return;
      this.#replacements.push(lost);
      this.#work();
    });
  }

  /** Has a member whose disk was emptied join again as who it was, `absentUs` from now at the earliest. */
  rejoinLater(member: SimMember, absentUs: number): void {
    this.#world.loop.after(absentUs, () => {
      if (this.#stopped || !member.diskEmptied || member.state !== "down") return;
      const leader = this.#world.members.leader()?.node ?? null;
      const start = leader?.startOf(member.id) ?? { refused: "notNow" };
      if ("restored" in start) {
        this.#tell(`node ${member.id} joins again`);
        this.#world.processes.startAnew(member, start.restored);
        return;
      }
      const isGone = leader !== null && !leader.configuration.members.some(({ id }) => id === member.id);
      if (start.refused === "notNow" && !isGone) {
        this.rejoinLater(member, LOOK_AGAIN_US);
        return;
      }
      this.#tell(`node ${member.id} may not join again: it has run before`);
      this.#world.processes.retire(member);
      this.replaceLater(member, 0);
    });
  }

  // ---- Jobs

  #work(): void {
    if (this.#working || this.#stopped) return;
    this.#job ??= this.#nextReplacement();
    if (this.#job === null) return;
    this.#working = true;
    this.#look();
  }

  /** Goes on with the job until it is done or given up. */
  #look(): void {
    const job = this.#job;
    if (this.#stopped || job === null) {
      this.#working = false;
      return;
    }
    const { nowUs } = this.#world.loop;
    const leader = this.#world.members.leader();
    const node = leader?.node ?? null;
    if (leader !== null && node !== null) {
      const { configuration, configurationIndex } = node;
      const isFinal = configuration.outgoing.length === 0 && configurationIndex <= node.commitIndex;
      if (isFinal && job.isDone(configuration)) {
        this.#tell(`${job.text}: done`);
        this.#endJob();
        job.finish(node);
        this.#work();
        return;
      }
      if (isFinal && nowUs - this.#askedUs > ANSWER_PATIENCE_US) this.#ask(job, leader, configuration);
    }
    if (!job.isUrgent && nowUs - job.sinceUs > JOB_PATIENCE_US) {
      this.#tell(`${job.text}: given up`);
      this.#endJob();
      this.#work();
      return;
    }
    this.#world.loop.after(LOOK_AGAIN_US, () => this.#look());
  }

  #endJob(): void {
    this.#job = null;
    this.#working = false;
    this.#askedUs = -Infinity;
  }

  #ask(job: MembershipJob, leader: SimMember, configuration: Configuration): void {
    // Part of it may have happened already, or be about a member that is gone.
    const changes = job.changes.filter(
      (change) => change.kind !== "remove" || configuration.members.some((member) => member.id === change.id),
    );
    if (changes.length === 0) return;
    this.#attempt += 1;
    this.#askedUs = this.#world.loop.nowUs;
    this.#world.gateway.request(leader.host, { kind: "changeMembership", changes }, this, this.#attempt);
  }

  answered(attempt: number, answer: ClientAnswer | null): void {
    if (attempt !== this.#attempt) return;
    // Refused or broken off: the next look asks again. Done: the next look sees it.
    this.#askedUs = -Infinity;
    if (
      answer !== null &&
      answer.kind === "refused" &&
      answer.refusal.kind === "membershipRefused" &&
      this.#job !== null
    ) {
      this.#tell(`${this.#job.text}: refused, ${answer.refusal.reason}`);
    }
  }

  #nextReplacement(): MembershipJob | null {
    const lost = this.#replacements.shift();
    if (lost === undefined) return null;
    // Another member may have been put there meanwhile.
    if (lost.host.member !== null) return this.#nextReplacement();
    return this.#planner.newcomer(lost.host, lost.id, true, true);
  }

  // ---- What the scenario has it do

  /** Begins one membership change, if there is a sensible one and none is under way. */
  #change(): void {
    if (this.#job !== null || this.#replacements.length > 0) return;
    const configuration = this.#world.members.configuration();
    if (configuration === null || configuration.outgoing.length > 0) return;
    this.markRecovered();
    const job = this.#planner.draw(configuration);
    if (job === null) return;
    this.#job = job;
    this.#tell(job.text);
    this.#work();
  }

  #changeSettings(): void {
    const leader = this.#world.members.leader();
    if (leader === null) return;
    const command = { kind: "setPoolStrategy", strategy: this.#rng.pick(POOL_STRATEGIES) } as const;
    this.#world.gateway.request(leader.host, { kind: "propose", request: { session: null, command } }, NOBODY_CARES, 0);
  }

  #transfer(): void {
    const leader = this.#world.members.leader();
    const voters = leader?.node?.configuration.voters ?? [];
    if (leader === null || voters.length < 2) return;
    const to = this.#rng.pick(voters.filter((id) => id !== leader.id));
    this.#tell(`transfer leadership to node ${to}`);
    this.#world.gateway.request(leader.host, { kind: "transferLeadership", to }, NOBODY_CARES, 0);
  }
}

/** Both halves of a configuration as voters, with its learners: they may be promoted at any time. */
function votersOf(configuration: Configuration): readonly (readonly NodeId[])[] {
  const { voters, outgoing, learners } = configuration;
  const halves = [voters];
  if (outgoing.length > 0) halves.push(outgoing);
  if (learners.length > 0) halves.push([...voters, ...learners]);
  return halves;
}
