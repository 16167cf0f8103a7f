import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { FailureError } from "../frame/index.ts";
import { describingErrors } from "./errors.ts";

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
 * The lines of a text file, read as they are consumed: one line at a time is in memory. Stops at a line longer than
 * `lengthMax` characters, and yields at most a chunk beyond that of it.
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
