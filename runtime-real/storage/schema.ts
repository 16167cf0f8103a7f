/** The tables of the database, and the migrations of older files. */
import type { Database } from "better-sqlite3";

/**
 * Each migration makes the next version, 1 being the first, in the transaction that records the version. Once
 * released, it never changes.
 *
 * `records` has one row for each of `hardState`, `snapshotMeta`, `settings` and `journal`. The journal is written in
 * every transaction.
 */
export const MIGRATIONS: readonly ((database: Database) => void)[] = [
  (database) => {
    database.exec(`
      CREATE TABLE records (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
      CREATE TABLE entries (position INTEGER PRIMARY KEY, frame BLOB NOT NULL);
      CREATE TABLE chunks (sequence INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
    `);
  },
];

/** The version of the file; 0: it is empty. */
export function schemaVersion(database: Database): number {
  const table = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema'").get();
  if (table === undefined) return 0;
  const row: unknown = database.prepare("SELECT max(version) FROM schema").pluck().get();
  return typeof row === "number" ? row : 0;
}

/** Brings the file to the newest version, in one transaction. The file must not be newer than that. */
export function migrate(database: Database, migrations: readonly ((database: Database) => void)[] = MIGRATIONS): void {
  const from = schemaVersion(database);
  if (from >= migrations.length) return;
  database.transaction(() => {
    database.exec("CREATE TABLE IF NOT EXISTS schema (version INTEGER PRIMARY KEY)");
    for (const [at, change] of migrations.entries()) {
      if (at < from) continue;
      change(database);
      database.prepare("INSERT INTO schema VALUES (?)").run(at + 1);
    }
  })();
}
