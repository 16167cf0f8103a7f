/** The node's side of its storage: encodes what is written, and checks everything that is read. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { crc32 } from "node:zlib";
import {
  chainLink,
  decodeEntry,
  decodeHardState,
  decodeSnapshotMeta,
  type Entry,
  encodeEntry,
  encodeHardState,
  encodeSnapshotMeta,
  InvalidFrame,
  type Restored,
  snapshotDigest,
  type Write,
} from "../../core/index.ts";
import { sha256 } from "../identity/index.ts";
import { DEFAULT_WORKER, type WorkerOptions } from "../worker/index.ts";
import { DATABASE_FILE } from "./files.ts";
import type { Job, Report, Stored, WriteJob } from "./protocol.ts";
import { damaged, StorageError } from "./storage-error.ts";

export interface StorageHandlers {
  /** Every write up to this id is durable. */
  written(writeId: number): void;
  /** Nothing is known of the file any more: the node must stop. */
  failed(writeId: number, reason: string): void;
}

/** What a node must remember that is no part of consensus. */
export interface NodeSettings {
  readonly clusterId: string;
  readonly incarnation: number;
  readonly nodeId: number;
  readonly bind: string;
  readonly advertise: readonly string[];
  readonly transport: "quic" | "tcp";
  /** Where the API is served over TCP; null: nowhere. */
  readonly apiBind: string | null;
  /** Whether this host runs what the cluster wants. */
  readonly works: boolean;
  readonly worker: WorkerOptions;
  /** The member whose place this node has taken, and which is to leave once this one votes; null: none, or it has left. */
  readonly replaces: number | null;
  /** Where the members were last known to listen, so that a restarted node finds them. */
  readonly peers: readonly {
    readonly id: number;
    readonly peerId: string;
    readonly addresses: readonly string[];
  }[];
}

/** With the addresses of as many members as a cluster may have. */
const SETTINGS_BYTES_MAX = 4 * 1024 * 1024;

const NOBODY_LISTENS: StorageHandlers = { written: () => undefined, failed: () => undefined };

export class Storage {
  readonly #worker: Worker;
  readonly #path: string;
  #handlers = NOBODY_LISTENS;
  #restored: Restored | null = null;
  #settings: NodeSettings | null = null;
  #nextTicket = 1;
  readonly #tickets = new Map<number, PromiseWithResolvers<void>>();
  readonly #closed = Promise.withResolvers<void>();
  #closing = false;
  #failure: string | null = null;

  private constructor(dataDir: string) {
    this.#path = join(dataDir, DATABASE_FILE);
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: dataDir });
  }

  /** Takes the data directory, which must exist, and reads and checks all that is in it. @throws StorageError */
  static async open(dataDir: string): Promise<Storage> {
    const storage = new Storage(dataDir);
    try {
      const stored = await storage.#open();
      if (stored !== null) {
        storage.#restored = restoredFrom(storage.#path, stored);
        storage.#settings = settingsFrom(storage.#path, stored.settings);
      }
      return storage;
    } catch (error) {
      await storage.#worker.terminate();
      throw error;
    }
  }

  /** Of a damaged directory what can be read of its settings; null when nothing can. Without any claim to be right: good for finding peers. */
  static async readSettings(dataDir: string): Promise<NodeSettings | null> {
    try {
      // Whatever page it lies on: it is JSON with its checksum in front.
      const text = readFileSync(join(dataDir, DATABASE_FILE), "latin1") + readWal(dataDir);
      let found: NodeSettings | null = null;
      for (const { index } of text.matchAll(/\d \{"clusterId":/g)) found = settingsNear(text, index) ?? found;
      return found;
    } catch {
      return null;
    }
  }

  /** null: nothing has been stored yet. */
  get restored(): Restored | null {
    return this.#restored;
  }

  get settings(): NodeSettings | null {
    return this.#settings;
  }

  /** The beginning of a node's life, all of it durable when it resolves. Only in a fresh directory. */
  async initialise(restored: Restored, settings: NodeSettings): Promise<void> {
    if (this.#restored !== null) throw new Error(`${this.#path} holds a node already`);
    const { hardState, snapshot, entries } = restored;
    const whole = {
      id: 0,
      hardState,
      entries: entries.length > 0 ? entries : null,
      snapshot: { snapshot, keepAfter: null },
    };
    const begun = Promise.withResolvers<void>();
    this.#handlers = {
      written: () => begun.resolve(),
      failed: (_, reason) => begun.reject(unusable(this.#path, reason)),
    };
    this.#post({ ...jobOf(whole), settings: encodeSettings(settings) });
    await begun.promise;
    this.#handlers = NOBODY_LISTENS;
    this.#restored = restored;
    this.#settings = settings;
  }

  async saveSettings(settings: NodeSettings): Promise<void> {
    const ticket = this.#nextTicket++;
    const saved = Promise.withResolvers<void>();
    this.#tickets.set(ticket, saved);
    this.#post({ kind: "settings", ticket, bytes: encodeSettings(settings) });
    await saved.promise;
    this.#settings = settings;
  }

  listen(handlers: StorageHandlers): void {
    this.#handlers = handlers;
    if (this.#failure !== null) handlers.failed(0, this.#failure);
  }

  /** Queues. Writes complete in order. */
  write(write: Write): void {
    const job = jobOf(write);
    this.#worker.postMessage(job, [job.bytes.buffer]);
  }

  /** Finishes what is queued and gives the directory back. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#post({ kind: "close" });
    }
    await this.#closed.promise;
  }

  #post(job: Job): void {
    this.#worker.postMessage(job);
  }

  #open(): Promise<Stored | null> {
    const { promise, resolve, reject } = Promise.withResolvers<Stored | null>();
    this.#worker.on("message", (report: Report) => {
      switch (report.kind) {
        case "opened":
          resolve(report.stored);
          break;
        case "refused":
          reject(new StorageError(report.error, report.message, report.recovery));
          break;
        case "written":
          this.#handlers.written(report.id);
          break;
        case "failed":
          this.#fail(report.id, report.reason);
          break;
        case "settingsSaved":
          this.#tickets.get(report.ticket)?.resolve();
          this.#tickets.delete(report.ticket);
          break;
        case "closed":
          this.#closed.resolve();
          break;
        default:
          report satisfies never;
      }
    });
    this.#worker.on("error", (error) => {
      reject(error);
      this.#fail(0, error.message);
    });
    this.#worker.on("exit", () => this.#closed.resolve());
    return promise;
  }

  #fail(writeId: number, reason: string): void {
    this.#failure = reason;
    for (const { reject } of this.#tickets.values()) reject(unusable(this.#path, reason));
    this.#tickets.clear();
    this.#handlers.failed(writeId, reason);
  }
}

function unusable(path: string, reason: string): StorageError {
  return new StorageError("unusable", `${path}: ${reason}`, "check the disk and the space that is left on it");
}

/** The cluster first and the peers last: by these two it is found in a damaged file. */
function encodeSettings({ clusterId, peers, ...others }: NodeSettings): Uint8Array {
  const json = Buffer.from(JSON.stringify({ clusterId, ...others, peers }));
  return Buffer.concat([Buffer.from(`${crc32(json)} `), json]);
}

/** The settings whose checksum ends at `at`, wherever they end themselves. */
function settingsNear(text: string, at: number): NodeSettings | null {
  const digits = /\d{1,10}$/.exec(text.slice(Math.max(0, at - 9), at + 1))?.[0] ?? "";
  for (let end = text.indexOf("]}", at); end > 0 && end < at + SETTINGS_BYTES_MAX; end = text.indexOf("]}", end + 1)) {
    for (let from = 0; from < digits.length; from++) {
      const found = parseSettings(Buffer.from(digits.slice(from) + text.slice(at + 1, end + 2), "latin1"));
      if (found !== null) return found;
    }
  }
  return null;
}

function readWal(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, `${DATABASE_FILE}-wal`), "latin1");
  } catch {
    return "";
  }
}

/** One buffer for all, which moves to the worker without a copy. */
function jobOf({ id, entries, snapshot, hardState }: Write): WriteJob & { readonly bytes: Uint8Array<ArrayBuffer> } {
  const frames: Uint8Array[] = [];
  const add = (frame: Uint8Array): number => {
    frames.push(frame);
    return frame.length;
  };
  const entryLengths = (entries ?? []).map((entry) => add(encodeEntry(entry)));
  const kept =
    snapshot === null
      ? null
      : {
          metaLength: add(encodeSnapshotMeta(snapshot.snapshot.meta)),
          chunkLengths: snapshot.snapshot.chunks.map(add),
          keepAfter: snapshot.keepAfter,
        };
  const hardStateLength = hardState === null ? null : add(encodeHardState(hardState));
  let size = 0;
  for (const { length } of frames) size += length;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.length;
  }
  const firstIndex = entries?.[0]?.index ?? null;
  return { kind: "write", id, bytes, firstIndex, entryLengths, snapshot: kept, hardStateLength, settings: null };
}

const digests = { digest: sha256 };

function restoredFrom(path: string, stored: Stored): Restored {
  const settings = settingsFrom(path, stored.settings);
  const read = <Value>(what: string, decode: (frame: Uint8Array) => Value, frame: Uint8Array): Value => {
    try {
      return decode(frame);
    } catch (error) {
      if (error instanceof InvalidFrame) throw damaged(path, `${what}: ${error.message}`);
      throw error;
    }
  };
  const meta = read("the snapshot", decodeSnapshotMeta, stored.snapshotMeta);
  const { chunks } = stored;
  if (meta.chunkCount !== chunks.length)
    throw damaged(path, `the snapshot has ${chunks.length} chunks, not ${meta.chunkCount}`);
  // The beginning of a life has no contents, and no digest.
  if (meta.chunkCount > 0 && snapshotDigest(digests, chunks) !== meta.digest)
    throw damaged(path, `the snapshot at ${meta.index} does not have its digest`);

  const entries: Entry[] = [];
  let previous: { index: number; chain: string } | null = null;
  for (const { index, frame } of stored.entries) {
    const entry = read(`entry ${index}`, decodeEntry, frame);
    if (entry.index !== index) throw damaged(path, `entry ${index} says that it is ${entry.index}`);
    if (index === meta.index + 1) previous = { index: meta.index, chain: meta.chain };
    // The chain before the first entry that is kept behind a snapshot is not stored; the snapshot's own vouches for them all below.
    if (
      previous !== null &&
      chainLink(digests, previous.chain, index, entry.term, entry.kind, entry.data) !== entry.chain
    )
      throw damaged(path, `entry ${index} does not continue the chain of digests`);
    if (index === meta.index && entry.chain !== meta.chain)
      throw damaged(path, `entry ${index} and the snapshot there do not agree`);
    previous = { index, chain: entry.chain };
    entries.push(entry);
  }
  const first = entries[0];
  if (first !== undefined && first.index > meta.index + 1)
    throw damaged(path, `entries ${meta.index + 1} to ${first.index - 1} are missing`);
  const { clusterId, incarnation } = settings;
  return {
    hardState: stored.hardState === null ? null : read("the hard state", decodeHardState, stored.hardState),
    snapshot: { clusterId, incarnation, meta, chunks },
    entries,
  };
}

function settingsFrom(path: string, bytes: Uint8Array): NodeSettings {
  const settings = parseSettings(bytes);
  if (settings === null) throw damaged(path, "the checksum of the settings is wrong");
  return settings;
}

type Later = "replaces" | "works" | "worker";

function parseSettings(bytes: Uint8Array): NodeSettings | null {
  const text = Buffer.from(bytes);
  const space = text.indexOf(" ");
  const json = text.subarray(space + 1);
  if (space < 1 || String(crc32(json)) !== text.subarray(0, space).toString("latin1")) return null;
  // What has its checksum is what this code wrote, before it knew of replacements or of workers perhaps.
  const settings: Omit<NodeSettings, Later> & Partial<Pick<NodeSettings, Later>> = JSON.parse(json.toString("utf8"));
  return { replaces: null, works: true, worker: DEFAULT_WORKER, ...settings };
}
