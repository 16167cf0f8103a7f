/**
 * Since when members and the links between them have been in order, and which configurations were in force meanwhile.
 * It is known from the simulator's own records of hosts and network, and from the entries of logs; what nodes believe
 * is not asked. Looked at anew when a fault began or ended, a process started or ended, or what ends by itself did.
 */
import type { Configuration, NodeId, RaftOptions } from "../../core/index.ts";
import type { ConditionsView, LinkCondition, MemberView } from "../world/index.ts";
import { isSameConfiguration, type LogConfigurations, type PlacedConfiguration } from "./log-configurations.ts";

/**
 * prompt: whatever arrives arrives soon; it may be cut, and lose messages. fair: also carries, and loses so little
 * that heartbeats and their answers are not missed for an election time-out. clear: also loses next to nothing.
 */
export type LinkGrade = "prompt" | "fair" | "clear";

/** Share of the election time-out in which nearly every message must arrive. */
const NEARLY_ALL_WITHIN = 0.1;
const FAIR_LOSS_MAX = 0.05;
/** How likely all round trips of an election time-out may be lost on a fair link. */
const SILENCE_CHANCE_MAX = 1e-9;
const CLEAR_LOSS_MAX = 0.002;

interface MemberRecord {
  readonly boots: number;
  readonly clockChanges: number;
  sinceMs: number;
}

interface InForce extends PlacedConfiguration {
  /** The last time that it was seen to be in force. */
  lastMs: number;
}

export interface HealthParts {
  readonly members: readonly MemberView[];
  readonly conditions: ConditionsView;
  readonly configurations: LogConfigurations;
  readonly raft: RaftOptions;
}

export class Health {
  readonly #parts: HealthParts;
  readonly #lateMs: number;
  readonly #fairLossMax: number;
  #nextChangeMs = 0;
  readonly #records = new Map<NodeId, MemberRecord>();
  readonly #links: Readonly<Record<LinkGrade, Map<number, number>>> = {
    prompt: new Map(),
    fair: new Map(),
    clear: new Map(),
  };
  #inForce: InForce[] = [];

  constructor(parts: HealthParts) {
    this.#parts = parts;
    const { electionTimeoutMs, heartbeatMs } = parts.raft;
    this.#lateMs = electionTimeoutMs * NEARLY_ALL_WITHIN;
    this.#fairLossMax = fairLossMax(Math.floor(electionTimeoutMs / heartbeatMs));
    // Looks come with the steps of nodes. What breaks and is put back while no node makes any would not be seen.
    parts.conditions.onChange = () => this.#lookAtAll(this.nowMs);
  }

  get nowMs(): number {
    return this.#parts.conditions.nowUs / 1000;
  }

  /** For what ends by itself. Cheap unless something has. */
  refresh(nowMs: number): void {
    if (nowMs >= this.#nextChangeMs) this.#lookAtAll(nowMs);
  }

  /** A process has started or ended. */
  processChanged(): void {
    this.#lookAtAll(this.nowMs);
    this.configurationChanged();
  }

  /** Some member may act by another configuration. */
  configurationChanged(): void {
    const { members, configurations } = this.#parts;
    const committed = configurations.committed;
    if (committed !== null) this.#seen(committed);
    for (const { id, honest, node } of members) {
      if (!honest || node === null || node.halted) continue;
      const latest = configurations.latest(id);
      // An older one decides nothing any more.
      if (latest !== null && latest.index > (committed?.index ?? -1)) this.#seen(latest);
    }
  }

  /** Whether this member's process, clock and disk have worked without a break since then. */
  isSoundSince(id: NodeId, ms: number): boolean {
    return (this.#records.get(id)?.sinceMs ?? Number.POSITIVE_INFINITY) <= ms;
  }

  /** Whether the link from one to the other has been that good since then. */
  isLinkSince(grade: LinkGrade, from: NodeId, to: NodeId, ms: number): boolean {
    return (this.#links[grade].get(keyOf(from, to)) ?? Number.POSITIVE_INFINITY) <= ms;
  }

  /** In force at some time since then, as far as honest processes that run know. */
  configurationsSince(ms: number): readonly Configuration[] {
    this.configurationChanged();
    return this.#inForce.filter(({ lastMs }) => lastMs >= ms).map(({ configuration }) => configuration);
  }

  #seen(placed: PlacedConfiguration): void {
    const { nowMs } = this;
    const known = this.#inForce.find(
      ({ index, configuration }) => index === placed.index && isSameConfiguration(configuration, placed.configuration),
    );
    if (known !== undefined) known.lastMs = nowMs;
    else this.#inForce.push({ ...placed, lastMs: nowMs });
    const oldestMs = nowMs - FORGET_AFTER_TIMEOUTS * this.#parts.raft.electionTimeoutMs;
    if (this.#inForce.length > KEPT_MAX) this.#inForce = this.#inForce.filter(({ lastMs }) => lastMs >= oldestMs);
  }

  #lookAtAll(nowMs: number): void {
    this.#nextChangeMs = Number.POSITIVE_INFINITY;
    const up: MemberView[] = [];
    for (const member of this.#parts.members) {
      if (this.#lookAtMember(member, nowMs)) up.push(member);
    }
    for (const from of up) {
      for (const to of up) if (from !== to) this.#lookAtLink(from, to, nowMs);
    }
  }

  /** Returns whether its process runs. */
  #lookAtMember(member: MemberView, nowMs: number): boolean {
    const { id, honest, node, boots } = member;
    if (!honest || node === null || node.halted) {
      this.#records.delete(id);
      return false;
    }
    const { hamperedUntilUs, clockChanges } = this.#parts.conditions.host(member);
    const hamperedUntilMs = hamperedUntilUs / 1000;
    const isHampered = hamperedUntilMs > nowMs;
    if (isHampered) this.#nextChangeMs = Math.min(this.#nextChangeMs, hamperedUntilMs);
    const before = this.#records.get(id);
    const sinceMs = isHampered ? Number.POSITIVE_INFINITY : nowMs;
    if (before === undefined || before.boots !== boots || before.clockChanges !== clockChanges) {
      this.#records.set(id, { boots, clockChanges, sinceMs });
    } else if (isHampered || before.sinceMs === Number.POSITIVE_INFINITY) {
      before.sinceMs = sinceMs;
    }
    return true;
  }

  #lookAtLink(from: MemberView, to: MemberView, nowMs: number): void {
    const condition = this.#parts.conditions.link(from, to);
    const cloggedUntilMs = condition.cloggedUntilUs / 1000;
    if (cloggedUntilMs > nowMs) this.#nextChangeMs = Math.min(this.#nextChangeMs, cloggedUntilMs);
    const key = keyOf(from.id, to.id);
    const isPrompt = cloggedUntilMs <= nowMs && this.#isPrompt(condition);
    const lost = this.#lossOf(condition);
    const isFair = isPrompt && !condition.isBlocked && lost <= this.#fairLossMax;
    note(this.#links.prompt, key, isPrompt, nowMs);
    note(this.#links.fair, key, isFair, nowMs);
    note(this.#links.clear, key, isFair && lost <= CLEAR_LOSS_MAX, nowMs);
  }

  #isPrompt({ hasLimit, delayMinMs, delayMeanMs, tailChance, tailFactor }: LinkCondition): boolean {
    const nearlyAllMs = nearlyAllWithin(delayMinMs, delayMeanMs);
    const latestMs = tailChance === 0 ? nearlyAllMs : nearlyAllMs * tailFactor;
    return !hasLimit && nearlyAllMs <= this.#lateMs && latestMs <= this.#parts.raft.electionTimeoutMs;
  }

  /** What comes late counts as lost. */
  #lossOf({ lossChance, damageChance, tailChance, tailFactor, delayMinMs, delayMeanMs }: LinkCondition): number {
    const isLate = nearlyAllWithin(delayMinMs, delayMeanMs) * tailFactor > this.#lateMs;
    return lossChance + damageChance + (isLate ? tailChance : 0);
  }
}

/** Configurations that are remembered before old ones are swept out, and for how many election time-outs at least. */
const KEPT_MAX = 32;
const FORGET_AFTER_TIMEOUTS = 60;

/** The greatest loss with which `heartbeats` round trips are as good as never all lost. */
function fairLossMax(heartbeats: number): number {
  for (let loss = FAIR_LOSS_MAX; loss > 0; loss -= FAIR_LOSS_MAX / 50) {
    const roundTripLoss = 1 - (1 - loss) * (1 - loss);
    let silence = 1;
    for (let beat = 0; beat < heartbeats; beat++) silence *= roundTripLoss;
    if (silence <= SILENCE_CHANCE_MAX) return loss;
  }
  return 0;
}

/** 95 of a hundred messages. */
function nearlyAllWithin(delayMinMs: number, delayMeanMs: number): number {
  return delayMinMs + 3 * delayMeanMs;
}

function note(since: Map<number, number>, key: number, holds: boolean, nowMs: number): void {
  if (!holds) since.delete(key);
  else if (!since.has(key)) since.set(key, nowMs);
}

function keyOf(from: NodeId, to: NodeId): number {
  return from * 0x1_0000 + to;
}
