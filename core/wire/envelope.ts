/**
 * What is around every encoded value:
 *
 *     byte 0      magic and version: 0xB0 + version
 *     bytes 1-4   CRC-32C, big-endian, over byte 0 and everything from byte 5 on
 *     bytes 5-    one MessagePack array: the value's kind, then its fields by position
 *
 * Fields have no names on the wire, so any change to their order, number or meaning is a new version.
 */
import { Packr, RESET_BUFFER_MODE } from "msgpackr/pack";
import { crc32c } from "./crc32c.ts";
import { InvalidFrame } from "./invalid-frame.ts";
import { FRAME_BYTES_MAX } from "./limits.ts";
import { Reader } from "./reader.ts";

export const WIRE_VERSION = 1;

const MAGIC = 0xb0;
const FIRST_BYTE = MAGIC + WIRE_VERSION;
const BODY_START = 5;

/** Of a body, its kind included: a fixarray's most. */
export const FIELDS_MAX = 15;

/** Fields by position: null, booleans, whole numbers, text, bytes and lists of them. */
export type Packed = readonly unknown[];

const packer: { pack(value: Packed, mode: number): Uint8Array } = new Packr({ useRecords: false, moreTypes: false });

/**
 * A body as a frame with memory of its own: msgpackr's pool is copied from and used again from its start by the next
 * frame. The pool stays about four times as large as the largest frame so far.
 *
 * @throws InvalidFrame naming "frame" when the result would be longer than `FRAME_BYTES_MAX`: the sender must send
 * less at a time.
 */
export function seal(body: Packed): Uint8Array {
  const packed = packer.pack(body, RESET_BUFFER_MODE);
  const length = BODY_START + packed.length;
  if (length > FRAME_BYTES_MAX) throw tooLong(length);
  const frame = new Uint8Array(length);
  frame[0] = FIRST_BYTE;
  frame.set(packed, BODY_START);
  const sum = checksum(frame);
  frame[1] = sum >>> 24;
  frame[2] = sum >>> 16;
  frame[3] = sum >>> 8;
  frame[4] = sum;
  return frame;
}

/**
 * A reader at the start of a frame's body, once length, version and checksum are right. Nothing has been allocated
 * for the body by then.
 *
 * @throws InvalidFrame naming "frame", "magic", "version" or "checksum".
 */
export function open(frame: Uint8Array): Reader {
  if (frame.length > FRAME_BYTES_MAX) throw tooLong(frame.length);
  if (frame.length <= BODY_START) throw new InvalidFrame("frame", `${frame.length} bytes are too few for a frame`);
  const [first = 0, high = 0, upper = 0, lower = 0, low = 0] = [frame[0], frame[1], frame[2], frame[3], frame[4]];
  if ((first & 0xf0) !== MAGIC) throw new InvalidFrame("magic", `0x${first.toString(16)} starts no frame of blixard`);
  if (first !== FIRST_BYTE)
    throw new InvalidFrame("version", `${first & 0x0f} is unknown here, this build reads version ${WIRE_VERSION}`);
  if (((high << 24) | (upper << 16) | (lower << 8) | low) >>> 0 !== checksum(frame))
    throw new InvalidFrame("checksum", "does not match: the bytes were damaged under way");
  return new Reader(frame, BODY_START);
}

/** As `open`, then past the kind: a reader at the first of `fields` fields. `concept` names the value in errors. */
export function openKind(frame: Uint8Array, kind: number, concept: string, fields: number): Reader {
  const reader = open(frame);
  const length = reader.list("frame", FIELDS_MAX);
  const found = reader.natural("type");
  if (found !== kind) throw new InvalidFrame("type", `${found} instead of ${kind}: this is no ${concept}`);
  if (length !== fields + 1) throw new InvalidFrame(concept, `${length - 1} fields instead of ${fields}`);
  return reader;
}

function checksum(frame: Uint8Array): number {
  return crc32c(frame, BODY_START, frame.length, crc32c(frame, 0, 1));
}

function tooLong(length: number): InvalidFrame {
  return new InvalidFrame("frame", `${length} bytes, at most ${FRAME_BYTES_MAX} are allowed`, FRAME_BYTES_MAX);
}
