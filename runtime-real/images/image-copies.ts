/**
 * Sees to it that an image is on two workers, so that it outlives one of them. It looks and asks once each time that it
 * is called; nobody does afterwards, when a copy is lost.
 */
import type { PeerId } from "../../core/index.ts";
import type { ImageExchange } from "./image-exchange.ts";

const COPIES = 2;

export interface ImageCopiesParts {
  readonly exchange: Pick<ImageExchange, "find" | "hold">;
  readonly self: PeerId;
  hasHere(digest: string): boolean;
  /** The workers that run VMs and that the cluster counts on; this host among them or not. */
  workers(): readonly PeerId[];
}

export interface CopiesReport {
  /** Workers that have it. Of many, not all are counted. */
  readonly copies: number;
  /** How many there should be: two, or as many as there are. */
  readonly wanted: number;
  /** How far the next copy is, for people; empty: there are enough. */
  readonly progress: string;
}

export class ImageCopies {
  readonly #parts: ImageCopiesParts;

  constructor(parts: ImageCopiesParts) {
    this.#parts = parts;
  }

  /** Has one more worker fetch it, unless there are enough. */
  async look(digest: string, signal: AbortSignal): Promise<CopiesReport> {
    const { exchange, self, hasHere } = this.#parts;
    const workers = new Set(this.#parts.workers());
    const wanted = Math.min(COPIES, workers.size);
    const routes = await exchange.find(digest, signal);
    const places = [...(hasHere(digest) ? [self] : []), ...routes.flatMap((route) => route.slice(-1))];
    const holders = new Set(places.filter((peerId) => workers.has(peerId)));
    if (holders.size >= wanted) return { copies: holders.size, wanted, progress: "" };
    // The same one each time, as long as it is there.
    const others = [...workers].filter((peerId) => !holders.has(peerId) && peerId !== self).sort();
    for (const other of others) {
      const progress = await exchange.hold(other, digest, signal);
      if (progress !== null) return { copies: holders.size, wanted, progress };
    }
    return { copies: holders.size, wanted, progress: "no other worker answers" };
  }
}
