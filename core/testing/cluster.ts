/**
 * A cluster that a test drives: it moves every message, write, clock and crash on purpose, and nothing is drawn at
 * random.
 *
 * Messages wait in `mail` until they are delivered. `settle` delivers everything at the present time and completes all
 * writes; `run` lets time pass. To stop something: cut a link (`cut`, `isolate`), take messages out (`take`), stall a
 * disk (`stallDisk`) or pause a process (`pause`).
 */
import {
  type Certificate,
  type ClientAnswer,
  type ClientRequest,
  type Command,
  type CommandRequest,
  type ConfigurationChange,
  DEFAULT_RAFT_OPTIONS,
  type Effect,
  type Evidence,
  type Input,
  type Message,
  type MessageType,
  Node,
  type NodeId,
  type PeerId,
  query,
  type RaftOptions,
  type Restored,
  type Runtime,
  type VmRecord,
  vmSpec,
  voteStatement,
  type Write,
} from "../index.ts";
import { keyedDigest } from "./identity.ts";

/** A message on its way. */
export interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly message: Message;
}

/** A member of a test cluster: its node while it is up, and its disk. */
export interface TestMember {
  readonly id: NodeId;
  readonly peerId: PeerId;
  /** Null while it is down. */
  node: Node | null;
  durable: Restored;
  /** All that `durable` ever was, oldest first. */
  readonly history: Restored[];
  /** Issued and not durable yet, oldest first. */
  readonly writes: Write[];
  wakeAtMs: number;
  diskStalled: boolean;
  paused: boolean;
  readonly evidence: Evidence[];
  /** Why it stopped itself. */
  halt: string | null;
}

export const CLUSTER_ID = "test-cluster";
const STEPS_MAX = 100_000;

export class Cluster {
  readonly hosts = new Map<NodeId, TestMember>();
  readonly options: RaftOptions;
  readonly answers = new Map<number, ClientAnswer>();
  nowMs = 1_000;
  wallMs = 1_700_000_000_000;
  /** How far the wall clock of a host is ahead of that. */
  readonly wallAheadMs = new Map<NodeId, number>();
  /** Messages that nobody has delivered yet, oldest first. */
  mail: Envelope[] = [];
  /** Everything that was ever sent. */
  readonly sent: Envelope[] = [];
  /** Its election time-outs are the shortest, everybody else's the longest. */
  luckyId: NodeId;
  readonly #cuts = new Set<string>();
  /** What the network loses: for whole conversations. Single messages are better taken out. */
  loses: (envelope: Envelope) => boolean = () => false;
  #nextRequestId = 1;
  #boots = 0;

  constructor(ids: readonly NodeId[], options: Partial<RaftOptions> = {}) {
    this.options = { ...DEFAULT_RAFT_OPTIONS, ...options };
    this.luckyId = ids[0] ?? 0;
    const members = ids.map((id) => ({ id, peerId: `peer-${id}` }));
    for (const id of ids) this.#addHost(id, `peer-${id}`, Node.genesis(CLUSTER_ID, 1, members));
    for (const id of ids) this.restart(id);
  }

  // ---- Looking

  host(id: NodeId): TestMember {
    const host = this.hosts.get(id);
    if (host === undefined) throw new Error(`there is no host ${id}`);
    return host;
  }

  node(id: NodeId): Node {
    const { node, halt } = this.host(id);
    if (node === null) throw new Error(`host ${id} is down`);
    if (halt !== null) throw new Error(`node ${id} has halted: ${halt}`);
    return node;
  }

  get leader(): Node {
    const leaders = [...this.hosts.values()].flatMap(({ node }) => (node?.role === "leader" ? [node] : []));
    const newest = leaders.sort((a, b) => b.term - a.term)[0];
    if (newest === undefined) throw new Error("nobody leads");
    return newest;
  }

  /** The VMs that the node has applied, by name. */
  vms(id: NodeId): readonly VmRecord[] {
    const result = query(this.node(id).state, { kind: "listVms", limit: 1000 });
    return result.kind === "vms" ? result.vms : [];
  }

  names(id: NodeId): string[] {
    return this.vms(id).map(({ name }) => name);
  }

  /** The terms of the node's log entries, from its first on. */
  terms(id: NodeId): (number | null)[] {
    const { log } = this.node(id);
    const terms: (number | null)[] = [];
    for (let index = log.firstIndex; index <= log.lastIndex; index++) terms.push(log.termAt(index));
    return terms;
  }

  evidence(id: NodeId): string[] {
    return this.host(id).evidence.map(({ kind }) => kind);
  }

  // ---- Messages

  /** Takes messages out of the mail, to be lost, or delivered later, or twice. */
  take(type: MessageType, where: Partial<Envelope> = {}): Envelope[] {
    const wanted = ({ from, to, message }: Envelope): boolean =>
      message.type === type && (where.from ?? from) === from && (where.to ?? to) === to;
    const taken = this.mail.filter(wanted);
    this.mail = this.mail.filter((envelope) => !taken.includes(envelope));
    return taken;
  }

  /** Delivers now, whatever is cut. What comes of it goes to the mail. */
  deliver(...envelopes: readonly Envelope[]): void {
    for (const { from, to, message } of envelopes) this.say(this.host(from).peerId, to, message);
  }

  /** A message over a connection that proved `peer`. */
  say(peer: PeerId, to: NodeId, message: Message): void {
    this.step(to, { kind: "message", from: peer, message });
  }

  cut(a: NodeId, b: NodeId): void {
    this.#cuts.add(`${a}>${b}`).add(`${b}>${a}`);
  }

  isolate(id: NodeId): void {
    for (const other of this.hosts.keys()) if (other !== id) this.cut(id, other);
  }

  /** The network works again. */
  heal(): void {
    this.#cuts.clear();
    this.loses = () => false;
  }

  #isLost(envelope: Envelope): boolean {
    return this.#cuts.has(`${envelope.from}>${envelope.to}`) || this.loses(envelope);
  }

  // ---- Time

  /** Delivers all mail and completes all writes, at the present time, until nothing is left to do. */
  settle(): void {
    for (let steps = 0; this.#settleOne(); steps++) if (steps > STEPS_MAX) throw new Error("the cluster never settles");
  }

  #settleOne(): boolean {
    for (const host of this.hosts.values()) {
      if (!isUp(host)) continue;
      if (host.writes.length > 0 && !host.diskStalled) {
        this.sync(host.id, 1);
        return true;
      }
      if (host.wakeAtMs <= this.nowMs) {
        this.wake(host.id);
        return true;
      }
    }
    const at = this.mail.findIndex((envelope) => this.#isLost(envelope) || !this.host(envelope.to).paused);
    const [next] = at < 0 ? [] : this.mail.splice(at, 1);
    if (next === undefined) return false;
    if (!this.#isLost(next)) this.deliver(next);
    return true;
  }

  /** Lets time pass, everything settling at every moment at which something happens. */
  run(forMs: number): void {
    const untilMs = this.nowMs + forMs;
    for (;;) {
      this.settle();
      let nextMs = untilMs;
      for (const host of this.hosts.values()) if (isUp(host)) nextMs = Math.min(nextMs, host.wakeAtMs);
      if (this.nowMs >= untilMs) return;
      this.pass(nextMs - this.nowMs);
    }
  }

  runUntil(what: string, holds: () => boolean): void {
    for (let waited = 0; !holds(); waited++) {
      if (waited > 1000) throw new Error(`it never came to be that ${what}`);
      this.run(10);
    }
  }

  /** Clocks go on and nothing else happens. */
  pass(forMs: number): void {
    this.nowMs += forMs;
    this.wallMs += forMs;
  }

  wake(id: NodeId): void {
    this.host(id).wakeAtMs = Number.POSITIVE_INFINITY;
    this.step(id, { kind: "wake" });
  }

  pause(id: NodeId): void {
    this.host(id).paused = true;
  }

  resume(id: NodeId): void {
    this.host(id).paused = false;
  }

  // ---- Leaders

  /** Makes `id` the leader the usual way: whoever leads falls silent until then. Ends every cut. */
  elect(id: NodeId): void {
    this.luckyId = id;
    this.runUntil("somebody leads", () => [...this.hosts.values()].some(({ node }) => node?.role === "leader"));
    if (this.leader.id === id) return;
    // Everybody hears the old leader once more, and draws a new deadline.
    this.run(this.options.heartbeatMs);
    this.isolate(this.leader.id);
    this.runUntil(`node ${id} leads`, () => this.node(id).role === "leader");
    this.heal();
    this.run(this.options.heartbeatMs);
  }

  // ---- Disks and crashes

  stallDisk(id: NodeId): void {
    this.host(id).diskStalled = true;
  }

  /** The disk works again, and has done what it was given. */
  resumeDisk(id: NodeId): void {
    this.host(id).diskStalled = false;
    this.sync(id);
  }

  /** The first `count` writes become durable, and the node is told so. */
  sync(id: NodeId, count = Number.POSITIVE_INFINITY): void {
    const host = this.host(id);
    const done = host.writes.splice(0, count);
    for (const write of done) store(host, write);
    const last = done[done.length - 1];
    if (last !== undefined) this.step(id, { kind: "written", writeId: last.id });
  }

  /** The process ends. Of the writes that are not durable, the first `survive` happen to be. */
  crash(id: NodeId, survive = 0): void {
    const host = this.host(id);
    for (const write of host.writes.splice(0).slice(0, survive)) store(host, write);
    host.node = null;
    host.wakeAtMs = Number.POSITIVE_INFINITY;
    host.diskStalled = false;
  }

  /** Starts the process from what the disk holds. */
  restart(id: NodeId): Node {
    const host = this.host(id);
    const runtime = this.runtime(host);
    host.node = new Node(id, this.options, runtime, host.durable, { nowMs: this.nowMs, wallMs: this.#wallMsOf(id) });
    host.halt = null;
    this.#carryOut(host, host.node.start());
    return host.node;
  }

  // ---- Clients and operators

  request(id: NodeId, request: ClientRequest): number {
    const requestId = this.#nextRequestId++;
    this.step(id, { kind: "request", requestId, request });
    return requestId;
  }

  /** Asks for a VM of this name, outside of any session. */
  propose(id: NodeId, name: string, spec: Parameters<typeof vmSpec>[0] = {}): number {
    return this.command(id, { kind: "createVm", name, spec: vmSpec(spec) });
  }

  command(id: NodeId, command: Command, session: CommandRequest["session"] = null): number {
    return this.request(id, { kind: "propose", request: { session, command } });
  }

  read(id: NodeId, consistency: "linearizable" | "lease" | "stale" = "linearizable"): number {
    return this.request(id, { kind: "read", query: { kind: "listVms", limit: 1000 }, consistency });
  }

  /** A request's answer in a word or two: its kind, or why it was refused. Undefined while there is none. */
  answer(requestId: number): string | undefined {
    const answer = this.answers.get(requestId);
    if (answer === undefined) return undefined;
    return answer.kind === "refused" ? answer.refusal.kind : answer.kind;
  }

  /** What a read saw. */
  seen(requestId: number): string[] | undefined {
    const answer = this.answers.get(requestId);
    return answer?.kind === "read" && answer.result.kind === "vms"
      ? answer.result.vms.map(({ name }) => name)
      : undefined;
  }

  /** Asks the leader to change the membership. */
  change(...changes: readonly ConfigurationChange[]): number {
    return this.request(this.leader.id, { kind: "changeMembership", changes });
  }

  transfer(to: NodeId): number {
    return this.request(this.leader.id, { kind: "transferLeadership", to });
  }

  /** The leader takes `id` in as a learner, and it starts with what the join protocol tells it. */
  join(id: NodeId, promote = false): void {
    const added = this.change({ kind: "addLearner", id, peerId: `peer-${id}`, promote });
    this.settle();
    if (this.answer(added) !== "membershipChanged")
      throw new Error(`node ${id} was not taken in: ${this.answer(added)}`);
    const { configuration, configurationIndex, lineage } = this.leader;
    this.#addHost(id, `peer-${id}`, Node.joining(CLUSTER_ID, 1, configuration, configurationIndex, lineage));
    this.restart(id);
  }

  // ---- Lies

  /** The fields that every message begins with. */
  header(from: NodeId, to: NodeId, term: number): Pick<Message, "clusterId" | "incarnation" | "from" | "to" | "term"> {
    return { clusterId: CLUSTER_ID, incarnation: 1, from, to, term };
  }

  /** A certificate that the keys of `signers` make. */
  certificate(kind: Certificate["kind"], term: number, candidate: NodeId, signers: readonly NodeId[]): Certificate {
    const signatures = signers.map((id) => {
      return { id, signature: keyedDigest(`peer-${id}`, voteStatement(CLUSTER_ID, 1, kind, term, candidate)) };
    });
    return { kind, term, candidate, signatures };
  }

  // ---- Carrying out

  step(
    id: NodeId,
    input: Input extends infer One ? (One extends Input ? Omit<One, "nowMs" | "wallMs"> : never) : never,
  ): void {
    const host = this.host(id);
    if (host.node === null) return;
    this.#carryOut(host, host.node.step({ ...input, nowMs: this.nowMs, wallMs: this.#wallMsOf(id) }));
  }

  #wallMsOf(id: NodeId): number {
    return this.wallMs + (this.wallAheadMs.get(id) ?? 0);
  }

  #carryOut(host: TestMember, effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "send": {
          const to = [...this.hosts.values()].find(({ peerId }) => peerId === effect.to);
          const envelope = { from: host.id, to: to?.id ?? 0, message: effect.message };
          this.sent.push(envelope);
          if (to !== undefined) this.mail.push(envelope);
          break;
        }
        case "write":
          host.writes.push(effect.write);
          break;
        case "wakeAt":
          host.wakeAtMs = effect.atMs;
          break;
        case "answer":
          if (this.answers.has(effect.requestId)) throw new Error(`request ${effect.requestId} is answered twice`);
          this.answers.set(effect.requestId, effect.answer);
          break;
        case "evidence":
          host.evidence.push(effect.evidence);
          break;
        case "halt":
          host.halt = effect.reason;
          if (effect.evidence !== null) host.evidence.push(effect.evidence);
          break;
      }
    }
  }

  #addHost(id: NodeId, peerId: PeerId, durable: Restored): void {
    this.hosts.set(id, {
      id,
      peerId,
      node: null,
      durable,
      history: [durable],
      writes: [],
      wakeAtMs: Number.POSITIVE_INFINITY,
      diskStalled: false,
      paused: false,
      evidence: [],
      halt: null,
    });
  }

  /** The world as the host's next process sees it. */
  runtime({ id, peerId }: Pick<TestMember, "id" | "peerId">): Runtime {
    this.#boots++;
    let drawn = 0;
    const first = this.#boots;
    return {
      peerId,
      // The first draw of a process numbers its tickets; all others are election time-outs.
      randomUint32: () => (drawn++ === 0 ? first : this.luckyId === id ? 0 : 0x8000_0000 + (id % 8) * 0x0800_0000),
      sign: (statement) => keyedDigest(peerId, statement),
      verify: (signer, statement, signature) => keyedDigest(signer, statement) === signature,
      digest: (bytes) => keyedDigest("digest", bytes),
    };
  }
}

function isUp({ node, halt, paused }: TestMember): boolean {
  return node !== null && halt === null && !paused;
}

function store(host: TestMember, write: Write): void {
  host.durable = written(host.durable, write);
  host.history.push(host.durable);
}

/** What a disk holds after a write: first the snapshot, then the entries, then the hard state. */
function written(before: Restored, { snapshot, entries, hardState }: Write): Restored {
  let kept = before.entries;
  if (snapshot !== null) {
    const { keepAfter } = snapshot;
    kept = keepAfter === null ? [] : kept.filter(({ index }) => index > keepAfter);
  }
  const firstNew = entries?.[0];
  if (entries !== null && firstNew !== undefined) {
    kept = [...kept.filter(({ index }) => index < firstNew.index), ...entries];
  }
  return { hardState: hardState ?? before.hardState, snapshot: snapshot?.snapshot ?? before.snapshot, entries: kept };
}
