/** The numbers of a message that go into the trace hash. */
import { MESSAGES, type Message } from "../../core/index.ts";
import type { SimEvent } from "./event.ts";
import type { TraceHash } from "./hash.ts";

/** The most telling number of a message: an index where it has one, 0 where it has none. */
function messageIndex(message: Message): number {
  switch (message.type) {
    case "append":
      return message.prevIndex + message.entries.length;
    case "appendResponse":
      return message.matchIndex;
    case "heartbeat":
      return message.commit;
    case "heartbeatResponse":
      return message.round;
    case "requestVote":
      return message.lastIndex;
    case "voteResponse":
      return message.granted ? 1 : 0;
    case "snapshotChunk":
      return message.sequence;
    case "snapshotResponse":
      return message.nextSequence;
    case "readIndex":
    case "readIndexResponse":
    case "forward":
    case "forwardResponse":
    case "report":
    case "directive":
      return message.requestId;
    case "whoAreYou":
      return message.configurationIndex;
    case "introduction":
      return message.links.length;
    case "timeoutNow":
      return message.to;
    default:
      return 0;
  }
}

/** Mixes in what a delivery carries: its message, or the frame that stands for one. */
export function mixDelivery(hash: TraceHash, { message, bytes }: SimEvent): void {
  if (message !== null) {
    hash.mix((MESSAGES[message.type].number << 8) | (message.from & 255));
    hash.mix(message.term);
    hash.mix(messageIndex(message));
  } else if (bytes !== null) {
    hash.mix(bytes.length);
    // A frame's checksum, after its version, stands for the rest.
    hash.mix(((bytes[1] ?? 0) << 24) | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 8) | (bytes[4] ?? 0));
  }
}
