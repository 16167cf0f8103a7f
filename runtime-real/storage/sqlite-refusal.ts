/** What SQLite and the file system refuse, as errors that say what to do. */
import { readFileSync } from "node:fs";
import type { StorageFiles } from "./files.ts";
import { damaged, StorageError } from "./storage-error.ts";

export function refusalOf({ database: path, pid }: StorageFiles, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message : String(error);
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return lockedError(`${path} is in use by another process${holder(pid)}`);
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
  // Anything else that SQLite finds wrong means that the file is not as it was written.
  return damaged(path, message);
}

export function lockedError(message: string): StorageError {
  return new StorageError(
    "locked",
    message,
    "a node runs on this data directory already: stop it first, or give this one another --data-dir",
  );
}

function holder(pidPath: string): string {
  try {
    return ` (process ${readFileSync(pidPath, "utf8").trim()})`;
  } catch {
    return "";
  }
}
