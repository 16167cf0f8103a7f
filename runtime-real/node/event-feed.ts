/** The events in this node's replicated state, for those who want to hear of new ones. */
import { type Node, query } from "../../core/index.ts";
import type { EventSource } from "../api/index.ts";

export class EventFeed implements EventSource {
  readonly #node: Pick<Node, "state">;
  readonly #listeners = new Set<() => void>();
  #isAnnounced = false;

  constructor(node: Pick<Node, "state">) {
    this.#node = node;
  }

  page(afterIndex: number, limit: number): ReturnType<EventSource["page"]> {
    const found = query(this.#node.state, { kind: "listEvents", afterIndex, limit });
    if (found.kind !== "events") throw new Error(`the core answered ${found.kind} to listEvents`);
    return found;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The state has changed. Tells it once a turn of the event loop, however many entries were applied in it. */
  announce(): void {
    if (this.#isAnnounced || this.#listeners.size === 0) return;
    this.#isAnnounced = true;
    setImmediate(() => {
      this.#isAnnounced = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
