/** The images of one host, and how it gets those that it lacks from others and gives them its own. */
import { join, resolve } from "node:path";
import type { Logger } from "pino";
import { ImageExchange, type ImagePeers } from "./image-exchange.ts";
import { ImageFetches } from "./image-fetches.ts";
import { ImageStore } from "./image-store.ts";

export class HostImages {
  readonly store: ImageStore;
  readonly exchange: ImageExchange;
  readonly fetches: ImageFetches;

  constructor(dataDir: string, peers: ImagePeers, log: Logger) {
    this.store = new ImageStore(imagesFolder(dataDir));
    this.exchange = new ImageExchange(this.store, peers);
    this.fetches = new ImageFetches({ store: this.store, exchange: this.exchange, log });
  }
}

export function imagesFolder(dataDir: string): string {
  return join(resolve(dataDir), "images");
}
