/** A million mutated frames, and bombs made by hand. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Packr } from "msgpackr";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { InvalidFrame } from "../../wire/index.ts";
import { LIMITS } from "../limits.ts";
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
import * as samples from "./testing/index.ts";
import { forge, fromHex, reseal } from "./testing/index.ts";

/** Bytes that decoding asked for, in all: every array of bytes in this folder is made by the global constructor. */
let bytesAllocated = 0;
/** The same, uncounted, for what this test makes itself. */
const Bytes = Uint8Array;

beforeEach(() => {
  const counted: typeof Uint8Array = new Proxy(Uint8Array, {
    construct(target, parameters, newTarget): object {
      if (typeof parameters[0] === "number") bytesAllocated += parameters[0];
      return Reflect.construct(target, parameters, newTarget === counted ? target : newTarget);
    },
  });
  vi.stubGlobal("Uint8Array", counted);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

interface Codec {
  /** Decodes, and encodes again what it got. */
  readonly again: (frame: Uint8Array) => Uint8Array;
  readonly frames: readonly Uint8Array[];
}

const codecs: Readonly<Record<string, Codec>> = {
  message: {
    again: (frame) => encodeMessage(decodeMessage(frame)),
    frames: [...Object.values(samples.fullMessages), ...samples.bareMessages].map((message) => encodeMessage(message)),
  },
  configurationRecord: {
    again: (frame) => encodeConfigurationRecord(decodeConfigurationRecord(frame)),
    frames: [samples.record, { ...samples.record, link: null }].map(encodeConfigurationRecord),
  },
  entry: { again: (frame) => encodeEntry(decodeEntry(frame)), frames: [encodeEntry(samples.entry)] },
  hardState: {
    again: (frame) => encodeHardState(decodeHardState(frame)),
    frames: [samples.hardState, { ...samples.hardState, proof: null }].map(encodeHardState),
  },
  snapshotMeta: {
    again: (frame) => encodeSnapshotMeta(decodeSnapshotMeta(frame)),
    frames: [encodeSnapshotMeta(samples.meta)],
  },
};

describe("mutated frames", () => {
  test.each([
    ["message", 1_000_000],
    ["configurationRecord", 50_000],
    ["entry", 50_000],
    ["hardState", 50_000],
    ["snapshotMeta", 50_000],
  ] as const)(
    "%s: %d of them never crash, hang, or take more memory than they bring",
    (name, count) => {
      const { again, frames } = codecs[name] ?? { again: () => new Uint8Array(0), frames: [] };
      const mutate = mutator(frames, 20_261_122);
      const refusals = new Map<string, number>();
      let accepted = 0;
      let memoryMax = 0;
      const memoryBefore = memoryInUse();
      for (let round = 0; round < count; round++) {
        const frame = mutate();
        // Half of them as they are, half as somebody sends who can compute checksums.
        if (round % 2 === 1) reseal(frame);
        bytesAllocated = 0;
        const field = refusedField(() => decodeAndCheck(again, frame));
        // The bytes inside; and once more the whole frame when it was encoded again.
        const fair = field === null ? 2 * frame.length : frame.length;
        if (bytesAllocated > fair) throw new Error(`${bytesAllocated} bytes taken for ${samples.toHex(frame)}`);
        if (field === null) accepted++;
        else refusals.set(field, (refusals.get(field) ?? 0) + 1);
        if (round % 10_000 === 0) memoryMax = Math.max(memoryMax, memoryInUse());
      }
      // The mutations must get as far as there is anything to get to: deep refusals, and changes that are no damage.
      expect(accepted).toBeGreaterThan(count / 200);
      expect(refusals.get("checksum")).toBeGreaterThan(count / 10);
      expect([...refusals.keys()]).toEqual(expect.arrayContaining(["frame", "magic", "version", "type"]));
      expect(refusals.size).toBeGreaterThan(name === "message" ? 50 : 8);
      expect(memoryMax - memoryBefore).toBeLessThan(256 * 1024 * 1024);
    },
    120_000,
  );
});

/** A frame that decodes must be the one encoding of what it decodes to. */
function decodeAndCheck(again: Codec["again"], frame: Uint8Array): void {
  const copy = again(frame);
  if (copy.length !== frame.length) throw new Error(`another length came back: ${samples.toHex(frame)}`);
  for (let at = 0; at < copy.length; at++)
    if (copy[at] !== frame[at]) throw new Error(`other bytes came back: ${samples.toHex(frame)}`);
}

/** The field that was refused, or null when nothing was. Anything but an InvalidFrame goes through. */
function refusedField(run: () => void): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (!(error instanceof InvalidFrame)) throw error;
    return error.field;
  }
}

function memoryInUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Type bytes of MessagePack that carry a length, or are forbidden altogether. */
const headers = [
  0x80, 0x8f, 0x9f, 0xbf, 0xc1, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcf, 0xd0, 0xd3, 0xd4, 0xd5, 0xd6,
  0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff,
];

function mutator(frames: readonly Uint8Array[], seed: number): () => Uint8Array {
  let state = seed;
  const below = (limit: number): number => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  const pick = (): Uint8Array => frames[below(frames.length)] ?? new Bytes(0);
  const joined = (...parts: readonly Uint8Array[]): Uint8Array => {
    const whole = new Bytes(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  };
  const random = (length: number): Uint8Array => {
    const bytes = new Bytes(length);
    for (let at = 0; at < length; at++) bytes[at] = below(256);
    return bytes;
  };
  const mutations: readonly (() => Uint8Array)[] = [
    function bitFlips() {
      const frame = pick().slice();
      for (let left = 1 + below(3); left > 0; left--) {
        const at = below(frame.length);
        frame[at] = (frame[at] ?? 0) ^ (1 << below(8));
      }
      return frame;
    },
    function truncation() {
      const frame = pick();
      return frame.slice(0, below(frame.length));
    },
    function splice() {
      const front = pick();
      const back = pick();
      return joined(front.subarray(0, below(front.length)), back.subarray(below(back.length)));
    },
    function randomBytes() {
      const frame = random(below(100));
      if (below(2) === 0) frame.set([0xb1].slice(0, frame.length));
      return frame;
    },
    function headerInflation() {
      const frame = pick();
      const at = 5 + below(frame.length - 5);
      const claim = Bytes.of(headers[below(headers.length)] ?? 0, below(256), below(256), below(256), below(256));
      const claimed = claim.subarray(0, 1 + below(5));
      return joined(frame.subarray(0, at), claimed, frame.subarray(at + below(2) * claimed.length));
    },
    function insertion() {
      const frame = pick();
      const at = below(frame.length);
      return joined(frame.subarray(0, at), random(1 + below(4)), frame.subarray(at));
    },
    function deletion() {
      const frame = pick();
      const at = below(frame.length);
      return joined(frame.subarray(0, at), frame.subarray(at + 1 + below(4)));
    },
    function otherByte() {
      const frame = pick().slice();
      frame[below(frame.length)] = below(256);
      return frame;
    },
  ];
  return () => (mutations[below(mutations.length)] ?? pick)();
}

/** whoAreYou from 1 to 2 in cluster "c", up to its last field. */
const untilLastField = "97 0e a1 63 00 01 02 07";
/** append with its entries next. */
const untilEntries = "9c 01 a1 63 00 01 02 07 00 00 a0";
/** append of one command whose data is next. */
const untilData = `${untilEntries} 91 95 01 07 01`;

describe("bombs", () => {
  test.each([
    ["a list of 2^32 - 1 elements as the whole frame", "dd ff ff ff ff", "frame", 15],
    ["a list of 65,535 elements as the whole frame", "dc ff ff", "frame", 15],
    ["2^32 - 1 entries", `${untilEntries} dd ff ff ff ff`, "entries", 4096],
    ["65,535 entries", `${untilEntries} dc ff ff`, "entries", 4096],
    ["4,096 entries in no bytes", `${untilEntries} dc 10 00`, "entries", null],
    ["data of 4 GiB", `${untilData} c6 ff ff ff ff`, "entry.data", LIMITS.entryBytes],
    ["data of 4 MiB and a byte", `${untilData} c6 00 40 00 01`, "entry.data", LIMITS.entryBytes],
    ["data of 4 MiB in no bytes", `${untilData} c6 00 40 00 00`, "entry.data", null],
    ["text of 4 GiB", "97 0e db ff ff ff ff 63 63", "clusterId", LIMITS.clusterIdLength],
    ["text of 64 characters in six", "97 0e d9 40 63 63 63 63 63 63", "clusterId", null],
    ["an extension of 4 GiB", `${untilLastField} c9 ff ff ff ff 42`, "configurationIndex", null],
    ["a date", `${untilLastField} d6 ff 00 00 00 00`, "configurationIndex", null],
    ["a big integer extension", `${untilLastField} c7 04 42 01 02 03 04`, "configurationIndex", null],
    [
      "a structured clone's reference to itself",
      `${untilLastField} d6 69 00 00 00 01 91 d6 70 00 00 00 01`,
      "configurationIndex",
      null,
    ],
    ["an error object", `${untilLastField} d4 65 00 93 a5 45 72 72 6f 72 a1 78 c0`, "configurationIndex", null],
    ["a regular expression", `${untilLastField} d4 78 00 92 a6 28 61 2b 29 2b 24 a0`, "configurationIndex", null],
    ["bundled strings", `${untilLastField} d6 62 00 00 00 01 c1 05`, "configurationIndex", null],
    [
      "a record definition",
      `${untilLastField} d4 72 40 91 a9 5f 5f 70 72 6f 74 6f 5f 5f 01`,
      "configurationIndex",
      null,
    ],
    ["a record without definition", "40", "frame", null],
    ["undefined", `${untilLastField} d4 00 00`, "configurationIndex", null],
    ["the byte that MessagePack never uses", `${untilLastField} c1`, "configurationIndex", null],
    ["a map", "81 a9 5f 5f 70 72 6f 74 6f 5f 5f 80", "frame", null],
    ["a map of 2^32 - 1 pairs", `${untilLastField} df ff ff ff ff`, "configurationIndex", null],
    ["a list for a number", `${untilLastField} 91 00`, "configurationIndex", null],
    ["a number below zero", `${untilLastField} ff`, "configurationIndex", null],
    ["a 64-bit integer", `${untilLastField} cf 00 00 00 00 00 00 00 01`, "configurationIndex", null],
    ["a short float", `${untilLastField} ca 3f 80 00 00`, "configurationIndex", null],
    ["a fraction", `${untilLastField} cb 3f f8 00 00 00 00 00 00`, "configurationIndex", null],
    ["not a number", `${untilLastField} cb 7f f8 00 00 00 00 00 00`, "configurationIndex", null],
    ["infinity", `${untilLastField} cb 7f f0 00 00 00 00 00 00`, "configurationIndex", null],
    ["minus zero", `${untilLastField} cb 80 00 00 00 00 00 00 00`, "configurationIndex", null],
    ["2^53", `${untilLastField} cb 43 40 00 00 00 00 00 00`, "configurationIndex", null],
    ["a small number as a float", `${untilLastField} cb 3f f0 00 00 00 00 00 00`, "configurationIndex", null],
    ["a small number in a long form", `${untilLastField} ce 00 00 00 05`, "configurationIndex", null],
    ["a short text in a long form", "97 0e d9 01 63 00 01 02 07 05", "clusterId", null],
    ["a short list in a long form", "dc 00 07 0e a1 63 00 01 02 07 05", "frame", null],
    ["a null cluster", "97 0e c0 00 01 02 07 05", "clusterId", null],
    ["a cluster without name", "97 0e a0 00 01 02 07 05", "clusterId", null],
    ["a control character", "97 0e a1 0a 00 01 02 07 05", "clusterId", null],
    ["a letter outside ASCII", "97 0e a2 c3 a9 00 01 02 07 05", "clusterId", null],
    ["bytes for text", "97 0e c4 01 63 00 01 02 07 05", "clusterId", null],
    ["an unknown type", "97 12 a1 63 00 01 02 07 05", "type", null],
    ["type zero", "97 00 a1 63 00 01 02 07 05", "type", null],
    ["a stored value for a message", "96 43 a1 63 00 01 02 07", "type", null],
    ["too few fields for a header", "92 0e a1 63", "frame", null],
    ["too many fields for its type", "98 0e a1 63 00 01 02 07 05 05", "whoAreYou", null],
    ["more after the message", `${untilLastField} 05 05`, "frame", null],
    ["nothing after the header", untilLastField, "configurationIndex", null],
  ])("%s is refused", (_name, body, field, limit) => {
    const frame = forge(fromHex(body));
    bytesAllocated = 0;
    expect(refusal(() => decodeMessage(frame))).toEqual({ field, limit });
    expect(bytesAllocated).toBe(0);
  });

  test("what the bombs are built on is a good frame", () => {
    const good = decodeMessage(forge(fromHex(`${untilLastField} 05`)));
    expect(good).toMatchObject({ type: "whoAreYou", clusterId: "c", from: 1, to: 2, term: 7, configurationIndex: 5 });
    const append = decodeMessage(forge(fromHex(`${untilData} c4 01 ff a0 00 c0`)));
    expect(append).toMatchObject({ type: "append", entries: [{ index: 1, data: Uint8Array.of(255) }] });
  });

  test("lists nested a million deep are refused at the first that has no place", () => {
    for (const [before, field] of [
      ["", "type"],
      [untilLastField, "configurationIndex"],
      [untilEntries, "entry"],
    ] as const) {
      const start = fromHex(before);
      const body = new Uint8Array(start.length + 1_000_000).fill(0x91);
      body.set(start);
      expect(refusal(() => decodeMessage(forge(body))).field).toBe(field);
    }
  });

  test("a frame beyond the limit is refused before anything is read or taken", () => {
    const frame = new Uint8Array(LIMITS.frameBytes + 1).fill(0x91);
    bytesAllocated = 0;
    expect(refusal(() => decodeMessage(frame))).toEqual({ field: "frame", limit: LIMITS.frameBytes });
    expect(bytesAllocated).toBe(0);
  });

  test("no bytes, and fewer than an envelope has", () => {
    for (let length = 0; length <= 5; length++) {
      const frame = new Uint8Array(length);
      frame.set([0xb1].slice(0, length));
      expect(refusal(() => decodeMessage(reseal(frame))).field).toBe("frame");
    }
  });

  test("another version is named, whatever its checksum", () => {
    const frame = encodeMessage(samples.fullMessages.heartbeat);
    frame[0] = 0xb2;
    expect(() => decodeMessage(frame)).toThrow("version: 2 is unknown here, this build reads version 1");
    expect(() => decodeMessage(reseal(frame))).toThrow("version: 2 is unknown here, this build reads version 1");
  });

  test("somebody else's protocol", () => {
    const greeting = Uint8Array.from("GET / HTTP/1.1", (letter) => letter.charCodeAt(0));
    expect(refusal(() => decodeMessage(greeting)).field).toBe("magic");
  });

  test("whatever else msgpackr can write is refused", () => {
    const packer = new Packr({ structuredClone: true });
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    const values: unknown[] = [
      { type: "heartbeat" },
      new Map([["__proto__", 1]]),
      new Set([1]),
      cyclic,
      10n ** 40n,
      1n,
      /x/,
      undefined,
      1.5,
      -1,
      "text",
      new Float64Array(3),
      [{ a: 1 }, { a: 2 }],
    ];
    for (const value of values)
      expect(["frame", "type"]).toContain(refusal(() => decodeMessage(forge(packer.pack(value)))).field);
  });

  test("the longest lists of the smallest members cost memory and time in proportion to the frame", () => {
    const letters = (at: number): string =>
      String.fromCharCode(32 + (at % 90), 32 + (Math.floor(at / 90) % 90), 32 + Math.floor(at / 8100));
    const people = Array.from({ length: LIMITS.members + LIMITS.retired }, (_, at) => ({
      id: at + 1,
      peerId: letters(at),
      promote: false,
    }));
    const crowded = {
      voters: [],
      outgoing: [],
      learners: people.slice(0, LIMITS.members).map(({ id }) => id),
      members: people.slice(0, LIMITS.members),
      retired: people.slice(LIMITS.members),
    };
    const links = Array.from({ length: LIMITS.lineageLinks }, () => ({
      jointIndex: 1,
      jointTerm: 1,
      joint: crowded,
      signatures: [],
    }));
    const frame = encodeMessage({ ...samples.fullMessages.introduction, links });
    collectGarbage();
    const memoryBefore = memoryInUse();
    const startedMs = performance.now();
    const message = decodeMessage(frame);
    const tookMs = performance.now() - startedMs;
    collectGarbage();
    expect(memoryInUse() - memoryBefore).toBeLessThan(16 * frame.length);
    expect(message).toMatchObject({ type: "introduction", links: { length: LIMITS.lineageLinks } });
    expect(tookMs).toBeLessThan(5_000);
  });
});

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

function refusal(run: () => unknown): { field: string; limit: number | null } {
  try {
    run();
  } catch (error) {
    if (!(error instanceof InvalidFrame)) throw error;
    expect(error.message.startsWith(`${error.field}: `)).toBe(true);
    return { field: error.field, limit: error.limit };
  }
  throw new Error("nothing was refused");
}
