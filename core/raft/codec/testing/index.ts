/** For this folder's tests alone: one full and one bare sample of everything, and frames forged by hand. */

import { crc32c } from "../../../wire/index.ts";
import type { Message } from "../../messages.ts";
import type { Configuration, Entry, HardState, SnapshotMeta } from "../../records.ts";

const chain = "5f".repeat(32);
const digest = "d1".repeat(32);

const header = { clusterId: "blixard-test", incarnation: 2, from: 1, to: 300, term: 7 };

const joint: Configuration = {
  voters: [1, 2, 300],
  outgoing: [1, 2, 4],
  learners: [5],
  members: [
    { id: 1, peerId: "peer-one", promote: false },
    { id: 2, peerId: "peer-two", promote: false },
    { id: 4, peerId: "peer-four", promote: false },
    { id: 5, peerId: "peer-five", promote: true },
    { id: 300, peerId: "peer-three-hundred", promote: false },
  ],
  retired: [{ id: 3, peerId: "peer-three", promote: false }],
};

export const configuration: Configuration = {
  voters: [1, 2, 300],
  outgoing: [],
  learners: [5],
  members: joint.members.filter(({ id }) => id !== 4),
  retired: [...joint.retired, { id: 4, peerId: "peer-four", promote: false }],
};

export const emptyConfiguration: Configuration = { voters: [], outgoing: [], learners: [], members: [], retired: [] };

export const signatures = [
  { id: 2, signature: "sig-two" },
  { id: 1, signature: "s".repeat(128) },
];

export const certificate = { kind: "election", term: 7, candidate: 1, signatures } as const;
const preVote = { ...certificate, kind: "preVote" } as const;

export const link = { jointIndex: 70_000, jointTerm: 3, joint, signatures };
export const record = { configuration, link };

export const entry: Entry = {
  index: 4_294_967_297,
  term: 7,
  kind: "command",
  data: Uint8Array.of(0, 1, 2, 253, 254, 255),
  chain,
};

export const hardState: HardState = { term: 7, votedFor: 300, proof: preVote };

export const meta: SnapshotMeta = {
  index: 70_010,
  term: 6,
  chain,
  configuration,
  configurationIndex: 70_001,
  lineage: [link],
  digest,
  chunkCount: 3,
  sizeBytes: 2_500_000,
};

/** Every message with all of its optional fields filled. */
export const fullMessages: { readonly [Type in Message["type"]]: Extract<Message, { type: Type }> } = {
  append: {
    type: "append",
    ...header,
    prevIndex: 4_294_967_296,
    prevTerm: 6,
    prevChain: chain,
    entries: [
      entry,
      { index: 4_294_967_298, term: 7, kind: "noop", data: new Uint8Array(0), chain: "" },
      { index: 4_294_967_299, term: 7, kind: "configuration", data: Uint8Array.of(9), chain },
    ],
    commit: 4_294_967_295,
    certificate,
  },
  appendResponse: {
    type: "appendResponse",
    ...header,
    outcome: "mismatch",
    matchIndex: 65_535,
    matchChain: chain,
    hintIndex: 65_536,
    hintTerm: 127,
    proof: certificate,
    endorsement: { index: 128, signature: "endorsed" },
  },
  heartbeat: { type: "heartbeat", ...header, commit: 255, round: 256 },
  heartbeatResponse: {
    type: "heartbeatResponse",
    ...header,
    round: 9_007_199_254_740_991,
    certified: true,
    proof: certificate,
    wallMs: 1_700_000_000_000,
  },
  requestVote: {
    type: "requestVote",
    ...header,
    preVote: false,
    lastIndex: 12,
    lastTerm: 6,
    certificate: preVote,
    transfer: "go",
  },
  voteResponse: {
    type: "voteResponse",
    ...header,
    preVote: true,
    granted: true,
    signature: "yes",
    proof: preVote,
    wallMs: 1_700_000_000_001,
  },
  snapshotChunk: {
    type: "snapshotChunk",
    ...header,
    meta,
    sequence: 2,
    bytes: new Uint8Array(300).fill(0xaa),
    certificate,
  },
  snapshotResponse: {
    type: "snapshotResponse",
    ...header,
    index: 70_010,
    nextSequence: 3,
    outcome: "installed",
    proof: certificate,
  },
  timeoutNow: { type: "timeoutNow", ...header, transfer: "signed wish" },
  readIndex: { type: "readIndex", ...header, requestId: 77 },
  readIndexResponse: { type: "readIndexResponse", ...header, requestId: 77, index: 70_010 },
  forward: { type: "forward", ...header, requestId: 78, data: Uint8Array.of(1, 2, 3) },
  forwardResponse: {
    type: "forwardResponse",
    ...header,
    requestId: 78,
    outcome: { kind: "appended", index: 70_011, term: 7 },
  },
  whoAreYou: { type: "whoAreYou", ...header, configurationIndex: 1 },
  report: { type: "report", ...header, requestId: 79, peerId: "worker-9", data: Uint8Array.of(4, 5) },
  directive: { type: "directive", ...header, requestId: 79, data: Uint8Array.of(6) },
  introduction: { type: "introduction", ...header, links: [link, { ...link, jointIndex: 70_005, signatures: [] }] },
};

/** Variants with their optional fields empty, and the other outcomes. */
export const bareMessages: readonly Message[] = [
  { ...fullMessages.append, prevIndex: 0, prevTerm: 0, prevChain: "", entries: [], commit: 0, certificate: null },
  { ...fullMessages.appendResponse, outcome: "matched", proof: null, endorsement: null },
  { ...fullMessages.heartbeatResponse, certified: false, proof: null },
  { ...fullMessages.requestVote, preVote: true, certificate: null, transfer: "" },
  { ...fullMessages.voteResponse, granted: false, signature: "", proof: null },
  {
    ...fullMessages.snapshotChunk,
    meta: { ...meta, configuration: emptyConfiguration, lineage: [] },
    bytes: new Uint8Array(0),
    certificate: null,
  },
  { ...fullMessages.snapshotResponse, outcome: "damaged", proof: null },
  { ...fullMessages.readIndexResponse, index: null },
  { ...fullMessages.forwardResponse, outcome: { kind: "noLeader" } },
  { ...fullMessages.forwardResponse, outcome: { kind: "tooManyUncommitted", limitBytes: 1_048_576 } },
  { ...fullMessages.introduction, links: [] },
  { ...fullMessages.directive, data: null },
];

/** Makes the checksum right again, in place: what an attacker does. Frames too short to hold one stay as they are. */
export function reseal(frame: Uint8Array): Uint8Array {
  if (frame.length >= 5) {
    const sum = crc32c(frame, 5, frame.length, crc32c(frame, 0, 1));
    frame.set([sum >>> 24, sum >>> 16, sum >>> 8, sum], 1);
  }
  return frame;
}

/** A frame of this version around any bytes at all. */
export function forge(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(5 + body.length);
  frame[0] = 0xb1;
  frame.set(body, 5);
  return reseal(frame);
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(hex: string): Uint8Array {
  const digits = hex.replaceAll(" ", "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  );
}
