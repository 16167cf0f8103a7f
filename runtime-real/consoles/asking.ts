/** The reader's end: asks a host for a console, and holds the host to what the reader has room for. */

import { type ConsoleAsk, CREDITS, FRAME_KIND, isOutput, jsonFrame, MORE } from "../console-protocol/index.ts";
import { ApiError } from "../errors/index.ts";
import type { Line, LineListener } from "./line.ts";
import { unreadable, workerUnreachable } from "./refusals.ts";
import { parseRefused } from "./refused-schema.ts";

/** How long the host may take to say whether it shows the console. */
const ANSWER_LIMIT_MS = 3000;
/** What is typed waits for a host up to this; then it is lost. */
const TYPED_BACKLOG_BYTES = 256 * 1024;

/** A console that a host has opened for a reader. */
export interface OpenConsole {
  /** The reader has taken a frame with output. */
  more(): void;
  /** One frame, or its bytes are lost. */
  typed(frame: Uint8Array): void;
  readonly backlogBytes: number;
  close(): void;
}

/**
 * Asks over a line on which nothing was said yet. The reader gets every frame from `opened` on. Resolves when the host
 * has opened it. The line is closed unless it resolves.
 *
 * @throws ApiError; `workerUnreachable` when no answer comes.
 */
export async function ask(line: Line, asked: ConsoleAsk, reader: LineListener): Promise<OpenConsole> {
  const opened = Promise.withResolvers<void>();
  const limit = setTimeout(() => opened.reject(workerUnreachable(asked.workerId)), ANSWER_LIMIT_MS);
  let isOpen = false;
  let credits = CREDITS;
  line.listen({
    frame(frame) {
      if (isOpen) {
        if (isOutput(frame)) credits--;
        // A host that sends what nobody has room for, or nonsense.
        if (credits < 0 || !isKnown(frame)) line.close();
        else reader.frame(frame);
      } else if (frame[0] === FRAME_KIND.opened) {
        isOpen = true;
        opened.resolve();
        reader.frame(frame);
      } else opened.reject(parseRefused(frame) ?? unreadable());
    },
    closed() {
      if (isOpen) reader.closed();
      else opened.reject(workerUnreachable(asked.workerId));
    },
  });
  line.send(jsonFrame(FRAME_KIND.ask, asked));
  try {
    await opened.promise;
  } catch (error) {
    line.close();
    throw error;
  } finally {
    clearTimeout(limit);
  }
  return {
    more() {
      credits = Math.min(CREDITS, credits + 1);
      line.send(MORE);
    },
    typed(frame) {
      if (line.backlogBytes <= TYPED_BACKLOG_BYTES) line.send(frame);
    },
    get backlogBytes() {
      return line.backlogBytes;
    },
    close: () => line.close(),
  };
}

function isKnown(frame: Uint8Array): boolean {
  return isOutput(frame) || frame[0] === FRAME_KIND.ended;
}

/** Whether another host may be asked, or the same one on another way. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ApiError && error.code === "workerUnreachable";
}
