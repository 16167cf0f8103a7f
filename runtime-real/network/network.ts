/** Everything between this node and others. See link.ts for what it says; here is what it hears, and from whom. */
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { Logger } from "pino";
import {
  decodeMessage,
  encodeMessage,
  InvalidFrame,
  LIMITS,
  type Message,
  type NodeId,
  type PeerId,
} from "../../core/index.ts";
import type { Identity } from "../identity/index.ts";
import { parseAddress } from "./addresses.ts";
import { FrameReader, FrameTooLong, say } from "./frames.ts";
import { encodeAnswer, type HelloAnswer, helloOf, parseHello } from "./handshake.ts";
import { CALL_LIMIT_BYTES, exchange, HELLO_LIMIT_BYTES, Link, type PeerStatus, PROTOCOLS } from "./link.ts";
import { NetworkError } from "./network-error.ts";
import { answerFrame, parseReport, REPORT_LIMIT_BYTES, serversFrame } from "./reports.ts";
import { createTransport, multiaddrOf, stopWithin, type TransportKind } from "./transport.ts";

export interface NetworkPeer {
  readonly id: NodeId;
  readonly peerId: PeerId;
  /** host:port each. */
  readonly addresses: readonly string[];
}

export interface NetworkHandlers {
  /** `from` is whom the connection authenticated. Must not throw. */
  message(from: PeerId, message: Message): void;
  /** Whether replicated state knows it as a member now. */
  isMember(peerId: PeerId): boolean;
  /** Null: nobody reports here. */
  readonly workers: WorkerHandlers | null;
  /** A server has told where the servers are. */
  toldServers(from: PeerId, servers: Uint8Array): void;
  /** A server has told that this worker has been removed, for ever. */
  toldRemoved(from: PeerId): void;
  /** What proves to `to` who the members are, this node among them or not; null: nothing to show. */
  introduction(to: NodeId, peerId: PeerId | null): Message | null;
  /** A member calls. What it rejects with ends the stream. */
  call(from: PeerId, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /** Anybody asks to join: the only thing that a stranger reaches, beside a hello. */
  join(from: PeerId, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
}

/** What a server does for workers. */
export interface WorkerHandlers {
  /** Whether replicated state knows it as a worker that is no member. */
  isWorker(peerId: PeerId): boolean;
  /** Whether it was one, and has been removed for ever. */
  isRemoved(peerId: PeerId): boolean;
  /** A member or a worker reports. Null: there is no answer for it now. Must not reject. */
  report(from: PeerId, report: Uint8Array): Promise<Uint8Array | null>;
  /** Where the servers are. The same value until that changes. */
  servers(): Uint8Array;
}

export interface NetworkOptions {
  readonly identity: Identity;
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly incarnation: number;
  /** host:port. */
  readonly bind: string;
  readonly transport: TransportKind;
  readonly handlers: NetworkHandlers;
  readonly log: Logger;
}

const JOIN_LIMIT_BYTES = 64 * 1024;
const STRANGERS_MAX = 32;
/** How long a stranger may stay. Joining may wait for another change of membership. */
const STRANGER_MS = 30_000;
const CALL_TIMEOUT_MS = 30_000;
/** Reports of one worker that wait for their answers. An honest one sends a second after it has given up on the first. */
const REPORTS_MAX = 4;
/** Streams of one kind that a peer may hold open, beyond what an honest one needs in the worst case. */
const STREAMS_MAX = { long: 8, call: 128, join: 4 } as const;
const COMPLAINT_MS = 10_000;

export class Network {
  readonly #options: NetworkOptions;
  readonly #links = new Map<PeerId, Link>();
  readonly #strangers = new Map<Connection, NodeJS.Timeout>();
  readonly #calls = new Set<AbortController>();
  #libp2p: Libp2p | null = null;
  #lastComplaintMs = Number.NEGATIVE_INFINITY;
  #undecodable = 0;

  private constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** @throws NetworkError of kind `cannotListen`. */
  static async start(options: NetworkOptions): Promise<Network> {
    const network = new Network(options);
    await network.#start();
    return network;
  }

  async #start(): Promise<void> {
    const { bind, transport, identity } = this.#options;
    const address = parseAddress(bind);
    if (address === null) throw new NetworkError("cannotListen", `${bind} is no address`, "give host:port");
    try {
      const libp2p = await createTransport({
        privateKey: identity.privateKey,
        kind: transport,
        listen: [await multiaddrOf(address.host, address.port, transport)],
        gater: {
          denyInboundEncryptedConnection: (peerId) => !this.#mayEnter(peerId.toString()),
          denyDialMultiaddr: () => false,
        },
      });
      this.#libp2p = libp2p;
      libp2p.addEventListener("connection:open", ({ detail }) => this.#opened(detail));
      libp2p.addEventListener("connection:close", ({ detail }) => this.#closed(detail));
      const long = { maxInboundStreams: STREAMS_MAX.long, maxOutboundStreams: STREAMS_MAX.long };
      await libp2p.handle(PROTOCOLS.hello, (stream, connection) => this.#hello(stream, connection), long);
      await libp2p.handle(PROTOCOLS.raft, (stream, connection) => this.#messages(stream, connection), long);
      await libp2p.handle(PROTOCOLS.snapshot, (stream, connection) => this.#messages(stream, connection), long);
      await libp2p.handle(PROTOCOLS.report, (stream, connection) => this.#reports(stream, connection), long);
      const calls = { maxInboundStreams: STREAMS_MAX.call, maxOutboundStreams: STREAMS_MAX.call };
      await libp2p.handle(PROTOCOLS.call, (stream, connection) => this.#call(stream, connection), calls);
      const joins = { maxInboundStreams: STREAMS_MAX.join, maxOutboundStreams: STREAMS_MAX.join };
      await libp2p.handle(PROTOCOLS.join, (stream, connection) => this.#join(stream, connection), joins);
    } catch (error) {
      throw new NetworkError(
        "cannotListen",
        `cannot listen on ${bind} (${transport}): ${reasonOf(error)}`,
        "is another process listening there, or is the address not this host's? --bind takes another",
      );
    }
  }

  /** The port that it listens on, whichever it was given. */
  get boundPort(): number {
    const [address] = this.#libp2p?.getMultiaddrs() ?? [];
    return Number(/\/(?:udp|tcp)\/(\d+)/.exec(String(address))?.[1] ?? 0);
  }

  /** Who is to be connected to. Who is not listed any more is cut off at once. */
  setPeers(peers: readonly NetworkPeer[]): void {
    const libp2p = this.#libp2p;
    if (libp2p === null) return;
    const listed = new Map(peers.map((peer) => [peer.peerId, peer]));
    for (const [peerId, link] of this.#links) {
      if (listed.has(peerId)) continue;
      link.close();
      this.#links.delete(peerId);
      for (const connection of libp2p.getConnections())
        if (connection.remotePeer.toString() === peerId) connection.abort(new Error("no member any more"));
    }
    for (const { id, peerId, addresses } of peers) {
      const link = this.#links.get(peerId);
      if (link !== undefined) {
        link.addresses = addresses;
        continue;
      }
      this.#links.set(
        peerId,
        new Link(
          {
            libp2p,
            log: this.#options.log,
            hello: (to, proves) => this.#ownHello(to, proves),
            resolve: (texts) => this.#resolve(texts),
            refusedBy: (from, introduction) => this.#introduced(from, introduction),
            toldServers: (from, servers) => this.#options.handlers.toldServers(from, servers),
            toldRemoved: (from) => this.#options.handlers.toldRemoved(from),
          },
          id,
          peerId,
          addresses,
        ),
      );
    }
  }

  /** Cuts off whoever is neither connected to on purpose nor known, and is no stranger whose time runs. */
  review(): void {
    for (const connection of this.#libp2p?.getConnections() ?? []) {
      const peerId = connection.remotePeer.toString();
      if (!this.#links.has(peerId) && !this.#isKnown(peerId) && !this.#strangers.has(connection))
        connection.abort(new Error("not known any more"));
    }
  }

  /** Never blocks and never throws: what cannot be sent is lost, and Raft says it again. */
  send(to: PeerId, message: Message): void {
    this.#links.get(to)?.send(message);
  }

  /** @throws NetworkError */
  async call(
    to: PeerId,
    request: Uint8Array,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Uint8Array> {
    const link = this.#links.get(to);
    if (link === undefined) throw new NetworkError("notConnected", `${to} is no member`, "ask a member");
    return await link.call(request, options.timeoutMs, options.signal);
  }

  /** What a worker's report to a listed peer is answered with; null: nothing. Never rejects. */
  async report(to: PeerId, report: Uint8Array): Promise<Uint8Array | null> {
    return (await this.#links.get(to)?.report(report)) ?? null;
  }

  status(): readonly PeerStatus[] {
    return [...this.#links.values()].map((link) => link.status());
  }

  async stop(limitMs: number): Promise<void> {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    for (const timer of this.#strangers.values()) clearTimeout(timer);
    for (const call of this.#calls) call.abort();
    const libp2p = this.#libp2p;
    this.#libp2p = null;
    if (libp2p === null) return;
    const end = await stopWithin(libp2p, limitMs);
    if (end !== "stopped") this.#options.log.debug({ end }, "the transport did not stop in order");
  }

  // ---- Who comes in

  #isKnown(peerId: PeerId): boolean {
    const { handlers } = this.#options;
    return handlers.isMember(peerId) || handlers.workers?.isWorker(peerId) === true;
  }

  #mayEnter(peerId: PeerId): boolean {
    if (this.#isKnown(peerId)) return true;
    if (this.#strangers.size < STRANGERS_MAX) return true;
    this.#complain("too many strangers at once: some were turned away");
    return false;
  }

  #opened(connection: Connection): void {
    const peerId = connection.remotePeer.toString();
    if (connection.direction === "outbound" || this.#isKnown(peerId)) return;
    if (this.#strangers.size >= STRANGERS_MAX) {
      connection.abort(new Error("too many strangers"));
      return;
    }
    const timer = setTimeout(() => {
      this.#strangers.delete(connection);
      if (!this.#isKnown(peerId)) connection.abort(new Error("a stranger's time is over"));
    }, STRANGER_MS);
    this.#strangers.set(connection, timer);
  }

  #closed(connection: Connection): void {
    clearTimeout(this.#strangers.get(connection));
    this.#strangers.delete(connection);
  }

  // ---- What comes in

  #hello(stream: Stream, connection: Connection): void {
    const from = connection.remotePeer.toString();
    let isGreeted = false;
    this.#read(stream, HELLO_LIMIT_BYTES, (frame) => {
      if (isGreeted) {
        // A ping. One at a time is on its way to an honest peer.
        if (frame.length > 64 || stream.writableNeedsDrain) return;
        const link = this.#links.get(from);
        if (link !== undefined) link.lastHeardMs = performance.now();
        say(stream, frame);
        return;
      }
      isGreeted = true;
      const answer = this.#answerHello(from, frame);
      say(stream, encodeAnswer(answer));
      if (answer.kind === "refused") stream.close().catch(() => stream.abort(new Error("refused")));
      else this.#links.get(from)?.greeted();
    });
  }

  #answerHello(from: PeerId, frame: Uint8Array): HelloAnswer {
    const { handlers, clusterId, incarnation, nodeId } = this.#options;
    const hello = parseHello(frame);
    if (hello === null) return { kind: "refused", reason: "invalid", introduction: null };
    if (hello.clusterId !== clusterId || hello.incarnation !== incarnation)
      return { kind: "refused", reason: "wrongCluster", introduction: null };
    if (hello.introduction !== null && !handlers.isMember(from)) this.#introduced(from, hello.introduction);
    if (this.#isKnown(from)) return { kind: "welcome", nodeId };
    if (handlers.workers?.isRemoved(from) === true) return { kind: "refused", reason: "removed", introduction: null };
    const introduction = handlers.introduction(hello.nodeId, from);
    return { kind: "refused", reason: "notMember", introduction: introduction === null ? null : base64(introduction) };
  }

  #ownHello(to: NodeId, proves: boolean): Uint8Array {
    const { handlers, nodeId, clusterId, incarnation } = this.#options;
    const introduction = proves ? handlers.introduction(to, null) : null;
    return helloOf({
      nodeId,
      clusterId,
      incarnation,
      introduction: introduction === null ? null : base64(introduction),
    });
  }

  /** The one Raft message that needs no membership: it proves itself, and the core checks the proof. */
  #introduced(from: PeerId, introduction: string): void {
    try {
      const message = decodeMessage(Buffer.from(introduction, "base64"));
      if (message.type === "introduction") this.#options.handlers.message(from, message);
    } catch (error) {
      if (!(error instanceof InvalidFrame)) throw error;
      this.#complain(`an introduction of ${from} cannot be read: ${error.message}`);
    }
  }

  #messages(stream: Stream, connection: Connection): void {
    const { handlers } = this.#options;
    const from = connection.remotePeer.toString();
    if (!handlers.isMember(from)) {
      stream.abort(new Error("no member"));
      return;
    }
    this.#read(stream, LIMITS.frameBytes, (frame) => {
      const link = this.#links.get(from);
      if (link !== undefined) {
        link.lastHeardMs = performance.now();
        link.received++;
      }
      handlers.message(from, decodeMessage(frame));
    });
  }

  #reports(stream: Stream, connection: Connection): void {
    const { workers } = this.#options.handlers;
    const from = connection.remotePeer.toString();
    if (workers === null || !this.#isKnown(from)) {
      stream.abort(new Error("no worker"));
      return;
    }
    let told: Uint8Array | null = null;
    let underWay = 0;
    const tellServers = (): void => {
      const servers = workers.servers();
      if (servers === told || stream.writableNeedsDrain) return;
      told = servers;
      say(stream, serversFrame(servers));
    };
    const answer = async (number: number, report: Uint8Array): Promise<void> => {
      const directive = await workers.report(from, report);
      // A stream that was just opened may have to drain too: that is no reason to leave a report without its answer.
      if (stream.writableNeedsDrain) await stream.onDrain().catch(() => undefined);
      if (stream.status !== "open") return;
      tellServers();
      say(stream, answerFrame(number, directive));
    };
    this.#read(stream, REPORT_LIMIT_BYTES, (frame) => {
      const { number, report } = parseReport(frame);
      // Whoever does not read answers has a few of them waiting here, and gets no more.
      if (underWay >= REPORTS_MAX) return;
      underWay++;
      void answer(number, report).finally(() => {
        underWay--;
      });
    });
  }

  #call(stream: Stream, connection: Connection): void {
    const { handlers } = this.#options;
    const from = connection.remotePeer.toString();
    if (handlers.isMember(from))
      this.#answer(stream, CALL_LIMIT_BYTES, (request, signal) => handlers.call(from, request, signal));
    else stream.abort(new Error("no member"));
  }

  #join(stream: Stream, connection: Connection): void {
    const from = connection.remotePeer.toString();
    this.#answer(stream, JOIN_LIMIT_BYTES, (request, signal) => this.#options.handlers.join(from, request, signal));
  }

  /** One request, one answer. */
  #answer(
    stream: Stream,
    limitBytes: number,
    answer: (request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>,
  ): void {
    const controller = new AbortController();
    this.#calls.add(controller);
    const limit = setTimeout(() => stream.abort(new Error("takes too long")), CALL_TIMEOUT_MS);
    stream.addEventListener("close", () => {
      clearTimeout(limit);
      controller.abort();
      this.#calls.delete(controller);
    });
    let isAsked = false;
    this.#read(stream, limitBytes, (request) => {
      if (isAsked) return;
      isAsked = true;
      answer(request, controller.signal).then(
        (bytes) => {
          if (stream.status !== "open") return;
          say(stream, bytes);
          stream.close().catch(() => stream.abort(new Error("cannot be closed")));
        },
        (error: unknown) => {
          this.#complain(`a call failed: ${error instanceof Error ? error.message : String(error)}`);
          stream.abort(new Error("failed"));
        },
      );
    });
  }

  #read(stream: Stream, limitBytes: number, take: (frame: Uint8Array) => void): void {
    const reader = new FrameReader(limitBytes, take);
    stream.addEventListener("message", ({ data }) => {
      if (stream.status !== "open" && stream.status !== "closing") return;
      try {
        reader.push(data.subarray());
      } catch (error) {
        if (!(error instanceof InvalidFrame) && !(error instanceof FrameTooLong)) throw error;
        this.#undecodable++;
        this.#complain(`bytes that are no message: ${error.message}`);
        stream.abort(error);
      }
    });
  }

  /** Whoever sends rubbish does not fill the log with it. */
  #complain(what: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastComplaintMs < COMPLAINT_MS) return;
    this.#lastComplaintMs = nowMs;
    this.#options.log.warn({ undecodable: this.#undecodable }, what);
  }

  async #resolve(addresses: readonly string[]): Promise<readonly Multiaddr[]> {
    const found = await Promise.all(
      addresses.map(async (text) => {
        const address = parseAddress(text);
        if (address === null) return [];
        return await multiaddrOf(address.host, address.port, this.#options.transport).then(
          (found) => [found],
          () => [],
        );
      }),
    );
    return found.flat();
  }
}

/** libp2p wraps the reason into a list of addresses and stacks: the system's own words are enough. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (
    /(?:Error: )?([^\n:]*\(os error \d+\)|listen E\w+[^\n]*)/.exec(message)?.[1]?.trim() ??
    message.split("\n")[0] ??
    message
  );
}

function base64(message: Message): string {
  return Buffer.from(encodeMessage(message)).toString("base64");
}

/**
 * Asks a node, of which only the address is known, over the join protocol.
 *
 * @throws NetworkError, also when `accept` does not want the peer that lives there: it has not been told anything then.
 */
export async function askToJoin(options: {
  readonly identity: Identity;
  readonly address: string;
  readonly transport: TransportKind;
  readonly request: Uint8Array;
  readonly timeoutMs: number;
  accept(peerId: PeerId): boolean;
}): Promise<{ readonly peerId: PeerId; readonly answer: Uint8Array }> {
  const { identity, address: text, transport, request, timeoutMs, accept } = options;
  const address = parseAddress(text);
  if (address === null) throw new NetworkError("notConnected", `${text} is no address`, "give host:port");
  const libp2p = await createTransport({ privateKey: identity.privateKey, kind: transport, listen: [], gater: {} });
  try {
    const target = await multiaddrOf(address.host, address.port, transport);
    const connection = await libp2p
      .dial(target, { signal: AbortSignal.timeout(Math.min(timeoutMs, 3000)) })
      .catch((error: unknown) => {
        throw new NetworkError(
          "notConnected",
          error instanceof Error ? error.message : String(error),
          "is the node up, and the address right?",
        );
      });
    const peerId = connection.remotePeer.toString();
    if (!accept(peerId)) throw new NetworkError("notConnected", `${peerId} lives there`, "ask another node");
    return {
      peerId,
      answer: await exchange(connection, PROTOCOLS.join, request, AbortSignal.timeout(timeoutMs), CALL_LIMIT_BYTES),
    };
  } finally {
    await stopWithin(libp2p, 500);
  }
}
