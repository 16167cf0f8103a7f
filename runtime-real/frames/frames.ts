/** Frames on a stream: a big-endian 32-bit length, then that many bytes. They may arrive in pieces of any size. */

/** A peer has announced a frame that is longer than any correct one. */
export class FrameTooLong extends Error {
  override readonly name = "FrameTooLong";
  readonly sizeBytes: number;
  readonly limitBytes: number;

  constructor(sizeBytes: number, limitBytes: number) {
    super(`a frame of ${sizeBytes} bytes, the limit is ${limitBytes}`);
    this.sizeBytes = sizeBytes;
    this.limitBytes = limitBytes;
  }
}

const HEAD_BYTES = 4;

/** The frames, each with its head, in one buffer. */
export function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const { length } of frames) size += HEAD_BYTES + length;
  const joined = new Uint8Array(size);
  const view = new DataView(joined.buffer);
  let at = 0;
  for (const frame of frames) {
    view.setUint32(at, frame.length);
    joined.set(frame, at + HEAD_BYTES);
    at += HEAD_BYTES + frame.length;
  }
  return joined;
}

/** Puts frames together again. Holds at most one unfinished frame, and copies each byte once. */
export class FrameReader {
  readonly #limitBytes: number;
  readonly #take: (frame: Uint8Array) => void;
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headFilled = 0;
  #frame: Uint8Array | null = null;
  #filled = 0;
  /** The size of the unfinished frame, as its head says. */
  #sizeBytes = 0;

  constructor(limitBytes: number, take: (frame: Uint8Array) => void) {
    this.#limitBytes = limitBytes;
    this.#take = take;
  }

  /** @throws FrameTooLong */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#frame === null) {
        at = this.#readHead(bytes, at);
        if (this.#frame === null) continue;
      }
      const frame: Uint8Array = this.#frame;
      const part = bytes.subarray(at, at + this.#sizeBytes - this.#filled);
      this.#frame = this.#withRoom(frame, part.length);
      this.#frame.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#sizeBytes) this.#finish();
    }
  }

  #readHead(bytes: Uint8Array, start: number): number {
    let at = start;
    while (this.#headFilled < HEAD_BYTES && at < bytes.length) this.#head[this.#headFilled++] = bytes[at++] ?? 0;
    if (this.#headFilled < HEAD_BYTES) return at;
    this.#sizeBytes = new DataView(this.#head.buffer).getUint32(0);
    if (this.#sizeBytes > this.#limitBytes) throw new FrameTooLong(this.#sizeBytes, this.#limitBytes);
    // Memory grows as the bytes come, so a peer cannot cause a large allocation by announcing a long frame.
    this.#frame = new Uint8Array(Math.min(this.#sizeBytes, 64 * 1024));
    if (this.#sizeBytes === 0) this.#finish();
    return at;
  }

  #withRoom(frame: Uint8Array, more: number): Uint8Array {
    if (this.#filled + more <= frame.length) return frame;
    const larger = new Uint8Array(Math.min(this.#sizeBytes, Math.max(frame.length * 2, this.#filled + more)));
    larger.set(frame.subarray(0, this.#filled));
    return larger;
  }

  #finish(): void {
    const frame = this.#frame ?? new Uint8Array(0);
    this.#frame = null;
    this.#filled = 0;
    this.#headFilled = 0;
    this.#take(frame.subarray(0, this.#sizeBytes));
  }
}
