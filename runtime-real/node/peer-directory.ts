/**
 * Whom a member connects to, and where: what core's `AddressBook` says, and for a moment those that have left. What it
 * knows is stored on this node's disk.
 */
import type { AddressBook, PeerId } from "../../core/index.ts";
import type { NetworkPeer } from "../network/index.ts";
import type { RememberedSettings } from "./remembered-settings.ts";
import { encodeServers } from "./servers.ts";

/**
 * How long a member that has left stays connected. It may still be told that it has left, and what it asked last may
 * still be answered. Its messages have no effect any more.
 */
const DEPARTURE_MS = 1000;

export interface PeerDirectoryParts {
  readonly self: NetworkPeer;
  readonly book: Pick<AddressBook, "peers" | "remember" | "told">;
  readonly settings: Pick<RememberedSettings, "current" | "change">;
  /** Called when there is another set of peers to be connected to, or a peer has other addresses. */
  connect(peers: readonly NetworkPeer[]): void;
}

export class PeerDirectory {
  readonly #parts: PeerDirectoryParts;
  /** Members that have just left, and the timer that ends their connection. */
  readonly #departed = new Map<NetworkPeer, NodeJS.Timeout>();
  #encodedServers: Uint8Array;

  constructor(parts: PeerDirectoryParts) {
    this.#parts = parts;
    this.#encodedServers = encodeServers(this.servers());
  }

  /** The other members. */
  peers(): readonly NetworkPeer[] {
    return this.#parts.book.peers();
  }

  /** All members, this one too, ordered by id. */
  servers(): readonly NetworkPeer[] {
    return [...this.peers(), this.#parts.self].sort((a, b) => a.id - b.id);
  }

  /** The same list as it is told to workers. The same value until it changes. */
  get encodedServers(): Uint8Array {
    return this.#encodedServers;
  }

  /** To be called when the peers of the node or the records of nodes have changed. */
  update(): void {
    const listed = new Set(this.peers().map(({ peerId }) => peerId));
    for (const leaving of this.#parts.settings.current.peers) {
      if (listed.has(leaving.peerId) || this.#departed.has(leaving)) continue;
      const end = setTimeout(() => {
        this.#departed.delete(leaving);
        this.#connect();
      }, DEPARTURE_MS);
      this.#departed.set(leaving, end);
    }
    this.#connect();
    this.#parts.settings.change({ peers: this.#parts.book.remember() });
  }

  /** A member that has connected says where it is. */
  told(peerId: PeerId, addresses: readonly string[]): void {
    if (this.#parts.book.told(peerId, addresses)) this.update();
  }

  stop(): void {
    for (const end of this.#departed.values()) clearTimeout(end);
  }

  #connect(): void {
    const peers = this.peers();
    const departed = [...this.#departed.keys()].filter(({ peerId }) => peers.every((peer) => peer.peerId !== peerId));
    this.#parts.connect([...peers, ...departed]);
    this.#encodedServers = encodeServers(this.servers());
  }
}
