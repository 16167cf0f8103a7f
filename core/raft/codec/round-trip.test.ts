import fc, { type Arbitrary } from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidFrame } from "../../wire/index.ts";
import { LIMITS } from "../limits.ts";
import type { Message } from "../messages.ts";
import type {
  Certificate,
  Configuration,
  ConfigurationRecord,
  Entry,
  HardState,
  LineageLink,
  Member,
  MemberSignature,
  SnapshotMeta,
} from "../records.ts";
import {
  decodeConfigurationRecord,
  decodeEntry,
  decodeHardState,
  decodeMessage,
  decodeSnapshotMeta,
  encodeConfiguration,
  encodeConfigurationRecord,
  encodeEntry,
  encodeHardState,
  encodeMessage,
  encodeSnapshotMeta,
} from "./index.ts";
import { reseal } from "./testing/index.ts";

/** Where MessagePack changes its form, and the ends of the range. */
const edges = [0, 1, 31, 32, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];

const natural = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constantFrom(...edges));
const id = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  fc.constant(2 ** 31 - 1),
);
const text = (maxLength: number, minLength = 0): Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: "grapheme-ascii", minLength, maxLength: Math.min(maxLength, 20) }),
    fc.string({ unit: "grapheme-ascii", minLength: maxLength, maxLength }),
  );
const digest = text(LIMITS.digestLength);
const signature = text(LIMITS.signatureLength);
const bytes = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom(255, 256).map((length) => new Uint8Array(length).fill(length % 251)) },
);
const orNull = <Value>(value: Arbitrary<Value>): Arbitrary<Value | null> => fc.option(value, { nil: null });

const signatures: Arbitrary<MemberSignature[]> = fc.uniqueArray(fc.record({ id, signature }), {
  selector: (each) => each.id,
  maxLength: 2 * LIMITS.voters,
});
const certificate: Arbitrary<Certificate> = fc.record({
  kind: fc.constantFrom("preVote", "election"),
  term: natural,
  candidate: id,
  signatures,
});

const somebody = fc.record({
  id,
  peerId: text(LIMITS.peerIdLength - 11),
  promote: fc.boolean(),
  place: fc.constantFrom("voter", "voter and outgoing", "outgoing", "outgoing learner", "learner", "retired"),
});
const configuration: Arbitrary<Configuration> = fc
  .uniqueArray(somebody, { selector: (each) => each.id, maxLength: 24 })
  .map((all) => {
    const sorted = [...all].sort((left, right) => left.id - right.id);
    const voters: number[] = [];
    const outgoing: number[] = [];
    const learners: number[] = [];
    const members: Member[] = [];
    const retired: Member[] = [];
    for (const { id, peerId, promote, place } of sorted) {
      const member = { id, peerId: `${id} ${peerId}`, promote };
      const votes = place.startsWith("voter") && voters.length < LIMITS.voters;
      const leaves = place.includes("outgoing") && outgoing.length < LIMITS.voters;
      if (votes) voters.push(id);
      if (leaves) outgoing.push(id);
      if (!votes && place.includes("learner")) learners.push(id);
      (votes || leaves || place.includes("learner") ? members : retired).push(member);
    }
    return { voters, outgoing, learners, members, retired };
  });
const link: Arbitrary<LineageLink> = fc.record({
  jointIndex: natural,
  jointTerm: natural,
  joint: configuration,
  signatures,
});
const record: Arbitrary<ConfigurationRecord> = fc.record({ configuration, link: orNull(link) });

const entry: Arbitrary<Entry> = fc.record({
  index: natural,
  term: natural,
  kind: fc.constantFrom("noop", "command", "configuration"),
  data: bytes,
  chain: digest,
});
const hardState: Arbitrary<HardState> = fc.record({
  term: natural,
  votedFor: fc.oneof(fc.constant(0), id),
  proof: orNull(certificate),
});
const meta: Arbitrary<SnapshotMeta> = fc
  .record({
    index: natural,
    term: natural,
    chain: digest,
    configuration,
    configurationIndex: natural,
    lineage: fc.array(link, { maxLength: 3 }),
    digest,
    chunkCount: fc.integer({ min: 1, max: LIMITS.snapshotChunks }),
    sizeBytes: natural,
  })
  .map((each) => ({ ...each, sizeBytes: each.sizeBytes % (each.chunkCount * LIMITS.snapshotChunkBytes + 1) }));

const header = { clusterId: text(LIMITS.clusterIdLength, 1), incarnation: natural, from: id, to: id, term: natural };

const messages = {
  append: fc
    .record({
      type: fc.constant("append"),
      ...header,
      prevIndex: natural.map((index) => Math.min(index, Number.MAX_SAFE_INTEGER - 9)),
      prevTerm: natural,
      prevChain: digest,
      entries: fc.array(entry, { maxLength: 9 }),
      commit: natural,
      certificate: orNull(certificate),
    })
    .map((append) => ({
      ...append,
      entries: append.entries.map((each, at) => ({ ...each, index: append.prevIndex + 1 + at })),
    })),
  appendResponse: fc.record({
    type: fc.constant("appendResponse"),
    ...header,
    outcome: fc.constantFrom("matched", "mismatch", "uncertified", "staleTerm"),
    matchIndex: natural,
    matchChain: digest,
    hintIndex: natural,
    hintTerm: natural,
    proof: orNull(certificate),
    endorsement: orNull(fc.record({ index: natural, signature })),
  }),
  heartbeat: fc.record({ type: fc.constant("heartbeat"), ...header, commit: natural, round: natural }),
  heartbeatResponse: fc.record({
    type: fc.constant("heartbeatResponse"),
    ...header,
    round: natural,
    certified: fc.boolean(),
    proof: orNull(certificate),
    wallMs: natural,
  }),
  requestVote: fc.record({
    type: fc.constant("requestVote"),
    ...header,
    preVote: fc.boolean(),
    lastIndex: natural,
    lastTerm: natural,
    certificate: orNull(certificate),
    transfer: signature,
  }),
  voteResponse: fc.record({
    type: fc.constant("voteResponse"),
    ...header,
    preVote: fc.boolean(),
    granted: fc.boolean(),
    signature,
    proof: orNull(certificate),
    wallMs: natural,
  }),
  snapshotChunk: fc
    .record({
      type: fc.constant("snapshotChunk"),
      ...header,
      meta,
      sequence: natural,
      bytes,
      certificate: orNull(certificate),
    })
    .map((chunk) => ({ ...chunk, sequence: chunk.sequence % chunk.meta.chunkCount })),
  snapshotResponse: fc.record({
    type: fc.constant("snapshotResponse"),
    ...header,
    index: natural,
    nextSequence: fc.nat(LIMITS.snapshotChunks),
    outcome: fc.constantFrom("wanted", "installed", "uncertified", "staleTerm", "damaged"),
    proof: orNull(certificate),
  }),
  timeoutNow: fc.record({ type: fc.constant("timeoutNow"), ...header, transfer: signature }),
  readIndex: fc.record({ type: fc.constant("readIndex"), ...header, requestId: natural }),
  readIndexResponse: fc.record({
    type: fc.constant("readIndexResponse"),
    ...header,
    requestId: natural,
    index: orNull(natural),
  }),
  forward: fc.record({ type: fc.constant("forward"), ...header, requestId: natural, data: bytes }),
  forwardResponse: fc.record({
    type: fc.constant("forwardResponse"),
    ...header,
    requestId: natural,
    outcome: fc.oneof(
      fc.record({ kind: fc.constant("appended"), index: natural, term: natural }),
      fc.record({ kind: fc.constant("noLeader") }),
      fc.record({ kind: fc.constant("tooManyUncommitted"), limitBytes: natural }),
    ),
  }),
  report: fc.record({
    type: fc.constant("report"),
    ...header,
    requestId: natural,
    peerId: text(LIMITS.peerIdLength, 1),
    data: bytes,
  }),
  directive: fc.record({ type: fc.constant("directive"), ...header, requestId: natural, data: orNull(bytes) }),
  whoAreYou: fc.record({ type: fc.constant("whoAreYou"), ...header, configurationIndex: natural }),
  introduction: fc.record({ type: fc.constant("introduction"), ...header, links: fc.array(link, { maxLength: 4 }) }),
} satisfies { readonly [Type in Message["type"]]?: Arbitrary<Extract<Message, { type: Type }>> };
const anyMessage: Arbitrary<Message> = fc.oneof(...Object.values<Arbitrary<Message>>(messages));

/** The generator's objects have no prototype; what is compared is their content. */
function returns<Value>(
  values: Arbitrary<Value>,
  encode: (value: Value) => Uint8Array,
  decode: (frame: Uint8Array) => Value,
): void {
  fc.assert(
    fc.property(values, (value) => {
      const frame = encode(value);
      const back = decode(frame);
      expect(back).toEqual(value);
      expect(encode(back)).toEqual(frame);
    }),
    { numRuns: 300 },
  );
}

describe("what was encoded comes back", () => {
  test.each(Object.entries<Arbitrary<Message>>(messages))("%s", (_type, values) => {
    returns(values, encodeMessage, decodeMessage);
  });
  test.each([65_535, 65_536, LIMITS.entryBytes])("an entry of %d bytes", (length) => {
    const data = new Uint8Array(length).fill(7);
    const back = decodeEntry(encodeEntry({ index: 1, term: 1, kind: "command", data, chain: "" }));
    expect(Buffer.compare(back.data, data)).toBe(0);
  });
  test("entry", () => returns(entry, encodeEntry, decodeEntry));
  test("hard state", () => returns(hardState, encodeHardState, decodeHardState));
  test("snapshot meta", () => returns(meta, encodeSnapshotMeta, decodeSnapshotMeta));
  test("configuration record", () => returns(record, encodeConfigurationRecord, decodeConfigurationRecord));
});

describe("canonical bytes", () => {
  test("equal configurations have equal bytes, in whatever order their properties were set", () => {
    fc.assert(
      fc.property(configuration, (one) => {
        const turn = ({ id, peerId, promote }: Member): Member => ({ promote, peerId, id });
        const { voters, outgoing, learners, members, retired } = one;
        const same: Configuration = {
          retired: retired.map(turn),
          members: members.map(turn),
          learners: [...learners],
          outgoing: [...outgoing],
          voters: [...voters],
        };
        expect(encodeConfiguration(same)).toEqual(encodeConfiguration(one));
        expect(encodeConfigurationRecord({ link: null, configuration: same })).toEqual(
          encodeConfigurationRecord({ configuration: one, link: null }),
        );
      }),
    );
  });

  test("different configurations have different bytes", () => {
    fc.assert(
      fc.property(configuration, configuration, (one, other) => {
        const equal = encodeConfiguration(one).join() === encodeConfiguration(other).join();
        expect(equal).toBe(JSON.stringify(plain(one)) === JSON.stringify(plain(other)));
      }),
    );
    function plain({ voters, outgoing, learners, members, retired }: Configuration): unknown {
      const member = ({ id, peerId, promote }: Member): unknown => [id, peerId, promote];
      return [voters, outgoing, learners, members.map(member), retired.map(member)];
    }
  });

  test("a configuration never has the bytes of a record", () => {
    fc.assert(
      fc.property(configuration, (one) => {
        expect(() => decodeConfigurationRecord(encodeConfiguration(one))).toThrow(InvalidFrame);
      }),
    );
  });

  test("a record is read once for one array of bytes, and anew for a copy", () => {
    fc.assert(
      fc.property(record, (one) => {
        const frame = encodeConfigurationRecord(one);
        const first = decodeConfigurationRecord(frame);
        expect(decodeConfigurationRecord(frame)).toBe(first);
        const anew = decodeConfigurationRecord(frame.slice());
        expect(anew).not.toBe(first);
        expect(anew).toEqual(first);
      }),
    );
  });
});

describe("memory", () => {
  test("frames are of their own memory: no pool behind them", () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const frame = encodeMessage(message);
        expect(frame.constructor).toBe(Uint8Array);
        expect(frame.buffer.byteLength).toBe(frame.length);
      }),
    );
  });

  test("a later frame leaves the earlier one as it was", () => {
    fc.assert(
      fc.property(anyMessage, anyMessage, (one, other) => {
        const frame = encodeMessage(one);
        const before = frame.slice();
        encodeMessage(other);
        expect(frame).toEqual(before);
      }),
    );
  });

  test("bytes that were read are copies, even out of a Node Buffer within a pool", () => {
    fc.assert(
      fc.property(messages.forward, (message) => {
        const frame = Buffer.from(encodeMessage(message));
        const back = decodeMessage(frame);
        frame.fill(0);
        expect(back).toEqual(message);
        if (back.type !== "forward") throw new Error("a forward came back as something else");
        expect(back.data.constructor).toBe(Uint8Array);
        expect(back.data.buffer.byteLength).toBe(back.data.length);
      }),
    );
  });
});

describe("any message, damaged", () => {
  test("one changed byte is always noticed by the checksum", () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), fc.integer({ min: 1, max: 255 }), (message, where, change) => {
        const frame = encodeMessage(message);
        const at = where % frame.length;
        frame[at] = (frame[at] ?? 0) ^ change;
        expect(() => decodeMessage(frame)).toThrow(InvalidFrame);
      }),
      { numRuns: 2000 },
    );
  });

  test("one changed byte with the checksum made right is refused or read as exactly what it says", () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), fc.nat(255), (message, where, byte) => {
        const frame = encodeMessage(message);
        frame[where % frame.length] = byte;
        reseal(frame);
        let back: Message;
        try {
          back = decodeMessage(frame);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidFrame);
          return;
        }
        expect(encodeMessage(back)).toEqual(frame);
      }),
      { numRuns: 3000 },
    );
  });
});
