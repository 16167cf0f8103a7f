/**
 * Reads what ConsoleFile keeps, while that goes on. The files are the buffer: a reader holds one open and remembers a
 * position, so it costs the guest nothing. When a file that it has not read has been replaced in the meantime,
 * something is lost, and the reader says so.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import type { ConsolePiece, ConsoleReader } from "../worker/index.ts";
import { CONSOLE_FILES } from "./console-file.ts";

const PIECE_BYTES_MAX = 32 * 1024;
const LINE_FEED = 10;

export class ConsoleFileReader implements ConsoleReader {
  readonly keptBytes: number;
  readonly #newer: string;
  readonly #older: string;
  /** Null: the guest has not written anything yet. */
  #file: number | null = null;
  #at = 0;
  /** Nothing was kept yet when this reader began. */
  readonly #isFromFirstByte: boolean;
  readonly #piece = new Uint8Array(PIECE_BYTES_MAX);

  /** @param folder that of the run. @param linesMax null: all that is kept. */
  constructor(folder: string, linesMax: number | null) {
    this.#newer = join(folder, CONSOLE_FILES.newer);
    this.#older = join(folder, CONSOLE_FILES.older);
    const older = bytesOf(this.#older);
    const newer = bytesOf(this.#newer);
    const skipped = linesMax === null ? 0 : startOfLast(linesMax, [older, newer]);
    this.keptBytes = older.length + newer.length - skipped;
    this.#isFromFirstByte = older.length + newer.length === 0;
    const isInOlder = skipped < older.length;
    this.#file = opened(isInOlder ? this.#older : this.#newer);
    if (this.#file === null) return;
    const at = isInOlder ? skipped : skipped - older.length;
    // The files may have been replaced in the meantime.
    this.#at = at > fstatSync(this.#file).size ? 0 : at;
  }

  next(): ConsolePiece | null {
    // The first file may have been replaced before anybody looked for its first piece.
    if (this.#file === null && this.#isFromFirstByte) this.#file = opened(this.#older);
    this.#file ??= opened(this.#newer);
    return this.#file === null ? null : (this.#read(this.#file) ?? this.#follow(this.#file));
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  /** Null: at the end of the file. */
  #read(file: number): ConsolePiece | null {
    const size = readSync(file, this.#piece, 0, PIECE_BYTES_MAX, this.#at);
    this.#at += size;
    return size === 0 ? null : { kind: "output", bytes: this.#piece.slice(0, size) };
  }

  /** At the end of `file`: goes on with the next one, if there is one. */
  #follow(file: number): ConsolePiece | null {
    const own = fstatSync(file);
    if (isSame(own, stat(this.#newer))) return null;
    // It may have grown between the last read and its replacement.
    const rest = this.#read(file);
    if (rest !== null) return rest;
    const newer = opened(this.#newer);
    // Being replaced right now, or removed with its machine.
    if (newer === null) return null;
    // If this file is the older one even now, the newer one that was opened is the next.
    if (isSame(own, stat(this.#older))) {
      this.#enter(newer);
      return this.#read(newer);
    }
    closeSync(newer);
    const older = opened(this.#older);
    if (older === null) return null;
    this.#enter(older);
    return { kind: "lost" };
  }

  #enter(file: number): void {
    this.close();
    this.#file = file;
    this.#at = 0;
  }
}

/** Where the last `count` lines of these begin, counted from the start of the first. */
function startOfLast(count: number, parts: readonly Uint8Array[]): number {
  const bytes = Buffer.concat(parts);
  let at = bytes.length;
  if (count === 0) return at;
  // A line feed at the very end belongs to the last line.
  for (let left = count; left > 0 && at > 0; left--) at = at < 2 ? 0 : bytes.lastIndexOf(LINE_FEED, at - 2) + 1;
  return at;
}

function bytesOf(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    return missing(error, new Uint8Array());
  }
}

function opened(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch (error) {
    return missing(error, null);
  }
}

function stat(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

/** @throws the error, unless it says that there is no such file. */
function missing<Value>(error: unknown, instead: Value): Value {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return instead;
  throw error;
}

function isSame(own: Stats, other: Stats | null): boolean {
  return own.ino === other?.ino && own.dev === other.dev;
}
