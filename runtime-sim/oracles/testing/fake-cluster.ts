/** Hand-made members for tests of the oracles: every field can be set to anything, also to what no node would do. */

import {
  type ClusterState,
  type Configuration,
  DEFAULT_COUNT_LIMITS,
  DEFAULT_RAFT_OPTIONS,
  type Digest,
  type Effect,
  type Entry,
  emptyState,
  encodeConfigurationRecord,
  LEVEL,
  type NodeId,
} from "../../../core/index.ts";
import type {
  AppliedEntry,
  ClockView,
  ConditionsView,
  DurableView,
  HostCondition,
  LinkCondition,
  LogView,
  MemberView,
  NodeView,
} from "../../world/index.ts";
import type { OracleFactory } from "../context.ts";
import type { Oracle } from "../oracle.ts";
import { Oracles } from "../oracles.ts";

/** Entries of a history: the chain names every term on the way, so that equal chains mean equal histories. */
export function entries(from: number, terms: readonly number[], before: Digest = "genesis"): Entry[] {
  let chain = before;
  return terms.map((term, at) => {
    chain = `${chain}/${term}`;
    return { index: from + at, term, kind: "noop", data: new Uint8Array(0), chain };
  });
}

export class FakeLog implements LogView {
  baseIndex = 0;
  baseTerm = 0;
  baseChain: Digest = "genesis";
  entries: Entry[] = [];

  get firstIndex(): number {
    return this.baseIndex + 1;
  }
  get lastIndex(): number {
    return this.baseIndex + this.entries.length;
  }
  get stableIndex(): number {
    return this.lastIndex;
  }
  entryAt(index: number): Entry | null {
    return this.entries[index - this.baseIndex - 1] ?? null;
  }
  termAt(index: number): number | null {
    return index === this.baseIndex ? this.baseTerm : (this.entryAt(index)?.term ?? null);
  }
  chainAt(index: number): Digest | null {
    return index === this.baseIndex ? this.baseChain : (this.entryAt(index)?.chain ?? null);
  }

  /** Appends one entry for each term. */
  append(...terms: number[]): void {
    this.entries.push(...entries(this.lastIndex + 1, terms, this.chainAt(this.lastIndex) ?? "genesis"));
  }

  /** Appends the entry of a configuration. */
  appendConfiguration(term: number, configuration: Configuration): void {
    this.append(term);
    const last = this.entries.pop();
    if (last === undefined) throw new RangeError("an empty log");
    const data = encodeConfigurationRecord({ configuration, link: null });
    const { voters, outgoing } = configuration;
    const chain = `${last.chain}(${voters.join(",")};${outgoing.join(",")})`;
    this.entries.push({ ...last, kind: "configuration", data, chain });
  }

  truncateAfter(index: number): void {
    this.entries.length = index - this.baseIndex;
  }

  /** Forgets the entries up to `index`. */
  compactTo(index: number): void {
    const term = this.termAt(index);
    const chain = this.chainAt(index);
    if (term === null || chain === null) throw new RangeError(`nothing at ${index}`);
    this.entries.splice(0, index - this.baseIndex);
    this.baseIndex = index;
    this.baseTerm = term;
    this.baseChain = chain;
  }
}

export class FakeDisk implements DurableView {
  readonly log = new FakeLog();
  durableTerm = 0;
  durableVote: NodeId = 0;
  faults = 0;
  startsAnew = 0;

  get durableLastIndex(): number {
    return this.log.lastIndex;
  }
  durableTermAt(index: number): number | null {
    return this.log.termAt(index);
  }
  durableChainAt(index: number): Digest | null {
    return this.log.chainAt(index);
  }
}

export class FakeClock implements ClockView {
  errorMs = 0;

  wallErrorMaxMs(): number {
    return this.errorMs;
  }
  paceErrorMaxMs(): number {
    return 0;
  }
  monotonicMs(nowUs: number): number {
    return nowUs / 1000;
  }
}

export class FakeNode implements NodeView {
  readonly id: NodeId;
  halted = false;
  term = 0;
  votedFor: NodeId = 0;
  role: NodeView["role"] = "follower";
  leaderId: NodeId = 0;
  commitIndex = 0;
  appliedIndex = 0;
  removed = false;
  state: ClusterState = emptyState();
  configuration: Configuration;
  configurationIndex = 0;
  readonly log = new FakeLog();
  lastApplied: readonly AppliedEntry[] = [];
  /** Member to when the latest round that it answered left. */
  readonly answeredMs = new Map<NodeId, number>();

  constructor(id: NodeId, configuration: Configuration) {
    this.id = id;
    this.configuration = configuration;
  }

  memberStatus(): { readonly id: NodeId; readonly answeredMs: number | null }[] {
    return this.configuration.voters.map((id) => ({ id, answeredMs: this.answeredMs.get(id) ?? null }));
  }
}

export class FakeMember implements MemberView {
  readonly id: NodeId;
  readonly honest: boolean;
  boots = 1;
  node: FakeNode | null;
  readonly disk = new FakeDisk();
  /** Requests that it has not answered. */
  readonly open = new Set<number>();
  readonly clock = new FakeClock();
  level = LEVEL;

  constructor(id: NodeId, honest: boolean, configuration: Configuration) {
    this.id = id;
    this.honest = honest;
    this.node = new FakeNode(id, configuration);
  }

  get hostIndex(): number {
    return this.id - 1;
  }

  awaits(requestId: number): boolean {
    return this.open.has(requestId);
  }

  /** The node of a host that is up. */
  get up(): FakeNode {
    if (this.node === null) throw new RangeError(`host ${this.id} is down`);
    return this.node;
  }
}

export function configurationOf(voters: readonly NodeId[], outgoing: readonly NodeId[] = []): Configuration {
  const ids = [...new Set([...voters, ...outgoing])].sort((a, b) => a - b);
  const members = ids.map((id) => ({ id, peerId: `peer-${id}`, promote: false }));
  return { voters, outgoing, learners: [], members, retired: [] };
}

/** Hosts and links in order, until somebody changes what one of them is like. */
export class FakeConditions implements ConditionsView {
  onChange: (() => void) | null = null;
  nowUs = 0;
  events = 0;
  readonly #hosts = new Map<NodeId, Partial<HostCondition>>();
  readonly #links = new Map<string, Partial<LinkCondition>>();

  host({ id }: MemberView): HostCondition {
    const ordinary = {
      hamperedUntilUs: 0,
      clockChanges: 0,
      clockMs: this.nowUs / 1000,
      keepsInputsWaiting: false,
    };
    return { ...ordinary, ...this.#hosts.get(id) };
  }

  link(from: MemberView, to: MemberView): LinkCondition {
    const ordinary = {
      isBlocked: false,
      cloggedUntilUs: 0,
      hasLimit: false,
      lossChance: 0,
      delayMinMs: 1,
      delayMeanMs: 1,
      tailChance: 0,
      tailFactor: 1,
      damageChance: 0,
    };
    return { ...ordinary, ...this.#links.get(`${from.id} ${to.id}`) };
  }

  setHost(id: NodeId, condition: Partial<HostCondition>): void {
    this.#hosts.set(id, condition);
    this.onChange?.();
  }

  setLink(from: NodeId, to: NodeId, condition: Partial<LinkCondition>): void {
    this.#links.set(`${from} ${to}`, condition);
    this.onChange?.();
  }
}

/** Members 1 to `count`, up, watched by the given oracles. */
export class FakeCluster {
  readonly members: FakeMember[] = [];
  readonly oracles: Oracles;
  /** What the oracles found: name, colon, message. */
  readonly violations: string[] = [];
  readonly conditions = new FakeConditions();

  constructor(count: number, factories: readonly OracleFactory[], liars: readonly NodeId[] = []) {
    const ids = Array.from({ length: count }, (_, at) => at + 1);
    const configuration = configurationOf(ids);
    for (const id of ids) this.members.push(new FakeMember(id, !liars.includes(id), configuration));
    this.oracles = new Oracles(
      {
        members: this.members,
        conditions: this.conditions,
        raft: DEFAULT_RAFT_OPTIONS,
        limits: DEFAULT_COUNT_LIMITS,
        violate: (oracle, message) => {
          this.violations.push(`${oracle}: ${message()}`);
        },
      },
      factories,
    );
    for (const member of this.members) this.oracles.booted(member);
  }

  get nowMs(): number {
    return this.conditions.nowUs / 1000;
  }

  set nowMs(ms: number) {
    this.conditions.nowUs = ms * 1000;
  }

  member(id: NodeId): FakeMember {
    const member = this.members[id - 1];
    if (member === undefined) throw new RangeError(`no host ${id}`);
    return member;
  }

  node(id: NodeId): FakeNode {
    return this.member(id).up;
  }

  oracle(name: string): Oracle {
    const oracle = this.oracles.all.find((candidate) => candidate.name === name);
    if (oracle === undefined) throw new RangeError(`no oracle ${name}`);
    return oracle;
  }

  /** Changes a node as one step of it would, and tells the oracles. */
  step(id: NodeId, change: (node: FakeNode, member: FakeMember) => void, effects: readonly Effect[] = []): void {
    this.conditions.events += 1;
    const member = this.member(id);
    member.up.lastApplied = [];
    change(member.up, member);
    this.oracles.stepped(member, effects);
  }

  crash(id: NodeId): void {
    const member = this.member(id);
    member.node = null;
    this.oracles.crashed(member);
  }

  /** A new process, as `restore` makes it. */
  boot(id: NodeId, restore: (node: FakeNode) => void): void {
    this.conditions.events += 1;
    const member = this.member(id);
    member.boots += 1;
    member.node = new FakeNode(id, configurationOf(this.members.map((each) => each.id)));
    restore(member.node);
    this.oracles.booted(member);
  }
}

/** Appends the entry of a configuration, and acts by it. */
export function configure(term: number, configuration: Configuration): (node: FakeNode) => void {
  return (node) => {
    node.log.appendConfiguration(term, configuration);
    node.configuration = configuration;
    node.configurationIndex = node.log.lastIndex;
  };
}

/** Leads `term` from now on. */
export function lead(term: number): (node: FakeNode) => void {
  return (node) => {
    node.term = term;
    node.votedFor = node.id;
    node.role = "leader";
  };
}
