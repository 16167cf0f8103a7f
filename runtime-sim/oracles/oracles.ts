/**
 * Tells the oracles what concerns them. After each step it compares the node with what it was after the step before,
 * and calls only the hooks of what changed: a step that changed nothing costs a dozen comparisons, however many
 * oracles there are.
 */
import type { ClientRequest, CountLimits, Effect, NodeId, RaftOptions } from "../../core/index.ts";
import type { ClientOperation, DoorCall } from "../workload/index.ts";
import type { ConditionsView, MemberView, NodeView, Observer } from "../world/index.ts";
import type { OracleContext, OracleFactory } from "./context.ts";
import { Health } from "./health.ts";
import { type Hooked, having } from "./hooked.ts";
import { CommittedLedger } from "./ledger.ts";
import { LogConfigurations } from "./log-configurations.ts";
import { Looks } from "./looks.ts";
import type { Oracle, Promised, Violate } from "./oracle.ts";
import { Reference } from "./reference.ts";
import { SessionBook } from "./session-book.ts";
import { Watch } from "./watch.ts";

/** The world as far as the oracles need it. */
export interface OraclesParts {
  /** Every member there ever was. The list may grow. */
  readonly members: readonly MemberView[];
  /** What hosts and links are like. */
  readonly conditions: ConditionsView;
  readonly raft: RaftOptions;
  readonly violate: Violate;
  /** Of what the replicated state holds. */
  readonly limits: CountLimits;
}

type With<Hook extends keyof Oracle> = Hooked<Oracle, Hook>;

export class Oracles implements Observer {
  /** In the order in which they are asked. */
  readonly all: readonly Oracle[];
  readonly ledger: CommittedLedger;
  readonly #configurations: LogConfigurations;
  readonly #health: Health;
  readonly #looks = new Looks();
  readonly #members: readonly MemberView[];
  readonly #watches: (Watch | null)[] = [];

  readonly #refusals = new Map<string, number>();
  readonly #onBooted: readonly With<"booted">[];
  readonly #onCrashed: readonly With<"crashed">[];
  readonly #onRequested: readonly With<"requested">[];
  readonly #onHardState: readonly With<"hardState">[];
  readonly #onElected: readonly With<"elected">[];
  readonly #onLogged: readonly With<"logged">[];
  readonly #onConfigured: readonly With<"configured">[];
  readonly #onCommitted: readonly With<"committed">[];
  readonly #onApplied: readonly With<"applied">[];
  readonly #onPromised: readonly With<"promised">[];
  readonly #onFollowed: readonly With<"followed">[];
  readonly #onOrdered: readonly With<"ordered">[];
  readonly #onAnswered: readonly With<"answered">[];
  readonly #onHalted: readonly With<"halted">[];
  readonly #onAccused: readonly With<"accused">[];
  readonly #onInvoked: readonly With<"invoked">[];
  readonly #onCompleted: readonly With<"completed">[];
  readonly #onAdmission: readonly With<"admission">[];
  readonly #onQuiet: readonly With<"quiet">[];
  readonly #onFinished: readonly With<"finished">[];

  constructor(world: OraclesParts, factories: readonly OracleFactory[]) {
    this.#members = world.members;
    const { members, conditions, raft } = world;
    const ledger = new CommittedLedger(conditions);
    this.ledger = ledger;
    this.#configurations = new LogConfigurations(ledger);
    const health = new Health({ members, conditions, raft, configurations: this.#configurations });
    this.#health = health;
    const reference = new Reference(ledger, world.limits);
    reference.onFold((_entry, result) => {
      if (result.ok) return;
      const { kind } = result.refusal;
      this.#refusals.set(kind, (this.#refusals.get(kind) ?? 0) + 1);
    });
    const context: OracleContext = {
      members,
      conditions,
      raft,
      health,
      looks: this.#looks,
      findMember: (id) => this.#hostOf(id),
      violate: world.violate,
      nowMs: () => health.nowMs,
      now: () => ({ event: conditions.events, atMs: conditions.nowUs / 1000 }),
      ledger,
      configurations: this.#configurations,
      // The reference subscribes first: when an oracle hears of an entry, the reference can already apply it.
      reference,
      sessions: new SessionBook(ledger),
    };
    this.all = factories.map((factory) => factory(context));
    this.#onBooted = having(this.all, "booted");
    this.#onCrashed = having(this.all, "crashed");
    this.#onRequested = having(this.all, "requested");
    this.#onHardState = having(this.all, "hardState");
    this.#onElected = having(this.all, "elected");
    this.#onLogged = having(this.all, "logged");
    this.#onConfigured = having(this.all, "configured");
    this.#onCommitted = having(this.all, "committed");
    this.#onApplied = having(this.all, "applied");
    this.#onPromised = having(this.all, "promised");
    this.#onFollowed = having(this.all, "followed");
    this.#onOrdered = having(this.all, "ordered");
    this.#onAnswered = having(this.all, "answered");
    this.#onHalted = having(this.all, "halted");
    this.#onAccused = having(this.all, "accused");
    this.#onInvoked = having(this.all, "invoked");
    this.#onCompleted = having(this.all, "completed");
    this.#onAdmission = having(this.all, "admission");
    this.#onQuiet = having(this.all, "quiet");
    this.#onFinished = having(this.all, "finished");
  }

  /** Of commands that were committed and refused, whoever asked: the kind to how often. Complete at the end. */
  get refusals(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#refusals].sort(([left], [right]) => (left < right ? -1 : 1)));
  }

  /** Name to how often it checked. */
  get checks(): Readonly<Record<string, number>> {
    const checks: Record<string, number> = {};
    for (const oracle of this.all) checks[oracle.name] = oracle.checks;
    return checks;
  }

  booted(member: MemberView): void {
    const node = member.node;
    if (node === null) throw new RangeError(`host ${member.id} is said to be up, but has no node`);
    const watch = new Watch(member);
    watch.take(node);
    // A node that leads right after its boot is seen at its first step.
    watch.role = "follower";
    while (this.#watches.length <= member.id) this.#watches.push(null);
    this.#watches[member.id] = watch;
    if (!member.honest) return;
    this.#configurations.booted(node);
    this.#health.processChanged();
    for (const oracle of this.#onBooted) oracle.booted(watch, node);
  }

  crashed(member: MemberView): void {
    const watch = this.#watches[member.id];
    if (watch === undefined || watch === null) return;
    this.#watches[member.id] = null;
    if (!member.honest) return;
    for (const oracle of this.#onCrashed) oracle.crashed(watch);
    this.#configurations.crashed(member.id);
    this.#health.processChanged();
  }

  requested(member: MemberView, requestId: number, request: ClientRequest): void {
    if (member.honest) for (const oracle of this.#onRequested) oracle.requested(member, requestId, request);
  }

  stepped(member: MemberView, effects: readonly Effect[]): void {
    const watch = this.#watches[member.id];
    const node = member.node;
    if (watch === undefined || watch === null || node === null) {
      throw new RangeError(`host ${member.id} made a step, but is not known to be up`);
    }
    const { nowMs } = this.#health;
    this.#health.refresh(nowMs);
    if (nowMs >= this.#looks.nextMs) this.#looks.take(nowMs);
    const term = node.term;
    const role = node.role;
    if (!member.honest) {
      if (role === "leader" && (watch.role !== "leader" || watch.term !== term)) {
        for (const oracle of this.#onElected) oracle.elected(watch, node);
      }
      watch.role = role;
      watch.term = term;
      return;
    }

    const log = node.log;
    const lastIndex = log.lastIndex;
    const commitIndex = node.commitIndex;
    const appliedIndex = node.appliedIndex;
    if (node.halted) {
      // The step was broken off halfway: only its effects count.
      this.#speech(watch, node, effects);
      return;
    }
    const hardStateChanged = term !== watch.term || role !== watch.role || node.votedFor !== watch.votedFor;
    const logChanged = lastIndex !== watch.lastIndex || log.chainAt(lastIndex) !== watch.lastChain;
    const progressed = commitIndex !== watch.commitIndex || appliedIndex !== watch.appliedIndex;
    if (hardStateChanged) {
      for (const oracle of this.#onHardState) oracle.hardState(watch, node);
      if (role === "leader" && (watch.role !== "leader" || watch.term !== term)) {
        for (const oracle of this.#onElected) oracle.elected(watch, node);
      }
    }
    const configurationChanged = node.configuration !== watch.configuration;
    if (logChanged) {
      this.#configurations.logged(watch, node);
      for (const oracle of this.#onLogged) oracle.logged(watch, node);
    }
    if (configurationChanged) {
      this.#health.configurationChanged();
      for (const oracle of this.#onConfigured) oracle.configured(watch, node);
    }
    if (progressed) this.#progress(watch, node);
    this.#speech(watch, node, effects);
    if (hardStateChanged || logChanged || configurationChanged || progressed) watch.take(node);
  }

  invoked(operation: ClientOperation): void {
    for (const oracle of this.#onInvoked) oracle.invoked(operation);
  }

  completed(operation: ClientOperation): void {
    for (const oracle of this.#onCompleted) oracle.completed(operation);
  }

  admission(call: DoorCall): void {
    for (const oracle of this.#onAdmission) oracle.admission(call);
  }

  quiet(): void {
    for (const oracle of this.#onQuiet) oracle.quiet();
  }

  finished(): void {
    for (const oracle of this.#onFinished) oracle.finished();
  }

  #speech(watch: Watch, node: NodeView, effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "send": {
          const { message } = effect;
          if (
            message.type === "appendResponse" ||
            message.type === "voteResponse" ||
            message.type === "snapshotResponse"
          ) {
            this.#promise(watch, node, message);
          } else if (message.type === "heartbeatResponse") {
            if (message.certified && message.proof === null)
              for (const oracle of this.#onFollowed) oracle.followed(watch, message);
          } else if (message.type === "timeoutNow") {
            for (const oracle of this.#onOrdered) oracle.ordered(watch, node);
          }
          break;
        }
        case "evidence":
          for (const oracle of this.#onAccused) oracle.accused(watch, node, effect.evidence);
          break;
        case "halt":
          this.#health.processChanged();
          for (const oracle of this.#onHalted) oracle.halted(watch, node, effect.reason, effect.evidence);
          break;
        case "answer":
          for (const oracle of this.#onAnswered) oracle.answered(watch, node, effect.requestId, effect.answer);
          break;
        case "write":
        case "wakeAt":
          break;
      }
    }
  }

  #progress(watch: Watch, node: NodeView): void {
    if (node.commitIndex !== watch.commitIndex) {
      this.ledger.feed(node);
      for (const oracle of this.#onCommitted) oracle.committed(watch, node);
    }
    if (node.appliedIndex !== watch.appliedIndex) {
      this.ledger.record(node);
      for (const oracle of this.#onApplied) oracle.applied(watch, node);
    }
  }

  #promise(watch: Watch, node: NodeView, message: Promised): void {
    for (const oracle of this.#onPromised) oracle.promised(watch, node, message);
  }

  #hostOf(id: NodeId): MemberView | null {
    return this.#watches[id]?.member ?? this.#members.find((member) => member.id === id) ?? null;
  }
}
