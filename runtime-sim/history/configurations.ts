/**
 * The configurations of one search (see `search.ts`): those that are known, and those that are still to be explored.
 *
 * Rows of integers in one array, so that millions of them need no more memory than their words. It knows nothing of
 * models and histories.
 */

/** Value of `before` in a configuration whose next operation is free: rule 4 of the search asks nothing of it. */
export const FREE = -1;
/** Row of a configuration that has no other before it. */
export const NONE = -1;
/** Most that is remembered, in 32-bit words: 256 MiB. */
const REMEMBERED_WORDS_MAX = 2 ** 26;

// Fields of a configuration, before the words that say what is left.
const CHAIN = 0;
export const FRONT = 1;
export const STATE = 2;
/** For rule 4: the state before the optional operation placed last, doubled, plus 1 if that one overwrites. */
export const BEFORE = 3;
/** Call of the last operation that is covered and left; 0 for none. */
export const COVERED = 4;
/** The configuration it came from, and what was placed there: an operation, or the complement of one that lapsed. */
export const PARENT = 5;
export const PLACED = 6;
/** How many operations are left. */
export const LEFT = 7;
const WORDS = 8;

/** Configurations, by number from 0, and which of them are alike. */
export class Memory {
  count = 0;
  private rows = new Int32Array(0);
  /** Last of each chain of rows that may be alike, counted from 1; 0 for none. */
  private heads = new Int32Array(64);
  private stride = WORDS;
  private exactWords = 0;
  private max = 0;

  /**
   * Forgets everything. Of the words to come, the first `exactWords` say what must return, the others what is of
   * unknown outcome.
   */
  clear(exactWords: number, words: number, max: number): void {
    if (this.heads.length > 1024) this.heads = new Int32Array(64);
    else this.heads.fill(0);
    this.count = 0;
    this.exactWords = exactWords;
    this.stride = WORDS + words;
    this.max = Math.min(max, Math.floor(REMEMBERED_WORDS_MAX / this.stride));
  }

  get full(): boolean {
    return this.count >= this.max;
  }

  field(row: number, field: number): number {
    return at(this.rows, row * this.stride + field);
  }

  word(row: number, word: number): number {
    return at(this.rows, row * this.stride + WORDS + word);
  }

  /** Begins a row after the last. It counts, and can be found, from `keep` on. */
  draft(): number {
    const row = this.count;
    if ((row + 1) * this.stride > this.rows.length) {
      const rows = new Int32Array(Math.max(1024, 2 * this.rows.length, this.stride));
      rows.set(this.rows);
      this.rows = rows;
    }
    return row;
  }

  set(row: number, field: number, value: number): void {
    this.rows[row * this.stride + field] = value;
  }

  setWord(row: number, word: number, value: number): void {
    this.rows[row * this.stride + WORDS + word] = value;
  }

  keep(row: number): void {
    this.count = row + 1;
    this.chain(row);
    if (this.count > this.heads.length) this.rehash();
  }

  /** Rule 5: whether another row can stand in for this one. */
  isDominated(row: number): boolean {
    const before = this.field(row, BEFORE);
    return (before !== FREE && this.findDominating(row, FREE)) || this.findDominating(row, before);
  }

  private findDominating(row: number, before: number): boolean {
    const rows = this.rows;
    const base = row * this.stride;
    let other = at(this.heads, this.hash(row, before) & (this.heads.length - 1)) - 1;
    while (other >= 0) {
      const otherBase = other * this.stride;
      if (
        other !== row &&
        at(rows, otherBase + FRONT) === at(rows, base + FRONT) &&
        at(rows, otherBase + STATE) === at(rows, base + STATE) &&
        at(rows, otherBase + BEFORE) === before &&
        at(rows, otherBase + COVERED) >= at(rows, base + COVERED) &&
        this.leavesAsMuch(otherBase + WORDS, base + WORDS)
      ) {
        return true;
      }
      other = at(rows, otherBase + CHAIN) - 1;
    }
    return false;
  }

  private leavesAsMuch(left: number, right: number): boolean {
    const rows = this.rows;
    for (let word = this.stride - WORDS - 1; word >= 0; word--) {
      const more = at(rows, left + word);
      const less = at(rows, right + word);
      if (word < this.exactWords ? more !== less : (less & ~more) !== 0) return false;
    }
    return true;
  }

  private hash(row: number, before: number): number {
    const rows = this.rows;
    const base = row * this.stride;
    let hash = Math.imul(at(rows, base + FRONT), 0x9e3779b1) ^ Math.imul(before + 1, 0xc2b2ae35);
    hash ^= Math.imul(at(rows, base + STATE) + 1, 0x85ebca6b);
    for (let word = 0; word < this.exactWords; word++) {
      hash = Math.imul(hash ^ (hash >>> 15) ^ at(rows, base + WORDS + word), 0x2c1b3c6d);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
    return hash ^ (hash >>> 15);
  }

  private chain(row: number): void {
    const head = this.hash(row, this.field(row, BEFORE)) & (this.heads.length - 1);
    this.rows[row * this.stride + CHAIN] = at(this.heads, head);
    this.heads[head] = row + 1;
  }

  private rehash(): void {
    this.heads = new Int32Array(4 * this.heads.length);
    for (let row = 0; row < this.count; row++) this.chain(row);
  }
}

/** Configurations to be explored: the last one first, until told to give out those with the earliest front first. */
export class Agenda {
  private readonly memory: Memory;
  private rows = new Int32Array(64);
  private length = 0;
  private frontByFront = false;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  clear(): void {
    this.length = 0;
    this.frontByFront = false;
  }

  goFrontByFront(): void {
    if (this.frontByFront) return;
    this.frontByFront = true;
    for (let place = (this.length >>> 1) - 1; place >= 0; place--) this.sink(place);
  }

  push(row: number): void {
    if (this.length === this.rows.length) {
      const rows = new Int32Array(2 * this.length);
      rows.set(this.rows);
      this.rows = rows;
    }
    let place = this.length;
    this.length += 1;
    if (this.frontByFront) {
      while (place > 0 && this.precedes(row, at(this.rows, (place - 1) >>> 1))) {
        this.rows[place] = at(this.rows, (place - 1) >>> 1);
        place = (place - 1) >>> 1;
      }
    }
    this.rows[place] = row;
  }

  /** NONE when nothing is to be explored. */
  pop(): number {
    if (this.length === 0) return NONE;
    this.length -= 1;
    const last = at(this.rows, this.length);
    if (!this.frontByFront || this.length === 0) return last;
    const first = at(this.rows, 0);
    this.rows[0] = last;
    this.sink(0);
    return first;
  }

  private sink(from: number): void {
    const row = at(this.rows, from);
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.length) break;
      if (child + 1 < this.length && this.precedes(at(this.rows, child + 1), at(this.rows, child))) child += 1;
      if (!this.precedes(at(this.rows, child), row)) break;
      this.rows[place] = at(this.rows, child);
      place = child;
    }
    this.rows[place] = row;
  }

  /** What leaves more goes first at the same front: it may stand in for the others. */
  private precedes(row: number, other: number): boolean {
    const front = this.memory.field(row, FRONT);
    const otherFront = this.memory.field(other, FRONT);
    if (front !== otherFront) return front < otherFront;
    const left = this.memory.field(row, LEFT);
    const otherLeft = this.memory.field(other, LEFT);
    return left === otherLeft ? row < other : left > otherLeft;
  }
}

/** Checked indexing: a wrong index here must stop the search, never become a wrong verdict. */
export function at(array: Int32Array | Uint8Array | Float64Array, index: number): number {
  const value = array[index];
  if (value === undefined) throw new RangeError(`history search: index ${index} outside of ${array.length}`);
  return value;
}

export function item<T extends object>(array: readonly T[], index: number): T {
  const value = array[index];
  if (value === undefined) throw new RangeError(`history search: index ${index} outside of ${array.length}`);
  return value;
}
