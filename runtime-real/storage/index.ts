/** What a node must not forget: one SQLite file, written by a thread of its own. */

export { DATABASE_FILE, DATABASE_FILES } from "./files.ts";
export { type NodeSettings, readSettings } from "./settings.ts";
export { Storage } from "./storage.ts";
export { StorageError } from "./storage-error.ts";
