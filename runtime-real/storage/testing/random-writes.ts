/** For tests: random writes that a node could make. */
import {
  chainLink,
  type Entry,
  type HardState,
  Node,
  type Restored,
  type Snapshot,
  snapshotDigest,
  type Write,
} from "../../../core/index.ts";
import { sha256 } from "../../identity/index.ts";
import { DEFAULT_WORKER } from "../../worker/index.ts";
import type { NodeSettings } from "../index.ts";

const digests = { digest: sha256 };

export const SETTINGS: NodeSettings = {
  nodeId: 1,
  peers: [{ id: 2, peerId: "peer-2", addresses: ["127.0.0.1:7002"] }],
  bind: "127.0.0.1:7001",
  advertise: ["127.0.0.1:7001"],
  transport: "quic",
  apiBind: null,
  works: true,
  worker: DEFAULT_WORKER,
  clusterId: "test-cluster",
  incarnation: 0,
  replaces: null,
};

export const GENESIS: Restored = Node.genesis("test-cluster", 0, [{ id: 1, peerId: "peer-1" }]);

/** Draws writes from `random`, which returns numbers in [0, 1). */
export class RandomWrites {
  readonly #random: () => number;
  #id = 0;
  #term = 1;
  #snapshot: Snapshot = GENESIS.snapshot;
  /** The first of them has the index `#first`. */
  #entries: Entry[] = [];
  #first = 1;
  #hardStateNow: HardState | null = null;

  constructor(random: () => number) {
    this.#random = random;
  }

  next(): Write {
    this.#id++;
    const choice = this.#random();
    const hardState = this.#random() < 0.3 ? this.#hardState() : null;
    if (choice < 0.1 && this.#entries.length > 4)
      return { id: this.#id, hardState, entries: null, snapshot: this.#takeSnapshot() };
    return { id: this.#id, hardState, entries: this.#append(choice < 0.25), snapshot: null };
  }

  /** What a storage must hold after all writes so far. */
  restored(): Restored {
    return { hardState: this.#hardStateNow, snapshot: this.#snapshot, entries: [...this.#entries] };
  }

  #hardState(): HardState {
    this.#term++;
    this.#hardStateNow = { term: this.#term, votedFor: 1 + Math.floor(this.#random() * 3), proof: null };
    return this.#hardStateNow;
  }

  get #last(): number {
    return this.#first + this.#entries.length - 1;
  }

  #append(truncates: boolean): readonly Entry[] {
    const above = Math.max(this.#snapshot.meta.index, this.#first - 1);
    const keep = truncates ? above + Math.floor(this.#random() * (this.#last - above + 1)) : this.#last;
    this.#entries.length = Math.max(0, keep - this.#first + 1);
    if (this.#entries.length === 0) this.#first = this.#snapshot.meta.index + 1;
    const added: Entry[] = [];
    for (let n = 1 + Math.floor(this.#random() * 8); n > 0; n--) {
      const index = this.#last + 1;
      const data = new Uint8Array(Math.floor(this.#random() * 300)).fill(Math.floor(this.#random() * 256));
      const previous = this.#entries.at(-1)?.chain ?? this.#snapshot.meta.chain;
      const chain = chainLink(digests, previous, index, this.#term, "command", data);
      const entry: Entry = { index, term: this.#term, kind: "command", data, chain };
      this.#entries.push(entry);
      added.push(entry);
    }
    return added;
  }

  #takeSnapshot(): Write["snapshot"] {
    const from = Math.max(this.#snapshot.meta.index + 1, this.#first);
    const index = from + Math.floor(this.#random() * (this.#last - from + 1));
    const at = this.#entries[index - this.#first];
    if (at === undefined) return null;
    const chunks = Array.from({ length: 1 + Math.floor(this.#random() * 4) }, (_, n) =>
      new Uint8Array(100 + Math.floor(this.#random() * 9000)).fill(n + index),
    );
    const meta = {
      ...this.#snapshot.meta,
      index,
      term: at.term,
      chain: at.chain,
      digest: snapshotDigest(digests, chunks),
      chunkCount: chunks.length,
      sizeBytes: chunks.reduce((sum, { length }) => sum + length, 0),
    };
    this.#snapshot = { ...this.#snapshot, meta, chunks };
    const keepAfter = Math.max(this.#first - 1, index - Math.floor(this.#random() * 5));
    this.#entries.splice(0, keepAfter - this.#first + 1);
    this.#first = keepAfter + 1;
    return { snapshot: this.#snapshot, keepAfter };
  }
}

/** Random numbers in [0, 1) that depend on the seed only (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
