/** Reads and checks everything that a data directory holds, and changes nothing. */
import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import type { StorageFiles } from "./files.ts";
import { readHorizon } from "./horizon.ts";
import { decodeJournal } from "./journal.ts";
import type { Stored } from "./protocol.ts";
import { MIGRATIONS, schemaVersion } from "./schema.ts";
import { refusalOf } from "./sqlite-refusal.ts";
import { damaged, StorageError } from "./storage-error.ts";

/** What a data directory holds, and by which commit. `stored` is null: nothing yet. */
export interface Found {
  readonly stored: Stored | null;
  readonly commit: number;
}

/** @throws StorageError */
export function inspect(files: StorageFiles): Found {
  const path = files.database;
  if (!existsSync(path)) return { stored: null, commit: 0 };
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
    return version === 0 ? { stored: null, commit: 0 } : readAll(database, files);
  } catch (error) {
    throw refusalOf(files, error);
  } finally {
    database?.close();
  }
}

export function recordIn(database: Database.Database, name: string): Uint8Array | null {
  const value: unknown = database.prepare("SELECT value FROM records WHERE name = ?").pluck().get(name);
  if (value === undefined) return null;
  if (value instanceof Uint8Array) return value;
  throw damaged(database.name, `${name} is no bytes`);
}

function readAll(database: Database.Database, { database: path, horizon: horizonPath }: StorageFiles): Found {
  const complaints: unknown = database.pragma("quick_check(1)", { simple: true });
  if (complaints !== "ok") throw damaged(path, String(complaints));
  const record = (name: string): Uint8Array | null => recordIn(database, name);
  const horizon = readHorizon(horizonPath);
  const written = record("journal");
  if (written === null) {
    // The file was made, and the process ended before the first commit.
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
