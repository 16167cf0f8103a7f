/** What a node must not forget: one SQLite file, written by a thread of its own. */
export { type NodeSettings, Storage, type StorageHandlers } from "./storage.ts";
export { StorageError, type StorageErrorKind } from "./storage-error.ts";
