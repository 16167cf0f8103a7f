/** The images of one host, and how it gets those that it lacks from others and gives them its own. */
import { join, resolve } from "node:path";
import type { Logger } from "pino";
import { ImageExchange, type ImagePeers } from "./image-exchange.ts";
import { ImageFetches } from "./image-fetches.ts";
import { folderName, ImageStore } from "./image-store.ts";

/** Images that members have asked for and that are not here yet. */
const ASKED_MAX = 8;
const NEVER = new AbortController().signal;

export class HostImages {
  readonly store: ImageStore;
  readonly exchange: ImageExchange;
  readonly fetches: ImageFetches;
  /** What members have asked this host to have, and how far it is. */
  readonly #asked = new Map<string, string>();

  constructor(dataDir: string, peers: ImagePeers, log: Logger) {
    this.store = new ImageStore(imagesFolder(dataDir));
    this.exchange = new ImageExchange(this.store, peers, (digest) => this.#hold(digest));
    this.fetches = new ImageFetches({ store: this.store, exchange: this.exchange, log });
  }

  /** Fetches it, unless it is here. Returns how far that is, for people. */
  #hold(digest: string): string {
    if (this.store.has(digest)) return "it has it";
    const words = this.#asked.get(digest);
    if (words !== undefined) return words;
    if (this.#asked.size >= ASKED_MAX) return "it fetches other images";
    this.#asked.set(digest, "about to fetch it");
    this.fetches
      .fetch(digest, NEVER, (said) => this.#asked.set(digest, said))
      // The log says why; whoever asks again has it tried again.
      .catch(() => undefined)
      .finally(() => this.#asked.delete(digest));
    return "about to fetch it";
  }
}

export function imagesFolder(dataDir: string): string {
  return join(resolve(dataDir), "images");
}

export function imageFolder(dataDir: string, digest: string): string {
  return join(imagesFolder(dataDir), folderName(digest));
}
