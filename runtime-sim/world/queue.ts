/**
 * The events to come, in virtual time: a binary heap on typed arrays, ordered by time, then by order of pushing.
 * Payloads stay in numbered slots, so that moving an event within the heap moves three numbers and touches no object.
 */
export class EventQueue<Payload extends object> {
  #times: Float64Array;
  /** Ties pop in the order in which they were pushed. */
  #sequences: Float64Array;
  #slots: Int32Array;
  #size = 0;
  #sequence = 0;
  readonly #payloads: (Payload | undefined)[] = [];
  readonly #freeSlots: number[] = [];

  /** `capacity`: events to make room for; more is made as needed. */
  constructor(capacity = 1024) {
    const room = Math.max(16, capacity);
    this.#times = new Float64Array(room);
    this.#sequences = new Float64Array(room);
    this.#slots = new Int32Array(room);
  }

  /** Events waiting. */
  get size(): number {
    return this.#size;
  }

  /** When the next event is due, in microseconds of virtual time; Infinity when none is. */
  peekTimeUs(): number {
    return this.#size === 0 ? Infinity : (this.#times[0] ?? Infinity);
  }

  /** Adds an event at `timeUs`, an integer number of microseconds. */
  push(timeUs: number, payload: Payload): void {
    if (!Number.isSafeInteger(timeUs))
      throw new RangeError(`an event needs a whole number of microseconds, not ${timeUs}`);
    const slot = this.#freeSlots.pop() ?? this.#payloads.length;
    this.#payloads[slot] = payload;
    if (this.#size === this.#times.length) this.#grow();
    const times = this.#times;
    const sequences = this.#sequences;
    const slots = this.#slots;
    // A new event has the highest sequence number: among equal times it is the last, so times alone decide.
    let hole = this.#size;
    this.#size += 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const parentTime = times[parent] ?? 0;
      if (parentTime <= timeUs) break;
      times[hole] = parentTime;
      sequences[hole] = sequences[parent] ?? 0;
      slots[hole] = slots[parent] ?? 0;
      hole = parent;
    }
    times[hole] = timeUs;
    sequences[hole] = this.#sequence;
    slots[hole] = slot;
    this.#sequence += 1;
  }

  /** Takes out the next event; undefined when there is none. Its time is what `peekTimeUs` said before. */
  pop(): Payload | undefined {
    if (this.#size === 0) return undefined;
    const slot = this.#slots[0] ?? 0;
    const payload = this.#payloads[slot];
    // Kept here, it would outlive its time.
    this.#payloads[slot] = undefined;
    this.#freeSlots.push(slot);
    this.#size -= 1;
    if (this.#size > 0) this.#sinkLast();
    return payload;
  }

  /** Moves the last event into the hole at the top, down to where it belongs. */
  #sinkLast(): void {
    const times = this.#times;
    const sequences = this.#sequences;
    const slots = this.#slots;
    const size = this.#size;
    const time = times[size] ?? 0;
    const sequence = sequences[size] ?? 0;
    let hole = 0;
    for (let child = 1; child < size; child = 2 * hole + 1) {
      let childTime = times[child] ?? 0;
      let childSequence = sequences[child] ?? 0;
      if (child + 1 < size) {
        const otherTime = times[child + 1] ?? 0;
        if (otherTime <= childTime) {
          const otherSequence = sequences[child + 1] ?? 0;
          if (otherTime < childTime || otherSequence < childSequence) {
            child += 1;
            childTime = otherTime;
            childSequence = otherSequence;
          }
        }
      }
      if (time < childTime || (time === childTime && sequence < childSequence)) break;
      times[hole] = childTime;
      sequences[hole] = childSequence;
      slots[hole] = slots[child] ?? 0;
      hole = child;
    }
    times[hole] = time;
    sequences[hole] = sequence;
    slots[hole] = slots[size] ?? 0;
  }

  #grow(): void {
    const room = 2 * this.#times.length;
    const times = new Float64Array(room);
    const sequences = new Float64Array(room);
    const slots = new Int32Array(room);
    times.set(this.#times);
    sequences.set(this.#sequences);
    slots.set(this.#slots);
    this.#times = times;
    this.#sequences = sequences;
    this.#slots = slots;
  }
}
