/**
 * The end of a guest's console in two files of bounded size: a guest that writes for ever fills nothing. While the
 * disk is full, what the guest writes is lost.
 */
import { renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const CONSOLE_FILES = { newer: "console.log", older: "console.1.log" } as const;

const FILE_BYTES_MAX = 512 * 1024;

export class ConsoleFile {
  readonly #newer: string;
  readonly #older: string;
  #bytes = 0;

  constructor(folder: string) {
    this.#newer = join(folder, CONSOLE_FILES.newer);
    this.#older = join(folder, CONSOLE_FILES.older);
    this.#bytes = statSync(this.#newer, { throwIfNoEntry: false })?.size ?? 0;
  }

  add(bytes: Uint8Array): void {
    try {
      if (this.#bytes > 0 && this.#bytes + bytes.length > FILE_BYTES_MAX) {
        renameSync(this.#newer, this.#older);
        this.#bytes = 0;
      }
      writeFileSync(this.#newer, bytes, { flag: "a", mode: 0o600 });
      this.#bytes += bytes.length;
    } catch {
      // The guest goes on.
    }
  }
}
