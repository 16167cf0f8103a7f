/** What a node does with what comes in from others. */
import type { Message, NodeId, PeerId } from "../../core/index.ts";
import type { Channel } from "./channel.ts";

export interface NetworkHandlers {
  /** `from` is the peer that the connection has authenticated. Must not throw. */
  message(from: PeerId, message: Message): void;
  /** Whether replicated state knows it as a member now. */
  isMember(peerId: PeerId): boolean;
  /** A member has connected, and says where it is to be dialled: host:port each. */
  toldAddresses(from: PeerId, addresses: readonly string[]): void;
  /** Whether this node knows it as a member now: a worker that is no member takes nothing else from members. */
  isServer(peerId: PeerId): boolean;
  /** Null: nobody reports here. */
  readonly workers: WorkerHandlers | null;
  /** A server has told where the servers are. */
  toldServers(from: PeerId, servers: Uint8Array): void;
  /** A server has told news of the routes to guests: all messages of one connection, in their order. */
  toldRoutes(from: PeerId, news: Uint8Array): void;
  /** A server has told that this worker has been removed. Removal is for ever. */
  toldRemoved(from: PeerId): void;
  /** What proves to `to` who the members are, this node among them or not; null: nothing to show. */
  introduction(to: NodeId, peerId: PeerId | null): Message | null;
  /** A member calls. If this rejects, the stream is aborted. */
  call(from: PeerId, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /** A server has opened a channel. */
  channel(channel: Channel): void;
  /** A member, or a worker that is known here, asks about an image. If this rejects, the stream is aborted. */
  image(from: PeerId, question: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /** Anybody asks to join. Beside a hello, this is all that a stranger can reach. */
  join(from: PeerId, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
}

/** What a server does for workers. */
export interface WorkerHandlers {
  /** Whether replicated state knows it as a worker that is no member. */
  isWorker(peerId: PeerId): boolean;
  /** Whether it was one and has been removed. */
  isRemoved(peerId: PeerId): boolean;
  /** A member or a worker reports. Null: there is no answer for it now. Must not reject. */
  report(from: PeerId, report: Uint8Array): Promise<Uint8Array | null>;
  /** Where the servers are. The same value until that changes. */
  servers(): Uint8Array;
  /** News of the routes to guests, for a worker that knows all until that version; null: that knows nothing. */
  routes(since: number | null): { readonly version: number | null; readonly messages: readonly Uint8Array[] };
}

/** Whether it may stay connected: a member, or a worker that is no member. */
export function isKnown(handlers: NetworkHandlers, peerId: PeerId): boolean {
  return handlers.isMember(peerId) || handlers.workers?.isWorker(peerId) === true;
}
