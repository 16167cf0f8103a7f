/** Messages as bytes and back, as their definitions say. */
import type { Schema } from "../../schema/index.ts";
import { type Packed, type RowReader, rowOf, rowReader } from "../../wire/index.ts";
import { MESSAGES, type Message, type MessageOf, type MessageType, messageTypes } from "../messages.ts";

export interface MessageReader {
  readonly type: MessageType;
  /** Reads all fields, those of the header first. */
  readonly row: RowReader<Message>;
}

/** Definitions, where the type of the message does not matter. */
const definitions: Readonly<Record<MessageType, { readonly number: number; readonly schema: Schema<unknown> }>> =
  MESSAGES;

/** By the number of the message. */
export const readersByDefinition: ReadonlyMap<number, MessageReader> = new Map(
  messageTypes.map((type) => [definitions[type].number, { type, row: readerOf(type) }]),
);

function readerOf<Type extends MessageType>(type: Type): RowReader<MessageOf<Type>>;
function readerOf(type: MessageType): RowReader<unknown> {
  return rowReader({ type }, definitions[type].schema);
}

/** A message's body: its number, the fields of its header, its own fields. */
export function packByDefinition(message: Message): Packed {
  const { number, schema } = definitions[message.type];
  return [number, ...rowOf(schema, message)];
}
