/**
 * Messages as frames. A message's body is one flat array: its number, the fields of its header, its own fields in the
 * order of their definition. What a node checks against its own state (signatures, membership, terms, chains) is not
 * checked here.
 */
import { FIELDS_MAX, InvalidFrame, open, seal } from "../../wire/index.ts";
import type { Message } from "../messages.ts";
import { type MessageReader, packByDefinition, readersByDefinition } from "./by-definition.ts";
import { hotReaders, isHot, packHot } from "./hot.ts";

/** Its number, and the fields of the header. */
const HEADER_FIELDS = 6;

/** By the number of the message. */
const readers: ReadonlyMap<number, MessageReader> = new Map(
  [...readersByDefinition].map(([number, { type, row }]) => {
    return [number, { type, row: { ...row, read: hotReaders[type] ?? row.read } }];
  }),
);

/**
 * A message as a frame with memory of its own. Values beyond their ranges are written as they are: a lying peer of the
 * simulator may say anything, and whoever decodes refuses it.
 *
 * @throws InvalidFrame naming "frame" when the frame would be longer than `LIMITS.frameBytes`.
 */
export function encodeMessage(message: Message): Uint8Array {
  return seal(isHot(message) ? packHot(message) : packByDefinition(message));
}

/**
 * The message that `bytes` hold, each field checked for type, range and length. Takes memory in proportion to the
 * frame (at the worst, long lists of members, about 10 bytes a byte), never in proportion to what the frame claims.
 * Bytes in the result (`entries[].data`, `bytes`, `data`) are copies.
 *
 * @throws InvalidFrame and nothing else, whatever the bytes.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = open(bytes);
  const fields = reader.list("frame", FIELDS_MAX);
  const number = reader.natural("type");
  const known = readers.get(number);
  if (known === undefined) throw new InvalidFrame("type", `${number} is no message type of this version`);
  if (fields < HEADER_FIELDS) throw new InvalidFrame("frame", `${fields} fields are too few for a message`);
  const { type, row } = known;
  if (fields !== row.count + 1) {
    const wanted = row.count + 1 - HEADER_FIELDS;
    throw new InvalidFrame(type, `${fields - HEADER_FIELDS} fields after the header instead of ${wanted}`);
  }
  const message = row.read(reader);
  reader.finish();
  return message;
}
