/**
 * Fetches images that this host lacks from nodes that have them, chunk by chunk. Every chunk is checked before it is
 * kept. What has been fetched stays when a node goes or the fetch is interrupted, and the rest comes from another node
 * or at another time.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { digestOf } from "./description.ts";
import { ImageError } from "./image-error.ts";
import type { ImageExchange } from "./image-exchange.ts";
import type { ImageStore } from "./image-store.ts";
import type { PartialImage } from "./partial-image.ts";
import type { Route } from "./protocol.ts";
import { Turns } from "./turns.ts";

/** Images that are fetched at the same time. The others wait. */
const FETCHES_AT_ONCE = 2;
/** Chunks of one image that are on their way at the same time. */
const CHUNKS_AT_ONCE = 3;
/** Between two searches for a node that has the image. */
const SEARCH_AGAIN_MS = 1000;
/** How long nobody may have it before the fetch gives up: a node that starts again is back by then. */
export const PATIENCE_MS = 30_000;
/** What is half fetched is kept for the next attempt that long. */
const KEPT_MS = 24 * 60 * 60 * 1000;
const TELL_EVERY_MS = 2000;
const MIB = 1024 * 1024;

export interface ImageFetchesParts {
  readonly store: ImageStore;
  readonly exchange: Pick<ImageExchange, "find" | "description" | "chunk">;
  readonly log: Logger;
  /** How long nobody may have an image before its fetch gives up. */
  readonly patienceMs: number;
}

export type FetchProgress = (words: string) => void;

interface Fetch {
  readonly done: Promise<void>;
  readonly listeners: Set<FetchProgress>;
  readonly end: AbortController;
  words: string;
}

/** A node has sent what the image does not hold. */
class Lie extends Error {}

export class ImageFetches {
  readonly #parts: ImageFetchesParts;
  readonly #fetches = new Map<string, Fetch>();
  readonly #turns = new Turns(FETCHES_AT_ONCE);
  #isClosed = false;

  constructor(parts: ImageFetchesParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when this host has the image. Whoever asks for one that is being fetched already shares that fetch. When
   * nobody waits for it any more, it ends, and what it has fetched goes.
   *
   * @throws ImageError when it cannot be fetched; the reason of `signal` when that is aborted
   */
  async fetch(digest: string, signal: AbortSignal, progress: FetchProgress): Promise<void> {
    signal.throwIfAborted();
    if (this.#parts.store.has(digest)) return;
    const fetch = this.#fetches.get(digest) ?? this.#begin(digest);
    fetch.listeners.add(progress);
    progress(fetch.words);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([fetch.done, aborted]);
    } finally {
      signal.removeEventListener("abort", abort);
      fetch.listeners.delete(progress);
      if (fetch.listeners.size === 0) fetch.end.abort(new Error("nobody waits for it any more"));
    }
  }

  /** Ends all of them. What has been fetched stays. */
  close(): void {
    this.#isClosed = true;
    for (const { end } of this.#fetches.values()) end.abort(new Error("this node stops"));
  }

  #begin(digest: string): Fetch {
    const end = new AbortController();
    const listeners = new Set<FetchProgress>();
    // In a moment: by then it is known here.
    const done = Promise.resolve().then(async () => await this.#run(digest, end.signal));
    // Those who wait hear of it by themselves.
    done.catch(() => undefined);
    const fetch: Fetch = { done, listeners, end, words: "looking for the image" };
    this.#fetches.set(digest, fetch);
    return fetch;
  }

  #tell(digest: string, words: string): void {
    const fetch = this.#fetches.get(digest);
    if (fetch === undefined || fetch.words === words) return;
    fetch.words = words;
    for (const progress of fetch.listeners) progress(words);
  }

  async #run(digest: string, signal: AbortSignal): Promise<void> {
    const { store, log } = this.#parts;
    try {
      await this.#turns.run(async () => {
        signal.throwIfAborted();
        store.dropPartials(Date.now() - KEPT_MS, (wanted) => this.#fetches.has(wanted));
        await this.#untilComplete(digest, signal);
      });
      log.info({ digest }, "an image has been fetched");
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, digest }, "an image could not be fetched");
      else if (!this.#isClosed) store.dropPartial(digest);
      throw error;
    } finally {
      this.#fetches.delete(digest);
    }
  }

  async #untilComplete(digest: string, signal: AbortSignal): Promise<void> {
    const { exchange, store, patienceMs } = this.#parts;
    /** Nodes that have sent something else than the image. */
    const liars = new Set<string>();
    let gotOnMs = performance.now();
    const gotOn = (): void => {
      gotOnMs = performance.now();
    };
    while (!store.has(digest)) {
      const routes = (await exchange.find(digest, signal)).filter((route) => !liars.has(nameOf(route)));
      for (const route of routes) {
        try {
          if (await this.#from(route, digest, gotOn, signal)) return;
        } catch (error) {
          if (!(error instanceof Lie)) throw error;
          this.#parts.log.warn({ digest, route }, "a node has sent what is not in the image that it says it has");
          liars.add(nameOf(route));
        }
      }
      const found = routes.length === 0 ? "no node that is connected has" : "no node that has it gives";
      if (performance.now() - gotOnMs >= patienceMs)
        throw new ImageError(`${found} the image ${digest}: \`blixard image build\` or \`import\` makes it on one`);
      this.#tell(digest, `${found} the image now; looking again`);
      await delay(SEARCH_AGAIN_MS, null, { signal });
    }
  }

  /**
   * As much as that node gives. Resolves to whether the image is complete.
   *
   * @param gotOn is called for each chunk.
   * @throws Lie, ImageError
   */
  async #from(route: Route, digest: string, gotOn: () => void, signal: AbortSignal): Promise<boolean> {
    const { exchange, store } = this.#parts;
    const described = await exchange.description(digest, route, signal);
    if (described === null) return false;
    if (digestOf(described) !== digest) throw new Lie();
    const partial = await store.partial(digest, described);
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const missing = partial.missing();
    /** Resolves to whether nothing is missing any more. */
    const pull = async (): Promise<boolean> => {
      for (let next = await missing.next(); next.done !== true; next = await missing.next()) {
        const { file, index } = next.value;
        const bytes = await exchange.chunk(digest, route, file, index, either);
        if (bytes === null) return false;
        if (!(await partial.write(file, index, bytes))) throw new Lie();
        gotOn();
      }
      return true;
    };
    const tell = setInterval(() => this.#tellOf(digest, partial), TELL_EVERY_MS);
    try {
      this.#tellOf(digest, partial);
      const ends = await Promise.all(Array.from({ length: CHUNKS_AT_ONCE }, pull));
      if (ends.includes(false)) return false;
      await store.finish(digest, partial);
      return true;
    } finally {
      clearInterval(tell);
      stop.abort();
      await missing.return(undefined);
    }
  }

  #tellOf(digest: string, { doneBytes, sizeBytes }: PartialImage): void {
    this.#tell(digest, `fetching image ${Math.floor(doneBytes / MIB)}/${Math.ceil(sizeBytes / MIB)} MiB`);
  }
}

function nameOf(route: Route): string {
  return route.join("/");
}
