/**
 * The conversation about a console, in frames over a stream of its own: between a node and the host of the machine, and
 * between a client and the node. The first byte of a frame is its kind.
 *
 *     reader                               host
 *       │ ask: which console                 │
 *       │───────────────────────────────────▶│
 *       │            opened, or refused      │
 *       │◀───────────────────────────────────│
 *       │     output, lost, output ...       │   at most CREDITS frames that the reader has not taken
 *       │◀───────────────────────────────────│
 *       │ more: it has taken a frame; typed  │
 *       │───────────────────────────────────▶│
 *       │            ended                   │
 *       │◀───────────────────────────────────│
 *
 * The host sends only what the reader has room for. So neither it nor a node between them keeps more than a few frames
 * for a reader that is slow. Between a client and its node the connection does that, and there is no `more`.
 */
import type { ApiErrorBody } from "../errors/index.ts";

/** The protocol as HTTP names it, between a client and its node. */
export const CONSOLE_UPGRADE = "blixard-console";

export const FRAME_KIND = {
  ask: 1,
  opened: 2,
  refused: 3,
  output: 4,
  lost: 5,
  ended: 6,
  more: 7,
  typed: 8,
} as const;

/** Frames with output that may be on their way to a reader. */
export const CREDITS = 8;
export const CONSOLE_FRAME_BYTES_MAX = 64 * 1024;
/** In one frame. */
export const TYPED_BYTES_MAX = 4096;

/** What a reader wants to see. */
export type ConsoleView =
  /** What the guest writes from now on; what is typed reaches it. */
  | { readonly kind: "console" }
  /** What the guest has written. Nothing can be typed. */
  | {
      readonly kind: "logs";
      /** The run before the last one. */
      readonly previous: boolean;
      /** Null: all that is kept. */
      readonly linesMax: number | null;
      /** Goes on until the run is over. */
      readonly follow: boolean;
    };

export interface ConsoleAsk {
  readonly name: string;
  readonly workerId: number;
  readonly view: ConsoleView;
}

export interface ConsoleOpened {
  readonly workerId: number;
  readonly epoch: number;
}

/** `reason`: why the run is over; null: it goes on, and what was asked for has been told. */
export interface ConsoleEnded {
  readonly reason: string | null;
}

export type ConsoleRefused = Pick<ApiErrorBody, "code" | "message" | "hint" | "details">;

const encoder = new TextEncoder();

export function jsonFrame(kind: number, value: ConsoleAsk | ConsoleOpened | ConsoleEnded | ConsoleRefused): Uint8Array {
  return bytesFrame(kind, encoder.encode(JSON.stringify(value)));
}

export function bytesFrame(kind: number, bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(1 + bytes.length);
  frame[0] = kind;
  frame.set(bytes, 1);
  return frame;
}

/** Of a frame that holds JSON. Undefined: it holds none. */
export function jsonOf(frame: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(frame.subarray(1)));
  } catch {
    return undefined;
  }
}

export const MORE = new Uint8Array([FRAME_KIND.more]);
export const LOST = new Uint8Array([FRAME_KIND.lost]);

/** Whether the reader says `more` when it has taken it. */
export function isOutput(frame: Uint8Array): boolean {
  return frame[0] === FRAME_KIND.output || frame[0] === FRAME_KIND.lost;
}
