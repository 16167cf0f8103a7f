/** A client's end of a console. */
import type { Socket } from "node:net";
import {
  bytesFrame,
  CONSOLE_FRAME_BYTES_MAX,
  type ConsoleEnded,
  type ConsoleOpened,
  FRAME_KIND,
  TYPED_BYTES_MAX,
} from "../console-protocol/index.ts";
import { FrameReader, joinFrames } from "../frames/index.ts";
import { ConnectError } from "./connect-error.ts";

export type ConsoleNews =
  | ({ readonly kind: "opened" } & ConsoleOpened)
  | { readonly kind: "output"; readonly bytes: Uint8Array }
  /** Something in between was lost: it came faster than it was read. */
  | { readonly kind: "lost" }
  | ({ readonly kind: "ended" } & ConsoleEnded);

export class ConsoleStream {
  readonly #socket: Socket;
  readonly #target: string;
  #isClosed = false;

  constructor(socket: Socket, target: string) {
    this.#socket = socket;
    this.#target = target;
    // What is wrong is said by `news`.
    socket.on("error", () => undefined);
  }

  /** Until the console has ended, or was closed here. Whoever reads slowly loses output. @throws ConnectError */
  async *news(): AsyncGenerator<ConsoleNews, void, undefined> {
    const frames: Uint8Array[] = [];
    const reader = new FrameReader(CONSOLE_FRAME_BYTES_MAX, (frame) => void frames.push(frame));
    try {
      for await (const chunk of this.#socket) {
        reader.push(chunk);
        for (const frame of frames.splice(0)) {
          const news = newsOf(frame);
          if (news !== null) yield news;
          if (news?.kind === "ended") return;
        }
      }
    } catch (error) {
      if (!this.#isClosed) throw this.#lost(`: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#socket.destroy();
    }
    if (!this.#isClosed) throw this.#lost("");
  }

  type(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.#socket.writable; at += TYPED_BYTES_MAX)
      this.#socket.write(joinFrames([bytesFrame(FRAME_KIND.typed, bytes.subarray(at, at + TYPED_BYTES_MAX))]));
  }

  /** Resolves when what was typed is on its way. */
  async drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain || this.#isClosed) return;
    await new Promise<void>((resolve) => {
      this.#socket.once("drain", resolve);
      this.#socket.once("close", resolve);
    });
  }

  /** What was typed before is still sent. */
  close(): void {
    this.#isClosed = true;
    this.#socket.destroySoon();
  }

  #lost(reason: string): ConnectError {
    return new ConnectError("lost", this.#target, `the connection to the console was lost${reason}`);
  }
}

/** Null: of a kind that this version does not know. */
function newsOf(frame: Uint8Array): ConsoleNews | null {
  // The node has checked the kinds; what a host says in JSON is as the node's own.
  switch (frame[0]) {
    case FRAME_KIND.opened: {
      const opened: ConsoleOpened = JSON.parse(textOf(frame));
      return { kind: "opened", ...opened };
    }
    case FRAME_KIND.ended: {
      const ended: ConsoleEnded = JSON.parse(textOf(frame));
      return { kind: "ended", ...ended };
    }
    case FRAME_KIND.output:
      return { kind: "output", bytes: frame.subarray(1) };
    case FRAME_KIND.lost:
      return { kind: "lost" };
    default:
      return null;
  }
}

function textOf(frame: Uint8Array): string {
  return new TextDecoder().decode(frame.subarray(1));
}
