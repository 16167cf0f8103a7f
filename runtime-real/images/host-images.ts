/** The images of one host, and how it gets those that it lacks from others and gives them its own. */
import { join, resolve } from "node:path";
import type { Logger } from "pino";
import { ImageExchange, type ImagePeers } from "./image-exchange.ts";
import { ImageFetches, PATIENCE_MS } from "./image-fetches.ts";
import { folderName, ImageStore } from "./image-store.ts";

/** Images that members have asked for and that are not here yet. */
const ASKED_MAX = 8;
const NEVER = new AbortController().signal;

export class HostImages {
  readonly store: ImageStore;
  readonly exchange: ImageExchange;
  readonly fetches: ImageFetches;
  /** What members have asked this host to have, and how far it is. */
  readonly #asked = new Map<string, { words: string; hasFailed: boolean }>();

  /** @param patienceMs see image-fetches.ts. */
  constructor(dataDir: string, peers: ImagePeers, log: Logger, patienceMs = PATIENCE_MS) {
    this.store = new ImageStore(imagesFolder(dataDir));
    this.exchange = new ImageExchange(this.store, peers, (digest) => this.#hold(digest));
    this.fetches = new ImageFetches({ store: this.store, exchange: this.exchange, log, patienceMs });
  }

  /** Fetches it, unless it is here. Returns how far that is, for people. A failure is told once; then it tries anew. */
  #hold(digest: string): string {
    const known = this.#asked.get(digest);
    if (known !== undefined) {
      if (known.hasFailed) this.#asked.delete(digest);
      return known.words;
    }
    if (this.store.has(digest)) return "it has it";
    // Nobody has come back to hear of them.
    for (const [other, { hasFailed }] of this.#asked) if (hasFailed) this.#asked.delete(other);
    if (this.#asked.size >= ASKED_MAX) return "it fetches other images";
    const asked = { words: "looking for the image", hasFailed: false };
    this.#asked.set(digest, asked);
    this.fetches
      .fetch(digest, NEVER, (said) => {
        asked.words = said;
      })
      .then(
        () => this.#asked.delete(digest),
        (error: unknown) => {
          asked.words = `it could not fetch it: ${error instanceof Error ? error.message : String(error)}`;
          asked.hasFailed = true;
        },
      );
    return asked.words;
  }
}

export function imagesFolder(dataDir: string): string {
  return join(resolve(dataDir), "images");
}

export function imageFolder(dataDir: string, digest: string): string {
  return join(imagesFolder(dataDir), folderName(digest));
}
