/** Damage to bytes on their way. */
import type { Stream } from "../random/index.ts";

/** A copy that is not the original: bits flipped, the end cut off, or a stretch overwritten. */
export function damagedCopy(bytes: Uint8Array, rng: Stream): Uint8Array {
  switch (rng.integer(0, 3)) {
    case 0:
    case 1: {
      const copy = Uint8Array.from(bytes);
      for (let flips = rng.integer(1, 3); flips > 0; flips -= 1) {
        const bit = rng.integer(0, 8 * copy.length - 1);
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      }
      return copy;
    }
    case 2:
      return bytes.slice(0, rng.integer(0, bytes.length - 1));
    default: {
      const copy = Uint8Array.from(bytes);
      const from = rng.integer(0, copy.length - 1);
      const to = Math.min(copy.length, from + rng.integer(1, 64));
      for (let at = from; at < to; at += 1) copy[at] = rng.integer(0, 255);
      return copy;
    }
  }
}
