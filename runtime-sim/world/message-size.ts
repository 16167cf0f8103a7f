/** The length of messages, as the network counts it. */
import type { Certificate, Message } from "../../core/index.ts";

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
    default:
      return HEADER_BYTES;
  }
}

function certificateBytes(certificate: Certificate | null): number {
  return certificate === null ? 0 : certificate.signatures.length * SIGNATURE_BYTES;
}
