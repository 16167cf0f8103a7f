/** The files in a data directory that storage owns. */
import { join } from "node:path";

export const DATABASE_FILE = "blixard.db";
const HORIZON_FILE = `${DATABASE_FILE}.horizon`;
/** All that hold a node's state, those of SQLite too. */
export const DATABASE_FILES = [DATABASE_FILE, `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-shm`, HORIZON_FILE];

/** Their paths. */
export interface StorageFiles {
  readonly database: string;
  /** How many commits are durable at least: see horizon.ts. */
  readonly horizon: string;
  /** The process that has the directory. */
  readonly pid: string;
}

export function filesIn(dataDir: string): StorageFiles {
  return {
    database: join(dataDir, DATABASE_FILE),
    horizon: join(dataDir, HORIZON_FILE),
    pid: join(dataDir, "blixard.pid"),
  };
}
