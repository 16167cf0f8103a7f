/** The routes to guests that a worker keeps which is no member: as its server tells it. */
import type { Logger } from "pino";
import type { NodeId } from "../../core/index.ts";
import { GuestRoutes } from "./guest-routes.ts";
import type { HostRoutes } from "./host-routes.ts";
import { decodeNews } from "./news-frames.ts";

export interface WorkerRoutesParts {
  readonly nodeId: NodeId;
  readonly host: Pick<HostRoutes, "want" | "stop" | "settled">;
  readonly log: Pick<Logger, "warn">;
}

export class WorkerRoutes {
  readonly #parts: WorkerRoutesParts;
  /** What the server has told so far; null: it has not said yet all that there is. */
  #routes: GuestRoutes | null = null;

  constructor(parts: WorkerRoutesParts) {
    this.#parts = parts;
  }

  /** A message of the server, in the order in which they were sent. */
  told(message: Uint8Array): void {
    const { nodeId, host, log } = this.#parts;
    const news = decodeNews(message);
    if (news === null) {
      log.warn("a server has told of routes to guests in words that cannot be read");
      return;
    }
    if (news.isWhole) this.#routes = new GuestRoutes();
    if (this.#routes === null) return;
    for (const change of news.changes) this.#routes.apply(change);
    // Until all is there, what is missing is not gone.
    if (!news.hasMore) host.want(this.#routes.nextHops(nodeId));
  }

  /** @param isRemoved the worker is not one of the cluster any more: its routes go. */
  async stop(isRemoved: boolean): Promise<void> {
    const { host } = this.#parts;
    if (isRemoved) {
      host.want(new Map());
      await host.settled();
    }
    await host.stop();
  }
}
