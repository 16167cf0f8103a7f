/**
 * Judges a run with a liar by what the honest nodes did, against the table of verdicts.
 *
 * Checks, at every message that convicts the liar: the honest node that looks at it shows the evidence in that very
 * step. At all times: nobody honest is evicted; whoever is evicted is not listened to; no honest node stops itself
 * without evidence; the ghost is nowhere a member; terms do not leap. At the end: the outcome is one that the table
 * allows for the act. Does not check: that a lie which nobody can see is harmless: the other oracles do. Harm that the
 * table allows ends the run, and counts as expected; messages that the liar's own damage has made undecodable.
 */
import {
  type AgentEffect,
  type ClientAnswer,
  type Configuration,
  type Effect,
  type Evidence,
  type EvidenceKind,
  encodeMessage,
  type Message,
  type MessageType,
  NOBODY,
  type NodeId,
  type PeerId,
} from "../../core/index.ts";
import { accusedBy } from "../oracles/index.ts";
import type { MemberView, NodeView } from "../world/index.ts";
import type { Shown } from "./lie.ts";
import type { ByzantinePeer, Mark } from "./peer.ts";
import { type ActVerdict, describeOutcomes, type Outcome } from "./verdicts.ts";

/** How one Byzantine act was met. */
export interface VerdictReport {
  readonly act: string;
  /** Times that it was done. */
  readonly count: number;
  readonly expected: string;
  readonly seen: string;
  readonly ok: boolean;
  /** The liar led while it lied. */
  readonly led: boolean;
  /** How often an honest node had to notice, or could not and was harmed. */
  readonly noticed: number;
  /** How often an honest node acted on a lie, or on its silence, as if all were well. */
  readonly believed: number;
}

export const BYZANTINE_VERDICT = "byzantine-verdict";

/** Evidence upon which the core evicts the accused. */
const EVICTS: ReadonlySet<EvidenceKind> = new Set<EvidenceKind>([
  "doubleVote",
  "forgedCertificate",
  "forgedSignature",
  "lyingAcknowledgement",
  "malformedAppend",
  "twoContents",
]);

/** What a node shows of a stranger as well. */
const OF_STRANGERS: ReadonlySet<Shown> = new Set<Shown>(["forgedLineage", "impersonation", "refusal"]);

/** More than one every few milliseconds: no run has that many elections. */
const TERMS_MAX = 1_000_000;

/** What one honest process knows of the liar. */
interface Process {
  readonly shown: Set<EvidenceKind>;
  hasEvicted: boolean;
  configuration: Configuration | null;
  /** After its last step. */
  leaderId: NodeId;
}

/** What changes in a node that acts on a message. */
interface Stand extends Pick<NodeView, "term" | "role" | "leaderId" | "votedFor" | "commitIndex"> {
  readonly lastChain: string | null;
}

/** A lie that an honest node is about to look at, and what the node is before that. */
interface Heard {
  readonly member: MemberView;
  readonly type: MessageType;
  readonly before: Stand;
  readonly believes: Mark["believes"];
}

/** The message that an honest node is about to look at. */
interface Pending {
  readonly member: MemberView;
  readonly message: Message;
  readonly demand: readonly Shown[];
  readonly term: number;
}

export interface JudgeParts {
  readonly verdict: ActVerdict;
  readonly peer: Pick<
    ByzantinePeer,
    | "self"
    | "told"
    | "hasLed"
    | "isSilent"
    | "isWatched"
    | "markOf"
    | "witness"
    | "isFalseStart"
    | "isFalseDirective"
    | "isFalseAnswer"
    | "convincedTimes"
  >;
  readonly members: readonly MemberView[];
  readonly violate: (oracle: string, message: () => string) => void;
}

export class Judge {
  /** How often something was compared. */
  checks = 0;
  readonly #parts: JudgeParts;
  readonly #processes = new WeakMap<NodeView, Process>();
  readonly #evictedBy = new Set<NodeId>();
  readonly #stopped = new Set<NodeId>();
  readonly #kinds = new Set<EvidenceKind>();
  readonly #foundBy = new Set<string>();
  readonly #followedBy = new Set<string>();
  /** A lie met an honest node that had to notice it, or was harmed by it. */
  #struck = 0;
  #believedTimes = 0;
  /** Whom each worker reported to last. */
  readonly #askedBy = new Map<NodeId, NodeId>();
  #heard: Heard | null = null;
  /** The step under way begins with a message. */
  #isMessage = false;
  #pending: Pending | null = null;
  /** The step under way begins with a message of the liar, whom the node has evicted. */
  #deafTo: Message | null = null;

  constructor(parts: JudgeParts) {
    this.#parts = parts;
  }

  /** An honest node is about to look at a message. */
  received(member: MemberView, from: PeerId, message: Message): void {
    const { node } = member;
    const { peer } = this.#parts;
    this.#pending = null;
    this.#deafTo = null;
    this.#heard = null;
    this.#isMessage = true;
    if (node === null || node.halted || !member.honest) return;
    const { runtime, ghost } = peer.self;
    const isLiars = from === runtime.peerId || from === ghost.runtime.peerId;
    const process = this.#processOf(node);
    if (process.hasEvicted && from === runtime.peerId && message.from === peer.self.id) {
      this.#deafTo = message;
      return;
    }
    const known = isLiars && peer.isWatched ? peer.markOf(encodeMessage(message)) : null;
    // What the ghost says may be, byte for byte, what the liar's own core says.
    const mark = known?.asGhost === (from === ghost.runtime.peerId) ? known : null;
    if (mark !== null) this.#heard = { member, type: message.type, before: standOf(node), believes: mark.believes };
    const demand = peer.witness(node, message) ?? mark?.demand?.(node) ?? null;
    if (demand === null || (process.hasEvicted && message.from === peer.self.id)) return;
    // Of one that is no member, or not any more, nothing else is looked at.
    if (from === runtime.peerId && !isMember(node, runtime.peerId) && !demand.some((kind) => OF_STRANGERS.has(kind)))
      return;
    this.#struck += 1;
    if (demand.length > 0) this.#pending = { member, message, demand, term: node.term };
  }

  /** A worker has heard an answer to its report. Nothing tells it a lie from the truth. */
  obeyed(directive: Uint8Array, effects: readonly AgentEffect[]): void {
    if (!this.#parts.peer.isFalseDirective(directive)) return;
    if (effects.some(({ kind }) => kind === "act" || kind === "ended")) this.#believedTimes += 1;
  }

  /** A client acts on an answer. Nothing tells it a lie from the truth. */
  took(answer: ClientAnswer): void {
    if (this.#parts.peer.isFalseAnswer(answer)) this.#believedTimes += 1;
  }

  /** A worker reports. One that has waited for the liar in vain asks another. */
  reported(workerId: NodeId, to: NodeId): void {
    const { peer } = this.#parts;
    const asked = this.#askedBy.get(workerId);
    this.#askedBy.set(workerId, to);
    if (asked === peer.self.id && to !== asked && peer.isSilent) this.#believedTimes += 1;
  }

  /** An honest node has made a step. */
  stepped(member: MemberView, effects: readonly Effect[]): void {
    const { node } = member;
    if (node === null || !member.honest) return;
    for (const effect of effects) {
      if (effect.kind === "evidence") this.#accused(member, node, effect.evidence);
      else if (effect.kind === "halt") this.#halted(member, effect.reason, effect.evidence);
    }
    this.#noteBelief(member, node, effects);
    if (this.#pending !== null) this.#shown(this.#pending, member, node, effects);
    if (this.#deafTo !== null) this.#ignored(this.#deafTo, member, effects);
    this.#pending = null;
    this.#deafTo = null;
    this.#heard = null;
    this.#isMessage = false;
    this.#admitted(member, node);
    if (node.term <= TERMS_MAX) return;
    this.#parts.violate(BYZANTINE_VERDICT, () => `node ${member.id} has been carried to term ${node.term}`);
  }

  #processOf(node: NodeView): Process {
    const known = this.#processes.get(node);
    if (known !== undefined) return known;
    const { leaderId } = node;
    const process: Process = { shown: new Set(), hasEvicted: false, configuration: null, leaderId };
    this.#processes.set(node, process);
    return process;
  }

  /** Whether the node has acted on a lie in this step, or gives up the liar because it is silent. */
  #noteBelief(member: MemberView, node: NodeView, effects: readonly Effect[]): void {
    const process = this.#processOf(node);
    const { leaderId } = node;
    const { peer } = this.#parts;
    const heard = this.#heard;
    if (heard !== null && heard.member === member) {
      const after = standOf(node);
      const acts = heard.believes ?? (isByClock(heard, after) ? isUnmoved : hasChanged);
      if (acts(heard.before, after) || effects.some(({ kind }) => kind === "answer")) this.#believedTimes += 1;
    } else if (!this.#isMessage && process.leaderId === peer.self.id && leaderId !== peer.self.id && peer.isSilent) {
      this.#believedTimes += 1;
    }
    process.leaderId = leaderId;
  }

  #accused(member: MemberView, node: NodeView, evidence: Evidence): void {
    const { peer, members, violate } = this.#parts;
    const { kind } = evidence;
    const process = this.#processOf(node);
    process.shown.add(kind);
    this.#kinds.add(kind);
    if (!EVICTS.has(kind)) return;
    const accused = accusedBy(evidence);
    if (accused === peer.self.id) {
      // Two contents of a term that the sender leads: only the sender can have made them.
      if (evidence.kind === "twoContents" && evidence.term !== node.term) return;
      process.hasEvicted = true;
      this.#evictedBy.add(member.id);
    } else if (kind !== "twoContents" && members.some(({ id, honest }) => id === accused && honest)) {
      violate(BYZANTINE_VERDICT, () => `node ${member.id} evicts honest node ${accused}: ${JSON.stringify(evidence)}`);
    }
  }

  #halted(member: MemberView, reason: string, evidence: Evidence | null): void {
    if (evidence !== null) {
      this.#kinds.add(evidence.kind);
      this.#stopped.add(member.id);
    } else if (member.disk.faults === 0) {
      this.#parts.violate(BYZANTINE_VERDICT, () => `node ${member.id} stopped itself without evidence: ${reason}`);
    }
  }

  #shown(
    { member, message, demand, term }: Pending,
    stepped: MemberView,
    node: NodeView,
    effects: readonly Effect[],
  ): void {
    if (stepped !== member) return;
    this.checks += 1;
    const { shown } = this.#processOf(node);
    const halt = effects.find((effect) => effect.kind === "halt");
    if (halt?.evidence != null && demand.includes(halt.evidence.kind)) return;
    if (demand.some((kind) => (kind === "refusal" ? isRefusal(effects, node.term === term) : shown.has(kind)))) return;
    this.#parts.violate(
      BYZANTINE_VERDICT,
      () => `node ${member.id} looked at ${described(message)} and did not show ${demand.join(" or ")}`,
    );
  }

  #ignored(message: Message, member: MemberView, effects: readonly Effect[]): void {
    this.checks += 1;
    for (const effect of effects) {
      if (effect.kind !== "send" || effect.message.to !== message.from) continue;
      switch (effect.message.type) {
        case "voteResponse":
        case "appendResponse":
        case "heartbeatResponse":
        case "snapshotResponse": {
          const { type } = effect.message;
          this.#parts.violate(
            BYZANTINE_VERDICT,
            () =>
              `node ${member.id} has evicted node ${message.from} and yet answers ${described(message)} with ${type}`,
          );
          return;
        }
        default:
      }
    }
  }

  #admitted(member: MemberView, node: NodeView): void {
    const process = this.#processOf(node);
    const { configuration } = node;
    if (process.configuration === configuration) return;
    process.configuration = configuration;
    this.checks += 1;
    const { peer } = this.#parts;
    const { ghost } = peer.self;
    if (peer.isFalseStart(configuration)) {
      // It cannot know better, and is cut off from the cluster.
      this.#struck += 1;
      this.#believedTimes += 1;
    }
    if (!configuration.members.some(({ id, peerId }) => id === ghost.id || peerId === ghost.runtime.peerId)) return;
    this.#parts.violate(BYZANTINE_VERDICT, () => `node ${member.id} takes the ghost for a member`);
  }

  /**
   * Whether a violation is harm that the act is expected to do, found by an oracle that is expected to find it; or is
   * expected to follow from such harm. Remembers it if so.
   */
  finds(oracle: string): boolean {
    const { verdict, peer } = this.#parts;
    if (peer.told === 0) return false;
    if (verdict.oracles.includes(oracle)) this.#foundBy.add(oracle);
    else if (this.#foundBy.size > 0 && verdict.aftermath.includes(oracle)) this.#followedBy.add(oracle);
    else return false;
    return true;
  }

  get #believed(): number {
    return this.#believedTimes + this.#parts.peer.convincedTimes;
  }

  get outcome(): Outcome {
    if (this.#foundBy.size > 0) return "found";
    if (this.#stopped.size > 0) return "failStop";
    if (this.#evictedBy.size > 0) return "evicted";
    return this.#believed > 0 ? "believed" : "inert";
  }

  get #isAllowed(): boolean {
    const { outcome } = this;
    return this.#parts.verdict.outcomes.includes(outcome) || (outcome === "inert" && this.#struck === 0);
  }

  /** The end of the run. */
  finished(): void {
    this.checks += 1;
    if (this.#isAllowed) return;
    const { verdict, peer } = this.#parts;
    this.#parts.violate(
      BYZANTINE_VERDICT,
      () =>
        `${verdict.act}, done ${peer.told} times, ${this.#struck} of them where it had to show, ended as ` +
        `${this.#seen()}; expected: ${verdict.expected}`,
    );
  }

  report(): VerdictReport {
    const { verdict, peer } = this.#parts;
    const { act, expected } = verdict;
    const [noticed, believed] = [this.#struck, this.#believed];
    const seen = this.#seen();
    return { act, count: peer.told, expected, seen, ok: this.#isAllowed, led: peer.hasLed, noticed, believed };
  }

  #seen(): string {
    const { outcome } = this;
    const kinds = [...this.#kinds].sort();
    switch (outcome) {
      case "found":
        return `found by ${[...this.#foundBy, ...this.#followedBy].join(", ")}`;
      case "failStop":
        return `${describeOutcomes([outcome])} by ${listed(this.#stopped)} (${kinds.join(", ")})`;
      case "evicted":
        return `evicted by ${listed(this.#evictedBy)} (${kinds.join(", ")})`;
      case "believed":
        return kinds.length === 0 ? "believed" : `believed (${kinds.join(", ")})`;
      case "inert":
        return kinds.length === 0 ? "inert" : `inert (${kinds.join(", ")})`;
    }
  }
}

function isMember({ configuration }: NodeView, peerId: PeerId): boolean {
  return configuration.members.some((member) => member.peerId === peerId);
}

function standOf({ term, role, leaderId, votedFor, commitIndex, log }: NodeView): Stand {
  return { term, role, leaderId, votedFor, commitIndex, lastChain: log.chainAt(log.lastIndex) };
}

function hasChanged(before: Stand, after: Stand): boolean {
  return (
    before.term !== after.term ||
    before.role !== after.role ||
    before.leaderId !== after.leaderId ||
    before.votedFor !== after.votedFor ||
    before.commitIndex !== after.commitIndex ||
    before.lastChain !== after.lastChain
  );
}

/** In the step its own deadline has come too: it gives up a leader, or campaigns, whatever the message says. */
function isByClock({ type, before }: Heard, after: Stand): boolean {
  return type !== "timeoutNow" && after.term === before.term && after.leaderId === NOBODY && after.role !== "candidate";
}

function isUnmoved(): boolean {
  return false;
}

function isRefusal(effects: readonly Effect[], isSameTerm: boolean): boolean {
  const isGrant = (effect: Effect): boolean =>
    effect.kind === "answer" ||
    (effect.kind === "send" && effect.message.type === "voteResponse" && effect.message.granted);
  return isSameTerm && !effects.some(isGrant);
}

function listed(ids: ReadonlySet<NodeId>): string {
  const sorted = [...ids].sort((a, b) => a - b);
  return `node${sorted.length === 1 ? "" : "s"} ${sorted.join(", ")}`;
}

function described({ type, from, to, term }: Message): string {
  return `the ${type} from ${from} to ${to} in term ${term}`;
}
