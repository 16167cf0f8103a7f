/** The messages between the node's own thread and the storage thread. */
import type { StorageErrorKind } from "./storage-error.ts";

/**
 * One `Write` of the core. Its frames lie one after the other in `bytes`: entries, snapshot meta, chunks, hard state.
 */
export interface WriteJob {
  readonly kind: "write";
  readonly id: number;
  readonly bytes: Uint8Array;
  /** The entries replace the stored ones from this index on; null: no entries. */
  readonly firstIndex: number | null;
  readonly entryLengths: readonly number[];
  readonly snapshot: {
    readonly metaLength: number;
    readonly chunkLengths: readonly number[];
    /** Stored entries up to this index are deleted; null: all of them. */
    readonly keepAfter: number | null;
  } | null;
  readonly hardStateLength: number | null;
  /** With the first write of a node; null: with all others. */
  readonly settings: Uint8Array | null;
}

export interface SettingsJob {
  readonly kind: "settings";
  readonly ticket: number;
  readonly bytes: Uint8Array;
}

export type Job = WriteJob | SettingsJob | { readonly kind: "close" };

/** Everything that is stored, as bytes that have still to be checked. */
export interface Stored {
  readonly hardState: Uint8Array | null;
  readonly snapshotMeta: Uint8Array;
  readonly chunks: readonly Uint8Array[];
  readonly entries: readonly { readonly index: number; readonly frame: Uint8Array }[];
  readonly settings: Uint8Array;
}

export type Report =
  | { readonly kind: "opened"; readonly stored: Stored | null }
  | { readonly kind: "refused"; readonly error: StorageErrorKind; readonly message: string; readonly recovery: string }
  | { readonly kind: "written"; readonly id: number }
  | { readonly kind: "failed"; readonly id: number; readonly reason: string }
  | { readonly kind: "settingsSaved"; readonly ticket: number }
  | { readonly kind: "closed" };
