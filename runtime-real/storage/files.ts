/** The files in a data directory that storage owns. */

export const DATABASE_FILE = "blixard.db";
/** How many commits the disk has reported: see horizon.ts. */
export const HORIZON_FILE = `${DATABASE_FILE}.horizon`;
/** All that hold a node's state, those of SQLite too. */
export const DATABASE_FILES = [DATABASE_FILE, `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-shm`, HORIZON_FILE];
