/** Every limit and rule, broken by one: refused under the field's name. And each limit itself is allowed. */
import { describe, expect, test } from "vitest";
import { InvalidFrame } from "../../wire/index.ts";
import { LIMITS } from "../limits.ts";
import type { Message } from "../messages.ts";
import type { Configuration, LineageLink, Member, SnapshotMeta } from "../records.ts";
import {
  decodeConfigurationRecord,
  decodeEntry,
  decodeHardState,
  decodeMessage,
  decodeSnapshotMeta,
  encodeConfigurationRecord,
  encodeEntry,
  encodeHardState,
  encodeMessage,
  encodeSnapshotMeta,
} from "./index.ts";
import {
  certificate,
  configuration,
  emptyConfiguration,
  entry,
  fullMessages,
  hardState,
  link,
  meta,
  record,
} from "./testing/index.ts";

const { append, appendResponse, directive, forward, forwardResponse, heartbeat, introduction, report, requestVote } =
  fullMessages;
const { snapshotChunk, snapshotResponse, timeoutNow, voteResponse } = fullMessages;

const idMax = 2 ** 31 - 1;
const safeMax = Number.MAX_SAFE_INTEGER;
const a = (length: number): string => "a".repeat(length);

function refusal(run: () => unknown): { field: string; limit: number | null } {
  try {
    run();
  } catch (error) {
    if (!(error instanceof InvalidFrame)) throw error;
    return { field: error.field, limit: error.limit };
  }
  throw new Error("nothing was refused");
}

function people(count: number, first = 1): Member[] {
  return Array.from({ length: count }, (_, at) => ({ id: first + at, peerId: `peer-${first + at}`, promote: false }));
}

function ofVoters(count: number): Configuration {
  const members = people(count);
  return { ...emptyConfiguration, voters: members.map(({ id }) => id), members };
}

function ofLearners(count: number): Configuration {
  const members = people(count);
  return { ...emptyConfiguration, learners: members.map(({ id }) => id), members };
}

function entries(count: number): Message {
  const list = Array.from({ length: count }, (_, at) => ({ ...entry, index: append.prevIndex + 1 + at }));
  return { ...append, entries: list };
}

function signers(count: number): Message {
  const signatures = people(count).map(({ id }) => ({ id, signature: "s" }));
  return { ...append, certificate: { ...certificate, signatures } };
}

function withMeta(change: Partial<SnapshotMeta>): Message {
  return { ...snapshotChunk, meta: { ...meta, ...change } };
}

/** Encoding writes such a value as it is, so that a lie can be told and refused. */
const messages: readonly (readonly [what: string, message: Message, field: string, limit: number | null])[] = [
  ["a long cluster id", { ...heartbeat, clusterId: a(65) }, "clusterId", LIMITS.clusterIdLength],
  ["no cluster id", { ...heartbeat, clusterId: "" }, "clusterId", null],
  ["an umlaut in a cluster id", { ...heartbeat, clusterId: "ü" }, "clusterId", null],
  ["half a surrogate pair", { ...heartbeat, clusterId: "\ud800" }, "clusterId", null],
  ["a delete character", { ...heartbeat, clusterId: "\x7f" }, "clusterId", null],
  ["a negative incarnation", { ...heartbeat, incarnation: -1 }, "incarnation", null],
  ["from nobody", { ...heartbeat, from: 0 }, "from", null],
  ["from an id beyond 31 bits", { ...heartbeat, from: idMax + 1 }, "from", idMax],
  ["to nobody", { ...heartbeat, to: 0 }, "to", null],
  ["to an id beyond 53 bits", { ...heartbeat, to: safeMax }, "to", idMax],
  ["a term that is unsafe", { ...heartbeat, term: safeMax + 1 }, "term", null],
  ["a fraction of a term", { ...heartbeat, term: 1.5 }, "term", null],
  ["a term that is not a number", { ...heartbeat, term: Number.NaN }, "term", null],
  ["an infinite term", { ...heartbeat, term: Number.POSITIVE_INFINITY }, "term", null],
  ["a negative commit", { ...heartbeat, commit: -(2 ** 40) }, "commit", null],
  ["a long chain", { ...append, prevChain: a(65) }, "prevChain", LIMITS.digestLength],
  ["too many entries", entries(LIMITS.entriesPerAppend + 1), "entries", LIMITS.entriesPerAppend],
  [
    "a gap before the entries",
    { ...append, entries: [{ ...entry, index: append.prevIndex + 2 }] },
    "entry.index",
    null,
  ],
  ["a gap among the entries", { ...append, entries: append.entries.toSpliced(1, 1) }, "entry.index", null],
  ["an entry twice", { ...append, entries: [entry, entry] }, "entry.index", null],
  [
    "a large entry",
    { ...append, entries: [{ ...entry, data: new Uint8Array(LIMITS.entryBytes + 1) }] },
    "entry.data",
    LIMITS.entryBytes,
  ],
  [
    "an entry with a long chain",
    { ...append, entries: [{ ...entry, chain: a(65) }] },
    "entry.chain",
    LIMITS.digestLength,
  ],
  ["too many signatures", signers(2 * LIMITS.voters + 1), "certificate.signatures", 2 * LIMITS.voters],
  [
    "a signer twice",
    {
      ...append,
      certificate: {
        ...certificate,
        signatures: [
          { id: 1, signature: "" },
          { id: 1, signature: "x" },
        ],
      },
    },
    "signature.id",
    null,
  ],
  [
    "a long signature in a certificate",
    { ...append, certificate: { ...certificate, signatures: [{ id: 1, signature: a(129) }] } },
    "signature.signature",
    LIMITS.signatureLength,
  ],
  [
    "a certificate for nobody",
    { ...append, certificate: { ...certificate, candidate: 0 } },
    "certificate.candidate",
    null,
  ],
  [
    "a certificate of an unsafe term",
    { ...append, certificate: { ...certificate, term: 2 ** 60 } },
    "certificate.term",
    null,
  ],
  ["a long match chain", { ...appendResponse, matchChain: a(65) }, "matchChain", LIMITS.digestLength],
  [
    "a long endorsement",
    { ...appendResponse, endorsement: { index: 1, signature: a(129) } },
    "endorsement.signature",
    LIMITS.signatureLength,
  ],
  ["a long vote", { ...voteResponse, signature: a(129) }, "signature", LIMITS.signatureLength],
  ["a long transfer in a request", { ...requestVote, transfer: a(129) }, "transfer", LIMITS.signatureLength],
  ["a long transfer", { ...timeoutNow, transfer: a(129) }, "transfer", LIMITS.signatureLength],
  [
    "a large chunk",
    { ...snapshotChunk, bytes: new Uint8Array(LIMITS.snapshotChunkBytes + 1) },
    "bytes",
    LIMITS.snapshotChunkBytes,
  ],
  ["a chunk behind the last", { ...snapshotChunk, sequence: 3 }, "sequence", 2],
  ["too many chunks", withMeta({ chunkCount: LIMITS.snapshotChunks + 1 }), "meta.chunkCount", LIMITS.snapshotChunks],
  [
    "a size beyond its chunks",
    withMeta({ sizeBytes: 3 * LIMITS.snapshotChunkBytes + 1 }),
    "meta.sizeBytes",
    3 * LIMITS.snapshotChunkBytes,
  ],
  ["a snapshot with a long chain", withMeta({ chain: a(65) }), "meta.chain", LIMITS.digestLength],
  ["a snapshot with a long digest", withMeta({ digest: a(65) }), "meta.digest", LIMITS.digestLength],
  ["a long lineage", withMeta({ lineage: Array<LineageLink>(65).fill(link) }), "meta.lineage", LIMITS.lineageLinks],
  [
    "a chunk wanted beyond all",
    { ...snapshotResponse, nextSequence: LIMITS.snapshotChunks + 1 },
    "nextSequence",
    LIMITS.snapshotChunks,
  ],
  ["a large report", { ...report, data: new Uint8Array(LIMITS.entryBytes + 1) }, "data", LIMITS.entryBytes],
  ["a long identity", { ...report, peerId: "x".repeat(LIMITS.peerIdLength + 1) }, "peerId", LIMITS.peerIdLength],
  ["a large directive", { ...directive, data: new Uint8Array(LIMITS.entryBytes + 1) }, "data", LIMITS.entryBytes],
  ["a large proposal", { ...forward, data: new Uint8Array(LIMITS.entryBytes + 1) }, "data", LIMITS.entryBytes],
  [
    "a negative limit",
    { ...forwardResponse, outcome: { kind: "tooManyUncommitted", limitBytes: -5 } },
    "outcome.limitBytes",
    null,
  ],
  ["a long introduction", { ...introduction, links: Array<LineageLink>(65).fill(link) }, "links", LIMITS.lineageLinks],
  [
    "a link with too many signatures",
    { ...introduction, links: [{ ...link, signatures: people(15).map(({ id }) => ({ id, signature: "" })) }] },
    "link.signatures",
    2 * LIMITS.voters,
  ],
  [
    "two large entries too many for a frame",
    {
      ...append,
      entries: [1, 2, 3, 4].map((more) => ({
        ...entry,
        index: append.prevIndex + more,
        data: new Uint8Array(LIMITS.entryBytes),
      })),
    },
    "frame",
    LIMITS.frameBytes,
  ],
];

describe("messages beyond a limit", () => {
  test.each(messages)("%s", (_what, message, field, limit) => {
    expect(refusal(() => decodeMessage(encodeMessage(message)))).toEqual({ field, limit });
  });
});

const retiredToo = (id: number, peerId: string): Configuration => ({
  ...configuration,
  retired: [{ id, peerId, promote: false }],
});
const [first, second, ...others] = configuration.members;
if (first === undefined || second === undefined) throw new Error("the sample has too few members");

const configurations: readonly (readonly [string, Configuration, string, number | null])[] = [
  ["too many voters", ofVoters(LIMITS.voters + 1), "configuration.voters", LIMITS.voters],
  [
    "too many outgoing",
    { ...ofVoters(8), voters: [1], outgoing: ofVoters(8).voters },
    "configuration.outgoing",
    LIMITS.voters,
  ],
  ["too many learners", ofLearners(LIMITS.members + 1), "configuration.learners", LIMITS.members],
  ["too many members", { ...ofLearners(LIMITS.members + 1), learners: [] }, "configuration.members", LIMITS.members],
  [
    "too many retired",
    { ...configuration, retired: people(LIMITS.retired + 1, 1000) },
    "configuration.retired",
    LIMITS.retired,
  ],
  ["unsorted voters", { ...configuration, voters: [2, 1, 300] }, "configuration.voters", null],
  ["a voter twice", { ...configuration, voters: [1, 1, 300] }, "configuration.voters", null],
  ["voter zero", { ...configuration, voters: [0, 1, 2] }, "configuration.voters", null],
  ["a voter beyond 31 bits", { ...configuration, voters: [1, idMax + 1] }, "configuration.voters", idMax],
  ["unsorted outgoing", { ...configuration, outgoing: [2, 1] }, "configuration.outgoing", null],
  ["unsorted learners", { ...configuration, learners: [5, 4] }, "configuration.learners", null],
  ["unsorted members", { ...configuration, members: [second, first, ...others] }, "configuration.members", null],
  ["a member twice", { ...configuration, members: [first, first, second, ...others] }, "configuration.members", null],
  ["a voter who is no member", { ...configuration, members: [first, ...others] }, "configuration.members", null],
  ["the last learner is no member", { ...configuration, learners: [5, 400] }, "configuration.members", null],
  ["a member in no list", { ...configuration, learners: [] }, "configuration.members", null],
  ["a voter who learns", { ...configuration, learners: [2, 5] }, "configuration.learners", null],
  [
    "unsorted retired",
    { ...configuration, retired: configuration.retired.toReversed() },
    "configuration.retired",
    null,
  ],
  ["a member who is retired", retiredToo(300, "peer-new"), "configuration.retired", null],
  ["an identity that comes back", retiredToo(3, "peer-one"), "member.peerId", null],
  [
    "one identity for two members",
    { ...configuration, members: [first, { ...second, peerId: first.peerId }, ...others] },
    "member.peerId",
    null,
  ],
  ["a long identity", retiredToo(3, a(129)), "member.peerId", LIMITS.peerIdLength],
  ["an empty identity", retiredToo(3, ""), "member.peerId", null],
  ["a line break in an identity", retiredToo(3, "peer\n"), "member.peerId", null],
];

describe("configurations against a rule", () => {
  test.each(configurations)("%s", (_what, broken, field, limit) => {
    const wrong = { field, limit };
    const inRecord = encodeConfigurationRecord({ configuration: broken, link: null });
    expect(refusal(() => decodeConfigurationRecord(inRecord))).toEqual(wrong);
    const inLink = encodeConfigurationRecord({ configuration, link: { ...link, joint: broken } });
    expect(refusal(() => decodeConfigurationRecord(inLink))).toEqual(wrong);
    const inMeta = encodeSnapshotMeta({ ...meta, configuration: broken });
    expect(refusal(() => decodeSnapshotMeta(inMeta))).toEqual(wrong);
  });

  test("a record that was refused is refused again: only good ones are kept", () => {
    const bytes = encodeConfigurationRecord({ configuration: ofVoters(8), link: null });
    for (let turn = 0; turn < 2; turn++)
      expect(refusal(() => decodeConfigurationRecord(bytes)).field).toBe("configuration.voters");
  });
});

describe("stored values against a rule", () => {
  test("hard state", () => {
    for (const [change, field] of [
      [{ term: -1 }, "hardState.term"],
      [{ votedFor: idMax + 1 }, "hardState.votedFor"],
      [{ votedFor: -1 }, "hardState.votedFor"],
    ] as const)
      expect(refusal(() => decodeHardState(encodeHardState({ ...hardState, ...change }))).field).toBe(field);
  });

  test("one kind is never read as another", () => {
    const wrong = { field: "type", limit: null };
    expect(refusal(() => decodeHardState(encodeSnapshotMeta(meta)))).toEqual(wrong);
    expect(refusal(() => decodeSnapshotMeta(encodeEntry(entry)))).toEqual(wrong);
    expect(refusal(() => decodeConfigurationRecord(encodeMessage(heartbeat)))).toEqual(wrong);
    expect(refusal(() => decodeMessage(encodeEntry(entry)))).toEqual(wrong);
    expect(refusal(() => decodeEntry(encodeMessage(heartbeat)))).toEqual(wrong);
  });
});

describe("each limit itself is allowed", () => {
  const largest: readonly (readonly [string, Message])[] = [
    ["cluster id", { ...heartbeat, clusterId: a(LIMITS.clusterIdLength) }],
    ["ids", { ...heartbeat, from: 1, to: idMax }],
    // It is no worker's, and the leader refuses it as it does any other stranger's.
    ["no identity", { ...report, peerId: "" }],
    ["identities in reports", { ...report, peerId: a(LIMITS.peerIdLength) }],
    ["whole numbers", { ...heartbeat, incarnation: safeMax, term: safeMax, commit: safeMax, round: 2 ** 32 }],
    [
      "all printable characters",
      { ...heartbeat, clusterId: String.fromCharCode(...Array.from({ length: 64 }, (_, at) => 32 + at)) },
    ],
    [
      "the other printable characters",
      { ...heartbeat, clusterId: String.fromCharCode(...Array.from({ length: 31 }, (_, at) => 96 + at)) },
    ],
    ["entries", entries(LIMITS.entriesPerAppend)],
    ["digests", { ...append, prevChain: a(LIMITS.digestLength) }],
    ["signers", signers(2 * LIMITS.voters)],
    ["signatures", { ...timeoutNow, transfer: a(LIMITS.signatureLength) }],
    [
      "chunks",
      withMeta({ chunkCount: LIMITS.snapshotChunks, sizeBytes: LIMITS.snapshotChunks * LIMITS.snapshotChunkBytes }),
    ],
    ["lineage", withMeta({ lineage: Array<LineageLink>(LIMITS.lineageLinks).fill(link) })],
    ["voters", withMeta({ configuration: ofVoters(LIMITS.voters) })],
    [
      "members and retired",
      withMeta({ configuration: { ...ofLearners(LIMITS.members), retired: people(LIMITS.retired, 5000) } }),
    ],
  ];
  test.each(largest)("%s", (_what, message) => {
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  test("bytes", () => {
    for (const [message, length] of [
      [{ ...forward, data: new Uint8Array(LIMITS.entryBytes) }, LIMITS.entryBytes],
      [{ ...snapshotChunk, bytes: new Uint8Array(LIMITS.snapshotChunkBytes) }, LIMITS.snapshotChunkBytes],
    ] as const) {
      const back = decodeMessage(encodeMessage(message));
      const bytes = back.type === "forward" ? back.data : back.type === "snapshotChunk" ? back.bytes : null;
      expect(bytes?.length).toBe(length);
    }
  });

  test("identities", () => {
    const long = { ...record, configuration: retiredToo(3, a(LIMITS.peerIdLength)) };
    expect(decodeConfigurationRecord(encodeConfigurationRecord(long))).toEqual(long);
  });

  test("nobody voted for", () => {
    const fresh = { term: 0, votedFor: 0, proof: null };
    expect(decodeHardState(encodeHardState(fresh))).toEqual(fresh);
  });
});
