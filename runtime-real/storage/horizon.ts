/**
 * The horizon is a lower bound of what is durable, in a file beside the database. After each commit its number is
 * written here, without waiting for the disk. When the process dies, the number is exact. After a power failure it
 * may be too low. It is never too high.
 *
 * It is needed because SQLite takes a write-ahead log whose end is damaged for one that was torn by a crash, and
 * silently goes back to an earlier state. A database that has fewer commits than the horizon has lost some.
 *
 * The file has two slots, written in turn, each with its own checksum. A torn or damaged slot costs one commit of the
 * bound.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeDurable } from "../files/index.ts";

const SLOT_BYTES = 32;

export class Horizon {
  readonly #file: number;
  readonly #slot = Buffer.alloc(SLOT_BYTES);

  /** Opens the file, or makes it. */
  constructor(path: string) {
    const isNew = !existsSync(path);
    this.#file = openSync(path, isNew ? "wx" : "r+", 0o600);
    if (!isNew) return;
    // From the beginning the file itself must survive a power failure. Its contents may be too low.
    this.reached(0);
    fsyncSync(this.#file);
    makeDurable(dirname(path));
  }

  /** `commit` is durable. */
  reached(commit: number): void {
    this.#slot.writeBigUInt64LE(BigInt(commit), 0);
    checksum(this.#slot).copy(this.#slot, 8);
    writeSync(this.#file, this.#slot, 0, SLOT_BYTES, (commit % 2) * SLOT_BYTES);
  }

  sync(): void {
    fsyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The highest commit that is known to have been durable; null when the file is missing or both slots are damaged. */
export function readHorizon(path: string): number | null {
  if (!existsSync(path)) return null;
  const bytes = readFileSync(path);
  let highest: number | null = null;
  for (const at of [0, SLOT_BYTES]) {
    const slot = bytes.subarray(at, at + SLOT_BYTES);
    if (slot.length !== SLOT_BYTES || !checksum(slot).equals(slot.subarray(8))) continue;
    highest = Math.max(highest ?? 0, Number(slot.readBigUInt64LE(0)));
  }
  return highest;
}

function checksum(slot: Buffer): Buffer {
  return createHash("sha256")
    .update(slot.subarray(0, 8))
    .digest()
    .subarray(0, SLOT_BYTES - 8);
}
