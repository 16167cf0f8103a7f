/**
 * What a worker that is no member remembers: who it is and where the servers are. It is one row in a database. The
 * lock of that database also keeps a second process out of the data directory: two agents on one host would end each
 * other's jobs.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { z } from "zod";
import { CLUSTER_LIMITS } from "../../core/index.ts";
import { ACCELERATOR_CHOICES, DEFAULT_WORKER, VM_DRIVERS } from "../worker/index.ts";
import { serversSchema } from "./servers.ts";
import { WORKER_FILE } from "./worker-directory.ts";

const settingsSchema = z.strictObject({
  version: z.literal(1),
  clusterId: z.string(),
  incarnation: z.int(),
  nodeId: z.int().min(1).max(CLUSTER_LIMITS.nodeId),
  bind: z.string(),
  advertise: z.array(z.string()).readonly(),
  transport: z.enum(["quic", "tcp"]),
  worker: z.strictObject({
    datacenter: z.string(),
    zone: z.string(),
    rack: z.string(),
    features: z.array(z.string()).readonly(),
    costPerHour: z.number(),
    // Older versions did not write these.
    vmDriver: z.enum(VM_DRIVERS).nullable().default(DEFAULT_WORKER.vmDriver),
    accelerator: z.enum(ACCELERATOR_CHOICES).default(DEFAULT_WORKER.accelerator),
    guestsVia: z.array(z.string()).readonly().nullable().default(DEFAULT_WORKER.guestsVia),
    uplink: z.string().nullable().default(DEFAULT_WORKER.uplink),
    masquerade: z.boolean().default(DEFAULT_WORKER.masquerade),
    guestPorts: z.array(z.string()).readonly().default(DEFAULT_WORKER.guestPorts),
  }),
  servers: serversSchema,
});
export type WorkerSettings = Readonly<z.output<typeof settingsSchema>>;

/** The file cannot be used; the message says why. */
export class WorkerStoreError extends Error {
  override readonly name = "WorkerStoreError";
}

export class WorkerStore {
  readonly #database: Database.Database;
  readonly #path: string;

  private constructor(database: Database.Database, path: string) {
    this.#database = database;
    this.#path = path;
  }

  /** Takes the directory, which must exist. @throws WorkerStoreError */
  static open(dataDir: string): WorkerStore {
    const path = join(dataDir, WORKER_FILE);
    let database: Database.Database | null = null;
    try {
      database = new Database(path, { timeout: 0 });
      // The lock ends with the process.
      database.pragma("locking_mode = EXCLUSIVE");
      database.pragma("synchronous = FULL");
      database.exec("BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS worker (settings TEXT NOT NULL); COMMIT");
      return new WorkerStore(database, path);
    } catch (error) {
      database?.close();
      throw failure(path, error);
    }
  }

  /** Null: it has joined no cluster yet. @throws WorkerStoreError */
  read(): WorkerSettings | null {
    try {
      const text: unknown = this.#database.prepare("SELECT settings FROM worker").pluck().get();
      if (text === undefined) return null;
      return settingsSchema.parse(JSON.parse(String(text)));
    } catch (error) {
      throw failure(this.#path, error);
    }
  }

  /** Durable when it returns. @throws WorkerStoreError */
  save(settings: WorkerSettings): void {
    try {
      this.#database.transaction(() => {
        this.#database.exec("DELETE FROM worker");
        this.#database.prepare("INSERT INTO worker VALUES (?)").run(JSON.stringify(settings));
      })();
    } catch (error) {
      throw failure(this.#path, error);
    }
  }

  close(): void {
    this.#database.close();
  }

  /** Closes and deletes it. */
  remove(): void {
    this.close();
    for (const suffix of ["", "-journal"]) rmSync(this.#path + suffix, { force: true });
  }
}

function failure(path: string, error: unknown): WorkerStoreError {
  const isLocked = error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY");
  if (isLocked)
    return new WorkerStoreError(`${path} is in use by another process: a node runs on this data directory already`);
  return new WorkerStoreError(`${path} cannot be used: ${error instanceof Error ? error.message : String(error)}`);
}
