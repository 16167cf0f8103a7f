import { closeSync, openSync, writeSync } from "node:fs";
import { describingErrors } from "./errors.ts";

/** The most that is buffered before it is written. */
const CHUNK_BYTES = 64 * 1024;

/** One value as JSON on one line, bytes as hexadecimal digits. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    part instanceof Uint8Array ? Buffer.from(part.buffer, part.byteOffset, part.length).toString("hex") : part,
  );
}

/** A file with one JSON value per line, written in bounded memory. */
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
