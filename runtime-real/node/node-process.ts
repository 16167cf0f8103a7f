/**
 * One running node: identity, storage, network, API and logs around the core. Keeps true what follows from replicated state (whom to connect to, which
 * addresses are announced and remembered), and ends everything in order.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import {
  type ClientAnswer,
  type ClientRequest,
  checkRaftOptions,
  DEFAULT_RAFT_OPTIONS,
  type Evidence,
  type Message,
  NOBODY,
  Node,
  type NodeId,
  nodeIdOf,
  nodeOf,
  type PeerId,
  query,
  type Runtime,
  type Stamp,
  tableValues,
} from "../../core/index.ts";
import {
  type AnswerOf,
  ApiListenError,
  type ApiServer,
  answerCall,
  authenticate,
  type CallContext,
  type CheckedRequestOf,
  decodeCallAnswer,
  type EventSource,
  encodeCall,
  type Handlers,
  handlersFor,
  type ProcedureName,
  type Served,
  startApi,
  transferTarget,
} from "../api/index.ts";
import { Host } from "../core-loop/index.ts";
import { ApiError, NodeStartError } from "../errors/index.ts";
import { sha256, verifySignature } from "../identity/index.ts";
import { answerJoin } from "../join/index.ts";
import { Network, NetworkError, type NetworkPeer } from "../network/index.ts";
import { fileRecorder, type Recorder, ringRecorder } from "../recording/index.ts";
import type { NodeSettings } from "../storage/index.ts";
import { parsePins } from "../tokens/index.ts";
import { probeFacts, WorkerHost } from "../worker/index.ts";
import { type Life, openLife, rebuildLife } from "./life.ts";
import { createLogger } from "./logging.ts";
import type { NodeOptions } from "./options.ts";
import type { NodeEnd, RunningNode } from "./running-node.ts";
import { encodeServers } from "./servers.ts";
import { isWorkerDirectory } from "./worker-directory.ts";
import { startWorkerNode } from "./worker-node.ts";

/** Inputs kept in memory for a dump, by estimated size. */
const RING_BYTES = 64 * 1024 * 1024;
/** A member that has left may still be told so, and what it asked last may still be answered. Its messages have no effect any more. */
const FAREWELL_MS = 1000;
const LOOP_DELAY_RESOLUTION_MS = 10;
const MAINTENANCE_MS = 1000;
const MEMBER_CALL_TIMEOUT_MS = 10_000;
const JOIN_FORWARD_TIMEOUT_MS = 12_000;
const ANSWER_LIMIT_MS = 2000;
/** Longer than a target that is up needs. When all stop at once there may be none. */
const TRANSFER_LIMIT_MS = 2000;

/** The first byte of a call between members says what it carries. */
const CALL = { procedure: 1, join: 2 } as const;

/** @throws NodeStartError; RangeError when a Raft option makes no sense. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  if (options.workerOnly || isWorkerDirectory(options.dataDir)) return await startWorkerNode(options);
  checkRaftOptions({ ...DEFAULT_RAFT_OPTIONS, ...options.raft });
  const log = createLogger(options.log, options.nodeId);
  const life = options.replaceFromPeers ? await rebuildLife(options, log) : await openLife(options, log);
  let node: NodeProcess | null = null;
  try {
    node = new NodeProcess(options, life, createLogger(options.log, life.settings.nodeId));
    await node.start();
    return node;
  } catch (error) {
    if (node === null) await life.storage.close();
    else await node.stop(0);
    if (error instanceof NetworkError || error instanceof ApiListenError)
      throw new NodeStartError(error.message, error.hint);
    throw error;
  }
}

/** Makes the data directory a member's, and runs nothing. @throws NodeStartError */
export async function joinCluster(
  options: Pick<
    NodeOptions,
    "dataDir" | "nodeId" | "bind" | "advertise" | "transport" | "join" | "works" | "worker" | "log"
  >,
): Promise<{ readonly nodeId: NodeId; readonly clusterId: string; readonly peerId: PeerId }> {
  if (isWorkerDirectory(options.dataDir))
    throw new NodeStartError(`${options.dataDir} is that of a node that only works`, "give an empty --data-dir");
  const life = await openLife(
    { ...options, apiBind: null, bootstrap: false },
    createLogger(options.log, options.nodeId),
  );
  await life.storage.close();
  return {
    nodeId: life.settings.nodeId,
    clusterId: life.restored.snapshot.clusterId,
    peerId: life.identity.peerId,
  };
}

class NodeProcess implements RunningNode, Served {
  readonly node: Node;
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly incarnation: number;
  readonly peerId: PeerId;
  readonly version: string;
  readonly socketPath: string;
  readonly ended: Promise<NodeEnd>;
  readonly #end: (end: NodeEnd) => void;
  readonly #options: NodeOptions;
  readonly #life: Life;
  readonly #log: Logger;
  readonly #recorder: Recorder;
  readonly #host: Host;
  readonly #handlers: Handlers;
  readonly #startedMs = performance.now();
  readonly #loopDelay = monitorEventLoopDelay({ resolution: LOOP_DELAY_RESOLUTION_MS });
  readonly #eventListeners = new Set<() => void>();
  #eventsAnnounced = false;
  #settings: NodeSettings;
  #network: Network | null = null;
  #api: ApiServer | null = null;
  #worker: WorkerHost | null = null;
  #maintenance: NodeJS.Timeout | null = null;
  #announcing = false;
  #isRemoved = false;
  /** Whether the node whose place this one has taken is being asked to leave. */
  #isParting = false;
  #stopping: Promise<void> | null = null;
  /** What the last step left, to see by reference what has changed. */
  #seen: {
    configuration: Node["configuration"];
    nodes: Node["state"]["nodes"];
    state: Node["state"];
    leaderId: NodeId;
  };
  /** For workers: all members and where they listen, as text. */
  #serversText: Uint8Array;
  /** The workers that are no members, in this state and configuration. */
  #knownWorkers: {
    readonly configuration: Node["configuration"];
    readonly nodes: Node["state"]["nodes"];
    readonly peerIds: ReadonlySet<PeerId>;
  } | null = null;
  /** Who has left a moment ago, and when that is over. */
  readonly #farewells = new Map<NetworkPeer, NodeJS.Timeout>();

  constructor(options: NodeOptions, life: Life, log: Logger) {
    const { identity, restored, settings } = life;
    this.#options = options;
    this.#life = life;
    this.#log = log;
    this.#settings = settings;
    this.nodeId = settings.nodeId;
    this.clusterId = restored.snapshot.clusterId;
    this.incarnation = restored.snapshot.incarnation;
    this.peerId = identity.peerId;
    this.version = options.version;
    this.socketPath = join(options.dataDir, "api.sock");
    const { promise, resolve } = Promise.withResolvers<NodeEnd>();
    this.ended = promise;
    this.#end = resolve;

    this.#recorder =
      options.record === null
        ? ringRecorder(options.version, { bytesMax: RING_BYTES })
        : fileRecorder(options.version, options.record, (reason) => log.error(reason));
    const runtime: Runtime = {
      peerId: identity.peerId,
      randomUint32: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
      sign: (statement) => identity.sign(statement),
      verify: verifySignature,
      digest: sha256,
    };
    const raft = { ...DEFAULT_RAFT_OPTIONS, ...options.raft };
    const stamp: Stamp = { nowMs: this.nowMs(), wallMs: Date.now() };
    this.#recorder.begin({ nodeId: this.nodeId, options: raft, peerId: identity.peerId, restored, stamp });
    try {
      this.node = new Node(this.nodeId, raft, this.#recorder.wrap(runtime), restored, stamp);
    } catch (error) {
      throw new NodeStartError(
        `the stored state of node ${this.nodeId} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
        "it is damaged or belongs to another identity: `blixard node --replace-from-peers` rebuilds this node from the others",
      );
    }
    this.#seen = this.#look();
    this.#serversText = encodeServers(this.#servers());
    this.#host = new Host(this.node, {
      send: (to, message) => this.#network?.send(to, message),
      write: (write) => life.storage.write(write),
      nowMs: () => this.nowMs(),
      wallMs: Date.now,
      evidence: (evidence) => this.#evidence(evidence),
      halted: (reason, evidence) => this.#halted(reason, evidence),
      stepped: (input, effects) => {
        this.#recorder.step(input, effects);
        this.#stepped();
      },
    });
    this.#handlers = handlersFor(this);
  }

  async start(): Promise<void> {
    const { identity, storage } = this.#life;
    const { bind, transport } = this.#settings;
    storage.listen({
      written: (writeId) => this.#host.written(writeId),
      failed: (writeId, reason) => this.#host.writeFailed(writeId, reason),
    });
    this.#host.start();
    this.#network = await Network.start({
      identity,
      nodeId: this.nodeId,
      clusterId: this.clusterId,
      incarnation: this.incarnation,
      bind,
      transport,
      log: this.#log,
      handlers: {
        message: (from, message) => this.#host.message(from, message),
        isMember: (peerId) => this.node.isMember(peerId),
        workers: {
          isWorker: (peerId) => this.#workers().has(peerId),
          isRemoved: (peerId) => this.#isRemovedWorker(peerId),
          report: async (from, report) => await this.#answerReport(from, report),
          servers: () => this.#serversText,
        },
        toldServers: () => undefined,
        toldRemoved: () => undefined,
        introduction: (to, refused) => this.#introduction(to, refused),
        call: async (from, request, signal) => await this.#answerCall(from, request, signal),
        join: async (from, request, signal) => await this.#answerJoin(from, request, signal),
      },
    });
    this.#network.setPeers(this.peers());
    this.#api = await startApi({
      handlers: this.#handlers,
      events: this.#events(),
      socketPath: this.socketPath,
      tcpBind: this.#settings.apiBind,
      authenticate: (bearer) => authenticate(this.node.state, bearer, Date.now()),
      log: this.#log,
      version: this.version,
    });
    this.#loopDelay.enable();
    this.#maintenance = setInterval(() => this.#maintain(), MAINTENANCE_MS);
    this.#maintain();
    if (this.#settings.works) this.#worker = await this.#startWorker();
    this.#log.info(
      {
        clusterId: this.clusterId,
        peerId: this.peerId,
        addresses: this.addresses,
        transport,
        api: this.socketPath,
        apiTcp: this.apiAddress,
      },
      "node is up",
    );
  }

  // ---- What it is

  get addresses(): readonly string[] {
    return this.#settings.advertise;
  }

  get apiAddress(): string | null {
    return this.#api?.tcpAddress ?? null;
  }

  nowMs(): number {
    return performance.now();
  }

  uptimeMs(): number {
    return performance.now() - this.#startedMs;
  }

  eventLoopDelayP99Ms(): number {
    // What is measured holds the pause between two looks.
    return Math.max(0, this.#loopDelay.percentile(99) / 1e6 - LOOP_DELAY_RESOLUTION_MS);
  }

  peerStatus(): ReturnType<Network["status"]> {
    return this.#network?.status() ?? [];
  }

  async request(request: ClientRequest): Promise<ClientAnswer> {
    return await this.#host.request(request);
  }

  async callMember<Name extends ProcedureName>(
    peerId: PeerId,
    name: Name,
    body: CheckedRequestOf<Name>,
    context: CallContext,
  ): Promise<AnswerOf<Name>> {
    const answer = await this.#call(
      peerId,
      CALL.procedure,
      encodeCall(name, body, context.requestId),
      MEMBER_CALL_TIMEOUT_MS,
      context.signal,
    );
    return decodeCallAnswer<Name>(answer);
  }

  /**
   * The other members, and where they may be: as they announced it, and as this node remembers. After a restart the replicated state is that of the last snapshot, and what
   * is remembered may be newer.
   */
  peers(): readonly NetworkPeer[] {
    const remembered = new Map(this.#settings.peers.map(({ id, addresses }) => [id, addresses]));
    return this.#announcedPeers().map(({ id, peerId, addresses }) => ({
      id,
      peerId,
      addresses: [...new Set([...addresses, ...(remembered.get(id) ?? [])])],
    }));
  }

  #announcedPeers(): readonly NetworkPeer[] {
    const found = query(this.node.state, { kind: "listNodes" });
    const announced = new Map(found.kind === "nodes" ? found.nodes.map((record) => [record.id, record]) : []);
    return this.node.configuration.members
      .filter(({ id }) => id !== this.nodeId)
      .map(({ id, peerId }) => {
        const record = announced.get(id);
        return { id, peerId, addresses: record?.peerId === peerId ? record.addresses : [] };
      });
  }

  // ---- What follows from the core's steps

  #look() {
    const { configuration, state, leaderId } = this.node;
    return { configuration, nodes: state.nodes, state, leaderId };
  }

  /** After every step: looks at references only. */
  #stepped(): void {
    const { node } = this;
    const seen = this.#seen;
    if (node.removed && !this.#isRemoved) this.#removed();
    if (node.state === seen.state && node.configuration === seen.configuration && node.leaderId === seen.leaderId)
      return;
    this.#seen = this.#look();
    if (node.configuration !== seen.configuration || node.state.nodes !== seen.nodes) this.#peersChanged();
    if (node.state !== seen.state) this.#announceEvents();
    if (node.leaderId !== seen.leaderId && node.leaderId !== NOBODY) {
      this.#log.info(
        { leader: node.leaderId, term: node.term },
        node.leaderId === this.nodeId ? "leads the cluster" : "follows a leader",
      );
      setImmediate(() => this.#maintain());
    }
  }

  #removed(): void {
    this.#isRemoved = true;
    this.#log.warn("this node has been removed from the cluster");
    this.#end({ kind: "removed" });
  }

  #peersChanged(): void {
    const peers = this.peers();
    const listed = new Set(peers.map(({ peerId }) => peerId));
    for (const leaving of this.#settings.peers) {
      if (listed.has(leaving.peerId) || this.#farewells.has(leaving)) continue;
      const end = setTimeout(() => {
        this.#farewells.delete(leaving);
        this.#connect();
      }, FAREWELL_MS);
      this.#farewells.set(leaving, end);
    }
    this.#connect();
    const remembered = new Map(this.#settings.peers.map(({ id, addresses }) => [id, addresses]));
    this.#remember({
      ...this.#settings,
      peers: this.#announcedPeers().map((peer) =>
        peer.addresses.length > 0 ? peer : { ...peer, addresses: remembered.get(peer.id) ?? [] },
      ),
    });
  }

  #connect(): void {
    const peers = this.peers();
    const leaving = [...this.#farewells.keys()].filter(({ peerId }) => peers.every((peer) => peer.peerId !== peerId));
    this.#network?.setPeers([...peers, ...leaving]);
    this.#network?.review();
    this.#serversText = encodeServers(this.#servers());
  }

  #servers(): readonly NetworkPeer[] {
    const self = { id: this.nodeId, peerId: this.peerId, addresses: this.addresses };
    return [...this.peers(), self].sort((a, b) => a.id - b.id);
  }

  #remember(settings: NodeSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    this.#life.storage.saveSettings(settings).catch((error: unknown) => {
      this.#log.error({ err: error }, "the addresses of the members could not be stored");
    });
  }

  #events(): EventSource {
    return {
      page: (afterIndex, limit) => {
        const found = query(this.node.state, { kind: "listEvents", afterIndex, limit });
        if (found.kind !== "events") throw new Error(`the core answered ${found.kind} to listEvents`);
        return found;
      },
      subscribe: (listener) => {
        this.#eventListeners.add(listener);
        return () => this.#eventListeners.delete(listener);
      },
    };
  }

  /** Once a turn of the event loop, however many entries were applied in it. */
  #announceEvents(): void {
    if (this.#eventsAnnounced || this.#eventListeners.size === 0) return;
    this.#eventsAnnounced = true;
    setImmediate(() => {
      this.#eventsAnnounced = false;
      for (const listener of this.#eventListeners) listener();
    });
  }

  // ---- What it keeps true

  #maintain(): void {
    if (this.#stopping !== null) return;
    this.#announceAddresses();
    this.#takeLeaveOfPredecessor();
  }

  #takeLeaveOfPredecessor(): void {
    const nodeId = this.#settings.replaces;
    const isReady = this.node.configuration.voters.includes(this.nodeId) && this.node.leaderId !== NOBODY;
    if (nodeId === null || !isReady || this.#isParting) return;
    this.#isParting = true;
    const requestId = randomUUID();
    const log = this.#log.child({ requestId });
    const context: CallContext = {
      requestId,
      caller: { kind: "local" },
      log,
      signal: AbortSignal.timeout(MEMBER_CALL_TIMEOUT_MS),
    };
    const parted = (): void => {
      log.info({ predecessor: nodeId }, "the node whose place this one takes has left");
      this.#remember({ ...this.#settings, replaces: null });
    };
    this.#handlers["cluster.leave"]({ nodeId }, context)
      .then(parted, (error: unknown) => {
        if (error instanceof ApiError && error.code === "nodeNotFound") parted();
        else log.warn({ err: error, predecessor: nodeId }, "the node whose place this one takes has not left yet");
      })
      .finally(() => {
        this.#isParting = false;
      });
  }

  #announceAddresses(): void {
    const found = query(this.node.state, { kind: "listNodes" });
    const own = found.kind === "nodes" ? found.nodes.find(({ id }) => id === this.nodeId) : undefined;
    const isTrue = own !== undefined && JSON.stringify(own.addresses) === JSON.stringify(this.addresses);
    const isMember = this.node.configuration.members.some(({ id }) => id === this.nodeId);
    if (isTrue || !isMember || this.node.leaderId === NOBODY || this.#announcing) return;
    this.#announcing = true;
    const command = {
      kind: "announceNode",
      nodeId: this.nodeId,
      peerId: this.peerId,
      addresses: this.addresses,
    } as const;
    this.request({ kind: "propose", request: { session: null, command } }).then(
      (answer) => {
        this.#announcing = false;
        if (answer.kind === "applied" && !answer.result.ok)
          this.#log.error({ refusal: answer.result.refusal }, "the cluster refuses this node's addresses");
      },
      (error: unknown) => this.#log.error({ err: error }, "announcing this node's addresses failed"),
    );
  }

  #evidence(evidence: Evidence): void {
    this.#log.warn({ evidence }, "a peer did what no honest peer does");
  }

  #halted(reason: string, evidence: Evidence | null): void {
    const path = this.#options.record ?? join(this.#options.dataDir, `halt-${Date.now()}.recording`);
    this.#log.fatal({ evidence, recording: path }, `halted: ${reason}`);
    try {
      this.#recorder.dump(path, reason);
    } catch (error) {
      this.#log.error({ err: error, path }, "the recording could not be written");
    }
    this.#end({ kind: "halted", reason });
  }

  /** Its own members' proof; to one that it refuses only when that has left, and shall know it. */
  #introduction(to: NodeId, refused: PeerId | null): Message | null {
    const { retired } = this.node.configuration;
    return refused === null || retired.some(({ peerId }) => peerId === refused) ? this.node.introduction(to) : null;
  }

  // ---- The worker here, and others

  async #startWorker(): Promise<WorkerHost> {
    const { dataDir } = this.#options;
    const others = this.node.configuration.members.flatMap(({ id }) => (id === this.nodeId ? [] : [id]));
    return await WorkerHost.start({
      workerId: this.nodeId,
      dataDir,
      facts: await probeFacts(dataDir, this.#settings.worker, null),
      driver: null,
      servers: [this.nodeId, ...others],
      log: this.#log,
      report: async (to, report) => await this.#report(to, report),
      // It ends when its own log says that it is no member any more.
      ended: () => undefined,
    });
  }

  /** A member reports through its own core, which knows the leader; while it knows of none, through whom the agent names. */
  async #report(to: NodeId, report: Uint8Array): Promise<Uint8Array | null> {
    if (to === this.nodeId || this.node.leaderId !== NOBODY) return await this.#answerReport(this.peerId, report);
    const member = this.node.configuration.members.find(({ id }) => id === to);
    return member === undefined ? null : ((await this.#network?.report(member.peerId, report)) ?? null);
  }

  /** `from` is who the connection says it is. */
  async #answerReport(from: PeerId, data: Uint8Array): Promise<Uint8Array | null> {
    const answer = await this.request({ kind: "report", peerId: from, data });
    if (answer.kind === "directive") return answer.data;
    this.#log.debug({ from, answer }, "a report was not answered");
    return null;
  }

  /** Nodes that were admitted and are no members; of those that have been, none ever is again. */
  #workers(): ReadonlySet<PeerId> {
    const { configuration, state } = this.node;
    const known = this.#knownWorkers;
    if (known?.configuration === configuration && known.nodes === state.nodes) return known.peerIds;
    const left = new Set(configuration.retired.map(({ peerId }) => peerId));
    const peerIds = new Set<PeerId>();
    for (const { peerId, role } of tableValues(state.nodes))
      if (role === "none" && !left.has(peerId)) peerIds.add(peerId);
    this.#knownWorkers = { configuration, nodes: state.nodes, peerIds };
    return peerIds;
  }

  /** Of a worker that has been removed, and is no member: those are known by the configuration. */
  #isRemovedWorker(peerId: PeerId): boolean {
    const id = nodeIdOf(this.node.state, peerId);
    return id !== null && nodeOf(this.node.state, id)?.role === "removed";
  }

  // ---- Calls between members

  async #call(
    to: PeerId,
    kind: number,
    body: Uint8Array,
    timeoutMs: number,
    signal: AbortSignal | null,
  ): Promise<Uint8Array> {
    if (this.#network === null) throw new Error("the network is not up");
    const request = new Uint8Array(1 + body.length);
    request[0] = kind;
    request.set(body, 1);
    return await this.#network.call(to, request, signal === null ? { timeoutMs } : { timeoutMs, signal });
  }

  async #answerCall(from: PeerId, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const body = request.subarray(1);
    switch (request[0]) {
      case CALL.procedure:
        return await answerCall(this.#handlers, from, body, this.#log, signal);
      case CALL.join: {
        const length = body[0] ?? 0;
        const joining = new TextDecoder().decode(body.subarray(1, 1 + length));
        return await this.#answerJoin(joining, body.subarray(1 + length), signal, true);
      }
      default:
        throw new Error(`a call of the unknown kind ${request[0]}`);
    }
  }

  async #answerJoin(from: PeerId, request: Uint8Array, signal: AbortSignal, isForwarded = false): Promise<Uint8Array> {
    const requestId = randomUUID();
    const log = this.#log.child({ requestId, joining: from });
    log.info("a node asks to join");
    const answer = await answerJoin(
      {
        clusterId: this.clusterId,
        incarnation: this.incarnation,
        node: this.node,
        request: async (asked) => await this.request(asked),
        wallMs: Date.now,
        peers: () => this.#servers(),
        askLeader: async (peerId, bytes) => (isForwarded ? null : await this.#forwardJoin(peerId, bytes, signal)),
        parsePins,
      },
      from,
      request,
      signal,
    );
    log.info({ answer: new TextDecoder().decode(answer.subarray(0, 200)) }, "answered a join");
    return answer;
  }

  async #forwardJoin(from: PeerId, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array | null> {
    const leader = this.node.configuration.members.find(({ id }) => id === this.node.leaderId);
    if (leader === undefined || leader.id === this.nodeId) return null;
    const name = new TextEncoder().encode(from);
    const body = new Uint8Array(1 + name.length + request.length);
    body[0] = name.length;
    body.set(name, 1);
    body.set(request, 1 + name.length);
    try {
      return await this.#call(leader.peerId, CALL.join, body, JOIN_FORWARD_TIMEOUT_MS, signal);
    } catch (error) {
      this.#log.warn({ err: error, leader: leader.id }, "the leader did not answer a join");
      return null;
    }
  }

  // ---- The end

  async stop(limitMs: number): Promise<void> {
    this.#stopping ??= this.#stop(limitMs);
    await this.#stopping;
  }

  async #stop(limitMs: number): Promise<void> {
    const deadlineMs = this.nowMs() + limitMs;
    const leftMs = (): number => Math.max(0, deadlineMs - this.nowMs());
    if (this.#maintenance !== null) clearInterval(this.#maintenance);
    this.#loopDelay.disable();
    for (const farewell of this.#farewells.values()) clearTimeout(farewell);
    const workStopped = this.#worker?.stop();
    const target = this.node.role === "leader" && !this.node.halted ? transferTarget(this.node) : null;
    if (target !== null && limitMs > 0) {
      this.#log.info({ to: target }, "hands leadership over");
      await Promise.race([
        this.request({ kind: "transferLeadership", to: target }),
        delay(Math.min(TRANSFER_LIMIT_MS, leftMs() / 2), null, { ref: false }),
      ]);
    }
    await this.#api?.stop(Math.min(ANSWER_LIMIT_MS, leftMs()));
    await Promise.race([workStopped, delay(leftMs() / 2, null, { ref: false })]);
    this.#host.stop();
    await this.#network?.stop(Math.min(ANSWER_LIMIT_MS, leftMs() + 100));
    await this.#life.storage.close();
    this.#recorder.close();
    this.#log.info("node has stopped");
    this.#log.flush();
  }
}
