/** A cluster of hosts with images, and nothing between them but function calls. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PeerId } from "../../../core/index.ts";
import { CHUNK_BYTES } from "../description.ts";
import { ImageExchange, type ImagePeers } from "../image-exchange.ts";
import { ImageStore } from "../image-store.ts";

/** What becomes of a question on its way. @throws Error when it is lost */
export type Road = (from: PeerId, to: PeerId, question: Uint8Array) => void;

export class TestHosts {
  readonly #folder: string;
  readonly #hosts = new Map<PeerId, { readonly store: ImageStore; readonly exchange: ImageExchange }>();
  /** By worker that is no member, the member that it is connected to. */
  readonly #serverOf: Readonly<Record<PeerId, PeerId>>;
  readonly #members: readonly PeerId[];
  road: Road = () => undefined;
  /** What a host answers in place of the truth; null: the truth. */
  lie: (by: PeerId, question: Uint8Array) => Uint8Array | null = () => null;

  /** What a host does that is asked to have an image. */
  hold: (peerId: PeerId, digest: string) => string = () => "";

  constructor(folder: string, members: readonly PeerId[], serverOf: Readonly<Record<PeerId, PeerId>> = {}) {
    this.#folder = folder;
    this.#members = members;
    this.#serverOf = serverOf;
    for (const peerId of [...members, ...Object.keys(serverOf)]) {
      const store = new ImageStore(join(folder, peerId));
      this.#hosts.set(peerId, {
        store,
        exchange: new ImageExchange(store, this.#peersOf(peerId), (digest) => this.hold(peerId, digest)),
      });
    }
  }

  #peersOf(self: PeerId): ImagePeers {
    const server = this.#serverOf[self];
    return {
      isMember: server === undefined,
      isMemberOfCluster: (peerId) => this.#members.includes(peerId),
      ask: async (to, question, _limitMs, signal) => {
        signal.throwIfAborted();
        await Promise.resolve();
        this.road(self, to, question);
        if (this.#serverOf[to] !== undefined && this.#serverOf[to] !== self) throw new Error("not connected");
        return this.lie(to, question) ?? (await this.host(to).exchange.answer(self, question, signal));
      },
      members: () => (server === undefined ? this.#members.filter((peerId) => peerId !== self) : [server]),
      workers: () => Object.keys(this.#serverOf).filter((peerId) => this.#serverOf[peerId] === self),
    };
  }

  host(peerId: PeerId): { readonly store: ImageStore; readonly exchange: ImageExchange } {
    const host = this.#hosts.get(peerId);
    if (host === undefined) throw new Error(`there is no host ${peerId}`);
    return host;
  }

  /** Adds an image of `chunks` chunks and a bit to a host. Resolves to its digest. */
  async addImage(peerId: PeerId, chunks: number): Promise<string> {
    const [kernel, initrd] = [join(this.#folder, "kernel"), join(this.#folder, "initrd")];
    const bytes = new Uint8Array(chunks * CHUNK_BYTES + 17);
    // A chunk of zeros in between, and no two others that are the same.
    for (let chunk = 0; chunk <= chunks; chunk++) if (chunk !== 1) bytes[chunk * CHUNK_BYTES + 3] = chunk + 1;
    writeFileSync(kernel, bytes);
    writeFileSync(initrd, "initrd");
    return await this.host(peerId).store.add(kernel, initrd, "", "demo");
  }
}
