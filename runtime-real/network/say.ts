import type { Stream } from "@libp2p/interface";
import { joinFrames } from "../frames/index.ts";

/** Sends a frame unless the stream has ended. The peer may end it at any time, and its close event says so. */
export function say(stream: Stream, frame: Uint8Array): void {
  try {
    stream.send(joinFrames([frame]));
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)));
  }
}
