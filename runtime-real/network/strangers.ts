/**
 * Connections of peers that are neither members nor workers. There may be a few of them, for a limited time: to join.
 */
import type { Connection } from "@libp2p/interface";
import type { PeerId } from "../../core/index.ts";
import type { Complaints } from "./complaints.ts";
import { isKnown, type NetworkHandlers } from "./network-handlers.ts";

/** What is needed of a connection. */
export type StrangerConnection = Pick<Connection, "remotePeer" | "direction" | "abort">;

const STRANGERS_MAX = 32;
/** How long a stranger may stay. Joining may have to wait for another change of membership. */
const STRANGER_MS = 30_000;

export class Strangers {
  readonly #handlers: NetworkHandlers;
  readonly #complaints: Complaints;
  readonly #timers = new Map<StrangerConnection, NodeJS.Timeout>();

  constructor(handlers: NetworkHandlers, complaints: Complaints) {
    this.#handlers = handlers;
    this.#complaints = complaints;
  }

  /** Whether a peer may connect that has proved to be `peerId`. */
  mayEnter(peerId: PeerId): boolean {
    if (isKnown(this.#handlers, peerId)) return true;
    if (this.#timers.size < STRANGERS_MAX) return true;
    this.#complaints.complain("too many strangers at once: some were turned away");
    return false;
  }

  /** Whether it is a stranger's whose time is not over yet. */
  has(connection: StrangerConnection): boolean {
    return this.#timers.has(connection);
  }

  opened(connection: StrangerConnection): void {
    const peerId = connection.remotePeer.toString();
    if (connection.direction === "outbound" || isKnown(this.#handlers, peerId)) return;
    if (this.#timers.size >= STRANGERS_MAX) {
      connection.abort(new Error("too many strangers"));
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(connection);
      if (!isKnown(this.#handlers, peerId)) connection.abort(new Error("a stranger's time is over"));
    }, STRANGER_MS);
    this.#timers.set(connection, timer);
  }

  closed(connection: StrangerConnection): void {
    clearTimeout(this.#timers.get(connection));
    this.#timers.delete(connection);
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}
