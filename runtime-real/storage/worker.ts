/**
 * The thread that owns the file: the node's own thread never waits for a disk. Whatever has been queued while the last transaction was under way goes into the
 * next one together (group commit). After a failure nothing is written any more: what the file holds is not known (the fsyncgate lesson).
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import { DATABASE_FILE, HORIZON_FILE } from "./files.ts";
import { Horizon, readHorizon } from "./horizon.ts";
import { decodeJournal, encodeJournal, type Journal } from "./journal.ts";
import type { Job, Report, SettingsJob, Stored, WriteJob } from "./protocol.ts";
import { MIGRATIONS, migrate, schemaVersion } from "./schema.ts";
import { damaged, StorageError } from "./storage-error.ts";

/** The write-ahead log is folded into the file when it is this long and nothing waits, or when it is eight times as long. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;

const port = parentPort;
const dataDir: unknown = workerData;
if (port === null || typeof dataDir !== "string") throw new Error("this is a worker of the storage");
const path = join(dataDir, DATABASE_FILE);
const horizonPath = join(dataDir, HORIZON_FILE);
const pidPath = join(dataDir, "blixard.pid");

function report(message: Report): void {
  port?.postMessage(message);
}

class Store {
  readonly #database: Database.Database;
  #horizon: Horizon | null = null;
  #journal: Journal = { commit: 0, firstIndex: 0, lastIndex: 0, hasHardState: false };
  #walBytes = 0;
  readonly stored: Stored | null;

  /** @throws StorageError; then the files are as they were. */
  constructor() {
    // First without the right to write: whoever closes a file that it may write folds the log into it, and what is damaged must stay as it is.
    const found = existsSync(path) ? inspect() : { stored: null, commit: 0 };
    if (found.stored === null && (readHorizon(horizonPath) ?? 0) > 0)
      throw damaged(path, "it is empty, although a node has lived here");
    this.stored = found.stored;
    try {
      this.#database = new Database(path, { timeout: 0 });
    } catch (error) {
      throw refusalOf(error);
    }
    try {
      // Exclusive from here on: nobody else reads or writes, and the lock dies with the process.
      this.#database.pragma("locking_mode = EXCLUSIVE");
      this.#database.pragma("journal_mode = WAL");
      this.#database.pragma("synchronous = FULL");
      this.#database.pragma("wal_autocheckpoint = 0");
      this.#database.exec("BEGIN IMMEDIATE; COMMIT");
      migrate(this.#database);
      if (found.stored !== null) {
        const journal = decodeJournal(recordIn(this.#database, "journal") ?? new Uint8Array());
        if (journal?.commit !== found.commit) throw lockedError("it was written while it was read");
        this.#journal = journal;
      }
      this.#horizon = new Horizon(horizonPath);
      writeFileSync(pidPath, `${process.pid}\n`);
    } catch (error) {
      this.#database.close();
      throw refusalOf(error);
    }
  }

  /** All of them in one transaction. */
  commit(jobs: readonly (WriteJob | SettingsJob)[]): void {
    const database = this.#database;
    let { commit, firstIndex, lastIndex, hasHardState } = this.#journal;
    database.exec("BEGIN IMMEDIATE");
    for (const job of jobs) {
      if (job.kind === "settings") {
        this.#put("settings", job.bytes);
        continue;
      }
      let at = 0;
      const take = (length: number): Uint8Array => {
        at += length;
        return job.bytes.subarray(at - length, at);
      };
      const entries = job.entryLengths.map(take);
      if (job.snapshot !== null) {
        const { metaLength, chunkLengths, keepAfter } = job.snapshot;
        this.#put("snapshotMeta", take(metaLength));
        database.prepare("DELETE FROM chunks").run();
        const insert = database.prepare("INSERT INTO chunks VALUES (?, ?)");
        for (const [sequence, length] of chunkLengths.entries()) insert.run(sequence, take(length));
        const through = Math.min(keepAfter ?? lastIndex, lastIndex);
        database.prepare("DELETE FROM entries WHERE position <= ?").run(through);
        if (lastIndex <= through) firstIndex = lastIndex = 0;
        else firstIndex = Math.max(firstIndex, through + 1);
      }
      if (job.firstIndex !== null) {
        if (lastIndex >= job.firstIndex)
          database.prepare("DELETE FROM entries WHERE position >= ?").run(job.firstIndex);
        this.#insertEntry ??= database.prepare("INSERT INTO entries VALUES (?, ?)");
        for (const [offset, frame] of entries.entries()) this.#insertEntry.run(job.firstIndex + offset, frame);
        if (lastIndex === 0 || job.firstIndex <= firstIndex) firstIndex = job.firstIndex;
        lastIndex = job.firstIndex + entries.length - 1;
      }
      if (job.hardStateLength !== null) {
        this.#put("hardState", take(job.hardStateLength));
        hasHardState = true;
      }
      if (job.settings !== null) this.#put("settings", job.settings);
      this.#walBytes += job.bytes.length;
    }
    commit++;
    this.#put("journal", encodeJournal({ commit, firstIndex, lastIndex, hasHardState }));
    database.exec("COMMIT");
    this.#journal = { commit, firstIndex, lastIndex, hasHardState };
    this.#horizon?.reached(commit);
    // Two pages beside what was written, about: exact enough to bound the log.
    this.#walBytes += 3 * 4096;
  }

  #insertEntry: Database.Statement | null = null;
  #putRecord: Database.Statement | null = null;

  #put(name: string, value: Uint8Array): void {
    this.#putRecord ??= this.#database.prepare("INSERT OR REPLACE INTO records VALUES (?, ?)");
    this.#putRecord.run(name, value);
  }

  checkpointIfDue(isIdle: boolean): void {
    if (this.#walBytes < (isIdle ? CHECKPOINT_BYTES : 8 * CHECKPOINT_BYTES)) return;
    this.#walBytes = 0;
    this.#database.pragma("wal_checkpoint(PASSIVE)");
  }

  close(): void {
    this.#horizon?.sync();
    this.#horizon?.close();
    this.#database.close();
  }
}

/** Reads everything, and changes nothing. @throws StorageError */
function inspect(): { readonly stored: Stored | null; readonly commit: number } {
  let database: Database.Database | null = null;
  try {
    database = new Database(path, { readonly: true, timeout: 0 });
    const version = schemaVersion(database);
    if (version > MIGRATIONS.length)
      throw new StorageError(
        "newer",
        `${path} has format ${version}, this blixard knows ${MIGRATIONS.length}`,
        "run the newer blixard that wrote it",
      );
    return version === 0 ? { stored: null, commit: 0 } : readAll(database);
  } catch (error) {
    throw refusalOf(error);
  } finally {
    database?.close();
  }
}

function recordIn(database: Database.Database, name: string): Uint8Array | null {
  const value: unknown = database.prepare("SELECT value FROM records WHERE name = ?").pluck().get(name);
  if (value === undefined) return null;
  if (value instanceof Uint8Array) return value;
  throw damaged(path, `${name} is no bytes`);
}

function readAll(database: Database.Database): { readonly stored: Stored | null; readonly commit: number } {
  const complaints: unknown = database.pragma("quick_check(1)", { simple: true });
  if (complaints !== "ok") throw damaged(path, String(complaints));
  const record = (name: string): Uint8Array | null => recordIn(database, name);
  const horizon = readHorizon(horizonPath);
  const written = record("journal");
  if (written === null) {
    // Made, and not yet used: the process ended in between.
    if ((horizon ?? 0) > 0) throw damaged(path, "the journal is missing");
    return { stored: null, commit: 0 };
  }
  const journal = decodeJournal(written);
  if (journal === null) throw damaged(path, "the journal's checksum is wrong");
  if (horizon === null)
    throw damaged(path, `${horizonPath} is missing or damaged, so it cannot be told whether writes were lost`);
  if (journal.commit < horizon)
    throw damaged(
      path,
      `it ends at commit ${journal.commit}, but ${horizon} were durable: the write-ahead log was lost or damaged`,
    );

  const snapshotMeta = record("snapshotMeta");
  const settings = record("settings");
  if (snapshotMeta === null) throw damaged(path, "the snapshot is missing");
  if (settings === null) throw damaged(path, "the settings are missing");
  const entries: { index: number; frame: Uint8Array }[] = [];
  for (const row of database.prepare("SELECT position, frame FROM entries ORDER BY position").iterate()) {
    if (!isRow(row, "position", "frame")) throw damaged(path, "a stored entry is no bytes");
    entries.push({ index: row.position, frame: row.frame });
  }
  const first = entries.at(0)?.index ?? 0;
  const last = entries.at(-1)?.index ?? 0;
  if (first !== journal.firstIndex || last !== journal.lastIndex || (last > 0 && entries.length !== last - first + 1))
    throw damaged(
      path,
      `entries ${journal.firstIndex} to ${journal.lastIndex} were stored; found are ${entries.length}, ${first} to ${last}`,
    );
  const chunks: Uint8Array[] = [];
  for (const row of database.prepare("SELECT sequence, bytes FROM chunks ORDER BY sequence").iterate()) {
    if (!isRow(row, "sequence", "bytes") || row.sequence !== chunks.length)
      throw damaged(path, `chunk ${chunks.length} of the snapshot is missing`);
    chunks.push(row.bytes);
  }
  const hardState = record("hardState");
  if (journal.hasHardState !== (hardState !== null)) throw damaged(path, "the hard state is missing");
  return { stored: { hardState, snapshotMeta, chunks, entries, settings }, commit: journal.commit };
}

function isRow<Key extends string, Value extends string>(
  row: unknown,
  key: Key,
  value: Value,
): row is Record<Key, number> & Record<Value, Uint8Array> {
  if (typeof row !== "object" || row === null) return false;
  const fields = new Map<string, unknown>(Object.entries(row));
  return typeof fields.get(key) === "number" && fields.get(value) instanceof Uint8Array;
}

function refusalOf(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message : String(error);
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return lockedError(`${path} is in use by another process${holder()}`);
  }
  if (code === "SQLITE_CORRUPT" || code === "SQLITE_NOTADB" || error instanceof SyntaxError)
    return damaged(path, message);
  if (/^SQLITE_(CANTOPEN|READONLY|PERM|IOERR|FULL)/.test(code) || /^E[A-Z]+$/.test(code)) {
    return new StorageError(
      "unusable",
      `${path} cannot be used: ${message}`,
      "check the directory's permissions and the space that is left on its disk",
    );
  }
  // Whatever else SQLite finds wrong while everything is read, it is not what was written.
  return damaged(path, message);
}

function lockedError(message: string): StorageError {
  return new StorageError(
    "locked",
    message,
    "a node runs on this data directory already: stop it first, or give this one another --data-dir",
  );
}

function holder(): string {
  try {
    return ` (process ${readFileSync(pidPath, "utf8").trim()})`;
  } catch {
    return "";
  }
}

let store: Store | null = null;
try {
  store = new Store();
  report({ kind: "opened", stored: store.stored });
} catch (error) {
  const { kind, message, recovery } = refusalOf(error);
  report({ kind: "refused", error: kind, message, recovery });
}

let isBroken = false;

function carryOut(jobs: readonly (WriteJob | SettingsJob)[], isIdle: boolean): void {
  if (jobs.length === 0 || isBroken || store === null) return;
  try {
    store.commit(jobs);
  } catch (error) {
    isBroken = true;
    const reason = error instanceof Error ? error.message : String(error);
    report({ kind: "failed", id: jobs.find((job) => job.kind === "write")?.id ?? 0, reason });
    return;
  }
  const last = jobs.findLast((job) => job.kind === "write");
  if (last !== undefined) report({ kind: "written", id: last.id });
  for (const job of jobs) if (job.kind === "settings") report({ kind: "settingsSaved", ticket: job.ticket });
  try {
    store.checkpointIfDue(isIdle);
  } catch (error) {
    isBroken = true;
    report({
      kind: "failed",
      id: (last?.id ?? 0) + 1,
      reason: `checkpoint: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
}

port.on("message", (first: Job) => {
  const jobs: (WriteJob | SettingsJob)[] = [];
  let isClosing = false;
  for (let job: Job | undefined = first; job !== undefined; ) {
    if (job.kind === "close") isClosing = true;
    else jobs.push(job);
    const next: { message: Job } | undefined = receiveMessageOnPort(port);
    job = next?.message;
  }
  carryOut(jobs, jobs.length <= 1);
  if (!isClosing) return;
  store?.close();
  report({ kind: "closed" });
  port.close();
});
