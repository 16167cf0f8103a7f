/** What messages are to the network and the trace: roughly how long, and which number. */
import type { Certificate, Message, MessageType } from "../../core/index.ts";

const HEADER_BYTES = 64;
const SIGNATURE_BYTES = 100;

/** Roughly the bytes on the wire. Cheap rather than exact: it decides queueing alone. */
export function messageBytes(message: Message): number {
  switch (message.type) {
    case "append": {
      let bytes = HEADER_BYTES + 48 + certificateBytes(message.certificate);
      for (const entry of message.entries) bytes += 32 + entry.data.length;
      return bytes;
    }
    case "snapshotChunk":
      return HEADER_BYTES + 512 + message.bytes.length + certificateBytes(message.certificate);
    case "forward":
    case "report":
      return HEADER_BYTES + message.data.length;
    case "directive":
      return HEADER_BYTES + (message.data?.length ?? 0);
    case "requestVote":
      return HEADER_BYTES + SIGNATURE_BYTES + certificateBytes(message.certificate);
    case "introduction":
      return HEADER_BYTES + message.links.length * 1024;
    case "voteResponse":
    case "timeoutNow":
      return HEADER_BYTES + SIGNATURE_BYTES;
    case "appendResponse":
    case "heartbeat":
    case "heartbeatResponse":
    case "snapshotResponse":
    case "readIndex":
    case "readIndexResponse":
    case "forwardResponse":
    case "whoAreYou":
      return HEADER_BYTES;
  }
}

function certificateBytes(certificate: Certificate | null): number {
  return certificate === null ? 0 : certificate.signatures.length * SIGNATURE_BYTES;
}

/** Numbers of message types in the trace hash. */
export const MESSAGE_NUMBERS: Readonly<Record<MessageType, number>> = {
  append: 1,
  appendResponse: 2,
  heartbeat: 3,
  heartbeatResponse: 4,
  requestVote: 5,
  voteResponse: 6,
  snapshotChunk: 7,
  snapshotResponse: 8,
  timeoutNow: 9,
  readIndex: 10,
  readIndexResponse: 11,
  forward: 12,
  forwardResponse: 13,
  whoAreYou: 14,
  introduction: 15,
  report: 16,
  directive: 17,
};

/** The number in a message that says most about it: an index where it has one. */
export function messageIndex(message: Message): number {
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
  }
}
