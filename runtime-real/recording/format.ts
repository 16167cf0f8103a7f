/**
 * The format of a recording. A recording is everything that the decisions of a node depend on: first what the node
 * was started with, then each input with its time, what the runtime returned during that step (random numbers, and
 * signatures but never the key), and a digest of the effects.
 *
 * Each record is a frame: length and CRC-32, both big-endian, then one MessagePack value.
 */
import { crc32 } from "node:zlib";
import { Packr } from "msgpackr/pack";
import { Unpackr } from "msgpackr/unpack";
import {
  type ClientRequest,
  decodeEntry,
  decodeHardState,
  decodeMessage,
  decodeSnapshotMeta,
  type Effect,
  encodeEntry,
  encodeHardState,
  encodeMessage,
  encodeSnapshotMeta,
  type Input,
  type NodeId,
  type PeerId,
  type RaftOptions,
  type Restored,
  type Signature,
  type Stamp,
  type Write,
} from "../../core/index.ts";
import { sha256 } from "../identity/index.ts";

export const MAGIC = "blixard-recording";
export const VERSION = 1;
/** Longer than any record that is written. */
export const RECORD_BYTES_MAX = 64 * 1024 * 1024;

/** What a node was started with. */
export interface Start {
  readonly nodeId: NodeId;
  readonly peerId: PeerId;
  readonly options: RaftOptions;
  readonly restored: Restored;
  readonly stamp: Stamp;
}

export interface Step {
  readonly input: Input;
  /** What the runtime returned during the step. */
  readonly randoms: readonly number[];
  readonly signatures: readonly Signature[];
  readonly digest: string;
}

export type RecordedKind = "head" | "start" | "step" | "end";

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false });

export function frameOf(value: readonly unknown[]): Uint8Array {
  const body = packr.pack(value);
  const frame = Buffer.alloc(8 + body.length);
  frame.writeUInt32BE(body.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  frame.set(body, 8);
  return frame;
}

export function unpackBody(body: Uint8Array): readonly unknown[] {
  const value: unknown = unpackr.unpack(body);
  if (!Array.isArray(value)) throw new RangeError("a record is no list");
  return value;
}

export function headRecord(blixard: string): readonly unknown[] {
  return ["head", MAGIC, VERSION, blixard];
}

export function startRecord(
  { nodeId, peerId, options, restored, stamp }: Start,
  skippedSteps: number,
): readonly unknown[] {
  const { hardState, snapshot, entries } = restored;
  return [
    "start",
    nodeId,
    peerId,
    JSON.stringify(options),
    [stamp.nowMs, stamp.wallMs],
    hardState === null ? null : encodeHardState(hardState),
    snapshot.clusterId,
    snapshot.incarnation,
    encodeSnapshotMeta(snapshot.meta),
    snapshot.chunks,
    entries.map(encodeEntry),
    skippedSteps,
  ];
}

export function startFrom(record: readonly unknown[]): { readonly start: Start; readonly skippedSteps: number } {
  const reader = new Reader(record);
  const nodeId = reader.integer(1);
  const peerId = reader.text(2);
  // Written by this program in this version of the format, which was checked before.
  const options: RaftOptions = JSON.parse(reader.text(3));
  const [nowMs, wallMs] = reader.numbers(4);
  const hardState = record[5] === null ? null : decodeHardState(reader.bytes(5));
  const snapshot = {
    clusterId: reader.text(6),
    incarnation: reader.integer(7),
    meta: decodeSnapshotMeta(reader.bytes(8)),
    chunks: reader.manyBytes(9),
  };
  const entries = reader.manyBytes(10).map(decodeEntry);
  return {
    start: {
      nodeId,
      peerId,
      options,
      restored: { hardState, snapshot, entries },
      stamp: { nowMs: nowMs ?? 0, wallMs: wallMs ?? 0 },
    },
    skippedSteps: reader.integer(11),
  };
}

export function stepRecord({ input, randoms, signatures, digest }: Step): readonly unknown[] {
  const head = ["step", input.nowMs, input.wallMs, randoms, signatures, digest, input.kind];
  switch (input.kind) {
    case "wake":
      return head;
    case "message":
      return [...head, input.from, encodeMessage(input.message)];
    case "written":
      return [...head, input.writeId];
    case "writeFailed":
      return [...head, input.writeId, input.reason];
    case "request": {
      const { requestId, request } = input;
      // The report of a worker is bytes, which JSON cannot hold.
      if (request.kind !== "report") return [...head, requestId, JSON.stringify(request)];
      const { data, ...others } = request;
      return [...head, requestId, JSON.stringify(others), data];
    }
  }
}

export function stepFrom(record: readonly unknown[]): Step {
  const reader = new Reader(record);
  return {
    input: inputFrom(reader),
    randoms: reader.numbers(3),
    signatures: reader.texts(4),
    digest: reader.text(5),
  };
}

function inputFrom(reader: Reader): Input {
  const stamp = { nowMs: reader.number(1), wallMs: reader.number(2) };
  const kind = reader.text(6);
  switch (kind) {
    case "wake":
      return { ...stamp, kind };
    case "message":
      return { ...stamp, kind, from: reader.text(7), message: decodeMessage(reader.bytes(8)) };
    case "written":
      return { ...stamp, kind, writeId: reader.integer(7) };
    case "writeFailed":
      return { ...stamp, kind, writeId: reader.integer(7), reason: reader.text(8) };
    case "request": {
      const request: ClientRequest = JSON.parse(reader.text(8));
      const requestId = reader.integer(7);
      if (request.kind !== "report") return { ...stamp, kind, requestId, request };
      return { ...stamp, kind, requestId, request: { ...request, data: reader.bytes(9) } };
    }
    default:
      throw new RangeError(`an input of the unknown kind ${kind}`);
  }
}

/** A digest of effects: equal for equal effects in the same order. */
export function digestOf(effects: readonly Effect[]): string {
  if (effects.length === 0) return "";
  return sha256(packr.pack(effects.map(effectParts))).slice(0, 16);
}

function effectParts(effect: Effect): readonly unknown[] {
  switch (effect.kind) {
    case "send":
      return ["send", effect.to, encodeMessage(effect.message)];
    case "write":
      return ["write", ...writeParts(effect.write)];
    case "wakeAt":
      return ["wakeAt", effect.atMs];
    case "answer":
      return effect.answer.kind === "directive"
        ? ["answer", effect.requestId, effect.answer.data]
        : ["answer", effect.requestId, JSON.stringify(effect.answer)];
    case "evidence":
      return ["evidence", JSON.stringify(effect.evidence)];
    case "halt":
      return ["halt", effect.reason];
  }
}

function writeParts({ id, hardState, entries, snapshot }: Write): readonly unknown[] {
  return [
    id,
    hardState === null ? null : encodeHardState(hardState),
    entries === null ? null : entries.map(encodeEntry),
    snapshot === null ? null : [encodeSnapshotMeta(snapshot.snapshot.meta), snapshot.keepAfter],
  ];
}

/** Reads the parts of a record and checks their types. */
class Reader {
  readonly #parts: readonly unknown[];

  constructor(parts: readonly unknown[]) {
    this.#parts = parts;
  }

  number(at: number): number {
    const value = this.#parts[at];
    if (typeof value !== "number") throw new RangeError(`part ${at} of a record is no number`);
    return value;
  }

  integer(at: number): number {
    const value = this.number(at);
    if (!Number.isSafeInteger(value)) throw new RangeError(`part ${at} of a record is no integer`);
    return value;
  }

  text(at: number): string {
    const value = this.#parts[at];
    if (typeof value !== "string") throw new RangeError(`part ${at} of a record is no text`);
    return value;
  }

  bytes(at: number): Uint8Array {
    const value = this.#parts[at];
    if (!(value instanceof Uint8Array)) throw new RangeError(`part ${at} of a record is no bytes`);
    return value;
  }

  #list<Item>(at: number, is: (item: unknown) => item is Item): readonly Item[] {
    const value: unknown = this.#parts[at];
    if (!Array.isArray(value) || !value.every(is)) throw new RangeError(`part ${at} of a record is no such list`);
    return value;
  }

  numbers(at: number): readonly number[] {
    return this.#list(at, (item) => typeof item === "number");
  }

  texts(at: number): readonly string[] {
    return this.#list(at, (item) => typeof item === "string");
  }

  manyBytes(at: number): readonly Uint8Array[] {
    return this.#list(at, (item) => item instanceof Uint8Array);
  }
}
