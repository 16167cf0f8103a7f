/**
 * A running member of the cluster: the core, and around it storage, network, API, worker, recording and logs. This
 * file starts and ends them in order, and tells them what follows from a step of the core. What a member does beyond
 * that has files of its own: peer-directory.ts, member-calls.ts, event-feed.ts, address-announcement.ts,
 * predecessor.ts.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import {
  AddressBook,
  type ClientAnswer,
  type ClientRequest,
  DEFAULT_RAFT_OPTIONS,
  type Evidence,
  type Message,
  NOBODY,
  Node,
  type NodeId,
  nodeOf,
  type PeerId,
  type Stamp,
  tableValues,
} from "../../core/index.ts";
import {
  type AnswerOf,
  type ApiServer,
  answerCall,
  authenticate,
  type CallContext,
  type CheckedRequestOf,
  consoleSource,
  type Handlers,
  handlersFor,
  type ProcedureName,
  type Served,
  startApi,
  transferTarget,
} from "../api/index.ts";
import { connectApi } from "../client/index.ts";
import type { Consoles } from "../consoles/index.ts";
import { CoreLoop, realRuntime } from "../core-loop/index.ts";
import { NodeStartError } from "../errors/index.ts";
import { HostImages, ImageCopies, type ImagePeers } from "../images/index.ts";
import { answerJoin } from "../join/index.ts";
import { openDriver } from "../machines/index.ts";
import { Network, type NetworkPeer } from "../network/index.ts";
import { fileRecorder, type Recorder, ringRecorder } from "../recording/index.ts";
import { HostRoutes, MemberRoutes } from "../routes/index.ts";
import { AgentLoop, type Driver, probeFacts } from "../worker/index.ts";
import { AddressAnnouncement } from "./address-announcement.ts";
import { AdmittedWorkers } from "./admitted-workers.ts";
import type { DataDirectory } from "./data-directory.ts";
import { EventFeed } from "./event-feed.ts";
import { MemberCalls } from "./member-calls.ts";
import { memberConsoles } from "./member-consoles.ts";
import type { NodeOptions } from "./options.ts";
import { PeerDirectory } from "./peer-directory.ts";
import { Predecessor } from "./predecessor.ts";
import { RememberedSettings } from "./remembered-settings.ts";
import type { NodeEnd, RunningNode } from "./running-node.ts";

/** Estimated size of the inputs that are kept in memory, to be written when the core halts. */
const RING_BYTES = 64 * 1024 * 1024;
const LOOP_DELAY_RESOLUTION_MS = 10;
const REVIEW_MS = 1000;
/** How long a member that was removed still tells workers whom to ask instead: some of their reports come in. */
const SENDS_ON_MS = 3000;
/** How long stopping waits for answers that are under way. */
const ANSWER_LIMIT_MS = 2000;
/** Longer than a transfer to a healthy node takes. When all nodes stop at once, there may be no such node. */
const TRANSFER_LIMIT_MS = 2000;
const START_BY_HAND_LIMIT_MS = 30_000;

export class MemberNode implements RunningNode, Served {
  readonly node: Node;
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly incarnation: number;
  readonly peerId: PeerId;
  readonly version: string;
  readonly socketPath: string;
  readonly addresses: readonly string[];
  readonly ended: Promise<NodeEnd>;
  readonly #end: (end: NodeEnd) => void;
  readonly #options: NodeOptions;
  readonly #directory: DataDirectory;
  readonly #log: Logger;
  readonly #recorder: Recorder;
  readonly #loop: CoreLoop;
  readonly #handlers: Handlers;
  readonly #peers: PeerDirectory;
  readonly #workers: AdmittedWorkers;
  readonly #calls: MemberCalls;
  readonly #events: EventFeed;
  readonly #routes: MemberRoutes;
  readonly consoles: Consoles;
  readonly #images: HostImages;
  readonly imageCopies: ImageCopies;
  /** What is looked at every second, and when there is another leader. */
  readonly #reviewed: readonly { review(): void }[];
  readonly #startedMs = performance.now();
  readonly #loopDelay = monitorEventLoopDelay({ resolution: LOOP_DELAY_RESOLUTION_MS });
  #network: Network | null = null;
  #api: ApiServer | null = null;
  #worker: AgentLoop | null = null;
  #driver: Driver | null = null;
  #reviews: NodeJS.Timeout | null = null;
  #isRemoved = false;
  #departure: NodeJS.Timeout | null = null;
  #stopping: Promise<void> | null = null;
  /** What the last step left. Comparing references with it shows what a step has changed. */
  #seen: ReturnType<typeof viewOf>;

  /** @throws NodeStartError when the stored state cannot be used. */
  constructor(options: NodeOptions, directory: DataDirectory, log: Logger) {
    const { identity, restored, settings, storage } = directory;
    this.#options = options;
    this.#directory = directory;
    this.#log = log;
    this.nodeId = settings.nodeId;
    this.clusterId = restored.snapshot.clusterId;
    this.incarnation = restored.snapshot.incarnation;
    this.peerId = identity.peerId;
    this.version = options.version;
    this.socketPath = join(options.dataDir, "api.sock");
    this.addresses = settings.advertise;
    const { promise, resolve } = Promise.withResolvers<NodeEnd>();
    this.ended = promise;
    this.#end = resolve;

    this.#recorder =
      options.record === null
        ? ringRecorder(options.version, { bytesMax: RING_BYTES })
        : fileRecorder(options.version, options.record, (reason) => log.error(reason));
    this.node = this.#startCore();
    this.#seen = viewOf(this.node);
    this.#loop = new CoreLoop(this.node, {
      send: (to, message) => this.#network?.send(to, message),
      write: (write) => storage.write(write),
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

    const { node } = this;
    const remembered = new RememberedSettings(settings, (changed) => storage.saveSettings(changed), log);
    const self = { id: this.nodeId, peerId: this.peerId, addresses: this.addresses };
    const request = async (asked: ClientRequest) => await this.request(asked);
    const book = new AddressBook(self, node, settings.peers);
    this.#peers = new PeerDirectory({ self, book, settings: remembered, connect: (peers) => this.#connect(peers) });
    this.#workers = new AdmittedWorkers(node);
    this.#events = new EventFeed(node);
    this.#routes = new MemberRoutes({
      nodeId: this.nodeId,
      node,
      host: new HostRoutes({ clusterId: this.clusterId, log }),
    });
    this.consoles = memberConsoles({
      nodeId: this.nodeId,
      node,
      driver: () => this.#driver,
      open: async (to) => {
        if (this.#network === null) throw new Error("the network is not up");
        return await this.#network.channel(to);
      },
    });
    this.#images = new HostImages(options.dataDir, this.#imagePeers(), log);
    this.imageCopies = new ImageCopies({
      exchange: this.#images.exchange,
      self: this.peerId,
      hasHere: (digest) => this.#images.store.has(digest),
      workers: () => vmWorkers(node),
    });
    this.#calls = new MemberCalls({
      send: async (to, call, timeoutMs, signal) => {
        if (this.#network === null) throw new Error("the network is not up");
        return await this.#network.call(to, call, { timeoutMs, signal });
      },
      leader: () => node.configuration.members.find(({ id }) => id === node.leaderId && id !== this.nodeId) ?? null,
      procedure: async (from, body, signal) => await answerCall(this.#handlers, from, body, log, signal),
      join: async (joining, body, signal) => await this.#answerJoin(joining, body, signal, () => Promise.resolve(null)),
      log,
    });
    this.#reviewed = [
      new AddressAnnouncement({ book, request, log }),
      new Predecessor({
        nodeId: this.nodeId,
        node,
        settings: remembered,
        leave: async (nodeId, context) => await this.#handlers["cluster.leave"]({ nodeId }, context),
        log,
      }),
    ];
  }

  #startCore(): Node {
    const { identity, restored } = this.#directory;
    const raft = { ...DEFAULT_RAFT_OPTIONS, ...this.#options.raft };
    const stamp: Stamp = { nowMs: this.nowMs(), wallMs: Date.now() };
    this.#recorder.begin({ nodeId: this.nodeId, options: raft, peerId: this.peerId, restored, stamp });
    try {
      return new Node(this.nodeId, raft, this.#recorder.wrap(realRuntime(identity)), restored, stamp);
    } catch (error) {
      throw new NodeStartError(
        `the stored state of node ${this.nodeId} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
        "it is damaged or belongs to another identity: `blixard node --replace-from-peers` rebuilds this node from the others",
      );
    }
  }

  async start(): Promise<void> {
    const { identity, storage, settings } = this.#directory;
    const { bind, transport, apiBind } = settings;
    storage.listen({
      written: (writeId) => this.#loop.written(writeId),
      failed: (writeId, reason) => this.#loop.writeFailed(writeId, reason),
    });
    this.#loop.start();
    this.#network = await Network.start({
      identity,
      nodeId: this.nodeId,
      clusterId: this.clusterId,
      incarnation: this.incarnation,
      bind,
      addresses: this.addresses,
      transport,
      log: this.#log,
      handlers: {
        toldAddresses: (from, addresses) => this.#peers.told(from, addresses),
        message: (from, message) => this.#loop.message(from, message),
        isMember: (peerId) => this.node.isMember(peerId),
        isServer: (peerId) => this.node.isMember(peerId),
        channel: (channel) => this.consoles.answer(channel),
        image: async (from, question, signal) => await this.#images.exchange.answer(from, question, signal),
        workers: {
          isWorker: (peerId) => this.#workers.has(peerId),
          isRemoved: (peerId) => this.#workers.isRemoved(peerId),
          report: async (from, report) => await this.#answerReport(from, report),
          servers: () => this.#peers.encodedServers,
          routes: (since) => this.#routes.news(since),
        },
        toldServers: () => undefined,
        toldRoutes: () => undefined,
        toldRemoved: () => undefined,
        introduction: (to, refused) => this.#introduction(to, refused),
        call: async (from, call, signal) => await this.#calls.answer(from, call, signal),
        join: async (from, request, signal) =>
          await this.#answerJoin(from, request, signal, () => this.#calls.forwardJoin(from, request, signal)),
      },
    });
    this.#network.setPeers(this.#peers.peers());
    this.#api = await startApi({
      handlers: this.#handlers,
      events: this.#events,
      consoles: consoleSource(this),
      socketPath: this.socketPath,
      tcpBind: apiBind,
      authenticate: (bearer) => authenticate(this.node.state, bearer, Date.now()),
      log: this.#log,
      version: this.version,
    });
    this.#loopDelay.enable();
    this.#reviews = setInterval(() => this.#review(), REVIEW_MS);
    this.#review();
    if (settings.works) this.#worker = await this.#startWorker();
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

  // ---- What the API asks of it

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
    // What is measured includes the time between two measurements.
    return Math.max(0, this.#loopDelay.percentile(99) / 1e6 - LOOP_DELAY_RESOLUTION_MS);
  }

  peerStatus(): ReturnType<Network["status"]> {
    return this.#network?.status() ?? [];
  }

  async request(request: ClientRequest): Promise<ClientAnswer> {
    return await this.#loop.request(request);
  }

  async callMember<Name extends ProcedureName>(
    peerId: PeerId,
    name: Name,
    body: CheckedRequestOf<Name>,
    context: CallContext,
  ): Promise<AnswerOf<Name>> {
    return await this.#calls.callProcedure(peerId, name, body, context);
  }

  // ---- What follows from the core's steps

  /** After every step. Compares references only. */
  #stepped(): void {
    const { node } = this;
    const seen = this.#seen;
    if (node.removed && !this.#isRemoved) this.#removed();
    if (node.state === seen.state && node.peers === seen.peers && node.leaderId === seen.leaderId) return;
    this.#seen = viewOf(node);
    if (node.peers !== seen.peers || node.state.nodes !== seen.nodes) this.#peers.update();
    if (node.state !== seen.state) {
      this.#events.announce();
      this.#routes.stepped();
    }
    if (node.leaderId !== seen.leaderId && node.leaderId !== NOBODY) {
      this.#log.info(
        { leader: node.leaderId, term: node.term },
        node.leaderId === this.nodeId ? "leads the cluster" : "follows a leader",
      );
      setImmediate(() => this.#review());
    }
  }

  #connect(peers: readonly NetworkPeer[]): void {
    this.#network?.setPeers(peers);
    this.#network?.review();
  }

  #review(): void {
    if (this.#stopping !== null) return;
    for (const each of this.#reviewed) each.review();
  }

  #removed(): void {
    this.#isRemoved = true;
    this.#log.warn("this node has been removed from the cluster");
    this.#departure = setTimeout(() => this.#end({ kind: "removed" }), SENDS_ON_MS);
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

  // ---- What peers ask of it

  /**
   * What proves to `to` that this node is a member. A peer that was refused is shown it only when it has been retired,
   * so that it learns that.
   */
  #introduction(to: NodeId, refused: PeerId | null): Message | null {
    const { retired } = this.node.configuration;
    return refused === null || retired.some(({ peerId }) => peerId === refused) ? this.node.introduction(to) : null;
  }

  /** `from` is the peer that the connection has authenticated. */
  async #answerReport(from: PeerId, data: Uint8Array): Promise<Uint8Array | null> {
    const answer = await this.request({ kind: "report", peerId: from, data });
    if (answer.kind === "directive") return answer.data;
    this.#log.debug({ from, answer }, "a report was not answered");
    return null;
  }

  #imagePeers(): ImagePeers {
    const { node } = this;
    return {
      isMember: true,
      isMemberOfCluster: (peerId) => node.isMember(peerId),
      ask: async (to, question, limitMs, signal) => {
        if (this.#network === null) throw new Error("the network is not up");
        return await this.#network.askForImage(to, question, limitMs, signal);
      },
      members: () => node.configuration.members.flatMap(({ id, peerId }) => (id === this.nodeId ? [] : [peerId])),
      workers: () => [...(this.#network?.connected() ?? [])].filter((peerId) => this.#workers.has(peerId)),
    };
  }

  async #answerJoin(
    from: PeerId,
    request: Uint8Array,
    signal: AbortSignal,
    askLeader: () => Promise<Uint8Array | null>,
  ): Promise<Uint8Array> {
    const log = this.#log.child({ requestId: randomUUID(), joining: from });
    log.info("a node asks to join");
    const answer = await answerJoin(
      {
        clusterId: this.clusterId,
        incarnation: this.incarnation,
        node: this.node,
        request: async (asked) => await this.request(asked),
        wallMs: Date.now,
        peers: () => this.#peers.servers(),
        askLeader,
      },
      from,
      request,
      signal,
    );
    log.info({ answer: new TextDecoder().decode(answer.subarray(0, 200)) }, "answered a join");
    return answer;
  }

  // ---- The worker on this host

  async #startWorker(): Promise<AgentLoop> {
    const { dataDir } = this.#options;
    const { worker } = this.#directory.settings;
    const others = this.node.configuration.members.flatMap(({ id }) => (id === this.nodeId ? [] : [id]));
    const owner = { clusterId: this.clusterId, workerId: this.nodeId };
    const driver = await openDriver({ dataDir, options: worker, images: this.#images, owner, log: this.#log });
    this.#driver = driver;
    return await AgentLoop.start({
      workerId: this.nodeId,
      dataDir,
      facts: await probeFacts(dataDir, worker, driver?.features ?? [], this.addresses),
      driver,
      servers: [this.nodeId, ...others],
      log: this.#log,
      report: async (to, report) => await this.#report(to, report),
      // A member ends when its own log says that it has been removed.
      ended: () => undefined,
      // The cluster sees that this worker is lost. As a voter the member goes on: consensus does not need its worker.
      halted: () => undefined,
      startedByHand: (vm) => void this.#startByHand(vm),
    });
  }

  /** As `blixard vm start` does. */
  async #startByHand(vm: string): Promise<void> {
    this.#log.info({ vm }, "somebody has started the unit of a VM: the cluster is asked to start it");
    const api = connectApi({ socketPath: this.socketPath });
    try {
      await api.write("vm.start", { name: vm }, { timeoutMs: START_BY_HAND_LIMIT_MS });
    } catch (error) {
      this.#log.warn({ err: error, vm }, "the cluster did not take the request to start a VM");
    } finally {
      await api.close();
    }
  }

  /**
   * Through this node's core, which knows the leader. If it knows none, through the member that the agent has chosen.
   */
  async #report(to: NodeId, report: Uint8Array): Promise<Uint8Array | null> {
    if (to === this.nodeId || this.node.leaderId !== NOBODY) return await this.#answerReport(this.peerId, report);
    const member = this.node.configuration.members.find(({ id }) => id === to);
    return member === undefined ? null : ((await this.#network?.report(member.peerId, report)) ?? null);
  }

  // ---- The end

  async stop(limitMs: number): Promise<void> {
    this.#stopping ??= this.#stop(limitMs);
    await this.#stopping;
  }

  async #stop(limitMs: number): Promise<void> {
    const deadlineMs = this.nowMs() + limitMs;
    const leftMs = (): number => Math.max(0, deadlineMs - this.nowMs());
    if (this.#reviews !== null) clearInterval(this.#reviews);
    if (this.#departure !== null) clearTimeout(this.#departure);
    this.#loopDelay.disable();
    this.#peers.stop();
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
    await Promise.race([this.#routes.stop(this.#isRemoved), delay(leftMs() / 2, null, { ref: false })]);
    this.#loop.stop();
    await this.#network?.stop(Math.min(ANSWER_LIMIT_MS, leftMs() + 100));
    await this.#directory.storage.close();
    this.#recorder.close();
    this.#log.info("node has stopped");
    this.#log.flush();
  }
}

function viewOf({ peers, state, leaderId }: Node) {
  return { peers, nodes: state.nodes, state, leaderId };
}

/** The workers that run VMs and that the cluster counts on. */
function vmWorkers({ state, configuration }: Pick<Node, "state" | "configuration">): readonly PeerId[] {
  const memberOf = (id: NodeId): PeerId | undefined => configuration.members.find((member) => member.id === id)?.peerId;
  return tableValues(state.workers).flatMap(({ id, isOnline, driver }) => {
    const peerId = memberOf(id) ?? nodeOf(state, id)?.peerId;
    return isOnline && driver !== null && peerId !== undefined ? [peerId] : [];
  });
}
