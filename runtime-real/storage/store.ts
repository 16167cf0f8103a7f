/**
 * The open database of one node. Everything that is given to it at once is committed in one transaction (group
 * commit).
 */
import { writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import type { StorageFiles } from "./files.ts";
import { Horizon, readHorizon } from "./horizon.ts";
import { inspect, recordIn } from "./inspect.ts";
import { decodeJournal, encodeJournal, type Journal } from "./journal.ts";
import type { SettingsJob, Stored, WriteJob } from "./protocol.ts";
import { migrate } from "./schema.ts";
import { lockedError, refusalOf } from "./sqlite-refusal.ts";
import { damaged } from "./storage-error.ts";

/**
 * A checkpoint is due when the write-ahead log is this long and no job waits, or when it is eight times as long.
 */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;

export class Store {
  readonly #database: Database.Database;
  #horizon: Horizon | null = null;
  #journal: Journal = { commit: 0, firstIndex: 0, lastIndex: 0, hasHardState: false };
  #walBytes = 0;
  #insertEntry: Database.Statement | null = null;
  #putRecord: Database.Statement | null = null;
  readonly stored: Stored | null;

  /** @throws StorageError; then the files have not changed. */
  constructor(files: StorageFiles) {
    // Read-only first. Closing a file that may be written makes a checkpoint, and damaged files must stay as they are.
    const found = inspect(files);
    if (found.stored === null && (readHorizon(files.horizon) ?? 0) > 0)
      throw damaged(files.database, "it is empty, although a node has lived here");
    this.stored = found.stored;
    try {
      this.#database = new Database(files.database, { timeout: 0 });
    } catch (error) {
      throw refusalOf(files, error);
    }
    try {
      // From here on nobody else reads or writes. The lock ends with the process.
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
      this.#horizon = new Horizon(files.horizon);
      writeFileSync(files.pid, `${process.pid}\n`);
    } catch (error) {
      this.#database.close();
      throw refusalOf(files, error);
    }
  }

  /** Commits all of them in one transaction. */
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
    // About three pages more than what was written: exact enough to bound the log.
    this.#walBytes += 3 * 4096;
  }

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
