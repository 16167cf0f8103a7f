/**
 * The network of one node: its own connections to peers (link.ts), what others open to it (inbound.ts), and which of
 * them may stay connected (strangers.ts).
 */
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { Logger } from "pino";
import type { Message, NodeId, PeerId } from "../../core/index.ts";
import type { Identity } from "../identity/index.ts";
import { parseAddress } from "./addresses.ts";
import { Channel } from "./channel.ts";
import { Complaints } from "./complaints.ts";
import { exchange } from "./exchange.ts";
import { Greeter } from "./greeter.ts";
import { Inbound } from "./inbound.ts";
import { Link, type PeerStatus } from "./link.ts";
import { NetworkError } from "./network-error.ts";
import { isKnown, type NetworkHandlers } from "./network-handlers.ts";
import { CHANNEL_LIMIT_BYTES, IMAGE_LIMIT_BYTES, PROTOCOLS } from "./protocols.ts";
import { Strangers } from "./strangers.ts";
import { createTransport, multiaddrOf, stopWithin, type TransportKind } from "./transport.ts";

const OPEN_TIMEOUT_MS = 2000;

export interface NetworkPeer {
  readonly id: NodeId;
  readonly peerId: PeerId;
  /** host:port each. */
  readonly addresses: readonly string[];
}

export interface NetworkOptions {
  readonly identity: Identity;
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly incarnation: number;
  /** host:port. */
  readonly bind: string;
  /** host:port each: where others are to dial this node. */
  readonly addresses: readonly string[];
  readonly transport: TransportKind;
  readonly handlers: NetworkHandlers;
  readonly log: Logger;
}

export class Network {
  readonly #options: NetworkOptions;
  readonly #links = new Map<PeerId, Link>();
  readonly #strangers: Strangers;
  readonly #greeter: Greeter;
  readonly #inbound: Inbound;
  #libp2p: Libp2p | null = null;

  private constructor(options: NetworkOptions) {
    const { handlers, nodeId, clusterId, incarnation, addresses } = options;
    const complaints = new Complaints(options.log);
    this.#options = options;
    this.#strangers = new Strangers(handlers, complaints);
    this.#greeter = new Greeter({ nodeId, clusterId, incarnation, addresses, handlers, complaints });
    this.#inbound = new Inbound({ handlers, greeter: this.#greeter, complaints, links: this.#links });
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
          denyInboundEncryptedConnection: (peerId) => !this.#strangers.mayEnter(peerId.toString()),
          denyDialMultiaddr: () => false,
        },
      });
      this.#libp2p = libp2p;
      libp2p.addEventListener("connection:open", ({ detail }) => this.#strangers.opened(detail));
      libp2p.addEventListener("connection:close", ({ detail }) => this.#strangers.closed(detail));
      await this.#inbound.listen(libp2p);
    } catch (error) {
      throw new NetworkError(
        "cannotListen",
        `cannot listen on ${bind} (${transport}): ${reasonOf(error)}`,
        "is another process listening there, or is the address not this host's? --bind takes another",
      );
    }
  }

  /** The port that it listens on, also if 0 was given. */
  get boundPort(): number {
    const [address] = this.#libp2p?.getMultiaddrs() ?? [];
    return Number(/\/(?:udp|tcp)\/(\d+)/.exec(String(address))?.[1] ?? 0);
  }

  /** Whom to be connected to. Peers that are not listed any more are disconnected at once. */
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
            hello: (to, proves) => this.#greeter.hello(to, proves),
            resolve: (text) => this.#resolve(text),
            refusedBy: (from, introduction) => this.#greeter.introduced(from, introduction),
            toldServers: (from, servers) => this.#options.handlers.toldServers(from, servers),
            toldRoutes: (from, news) => this.#options.handlers.toldRoutes(from, news),
            toldRemoved: (from) => this.#options.handlers.toldRemoved(from),
          },
          id,
          peerId,
          addresses,
        ),
      );
    }
  }

  /** Disconnects peers that are not listed, not known, and not strangers whose time is not over yet. */
  review(): void {
    for (const connection of this.#libp2p?.getConnections() ?? []) {
      const peerId = connection.remotePeer.toString();
      if (!this.#links.has(peerId) && !isKnown(this.#options.handlers, peerId) && !this.#strangers.has(connection))
        connection.abort(new Error("not known any more"));
    }
  }

  /** Never blocks and never throws. What cannot be sent is lost, and Raft sends it again. */
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

  /** The answer of a listed peer to a worker's report; null: none came. Never rejects. */
  async report(to: PeerId, report: Uint8Array): Promise<Uint8Array | null> {
    return (await this.#links.get(to)?.report(report)) ?? null;
  }

  /**
   * A channel for a console, over this node's own connection to the peer, or over the one that the peer has opened: a
   * worker that is no member connects to a server, and no server to it.
   *
   * @throws NetworkError
   */
  async channel(to: PeerId): Promise<Channel> {
    const stream =
      (await this.#links
        .get(to)
        ?.openConsole()
        .catch(() => null)) ?? (await this.#openInbound(to));
    if (stream === null) throw new NetworkError("notConnected", `${to} is not connected`, "wait until it is");
    return new Channel(stream, CHANNEL_LIMIT_BYTES);
  }

  /**
   * Asks a peer about an image, over this node's own connection to it or the one that it has opened.
   *
   * @throws NetworkError
   */
  async askForImage(to: PeerId, question: Uint8Array, limitMs: number, signal: AbortSignal): Promise<Uint8Array> {
    const connection = this.#links.get(to)?.connection ?? this.#inboundOf(to)[0];
    if (connection === undefined) throw new NetworkError("notConnected", `${to} is not connected`, "wait until it is");
    // Ended at once, and not when its time is over: until then it would keep the stream, and with it the answer.
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), limitMs);
    const either = AbortSignal.any([signal, limit.signal]);
    try {
      return await exchange(connection, PROTOCOLS.image, question, either, IMAGE_LIMIT_BYTES);
    } finally {
      clearTimeout(timer);
      limit.abort();
    }
  }

  /** Peers that have opened a connection to this node. */
  connected(): ReadonlySet<PeerId> {
    const inbound = (this.#libp2p?.getConnections() ?? []).filter(({ direction }) => direction === "inbound");
    return new Set(inbound.map(({ remotePeer }) => remotePeer.toString()));
  }

  /** The connections that a peer has opened, the last one first: earlier ones may be of a process that is gone. */
  #inboundOf(from: PeerId): readonly Connection[] {
    return (this.#libp2p?.getConnections() ?? [])
      .filter(
        ({ remotePeer, direction, status }) =>
          remotePeer.toString() === from && direction === "inbound" && status === "open",
      )
      .reverse();
  }

  /** Null: that peer has opened no connection, or speaks no such protocol. */
  async #openInbound(from: PeerId): Promise<Stream | null> {
    for (const connection of this.#inboundOf(from)) {
      try {
        return await connection.newStream(PROTOCOLS.console, { signal: AbortSignal.timeout(OPEN_TIMEOUT_MS) });
      } catch {
        // The next one.
      }
    }
    return null;
  }

  status(): readonly PeerStatus[] {
    return [...this.#links.values()].map((link) => link.status());
  }

  async stop(limitMs: number): Promise<void> {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.#strangers.stop();
    this.#inbound.stop();
    const libp2p = this.#libp2p;
    this.#libp2p = null;
    if (libp2p === null) return;
    const end = await stopWithin(libp2p, limitMs);
    if (end !== "stopped") this.#options.log.debug({ end }, "the transport did not stop in order");
  }

  /** Null: the text is no address, or its name is not known now. */
  async #resolve(text: string): Promise<Multiaddr | null> {
    const address = parseAddress(text);
    if (address === null) return null;
    return await multiaddrOf(address.host, address.port, this.#options.transport).catch(() => null);
  }
}

/** The reason in the words of the system. libp2p wraps it in a list of addresses and stacks. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (
    /(?:Error: )?([^\n:]*\(os error \d+\)|listen E\w+[^\n]*)/.exec(message)?.[1]?.trim() ??
    message.split("\n")[0] ??
    message
  );
}
