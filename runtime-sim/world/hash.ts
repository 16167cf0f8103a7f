/**
 * The running hash of a run: equal for two runs exactly when they mixed in the same integers in the same order, up to
 * collisions of one in 2^64. It finds differences, it does not resist an adversary.
 */
export class TraceHash {
  // 32-bit integers throughout: fields of that size need no heap number in V8.
  #a = 0x243f6a88;
  #b = 0x85a308d3 | 0;

  /** Mixes in an integer within ±2^53. A fraction is ignored. */
  mix(value: number): void {
    const lo = value | 0;
    if (lo === value) {
      this.#round(lo);
      return;
    }
    this.#round(lo);
    // Tells 2^32 + 5 from 5, and from 5 followed by 1.
    this.#round(Math.floor(value / 4_294_967_296) ^ 0x5bd1e995);
  }

  /** Mixes in a text of UTF-16 units, for the rare events that carry one. */
  mixText(text: string): void {
    this.mix(text.length);
    for (let at = 0; at < text.length; at += 1) this.#round(text.charCodeAt(at));
  }

  /** What has been mixed in so far, as 16 hex digits. */
  hex(): string {
    // Every bit of either lane reaches every bit of both halves.
    let a = finish(this.#a);
    const b = finish((this.#b + a) | 0);
    a = finish((a + b) | 0);
    return hex8(a) + hex8(b);
  }

  #round(word: number): void {
    let k = Math.imul(word, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    let a = this.#a ^ Math.imul(k, 0x1b873593);
    a = (a << 13) | (a >>> 19);
    a = (Math.imul(a, 5) + 0xe6546b64) | 0;
    let b = this.#b ^ Math.imul(word, 0x85ebca6b);
    b = ((b << 17) | (b >>> 15)) + a;
    this.#a = a;
    this.#b = Math.imul(b, 0x9e3779b1);
  }
}

/** MurmurHash3's finaliser. */
function finish(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function hex8(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
