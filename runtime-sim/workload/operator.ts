/**
 * The operator: brings hosts back that lost their disk, as new members under new identities; changes the membership and moves the leadership where
 * the scenario says so; restarts processes that have stopped themselves without evidence, as a supervisor would. One membership job at a time.
 */
import {
  type ClientAnswer,
  type Configuration,
  type ConfigurationChange,
  Node,
  type NodeId,
} from "../../core/index.ts";
import type { FaultAtlas } from "../faults/index.ts";
import { drawRange, type Stream } from "../random/index.ts";
import type { Caller, SimHost, SimMember, World } from "../world/index.ts";
import type { OperatorShape } from "./shape.ts";

/** Between two looks at a job that is not done. */
const LOOK_AGAIN_US = 300_000;
/** A change that does not get through in this time is given up, unless it replaces a lost member. */
const JOB_PATIENCE_US = 20_000_000;
/** An answer that does not come by then never comes. */
const ANSWER_PATIENCE_US = 6_000_000;
/** How long a removed process is left running at most: one that does not know it yet is a danger worth having. */
const REMOVED_RUNS_MAX_US = 20_000_000;
const SUPERVISOR_DELAY_US = [500_000, 4_000_000] as const;
/** How long damage that a start has found waits for the operator. */
const REPLACE_DELAY_US = [1_000_000, 8_000_000] as const;

interface Job {
  readonly text: string;
  readonly changes: readonly ConfigurationChange[];
  /** The voters that it aims at, for the fault atlas. */
  readonly voters: readonly NodeId[];
  /** Whether it is done, by this final configuration. */
  isDone(configuration: Configuration): boolean;
  /** `leader`: one that knows it to be done. */
  finish(leader: Node): void;
  readonly isUrgent: boolean;
  readonly sinceUs: number;
}

/** What the operator tells whoever prints it. */
export type OperatorListener = (text: string) => void;

const NOBODY_CARES: Caller = { answered() {} };

export class Operator implements Caller {
  readonly #world: World;
  readonly #atlas: FaultAtlas;
  readonly #shape: OperatorShape;
  readonly #rng: Stream;
  readonly #tell: OperatorListener;
  readonly #replacements: SimMember[] = [];
  #job: Job | null = null;
  #attempt = 0;
  #askedUs = -Infinity;
  #working = false;
  #stopped = false;

  constructor(world: World, atlas: FaultAtlas, shape: OperatorShape, tell: OperatorListener) {
    this.#world = world;
    this.#atlas = atlas;
    this.#shape = shape;
    this.#rng = world.streams.stream("operator");
    this.#tell = tell;
    const { membershipEveryMs, transferEveryMs } = shape;
    if (membershipEveryMs !== null) {
      this.#regularly(drawRange(membershipEveryMs, this.#rng, false), () => this.#change());
    }
    if (transferEveryMs !== null) {
      this.#regularly(drawRange(transferEveryMs, this.#rng, false), () => this.#transfer());
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
      // Who has left, or is lost, decides nothing any more.
      if (configuration === null || state === "gone" || node?.removed === true || seen.has(configuration)) continue;
      seen.add(configuration);
      sets.push(...votersOf(configuration));
    }
    if (this.#job !== null) sets.push(this.#job.voters);
    return sets;
  }

  /** Hosts that have all that is committed are worth something again: newcomers that caught up, and disks whose damage was overwritten. */
  reckonWhole(): void {
    for (const member of this.#world.members.all) {
      const { node, storage, id } = member;
      if (!this.#atlas.isDamaged(id) || node === null || node.halted || storage.damaged || !member.honest) continue;
      if (storage.durableLastIndex >= this.#world.progress.commitIndex && node.configuration.voters.includes(id)) {
        this.#atlas.markWhole(id);
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

  #ask(job: Job, leader: SimMember, configuration: Configuration): void {
    // Part of it may have happened, or no longer concern anybody.
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
    // Refused or broken off: asks anew at the next look. Done: the next look sees it.
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

  #nextReplacement(): Job | null {
    const lost = this.#replacements.shift();
    if (lost === undefined) return null;
    // Somebody else may have been put there meanwhile.
    if (lost.host.member !== null) return this.#nextReplacement();
    return this.#newcomer(lost.host, lost.id, true, true);
  }

  /** Puts a new member on a host; the member that lived there before leaves in the same step. */
  #newcomer(host: SimHost, formerId: NodeId | null, promote: boolean, isUrgent: boolean): Job {
    const world = this.#world;
    const id = world.members.takeId();
    const identity = world.members.issueIdentity(host);
    const changes: ConfigurationChange[] = [{ kind: "addLearner", id, peerId: identity.peerId, promote }];
    if (formerId !== null) changes.unshift({ kind: "remove", id: formerId });
    // Until it has caught up its copy is worth nothing.
    this.#atlas.markDamaged(id);
    const voters = world.members.configuration()?.voters ?? [];
    return {
      text: formerId === null ? `add node ${id}` : `replace node ${formerId} by node ${id}`,
      changes,
      voters: [...voters.filter((voter) => voter !== formerId), id],
      isDone: ({ members }) =>
        members.some((member) => member.id === id) && !members.some((member) => member.id === formerId),
      finish: ({ configuration, configurationIndex, lineage }) => {
        if (host.member !== null) return;
        const { clusterId, incarnation } = world.members;
        const restored = Node.joining(clusterId, incarnation, configuration, configurationIndex, lineage);
        world.processes.boot(world.members.moveIn(host, id, identity, restored));
      },
      isUrgent,
      sinceUs: world.loop.nowUs,
    };
  }

  // ---- What the scenario has it do

  /** Begins one membership change, if there is a sensible one and none is under way. */
  #change(): void {
    if (this.#job !== null || this.#replacements.length > 0) return;
    const configuration = this.#world.members.configuration();
    if (configuration === null || configuration.outgoing.length > 0) return;
    this.reckonWhole();
    const jobs = [
      () => this.#add(configuration),
      () => this.#remove(configuration),
      () => this.#demote(configuration),
      () => this.#promote(configuration),
      () => this.#swap(configuration),
    ];
    for (const draw of this.#rng.shuffle(jobs)) {
      const job = draw();
      if (job === null) continue;
      this.#job = job;
      this.#tell(job.text);
      this.#work();
      return;
    }
  }

  /** Whether a set of voters keeps more sound copies than not, and is of a size that the scenario allows. */
  #isSensible(voters: readonly NodeId[]): boolean {
    const [fewest, most] = this.#shape.voters;
    if (voters.length < fewest || voters.length > most) return false;
    const worthless = voters.filter(
      (id) => this.#atlas.isDamaged(id) || this.#world.members.withId(id)?.state === "gone",
    );
    return 2 * worthless.length < voters.length;
  }

  #freeHost(): SimHost | null {
    const lost = new Set(this.#replacements.map(({ host }) => host));
    const free = this.#world.members.hosts.filter(
      (host) => host.member === null && !lost.has(host) && this.#isVacant(host),
    );
    return free.length === 0 ? null : this.#rng.pick(free);
  }

  /** Nobody who once lived there is a member any more. */
  #isVacant(host: SimHost): boolean {
    const members = this.#world.members.configuration()?.members ?? [];
    return !this.#world.members.all.some(
      (member) => member.host === host && members.some(({ id }) => id === member.id),
    );
  }

  #add(configuration: Configuration): Job | null {
    if (configuration.voters.length + configuration.learners.length >= this.#shape.voters[1]) return null;
    const host = this.#freeHost();
    return host === null ? null : this.#newcomer(host, null, this.#rng.chance(0.85), false);
  }

  #remove(configuration: Configuration): Job | null {
    const member = this.#someone(configuration.members.map(({ id }) => id));
    if (member === null) return null;
    const voters = configuration.voters.filter((id) => id !== member.id);
    if (!this.#isSensible(voters)) return null;
    return this.#plain(`remove node ${member.id}`, [{ kind: "remove", id: member.id }], voters, () =>
      this.#retire(member),
    );
  }

  #demote(configuration: Configuration): Job | null {
    const member = this.#someone(configuration.voters);
    if (member === null) return null;
    const voters = configuration.voters.filter((id) => id !== member.id);
    if (!this.#isSensible(voters)) return null;
    return this.#plain(`demote node ${member.id}`, [{ kind: "demote", id: member.id }], voters, () => {});
  }

  #promote(configuration: Configuration): Job | null {
    const member = this.#someone(configuration.learners);
    if (member === null) return null;
    const voters = [...configuration.voters, member.id];
    if (!this.#isSensible(voters)) return null;
    return this.#plain(`promote node ${member.id}`, [{ kind: "promote", id: member.id }], voters, () => {});
  }

  /** One member leaves and another comes, in one step. */
  #swap(configuration: Configuration): Job | null {
    const host = this.#freeHost();
    const member = this.#someone(configuration.voters);
    if (host === null || member === null || !this.#isSensible(configuration.voters.filter((id) => id !== member.id)))
      return null;
    const job = this.#newcomer(host, null, true, false);
    return {
      ...job,
      text: `${job.text}, remove node ${member.id}`,
      changes: [...job.changes, { kind: "remove", id: member.id }],
      voters: job.voters.filter((id) => id !== member.id),
      isDone: (now) => job.isDone(now) && !now.members.some(({ id }) => id === member.id),
      finish: (leader) => {
        job.finish(leader);
        this.#retire(member);
      },
    };
  }

  #plain(text: string, changes: readonly ConfigurationChange[], voters: readonly NodeId[], after: () => void): Job {
    const isDone = (now: Configuration): boolean => changes.every((change) => isReached(change, now));
    return { text, changes, voters, isDone, finish: after, isUrgent: false, sinceUs: this.#world.loop.nowUs };
  }

  /** A removed process runs on for a while before somebody turns it off. */
  #retire(member: SimMember): void {
    this.#world.loop.after(this.#rng.integer(0, REMOVED_RUNS_MAX_US), () => {
      if (member.state !== "gone") this.#world.processes.retire(member);
    });
  }

  #someone(ids: readonly NodeId[]): SimMember | null {
    const members = ids.map((id) => this.#world.members.withId(id)).filter((member) => member !== null);
    return members.length === 0 ? null : this.#rng.pick(members);
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

/** Whether a configuration is as the change would have it. */
function isReached({ kind, id }: ConfigurationChange, { members, voters, learners }: Configuration): boolean {
  switch (kind) {
    case "remove":
      return !members.some((member) => member.id === id);
    case "promote":
      return voters.includes(id);
    case "demote":
      return learners.includes(id);
    case "addLearner":
      return members.some((member) => member.id === id);
  }
}
