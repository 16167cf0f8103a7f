/** Runs the core again over a recording, and says where its decisions differ. */
import { closeSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";
import { type Effect, InvalidFrame, Node, type Runtime } from "../../core/index.ts";
import { RecordingError } from "../errors/index.ts";
import { sha256, verifySignature } from "../identity/index.ts";
import {
  digestOf,
  MAGIC,
  RECORD_BYTES_MAX,
  type Start,
  type Step,
  startFrom,
  stepFrom,
  unpackBody,
  VERSION,
} from "./format.ts";

export interface Recording {
  readonly blixard: string;
  readonly start: Start;
  /** How many steps the ring had to drop at the beginning. If there are any, the rest cannot be run again. */
  readonly skippedSteps: number;
  /** Reads the steps one by one. Returns why the recording ended; null if its end is missing, as after a kill. */
  steps(): Generator<Step, string | null, undefined>;
}

/** @throws RecordingError, also later, while the steps are read. */
export function openRecording(path: string): Recording {
  const records = recordsOf(path);
  const head = records.next().value;
  if (head?.[0] !== "head" || head[1] !== MAGIC)
    throw new RecordingError(
      `${path} is no recording`,
      "give a file of `blixard node --record FILE`, or a halt-*.recording",
    );
  if (head[2] !== VERSION)
    throw new RecordingError(
      `${path} has format ${String(head[2])}, this blixard knows ${VERSION}`,
      "replay it with the blixard that recorded it",
    );
  const second = records.next().value;
  if (second?.[0] !== "start")
    throw new RecordingError(`${path} ends before it begins`, "was the node killed while it started?");
  const { start, skippedSteps } = reading(path, () => startFrom(second));
  return {
    blixard: String(head[3]),
    start,
    skippedSteps,
    *steps() {
      for (const record of records) {
        if (record[0] === "end") return String(record[1]);
        yield reading(path, () => stepFrom(record));
      }
      return null;
    },
  };
}

function reading<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError || error instanceof InvalidFrame)
      throw new RecordingError(`${path} is damaged: ${error.message}`, "nothing after this can be trusted");
    throw error;
  }
}

function* recordsOf(path: string): Generator<readonly unknown[], void, undefined> {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw new RecordingError(
      `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`,
      "check the path and its permissions",
    );
  }
  try {
    const read = (length: number): Buffer | null => {
      const bytes = Buffer.alloc(length);
      let filled = 0;
      while (filled < length) {
        const more = readSync(file, bytes, filled, length - filled, null);
        if (more === 0) return null;
        filled += more;
      }
      return bytes;
    };
    for (let at = 0; ; at++) {
      const head = read(8);
      if (head === null) return;
      const length = head.readUInt32BE(0);
      if (length > RECORD_BYTES_MAX)
        throw new RecordingError(
          `${path} is damaged: record ${at} would have ${length} bytes`,
          at === 0 ? "is it a recording?" : "nothing after this can be trusted",
        );
      const body = read(length);
      // The process was killed while it wrote this record. The records before it are whole.
      if (body === null) return;
      if (crc32(body) !== head.readUInt32BE(4))
        throw new RecordingError(
          `${path} is damaged: the checksum of record ${at} is wrong`,
          at === 0 ? "is it a recording?" : "nothing after this can be trusted",
        );
      yield reading(path, () => unpackBody(body));
    }
  } finally {
    closeSync(file);
  }
}

export interface Replayed {
  readonly number: number;
  readonly step: Step;
  readonly effects: readonly Effect[];
  readonly node: Node;
  /** Whether the decisions are those that were recorded. */
  readonly same: boolean;
}

/**
 * Takes every step again. After the first difference the rest means nothing.
 *
 * @throws RecordingError when steps are missing at the beginning.
 */
export function* replay(recording: Recording): Generator<Replayed, string | null, undefined> {
  const { start, skippedSteps } = recording;
  if (skippedSteps > 0)
    throw new RecordingError(
      `the first ${skippedSteps} steps are not in this recording, so it cannot be run again`,
      "look at it with --show; `blixard node --record FILE` keeps everything",
    );
  const returned = new Returned(start);
  const steps = recording.steps();
  let next = steps.next();
  // What the runtime returned while the core was made is recorded with the first step.
  if (next.done !== true) returned.prepare(next.value);
  const node = new Node(start.nodeId, start.options, returned.runtime, start.restored, start.stamp);
  node.start();
  for (let number = 1; next.done !== true; number++) {
    const step = next.value;
    if (number > 1) returned.prepare(step);
    const effects = node.step(step.input);
    yield { number, step, effects, node, same: digestOf(effects) === step.digest && returned.isUsedUp };
    next = steps.next();
  }
  return next.value;
}

/** A runtime that returns what was recorded. */
class Returned {
  readonly runtime: Runtime;
  #randoms: number[] = [];
  #signatures: string[] = [];
  #asksForMore = false;

  constructor({ peerId }: Start) {
    this.runtime = {
      peerId,
      randomUint32: () => this.#take(this.#randoms, 0),
      sign: () => this.#take(this.#signatures, ""),
      verify: verifySignature,
      digest: sha256,
    };
  }

  prepare({ randoms, signatures }: Step): void {
    this.#randoms = [...randoms];
    this.#signatures = [...signatures];
    this.#asksForMore = false;
  }

  get isUsedUp(): boolean {
    return this.#randoms.length === 0 && this.#signatures.length === 0 && !this.#asksForMore;
  }

  #take<Value>(from: Value[], otherwise: Value): Value {
    const value = from.shift();
    if (value === undefined) this.#asksForMore = true;
    return value ?? otherwise;
  }
}
