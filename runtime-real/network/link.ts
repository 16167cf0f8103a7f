/**
 * This node's own connection to one peer. Over it this node sends everything that it has to say to the peer; what the
 * peer says comes over the peer's own connection. So the two need not agree which of two connections to keep, and
 * each knows by itself whether it gets through.
 *
 * Connected means that the JavaScript of the peer has answered a hello. If it stops answering pings, it is not
 * connected any more.
 */
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { Logger } from "pino";
import { encodeMessage, type Message, type NodeId, type PeerId } from "../../core/index.ts";
import { FrameReader } from "../frames/index.ts";
import { exchange } from "./exchange.ts";
import { type HelloAnswer, parseAnswer } from "./handshake.ts";
import { NetworkError } from "./network-error.ts";
import { Outbox } from "./outbox.ts";
import { CALL_LIMIT_BYTES, HELLO_LIMIT_BYTES, PROTOCOLS } from "./protocols.ts";
import { ReportLine } from "./reports.ts";
import { say } from "./say.ts";

const DIAL_TIMEOUT_MS = 2000;
const PING_MS = 500;
/** A peer that answers nothing for this long hangs. Longer than a busy peer pauses. */
const SILENCE_MS = 3000;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 3000;
/** Messages and bytes that wait for one peer. */
const RAFT_OUTBOX = { messages: 4096, bytes: 32 * 1024 * 1024 } as const;
const SNAPSHOT_OUTBOX = { messages: 64, bytes: 8 * 1024 * 1024 } as const;
const CALLS_MAX = 64;

export interface PeerStatus {
  readonly id: NodeId;
  readonly peerId: PeerId;
  readonly addresses: readonly string[];
  readonly connected: boolean;
  /** Monotonic milliseconds (`performance.now()`); null: never. */
  readonly lastHeardMs: number | null;
  readonly roundTripMs: number | null;
  readonly queued: number;
  readonly sent: number;
  readonly received: number;
  readonly dropped: number;
  /** Why the last attempt to connect failed. */
  readonly lastError: string | null;
}

export interface LinkContext {
  readonly libp2p: Libp2p;
  readonly log: Logger;
  /** The hello of this node. `proves`: with the proof that it is a member, because the peer did not know it. */
  hello(to: NodeId, proves: boolean): Uint8Array;
  /** Null: it cannot be dialled. */
  resolve(address: string): Promise<Multiaddr | null>;
  /** A peer has refused this node and shows the proof why. */
  refusedBy(peerId: PeerId, introduction: string): void;
  /** A server has told where the servers are. */
  toldServers(peerId: PeerId, servers: Uint8Array): void;
  /** A server has told news of the routes to guests. */
  toldRoutes(peerId: PeerId, news: Uint8Array): void;
  /** A server says that this worker has been removed. Removal is for ever. */
  toldRemoved(peerId: PeerId): void;
}

export class Link {
  readonly id: NodeId;
  readonly peerId: PeerId;
  addresses: readonly string[];
  lastHeardMs: number | null = null;
  received = 0;
  readonly #context: LinkContext;
  readonly #raft: Outbox;
  readonly #snapshots: Outbox;
  readonly #reports: ReportLine;
  #connection: Connection | null = null;
  #isConnected = false;
  #roundTripMs: number | null = null;
  #lastError: string | null = null;
  #retryMs = RETRY_MIN_MS;
  /** Attempts to connect since the last success: each is made at another address. */
  #attempts = 0;
  #retry: NodeJS.Timeout | null = null;
  #isClosed = false;
  #dial: AbortController | null = null;
  #provesItself = false;
  #calls = 0;

  constructor(context: LinkContext, id: NodeId, peerId: PeerId, addresses: readonly string[]) {
    this.#context = context;
    this.id = id;
    this.peerId = peerId;
    this.addresses = addresses;
    this.#raft = new Outbox(RAFT_OUTBOX.messages, RAFT_OUTBOX.bytes, () => this.#openToSpeak(PROTOCOLS.raft));
    this.#snapshots = new Outbox(SNAPSHOT_OUTBOX.messages, SNAPSHOT_OUTBOX.bytes, () =>
      this.#openToSpeak(PROTOCOLS.snapshot),
    );
    this.#reports = new ReportLine(() => this.#open(PROTOCOLS.report), {
      servers: (servers) => context.toldServers(peerId, servers),
      routes: (news) => context.toldRoutes(peerId, news),
    });
    void this.#connect();
  }

  send(message: Message): void {
    // Raft sends it again. Messages that wait for a dead peer would be out of date when the peer comes back.
    if (!this.#isConnected) return;
    (message.type === "snapshotChunk" ? this.#snapshots : this.#raft).push(encodeMessage(message));
  }

  /** @throws NetworkError */
  async call(request: Uint8Array, timeoutMs: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const connection = this.#connection;
    if (connection === null || !this.#isConnected)
      throw new NetworkError("notConnected", `node ${this.id} is not connected`, this.#lastError ?? "wait until it is");
    if (this.#calls >= CALLS_MAX)
      throw new NetworkError("busy", `${CALLS_MAX} calls to node ${this.id} are under way`, "try again in a moment");
    this.#calls++;
    try {
      const limit = AbortSignal.timeout(timeoutMs);
      const either = signal === undefined ? limit : AbortSignal.any([limit, signal]);
      return await exchange(connection, PROTOCOLS.call, request, either, CALL_LIMIT_BYTES);
    } finally {
      this.#calls--;
    }
  }

  /** The answer to a worker's report; null: none came. Waits for the connection for a short time. Never rejects. */
  async report(report: Uint8Array): Promise<Uint8Array | null> {
    return await this.#reports.ask(report);
  }

  /**
   * The peer has said hello over its own connection, so it runs. Dials again at once: an earlier dial may hang for
   * seconds.
   */
  greeted(): void {
    this.lastHeardMs = performance.now();
    if (this.#isConnected) return;
    this.#retryMs = RETRY_MIN_MS;
    this.#attempts = 0;
    this.#dial?.abort();
    if (this.#retry === null) return;
    clearTimeout(this.#retry);
    this.#retry = null;
    void this.#connect();
  }

  status(): PeerStatus {
    return {
      id: this.id,
      peerId: this.peerId,
      addresses: this.addresses,
      connected: this.#isConnected,
      lastHeardMs: this.lastHeardMs,
      roundTripMs: this.#roundTripMs,
      queued: this.#raft.queued + this.#snapshots.queued,
      sent: this.#raft.sent + this.#snapshots.sent,
      received: this.received,
      dropped: this.#raft.dropped + this.#snapshots.dropped,
      lastError: this.#lastError,
    };
  }

  close(): void {
    this.#isClosed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#lost("the link was closed");
    this.#reports.close();
  }

  /** Null: the peer is not connected. */
  get connection(): Connection | null {
    return this.#isConnected ? this.#connection : null;
  }

  /** A stream to the peer; null: it is not connected. */
  async openConsole(): Promise<Stream | null> {
    return await this.#open(PROTOCOLS.console);
  }

  async #open(protocol: string): Promise<Stream | null> {
    const connection = this.#connection;
    if (connection === null || !this.#isConnected) return null;
    return await connection.newStream(protocol, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) });
  }

  /** A stream on which only this node sends. What comes over it is dropped. */
  async #openToSpeak(protocol: string): Promise<Stream | null> {
    const stream = await this.#open(protocol);
    stream?.addEventListener("message", () => undefined);
    return stream;
  }

  /**
   * Tries one address. Those that are left over from an earlier time may lead to nobody, which costs the whole time-out
   * of a dial, or to another peer; so the next attempt is made at the next one.
   */
  async #connect(): Promise<void> {
    let connection: Connection | null = null;
    try {
      const text = this.addresses[this.#attempts % Math.max(1, this.addresses.length)];
      this.#attempts += 1;
      if (text === undefined) throw new Error("its address is not known");
      const address = await this.#context.resolve(text);
      if (address === null) throw new Error(`${text} cannot be dialled`);
      if (this.#isClosed) return;
      // Forced: the connection that libp2p has may have died with the last process of the peer.
      this.#dial = new AbortController();
      const signal = AbortSignal.any([this.#dial.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]);
      connection = await this.#context.libp2p.dial(address, { signal, force: true });
      this.#dial = null;
      if (connection.remotePeer.toString() !== this.peerId)
        throw new Error(`the node at its address is ${connection.remotePeer.toString()}`);
      if (this.#isClosed) throw new Error("the link was closed");
      await this.#greet(connection);
    } catch (error) {
      this.#dial = null;
      connection?.abort(new Error("not welcome"));
      this.#tryAgain(error instanceof Error ? error.message : String(error));
    }
  }

  /** Says hello, and then sends pings for as long as the connection is open. */
  async #greet(connection: Connection): Promise<void> {
    const stream = await connection.newStream(PROTOCOLS.hello, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) });
    const answered = Promise.withResolvers<HelloAnswer | null>();
    // It may be rejected before anybody waits for it.
    answered.promise.catch(() => undefined);
    let isGreeted = false;
    /** When the ping was sent that is not answered yet; null: none is under way. */
    let pingedMs: number | null = null;
    const reader = new FrameReader(HELLO_LIMIT_BYTES, (frame) => {
      this.lastHeardMs = performance.now();
      if (!isGreeted) answered.resolve(parseAnswer(frame));
      else if (pingedMs !== null) this.#roundTripMs = this.lastHeardMs - pingedMs;
      isGreeted = true;
      pingedMs = null;
    });
    stream.addEventListener("message", ({ data }) => {
      try {
        reader.push(data.subarray());
      } catch {
        stream.abort(new Error("a frame that is too long"));
      }
    });
    const refused = (): void => answered.reject(new Error("it closed the connection instead of an answer"));
    stream.addEventListener("close", refused);
    // A stream that the peer resets ends on this side without a close event.
    stream.addEventListener("remoteCloseWrite", refused);
    const limit = setTimeout(() => answered.reject(new Error("it does not answer")), SILENCE_MS);
    say(stream, this.#context.hello(this.id, this.#provesItself));
    const answer = await answered.promise.finally(() => clearTimeout(limit));

    if (answer === null) throw new Error("its answer cannot be read");
    if (answer.kind === "refused") {
      // If the peer does not know this node, the next attempt shows the proof that it is a member.
      this.#provesItself = answer.reason === "notMember" && !this.#provesItself;
      if (answer.introduction !== null) this.#context.refusedBy(this.peerId, answer.introduction);
      if (answer.reason === "removed") this.#context.toldRemoved(this.peerId);
      throw new Error(`it refuses this node: ${answer.reason}`);
    }
    if (this.#isClosed) throw new Error("the link was closed");

    this.#connection = connection;
    this.#isConnected = true;
    this.#lastError = null;
    this.#retryMs = RETRY_MIN_MS;
    this.#attempts = 0;
    this.#provesItself = false;
    this.#context.log.info({ peer: this.id }, "connected");
    const ping = setInterval(() => {
      if (pingedMs === null) {
        pingedMs = performance.now();
        say(stream, PING);
      } else if (performance.now() - pingedMs > SILENCE_MS) {
        end("it does not answer any more");
      }
    }, PING_MS);
    const end = (reason: string): void => {
      clearInterval(ping);
      if (this.#connection !== connection) return;
      this.#lost(reason);
      this.#tryAgain(reason);
    };
    connection.addEventListener("close", () => end("the connection was closed"), { once: true });
    stream.addEventListener("close", () => end("the connection was closed"), { once: true });
    stream.addEventListener("remoteCloseWrite", () => end("the connection was closed"), { once: true });
    if (connection.status !== "open") end("the connection was closed");
    else this.#reports.flush();
  }

  #lost(reason: string): void {
    const connection = this.#connection;
    if (this.#isConnected) this.#context.log.info({ peer: this.id, reason }, "disconnected");
    this.#isConnected = false;
    this.#connection = null;
    this.#raft.reset();
    this.#snapshots.reset();
    this.#reports.reset();
    connection?.abort(new Error(reason));
  }

  #tryAgain(reason: string): void {
    if (this.#isClosed) return;
    if (reason !== this.#lastError) this.#context.log.debug({ peer: this.id, reason }, "cannot connect");
    this.#lastError = reason;
    // Between half of it and all of it, at random, so that not all nodes dial at once.
    const waitMs = this.#retryMs * (0.5 + Math.random() / 2);
    const isRoundOver = this.#attempts % Math.max(1, this.addresses.length) === 0;
    if (isRoundOver) this.#retryMs = Math.min(RETRY_MAX_MS, this.#retryMs * 2);
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#retry = null;
      void this.#connect();
    }, waitMs);
  }
}

const PING = new Uint8Array(1);
