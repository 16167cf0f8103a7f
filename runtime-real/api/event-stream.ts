/** Events as server-sent events: from a log index on, for as long as the reader stays. */
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { ClusterEvent } from "../../core/index.ts";
import type { Environment } from "./http-call.ts";
import type { Streams } from "./streams.ts";

const EVENT_PAGE = 100;
const KEEP_ALIVE_MS = 15_000;

/** Where the stream of events comes from: this node's own state. */
export interface EventSource {
  page(
    afterIndex: number,
    limit: number,
  ): { readonly events: readonly ClusterEvent[]; readonly complete: boolean; readonly oldestIndex: number | null };
  /** `listener` is called when there may be new events. Returns a function that unsubscribes. */
  subscribe(listener: () => void): () => void;
}

/**
 * Reads the next page when the reader has taken the last one. So a slow reader costs its connection and nothing more.
 */
export function streamEvents(
  context: Context<Environment>,
  source: EventSource,
  after: number,
  stopping: AbortSignal,
  streams: Streams,
): Response {
  return streamSSE(context, async (stream) => {
    streams.open++;
    let wake: () => void = () => undefined;
    const unsubscribe = source.subscribe(() => wake());
    const end = (): void => wake();
    stopping.addEventListener("abort", end);
    stream.onAbort(end);
    try {
      for (let last = after; !stream.aborted && !stopping.aborted; ) {
        const more = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const { events, complete, oldestIndex } = source.page(last, EVENT_PAGE);
        if (!complete && oldestIndex !== null) {
          await stream.writeSSE({ event: "gap", data: JSON.stringify({ kind: "gap", oldestIndex }) });
          last = oldestIndex - 1;
          continue;
        }
        for (const event of events) {
          await stream.writeSSE({
            id: `${event.index}`,
            event: event.kind,
            data: JSON.stringify({ kind: "event", event }),
          });
          last = event.index;
        }
        if (events.length > 0) continue;
        const limit = setTimeout(end, KEEP_ALIVE_MS);
        await more;
        clearTimeout(limit);
        // A comment of the protocol. It shows the reader that the node is there, and the node that the reader is.
        if (!stream.aborted && !stopping.aborted) await stream.write(":\n\n");
      }
    } finally {
      streams.open--;
      unsubscribe();
      stopping.removeEventListener("abort", end);
    }
  });
}
