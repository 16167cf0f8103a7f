/**
 * The four messages that make up nearly all traffic, written by hand: by definition each takes up to twice as long.
 * by-definition.test.ts holds both ways to the same bytes and the same refusals. A field of these that changes in
 * messages.ts has to change here too.
 */
import { type FieldReader, fieldReader, InvalidFrame, type Packed, type Reader } from "../../wire/index.ts";
import { LIMITS } from "../limits.ts";
import { CONSENSUS_MESSAGES, type Message, type MessageOf, type MessageType } from "../messages.ts";
import { type Certificate, certificateSchema, type Entry, NODE_ID_MAX } from "../records.ts";

const HOT = ["append", "appendResponse", "heartbeat", "heartbeatResponse"] as const;
export type HotMessage = MessageOf<(typeof HOT)[number]>;

const NUMBERS = {
  append: CONSENSUS_MESSAGES.append.number,
  appendResponse: CONSENSUS_MESSAGES.appendResponse.number,
  heartbeat: CONSENSUS_MESSAGES.heartbeat.number,
  heartbeatResponse: CONSENSUS_MESSAGES.heartbeatResponse.number,
} as const;

const outcomes = ["matched", "mismatch", "uncertified", "staleTerm"] as const;
const entryKinds = ["noop", "command", "configuration"] as const;

const readKnownCertificate = fieldReader(certificateSchema);

export function isHot(message: Message): message is HotMessage {
  switch (message.type) {
    case "append":
    case "appendResponse":
    case "heartbeat":
    case "heartbeatResponse":
      return true;
    default:
      return false;
  }
}

export function packHot(message: HotMessage): Packed {
  const { clusterId, incarnation, from, to, term } = message;
  switch (message.type) {
    case "append":
      return [
        NUMBERS.append,
        clusterId,
        incarnation,
        from,
        to,
        term,
        message.prevIndex,
        message.prevTerm,
        message.prevChain,
        message.entries.map(packEntry),
        message.commit,
        packCertificate(message.certificate),
      ];
    case "appendResponse":
      return [
        NUMBERS.appendResponse,
        clusterId,
        incarnation,
        from,
        to,
        term,
        outcomes.indexOf(message.outcome),
        message.matchIndex,
        message.matchChain,
        message.hintIndex,
        message.hintTerm,
        packCertificate(message.proof),
        message.endorsement === null ? null : [message.endorsement.index, message.endorsement.signature],
      ];
    case "heartbeat":
      return [NUMBERS.heartbeat, clusterId, incarnation, from, to, term, message.commit, message.round];
    case "heartbeatResponse":
      return [
        NUMBERS.heartbeatResponse,
        clusterId,
        incarnation,
        from,
        to,
        term,
        message.round,
        message.certified,
        packCertificate(message.proof),
        message.wallMs,
      ];
  }
}

function packEntry({ index, term, kind, data, chain }: Entry): Packed {
  return [index, term, entryKinds.indexOf(kind), data, chain];
}

function packCertificate(certificate: Certificate | null): unknown {
  return certificate === null ? null : certificateSchema.write(certificate);
}

/**
 * Reads the fields of a hot message, those of its header first. Properties are read in the order in which they stand
 * here, which is the order on the wire.
 */
export const hotReaders: Readonly<Partial<Record<MessageType, FieldReader<HotMessage>>>> = {
  append: readAppend,
  appendResponse: (reader) => ({
    type: "appendResponse",
    clusterId: reader.name("clusterId", LIMITS.clusterIdLength),
    incarnation: reader.natural("incarnation"),
    from: reader.positive("from", NODE_ID_MAX),
    to: reader.positive("to", NODE_ID_MAX),
    term: reader.natural("term"),
    outcome: reader.choice("outcome", outcomes),
    matchIndex: reader.natural("matchIndex"),
    matchChain: reader.text("matchChain", LIMITS.digestLength),
    hintIndex: reader.natural("hintIndex"),
    hintTerm: reader.natural("hintTerm"),
    proof: readCertificate(reader),
    endorsement: readEndorsement(reader),
  }),
  heartbeat: (reader) => ({
    type: "heartbeat",
    clusterId: reader.name("clusterId", LIMITS.clusterIdLength),
    incarnation: reader.natural("incarnation"),
    from: reader.positive("from", NODE_ID_MAX),
    to: reader.positive("to", NODE_ID_MAX),
    term: reader.natural("term"),
    commit: reader.natural("commit"),
    round: reader.natural("round"),
  }),
  heartbeatResponse: (reader) => ({
    type: "heartbeatResponse",
    clusterId: reader.name("clusterId", LIMITS.clusterIdLength),
    incarnation: reader.natural("incarnation"),
    from: reader.positive("from", NODE_ID_MAX),
    to: reader.positive("to", NODE_ID_MAX),
    term: reader.natural("term"),
    round: reader.natural("round"),
    certified: reader.boolean("certified"),
    proof: readCertificate(reader),
    wallMs: reader.natural("wallMs"),
  }),
};

function readAppend(reader: Reader): MessageOf<"append"> {
  const clusterId = reader.name("clusterId", LIMITS.clusterIdLength);
  const incarnation = reader.natural("incarnation");
  const from = reader.positive("from", NODE_ID_MAX);
  const to = reader.positive("to", NODE_ID_MAX);
  const term = reader.natural("term");
  const prevIndex = reader.natural("prevIndex");
  return {
    type: "append",
    clusterId,
    incarnation,
    from,
    to,
    term,
    prevIndex,
    prevTerm: reader.natural("prevTerm"),
    prevChain: reader.text("prevChain", LIMITS.digestLength),
    entries: readEntries(reader, prevIndex),
    commit: reader.natural("commit"),
    certificate: readCertificate(reader),
  };
}

function readEntries(reader: Reader, previousIndex: number): Entry[] {
  const entries: Entry[] = [];
  let previous = previousIndex;
  for (let left = reader.list("entries", LIMITS.entriesPerAppend); left > 0; left--) {
    reader.tuple("entry", 5);
    const entry: Entry = {
      index: reader.natural("entry.index"),
      term: reader.natural("entry.term"),
      kind: reader.choice("entry.kind", entryKinds),
      data: reader.binary("entry.data", LIMITS.entryBytes),
      chain: reader.text("entry.chain", LIMITS.digestLength),
    };
    if (entry.index !== previous + 1)
      throw new InvalidFrame("entry.index", `${entry.index} after ${previous}: entries must be consecutive`);
    previous = entry.index;
    entries.push(entry);
  }
  return entries;
}

function readCertificate(reader: Reader): Certificate | null {
  return reader.nil() ? null : readKnownCertificate(reader);
}

function readEndorsement(reader: Reader): MessageOf<"appendResponse">["endorsement"] {
  if (reader.nil()) return null;
  reader.tuple("endorsement", 2);
  return {
    index: reader.natural("endorsement.index"),
    signature: reader.text("endorsement.signature", LIMITS.signatureLength),
  };
}
