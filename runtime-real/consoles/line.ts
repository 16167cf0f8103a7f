/** A stream of frames both ways, to another node or within this one. */

export interface LineListener {
  frame(frame: Uint8Array): void;
  /** It has ended, at whichever end. */
  closed(): void;
}

export interface Line {
  /** What comes in goes there from now on. Until it is called, frames are dropped. */
  listen(listener: LineListener): void;
  /** Never throws. What is sent over a line that has ended is lost. */
  send(frame: Uint8Array): void;
  /** Bytes that wait to be sent. */
  readonly backlogBytes: number;
  /** Ends it, after what was sent. Idempotent. */
  close(): void;
}

class LocalLine implements Line {
  readonly backlogBytes = 0;
  #listener: LineListener | null = null;
  #isClosed = false;
  other: LocalLine | null = null;

  listen(listener: LineListener): void {
    this.#listener = listener;
    if (this.#isClosed) queueMicrotask(() => listener.closed());
  }

  send(frame: Uint8Array): void {
    if (!this.#isClosed) queueMicrotask(() => this.other?.taken(frame));
  }

  close(): void {
    queueMicrotask(() => {
      this.ended();
      this.other?.ended();
    });
  }

  taken(frame: Uint8Array): void {
    if (!this.#isClosed) this.#listener?.frame(frame);
  }

  ended(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener?.closed();
  }
}

/** The two ends of a line within this process. */
export function localLine(): readonly [Line, Line] {
  const [one, other] = [new LocalLine(), new LocalLine()];
  one.other = other;
  other.other = one;
  return [one, other];
}
