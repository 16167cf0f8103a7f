/**
 * A lower bound of what is durable, beside the database. After each commit its number is written here, without waiting for the disk: after the death of the
 * process it is exact, after a power failure it may lag behind, and it never runs ahead. SQLite takes a log whose end has been damaged for one that was torn by a
 * crash, and goes back to an earlier state without a word; a database that knows fewer commits than this file is thus found out.
 *
 * Two slots, written in turn, each with its own checksum: one torn or flipped slot costs one commit of the bound.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";

const SLOT_BYTES = 32;

export class Horizon {
  readonly #file: number;
  readonly #slot = Buffer.alloc(SLOT_BYTES);

  /** Makes the file, or goes on with it. */
  constructor(path: string) {
    const isNew = !existsSync(path);
    this.#file = openSync(path, isNew ? "wx" : "r+", 0o600);
    if (!isNew) return;
    // That it is there must survive a power failure from the beginning on; what it says may lag behind.
    this.reached(0);
    fsyncSync(this.#file);
    const folder = openSync(dirname(path), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
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
