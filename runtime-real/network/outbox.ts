/**
 * Frames that wait to be sent on one long-lived stream. Those that come in one turn of the event loop, or while the
 * transport is busy, are sent in one piece. Never blocks: when it is full, the oldest frame is dropped. Raft repeats
 * what is lost, and the oldest is outdated first.
 */
import type { Stream } from "@libp2p/interface";
import { joinFrames } from "../frames/index.ts";

/** The size of one piece, about. */
const PIECE_BYTES = 1024 * 1024;

export class Outbox {
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  /** Opens the stream when there is something to send; null when that is not possible now. */
  readonly #open: () => Promise<Stream | null>;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #stream: Stream | null = null;
  #state: "idle" | "scheduled" | "opening" | "busy" = "idle";
  dropped = 0;
  sent = 0;

  constructor(messagesMax: number, bytesMax: number, open: () => Promise<Stream | null>) {
    this.#messagesMax = messagesMax;
    this.#bytesMax = bytesMax;
    this.#open = open;
  }

  get queued(): number {
    return this.#queue.length;
  }

  push(frame: Uint8Array): void {
    this.#queue.push(frame);
    this.#queuedBytes += frame.length;
    let drop = 0;
    while (
      this.#queue.length - drop > 1 &&
      (this.#queue.length - drop > this.#messagesMax || this.#queuedBytes > this.#bytesMax)
    )
      this.#queuedBytes -= this.#queue[drop++]?.length ?? 0;
    if (drop > 0) this.#queue.splice(0, drop);
    this.dropped += drop;
    if (this.#state !== "idle") return;
    this.#state = "scheduled";
    queueMicrotask(() => this.#flush());
  }

  /** The connection is gone. The frames that waited for it are dropped. */
  reset(): void {
    this.dropped += this.#queue.length;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#stream?.abort(new Error("the connection is gone"));
    this.#stream = null;
  }

  #flush(): void {
    if (this.#queue.length === 0) {
      this.#state = "idle";
      return;
    }
    const stream = this.#stream;
    if (stream === null || stream.status !== "open") {
      this.#reopen();
      return;
    }
    let count = 0;
    let bytes = 0;
    while (count < this.#queue.length && (count === 0 || bytes < PIECE_BYTES))
      bytes += this.#queue[count++]?.length ?? 0;
    const frames = this.#queue.splice(0, count);
    this.#queuedBytes -= bytes;
    this.sent += count;
    this.#state = "busy";
    try {
      if (stream.send(joinFrames(frames))) queueMicrotask(() => this.#flush());
      // Otherwise the stream emits `drain`, or closes.
    } catch {
      this.#stream = null;
      queueMicrotask(() => this.#flush());
    }
  }

  #reopen(): void {
    this.#state = "opening";
    this.#stream = null;
    this.#open().then(
      (stream) => {
        if (stream === null) {
          this.reset();
          this.#state = "idle";
          return;
        }
        this.#stream = stream;
        stream.addEventListener("drain", () => {
          if (stream === this.#stream && this.#state === "busy") this.#flush();
        });
        stream.addEventListener("close", () => {
          if (stream !== this.#stream) return;
          this.#stream = null;
          if (this.#state === "busy") this.#flush();
        });
        this.#flush();
      },
      () => {
        this.reset();
        this.#state = "idle";
      },
    );
  }
}
