/**
 * The routes to guests that a member keeps: on its own host, and for the workers that report to it. It looks at the
 * replicated state a moment after that has changed, and not at every change.
 */
import { NOBODY, type Node, type NodeId } from "../../core/index.ts";
import type { HostRoutes } from "./host-routes.ts";
import { encodeNews } from "./news-frames.ts";
import { ReplicatedRoutes } from "./replicated-routes.ts";

const DELAY_MS = 100;
/** Of its time, at most this part goes into it, however large the cluster is. */
const SHARE = 0.05;

type View = Pick<Node, "state" | "leaderId" | "commitIndex" | "appliedIndex">;

export interface MemberRoutesParts {
  readonly nodeId: NodeId;
  readonly node: View;
  readonly host: Pick<HostRoutes, "want" | "stop" | "settled">;
}

export class MemberRoutes {
  readonly #parts: MemberRoutesParts;
  readonly #replicated = new ReplicatedRoutes();
  /** Null: none of the state yet. */
  #seen: View["state"] | null = null;
  /** What is wanted on this host; null: nothing was said yet. */
  #wantedVersion: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #delayMs = DELAY_MS;
  #isStopped = false;

  constructor(parts: MemberRoutesParts) {
    this.#parts = parts;
  }

  /** To be called after every step of the core. Compares references only. */
  stepped(): void {
    const { state } = this.#parts.node;
    const seen = this.#seen;
    if (seen !== null && state.vms === seen.vms && state.workers === seen.workers) return;
    if (this.#timer === null && !this.#isStopped) this.#timer = setTimeout(() => this.#look(), this.#delayMs).unref();
  }

  /** For a worker that knows all until that version; null: that knows nothing. */
  news(since: number | null): { readonly version: number | null; readonly messages: readonly Uint8Array[] } {
    // Before it knows better than what it had stored, it tells nothing.
    if (this.#seen === null) return { version: since, messages: [] };
    const news = this.#replicated.newsSince(since);
    return { version: news.version, messages: encodeNews(news) };
  }

  /** @param isRemoved the node is no member any more: its routes go. */
  async stop(isRemoved: boolean): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const { host } = this.#parts;
    if (isRemoved) {
      host.want(new Map());
      await host.settled();
    }
    await host.stop();
  }

  #look(): void {
    this.#timer = null;
    const { nodeId, node, host } = this.#parts;
    // What a restart finds on its disk is old. It is followed once all that was committed meanwhile is known.
    const isCurrent = this.#seen !== null || (node.leaderId !== NOBODY && node.appliedIndex >= node.commitIndex);
    if (!isCurrent) {
      this.#timer = setTimeout(() => this.#look(), DELAY_MS).unref();
      return;
    }
    const startMs = performance.now();
    this.#seen = node.state;
    this.#replicated.update(node.state);
    if (this.#wantedVersion !== this.#replicated.version) {
      this.#wantedVersion = this.#replicated.version;
      host.want(this.#replicated.nextHops(nodeId));
    }
    this.#delayMs = Math.max(DELAY_MS, (performance.now() - startMs) / SHARE);
  }
}
