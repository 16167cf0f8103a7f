/**
 * The storage of a node, as the node sees it. A thread owns the file; here writes are handed to it, and what it reads
 * is checked.
 */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Restored, Write } from "../../core/index.ts";
import { DATABASE_FILE } from "./files.ts";
import type { Job, Report, Stored } from "./protocol.ts";
import { restoredFrom } from "./restored.ts";
import { encodeSettings, type NodeSettings, settingsFrom } from "./settings.ts";
import { StorageError } from "./storage-error.ts";
import { jobOf } from "./write-job.ts";

export interface StorageHandlers {
  /** Every write up to this id is durable. */
  written(writeId: number): void;
  /** The contents of the file are not known any more, so the node must stop. */
  failed(writeId: number, reason: string): void;
}

const NOBODY_LISTENS: StorageHandlers = { written: () => undefined, failed: () => undefined };

export class Storage {
  readonly #thread: Worker;
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
    this.#thread = new Worker(new URL("./storage-thread.ts", import.meta.url), { workerData: dataDir });
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
      await storage.#thread.terminate();
      throw error;
    }
  }

  /** Null: nothing has been stored yet. */
  get restored(): Restored | null {
    return this.#restored;
  }

  get settings(): NodeSettings | null {
    return this.#settings;
  }

  /** Stores the first state of a node. All of it is durable when this resolves. Only in a new directory. */
  async initialise(restored: Restored, settings: NodeSettings): Promise<void> {
    if (this.#restored !== null) throw new Error(`${this.#path} holds a node already`);
    const { hardState, snapshot, entries } = restored;
    const whole = {
      id: 0,
      hardState,
      entries: entries.length > 0 ? entries : null,
      snapshot: { snapshot, keepAfter: null },
    };
    const stored = Promise.withResolvers<void>();
    this.#handlers = {
      written: () => stored.resolve(),
      failed: (_, reason) => stored.reject(unusable(this.#path, reason)),
    };
    this.#post({ ...jobOf(whole), settings: encodeSettings(settings) });
    await stored.promise;
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
    this.#thread.postMessage(job, [job.bytes.buffer]);
  }

  /** Finishes what is queued and releases the directory. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#post({ kind: "close" });
    }
    await this.#closed.promise;
  }

  #post(job: Job): void {
    this.#thread.postMessage(job);
  }

  #open(): Promise<Stored | null> {
    const { promise, resolve, reject } = Promise.withResolvers<Stored | null>();
    this.#thread.on("message", (report: Report) => {
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
    this.#thread.on("error", (error) => {
      reject(error);
      this.#fail(0, error.message);
    });
    this.#thread.on("exit", () => this.#closed.resolve());
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
