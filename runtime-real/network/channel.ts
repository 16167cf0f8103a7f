/** A stream of frames both ways between two nodes, for as long as both want. */
import type { Stream } from "@libp2p/interface";
import { FrameReader } from "../frames/index.ts";
import { say } from "./say.ts";

/** What waits for a peer that does not read. Beyond it the channel ends: whoever sends looks at the backlog before. */
const BACKLOG_BYTES_MAX = 4 * 1024 * 1024;

export interface ChannelListener {
  frame(frame: Uint8Array): void;
  /** It has ended, at whichever end. */
  closed(): void;
}

export class Channel {
  readonly #stream: Stream;
  #listener: ChannelListener | null = null;
  #isClosed = false;

  constructor(stream: Stream, limitBytes: number) {
    this.#stream = stream;
    const reader = new FrameReader(limitBytes, (frame) => this.#listener?.frame(frame));
    stream.addEventListener("message", ({ data }) => {
      if (this.#isClosed) return;
      try {
        reader.push(data.subarray());
      } catch (error) {
        stream.abort(error instanceof Error ? error : new Error(String(error)));
      }
    });
    const ended = (): void => this.#ended();
    stream.addEventListener("close", ended);
    // The peer sends nothing more. So ends a stream, too, that it has reset.
    stream.addEventListener("end", ended);
  }

  /** What comes in goes there from now on. Until it is called, frames are dropped. */
  listen(listener: ChannelListener): void {
    this.#listener = listener;
    if (this.#isClosed) queueMicrotask(() => listener.closed());
  }

  /** Never throws. What is sent over a channel that has ended is lost. */
  send(frame: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.backlogBytes > BACKLOG_BYTES_MAX) this.#stream.abort(new Error("the peer does not read"));
    else say(this.#stream, frame);
  }

  /** Bytes that wait to be sent. */
  get backlogBytes(): number {
    return this.#stream.writeBufferLength;
  }

  /** Ends it, after what was sent. */
  close(): void {
    if (this.#stream.status === "open")
      this.#stream.close().catch(() => this.#stream.abort(new Error("cannot be closed")));
    this.#ended();
  }

  #ended(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener?.closed();
    // The other direction ends too.
    if (this.#stream.status === "open")
      this.#stream.close().catch(() => this.#stream.abort(new Error("cannot be closed")));
  }
}
