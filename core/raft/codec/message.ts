/**
 * Messages as bytes. A message's body is one flat array: type, the five fields of its header, its own fields in the order of their declaration. What
 * a node checks against its own state (signatures, membership, terms, chains) is not checked here.
 */

import { FIELDS_MAX, InvalidFrame, open, type Packed, type Reader, seal } from "../../wire/index.ts";
import { LIMITS } from "../limits.ts";
import type { AppendOutcome, AppendResponse, ForwardResponse, Message, SnapshotResponse } from "../messages.ts";
import { packLinks, readLinks } from "./configuration.ts";
import { packEntries, readEntries } from "./entry.ts";
import { packCertificate, readCertificate } from "./signatures.ts";
import { packSnapshotMeta, readSnapshotMeta } from "./snapshot-meta.ts";

/** Hot ones first. A number that was ever in use is never given to another type. */
const TYPES = {
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
} as const satisfies Record<Message["type"], number>;

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(TYPES));

/** Type and header. */
const HEADER_FIELDS = 6;

const appendOutcomes: readonly AppendOutcome[] = ["matched", "mismatch", "uncertified", "staleTerm"];
const snapshotOutcomes: readonly SnapshotResponse["outcome"][] = [
  "wanted",
  "installed",
  "uncertified",
  "staleTerm",
  "damaged",
];
const forwardOutcomes: readonly ForwardResponse["outcome"]["kind"][] = ["appended", "noLeader", "tooManyUncommitted"];

/**
 * A message as a frame with memory of its own. Values beyond their ranges are written as they are: a lying peer of the simulator may say anything, and
 * whoever decodes refuses it.
 *
 * @throws InvalidFrame naming "frame" when the frame would be longer than `LIMITS.frameBytes`.
 */
export function encodeMessage(message: Message): Uint8Array {
  return seal(packMessage(message));
}

/**
 * The message that `bytes` hold, each field checked for type, range and length. Takes memory in proportion to the frame (at the worst, long lists of
 * members, about 10 bytes a byte), never in proportion to what the frame claims. Bytes in the result (`entries[].data`, `bytes`, `data`) are copies.
 *
 * @throws InvalidFrame and nothing else, whatever the bytes.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = open(bytes);
  const fields = reader.list("frame", FIELDS_MAX);
  const message = readMessage(reader, fields);
  reader.finish();
  return message;
}

function packMessage(message: Message): Packed {
  const { clusterId, incarnation, from, to, term } = message;
  switch (message.type) {
    case "append":
      return [
        TYPES.append,
        clusterId,
        incarnation,
        from,
        to,
        term,
        message.prevIndex,
        message.prevTerm,
        message.prevChain,
        packEntries(message.entries),
        message.commit,
        packCertificate(message.certificate),
      ];
    case "appendResponse":
      return [
        TYPES.appendResponse,
        clusterId,
        incarnation,
        from,
        to,
        term,
        appendOutcomes.indexOf(message.outcome),
        message.matchIndex,
        message.matchChain,
        message.hintIndex,
        message.hintTerm,
        packCertificate(message.proof),
        message.endorsement === null ? null : [message.endorsement.index, message.endorsement.signature],
      ];
    case "heartbeat":
      return [TYPES.heartbeat, clusterId, incarnation, from, to, term, message.commit, message.round];
    case "heartbeatResponse":
      return [
        TYPES.heartbeatResponse,
        clusterId,
        incarnation,
        from,
        to,
        term,
        message.round,
        message.certified,
        packCertificate(message.proof),
      ];
    case "requestVote":
      return [
        TYPES.requestVote,
        clusterId,
        incarnation,
        from,
        to,
        term,
        message.preVote,
        message.lastIndex,
        message.lastTerm,
        packCertificate(message.certificate),
        message.transfer,
      ];
    case "voteResponse":
      return [
        TYPES.voteResponse,
        clusterId,
        incarnation,
        from,
        to,
        term,
        message.preVote,
        message.granted,
        message.signature,
        packCertificate(message.proof),
      ];
    case "snapshotChunk":
      return [
        TYPES.snapshotChunk,
        clusterId,
        incarnation,
        from,
        to,
        term,
        packSnapshotMeta(message.meta),
        message.sequence,
        message.bytes,
        packCertificate(message.certificate),
      ];
    case "snapshotResponse":
      return [
        TYPES.snapshotResponse,
        clusterId,
        incarnation,
        from,
        to,
        term,
        message.index,
        message.nextSequence,
        snapshotOutcomes.indexOf(message.outcome),
        packCertificate(message.proof),
      ];
    case "timeoutNow":
      return [TYPES.timeoutNow, clusterId, incarnation, from, to, term, message.transfer];
    case "readIndex":
      return [TYPES.readIndex, clusterId, incarnation, from, to, term, message.requestId];
    case "readIndexResponse":
      return [TYPES.readIndexResponse, clusterId, incarnation, from, to, term, message.requestId, message.index];
    case "forward":
      return [TYPES.forward, clusterId, incarnation, from, to, term, message.requestId, message.data];
    case "report": {
      const { requestId, peerId, data } = message;
      return [TYPES.report, clusterId, incarnation, from, to, term, requestId, peerId, data];
    }
    case "directive":
      return [TYPES.directive, clusterId, incarnation, from, to, term, message.requestId, message.data];
    case "forwardResponse":
      return [
        TYPES.forwardResponse,
        clusterId,
        incarnation,
        from,
        to,
        term,
        message.requestId,
        packForwardOutcome(message.outcome),
      ];
    case "whoAreYou":
      return [TYPES.whoAreYou, clusterId, incarnation, from, to, term, message.configurationIndex];
    case "introduction":
      return [TYPES.introduction, clusterId, incarnation, from, to, term, packLinks(message.links)];
  }
}

/** Properties are read in the order in which they stand here, which is the order on the wire. */
function readMessage(reader: Reader, fields: number): Message {
  const type = reader.natural("type");
  if (!KNOWN_TYPES.has(type)) throw unknownType(type);
  if (fields < HEADER_FIELDS) throw new InvalidFrame("frame", `${fields} fields are too few for a message`);
  const clusterId = reader.name("clusterId", LIMITS.clusterIdLength);
  const incarnation = reader.natural("incarnation");
  const from = reader.id("from");
  const to = reader.id("to");
  const term = reader.natural("term");
  const own = fields - HEADER_FIELDS;
  switch (type) {
    case TYPES.append: {
      expectFields("append", own, 6);
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
    case TYPES.appendResponse:
      expectFields("appendResponse", own, 7);
      return {
        type: "appendResponse",
        clusterId,
        incarnation,
        from,
        to,
        term,
        outcome: reader.choice("outcome", appendOutcomes),
        matchIndex: reader.natural("matchIndex"),
        matchChain: reader.text("matchChain", LIMITS.digestLength),
        hintIndex: reader.natural("hintIndex"),
        hintTerm: reader.natural("hintTerm"),
        proof: readCertificate(reader),
        endorsement: readEndorsement(reader),
      };
    case TYPES.heartbeat:
      expectFields("heartbeat", own, 2);
      return {
        type: "heartbeat",
        clusterId,
        incarnation,
        from,
        to,
        term,
        commit: reader.natural("commit"),
        round: reader.natural("round"),
      };
    case TYPES.heartbeatResponse:
      expectFields("heartbeatResponse", own, 3);
      return {
        type: "heartbeatResponse",
        clusterId,
        incarnation,
        from,
        to,
        term,
        round: reader.natural("round"),
        certified: reader.boolean("certified"),
        proof: readCertificate(reader),
      };
    case TYPES.requestVote:
      expectFields("requestVote", own, 5);
      return {
        type: "requestVote",
        clusterId,
        incarnation,
        from,
        to,
        term,
        preVote: reader.boolean("preVote"),
        lastIndex: reader.natural("lastIndex"),
        lastTerm: reader.natural("lastTerm"),
        certificate: readCertificate(reader),
        transfer: reader.text("transfer", LIMITS.signatureLength),
      };
    case TYPES.voteResponse:
      expectFields("voteResponse", own, 4);
      return {
        type: "voteResponse",
        clusterId,
        incarnation,
        from,
        to,
        term,
        preVote: reader.boolean("preVote"),
        granted: reader.boolean("granted"),
        signature: reader.text("signature", LIMITS.signatureLength),
        proof: readCertificate(reader),
      };
    case TYPES.snapshotChunk: {
      expectFields("snapshotChunk", own, 4);
      const meta = readSnapshotMeta(reader);
      const sequence = reader.natural("sequence");
      if (sequence >= meta.chunkCount)
        throw new InvalidFrame("sequence", `${sequence} of ${meta.chunkCount} chunks`, meta.chunkCount - 1);
      return {
        type: "snapshotChunk",
        clusterId,
        incarnation,
        from,
        to,
        term,
        meta,
        sequence,
        bytes: reader.binary("bytes", LIMITS.snapshotChunkBytes),
        certificate: readCertificate(reader),
      };
    }
    case TYPES.snapshotResponse:
      expectFields("snapshotResponse", own, 4);
      return {
        type: "snapshotResponse",
        clusterId,
        incarnation,
        from,
        to,
        term,
        index: reader.natural("index"),
        nextSequence: reader.natural("nextSequence", LIMITS.snapshotChunks),
        outcome: reader.choice("outcome", snapshotOutcomes),
        proof: readCertificate(reader),
      };
    case TYPES.timeoutNow:
      expectFields("timeoutNow", own, 1);
      return {
        type: "timeoutNow",
        clusterId,
        incarnation,
        from,
        to,
        term,
        transfer: reader.text("transfer", LIMITS.signatureLength),
      };
    case TYPES.readIndex:
      expectFields("readIndex", own, 1);
      return { type: "readIndex", clusterId, incarnation, from, to, term, requestId: reader.natural("requestId") };
    case TYPES.readIndexResponse:
      expectFields("readIndexResponse", own, 2);
      return {
        type: "readIndexResponse",
        clusterId,
        incarnation,
        from,
        to,
        term,
        requestId: reader.natural("requestId"),
        index: reader.nil() ? null : reader.natural("index"),
      };
    case TYPES.forward:
      expectFields("forward", own, 2);
      return {
        type: "forward",
        clusterId,
        incarnation,
        from,
        to,
        term,
        requestId: reader.natural("requestId"),
        data: reader.binary("data", LIMITS.entryBytes),
      };
    case TYPES.report:
      expectFields("report", own, 3);
      return {
        type: "report",
        clusterId,
        incarnation,
        from,
        to,
        term,
        requestId: reader.natural("requestId"),
        peerId: reader.text("peerId", LIMITS.peerIdLength),
        data: reader.binary("data", LIMITS.entryBytes),
      };
    case TYPES.directive:
      expectFields("directive", own, 2);
      return {
        type: "directive",
        clusterId,
        incarnation,
        from,
        to,
        term,
        requestId: reader.natural("requestId"),
        data: reader.nil() ? null : reader.binary("data", LIMITS.entryBytes),
      };
    case TYPES.forwardResponse:
      expectFields("forwardResponse", own, 2);
      return {
        type: "forwardResponse",
        clusterId,
        incarnation,
        from,
        to,
        term,
        requestId: reader.natural("requestId"),
        outcome: readForwardOutcome(reader),
      };
    case TYPES.whoAreYou:
      expectFields("whoAreYou", own, 1);
      return {
        type: "whoAreYou",
        clusterId,
        incarnation,
        from,
        to,
        term,
        configurationIndex: reader.natural("configurationIndex"),
      };
    case TYPES.introduction:
      expectFields("introduction", own, 1);
      return { type: "introduction", clusterId, incarnation, from, to, term, links: readLinks(reader, "links") };
    default:
      throw unknownType(type);
  }
}

function unknownType(type: number): InvalidFrame {
  return new InvalidFrame("type", `${type} is no message type of this version`);
}

function expectFields(type: Message["type"], found: number, wanted: number): void {
  if (found !== wanted) throw new InvalidFrame(type, `${found} fields after the header instead of ${wanted}`);
}

function readEndorsement(reader: Reader): AppendResponse["endorsement"] {
  if (reader.nil()) return null;
  reader.tuple("endorsement", 2);
  return {
    index: reader.natural("endorsement.index"),
    signature: reader.text("endorsement.signature", LIMITS.signatureLength),
  };
}

function packForwardOutcome(outcome: ForwardResponse["outcome"]): Packed {
  const kind = forwardOutcomes.indexOf(outcome.kind);
  switch (outcome.kind) {
    case "appended":
      return [kind, outcome.index, outcome.term];
    case "noLeader":
      return [kind];
    case "tooManyUncommitted":
      return [kind, outcome.limitBytes];
  }
}

function readForwardOutcome(reader: Reader): ForwardResponse["outcome"] {
  const fields = reader.list("outcome", 3);
  const kind = reader.choice("outcome.kind", forwardOutcomes);
  const wanted = kind === "appended" ? 3 : kind === "noLeader" ? 1 : 2;
  if (fields !== wanted) throw new InvalidFrame("outcome", `${fields} fields instead of ${wanted} for ${kind}`);
  switch (kind) {
    case "appended":
      return { kind, index: reader.natural("outcome.index"), term: reader.natural("outcome.term") };
    case "noLeader":
      return { kind };
    case "tooManyUncommitted":
      return { kind, limitBytes: reader.natural("outcome.limitBytes") };
  }
}
