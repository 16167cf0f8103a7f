/** Files that commands read and write. Every failure is a FailureError that names the file and says what to do. */
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { FailureError } from "../frame/index.ts";

/** The largest file that is read as a whole. */
const READ_MAX_BYTES = 256 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** A whole text file. */
export function readText(path: string): string {
  return describingErrors("read", path, () => {
    const { size } = statSync(path);
    if (size > READ_MAX_BYTES) {
      throw new FailureError(`${path} has ${size} bytes, the limit is ${READ_MAX_BYTES}`, "is it the right file?");
    }
    return readFileSync(path, "utf8");
  });
}

/** Parses a JSON file; `parse` may throw what it finds wrong with the value. */
export function readJson<Value>(path: string, parse: (value: unknown) => Value, hint: string): Value {
  const text = readText(path);
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    throw new FailureError(`${path}: ${error instanceof Error ? error.message : String(error)}`, hint);
  }
}

/**
 * The lines of a text file, read as they are asked for: one line at a time is in memory. Of a line longer than `lengthMax` characters more than
 * that many are given, and not more than a chunk beyond.
 */
export function* readLines(path: string, lengthMax: number): Generator<string, void, undefined> {
  const file = describingErrors("read", path, () => openSync(path, "r"));
  try {
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(CHUNK_BYTES);
    let rest = "";
    for (;;) {
      const size = describingErrors("read", path, () => readSync(file, chunk));
      rest += decoder.decode(chunk.subarray(0, size), { stream: size > 0 });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
      if (size === 0) break;
      if (rest.length > lengthMax) {
        yield rest;
        return;
      }
    }
    if (rest !== "") yield rest;
  } finally {
    closeSync(file);
  }
}

/** Throws if `path` can clearly not be written, so that nobody waits an hour to hear it. */
export function checkWritable(path: string): void {
  describingErrors("write", path, () => {
    accessSync(dirname(path), constants.W_OK);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
      throw new FailureError(`cannot write ${path}: it is a folder`, "name a file");
    }
  });
}

/** Writes a whole file: whoever reads it meanwhile sees the old one or the new one, never a part. */
export function writeWhole(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}.tmp`;
  describingErrors("write", path, () => {
    checkWritable(path);
    try {
      writeFileSync(unfinished, text);
      renameSync(unfinished, path);
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
  });
}

/** One value as JSON on one line, bytes as hexadecimal digits. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    part instanceof Uint8Array ? Buffer.from(part.buffer, part.byteOffset, part.length).toString("hex") : part,
  );
}

/** A file that grows by one JSON value a line, in bounded memory. */
export class JsonLinesFile {
  readonly #path: string;
  readonly #file: number;
  #pending: string[] = [];
  #pendingLength = 0;

  constructor(path: string) {
    this.#path = path;
    this.#file = describingErrors("write", path, () => openSync(path, "w"));
  }

  write(value: unknown): void {
    const line = `${jsonLine(value)}\n`;
    this.#pending.push(line);
    this.#pendingLength += line.length;
    if (this.#pendingLength >= CHUNK_BYTES) this.#flush();
  }

  close(): void {
    try {
      this.#flush();
    } finally {
      closeSync(this.#file);
    }
  }

  #flush(): void {
    const bytes = Buffer.from(this.#pending.join(""));
    this.#pending = [];
    this.#pendingLength = 0;
    describingErrors("write", this.#path, () => {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
    });
  }
}

const HINTS = new Map([
  ["ENOENT", "check the path: a folder or the file does not exist"],
  ["ENOTDIR", "check the path: a part of it is a file, not a folder"],
  ["EISDIR", "name a file, not a folder"],
  ["EACCES", "you lack the permission: choose another place, or mend it"],
  ["EPERM", "you lack the permission: choose another place, or mend it"],
  ["EROFS", "the file system is read-only: choose another place"],
  ["ENOSPC", "the disk is full: make room, or choose another place"],
]);

function describingErrors<Result>(verb: "read" | "write", path: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : null;
    if (code === null) throw error;
    throw new FailureError(`cannot ${verb} ${path} (${code})`, HINTS.get(code) ?? "see errno(3) for this code");
  }
}
