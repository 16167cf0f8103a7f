import { FailureError } from "../frame/index.ts";

const HINTS = new Map([
  ["ENOENT", "check the path: a folder or the file does not exist"],
  ["ENOTDIR", "check the path: a part of it is a file, not a folder"],
  ["EISDIR", "name a file, not a folder"],
  ["EACCES", "you lack the permission: choose another place, or mend it"],
  ["EPERM", "you lack the permission: choose another place, or mend it"],
  ["EROFS", "the file system is read-only: choose another place"],
  ["ENOSPC", "the disk is full: make room, or choose another place"],
]);

/** Turns an error of reading or writing a file into a FailureError. */
export function describingErrors<Result>(verb: "read" | "write", path: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : null;
    if (code === null) throw error;
    throw new FailureError(`cannot ${verb} ${path} (${code})`, HINTS.get(code) ?? "see errno(3) for this code");
  }
}
