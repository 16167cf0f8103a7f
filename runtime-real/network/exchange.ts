/** One request and its answer, on a stream of their own. */
import type { Connection, Stream } from "@libp2p/interface";
import { FrameReader } from "../frames/index.ts";
import { NetworkError } from "./network-error.ts";
import { say } from "./say.ts";

/** @throws NetworkError */
export async function exchange(
  connection: Connection,
  protocol: string,
  request: Uint8Array,
  signal: AbortSignal,
  limitBytes: number,
): Promise<Uint8Array> {
  if (request.length > limitBytes)
    throw new NetworkError(
      "tooLarge",
      `a request of ${request.length} bytes, the limit is ${limitBytes}`,
      "ask for less at a time",
    );
  let stream: Stream | null = null;
  const answered = Promise.withResolvers<Uint8Array>();
  // It may be rejected after the caller has given up.
  answered.promise.catch(() => undefined);
  const giveUp = (): void => answered.reject(new NetworkError("timedOut", "no answer in time", "try again"));
  try {
    signal.throwIfAborted();
    signal.addEventListener("abort", giveUp, { once: true });
    stream = await connection.newStream(protocol, { signal });
    const opened = stream;
    const reader = new FrameReader(limitBytes, (frame) => answered.resolve(frame.slice()));
    opened.addEventListener("message", ({ data }) => {
      try {
        reader.push(data.subarray());
      } catch (error) {
        answered.reject(error);
      }
    });
    const closed = (): void =>
      answered.reject(
        new NetworkError("closed", "the peer closed the stream instead of an answer", "its log may say why"),
      );
    opened.addEventListener("close", closed);
    // A stream that the peer resets ends on this side without a close event.
    opened.addEventListener("remoteCloseWrite", closed);
    say(opened, request);
    const answer = await answered.promise;
    opened.close().catch(() => opened.abort(new Error("cannot be closed")));
    return answer;
  } catch (error) {
    stream?.abort(new Error("given up"));
    if (error instanceof NetworkError) throw error;
    if (signal.aborted) throw new NetworkError("timedOut", "no answer in time", "try again");
    throw new NetworkError("closed", error instanceof Error ? error.message : String(error), "try again");
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
