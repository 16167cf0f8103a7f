export type StorageErrorKind =
  /** Another process uses the data directory. */
  | "locked"
  /** What is stored is not what was written. None of it may be used. */
  | "damaged"
  /** Written by a newer blixard. */
  | "newer"
  /** The file system refuses. */
  | "unusable";

/** A data directory cannot be used. `recovery` says what to do. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly kind: StorageErrorKind;
  readonly recovery: string;

  constructor(kind: StorageErrorKind, message: string, recovery: string) {
    super(message);
    this.kind = kind;
    this.recovery = recovery;
  }
}

export function damaged(path: string, what: string): StorageError {
  return new StorageError(
    "damaged",
    `${path} is damaged: ${what}`,
    "nothing was changed; `blixard node --data-dir DIR --replace-from-peers` rebuilds this node from the others, or restore the whole directory from a backup of this very node",
  );
}
